package main

import (
	"regexp"
	"strings"
	"testing"
)

func goEngines(t testing.TB) []engine {
	return []engine{newCircles(t.Context()), newLua(), newGoja(), newStarlark(), floor{}}
}

// TestEnginesAgree: what is compared does the same work. The long rows are checked whenever they are measured.
func TestEnginesAgree(t *testing.T) {
	small := rows(regexp.MustCompile("matrix|switch|JSON|run"))
	table, err := measure(goEngines(t), small, 1, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	text := report(table, 1)
	for _, r := range small {
		if !strings.Contains(text, "| "+r.name+" | ") {
			t.Errorf("%s: not in the report", r.name)
		}
		if n := len(table.cells[r.name]); n < 3 {
			t.Errorf("%s: got %d engines, want 3 at least", r.name, n)
		}
	}
}

// TestDifferenceIsFound: a wrong result stops the measurement.
func TestDifferenceIsFound(t *testing.T) {
	wrong := []engine{newCircles(t.Context()), floor{}}
	r := row{name: "Fibonacci", program: "counting_loop", task: taskRun}
	if _, err := enter(wrong, r); err == nil || !strings.Contains(err.Error(), `got "317811", want "1000000"`) {
		t.Fatalf("got %v", err)
	}
}

// BenchmarkCircles has the rows for profiles of ours alone.
func BenchmarkCircles(b *testing.B) {
	e := newCircles(b.Context())
	for _, r := range rows(regexp.MustCompile("")) {
		b.Run(strings.ReplaceAll(r.name, " ", "_"), func(b *testing.B) {
			source, _ := r.source(e.ending())
			j, err := e.prepare(r, source)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			if r.task == taskCompile {
				b.SetBytes(int64(len(source)))
			}
			b.ResetTimer()
			if _, _, err := j(b.N); err != nil {
				b.Fatal(err)
			}
		})
	}
}
