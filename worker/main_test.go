package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/redistest"
	"circles/pkg/rhai"
	"circles/pkg/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// within bounds what a test waits for; it never decides a result.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newCircles(t testing.TB, n int) []circle.Key {
	t.Helper()
	keys := make([]circle.Key, n)
	for i := range keys {
		secret, err := circle.GenerateSecret()
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = secret.Public()
	}
	return keys
}

// config is what the tests' workers have in common.
func config(t testing.TB, server *redistest.Server, id string, keys ...circle.Key) Config {
	t.Helper()
	var cfg Config
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		cfg.CircleKeys = append(cfg.CircleKeys, key.String())
	}
	cfg.RedisURL, cfg.ID, cfg.HTTPAddr = server.URL, id, "127.0.0.1:0"
	return cfg
}

// start runs a worker until the test is over or stop is called.
func start(t testing.TB, cfg Config) (w *Worker, stop func()) {
	t.Helper()
	w, err := New(cfg, Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Listen(); err != nil {
		t.Fatal(err)
	}
	return w, running(t, w.Run)
}

// A hold is a function of scripts that returns when the test says so, or when
// the play is stopped.
type hold struct {
	began chan struct{} // a value for each call
	ahead chan struct{} // closed: all calls return
}

func newHold() *hold { return &hold{make(chan struct{}, 100), make(chan struct{})} }

func (h *hold) release() { close(h.ahead) }

// option gives scripts hold().
func (h *hold) option() rhai.Option {
	return rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func{Name: "hold", Native: func(c rhai.Context, _ []rhai.Value) (rhai.Value, error) {
			h.began <- struct{}{}
			for {
				select {
				case <-h.ahead:
					return rhai.ValueOf("held")
				case <-time.After(time.Millisecond):
					if err := c.Tick(1 << 12); err != nil {
						return rhai.Value{}, err
					}
				}
			}
		}})
	})
}

// startHolding is start for a worker whose scripts can call hold().
func startHolding(t testing.TB, cfg Config, h *hold) (w *Worker, stop func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	w, err := New(cfg, Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	w.runner = newRunner(cfg, log, h.option())
	if _, err := w.Listen(); err != nil {
		t.Fatal(err)
	}
	return w, running(t, w.Run)
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

func dispatcher(t testing.TB, server *redistest.Server) *queue.Dispatcher {
	t.Helper()
	rdb, err := queue.Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	d := queue.NewDispatcher(rdb, queue.DispatcherOptions{})
	running(t, d.Run)
	return d
}

func play(t testing.TB, d *queue.Dispatcher, key circle.Key, p queue.Play) queue.Outcome {
	t.Helper()
	o, err := d.Play(within(t), key, p)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for ctx := within(t); !holds(); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// mentions reports whether a text has all the parts.
func mentions(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
