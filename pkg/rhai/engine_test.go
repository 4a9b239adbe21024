package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/pkg/rhai"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func compile(t testing.TB, e *rhai.Engine, source string) *rhai.Program {
	t.Helper()
	p, err := e.Compile(source)
	if err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	return p
}

func failure(t *testing.T, err error) *rhai.Error {
	t.Helper()
	var e *rhai.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want a *rhai.Error", err)
	}
	return e
}

// One program, many goroutines: results don't mix, constants are never written to, caches are shared.
func TestProgramRunsConcurrently(t *testing.T) {
	p := compile(t, rhai.New(), `
		const BASE = [1, 2, 3];
		fn sum(list) { let s = 0; for x in list { s += x; } s }
		let copy = BASE;
		copy[0] = n;
		let o = #{ n: n, list: [4, 5, 6] };
		o.list[1] = n;
		let add = |x| x + o.n;
		[sum(copy), sum(o.list), add.call(1), "" + n]`)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				n := g*1000 + i
				scope := rhai.NewScope()
				if err := scope.Set("n", n); err != nil {
					t.Error(err)
				}
				v, err := p.Run(context.Background(), scope)
				want := fmt.Sprintf(`[%d, %d, %d, "%d"]`, n+5, n+10, n+1, n)
				if err != nil || v.String() != want {
					t.Errorf("got %s and error %v, want %s", v, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name   string
		limits rhai.Limits
		source string
		limit  rhai.Limit
	}{
		{"operations of a loop", rhai.Limits{Operations: 1000}, `loop { }`, value.LimitOperations},
		{"operations of a while", rhai.Limits{Operations: 1000}, `let x = 0; while x >= 0 { x += 1; }`, value.LimitOperations},
		{"operations of a for", rhai.Limits{Operations: 1000}, `for i in 0..1000000000000 { let x = i; }`, value.LimitOperations},
		{"operations of a do", rhai.Limits{Operations: 1000}, `do { } until false`, value.LimitOperations},
		{"operations of calls", rhai.Limits{Operations: 100000}, `fn f(n) { f(n + 1) } f(0)`, value.LimitOperations},
		{"operations caught", rhai.Limits{Operations: 1000}, `loop { try { loop { } } catch { } }`, value.LimitOperations},
		{"depth", rhai.Limits{CallDepth: 64}, `fn f(n) { f(n + 1) } f(0)`, value.LimitCallDepth},
		{"depth caught", rhai.Limits{CallDepth: 64}, `fn f() { try { f() } catch { f() } } f()`, value.LimitCallDepth},
		{"depth through closures", rhai.Limits{CallDepth: 64}, `let f = |g| g.call(g); f.call(f)`, value.LimitCallDepth},
		{"depth through methods", rhai.Limits{CallDepth: 64}, `fn f() { this.f() } let x = 1; x.f()`, value.LimitCallDepth},
		{"depth through maps", rhai.Limits{CallDepth: 64}, `let m = #{f: || this.f()}; m.f()`, value.LimitCallDepth},
		{"string", rhai.Limits{StringBytes: 1000}, `let s = "ab"; loop { s += s; }`, value.LimitString},
		{"string of an interpolation", rhai.Limits{StringBytes: 1000}, "let s = \"ab\"; loop { s = `${s}${s}`; }", value.LimitString},
		{"array", rhai.Limits{ArrayItems: 1000}, `let a = [1]; loop { a += a; }`, value.LimitArray},
		{"map", rhai.Limits{MapEntries: 100}, `let m = #{}; for i in 0..1000 { m["k" + i] = i; }`, value.LimitMap},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := rhai.New(rhai.WithLimits(test.limits))
			_, err := compile(t, e, test.source).Run(t.Context(), nil)
			if got := failure(t, err).Limit; got != test.limit {
				t.Errorf("got limit %q (%v), want %q", got, err, test.limit)
			}
		})
	}
}

