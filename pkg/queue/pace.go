package queue

import (
	"strconv"
	"strings"
	"time"
)

// A pace is how fast a circle's plays end while others wait, as commit measures
// it. Numbers are plays and milliseconds of Redis's clock.
type pace struct {
	since, count int64 // since when plays wait, 0 while none do, and how many ended since
	plays, ms    int64 // how many ended in how long, the last time that was measured
}

const (
	// A caller that is told to come back is told a time between these.
	leastRetry = 20 * time.Millisecond
	mostRetry  = 30 * time.Second

	// retryShare is the part of the queue that is to have ended before another
	// try is worth it: there is room then for more than the first to come.
	retryShare = 10

	// measured is from when on a measurement under way counts more than the last
	// one, in milliseconds.
	measured = 1000
)

// parsePace reads what commit wrote; what it did not is no measurement.
func parsePace(text string) pace {
	var p pace
	fields := strings.Fields(text)
	into := []*int64{&p.since, &p.count, &p.plays, &p.ms}
	if len(fields) != len(into) {
		return pace{}
	}
	for i, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || n < 0 {
			return pace{}
		}
		*into[i] = n
	}
	return p
}

// retryAfter is when a full queue of so many plays will have room again.
func (p pace) retryAfter(depth, now int64) time.Duration {
	plays, ms := p.plays, p.ms
	if took := now - p.since; p.since > 0 && took >= measured {
		plays, ms = p.count, took
	}
	if ms == 0 {
		return retryAfter
	}
	share := max(1, float64(depth)/retryShare)
	wait := share * float64(ms) / float64(max(1, plays)) // ms
	return min(mostRetry, max(leastRetry, time.Duration(min(wait, float64(mostRetry.Milliseconds())))*time.Millisecond))
}
