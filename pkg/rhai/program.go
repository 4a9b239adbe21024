package rhai

import (
	"context"
	"errors"
	"io"
	"sync"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Program is a compiled source. It is immutable, and safe for runs by many goroutines at once.
type Program struct {
	engine *Engine
	source string
	unit   *compile.Unit

	inScope sync.Once // compiles scoped when it is first needed
	scoped  *compile.Unit
}

// RunOption changes one run.
type RunOption func(*vm.Run)

// WithPrint gives what the script prints to a function, a line without its end at a time. It is called from the
// goroutine of the run. Without it, output is dropped.
func WithPrint(f func(line string)) RunOption { return func(r *vm.Run) { r.Print = f } }

// WithDebug gives what the script passes to debug to a function, as WithPrint does.
func WithDebug(f func(line string)) RunOption {
	return WithDebugAt(func(line, _ string, _ syntax.Pos) { f(line) })
}

// WithDebugAt is WithDebug for a function that is also told where: the path of the module, empty for the program, and
// the place in its source.
func WithDebugAt(f func(line, module string, at syntax.Pos)) RunOption {
	return func(r *vm.Run) { r.Debug = f }
}

// WithVariables gives the run variables that are constants to the script and visible everywhere in it, in functions
// too. Variables of the script and of the scope hide them.
func WithVariables(vars map[string]Value) RunOption {
	return func(r *vm.Run) { r.Variables = vars }
}

// WithHost gives the run something for the host's own functions, which find it as Context.Host.
func WithHost(host any) RunOption { return func(r *vm.Run) { r.Host = host } }

// WithRunLimits sets limits for this run in place of the engine's.
func WithRunLimits(l Limits) RunOption { return func(r *vm.Run) { r.Limits = l } }

// WithThis gives a call of a function what it sees as this, and gets what the function makes of it. A function of the
// type of this is chosen before one for any type.
func WithThis(this *Value) RunOption { return func(r *vm.Run) { r.This = this } }

// WithScope lets a function that is called see and change the variables of a scope, as if it stood at the global level.
// Only its own body does: functions that it calls do not. What it defines is gone afterwards, unless
// WithDefinitions keeps it.
func WithScope(s *Scope) RunOption { return func(r *vm.Run) { r.Scope = &s.vars } }

// WithDefinitions keeps in the scope what a call defines there, at the global level and in the function's body.
func WithDefinitions() RunOption { return func(r *vm.Run) { r.Keep = true } }

// WithGlobals runs the script's global level before a call, so that there are its imports, and its constants as
// `global::NAME`. Without it only functions are there.
func WithGlobals() RunOption { return func(r *vm.Run) { r.Globals = true } }

// Run runs the program. The scope, which may be nil, gives variables and takes those that the script leaves behind at
// its global level, also when the run fails. The value may be read by any goroutine.
//
// The error is an *Error. Where the context ended the run it wraps the context's error.
func (p *Program) Run(ctx context.Context, scope *Scope, opts ...RunOption) (Value, error) {
	if v, ok := p.unit.Constant(); ok && len(opts) == 0 && ctx.Err() == nil {
		return v, nil // what a run would come to
	}
	m := p.engine.start(opts)
	if scope != nil {
		m.Vary().Scope = &scope.vars
	}
	v, err := m.Exec(ctx, p.unit)
	p.engine.machines.Put(m)
	return v, err
}

// Call calls a function of the script with Go values (see Engine.ValueOf), private ones too. The global level does not
// run, and there are no variables but the function's own: WithThis, WithScope and WithGlobals give more.
func (p *Program) Call(ctx context.Context, name string, args []any, opts ...RunOption) (Value, error) {
	values, err := p.engine.valuesOf(args)
	if err != nil {
		return Value{}, err
	}
	m := p.engine.start(opts)
	defer p.engine.machines.Put(m)
	unit := p.unit
	if m.Run.Scope != nil {
		if unit, err = p.inScopes(); err != nil {
			return Value{}, err
		}
	}
	if m.Run.This != nil {
		m.Run.This.Freeze()
	}
	return m.Invoke(ctx, unit, vm.Call{Name: name, Args: values, This: m.Run.This})
}

// inScopes is the program compiled so that its functions may run in a scope.
func (p *Program) inScopes() (unit *compile.Unit, err error) {
	p.inScope.Do(func() { p.scoped, err = p.engine.parse(p.source, compile.Options{Scoped: true}, false) })
	if p.scoped == nil && err == nil {
		err = errors.New("the program can't be compiled for calls in a scope")
	}
	return p.scoped, err
}

// Run runs a program and gives its value as a Go value: see Decode.
func Run[T any](ctx context.Context, p *Program, scope *Scope, opts ...RunOption) (T, error) {
	v, err := p.Run(ctx, scope, opts...)
	return decoded[T](p, v, err)
}

// Call calls a function of a program and gives its result as a Go value: see Program.Call and Decode.
func Call[T any](ctx context.Context, p *Program, name string, args []any, opts ...RunOption) (T, error) {
	v, err := p.Call(ctx, name, args, opts...)
	return decoded[T](p, v, err)
}

// Eval compiles and runs a source and gives its value as a Go value: see Decode. The scope may be nil.
func Eval[T any](ctx context.Context, e *Engine, source string, scope *Scope, opts ...RunOption) (T, error) {
	p, err := e.CompileContext(ctx, source)
	if err != nil {
		return *new(T), err
	}
	return Run[T](ctx, p, scope, opts...)
}

func decoded[T any](p *Program, v Value, err error) (T, error) {
	var t T
	if err == nil {
		err = (&decoding{home: p.home()}).to(v, &t)
	}
	return t, err
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