func TestCallDepthBeyondTheDefault(t *testing.T) {
	e := rhai.New(rhai.WithLimits(rhai.Limits{CallDepth: 200000}))
	p := compile(t, e, `fn f(n) { if n == 0 { 0 } else { 1 + f(n - 1) } } f(100000)`)
	v, err := p.Run(t.Context(), nil)
	if err != nil || v.Int() != 100000 {
		t.Errorf("got %v and error %v, want 100000", v, err)
	}
}

func TestInterruption(t *testing.T) {
	e := rhai.New()
	for _, source := range []string{
		`loop { }`,
		`fn f() { loop { } } f()`,
		`let x = 0; while true { try { x += 1; } catch { } }`,
		`for i in 0..9000000000000000000 { let x = i; }`,
		`let f = || { loop { } }; f.call()`,
		`eval("loop { }")`,
		`loop { try { loop { } } catch { } }`,
		`let a = []; a.pad(1000000, 1); loop { let b = a; b[0] = 2; b.insert(0, 1); a == b; }`,
		`let s = ""; s.pad(4000000, "é"); loop { s.to_upper(); let t = s + s; t.len(); }`,
	} {
		p := compile(t, e, source)
		ctx, cancel := context.WithCancel(t.Context())
		stopped := errors.New("stopped by the test")
		ctx, stop := context.WithCancelCause(ctx)
		time.AfterFunc(2*time.Millisecond, func() { stop(stopped) })
		_, err := p.Run(ctx, nil)
		cancel()
		if e := failure(t, err); e.Kind != value.ErrTerminated || !errors.Is(err, stopped) {
			t.Errorf("%s: got %v, want it terminated", source, err)
		}
		if _, err := p.Run(ctx, nil); !errors.Is(err, stopped) {
			t.Errorf("%s: got %v from a run under an ended context", source, err)
		}
	}
}

func TestPanicsOfFunctionsAreErrors(t *testing.T) {
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func0("explode", func() (int, error) { panic("boom") }))
		r.Add(rhai.Func1("burst", func(v rhai.Value) (int, error) { return int(v.Array().Items[7].Int()), nil }))
	}))
	_, err := e.Eval(t.Context(), "let x = 1;\nexplode()")
	if f := failure(t, err); !strings.Contains(f.Message, "'explode' panicked: boom") || f.Pos.String() != "2:1" {
		t.Errorf("got %v", err)
	}
	v, err := e.Eval(t.Context(), `fn f() { [1].burst() } let n = 0; for i in 0..3 { try { f(); } catch (e) { n += 1; } } n`)
	if err != nil || v.Int() != 3 {
		t.Errorf("got %v and error %v, want 3 panics caught", v, err)
	}
}

func TestScope(t *testing.T) {
	e := rhai.New()
	scope := rhai.NewScope()
	for name, v := range map[string]any{"n": 1, "list": []int{1, 2}, "who": "ada"} {
		if err := scope.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := scope.SetConstant("LIMIT", 10); err != nil {
		t.Fatal(err)
	}
	run := func(source string) (rhai.Value, error) { return compile(t, e, source).Run(t.Context(), scope) }
	before, _ := scope.Get("list")
	if _, err := run(`n += LIMIT; list[0] = n; let left = who + "!"; const KEPT = 3; { let gone = 1; }`); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"n": "11", "list": "[11, 2]", "left": "ada!", "KEPT": "3", "LIMIT": "10"}
	for name, text := range want {
		if v, ok := scope.Get(name); !ok || v.String() != text {
			t.Errorf("%s: got %v, want %s", name, v, text)
		}
	}
	if before.String() != "[1, 2]" {
		t.Errorf("a value taken from the scope changed to %s", before)
	}
	if _, ok := scope.Get("gone"); ok {
		t.Error("a variable of a block was left behind")
	}
	for _, source := range []string{`LIMIT = 1`, `LIMIT += 1`, `KEPT = 4`} {
		if _, err := run(source); failure(t, err).Kind != value.ErrAssignmentToConstant {
			t.Errorf("%s: got %v", source, err)
		}
	}
	if _, err := run(`n = 99; throw "up"`); failure(t, err).Kind != value.ErrRuntime {
		t.Errorf("got %v", err)
	}
	if v, _ := scope.Get("n"); v.Int() != 99 {
		t.Errorf("got n = %s after a failed run, want 99", v)
	}
	if err := scope.Set("bad", make(chan int)); err == nil || !strings.Contains(err.Error(), "variable 'bad': got a chan int") {
		t.Errorf("got %v", err)
	}
}

