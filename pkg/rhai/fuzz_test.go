package rhai_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/internal/corpus"
	"circles/pkg/rhai/value"
)

// FuzzRun runs whatever it is given under limits. Nothing may panic, within the machine either, and everything must end.
func FuzzRun(f *testing.F) {
	files, err := corpus.Load("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		for _, chunk := range file.Chunks {
			f.Add(chunk.Ask.Script)
		}
	}
	engine := rhai.New(rhai.WithCache(0), rhai.WithLimits(rhai.Limits{
		Operations: 20000, CallDepth: 32, StringBytes: 1 << 14, ArrayItems: 1 << 12, MapEntries: 1 << 10, Variables: 200,
	}))
	f.Fuzz(func(t *testing.T, source string) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		program, err := engine.Compile(source)
		if err == nil {
			_, err = program.Run(ctx, rhai.NewScope())
		}
		var failure *rhai.Error
		if err != nil && !errors.As(err, &failure) {
			t.Fatalf("got a %T, want a *rhai.Error: %v", err, err)
		}
		if failure != nil && (failure.Kind == value.ErrTerminated || strings.Contains(failure.Message, "panicked")) {
			t.Fatalf("%q\n%v", source, err)
		}
	})
}
