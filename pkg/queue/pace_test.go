package queue

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"circles/pkg/redistest"
)

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		pace       string
		depth, now int64
		want       time.Duration
	}{
		{"", 10_000, 5_000, retryAfter},                               // nothing measured
		{"0 0 0 0", 10_000, 5_000, retryAfter},                        //
		{"0 0 500 1000", 10_000, 5_000, 2 * time.Second},              // 500 a second, 1000 to end
		{"4500 3 500 1000", 10_000, 5_000, 2 * time.Second},           // measured for too short a time since
		{"3000 4000 500 1000", 10_000, 5_000, 500 * time.Millisecond}, // 2000 a second by now
		{"1000 0 500 1000", 10_000, 5_000, mostRetry},                 // it has stopped
		{"1000 1 500 1000", 20, 5_000, 8 * time.Second},               // one in four seconds, two to end
		{"0 0 1000000 1000", 10_000, 5_000, leastRetry},               //
		{"0 0 1 10000", 10_000, 5_000, mostRetry},                     //
		{"0 0 4 1000", 1, 5_000, 250 * time.Millisecond},              // at least one
		{"0 0 1 9223372036854775807", 9_223_372_036_854_775_807, 5_000, mostRetry},
		{"-1 0 4 1000", 1, 5_000, retryAfter}, // not what commit writes
		{"a b c d", 1, 5_000, retryAfter},
	} {
		if got := parsePace(c.pace).retryAfter(c.depth, c.now); got != c.want {
			t.Errorf("%q with %d plays: got %v, want %v", c.pace, c.depth, got, c.want)
		}
	}
}

// Commits measure how fast plays end while others wait.
func TestPace(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		rdb := server.Client()
		d := startDispatcher(t, server, DispatcherOptions{QueueLimit: 5})
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w", Batch: 1}), key)
		fire := func() error {
			_, err := d.Fire(within(t), key, Play{Script: "1", Deadline: time.Now().Add(time.Hour)})
			return err
		}
		fill := func(n int) {
			t.Helper()
			for range n {
				if err := fire(); err != nil {
					t.Fatal(err)
				}
			}
		}
		commit := func(n int) {
			t.Helper()
			for range n {
				commitAll(t, l, answer(next(t, l)...)...)
			}
		}
		now := func() int64 {
			t.Helper()
			at, err := rdb.Time(within(t)).Result()
			if err != nil {
				t.Fatal(err)
			}
			return at.UnixMilli()
		}
		read := func() pace {
			t.Helper()
			return parsePace(rdb.Get(within(t), paceKey(key)).Val())
		}
		set := func(p pace) {
			t.Helper()
			rdb.Set(within(t), paceKey(key), fmt.Sprintf("%d %d %d %d", p.since, p.count, p.plays, p.ms), 0)
		}

		fill(1)
		commit(1)
		if got := read(); got != (pace{}) {
			t.Errorf("nothing waited: got %+v, want no measurement", got)
		}
		fill(5)
		before := now()
		commit(1)
		if got := read(); got.since < before || got.since > now() || got.count != 0 || got.ms != 0 {
			t.Errorf("the first of some that wait: got %+v, want that measuring began between %d and %d", got, before, now())
		}
		// An hour has passed, with 99 plays: a measurement is over with the next.
		hour := time.Hour.Milliseconds()
		began := now() - hour
		set(pace{since: began, count: 99})
		commit(1)
		if got := read(); got.plays != 100 || got.ms < hour || got.ms > now()-began || got.since-began != got.ms || got.count != 0 {
			t.Errorf("got %+v, want 100 plays in about an hour, and another measurement", got)
		}
		// The circle comes to rest: what was measured last stays.
		last := pace{since: now() + hour, plays: 7, ms: 1000} // too short a time
		set(last)
		commit(3)
		last.since = 0
		if got := read(); got != last {
			t.Errorf("at rest: got %+v, want %+v", got, last)
		}

		set(pace{plays: 10, ms: 5000})
		fill(5)
		var busy *BusyError
		if err := fire(); !errors.As(err, &busy) || busy.RetryAfter != 500*time.Millisecond {
			t.Errorf("got %v, want to be told 500 ms: one in 500 ms, and a tenth of 5 is less than one", err)
		}
	})
}
