// Package load drives servers over WebSockets and measures how they answer: a closed loop, in which each connection has
// so many requests in flight and sends the next when one is answered, and an open loop, which sends at a fixed rate
// whatever the server does. Latencies of the open loop count from when a request was due, not from when it could be
// sent, so that a server that stalls can't hide those who would have come meanwhile (coordinated omission).
package load

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/fasthttp/websocket"
)

// A Protocol is how requests and answers look on a socket. It is used by any number of connections at once.
type Protocol interface {
	// Kind is the WebSocket's type of message.
	Kind() int
	// Append appends the frame of a request.
	Append(dst []byte, id uint64, script string) []byte
	// Answers calls answered for each answer in a frame.
	Answers(frame []byte, answered func(id uint64, verdict Verdict)) error
}

// A Verdict says what an answer was.
type Verdict int

const (
	Done    Verdict = iota // a result
	Refused                // plainly refused: come back later
)

// Conn is one connection that is ready for requests. One measurement at a time uses it.
type Conn struct {
	WS       *websocket.Conn
	Protocol Protocol
	Script   string // what is sent

	next   uint64
	frame  []byte // of requests
	buffer []byte // of answers
	since  starts
}

// slots bounds the requests in flight on one connection.
const slots = 1 << 12

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 10

// patience is how long an answer may take before a measurement fails.
const patience = 30 * time.Second

// New makes a connection of a socket.
func New(ws *websocket.Conn, p Protocol, script string) *Conn {
	return &Conn{WS: ws, Protocol: p, Script: script, buffer: make([]byte, 0, 4<<10)}
}

// Close ends the connection without ceremony.
func (c *Conn) Close() error { return c.WS.Close() }

// Plan is how a measurement runs: requests are sent for Warm, which does not count, and then for Time, which does.
type Plan struct {
	Warm, Time time.Duration
}

// Result is what a measurement found.
type Result struct {
	Done    int // answers with a result, within the time that counts
	Refused int
	All     int // results and refusals, whether they count or not
	Time    time.Duration
	Latency *hdrhistogram.Histogram // of results, in nanoseconds
}

// Rate is how many results there were in a second.
func (r Result) Rate() float64 { return float64(r.Done) / r.Time.Seconds() }

// Quantile is the latency below which that part of the results is; 0.5 is the median.
func (r Result) Quantile(q float64) time.Duration {
	return time.Duration(r.Latency.ValueAtQuantile(q * 100))
}

// Add puts what several measurements of the same found into one.
func Add(all ...Result) Result {
	sum := Result{Latency: newHistogram()}
	for _, r := range all {
		sum.Done += r.Done
		sum.Refused += r.Refused
		sum.All += r.All
		sum.Time += r.Time
		sum.Latency.Merge(r.Latency)
	}
	return sum
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1000, int64(patience), 3)
}

// send sends one request, due when it is.
func (c *Conn) send(due time.Time) error {
	c.next++
	if !c.since.add(c.next, due) {
		return fmt.Errorf("the server has left %d requests of a connection unanswered", slots)
	}
	c.frame = c.Protocol.Append(c.frame[:0], c.next, c.Script)
	if err := c.WS.WriteMessage(c.Protocol.Kind(), c.frame); err != nil {
		return fmt.Errorf("send request %d: %w", c.next, err)
	}
	return nil
}

// receive reads one frame of answers.
func (c *Conn) receive(answered func(due time.Time, verdict Verdict)) error {
	_, reader, err := c.WS.NextReader()
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	c.buffer = c.buffer[:0]
	for {
		c.buffer = slices.Grow(c.buffer, 512)
		n, err := reader.Read(c.buffer[len(c.buffer):cap(c.buffer)])
		c.buffer = c.buffer[:len(c.buffer)+n]
		if err != nil {
			break // the message's end; a connection that broke shows at the next
		}
		if len(c.buffer) > maxAnswer {
			return errors.New("got an answer of more than 64 KiB")
		}
	}
	var unasked error
	err = c.Protocol.Answers(c.buffer, func(id uint64, verdict Verdict) {
		due, ok := c.since.take(id)
		if !ok {
			unasked = fmt.Errorf("got an answer to %d, which was not asked", id)
			return
		}
		answered(due, verdict)
	})
	return errors.Join(err, unasked)
}

// tally is what one connection saw.
type tally struct {
	from, to time.Time
	result   Result
}

func newTally(from, to time.Time) *tally {
	return &tally{from: from, to: to, result: Result{Time: to.Sub(from), Latency: newHistogram()}}
}

// note counts an answer that came at now, of a request that was due at due; at says which of the two has to be within
// the time that counts.
func (t *tally) note(at, now, due time.Time, verdict Verdict) {
	t.result.All++
	if at.Before(t.from) || !at.Before(t.to) {
		return
	}
	if verdict == Refused {
		t.result.Refused++
		return
	}
	t.result.Done++
	_ = t.result.Latency.RecordValue(int64(min(now.Sub(due), patience))) // always within the bounds
}

func sum(tallies []*tally) Result {
	total := tallies[0].result
	for _, t := range tallies[1:] {
		total.Done += t.result.Done
		total.Refused += t.result.Refused
		total.All += t.result.All
		total.Latency.Merge(t.result.Latency)
	}
	return total
}
