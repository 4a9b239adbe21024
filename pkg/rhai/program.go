package rhai

import (
	"context"
	"io"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/value"
)

// Program is a compiled source. It is immutable, and safe for runs by many goroutines at once.
type Program struct {
	engine *Engine
	unit   *compile.Unit
}

// RunOption changes one run.
type RunOption func(*vm.Run)

// WithPrint gives what the script prints to a function, a line without its end at a time. It is called from the
// goroutine of the run. Without it, output is dropped.
func WithPrint(f func(line string)) RunOption { return func(r *vm.Run) { r.Print = f } }

// WithDebug gives what the script passes to debug to a function, as WithPrint does.
func WithDebug(f func(line string)) RunOption { return func(r *vm.Run) { r.Debug = f } }

// WithVariables gives the run variables that are constants to the script and visible everywhere in it, in functions
// too. Variables of the script and of the scope hide them.
func WithVariables(vars map[string]Value) RunOption {
	return func(r *vm.Run) { r.Variables = vars }
}

// WithHost gives the run something for the host's own functions, which find it as Context.Host.
func WithHost(host any) RunOption { return func(r *vm.Run) { r.Host = host } }

// WithRunLimits sets limits for this run in place of the engine's.
func WithRunLimits(l Limits) RunOption { return func(r *vm.Run) { r.Limits = l } }

// Run runs the program. The scope, which may be nil, gives variables and takes those that the script leaves behind at
// its global level, also when the run fails. The value may be read by any goroutine.
//
// The error is an *Error. Where the context ended the run it wraps the context's error.
func (p *Program) Run(ctx context.Context, scope *Scope, opts ...RunOption) (Value, error) {
	m := p.start(opts)
	defer p.engine.machines.Put(m)
	if scope != nil {
		m.Run.Scope = &scope.vars
	}
	return m.Exec(ctx, p.unit)
}

// Call calls a function of the script, without running its global level.
func (p *Program) Call(ctx context.Context, name string, args []Value, opts ...RunOption) (Value, error) {
	m := p.start(opts)
	defer p.engine.machines.Put(m)
	return m.Invoke(ctx, p.unit, name, args)
}

// Functions describes the script's functions.
func (p *Program) Functions() []value.FnInfo {
	list := make([]value.FnInfo, 0, p.unit.Names)
	for _, f := range p.unit.Funcs[:p.unit.Names] {
		list = append(list, *f.Info)
	}
	return list
}

// Dump writes the program's code.
func (p *Program) Dump(w io.Writer) error { return compile.Dump(w, p.unit) }
