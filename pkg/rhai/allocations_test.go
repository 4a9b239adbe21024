//go:build !race

package rhai_test

import (
	"context"
	"fmt"
	"testing"

	"circles/pkg/rhai"
)

// allocations is what one run of a compiled source allocates. The race detector's pools forget on purpose: these tests
// are not for it.
func allocations(t *testing.T, source string) int {
	t.Helper()
	p, err := rhai.New().Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return int(testing.AllocsPerRun(100, func() {
		if _, err := p.Run(ctx, nil); err != nil {
			t.Fatal(err)
		}
	}))
}

// TestRunsAllocateTheirResultOnly: scalars, calls, loops and frames are not on the heap, and the cases that a service
// lives from cost no memory.
func TestRunsAllocateTheirResultOnly(t *testing.T) {
	for source, want := range map[string]int{
		`40 + 2`:            0,
		`let x = 40; x + 2`: 0,
		`let x = 0; for i in 0..10 { x += i; } x`:                                                  0,
		`let x = 0.5; x * 2.0 > 0.9 && true`:                                                       0,
		`fn add(a, b) { a + b } let s = 0; for i in 0..1000 { s = add(s, i); } s`:                  0,
		`fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } fib(15)`:                    0,
		`let s = 0; for i in 0..1000 { switch i % 3 { 0 => s += 1, 1 => s -= 1, _ => s *= 1 } } s`: 0,
		`let x = 0; while x < 1000 { x += 1; if x % 2 == 0 { continue; } } x`:                      0,
		`let x = "constant"; x`:          0,
		`"a" + 1`:                        1, // in one piece
		`[1, 2, 3]`:                      0, // a constant, copied when it is written to
		`let a = [1, 2, 3]; a[0] = 2; a`: 2, // the array and its items
	} {
		if got := allocations(t, source); got != want {
			t.Errorf("%s: got %d allocations, want %d", source, got, want)
		}
	}
}

// TestLoopsAllocate tells what each turn of a loop costs, from the difference between two lengths.
func TestLoopsAllocate(t *testing.T) {
	for _, test := range []struct {
		name, before, body string
		want               int // by turn
	}{
		{"properties", "let o = #{ a: 1, b: 2 };", "o.a = o.b + i; o.b += 1;", 0},
		{"elements", "let a = [1, 2, 3];", "a[i % 3] += a[0] % 7;", 0},
		{"nested elements", "let a = [[1], [2]];", "a[i % 2][0] = a[0][0] + 1;", 0},
		{"methods", "fn add(n) { this.n += n; } let o = #{ n: 0 };", "o.add(i);", 0},
		{"closures", "let f = |x| x + 1; let s = 0;", "s = f.call(s);", 0},
		{"short texts", "let s = \"\";", `s = "key " + i;`, 1},
		{"text sums", "let s = \"\";", `s = "item " + i + ", " + i;`, 1},
		{"interpolations", "let s = \"\";", "s = `key ${i}`;", 1},
		{"map updates", "let m = #{ key1: 0, key2: 0, key3: 0 };", `m["key" + (1 + i % 3)] += 1;`, 1},
		{"callbacks", "let a = [1, 2, 3, 4];", "a.all(|x| x > 0);", 3}, // the closure, and what the library makes for a call
	} {
		source := func(n int) string {
			return fmt.Sprintf("%s for i in 0..%d { %s }", test.before, n, test.body)
		}
		few, many := allocations(t, source(100)), allocations(t, source(1100))
		if got := float64(many-few) / 1000; got != float64(test.want) {
			t.Errorf("%s: got %v allocations a turn, want %d", test.name, got, test.want)
		}
	}
}

// TestTinySourcesAllocateLittle: of a source that is compiled and run once, only the program is new.
func TestTinySourcesAllocateLittle(t *testing.T) {
	e := rhai.New(rhai.WithCache(0))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for source, want := range map[string]float64{
		`40 + 2`:            6, // program and code, and what folding makes
		`let x = 40; x + 2`: 3, // program, code, the variable that stays
	} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := e.Eval(ctx, source); err != nil {
				t.Fatal(err)
			}
		})
		if got != want {
			t.Errorf("%s: got %v allocations, want %v", source, got, want)
		}
	}
}

// TestAppendingIsLinear: each append makes one object; what is too long for one piece makes a copy until it is worth a
// buffer, and a buffer now and then.
func TestAppendingIsLinear(t *testing.T) {
	const n = 10000
	got := allocations(t, fmt.Sprintf(`let s = ""; for i in 0..%d { s += "x"; } s.len()`, n))
	if got < n || got > n+200 {
		t.Errorf("got %d allocations for %d appends", got, n)
	}
	got = allocations(t, fmt.Sprintf(`let s = ""; for i in 0..%d { s += "x" + i + ", "; } s.len()`, n))
	if got < n || got > n+300 {
		t.Errorf("got %d allocations for %d appends of sums", got, n)
	}
}

// A call of a function with a common signature allocates nothing.
func TestCallsDoNotAllocate(t *testing.T) {
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("add", func(a, b int) int { return a + b })
		r.Func("warm", func(f float64) float64 { return f + 1 })
		r.Func("len_of", func(s string) int { return len(s) })
		r.Add(rhai.Func1("degrees", func(c celsius) (celsius, error) { return c + 1, nil }))
		p := rhai.Type[pair](r, "Pair")
		p.Get("left", func(p *pair) int { return p.Left })
		p.Set("left", func(p *pair, n int) { p.Left = n })
		r.Func("new_pair", func() pair { return pair{} })
	}))
	for name, source := range map[string]string{
		"func(int, int) int":         `fn f(n) { let s = 0; for i in 0..n { s = add(s, i); } s }`,
		"func(float64) float64":      `fn f(n) { let s = 0.0; for i in 0..n { s = warm(s); } s }`,
		"func(string) int":           `fn f(n) { let s = 0; for i in 0..n { s += len_of("abc"); } s }`,
		"func(celsius) celsius":      `fn f(n) { let s = 0.0; for i in 0..n { s = degrees(s); } s }`,
		"getter and setter in place": `fn f(n) { let p = new_pair(); for i in 0..n { p.left = p.left + 1; } p.left }`,
	} {
		p := compile(t, e, source)
		run := func(n int) float64 {
			return testing.AllocsPerRun(50, func() {
				if _, err := p.Call(t.Context(), "f", []any{n}); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := run(10), run(5010); many != few {
			t.Errorf("%s: 5000 calls more allocate %v times more, want none", name, many-few)
		}
	}
}
