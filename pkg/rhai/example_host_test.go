package rhai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/syntax"
)

func ExampleNew() {
	limits := rhai.DefaultLimits()
	limits.Operations = 1_000_000
	engine := rhai.New(rhai.WithLimits(limits), rhai.WithCache(1<<20), rhai.WithOptimization(rhai.OptimizeFull))
	v, err := engine.Eval(context.Background(), `let n = 0; loop { n += 1; }`)
	fmt.Println(v, err)
	// Output:  Too many operations (line 1, position 12)
}

func ExampleEngine_Compile() {
	engine := rhai.New()
	program, err := engine.Compile(`x * 2`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := range 3 {
		scope := rhai.NewScope()
		if err := scope.Set("x", n); err != nil {
			fmt.Println(err)
		}
		v, err := program.Run(context.Background(), scope)
		fmt.Println(v, err)
	}
	_, err = engine.Compile("let x = ;")
	fmt.Println(err)
	// Output:
	// 0 <nil>
	// 2 <nil>
	// 4 <nil>
	// Syntax error: Unexpected ';' (line 1, position 9)
}

func ExampleEngine_CompileContext() {
	ctx, cancel := context.WithCancel(context.Background())
	engine := rhai.New()
	program, err := engine.CompileContext(ctx, `40 + 2`)
	fmt.Println(program != nil, err)
	cancel()
	_, err = engine.CompileContext(ctx, `40 + 3`)
	fmt.Println(errors.Is(err, context.Canceled), err)
	// Output:
	// true <nil>
	// true Script terminated
}

func ExampleProgram_Functions() {
	program, err := rhai.New().Compile("/// Adds.\nfn add(a, b) { a + b }\nprivate fn helper() { }")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range program.Functions() {
		fmt.Println(f.Name, f.Params, f.Private, f.Doc, f.Pos)
	}
	// Output:
	// add [a b] false [/// Adds.] 2:1
	// helper [] true [] 3:9
}

func ExampleProgram_Dump() {
	program, err := rhai.New().Compile(`let x = 1; x + 2`)
	if err != nil {
		fmt.Println(err)
		return
	}
	var code strings.Builder
	err = program.Dump(&code)
	fmt.Println(strings.Contains(code.String(), "add_int"), err)
	// Output: true <nil>
}

func ExampleProgram_Metadata() {
	program, err := rhai.New().Compile("/// Adds.\nfn add(a, b) { a + b }")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.MarshalIndent(program.Metadata(), "", "  ")
	fmt.Println(string(text), err)
	// Output:
	// {
	//   "functions": [
	//     {
	//       "namespace": "global",
	//       "access": "public",
	//       "name": "add",
	//       "isAnonymous": false,
	//       "type": "script",
	//       "numParams": 2,
	//       "params": [
	//         {
	//           "name": "a"
	//         },
	//         {
	//           "name": "b"
	//         }
	//       ],
	//       "signature": "add(a, b)",
	//       "docComments": [
	//         "/// Adds."
	//       ]
	//     }
	//   ]
	// } <nil>
}

func ExampleMetadata_Definitions() {
	engine := rhai.New(
		rhai.With(func(r *rhai.Registry) {
			money := rhai.Type[Money](r, "Money")
			money.Get("cents", func(m Money) int { return m.Cents })
			money.Operator("+", func(a, b Money) Money { return Money{a.Cents + b.Cents} })
		}),
		rhai.WithModules(rhai.Modules{
			"geometry": rhai.NewModule().Set("SIDES", 4).Func("area", func(a, b float64) float64 { return a * b }),
		}))
	fmt.Print(engine.Metadata(false).Definitions())
	// Output:
	// module static;
	//
	// op +(Money, Money) -> Money;
	//
	// fn get cents(_: Money) -> int;
	//
	// module geometry {
	// 	const SIDES: int;
	//
	// 	fn area(_: float, _: float) -> float;
	// }
}

func ExampleNewModule() {
	geometry := rhai.NewModule().
		Set("UNITS", []string{"cm", "in"}).
		Func("area", func(w, h float64) float64 { return w * h }).
		Add(rhai.Func1("square", func(a float64) (float64, error) { return a * a, nil })).
		AddModule("solid", rhai.NewModule().Func("cube", func(a float64) float64 { return a * a * a }))
	engine := rhai.New(rhai.WithModules(rhai.Modules{"geometry": geometry}))
	v, err := engine.Eval(context.Background(), `
		import "geometry" as g;
		[g::area(2.0, 3.0), g::square(3.0), g::solid::cube(2.0), g::UNITS[0]]`)
	fmt.Println(v, err)
	// Output: [6.0, 9.0, 8.0, "cm"] <nil>
}

func ExampleScriptModule() {
	engine := rhai.New(rhai.WithModules(rhai.Modules{
		"counter": rhai.ScriptModule(`fn next(n) { step(n) } private fn step(n) { n + 1 } export const START = 41;`),
	}))
	v, err := engine.Eval(context.Background(), `import "counter" as c; c::next(c::START)`)
	fmt.Println(v, err)
	// Output: 42 <nil>
}

func ExampleOpenDirectory() {
	folder, err := os.MkdirTemp("", "modules")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "words.rhai"), []byte(`export const HELLO = "hello";`), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	directory, err := rhai.OpenDirectory(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer directory.Close()
	engine := rhai.New(rhai.WithModules(directory))
	v, err := engine.Eval(context.Background(), `import "words" as w; w::HELLO`)
	fmt.Println(v, err)
	_, err = engine.Eval(context.Background(), `import "../secret" as s;`)
	fmt.Println(err)
	// Output:
	// hello <nil>
	// Module not found: ../secret (line 1, position 8)
}

// database finds modules where the host keeps them.
type database map[string]string

func (d database) Resolve(path, from string) (*rhai.Module, error) {
	source, ok := d[path]
	if !ok {
		return nil, rhai.ErrNoModule
	}
	return rhai.ScriptModule(source), nil
}

func ExampleChain() {
	engine := rhai.New(rhai.WithModules(rhai.Chain{
		rhai.Modules{"builtin": rhai.NewModule().Set("A", 1)},
		database{"stored": `export const B = 2;`},
	}))
	v, err := engine.Eval(context.Background(), `import "builtin" as x; import "stored" as y; x::A + y::B`)
	fmt.Println(v, err)
	// Output: 3 <nil>
}

func ExampleWithClock() {
	now := time.Unix(0, 0)
	engine := rhai.New(rhai.WithClock(func() time.Time {
		now = now.Add(90 * time.Second)
		return now
	}))
	v, err := engine.Eval(context.Background(), `let start = timestamp(); timestamp() - start`)
	fmt.Println(v, err)
	// Output: 90.0 <nil>
}

func ExampleWithPrint() {
	program, err := rhai.New().Compile(`print("to print"); debug("to debug");`)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = program.Run(context.Background(), nil,
		rhai.WithPrint(func(line string) { fmt.Println("print:", line) }),
		rhai.WithDebug(func(line string) { fmt.Println("debug:", line) }))
	fmt.Println(err)
	// Output:
	// print: to print
	// debug: "to debug"
	// <nil>
}

func ExampleWithDebugAt() {
	program, err := rhai.New().Compile("let x = 6;\ndebug(x * 7);")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = program.Run(context.Background(), nil,
		rhai.WithDebugAt(func(line, module string, at syntax.Pos) { fmt.Println(at, line) }))
	fmt.Println(err)
	// Output:
	// 2:1 42
	// <nil>
}

func ExampleWithStrictProperties() {
	_, err := rhai.New(rhai.WithStrictProperties()).Eval(context.Background(), `let user = #{name: "Ada"}; user.nmae`)
	fmt.Println(err)
	// Output: Property not found: nmae (line 1, position 33)
}

func ExampleWithProgress() {
	program, err := rhai.New().Compile(`loop { }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	enough := errors.New("enough")
	_, err = program.Run(context.Background(), nil, rhai.WithProgress(func(operations uint64) error {
		if operations > 50_000 {
			return enough
		}
		return nil
	}))
	fmt.Println(errors.Is(err, enough))
	// Output: true
}

func ExampleWithRunLimits() {
	program, err := rhai.New().Compile(`fn down(n) { if n > 0 { down(n - 1) } } down(40)`)
	if err != nil {
		fmt.Println(err)
		return
	}
	limits := rhai.DefaultLimits()
	limits.CallDepth = 16
	_, err = program.Run(context.Background(), nil, rhai.WithRunLimits(limits))
	var failure *rhai.Error
	fmt.Println(errors.As(err, &failure), failure.Limit)
	// Output: true call_depth
}

func ExampleWithDisabled() {
	engine := rhai.New(rhai.WithDisabled("loop", "while", "eval"))
	_, err := engine.Compile(`while true { }`)
	fmt.Println(err)
	// Output: Syntax error: 'while' is a reserved keyword (line 1, position 1)
}

func ExampleWithStrictVariables() {
	engine := rhai.New(rhai.WithStrictVariables("given"))
	_, err := engine.Compile(`given + misspelled`)
	fmt.Println(err)
	// Output: Syntax error: Undefined variable: misspelled (line 1, position 9)
}

func ExampleWithVariableFilter() {
	engine := rhai.New(rhai.WithVariableFilter(func(d rhai.Definition) error {
		if d.Name == "password" {
			return errors.New("keep it elsewhere")
		}
		return nil
	}))
	_, err := engine.Compile(`let password = "x";`)
	fmt.Println(err)
	// Output: Syntax error: Cannot define variable: password (line 1, position 5)
}

func ExampleWithSyntax() {
	engine := rhai.New(rhai.WithSyntax(syntax.Options{NoLoop: true}))
	_, err := engine.Compile(`for i in 0..3 { }`)
	fmt.Println(err != nil)
	// Output: true
}

// Syntax whose parts depend on what comes before.
func ExampleWithSyntaxParser() {
	next := func(matched []string, ahead string, state *any) (string, error) {
		switch {
		case len(matched) == 1:
			return "$ident$", nil // set NAME
		case len(matched) == 2 && ahead == "to":
			return "to", nil // set NAME to
		case len(matched) == 3:
			return "$expr$", nil // set NAME to VALUE
		}
		return "", nil
	}
	set := func(c *rhai.SyntaxCall) (rhai.Value, error) {
		v, err := rhai.ValueOf(true) // set NAME is set NAME to true
		if c.Len() > 1 {
			v, err = c.Eval(1)
		}
		if err != nil {
			return v, err
		}
		return v, c.Define(c.Text(0), v, false)
	}
	engine := rhai.New(rhai.WithSyntaxParser("set", next, true, set))
	v, err := engine.Eval(context.Background(), `set verbose; set level to 2 + 1; [verbose, level]`)
	fmt.Println(v, err)
	// Output: [true, 3] <nil>
}
