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
	// quiet is how long nothing may be heard before Redis is asked for a sign of
	// life, and again before the connection is given up.
	quiet = 3 * time.Second

	// hearAgain is the pause after an error, before the next attempt to hear.
	hearAgain = 100 * time.Millisecond
)

// hear subscribes to channels until ctx ends. The subscription is made again when
// its connection is lost: subscribed is called each time it is made, to look for
// what was missed meanwhile, and heard for each message, one at a time.
//
// Messages are read where they are used: the channel that go-redis offers wakes
// two more goroutines for each.
func hear(ctx context.Context, rdb redis.UniversalClient, log *slog.Logger, subscribed func(), heard func(*redis.Message), channels ...string) {
	for ctx.Err() == nil {
		sub := rdb.Subscribe(ctx, channels...)
		var alive atomic.Bool
		var watching sync.WaitGroup
		watching.Go(func() {
			watchSubscription(ctx, sub, &alive)
			if err := sub.Close(); err != nil {
				log.Debug("close a subscription", "channels", channels, "error", err)
			}
		})
		receive(ctx, sub, func(message any) {
			alive.Store(true)
			switch m := message.(type) {
			case *redis.Subscription:
				subscribed()
			case *redis.Message:
				heard(m)
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
func watchSubscription(ctx context.Context, sub *redis.PubSub, alive *atomic.Bool) {
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
