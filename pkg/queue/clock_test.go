package queue

import (
	"testing"
	"time"
)

// Redis's clock is ahead or behind, and was read at any moment of a round trip:
// a deadline is never later by it than here.
func TestADeadlineIsNeverLaterByTheClockOfRedis(t *testing.T) {
	const trip = 80 * time.Millisecond
	sent := time.Now()
	for _, ahead := range []time.Duration{-time.Hour, 0, 3 * time.Millisecond, time.Hour} {
		for read := time.Duration(0); read <= trip; read += 10 * time.Millisecond {
			var k clock
			k.observe(sent.Add(read+ahead), sent, sent.Add(trip))
			deadline := sent.Add(time.Second)
			truly := deadline.Add(ahead)
			if got := k.redis(deadline); got.After(truly) || got.Before(truly.Add(-trip)) {
				t.Errorf("ahead by %v, read after %v: the deadline is %v late", ahead, read, got.Sub(truly))
			}
		}
	}
}

func TestASlowAnswerTellsNothingNew(t *testing.T) {
	var k clock
	now := time.Now()
	k.observe(now.Add(time.Hour), now, now)
	k.observe(now.Add(2*time.Hour), now, now.Add(2*slowAnswer))
	if got := k.redis(now); !got.Equal(now.Add(time.Hour)) {
		t.Errorf("got %v later, want an hour", got.Sub(now))
	}
}
