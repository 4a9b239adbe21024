// Package rhai runs scripts in Rhai (https://rhai.rs) inside Go programs: sandboxed, bounded and fast, with the same answers
// as the reference implementation.
//
//	engine := rhai.New()
//	answer, err := rhai.Eval[int](ctx, engine, `let x = 20; x * 2 + 2`, nil) // 42
//
// This is the embedder's guide. Every snippet here is a part of an example, which the tests run; the examples stand with the
// functions that they are about.
//
// # Compile once, run many times
//
// An [Engine] compiles a source once into a [Program], which is immutable and may be run by many goroutines at once. Both
// engine and program are safe for concurrent use; sources that were compiled lately are found in a cache. A run works on
// a [Scope], the variables that the host gives and gets back:
//
//	program, err := engine.Compile(`let y = x * 2; y + 1`)
//	scope := rhai.NewScope()
//	err = scope.Set("x", 20)
//	v, err := program.Run(ctx, scope) // 41; scope now has y
//
// [Run], [Call] and [Eval] do the same and give the value as a Go value. [WithVariables] gives constants that functions of
// the script see as well.
//
// # Functions
//
// A script reaches nothing but what it is given. [With] gives an engine Go functions and types, through a [Registry]:
//
//	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
//		r.Func("repeat", strings.Repeat)
//		r.Func("area", func(side float64) float64 { return side * side })
//		r.Func("area", func(width, height float64) float64 { return width * height })
//		r.Func("user", func(ctx context.Context, id string) (User, error) {
//			u, ok := users[id]
//			if !ok {
//				return u, fmt.Errorf("no user %q", id)
//			}
//			return u, ctx.Err()
//		})
//	}))
//
// Functions of one name are overloads, chosen by the number and types of the arguments. A context may come first, an error
// last, and a variadic function takes any number of arguments.
// The function's types are looked at once, when it is registered. Common signatures are then called without reflection
// and without allocating; [Func0] to [Func4] and [FuncV] do so for all others. An error becomes an error of the script,
// which may catch it; [Throw] lets it catch any value. A panic becomes an error with the function's name, of which
// [PanicError] has the stack. What can't be registered is told by [Engine.Err] and by every compilation.
//
// A function finds what belongs to the run at its [Context]: what [WithHost] gave, the limits, the run's context.Context.
//
// # Types
//
// [Type] gives scripts a Go type, with methods, properties, elements, operators, iteration and texts:
//
//	money := rhai.Type[Money](r, "Money")
//	money.Get("cents", func(m Money) int { return m.Cents })
//	money.Method("round", func(m *Money) { m.Cents -= m.Cents % 100 })
//	money.Operator("+", func(a, b Money) Money { return Money{a.Cents + b.Cents} })
//	money.Compare(func(a, b Money) int { return cmp.Compare(a.Cents, b.Cents) })
//	money.Print(Money.String)
//
// Structs are copied as Go and scripts copy them, and a method on a *Money writes to the variable that it is called on.
// A pointer type, Type[*Account], is a reference: all copies lead to one Go value. [TypeBuilder.Fields] makes
// properties of a struct's fields, [Iter] lets `for` walk over a sequence.
//
// # Values
//
// [ValueOf] and [Decode] move Go values to scripts and back as encoding/json does, with the tag `rhai`:
//
//	type Order struct {
//		ID    int      `rhai:"id"`
//		Items []Item   `rhai:"items,omitempty"`
//		At    time.Time `rhai:"at"`
//	}
//
//	order, err := rhai.As[Order](v) // or: got string, want int at .items[3].count
//
// Arguments, results and variables are converted in the same way. A [Value] is what scripts compute with, 16 bytes that
// any goroutine may read; package value describes it, and functions that work on values as they are, for
// [Registry.Add].
//
// # Functions of scripts
//
// [Program.Call] calls a function of a script with Go values. [WithThis] gives it this, [WithScope] lets it see
// variables, and [WithGlobals] runs the script's global level before. A closure or function pointer that a script
// passes to a registered function is an [FnPtr], to be called there and then, or kept and called after the run:
//
//	r.Func("on", func(event string, f rhai.FnPtr) { handlers[event] = f })
//
// and, when it happens:
//
//	v, err := handlers["click"].Call(ctx, x, 10)
//
// # Modules and packages
//
// [WithModules] says what `import` finds: [ScriptModule] and [NewModule] make modules of sources and of Go
// functions, [OpenDirectory] finds them as files. A [Package] is a function that registers things, to be used for several
// engines; the standard library is made of some: [NewRaw] has none of them, so that an engine has [MathPackage] and
// [StringPackage], say, and nothing else.
//
// # Errors
//
// Whatever fails while a script is compiled or runs is an [*Error], found with errors.As. It has the kind that the
// reference gives it, the position, the calls that it came through, and the limit that it met:
//
//	var failure *rhai.Error
//	if errors.As(err, &failure) {
//		fmt.Println(failure.Kind, failure.Pos)
//		fmt.Println(failure.Message)
//		for _, call := range failure.Trace {
//			fmt.Println("called", call.Function, "at", call.Pos)
//		}
//	}
//
// The Go error of a registered function, and the context's, are what it wraps.
//
// # Limits
//
// [New] is safe for scripts of strangers: [DefaultLimits] bound operations, the depth of calls, the sizes of texts,
// arrays and maps with all that is nested in them, and the memory that a run holds at once. A run that meets a limit
// ends with an [*Error] whose Limit names it; see [DefaultLimits] for what its script may catch of that. Memory is counted
// when as much has been allocated as the limit leaves, so a run may take an eighth more before it ends, and Go's collector
// as much again. Cancelling the context stops a run within milliseconds, whatever library function it is in: mostly within
// a tenth of one. What registered functions do is theirs to bound: those that loop for long call [Context].Tick, those
// that make something large do so in [Context].Aside, and those that run scripts bound how deep that goes.
//
// Scripts can't wait, read files or reach the network unless they are given functions that do: [SleepPackage] grants
// sleep, [OpenDirectory] the import of a directory's scripts. [WithClock] sets the clock that timestamps come from; an
// engine by [NewRaw] without [TimePackage] has none.
//
// # The host's side of the language
//
//   - [WithOperator] adds infix operators, [WithSyntaxRule] and [WithSyntaxParser] syntax; [WithDisabled] takes words and
//     symbols away.
//   - [WithStrictVariables], [WithVariableFilter] and [WithVariableResolver] decide which variables there are.
//   - [WithPrint] and [WithDebug] take what a run prints, [WithProgress] hears of its operations and may end it.
//   - [WithDebugging] and [WithDebugger] stop a run at statements, step through it and show its calls and variables.
//   - [WithOptimization] sets what the compiler does for speed; no level changes what a script does.
//   - [Engine.Metadata] and [Program.Metadata] describe functions as JSON and as definition files for editors.
package rhai
