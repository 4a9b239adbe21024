package load

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Open sends so many requests a second, in turn over the connections, and returns when all are answered. Those due in
// the time that counts are counted, whenever their answer comes.
func Open(conns []*Conn, rate float64, plan Plan) (Result, error) {
	begin := time.Now().Add(10 * time.Millisecond)
	from := begin.Add(plan.Warm)
	to := from.Add(plan.Time)
	total := int(rate*plan.Warm.Seconds()) + int(rate*plan.Time.Seconds())

	tallies := make([]*tally, len(conns))
	errs := make([]error, len(conns)+1)
	var readers sync.WaitGroup
	var failed atomic.Bool
	for i, c := range conns {
		tallies[i] = newTally(from, to)
		c.since.begin(begin)
		due := total / len(conns)
		if i < total%len(conns) {
			due++
		}
		readers.Go(func() {
			if errs[i] = c.drain(due, tallies[i]); errs[i] != nil {
				failed.Store(true)
			}
		})
	}
	var sender sync.WaitGroup
	sender.Go(func() { errs[len(conns)] = pace(conns, begin, rate, total, failed.Load) })
	sender.Wait()
	if errs[len(conns)] != nil {
		for _, c := range conns {
			_ = c.Close() // so that the readers end
		}
	}
	readers.Wait()
	return sum(tallies), errors.Join(errs...)
}

// pace sends each request when it is due, or as soon after that as the connection takes it. It sleeps in the system and
// not in the runtime, whose timers of an idle process are a millisecond late.
func pace(conns []*Conn, begin time.Time, rate float64, total int, failed func() bool) error {
	interval := float64(time.Second) / rate
	for i := range total {
		due := begin.Add(time.Duration(float64(i) * interval))
		if wait := time.Until(due); wait > 0 {
			pause := syscall.NsecToTimespec(int64(wait))
			_ = syscall.Nanosleep(&pause, nil) // woken early, it is a little early
		}
		if failed() {
			return nil
		}
		if err := conns[i%len(conns)].send(due); err != nil {
			return err
		}
	}
	return nil
}

// drain reads so many answers.
func (c *Conn) drain(left int, t *tally) error {
	if err := c.WS.SetReadDeadline(t.to.Add(patience)); err != nil {
		return err
	}
	for left > 0 {
		err := c.receive(func(due time.Time, verdict Verdict) {
			t.note(due, time.Now(), due, verdict)
			left--
		})
		if err != nil {
			return err
		}
	}
	return nil
}