// What one run makes, another may read while a third writes to its own copy.
func TestResultsAreFrozen(t *testing.T) {
	e := rhai.New()
	v, err := e.Eval(t.Context(), `#{ list: [1, [2, 3]], text: "ab" }`)
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, e, `v.list[1][0] += n; v.list += n; v.text += n; v`)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			scope := rhai.NewScope()
			if err := errors.Join(scope.Set("v", v), scope.Set("n", n)); err != nil {
				t.Error(err)
			}
			got, err := p.Run(context.Background(), scope)
			want := fmt.Sprintf(`#{"list": [1, [%d, 3], %d], "text": "ab%d"}`, 2+n, n, n)
			if err != nil || got.String() != want {
				t.Errorf("got %s and error %v, want %s", got, err, want)
			}
		})
	}
	wg.Wait()
	if want := `#{"list": [1, [2, 3]], "text": "ab"}`; v.String() != want {
		t.Errorf("the shared value is now %s", v)
	}
}

func TestCompileErrors(t *testing.T) {
	_, err := rhai.New().Compile("let x = ;")
	f := failure(t, err)
	if f.Kind != value.ErrParsing || f.Pos.Line != 1 || f.ParseKind == "" {
		t.Errorf("got %v of kind %s/%s", err, f.Kind, f.ParseKind)
	}
}

func TestCacheIsBounded(t *testing.T) {
	e := rhai.New(rhai.WithCache(10_000))
	first := compile(t, e, "1 + 1")
	if again := compile(t, e, "1 + 1"); again != first {
		t.Error("the same source was compiled twice")
	}
	for i := range 50 {
		compile(t, e, fmt.Sprintf("%d + 1", i+100))
	}
	if again := compile(t, e, "1 + 1"); again == first {
		t.Error("the program is still there after sources of more than the bound")
	}
}

func TestStringsGrowLinearly(t *testing.T) {
	p := compile(t, rhai.New(), `let s = ""; for i in 0..200000 { s += "x"; } let t = s; t += "y"; s += "z"; [s == t, s]`)
	v, err := p.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	items := v.Array().Items
	if items[0].Bool() || items[1].Text() != strings.Repeat("x", 200000)+"z" {
		t.Error("strings that share a beginning have mixed their ends")
	}
}

// Values that are small in memory and huge when walked, and recursion through Go: nothing takes the process down.
func TestHugeWhenWalked(t *testing.T) {
	e := rhai.New(rhai.WithLimits(rhai.Limits{StringBytes: 1 << 20}))
	const bomb = `let a = [1]; for i in 0..60 { a = [a, a]; } `
	for _, source := range []string{
		bomb + `print(a)`, bomb + `a == a`, "let a = [1]; for i in 0..60 { a = [a, a]; } `${a}`", bomb + `"" + a`,
		bomb + `a.to_json()`, bomb + `switch a { [1] => 2, _ => 3 }`, bomb + `a`,
		`let a = []; for i in 0..100000 { a = [a]; } let b = a; print(a); a == b`,
		`fn f() { eval("f()") } f()`, `fn f(n) { [n].map(|x| f(x + 1)) } f(0)`, `fn f(n) { f(n + 1) } f(0)`,
		`fn f(n) { eval("f(n + 1)") } f(0)`, `let m = #{}; m.f = || this.f(); m.f()`,
	} {
		p := compile(t, e, source)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		v, err := p.Run(ctx, nil)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: ran into the time limit", source)
		}
		_ = v
		cancel()
	}
}

