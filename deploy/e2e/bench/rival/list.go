package rival

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// The design that ours replaces: a play is pushed to its circle's list, from which a worker pops it, blocking; the result
// is pushed to a list of the play's own, from which the gateway pops it, blocking. Nothing is acknowledged, so what a
// worker had taken when it died is gone.
const (
	listPrefix  = "bench:list:"
	replyPrefix = "bench:reply:"

	// replyTTL is how long a result waits for a gateway that has gone.
	replyTTL = time.Minute

	// blocked is how many connections may wait in a blocking pop.
	blocked = 256
)

func openRedis(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, PoolSize: blocked})
}

func serveListGateway(ctx context.Context, addr string, log *slog.Logger) error {
	rdb := openRedis(addr)
	return serveSockets(ctx, log, func() answerer {
		return func(ctx context.Context, circle string, frame []byte) ([]byte, error) {
			id, play, err := read(frame)
			if err != nil {
				return nil, err
			}
			play.Reply = replyPrefix + play.ID
			message, err := json.Marshal(play)
			if err != nil {
				return nil, err
			}
			if err := rdb.LPush(ctx, listPrefix+circle, message).Err(); err != nil {
				return nil, err
			}
			popped, err := rdb.BRPop(ctx, playTimeout, play.Reply).Result()
			if err != nil {
				return nil, fmt.Errorf("wait for play %s: %w", play.ID, err)
			}
			return answered(id, json.RawMessage(popped[1])), nil
		}
	})
}

// serveListWorker has a loop for each circle, one play at a time.
func serveListWorker(ctx context.Context, addr string, circles []string, log *slog.Logger) error {
	rdb := openRedis(addr)
	defer context.AfterFunc(ctx, func() { _ = rdb.Close() })() // a pop that blocks knows nothing of ctx
	p := newPlayer()
	log.Info(Listens, "addr", addr)
	var loops sync.WaitGroup
	for _, circle := range circles {
		loops.Go(func() {
			for ctx.Err() == nil {
				if err := p.playListed(ctx, rdb, listPrefix+circle); err != nil && ctx.Err() == nil {
					log.Error("a play is lost", "error", err)
				}
			}
		})
	}
	loops.Wait()
	return nil
}

func (p player) playListed(ctx context.Context, rdb *redis.Client, list string) error {
	popped, err := rdb.BRPop(ctx, 0, list).Result()
	if err != nil {
		return err
	}
	var play task
	if err := json.Unmarshal([]byte(popped[1]), &play); err != nil {
		return err
	}
	result, err := p.play(ctx, play)
	if err != nil {
		return err
	}
	_, err = rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.LPush(ctx, play.Reply, []byte(result))
		pipe.Expire(ctx, play.Reply, replyTTL)
		return nil
	})
	return err
}
