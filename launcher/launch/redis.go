package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"circles/pkg/queue"
)

const (
	// redisPatience bounds how long Start waits for Redis.
	redisPatience = 3 * time.Second

	// aging is how often the embedded Redis's keys are aged.
	aging = 50 * time.Millisecond
)

// RedisError says that Redis can't be used. It never shows the password.
type RedisError struct {
	Addr string // where it should be
	Err  error
}

func (e *RedisError) Error() string {
	if _, network := errors.AsType[net.Error](e.Err); network || errors.Is(e.Err, context.DeadlineExceeded) {
		return fmt.Sprintf("no Redis answers at %s: %v", e.Addr, e.Err)
	}
	return fmt.Sprintf("the Redis at %s can't be used: %v", e.Addr, e.Err)
}

func (e *RedisError) Unwrap() error { return e.Err }

// checkRedis asks Redis whether it is there, within bounded time.
func checkRedis(ctx context.Context, rawURL string) error {
	rdb, err := queue.Open(rawURL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	err = rdb.Ping(ctx).Err()
	if closing := rdb.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return &RedisError{Addr: redisAddr(rawURL), Err: err}
	}
	return nil
}

// redisAddr is what a Redis URL may show: the host and port.
func redisAddr(rawURL string) string {
	parsed, err := url.Parse(rawURL)
	if err != nil || parsed.Hostname() == "" {
		return "the address given"
	}
	port := parsed.Port()
	if port == "" {
		port = "6379"
	}
	return net.JoinHostPort(parsed.Hostname(), port)
}

// embedded is a Redis in this process, in memory. It expires nothing by itself:
// a goroutine, which close waits for, moves its clock on.
type embedded struct {
	server *miniredis.Miniredis
	quit   chan struct{}
	aged   sync.WaitGroup
}

func startEmbedded() (*embedded, error) {
	server, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	e := &embedded{server: server, quit: make(chan struct{})}
	e.aged.Go(e.age)
	return e, nil
}

func (e *embedded) url() string { return "redis://" + e.server.Addr() }

func (e *embedded) age() {
	ticker := time.NewTicker(aging)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-e.quit:
			return
		case now := <-ticker.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

func (e *embedded) close() {
	close(e.quit)
	e.aged.Wait()
	e.server.Close()
}