// What runs in the scope of the global level sees the host's variables that the script itself does not name.
func TestEvalSeesTheHostsScope(t *testing.T) {
	for source, want := range map[string]int64{
		`eval("x + 1")`:                       42,
		`eval("x += 1"); eval("x")`:           42,
		`fn f() { x += 1; } f!(); eval("x")`:  42,
		`eval("eval(\"x += 1\")"); eval("x")`: 42,
	} {
		scope := rhai.NewScope()
		if err := scope.Set("x", 41); err != nil {
			t.Fatal(err)
		}
		if v, err := compile(t, rhai.New(), source).Run(t.Context(), scope); err != nil || v.Int() != want {
			t.Errorf("%s: got %v, %v, want %d", source, v, err, want)
		}
	}
	scope := rhai.NewScope()
	if err := scope.SetConstant("x", 41); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{`eval("x = 1")`, `(|| x = 1).call()`, `(|| x += 1).call()`, `fn f() { (|| x = 1).call() } f!()`} {
		_, err := compile(t, rhai.New(), source).Run(t.Context(), scope)
		if e := failure(t, err); e.Kind != value.ErrAssignmentToConstant {
			t.Errorf("%s: got %v, want %s", source, err, value.ErrAssignmentToConstant)
		}
	}
}

// Without shadowing, what the host's scope has can't be defined, at whatever depth.
func TestNoShadowingOfTheHostsScope(t *testing.T) {
	e := rhai.New(rhai.WithSyntax(syntax.Options{NoShadowing: true}))
	for source, hides := range map[string]bool{
		`let x = 1;`:                true,
		`{ let x = 1; print(x) }`:   true,
		`eval("let x = 1;")`:        true,
		`fn f() { let x = 1; } f()`: false,
		`let y = 1;`:                false,
		`for x in 0..1 {}`:          false,
	} {
		scope := rhai.NewScope()
		if err := scope.Set("x", 41); err != nil {
			t.Fatal(err)
		}
		switch _, err := compile(t, e, source).Run(t.Context(), scope); {
		case !hides && err != nil:
			t.Errorf("%s: got error %v", source, err)
		case hides && failure(t, err).Kind != value.ErrVariableExists:
			t.Errorf("%s: got %v, want %s", source, err, value.ErrVariableExists)
		}
	}
}

// What a run leaves in its scope when its context ends is the host's to read, and no later run can change what the host
// has read.
func TestScopeOfARunThatWasStopped(t *testing.T) {
	e := rhai.New()
	scope := rhai.NewScope()
	if err := scope.Set("given", []any{1}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := compile(t, e, `
		let a = [[1], #{b: [2]}];
		given.push(a);
		const C = [3];
		eval("let d = [a]");
		print("");
		loop { }
	`).Run(ctx, scope, rhai.WithPrint(func(string) { cancel() }))
	if failure(t, err).Kind != value.ErrTerminated {
		t.Fatalf("got %v", err)
	}
	d, _ := scope.Get("d")
	later := compile(t, e, `a[0].push(9); d[0][1].b.push(9); given[1].clear(); [a, d, given]`)
	v, err := later.Run(t.Context(), scope)
	if want := `[[[1, 9], #{"b": [2]}], [[[1], #{"b": [2, 9]}]], [1, []]]`; err != nil || v.Debug() != want {
		t.Errorf("got %s, %v, want %s", v.Debug(), err, want)
	}
	if want := `[[[1], #{"b": [2]}]]`; d.Debug() != want {
		t.Errorf("got %s, want %s as it was", d.Debug(), want)
	}
	var list []string
	for _, v := range scope.Variables() {
		list = append(list, fmt.Sprint(v.Name, " ", v.Value.Debug(), " ", v.Const))
	}
	if got, want := strings.Join(list, "; "), `given [1, []] false; a [[1, 9], #{"b": [2]}] false; C [3] true; d [[[1], #{"b": [2, 9]}]] false`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
