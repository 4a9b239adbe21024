package gateway

import (
	"sync"

	"circles/pkg/protocol"
)

// exchange is one frame from a client and the one that answers it. It is over
// when the last of its calls is answered, on whichever goroutine that happens.
type exchange struct {
	session *session
	batch   bool

	mu        sync.Mutex
	responses []protocol.Response // a place a call, in the order of the requests
	done      []bool              // a place a call
	left      int                 // calls that are not answered
	slots     int                 // of the connection's plays in flight
}

// call is one request of an exchange.
type call struct {
	exchange *exchange
	at       int
	request  protocol.Request
	over     func() // called when the call is answered; nil: nothing is to be done
}

func newExchange(s *session, frame protocol.Frame) *exchange {
	calls := len(frame.Entries)
	return &exchange{
		session:   s,
		batch:     frame.Batch,
		responses: make([]protocol.Response, calls),
		done:      make([]bool, calls),
		left:      calls,
	}
}

// answer answers the call: with err when it isn't nil, else with result. The
// first answer counts; what comes after it is dropped.
func (c *call) answer(result any, err *protocol.Error) {
	if c.over != nil {
		c.over()
	}
	response := protocol.Response{ID: c.request.ID, Error: err}
	if !c.request.IsNotification() && err == nil {
		response = protocol.Result(c.request.ID, result)
	}
	c.exchange.answered(c.at, response)
}

func (x *exchange) answered(at int, response protocol.Response) {
	x.mu.Lock()
	if x.done[at] {
		x.mu.Unlock()
		return
	}
	x.done[at], x.responses[at] = true, response
	x.left--
	over, slots := x.left == 0, x.slots
	x.mu.Unlock()
	if !over {
		return
	}
	if frame := x.frame(); frame != nil {
		x.session.out.put(frame)
	}
	x.session.release(slots)
}

// frame is the answer; nil when nothing is to be answered. The exchange is over.
func (x *exchange) frame() []byte {
	wanted := x.responses[:0]
	for _, response := range x.responses {
		if response.ID != nil {
			wanted = append(wanted, response)
		}
	}
	switch {
	case len(wanted) == 0:
		return nil
	case x.batch:
		return protocol.EncodeBatch(wanted)
	}
	return wanted[0].AppendJSON(nil)
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
