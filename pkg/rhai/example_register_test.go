package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

type User struct {
	Name string `rhai:"name"`
	Age  int    `rhai:"age"`
}

func ExampleRegistry_Func() {
	users := map[string]User{"ada": {"Ada Lovelace", 36}}
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("repeat", strings.Repeat)
		r.Func("sum", func(list ...int) int {
			total := 0
			for _, n := range list {
				total += n
			}
			return total
		})
		r.Func("user", func(ctx context.Context, id string) (User, error) {
			u, ok := users[id]
			if !ok {
				return u, fmt.Errorf("no user %q", id)
			}
			return u, ctx.Err()
		})
		r.Func("area", func(side float64) float64 { return side * side })
		r.Func("area", func(width, height float64) float64 { return width * height })
	}))
	for _, source := range []string{
		`"ab".repeat(2)`, `sum() + sum(1, 2, 3)`, `user("ada").name`, `area(2.0) + area(2.0, 3.0)`,
		`try { user("bob") } catch (e) { return "caught: " + e }`, `area("x")`,
	} {
		v, err := engine.Eval(context.Background(), source)
		fmt.Println(v, err)
	}
	// Output:
	// abab <nil>
	// 6 <nil>
	// Ada Lovelace <nil>
	// 10.0 <nil>
	// caught: no user "bob" <nil>
	//  Function not found: area (&str | ImmutableString | String) (line 1, position 1)
}

// Functions that scripts pass are called as a part of the run.
func ExampleRegistry_Func_callback() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("retry", func(ctx context.Context, times int, f rhai.FnPtr) (v rhai.Value, err error) {
			for n := range times {
				if v, err = f.Call(ctx, n+1); err == nil {
					return v, nil
				}
			}
			return v, fmt.Errorf("given up: %w", err)
		})
	}))
	v, err := engine.Eval(context.Background(), `retry(5, |n| if n < 3 { throw "busy" } else { "done at " + n })`)
	fmt.Println(v, err)
	// Output: done at 3 <nil>
}

func ExampleRegistered_Describe() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("clamp", func(n, low, high int) int { return min(max(n, low), high) }).
			Describe("Keeps a number within bounds.", "n", "low", "high")
	}))
	fmt.Print(engine.Metadata(false).Definitions())
	// Output:
	// module static;
	//
	// /// Keeps a number within bounds.
	// fn clamp(n: int, low: int, high: int) -> int;
}

// Full control: the function gets the machine's own values, and writes to the array that it is called on.
func ExampleRegistry_Add() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func{
			Name:    "push_twice",
			Params:  []value.Type{value.TypeArray, value.Any},
			Mutates: true,
			Native: func(c rhai.Context, args []rhai.Value) (rhai.Value, error) {
				list := value.OwnArray(&args[0])
				if err := c.Limits().CheckArray(len(list.Items) + 2); err != nil {
					return rhai.Value{}, err
				}
				list.Items = append(list.Items, args[1], args[1].Share())
				return value.Int(int64(len(list.Items))), nil
			},
		})
	}))
	v, err := engine.Eval(context.Background(), `let list = [1]; list.push_twice("x"); list`)
	fmt.Println(v, err)
	// Output: [1, "x", "x"] <nil>
}

func ExampleRegistry_AddType() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		token := r.AddType(rhai.CustomType{Name: "Token", Print: func(data any) string { return "***" }})
		r.Add(rhai.Func{Name: "token", Native: func(rhai.Context, []rhai.Value) (rhai.Value, error) {
			return token.New("secret"), nil
		}})
	}))
	v, err := engine.Eval(context.Background(), `token()`)
	fmt.Println(v, v.TypeName(), v.Custom().Data, err)
	// Output: *** Token secret <nil>
}

func ExampleFunc0() {
	clock := rhai.Func0("now", func() (time.Time, error) { return time.Unix(1<<30, 0), nil })
	engine := rhai.New(rhai.With(func(r *rhai.Registry) { r.Add(clock) }))
	t, err := rhai.Eval[time.Time](context.Background(), engine, `now()`, nil)
	fmt.Println(t.UTC(), err)
	// Output: 2004-01-10 13:37:04 +0000 UTC <nil>
}

func ExampleFunc1() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func1("shout", func(s string) (string, error) {
			if s == "" {
				return "", errors.New("nothing to shout")
			}
			return strings.ToUpper(s) + "!", nil
		}))
	}))
	v, err := engine.Eval(context.Background(), `"hello".shout()`)
	fmt.Println(v, err)
	_, err = engine.Eval(context.Background(), `shout("")`)
	fmt.Println(err)
	// Output:
	// HELLO! <nil>
	// Runtime error: nothing to shout (line 1, position 1)
}

// A signature that is not common: without reflection by the generic adapter.
func ExampleFunc2() {
	type celsius float64
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func2("warmer", func(a, b celsius) (bool, error) { return a > b, nil }))
	}))
	v, err := engine.Eval(context.Background(), `warmer(21.5, 19.0)`)
	fmt.Println(v, err)
	// Output: true <nil>
}

