package load

import (
	"sync/atomic"
	"time"
)

// starts knows when the requests in flight were due. One goroutine adds, another takes.
type starts struct {
	epoch time.Time
	since [slots]atomic.Int64 // nanoseconds since just before epoch; 0: none
}

// begin sets the time from which the others are counted, while nothing is in flight.
func (s *starts) begin(epoch time.Time) { s.epoch = epoch.Add(-time.Second) }

// add reports false when there are too many.
func (s *starts) add(id uint64, due time.Time) bool {
	return s.since[id%slots].CompareAndSwap(0, int64(due.Sub(s.epoch)))
}

// take reports false when no such request is in flight.
func (s *starts) take(id uint64) (time.Time, bool) {
	since := s.since[id%slots].Swap(0)
	return s.epoch.Add(time.Duration(since)), since != 0
}
