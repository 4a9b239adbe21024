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
// clock, which every gateway and worker can see. In a Cluster the nodes' clocks
// must agree: what they differ by is added to or taken from deadlines.
type clock struct {
	offset atomic.Int64 // Redis's time less ours, in nanoseconds
	known  atomic.Bool
}

// slowAnswer is the round trip from which on an observation tells too little to
// replace the one before.
const slowAnswer = 100 * time.Millisecond

func (k *clock) unknown() bool { return !k.known.Load() }

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
	k.offset.Store(int64(at.Sub(sent.Add(trip / 2).Round(0))))
	k.known.Store(true)
}

// redis converts our time to Redis's, local the other way.
func (k *clock) redis(t time.Time) time.Time { return t.Add(time.Duration(k.offset.Load())) }
func (k *clock) local(t time.Time) time.Time { return t.Add(-time.Duration(k.offset.Load())) }

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
