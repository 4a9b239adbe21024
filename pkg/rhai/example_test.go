package rhai_test

import (
	"context"
	"errors"
	"fmt"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

func Example() {
	ctx := context.Background()
	engine := rhai.New()
	program, err := engine.Compile(`let y = x * 2; y + 1`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope := rhai.NewScope()
	err = scope.Set("x", 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Run(ctx, scope)
	fmt.Println(v, err)
	y, _ := scope.Get("y")
	fmt.Println(y)
	// Output:
	// 41 <nil>
	// 40
}

func ExampleProgram_Run() {
	program, err := rhai.New().Compile(`
		fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }
		print("fib(20) is " + fib(20));
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Run(context.Background(), nil, rhai.WithPrint(func(line string) { fmt.Println(line) }))
	fmt.Println(v.IsUnit(), err)
	// Output:
	// fib(20) is 6765
	// true <nil>
}

func ExampleEngine_Eval() {
	v, err := rhai.New().Eval(context.Background(), "40 + 2")
	fmt.Println(v, v.TypeName(), err)
	// Output: 42 i64 <nil>
}

func ExampleError() {
	_, err := rhai.New().Eval(context.Background(), "fn half(x) { x / 0 }\nhalf(4)")
	var failure *rhai.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Kind, failure.Pos)
		fmt.Println(failure.Message)
		for _, call := range failure.Trace {
			fmt.Println("called", call.Function, "at", call.Pos)
		}
	}
	// Output:
	// ErrorArithmetic 1:16
	// Division by zero: 4 / 0
	// called half at 2:1
}

// A custom type that reads and writes through to the host, whatever the properties are called.
func ExampleWith() {
	type Store map[string]rhai.Value
	var stores *rhai.TypeBuilder[Store]
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		stores = rhai.Type[Store](r, "State")
		stores.Index(func(s Store, key string) rhai.Value { return s[key] })
		stores.SetIndex(func(s Store, key string, v rhai.Value) { s[key] = v })
	}))
	program, err := engine.Compile(`
		fn bump() { state.count += 1; }
		bump();
		state.tags = ["a"];
		state.tags += "b";
		state["count"]
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	store := Store{"count": value.Int(41)}
	v, err := program.Run(context.Background(), nil,
		rhai.WithVariables(map[string]rhai.Value{"state": stores.Value(store)}))
	fmt.Println(v, err, store["count"], store["tags"])
	// Output: 42 <nil> 42 ["a", "b"]
}

func ExampleFromJSON() {
	v, err := rhai.FromJSON([]byte(`{"name": "ada", "scores": [1, 2.5]}`))
	fmt.Println(v, err)
	text, err := v.MarshalJSON()
	fmt.Println(string(text), err)
	// Output:
	// #{"name": "ada", "scores": [1, 2.5]} <nil>
	// {"name":"ada","scores":[1,2.5]} <nil>
}

// A function that belongs to a run: what it works on comes with each run.
func ExampleWithHost() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("emit", func(c rhai.Context, name string, v rhai.Value) {
			events := c.Host().(*[]string)
			*events = append(*events, fmt.Sprintf("%s=%s", name, v))
		})
	}))
	program, err := engine.Compile(`emit("greeting", "hello"); for i in 0..2 { emit("count", i); }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	var events []string
	_, err = program.Run(context.Background(), nil, rhai.WithHost(&events))
	fmt.Println(events, err)
	// Output: [greeting=hello count=0 count=1] <nil>
}

func ExampleWithModules() {
	engine := rhai.New(rhai.WithModules(rhai.Modules{
		"greeting": rhai.ScriptModule(`export const WORD = "hello"; fn greet(name) { global::WORD + " " + name }`),
		"math":     rhai.NewModule().Func("square", func(n int) int { return n * n }),
	}))
	v, err := engine.Eval(context.Background(), `
		import "greeting" as g;
		import "math" as math;
		[g::greet("circle"), g::WORD, math::square(7)]`)
	fmt.Println(v, err)
	// Output: ["hello circle", "hello", 49] <nil>
}

func ExampleWithOperator() {
	approximately := func(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 }
	engine := rhai.New(rhai.WithOperator("approx", 90, approximately))
	v, err := engine.Eval(context.Background(), `0.1 + 0.2 approx 0.301`)
	fmt.Println(v, err)
	// Output: true <nil>
}

func ExampleWithSyntaxRule() {
	unless := func(c *rhai.SyntaxCall) (rhai.Value, error) {
		condition, err := c.Eval(0)
		if err != nil || condition.Bool() {
			return rhai.Value{}, err
		}
		return c.Eval(1)
	}
	engine := rhai.New(rhai.WithSyntaxRule("unless $expr$ $block$", false, unless))
	v, err := engine.Eval(context.Background(), `let stock = 3; unless stock > 5 { "order more" }`)
	fmt.Println(v, err)
	// Output: order more <nil>
}

func ExampleWithVariableResolver() {
	engine := rhai.New(rhai.WithVariableResolver(func(c rhai.Context, name string) (rhai.Value, bool, error) {
		users, _ := c.Host().(map[string]string)
		text, ok := users[name]
		v, err := rhai.ValueOf(text)
		return v, ok, err
	}))
	program, err := engine.Compile(`fn greet() { "hello, " + ada } greet()`)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Run(context.Background(), nil, rhai.WithHost(map[string]string{"ada": "Ada Lovelace"}))
	fmt.Println(v, err)
	// Output: hello, Ada Lovelace <nil>
}

func ExampleWithDebugger() {
	engine := rhai.New(rhai.WithDebugging())
	program, err := engine.Compile("let a = 1;\nlet b = a + 1;\na + b")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = program.Run(context.Background(), nil, rhai.WithDebugger(func(s *rhai.Stop) rhai.Step {
		fmt.Print("line ", s.Pos.Line, ":")
		for _, v := range s.Variables() {
			fmt.Print(" ", v.Name, " = ", v.Value)
		}
		fmt.Println()
		return rhai.StepOver
	}))
	fmt.Println(err)
	// Output:
	// line 1:
	// line 2: a = 1
	// line 3: b = 2 a = 1
	// <nil>
}

func ExampleDefaultLimits() {
	limits := rhai.DefaultLimits()
	limits.Memory = 1 << 20
	engine := rhai.New(rhai.WithLimits(limits))
	_, err := engine.Eval(context.Background(), `let list = []; loop { list.push(list.len()); }`)
	var failure *rhai.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Limit, "-", failure.Message)
	}
	// Output: memory - Memory of the run too large
}
