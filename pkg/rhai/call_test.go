package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

const callees = `
const C = 5;
let g = 7;
print("global " + g);
fn see() { y }
fn add(n) { let z = n; y += n; y }
fn constant() { global::C }
fn count() { this.n += 1; this.n }
fn nested() { see() }
private fn hidden() { 1 }
fn global_variable() { g }
fn f(x) { x + 1 }
fn int.twice() { this * 2 }
fn string.twice() { this + this }
fn twice() { "any" }
fn both(n) { this += n; y += this; y }
fn make(n) { |x| x + n }
fn fails(x) { x / 0 }
`

// The answers are those of the reference's call_fn_with_options, which runs the global level first unless told
// otherwise, and always has a scope.
func TestCall(t *testing.T) {
	p := compile(t, rhai.New(), callees)
	scope := func() *rhai.Scope {
		s := rhai.NewScope()
		if err := s.Set("y", 10); err != nil {
			t.Fatal(err)
		}
		return s
	}
	left := func(s *rhai.Scope) string {
		var list []string
		for _, v := range s.Variables() {
			list = append(list, v.Name+"="+v.Value.Debug())
		}
		return strings.Join(list, " ")
	}
	for _, c := range []struct {
		name               string
		args               []any
		globals, keep      bool
		want, scope, print string
	}{
		{"see", nil, true, false, "10", "y=10", "global 7"},
		{"add", []any{3}, true, false, "13", "y=13", "global 7"},
		{"add", []any{3}, true, true, "13", "y=13 C=5 g=7 z=3", "global 7"},
		{"add", []any{3}, false, false, "13", "y=13", ""},
		{"constant", nil, true, false, "5", "y=10", "global 7"},
		{"constant", nil, false, false, "ErrorVariableNotFound 7:17", "y=10", ""},
		{"nested", nil, true, false, "ErrorVariableNotFound 5:12", "y=10", "global 7"},
		{"global_variable", nil, true, false, "ErrorVariableNotFound 11:24", "y=10", "global 7"},
		{"global_variable", nil, false, false, "ErrorVariableNotFound 11:24", "y=10", ""},
		{"hidden", nil, true, false, "1", "y=10", "global 7"},
		{"none", nil, true, false, "ErrorFunctionNotFound none", "y=10", "global 7"},
		{"f", []any{1, 2}, false, false, "ErrorFunctionNotFound none", "y=10", ""},
		{"fails", []any{1}, false, false, "ErrorArithmetic 18:17", "y=10", ""},
	} {
		s := scope()
		printed := ""
		opts := []rhai.RunOption{rhai.WithScope(s), rhai.WithPrint(func(line string) { printed = line })}
		if c.globals {
			opts = append(opts, rhai.WithGlobals())
		}
		if c.keep {
			opts = append(opts, rhai.WithDefinitions())
		}
		v, err := p.Call(t.Context(), c.name, c.args, opts...)
		got := v.Debug()
		if err != nil {
			f := failure(t, err)
			got = fmt.Sprint(f.Kind, " ", f.Pos)
		}
		if got != c.want || left(s) != c.scope || printed != c.print {
			t.Errorf("%s, globals %t, keep %t: got %s, scope %s, printed %q, want %s, %s, %q",
				c.name, c.globals, c.keep, got, left(s), printed, c.want, c.scope, c.print)
		}
	}
	s := scope()
	this := value.Int(4)
	if v, err := p.Call(t.Context(), "both", []any{2}, rhai.WithThis(&this), rhai.WithScope(s)); err != nil || v.Int() != 16 || this.Int() != 6 || left(s) != "y=16" {
		t.Errorf("got %v, %v, this %v, scope %s", v, err, this, left(s))
	}
}

func TestCallWithThis(t *testing.T) {
	p := compile(t, rhai.New(), callees)
	this, err := rhai.ValueOf(map[string]int{"n": 1})
	if err != nil {
		t.Fatal(err)
	}
	before := this
	if v, err := p.Call(t.Context(), "count", nil, rhai.WithThis(&this)); err != nil || v.Int() != 2 || this.Debug() != `#{"n": 2}` {
		t.Errorf("got %v, %v, this %v", v, err, this)
	}
	if before.Debug() != `#{"n": 1}` {
		t.Errorf("the caller's own value became %v", before)
	}
	if _, err := p.Call(t.Context(), "count", nil); failure(t, err).Kind != value.ErrUnboundThis {
		t.Errorf("got %v", err)
	}
	for _, c := range []struct {
		this rhai.Value
		want string
	}{{value.Int(4), "8"}, {value.Str("ab"), `"abab"`}, {value.Bool(true), `"any"`}} {
		if v, err := p.Call(t.Context(), "twice", nil, rhai.WithThis(&c.this)); err != nil || v.Debug() != c.want {
			t.Errorf("got %v, %v, want %s", v, err, c.want)
		}
	}
	if n, err := rhai.Call[int](t.Context(), p, "f", []any{41}); err != nil || n != 42 {
		t.Errorf("got %v, %v", n, err)
	}
	if _, err := rhai.Call[string](t.Context(), p, "f", []any{41}); err == nil || err.Error() != "got int, want string" {
		t.Errorf("got %v", err)
	}
	if _, err := p.Call(t.Context(), "f", []any{make(chan int)}); err == nil || !strings.Contains(err.Error(), "argument 1: got a chan int") {
		t.Errorf("got %v", err)
	}
}