func ExampleFunc3() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func3("between", func(n, low, high int8) (bool, error) { return low <= n && n <= high, nil }))
	}))
	v, err := engine.Eval(context.Background(), `[between(5, 1, 9), between(5, 6, 9)]`)
	fmt.Println(v, err)
	_, err = engine.Eval(context.Background(), `between(500, 1, 9)`)
	fmt.Println(err)
	// Output:
	// [true, false] <nil>
	// Runtime error: argument 1: got 500, want an int that fits int8 (line 1, position 1)
}

func ExampleFunc4() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func4("log", func(c rhai.Context, level, text string, fields map[string]any) (rhai.Unit, error) {
			c.Print(fmt.Sprint(level, ": ", text, " ", fields))
			return rhai.Unit{}, nil
		}))
	}))
	_, err := rhai.Eval[any](context.Background(), engine, `log("info", "started", #{port: 80})`, nil,
		rhai.WithPrint(func(line string) { fmt.Println(line) }))
	fmt.Println(err)
	// Output:
	// info: started map[port:80]
	// <nil>
}

func ExampleFuncV() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.FuncV("longest", func(words ...string) (string, error) {
			longest := ""
			for _, w := range words {
				if len(w) > len(longest) {
					longest = w
				}
			}
			return longest, nil
		}))
	}))
	v, err := engine.Eval(context.Background(), `longest("a", "abc", "ab")`)
	fmt.Println(v, err)
	// Output: abc <nil>
}

func ExampleThrow() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("pay", func(cents int) error {
			return rhai.Throw(map[string]any{"code": 402, "missing": cents})
		})
	}))
	v, err := engine.Eval(context.Background(), `try { pay(250) } catch (e) { return e.code + e.missing }`)
	fmt.Println(v, err)
	// Output: 652 <nil>
}

func ExamplePanicError() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("first", func(list []int) int { return list[0] })
	}))
	_, err := engine.Eval(context.Background(), `first([])`)
	var panicked *rhai.PanicError
	if errors.As(err, &panicked) {
		fmt.Println(panicked.Function, "-", panicked.Value, "-", len(panicked.Stack) > 0)
	}
	// Output: first - runtime error: index out of range [0] with length 0 - true
}

// A package is a function: it may be made of others, and have options.
func ExamplePackage() {
	greetings := func(word string) rhai.Package {
		return func(r *rhai.Registry) {
			rhai.StringPackage(r)
			r.Func("greet", func(name string) string { return word + ", " + name })
		}
	}
	english := rhai.NewRaw(rhai.With(greetings("hello")))
	german := rhai.NewRaw(rhai.With(greetings("hallo")))
	for _, engine := range []*rhai.Engine{english, german} {
		v, err := engine.Eval(context.Background(), `greet("Ada").to_upper()`)
		fmt.Println(v, err)
	}
	// Output:
	// HELLO, ADA <nil>
	// HALLO, ADA <nil>
}

func ExampleNewRaw() {
	engine := rhai.NewRaw(rhai.With(rhai.MathPackage, rhai.ArrayPackage))
	v, err := engine.Eval(context.Background(), `[1, -2].map(|n| abs(n))`)
	fmt.Println(v, err)
	_, err = engine.Eval(context.Background(), `timestamp()`)
	fmt.Println(err)
	// Output:
	// [1, 2] <nil>
	// Function not found: timestamp () (line 1, position 1)
}

func ExampleStandardPackage() {
	engine := rhai.NewRaw(rhai.With(rhai.StandardPackage))
	v, err := engine.Eval(context.Background(), `"same as New".len()`)
	fmt.Println(v, err)
	// Output: 11 <nil>
}

func ExampleSleepPackage() {
	engine := rhai.New(rhai.With(rhai.SleepPackage))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := engine.Eval(ctx, `sleep(3600)`)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

func ExampleEngine_Err() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("watch", func(events chan string) {})
		r.Func("pair", func() (int, int) { return 1, 2 })
	}))
	fmt.Println(engine.Err())
	// Output:
	// function 'watch': got a parameter of type chan string, want a type that scripts have, a rhai.Value, or one given by rhai.Type
	// function 'pair': got func() (int, int), want a function with at most one result, and an error behind it
}

// What each part of the standard library is for.
func ExampleCorePackage() {
	for _, part := range []struct {
		add    rhai.Package
		script string
	}{
		{rhai.CorePackage, `to_string(42)`},
		{rhai.MathPackage, `sqrt(16.0)`},
		{rhai.StringPackage, `"rhai".to_upper()`},
		{rhai.ArrayPackage, `[3, 1, 2].contains(2)`},
		{rhai.BlobPackage, `blob(2, 255)`},
		{rhai.MapPackage, `#{a: 1, b: 2}.keys()`},
		{rhai.RangePackage, `let n = 0; for i in range(0, 10, 3) { n += i; } n`},
		{rhai.JSONPackage, `parse_json("{\"a\": [1, 2]}").a`},
		{rhai.FunctionPackage, `fn f() { } Fn("f").name`},
		{rhai.TimePackage, `let start = timestamp(); start <= timestamp()`},
	} {
		v, err := rhai.NewRaw(rhai.With(part.add)).Eval(context.Background(), part.script)
		fmt.Println(v, err)
	}
	// Output:
	// 42 <nil>
	// 4.0 <nil>
	// RHAI <nil>
	// true <nil>
	// [ffff] <nil>
	// ["a", "b"] <nil>
	// 18 <nil>
	// [1, 2] <nil>
	// f <nil>
	// true <nil>
}
