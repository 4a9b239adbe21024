package worker

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"circles/pkg/circle"
	"circles/pkg/rhai"
)

// On one core, somebody else comes to work many times while a script runs, and
// not only when Go takes the core away from it.
func TestBusyScriptGivesWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	program, err := rhai.New().Compile("let n = 0; for i in 0..1000000 { n += i } n")
	if err != nil {
		t.Fatal(err)
	}
	var turns atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			turns.Add(1)
			runtime.Gosched()
		}
	}()
	_, err = program.Run(t.Context(), nil, newScene(circle.Key{}).options...)
	got := turns.Load()
	end()
	<-ended
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(1000000 / 1024 / goroutineTurn / 2); got < want {
		t.Errorf("another goroutine had %d turns, want at least %d", got, want)
	}
}
