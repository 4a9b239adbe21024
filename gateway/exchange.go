package gateway

import (
	"sync"

	"circles/pkg/protocol"
	"circles/pkg/queue"
)

// exchange is one frame from a client and the one that answers it. It is over
// when the last of its calls is answered, on whichever goroutine that happens.
type exchange struct {
	session *session
	batch   bool
	calls   []call  // in the order of the requests
	alone   [1]call // what calls is of a frame that is no batch

	mu    sync.Mutex
	left  int // calls that are not answered
	slots int // of the connection's plays in flight
}

// call is one request of an exchange. It is the queue's caller of the play that
// it asks for.
type call struct {
	exchange *exchange
	request  protocol.Request
	play     string   // id of the play that it asks for
	taken    []string // ids of the plays that it cancels

	// Under the exchange's mutex.
	done     bool
	response protocol.Response
}

func newExchange(s *session, frame protocol.Frame) *exchange {
	x := &exchange{session: s, batch: frame.Batch, left: len(frame.Entries)}
	if x.calls = x.alone[:]; len(frame.Entries) != 1 {
		x.calls = make([]call, len(frame.Entries))
	}
	for i := range x.calls {
		x.calls[i].exchange, x.calls[i].request = x, frame.Entries[i].Request
	}
	return x
}

// Queued answers a play that was refused.
func (c *call) Queued(err error) {
	if err != nil {
		s := c.exchange.session
		refusal := s.server.hub.refusal(s.circle, c.play, err)
		if refusal.Code == protocol.CodeBusy {
			s.noteRefusal()
		}
		c.answer(nil, refusal)
	}
}

// Done answers a play that is over.
func (c *call) Done(o queue.Outcome) {
	s := c.exchange.session
	result, err := s.server.hub.result(s.circle, o)
	c.finish(protocol.Response{ID: c.request.ID, Result: result, Error: err})
}

// answer answers the call: with err when it isn't nil, else with result. The
// first answer counts; what comes after it is dropped.
func (c *call) answer(result any, err *protocol.Error) {
	response := protocol.Response{ID: c.request.ID, Error: err}
	if !c.request.IsNotification() && err == nil {
		response = protocol.Result(c.request.ID, result)
	}
	c.finish(response)
}

// finish is answer, of what is JSON already.
func (c *call) finish(response protocol.Response) {
	x := c.exchange
	if c.play != "" {
		x.session.flights.remove(c.play)
	}
	if c.taken != nil {
		x.session.flights.putBack(c.taken)
	}
	x.mu.Lock()
	if c.done {
		x.mu.Unlock()
		return
	}
	c.done, c.response = true, response
	x.left--
	over, slots := x.left == 0, x.slots
	x.mu.Unlock()
	if !over {
		return
	}
	f := x.session.server.newFrame()
	if f.buffer = x.append(f.buffer); len(f.text()) > 0 {
		x.session.send(f)
	}
	x.session.server.freeFrame(f)
	x.session.release(slots)
}

// append appends the answer, if anything is to be answered. The exchange is over.
func (x *exchange) append(dst []byte) []byte {
	if !x.batch {
		response := x.calls[0].response
		if response.ID == nil {
			return dst
		}
		return response.AppendJSON(dst)
	}
	var wanted []protocol.Response
	for i := range x.calls {
		if response := x.calls[i].response; response.ID != nil {
			wanted = append(wanted, response)
		}
	}
	if len(wanted) == 0 {
		return dst
	}
	return protocol.AppendBatch(dst, wanted)
}

// reserve takes one of the connection's places for plays in flight. It is given
// back when the exchange is over: until then the answers are held in memory.
func (c *call) reserve() *protocol.Error {
	if err := c.exchange.session.reserve(); err != nil {
		return err
	}
	c.exchange.mu.Lock()
	c.exchange.slots++
	c.exchange.mu.Unlock()
	return nil
}
