package queue

import (
	"context"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// hear subscribes to channels until ctx ends. go-redis makes the subscription
// again when its connection is lost: subscribed is called each time it is made,
// to look for what was missed meanwhile, and heard for each message, one at a
// time.
func hear(ctx context.Context, rdb redis.UniversalClient, log *slog.Logger, subscribed func(), heard func(*redis.Message), channels ...string) {
	sub := rdb.Subscribe(ctx, channels...)
	messages := sub.ChannelWithSubscriptions()
	defer func() {
		if err := sub.Close(); err != nil {
			log.Debug("close a subscription", "channels", channels, "error", err)
		}
		for range messages { // until its goroutine has ended
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case message, ok := <-messages:
			if !ok {
				return
			}
			switch m := message.(type) {
			case *redis.Subscription:
				subscribed()
			case *redis.Message:
				heard(m)
			}
		}
	}
}