func TestFunctionPointersOutliveRuns(t *testing.T) {
	var kept rhai.FnPtr
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("keep", func(f rhai.FnPtr) { kept = f })
	}))
	if _, err := e.Eval(t.Context(), `fn g(x) { x * 2 } let n = 1; keep(|x| { n += 1; print(n); g(x) + n }); n`); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{42, 43} {
		printed := ""
		v, err := kept.With(rhai.WithPrint(func(line string) { printed = line })).Call(t.Context(), 20)
		if err != nil || v.Int() != want || printed != fmt.Sprint(i+2) {
			t.Errorf("got %v, %v, printed %s, want %d", v, err, printed, want)
		}
	}
	if _, err := kept.Call(t.Context(), "x"); failure(t, err).Kind != value.ErrFunctionNotFound {
		t.Errorf("got %v", err)
	}
	if _, err := kept.Call(t.Context()); failure(t, err).Kind != value.ErrFunctionNotFound {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := kept.Call(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !kept.IsAnonymous() || !strings.HasPrefix(kept.Name(), "anon$") {
		t.Errorf("got the name %s", kept.Name())
	}

	p := compile(t, e, `fn double(x) { x * 2 } fn list() { #{f: |x| x + 1, g: Fn("double"), h: Fn("len"), i: Fn("double").curry(21)} }`)
	fs, err := rhai.Call[map[string]rhai.FnPtr](t.Context(), p, "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []any
		want int64
	}{"f": {[]any{1}, 2}, "g": {[]any{4}, 8}, "h": {[]any{"abc"}, 3}, "i": {nil, 42}} {
		if v, err := fs[name].Call(t.Context(), c.args...); err != nil || v.Int() != c.want {
			t.Errorf("%s: got %v, %v, want %d", name, v, err, c.want)
		}
	}
	v, err := p.Call(t.Context(), "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	loose, err := rhai.As[map[string]rhai.FnPtr](v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loose["f"].Call(t.Context(), 1); !errors.Is(err, rhai.ErrNoProgram) {
		t.Errorf("got %v", err)
	}
	f, err := p.FnPtr(loose["f"].Value())
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Call(t.Context(), 1); err != nil || v.Int() != 2 {
		t.Errorf("got %v, %v", v, err)
	}
	if _, err := p.FnPtr(value.Int(1)); err == nil {
		t.Error("got no error")
	}
	if _, err := (rhai.FnPtr{}).Call(t.Context()); err == nil {
		t.Error("got no error")
	}
	// An embedder passes them on as values.
	if v, err := compile(t, e, `fn apply(f) { f.call(5) }`).Call(t.Context(), "apply", []any{fs["h"].Value()}); err == nil {
		t.Errorf("got %v", v)
	}
}

// A panic of a native function that the host calls through a pointer is an error all the same.
func TestPanicsOfPointers(t *testing.T) {
	e := rhai.New(rhai.With(func(r *rhai.Registry) { r.Func("explode", func() { panic("boom") }) }))
	p := compile(t, e, `Fn("explode")`)
	f, err := rhai.Run[rhai.FnPtr](t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Call(t.Context()); failure(t, err).Subject != "explode" {
		t.Errorf("got %v", err)
	}
}

func TestEvalTyped(t *testing.T) {
	type answer struct {
		Text string `rhai:"text"`
		N    []int  `rhai:"n"`
	}
	scope := rhai.NewScope()
	if err := scope.Set("x", 20); err != nil {
		t.Fatal(err)
	}
	a, err := rhai.Eval[answer](t.Context(), rhai.New(), `let y = x + 1; #{text: "t", n: [x, y]}`, scope)
	if err != nil || a.Text != "t" || fmt.Sprint(a.N) != "[20 21]" {
		t.Errorf("got %+v, %v", a, err)
	}
	if _, ok := scope.Get("y"); !ok {
		t.Error("y is not in the scope")
	}
	if _, err := rhai.Eval[int](t.Context(), rhai.New(), `let = `, nil); failure(t, err).Kind != value.ErrParsing {
		t.Errorf("got %v", err)
	}
}

// What the standard library is made of, one by one.
func TestPackages(t *testing.T) {
	scripts := map[string]string{
		"core": `to_string(1)`, "math": `abs(-1)`, "string": `"a".to_upper()`, "array": `[1].len()`, "blob": `blob(1).len()`,
		"map": `#{a: 1}.keys()`, "range": `range(0, 3)`, "json": `parse_json("{}")`, "function": `Fn("abs").name`, "time": `timestamp()`,
	}
	packages := map[string]rhai.Package{
		"core": rhai.CorePackage, "math": rhai.MathPackage, "string": rhai.StringPackage, "array": rhai.ArrayPackage,
		"blob": rhai.BlobPackage, "map": rhai.MapPackage, "range": rhai.RangePackage, "json": rhai.JSONPackage,
		"function": rhai.FunctionPackage, "time": rhai.TimePackage,
	}
	for name, add := range packages {
		e := rhai.NewRaw(rhai.With(add))
		for of, source := range scripts {
			v, err := e.Eval(t.Context(), source)
			if (err == nil) != (of == name) {
				t.Errorf("with %s, %s: got %v, %v", name, source, v, err)
			}
		}
	}
	raw, whole := rhai.NewRaw(), rhai.NewRaw(rhai.With(rhai.StandardPackage))
	for _, source := range scripts {
		if _, err := raw.Eval(t.Context(), source); err == nil {
			t.Errorf("%s: got no error", source)
		}
		if _, err := whole.Eval(t.Context(), source); err != nil {
			t.Errorf("%s: got %v", source, err)
		}
	}
	if v, err := raw.Eval(t.Context(), `let n = 0; for i in 0..4 { n += i } "n" + n`); err != nil || v.String() != "n6" {
		t.Errorf("got %v, %v", v, err)
	}
}

// Closures of modules are as good as those of the script.
func TestFunctionPointersOfModules(t *testing.T) {
	var kept rhai.FnPtr
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("keep", func(ctx context.Context, f rhai.FnPtr) (rhai.Value, error) { kept = f; return f.Call(ctx, 1) })
	}), rhai.WithModules(rhai.Modules{
		"m": rhai.ScriptModule(`fn start() { let n = 40; keep(|x| { n += x; twice(n) }) } fn twice(n) { n * 2 }`),
	}))
	for source, want := range map[string][2]int64{
		`import "m" as m; m::start()`:     {82, 84},
		`fn f(x) { x + 1 } keep(Fn("f"))`: {2, 2},
	} {
		v, err := e.Eval(t.Context(), source)
		if err != nil || v.Int() != want[0] {
			t.Errorf("%s: got %v, %v, want %d", source, v, err, want[0])
			continue
		}
		if v, err := kept.Call(t.Context(), 1); err != nil || v.Int() != want[1] {
			t.Errorf("%s: got %v, %v afterwards, want %d", source, v, err, want[1])
		}
	}
}

