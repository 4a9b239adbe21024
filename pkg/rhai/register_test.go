package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

type celsius float64

type pair struct {
	Left  int `rhai:"left"`
	Right int `rhai:"right"`
}

// registered is an engine with a function of most signatures.
func registered() *rhai.Engine {
	return rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("add", func(a, b int) int { return a + b })
		r.Func("add", func(a, b string) string { return a + "+" + b })
		r.Func("nothing", func() {})
		r.Func("fails", func(s string) error { return errors.New("failed: " + s) })
		r.Func("half", func(n int) (int, error) {
			if n%2 != 0 {
				return 0, errors.New("odd")
			}
			return n / 2, nil
		})
		r.Func("sum", func(list ...int) int {
			n := 0
			for _, x := range list {
				n += x
			}
			return n
		})
		r.Func("sum", func(first string, rest ...string) string { return first + strings.Join(rest, "") })
		r.Func("any_of", func(list ...rhai.Value) int { return len(list) })
		r.Func("any_of", func(a rhai.Value) string { return "one" })
		r.Func("small", func(n uint8) uint8 { return n })
		r.Func("warm", func(c celsius) celsius { return c + 1 })
		r.Func("swap", func(p pair) pair { return pair{p.Right, p.Left} })
		r.Func("total", func(m map[string]float64) (t float64) {
			for _, x := range m {
				t += x
			}
			return t
		})
		r.Func("reversed", func(list []string) []string {
			out := make([]string, len(list))
			for i, s := range list {
				out[len(list)-1-i] = s
			}
			return out
		})
		r.Func("maybe", func(n *int) string { return fmt.Sprint(n == nil) })
		r.Func("kind", func(x any) string { return fmt.Sprintf("%T", x) })
		r.Func("letter", func(c rhai.Rune) string { return strings.ToUpper(string(c)) })
		r.Func("bytes", func(b []byte) int { return len(b) })
		r.Func("later", func(t time.Time) time.Time { return t.Add(time.Hour) })
		r.Func("deadline", func(ctx context.Context, name string) string {
			_, ok := ctx.Deadline()
			return fmt.Sprint(name, ok)
		})
		r.Func("host", func(c rhai.Context) string { return fmt.Sprint(c.Host()) })
		r.Func("twice", func(ctx context.Context, f rhai.FnPtr, x rhai.Value) (rhai.Value, error) {
			v, err := f.Call(ctx, x)
			if err != nil {
				return v, err
			}
			return f.Call(ctx, v)
		})
		r.Func("each", func(ctx context.Context, p struct{ F rhai.FnPtr }, list []int) ([]int, error) {
			for i, n := range list {
				v, err := p.F.Call(ctx, n)
				if err != nil {
					return nil, err
				}
				if list[i], err = rhai.As[int](v); err != nil {
					return nil, err
				}
			}
			return list, nil
		})
		r.Add(rhai.Func4("four", func(a int, b string, c bool, d float64) (string, error) { return fmt.Sprint(a, b, c, d), nil }))
	}))
}

func TestFunctions(t *testing.T) {
	results(t, registered(), map[string]string{
		`add(1, 2)`:     `3`,
		`1.add(2)`:      `3`,
		`add("a", "b")`: `"a+b"`,
		`add(1.0, 2)`:   `ErrorFunctionNotFound 1:1`,
		`nothing()`:     `()`,
		`fails("x")`:    `ErrorRuntime 1:1`,
		`try { fails("x") } catch (e) { return e }`: `"failed: x"`,
		`half(8)`:                                `4`,
		`half(3)`:                                `ErrorRuntime 1:1`,
		`[sum(), sum(1), sum(1, 2, 3, 4, 5, 6)]`: `[0, 1, 21]`,
		`sum("a") + sum("a", "b", "c")`:          `"aabc"`,
		`sum(1, "b")`:                            `ErrorFunctionNotFound 1:1`,
		`[any_of(), any_of(1), any_of(1, "x", ())]`: `[0, "one", 3]`,
		`small(255)`:                 `255`,
		`small(256)`:                 `ErrorRuntime 1:1`,
		`small(-1)`:                  `ErrorRuntime 1:1`,
		`warm(20.5)`:                 `21.5`,
		`swap(#{left: 1, right: 2})`: `#{"left": 2, "right": 1}`,
		`swap(#{left: "x"})`:         `ErrorRuntime 1:1`,
		`total(#{a: 1.5, b: 2})`:     `3.5`,
		`reversed(["a", "b"])`:       `["b", "a"]`,
		`reversed(["a", 2])`:         `ErrorRuntime 1:1`,
		`maybe(()) + maybe(1)`:       `"truefalse"`,
		`kind(()) + kind(1) + kind("x") + kind('x') + kind([1]) + kind(#{}) + kind(blob())`: `"<nil>int64stringrhai.Rune[]interface {}map[string]interface {}[]uint8"`,
		`letter('x')`:                       `"X"`,
		`bytes(blob(3))`:                    `3`,
		`let t = timestamp(); later(t) - t`: `3600.0`,
		`deadline("x")`:                     `"xfalse"`,
		`host()`:                            `"ada"`,
		`twice(|x| x * 3, 2)`:               `18`,
		`let n = 1; twice(|x| x + n, 2)`:    `4`,
		`fn f(x) { x + "!" } twice(f, "a")`: `"a!!"`,
		`twice(|x| x / 0, 2)`:               `ErrorArithmetic 1:13`,
		`twice("f", 2)`:                     `ErrorFunctionNotFound 1:1`,
		`each(#{F: |n| n * n}, [1, 2, 3])`:  `[1, 4, 9]`,
		`four(1, "b", true, 2.5)`:           `"1btrue 2.5"`,
		`[1, 2].map(Fn("half"))`:            `ErrorRuntime 1:8`,
		`Fn("add").curry(1).call(2)`:        `3`,
	}, rhai.WithHost("ada"))
}

