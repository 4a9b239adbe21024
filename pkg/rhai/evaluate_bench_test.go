package rhai_test

import (
	"context"
	"testing"

	"circles/pkg/rhai"
)

// BenchmarkEval compiles and runs the small sources that a service gets once each, so that no cache helps.
func BenchmarkEval(b *testing.B) {
	e := rhai.New(rhai.WithCache(0))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, source := range []string{`40 + 2`, `let x = 40; x + 2`} {
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(ctx, source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRun runs the same, compiled.
func BenchmarkRun(b *testing.B) {
	e := rhai.New(rhai.WithCache(0))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, source := range []string{
		`40 + 2`, `let x = 40; x + 2`,
		`let s = ""; for i in 0..20000 { s += "item " + i + ", "; } s.len()`,
	} {
		p := compile(b, e, source)
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Run(ctx, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
