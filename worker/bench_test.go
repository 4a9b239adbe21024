package worker

import (
	"context"
	"testing"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/settings"
)

// BenchmarkRun is a play without its way to the worker: compile, bind, run, and what is made of its value.
func BenchmarkRun(b *testing.B) {
	for name, script := range map[string]string{
		"sum":     "40 + 2",
		"counter": `if !state.contains("n") { state.n = 0 } state.n += 1; state.n`,
	} {
		b.Run(name, func(b *testing.B) {
			run := benchRun(b, script)
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
	}
}

// benchRun returns what runs a script once, on a state that is in memory.
func benchRun(t testing.TB, script string) func() {
	t.Helper()
	var cfg Config
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	in := secret.Public()
	cfg.CircleKeys = []string{in.String()}
	w, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	state := newStore(nothingKept{}, cfg.stateLimits())
	play := queue.Delivery{Entry: "1-0", Play: queue.Play{ID: queue.NewPlayID(), Script: script, Caller: in.String(), Role: "owner"}}
	owned, end := context.WithCancel(context.Background()) // as a loop's
	t.Cleanup(end)
	return func() {
		ctx := w.runner.span(owned, play.Play)
		result := w.runner.run(ctx, in, play, state)
		ctx.stop()
		if result.outcome.Error != nil || result.redo {
			t.Fatalf("got %+v", result)
		}
		result.changes.done()
		state.committed()
	}
}

// nothingKept is an empty state.
type nothingKept struct{}

func (nothingKept) State(context.Context, string) (string, bool, error) { return "", false, nil }
func (nothingKept) StateKeys(context.Context) ([]string, error)         { return nil, nil }
func (nothingKept) StateSize(context.Context) (int, int64, error)       { return 0, 0, nil }

// TestAPlayCostsFewAllocations: raise a budget only for a good reason.
func TestAPlayCostsFewAllocations(t *testing.T) {
	for script, most := range map[string]float64{
		"40 + 2": 13,
		`if !state.contains("n") { state.n = 0 } state.n += 1; state.n`: 40,
	} {
		if allocs := testing.AllocsPerRun(1000, benchRun(t, script)); allocs > most {
			t.Errorf("%s: got %v allocations a play, want at most %v", script, allocs, most)
		}
	}
}
