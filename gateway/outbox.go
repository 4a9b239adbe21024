package gateway

import "sync"

// outbox is the queue of frames that wait to be written to one socket. Those who
// answer plays never wait for a slow reader: what they put is taken. The bound
// is kept from the other side: while more than max bytes wait, the connection's
// reader takes no more requests, so that beyond max there are only the answers to
// the one frame it was at and to the plays in flight, which have a bound of their
// own. A client that doesn't read at all is the writer's to find out.
type outbox struct {
	max int // bytes

	mu     sync.Mutex
	frames [][]byte // from first on
	first  int
	bytes  int
	closed bool

	space chan struct{} // signalled when the outbox is not crowded any more
}

// keptFrames is the most places for frames that an empty outbox keeps.
const keptFrames = 16

func newOutbox(max int) *outbox {
	return &outbox{max: max, space: make(chan struct{}, 1)}
}

// put queues a frame. Of a closed outbox it drops the frame.
func (o *outbox) put(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if o.first > 0 && len(o.frames) == cap(o.frames) {
		n := copy(o.frames, o.frames[o.first:])
		clear(o.frames[n:])
		o.frames, o.first = o.frames[:n], 0
	}
	o.frames = append(o.frames, frame)
	o.bytes += len(frame)
}

// take returns the oldest frame; nil when there is none.
func (o *outbox) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == len(o.frames) {
		return nil
	}
	frame := o.frames[o.first]
	o.frames[o.first] = nil
	if o.first++; o.first == len(o.frames) {
		if o.first = 0; cap(o.frames) > keptFrames {
			o.frames = nil
		}
		o.frames = o.frames[:0]
	}
	o.bytes -= len(frame)
	if o.bytes <= o.max {
		signal(o.space)
	}
	return frame
}

// waitForSpace waits until no more than max bytes wait, or closing is closed.
// Only the connection's reader calls it.
func (o *outbox) waitForSpace(closing <-chan struct{}) {
	for o.crowded() {
		select {
		case <-o.space:
		case <-closing:
			return
		}
	}
}

func (o *outbox) crowded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes > o.max
}

// close drops what is queued and what will be.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.frames, o.first, o.bytes = true, nil, 0, 0
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
