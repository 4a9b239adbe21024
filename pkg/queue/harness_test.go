package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
	"circles/pkg/redistest"
)

// onEach runs a test on a real Redis and on the embedded one.
func onEach(t *testing.T, test func(*testing.T, *redistest.Server)) {
	t.Helper()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, redistest.StartReal(t))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, redistest.StartEmbedded(t))
	})
}

func connect(t testing.TB, server *redistest.Server) redis.UniversalClient {
	t.Helper()
	rdb, err := Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

func newCircle(t testing.TB) circle.Key {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return secret.Public()
}

func testLogger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// running runs something until the test is over, and waits for its end.
func running(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func startDispatcher(t testing.TB, server *redistest.Server, opts DispatcherOptions) *Dispatcher {
	t.Helper()
	opts.Logger = testLogger(t)
	d := NewDispatcher(connect(t, server), opts)
	running(t, d.Run)
	return d
}

func startConsumer(t testing.TB, server *redistest.Server, opts ConsumerOptions) *Consumer {
	t.Helper()
	opts.Logger = testLogger(t)
	c := NewConsumer(connect(t, server), opts)
	running(t, c.Run)
	return c
}

func claim(t testing.TB, c *Consumer, key circle.Key) *Lease {
	t.Helper()
	l, err := c.Claim(within(t), key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// echo answers every play with its own script, until ctx ends.
func echo(l *Lease) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			plays, err := l.Next(ctx)
			if err != nil {
				return err
			}
			done := make([]Done, len(plays))
			for i, p := range plays {
				done[i] = Done{Delivery: p, Outcome: Outcome{PlayID: p.Play.ID, Output: p.Play.Script}}
			}
			if err := l.Commit(ctx, done); err != nil && ctx.Err() == nil {
				l.c.log.Info("commit", "error", err)
			}
		}
	}
}

// within bounds what a test waits for; it never decides a result.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func next(t testing.TB, l *Lease) []Delivery {
	t.Helper()
	plays, err := l.Next(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return plays
}

func answer(plays ...Delivery) []Done {
	done := make([]Done, len(plays))
	for i, p := range plays {
		done[i] = Done{Delivery: p, Outcome: Outcome{PlayID: p.Play.ID, Output: p.Play.Script}}
	}
	return done
}

func scripts(plays []Delivery) []string {
	list := make([]string, len(plays))
	for i, p := range plays {
		list[i] = p.Play.Script
	}
	return list
}

// settledPlays are the plays whose outcomes a circle's results have, in the order
// in which they were committed.
func settledPlays(ctx context.Context, rdb redis.UniversalClient, key circle.Key) ([]string, error) {
	entries, err := rdb.Do(ctx, "XRANGE", resultsKey(key), "-", "+").Slice()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		fields := entry.([]any)[1].([]any)
		for i := 0; i < len(fields); i += 2 {
			ids = append(ids, fields[i].(string))
		}
	}
	return ids, nil
}