func TestConversionErrorsTellWhere(t *testing.T) {
	for source, want := range map[string]string{
		`swap(#{left: "x"})`:    "argument 1: got string, want int at .left",
		`reversed(["a", 2])`:    "argument 1: got int, want string at [1]",
		`small(256)`:            "argument 1: got 256, want an int that fits uint8",
		`each(#{F: 1}, [])`:     "argument 1: got int, want function pointer at .F",
		`each(#{F: || 1}, [1])`: "Function not found",
	} {
		if _, err := registered().Eval(t.Context(), source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
}

// What can't be registered is told in words that say what to do, all of it at once.
func TestRegistrationErrors(t *testing.T) {
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("number", 42)
		r.Func("none", nil)
		r.Func("channel", func(chan int) {})
		r.Func("two", func() (int, int) { return 0, 0 })
		r.Func("late", func(int, context.Context) {})
		r.Func("out", func() chan int { return nil })
		r.Func("keys", func(map[int]int) {})
		r.Func("empty", (func(int) int)(nil))
		r.Func("right", func(int) int { return 0 })
		p := rhai.Type[pair](r, "Pair")
		p.Method("stray", func(int) {})
		p.Get("left", func(pair, int) int { return 0 })
		rhai.Type[pair](r, "Again")
	}), rhai.WithModules(rhai.Modules{"m": rhai.NewModule().Func("bad", func(chan int) {}).Set("C", make(chan int))}))
	_, err := e.Compile("1")
	if err == nil || e.Err() == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{
		"function 'number': got int to call, want a function",
		"function 'none': got <nil> to call, want a function",
		"function 'channel': got a parameter of type chan int, want a type that scripts have, a rhai.Value, or one given by rhai.Type",
		"function 'two': got func() (int, int), want a function with at most one result, and an error behind it",
		"function 'late': got a context.Context as parameter 2, want a context to come first",
		"function 'out': got a result of type chan int",
		"function 'keys': got a parameter of type map[int]int",
		"function 'empty': got func(int) int to call",
		"function 'stray': got a function on another type, want one whose first parameter is a rhai_test.pair",
		"getter of 'left': got a function of 2 parameters, want 1",
		"type 'Again': got the Go type rhai_test.pair, which is given as 'Pair' already",
		"module 'm': function 'bad'", "constant 'C'",
	} {
		if !strings.Contains(e.Err().Error(), want) {
			t.Errorf("got\n%v\nwant in it: %s", e.Err(), want)
		}
	}
	if strings.Contains(err.Error(), "right") {
		t.Errorf("got %v", err)
	}
}

