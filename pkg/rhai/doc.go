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
// functions of the script see too by [WithVariables].
package rhai
