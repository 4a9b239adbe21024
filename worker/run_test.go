package worker

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/redistest"
	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// runPlay runs a play as a loop does.
func runPlay(r *runner, c circle.Key, d queue.Delivery, state *store) result {
	ctx := r.span(context.Background(), d.Play)
	defer ctx.stop()
	return r.run(ctx, c, d, state)
}

func TestAPanicIsThatPlaysInternalError(t *testing.T) {
	var log bytes.Buffer
	r := newRunner(config(t, redistest.StartEmbedded(t), "w"), slog.New(slog.NewTextHandler(&log, nil)))
	r.engine = rhai.New(rhai.With(func(registry *rhai.Registry) {
		registry.Add(rhai.Func{Name: "boom", Native: func(rhai.Context, []value.Value) (value.Value, error) {
			panic("a secret of ours")
		}})
	}))
	key := newCircles(t, 1)[0]
	o := runPlay(r, key, queue.Delivery{Play: queue.Play{ID: "x", Script: "boom()"}}, newStore(nil, stateLimits{})).outcome
	if o.Error == nil || o.Error.Kind != queue.KindInternal || o.Error.Message != "internal error" {
		t.Errorf("got %+v, %+v", o, o.Error)
	}
	if !mentions(log.String(), "a secret of ours", key.String()) {
		t.Errorf("the log does not say what happened: %s", log.String())
	}
	if o := runPlay(r, key, queue.Delivery{Play: queue.Play{Script: "1"}}, newStore(nil, stateLimits{})).outcome; o.Output != "1" {
		t.Errorf("the next play got %+v", o)
	}
}

func TestAPlayWhoseDeadlineHasPassedIsNotRun(t *testing.T) {
	r := &runner{maxTime: time.Minute} // without an engine: nothing can be run
	o := runPlay(r, newCircles(t, 1)[0], queue.Delivery{Play: queue.Play{ID: "x", Deadline: time.Now()}}, newStore(nil, stateLimits{})).outcome
	if o.PlayID != "x" || o.Error == nil || o.Error.Kind != queue.KindExpired {
		t.Errorf("got %+v", o)
	}
}

func TestAPlayThatWasGivenUpIsNotRun(t *testing.T) {
	r := &runner{maxTime: time.Minute, log: slog.New(slog.DiscardHandler)} // without an engine: nothing can be run
	d := queue.Delivery{Play: queue.Play{ID: "x"}, Deliveries: 3, GaveUp: true}
	o := runPlay(r, newCircles(t, 1)[0], d, newStore(nil, stateLimits{})).outcome
	if o.Error == nil || o.Error.Kind != queue.KindGaveUp || !mentions(o.Error.Message, "3 times") {
		t.Errorf("got %+v", o)
	}
}

// unreadable is a state that can not be read: asking takes as long as there is
// time.
type unreadable struct{}

func (unreadable) State(ctx context.Context, _ string) (string, bool, error) {
	<-ctx.Done()
	return "", false, ctx.Err()
}

func (unreadable) StateKeys(ctx context.Context) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (unreadable) StateSize(ctx context.Context) (int, int64, error) {
	<-ctx.Done()
	return 0, 0, ctx.Err()
}

func TestAPlayWhoseTimeGoesByWhileTheStateCanNotBeReadTimesOut(t *testing.T) {
	r := newRunner(config(t, redistest.StartEmbedded(t), "w"), slog.New(slog.DiscardHandler))
	d := queue.Delivery{Play: queue.Play{ID: "x", Script: "state.a", Deadline: time.Now().Add(10 * time.Millisecond)}}
	got := runPlay(r, newCircles(t, 1)[0], d, newStore(unreadable{}, stateLimits{}))
	if got.redo || got.outcome.Error == nil || got.outcome.Error.Kind != queue.KindTimeout && got.outcome.Error.Kind != queue.KindExpired {
		t.Errorf("got %+v, %+v", got.outcome, got.outcome.Error)
	}
}

func TestAnUnreadablePlayIsAnInternalError(t *testing.T) {
	r := &runner{maxTime: time.Minute, log: slog.New(slog.DiscardHandler)}
	d := queue.Delivery{Play: queue.Play{ID: "x"}, Err: queue.ErrMalformed}
	if o := runPlay(r, newCircles(t, 1)[0], d, newStore(nil, stateLimits{})).outcome; o.Error == nil || o.Error.Kind != queue.KindInternal {
		t.Errorf("got %+v", o)
	}
}

func TestSizeIsKnownBeforeAnythingIsWritten(t *testing.T) {
	// 2^60 strings, all the same one.
	v := value.Str("x")
	for range 60 {
		v = value.NewArray([]value.Value{v, v})
	}
	start := time.Now()
	if n := size(v, 1<<20); n <= 1<<20 {
		t.Errorf("got %d, want more than a MiB", n)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if n := size(value.Str("12345"), 1000); n < 5 || n > 100 {
		t.Errorf("got %d for five bytes", n)
	}
}