// A panic is an error of the script that names the function as scripts call it.
func TestPanicsHaveNames(t *testing.T) {
	boom := errors.New("boom")
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		b := rhai.Type[bomb](r, "Bomb")
		r.Func("bomb", func() bomb { return bomb{} })
		r.Func("explode", func() { panic(boom) })
		r.Func("explode", func(rhai.Value) { panic(boom) })
		r.Func("hold", func(ctx context.Context, f rhai.FnPtr) error {
			_, err := f.Call(ctx)
			if err == nil {
				panic(boom)
			}
			return err
		})
		b.Method("method", func(bomb, uint8) { panic(boom) })
		b.Get("reads", func(bomb) int { panic(boom) })
		b.Set("reads", func(*bomb, int) { panic(boom) })
		b.Index(func(bomb, int) int { panic(boom) })
		b.SetIndex(func(*bomb, int, int) { panic(boom) })
		b.Operator("+", func(a, b bomb) bomb { panic(boom) })
		b.Operator("-", func(a bomb) bomb { panic(boom) })
		b.Compare(func(a, b bomb) int { panic(boom) })
		b.Print(func(bomb) string { panic(boom) })
		rhai.Iter(b, func(bomb) iter.Seq[int] { return func(func(int) bool) { panic(boom) } })
	}))
	for source, name := range map[string]string{
		`explode()`:                                    "explode",
		`[1].map(Fn("explode"))`:                       "explode",
		`[1].map(|x| explode(x))`:                      "explode",
		`[1].for_each(|x| hold(|| 1))`:                 "hold",
		`hold(|| explode())`:                           "explode",
		`bomb().method(1)`:                             "method",
		`let b = bomb(); b.reads`:                      "reads",
		`let b = bomb(); b.reads = 1`:                  "reads",
		`let b = bomb(); b[1]`:                         "[]",
		`let b = bomb(); b[1] = 2`:                     "[]",
		`bomb() + bomb()`:                              "+",
		`-bomb()`:                                      "-",
		`bomb() < bomb()`:                              "<=> of Bomb",
		`[bomb()] == [bomb()]`:                         "<=> of Bomb",
		`if bomb() == bomb() { }`:                      "<=> of Bomb",
		`print(bomb())`:                                "print of Bomb",
		"`${bomb()}`":                                  "print of Bomb",
		`for x in bomb() { }`:                          "for of Bomb",
		`try { explode() } catch { bomb().method(1) }`: "method",
	} {
		_, err := e.Eval(t.Context(), source)
		var p *rhai.PanicError
		switch f := failure(t, err); {
		case f.Kind != value.ErrSystem || !strings.Contains(f.Message, "function '"+name+"' panicked: boom"):
			t.Errorf("%s: got %v, want the name %s", source, err, name)
		case !errors.As(err, &p) || p.Function != name || len(p.Stack) == 0 || !errors.Is(err, boom):
			t.Errorf("%s: got the cause %v", source, f.Cause)
		}
	}
}

type bomb struct{}

// One program, its registered functions and the values of its types serve many goroutines at once.
func TestManyGoroutines(t *testing.T) {
	var shared rhai.Value
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		p := rhai.Type[pair](r, "Pair").Fields()
		p.Method("grow", func(p *pair, n int) { p.Left += n })
		r.Func("twice", func(ctx context.Context, f rhai.FnPtr) (rhai.Value, error) { return f.Call(ctx, 21) })
		r.Func("swap", func(m map[string]int) map[string]int { return map[string]int{"n": -m["n"]} })
		shared = p.Value(pair{1, 2})
	}))
	program := compile(t, e, `
		let mine = given;
		for i in 0..100 { mine.grow(i); mine.right += 1; }
		[mine.left, mine.right, given.left, twice(|n| n * 2), swap(#{n: seed}).n]`)
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for range 20 {
				scope := rhai.NewScope()
				if err := errors.Join(scope.Set("given", shared), scope.Set("seed", n)); err != nil {
					t.Error(err)
				}
				got, err := rhai.Run[[]int](t.Context(), program, scope)
				if want := fmt.Sprint([]int{4951, 102, 1, 42, -n}); err != nil || fmt.Sprint(got) != want {
					t.Errorf("got %v, %v, want %s", got, err, want)
				}
			}
		})
	}
	wait.Wait()
}

// What converting arguments takes counts as operations, and ends when the run does.
func TestConversionsCount(t *testing.T) {
	calls := 0
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("take", func(list []int) { calls++ })
		r.Func("take", func(m map[string]any) { calls++ })
	}), rhai.WithLimits(rhai.Limits{Operations: 300_000}))
	for _, source := range []string{
		`let a = []; a.pad(100_000, 1); loop { take(a); }`,
		`let m = #{}; for i in 0..2000 { m["k" + i] = [i]; } loop { take(m); }`,
	} {
		calls = 0
		if _, err := e.Eval(t.Context(), source); failure(t, err).Limit != value.LimitOperations || calls == 0 || calls > 300 {
			t.Errorf("%s: got %v after %d calls", source, err, calls)
		}
	}
}
