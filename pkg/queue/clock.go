package queue

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A clock relates this machine's time to Redis's. Deadlines travel by Redis's
// clock, which every gateway and worker can see. In a Cluster, and for a replica
// that takes over, the nodes' clocks must agree: what they differ by is added to
// or taken from deadlines.
//
// When Redis said its time between sending and receiving, nobody knows. A
// deadline that is sent must not be later by Redis's clock than it is here:
// otherwise a play that was given up here, and told never to run, could reach
// the queue afterwards and be taken. So redis assumes the least difference that
// is possible, at the cost of up to a round trip of the play's time; local, with
// which nothing is promised, assumes the middle.
type clock struct {
	latest atomic.Pointer[observation]
}

// An observation is Redis's time less ours.
type observation struct{ least, middle time.Duration }

// slowAnswer is the round trip from which on an observation tells too little to
// replace the one before.
const slowAnswer = 100 * time.Millisecond

func (k *clock) unknown() bool { return k.latest.Load() == nil }

func (k *clock) ask(ctx context.Context, rdb redis.UniversalClient) error {
	sent := time.Now()
	at, err := rdb.Time(ctx).Result()
	if err != nil { // perhaps of a connection that had broken before
		sent = time.Now()
		at, err = rdb.Time(ctx).Result()
	}
	if err != nil {
		return err
	}
	k.observe(at, sent, time.Now())
	return nil
}

// observe takes note that Redis's clock said at between sent and received.
func (k *clock) observe(at, sent, received time.Time) {
	trip := received.Sub(sent)
	if at.IsZero() || trip > slowAnswer && !k.unknown() {
		return
	}
	least := at.Sub(received.Round(0))
	k.latest.Store(&observation{least: least, middle: least + trip/2})
}

// redis converts a deadline of ours to Redis's time, local the other way. Without
// an observation they assume that the clocks agree.
func (k *clock) redis(t time.Time) time.Time { return t.Add(k.seen().least) }
func (k *clock) local(t time.Time) time.Time { return t.Add(-k.seen().middle) }

func (k *clock) seen() observation {
	if o := k.latest.Load(); o != nil {
		return *o
	}
	return observation{}
}

// entryTime is when Redis took an entry, by its own clock; zero for what is no
// entry id.
func entryTime(entryID string) time.Time {
	ms, _, _ := strings.Cut(entryID, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
