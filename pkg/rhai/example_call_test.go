package rhai_test

import (
	"context"
	"fmt"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

func ExampleProgram_Call() {
	program, err := rhai.New().Compile(`fn area(w, h) { w * h }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Call(context.Background(), "area", []any{6, 7})
	fmt.Println(v, err)
	// Output: 42 <nil>
}

func ExampleCall() {
	program, err := rhai.New().Compile(`fn order(name, count) { #{id: 1, items: [#{name: name, count: count}]} }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	order, err := rhai.Call[Order](context.Background(), program, "order", []any{"pen", 3})
	fmt.Println(order.Items, err)
	// Output: [{pen 3}] <nil>
}

func ExampleRun() {
	program, err := rhai.New().Compile(`#{name: "Ada", age: birth + 36}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope := rhai.NewScope()
	if err := scope.Set("birth", 0); err != nil {
		fmt.Println(err)
		return
	}
	user, err := rhai.Run[User](context.Background(), program, scope)
	fmt.Println(user, err)
	// Output: {Ada 36} <nil>
}

func ExampleEval() {
	ctx := context.Background()
	engine := rhai.New()
	answer, err := rhai.Eval[int](ctx, engine, `let x = 20; x * 2 + 2`, nil)
	fmt.Println(answer, err)
	// Output: 42 <nil>
}

func ExampleWithThis() {
	program, err := rhai.New().Compile(`fn deposit(n) { this.balance += n; this.balance }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := rhai.ValueOf(map[string]int{"balance": 40})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Call(context.Background(), "deposit", []any{2}, rhai.WithThis(&account))
	fmt.Println(v, account, err)
	// Output: 42 #{"balance": 42} <nil>
}

// Event handlers that keep their state in a scope.
func ExampleWithScope() {
	program, err := rhai.New().Compile(`
		fn start() { let count = 0; }
		fn click(n) { count += n; count }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope, ctx := rhai.NewScope(), context.Background()
	_, err = program.Call(ctx, "start", nil, rhai.WithScope(scope), rhai.WithDefinitions())
	fmt.Println(err)
	for range 3 {
		v, err := program.Call(ctx, "click", []any{2}, rhai.WithScope(scope))
		fmt.Println(v, err)
	}
	// Output:
	// <nil>
	// 2 <nil>
	// 4 <nil>
	// 6 <nil>
}

func ExampleWithDefinitions() {
	program, err := rhai.New().Compile(`fn init() { let a = 1; const B = 2; }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope := rhai.NewScope()
	_, err = program.Call(context.Background(), "init", nil, rhai.WithScope(scope), rhai.WithDefinitions())
	for _, v := range scope.Variables() {
		fmt.Println(v.Name, v.Value, v.Const)
	}
	fmt.Println(err)
	// Output:
	// a 1 false
	// B 2 true
	// <nil>
}

func ExampleWithGlobals() {
	program, err := rhai.New().Compile(`const RATE = 3; fn convert(n) { n * global::RATE }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Call(context.Background(), "convert", []any{14}, rhai.WithGlobals())
	fmt.Println(v, err)
	_, err = program.Call(context.Background(), "convert", []any{14})
	fmt.Println(err)
	// Output:
	// 42 <nil>
	// Variable not found: global::RATE (line 1, position 37)
}

// Handlers that scripts register, called when things happen.
func ExampleFnPtr() {
	handlers := map[string]rhai.FnPtr{}
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("on", func(event string, f rhai.FnPtr) { handlers[event] = f })
	}))
	_, err := engine.Eval(context.Background(), `
		let clicks = 0;
		on("click", |x, y| { clicks += 1; "click " + clicks + " at " + x + "," + y });`)
	fmt.Println(err)
	ctx := context.Background()
	for x := range 2 {
		v, err := handlers["click"].Call(ctx, x, 10)
		fmt.Println(v, err)
	}
	// Output:
	// <nil>
	// click 1 at 0,10 <nil>
	// click 2 at 1,10 <nil>
}

func ExampleFnPtr_With() {
	double, err := rhai.Eval[rhai.FnPtr](context.Background(), rhai.New(), `|n| { print("doubling " + n); n * 2 }`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	double = double.With(rhai.WithPrint(func(line string) { fmt.Println(line) }))
	v, err := double.Call(context.Background(), 21)
	fmt.Println(v, double.IsAnonymous(), err)
	// Output:
	// doubling 21
	// 42 true <nil>
}

func ExampleProgram_FnPtr() {
	program, err := rhai.New().Compile(`fn half(n) { n / 2 } let f = Fn("half");`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope := rhai.NewScope()
	if _, err := program.Run(context.Background(), scope); err != nil {
		fmt.Println(err)
		return
	}
	v, _ := scope.Get("f")
	f, err := program.FnPtr(v)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := f.Call(context.Background(), 84)
	fmt.Println(f.Name(), f.Value(), result, err)
	// Output: half Fn(half) 42 <nil>
}

func ExampleScope() {
	scope := rhai.NewScope()
	if err := scope.Set("user", User{"Ada", 36}); err != nil {
		fmt.Println(err)
		return
	}
	if err := scope.SetConstant("LIMIT", 40); err != nil {
		fmt.Println(err)
		return
	}
	_, err := rhai.Eval[any](context.Background(), rhai.New(), `user.age += 1; let young = user.age < LIMIT;`, scope)
	for _, v := range scope.Variables() {
		fmt.Println(v.Name, v.Value)
	}
	fmt.Println(err)
	// Output:
	// user #{"age": 37, "name": "Ada"}
	// LIMIT 40
	// young true
	// <nil>
}

// Constants that functions see as well, in whatever scope they run.
func ExampleWithVariables() {
	program, err := rhai.New().Compile(`fn greet() { "hello, " + USER.name } greet()`)
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := rhai.ValueOf(User{"Ada", 36})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Run(context.Background(), nil, rhai.WithVariables(map[string]value.Value{"USER": user}))
	fmt.Println(v, err)
	// Output: hello, Ada <nil>
}
