package gateway

import "sync"

// outbox is the queue of frames that wait to be written to one socket. It is
// bounded in bytes: those who answer plays never wait for a slow reader, the
// outbox overflows instead and the connection ends; the connection's own reader
// does wait, and takes no more requests meanwhile.
type outbox struct {
	max int // bytes

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	closed bool

	ready chan struct{} // signalled when there is something for the writer
	space chan struct{} // signalled when the outbox is less than half full
}

func newOutbox(max int) *outbox {
	return &outbox{max: max, ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// put queues a frame. It reports false when there is no room for it, which an
// empty outbox always has. Of a closed outbox it drops the frame.
func (o *outbox) put(frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return true
	}
	if len(o.frames) > 0 && o.bytes+len(frame) > o.max {
		return false
	}
	o.frames = append(o.frames, frame)
	o.bytes += len(frame)
	signal(o.ready)
	return true
}

// take returns the oldest frame; nil when there is none.
func (o *outbox) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.frames) == 0 {
		return nil
	}
	frame := o.frames[0]
	o.frames[0] = nil
	o.frames = o.frames[1:]
	o.bytes -= len(frame)
	if !o.crowded() {
		signal(o.space)
	}
	return frame
}

// waitForSpace waits until the outbox is less than half full or closing is
// closed. Only the connection's reader calls it.
func (o *outbox) waitForSpace(closing <-chan struct{}) {
	for {
		o.mu.Lock()
		crowded := o.crowded()
		o.mu.Unlock()
		if !crowded {
			return
		}
		select {
		case <-o.space:
		case <-closing:
			return
		}
	}
}

// crowded is called with the lock held.
func (o *outbox) crowded() bool { return len(o.frames) > 1 && o.bytes > o.max/2 }

// close drops what is queued and what will be.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.frames, o.bytes = true, nil, 0
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