// Handlers that make the host call handlers end with an error, not with the process.
func TestFunctionPointersThatCallThemselves(t *testing.T) {
	var handler rhai.FnPtr
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("on", func(f rhai.FnPtr) { handler = f })
		r.Func("emit", func() (rhai.Value, error) { return handler.Call(context.Background()) })
	}))
	for _, source := range []string{`on(|| emit()); emit()`, `on(|| { on(|| emit()); emit() }); emit()`} {
		_, err := e.Eval(t.Context(), source)
		if f := failure(t, err); f.Kind != value.ErrStackOverflow || f.Limit != value.LimitCallDepth {
			t.Errorf("%s: got %s", source, f.Kind)
		}
		if v, err := e.Eval(t.Context(), `on(|| 42); emit()`); err != nil || v.Int() != 42 {
			t.Errorf("afterwards: got %v, %v", v, err)
		}
	}
}

// Values of Go types count as memory, a copy of each that is written to.
func TestTypesTakeMemory(t *testing.T) {
	type large struct{ data [4096]byte }
	made := 0
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		rhai.Type[large](r, "Large").Method("touch", func(l *large) { l.data[0]++; made++ })
		r.Func("large", func() large { made++; return large{} })
	}), rhai.WithLimits(rhai.Limits{Memory: 4 << 20, Operations: 1_000_000}))
	for _, source := range []string{
		`let list = []; loop { list.push(large()); }`,
		`let a = large(); let list = []; loop { let b = a; b.touch(); list.push(b); }`,
	} {
		made = 0
		if _, err := e.Eval(t.Context(), source); failure(t, err).Limit != value.LimitMemory || made > 1500 {
			t.Errorf("%s: got %v after %d values of 4 KiB, of which 4 MiB have room for 1024", source, err, made)
		}
	}
}
