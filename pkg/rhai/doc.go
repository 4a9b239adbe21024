// Package rhai runs scripts in Rhai (https://rhai.rs) inside Go programs.
//
// An [Engine] compiles a source once into a [Program], which is immutable and may be run by many goroutines at once.
// A run works on a [Scope], the variables that the host gives and gets back, under a context and under [Limits]:
//
//	engine := rhai.New()
//	program, err := engine.Compile(`let y = x * 2; y + 1`)
//	scope := rhai.NewScope()
//	err = scope.Set("x", 20)
//	v, err := program.Run(ctx, scope) // 41; scope now has y
//
// Whatever fails is an [*Error], found with errors.As, that has the kind of the reference implementation, a position
// and the calls it came through. Cancelling the context stops a run within a millisecond.
//
// A script reaches nothing but what it is given. Functions and types of the host are added by [With], variables that
// functions of the script see too by [WithVariables], modules for its imports by [WithModules].
//
// # Limits
//
// [New] is safe for scripts of strangers: [DefaultLimits] bound operations, the depth of calls, the sizes of texts,
// arrays and maps with all that is nested in them, and the memory that a run holds at once. A run that meets a limit
// ends, whatever its script tries to catch, with an [*Error] whose Limit names it. Memory is counted when as much has
// been allocated as the limit leaves, and what is large before it is allocated: a run may take a few MiB more before it
// ends. A run that has taken as much as its limit, garbage included, has Go collect, so the process does not outgrow the
// limit by more than that either. Runs at the same time have a limit each; nothing bounds their sum.
//
// # The host's side of the language
//
//   - [WithOperator] adds infix operators, [WithSyntaxRule] and [WithSyntaxParser] syntax; [WithDisabled] takes words and
//     symbols away.
//   - [WithStrictVariables], [WithVariableFilter] and [WithVariableResolver] decide which variables there are.
//   - [WithPrint] and [WithDebug] take what a run prints, [WithProgress] hears of its operations and may end it.
//   - [WithDebugging] and [WithDebugger] stop a run at statements, step through it and show its calls and variables.
//   - [WithOptimization] sets what the compiler does for speed; no level changes what a script does.
package rhai
