package load

import (
	"errors"
	"sync"
	"time"
)

// Closed keeps so many requests in flight on each connection.
func Closed(conns []*Conn, inFlight int, plan Plan) (Result, error) {
	begin := time.Now()
	from := begin.Add(plan.Warm)
	to := from.Add(plan.Time)
	tallies := make([]*tally, len(conns))
	errs := make([]error, len(conns))
	var running sync.WaitGroup
	for i, c := range conns {
		tallies[i] = newTally(from, to)
		c.since.begin(begin)
		running.Go(func() { errs[i] = c.closed(inFlight, tallies[i]) })
	}
	running.Wait()
	return sum(tallies), errors.Join(errs...)
}

// closed is one connection's part. It ends with nothing in flight.
func (c *Conn) closed(inFlight int, t *tally) error {
	if err := c.WS.SetReadDeadline(t.to.Add(patience)); err != nil {
		return err
	}
	left := 0
	for ; left < inFlight; left++ {
		if err := c.send(time.Now()); err != nil {
			return err
		}
	}
	for left > 0 {
		came := 0
		var now time.Time
		err := c.receive(func(due time.Time, verdict Verdict) {
			now = time.Now()
			t.note(now, now, due, verdict)
			came++
		})
		if err != nil {
			return err
		}
		left -= came
		for ; came > 0 && now.Before(t.to); came-- {
			if err := c.send(time.Now()); err != nil {
				return err
			}
			left++
		}
	}
	return nil
}
