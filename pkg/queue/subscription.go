package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// quietTime is how long nothing may be heard before Redis is asked for a sign
	// of life, and again before the connection is given up.
	quietTime = 3 * time.Second

	// hearAgain is the pause after an error, before the next attempt to hear.
	hearAgain = 100 * time.Millisecond
)

// A hearer hears channels.
type hearer struct {
	rdb   redis.UniversalClient
	log   *slog.Logger
	quiet time.Duration // see quietTime

	subscribed func()               // the subscription is made; look for what was missed
	heard      func(*redis.Message) // of one message at a time
}

// hear subscribes to channels until ctx ends. The subscription is made again when
// its connection is lost.
//
// Messages are read where they are used: the channel that go-redis offers wakes
// two more goroutines for each.
func (h hearer) hear(ctx context.Context, channels ...string) {
	for ctx.Err() == nil {
		sub := h.rdb.Subscribe(ctx, channels...)
		var alive atomic.Bool
		var watching sync.WaitGroup
		watching.Go(func() {
			watchSubscription(ctx, sub, h.quiet, &alive)
			if err := sub.Close(); err != nil {
				h.log.Debug("close a subscription", "channels", channels, "error", err)
			}
		})
		receive(ctx, sub, func(message any) {
			alive.Store(true)
			switch m := message.(type) {
			case *redis.Subscription:
				h.subscribed()
			case *redis.Message:
				h.heard(m)
			}
		})
		watching.Wait()
	}
}

// receive hands on what comes until the subscription is closed. go-redis connects
// and subscribes anew after an error.
func receive(ctx context.Context, sub *redis.PubSub, take func(message any)) {
	for {
		message, err := sub.Receive(ctx)
		switch {
		case err == nil:
			take(message)
		case errors.Is(err, redis.ErrClosed):
			return
		default:
			pause(ctx, hearAgain)
		}
	}
}

// watchSubscription returns when the subscription is to be closed: when ctx ends,
// or when Redis does not answer on it.
func watchSubscription(ctx context.Context, sub *redis.PubSub, quiet time.Duration, alive *atomic.Bool) {
	asked := false
	for pause(ctx, quiet) {
		switch {
		case alive.Swap(false):
			asked = false
		case asked:
			return
		default:
			asked = true
			bounded, cancel := context.WithTimeout(ctx, dialTimeout+ioTimeout)
			_ = sub.Ping(bounded) // if it fails nothing is heard either
			cancel()
		}
	}
}

// pause reports false when ctx ends before it is over.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
