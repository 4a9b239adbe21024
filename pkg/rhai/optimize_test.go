package rhai_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
)

// No level of optimization changes what a script does: the whole corpus answers the same at each.
func TestOptimizationChangesNothing(t *testing.T) {
	files, err := corpus.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	plain := batch.NewRunner(10 * time.Second)
	for name, level := range map[string]rhai.Level{"none": rhai.OptimizeNone, "full": rhai.OptimizeFull} {
		t.Run(name, func(t *testing.T) {
			other := batch.NewRunner(10*time.Second, rhai.WithOptimization(level))
			for _, file := range files {
				for _, chunk := range file.Chunks {
					want := corpus.Lines(plain.Answer(t.Context(), chunk.Ask))
					got := corpus.Lines(other.Answer(t.Context(), chunk.Ask))
					if !slices.Equal(got, want) {
						t.Errorf("%s:%d: %s\n%s\ngot  %s\nwant %s", file.Path, chunk.Line, chunk.Name, chunk.Ask.Script,
							strings.Join(got, "\n     "), strings.Join(want, "\n     "))
					}
				}
			}
		})
	}
}

// The levels do what they say: fewer instructions.
func TestOptimizationLevels(t *testing.T) {
	size := func(level rhai.Level, source string) int {
		var b strings.Builder
		if err := compile(t, rhai.New(rhai.WithOptimization(level)), source).Dump(&b); err != nil {
			t.Fatal(err)
		}
		return strings.Count(b.String(), "\n")
	}
	for _, source := range []string{
		`let x = 1 + 2 * 3; x`,
		`if 1 > 2 { print("never") } else { print("always") }`,
		`while false { print("never") }`,
		`fn f() { return 1; print("never"); } f()`,
	} {
		if none, simple := size(rhai.OptimizeNone, source), size(rhai.OptimizeSimple, source); none <= simple {
			t.Errorf("%s: got %d lines of code without and %d with optimization, want fewer", source, none, simple)
		}
	}
}

// Jumps that are straightened lead to no other jump.
func TestFullOptimizationStraightensJumps(t *testing.T) {
	jumps := func(level rhai.Level) (chained int) {
		var b strings.Builder
		p := compile(t, rhai.New(rhai.WithOptimization(level)),
			`let n = 0; for i in 0..9 { if i > 2 { if i > 4 { n += 1; } else { n += 2; } } else { n += 3; } } n`)
		if err := p.Dump(&b); err != nil {
			t.Fatal(err)
		}
		isJump, targets := map[string]bool{}, []string{}
		for _, line := range strings.Split(b.String(), "\n") {
			if f := strings.Fields(line); len(f) > 2 && f[2] == "jump" {
				isJump[f[0]] = true
				targets = append(targets, f[len(f)-1])
			}
		}
		for _, to := range targets {
			if isJump[to] {
				chained++
			}
		}
		return chained
	}
	if simple, full := jumps(rhai.OptimizeSimple), jumps(rhai.OptimizeFull); simple == 0 || full != 0 {
		t.Errorf("got %d jumps to jumps, and %d after full optimization; want some and none", simple, full)
	}
}
