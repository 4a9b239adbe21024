package rhai

import (
	"context"
	"errors"
	"sync/atomic"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/value"
)

// FnPtr is a function of a script, or a closure, as a Go value. A registered function gets one as an argument, alone or
// within what it takes, and may call it, then or later; [Program.FnPtr] makes one of a value that a run ended with, as do
// [Run], [Call] and [Eval].
//
// While the registered function is running, a call is a part of the run: it counts toward its limits, prints
// where it prints and ends when it ends. Later, a call is a run of its own on the engine, for which With sets options; ten
// thousand of them may be on their way at once.
// Closures share the variables that they have captured: one may be called by one goroutine at a time.
type FnPtr struct {
	v    Value
	home *home
	opts []RunOption
}

// home is where a function pointer is from.
type home struct {
	engine *Engine
	unit   *compile.Unit
	live   atomic.Pointer[vm.Machine] // the run that is in a registered function just now
}

// ErrNoProgram is the error of calling a function pointer of which it is not known what program it is of.
var ErrNoProgram = errors.New("function pointer without a program: make it by Program.FnPtr")

// FnPtr is a function pointer that a run of the program has ended with, or left in its scope.
func (p *Program) FnPtr(v Value) (FnPtr, error) {
	if v.Kind() != value.KindFnPtr {
		return FnPtr{}, mismatch(v, "function pointer")
	}
	return FnPtr{v: v, home: p.home()}, nil
}

func (p *Program) home() *home { return &home{engine: p.engine, unit: p.unit} }

// Name is the function's name; that of a closure is made up.
func (f FnPtr) Name() string {
	if f.v.IsUnit() {
		return ""
	}
	return f.v.FnPtr().Name
}

// IsAnonymous tells whether it is a closure.
func (f FnPtr) IsAnonymous() bool { return value.IsAnonymous(f.Name()) }

// Value is the pointer as a value.
func (f FnPtr) Value() Value { return f.v }

// With is the function pointer with options for its calls after the run. [WithThis] holds for all calls.
func (f FnPtr) With(opts ...RunOption) FnPtr {
	f.opts = append(f.opts[:len(f.opts):len(f.opts)], opts...)
	return f
}

// Call calls the function with Go values (see [ValueOf]). Within a registered function the context of the run counts,
// whatever ctx is.
func (f FnPtr) Call(ctx context.Context, args ...any) (Value, error) {
	if f.v.Kind() != value.KindFnPtr {
		return Value{}, errors.New("got no function pointer to call: the FnPtr is empty")
	}
	if f.home == nil {
		return Value{}, ErrNoProgram
	}
	e := f.home.engine
	values, err := e.valuesOf(args)
	if err != nil {
		return Value{}, err
	}
	if m := f.home.live.Load(); m != nil {
		return m.Call(f.v.FnPtr(), f.this(), values)
	}
	defer e.calls.Add(-1)
	if e.calls.Add(1) > maxCalls {
		return Value{}, value.StackOverflow()
	}
	m := e.start(f.opts)
	defer e.machines.Put(m)
	return m.Invoke(ctx, f.home.unit, vm.Call{Pointer: f.v.FnPtr(), Args: values, This: m.Run.This})
}

// maxCalls bounds how many calls of function pointers are on their way at once: a handler that makes the host call a
// handler, and so on, would have Go end the process when its stack overflows.
const maxCalls = 10_000

// this is what the options say that the function sees as this.
func (f FnPtr) this() *Value {
	if len(f.opts) == 0 {
		return nil
	}
	var run vm.Run
	for _, o := range f.opts {
		o(&run)
	}
	return run.This
}

// valuesOf converts arguments.
func (e *Engine) valuesOf(args []any) ([]Value, error) {
	values := make([]Value, len(args))
	for i, a := range args {
		v, err := e.ValueOf(a)
		if err != nil {
			return nil, argument(i+1, err)
		}
		values[i] = v.Freeze()
	}
	return values, nil
}

// nativeCall is the context of a call of a registered function that gets function pointers.
type nativeCall struct {
	runContext
	home *home
}

type runContext = Context

// withHome lets a function's parameters have function pointers that can be called.
func withHome(native value.Native) value.Native {
	return func(c Context, args []Value) (Value, error) {
		m, ok := c.(*vm.Machine)
		if !ok { // the host's syntax has a context of its own
			return native(c, args)
		}
		h := &home{engine: m.Run.Engine.(*Engine), unit: m.Unit()}
		h.live.Store(m)
		defer h.live.Store(nil)
		return native(&nativeCall{c, h}, args)
	}
}

// homeOf is what withHome has made.
func homeOf(c Context) *home {
	if call, ok := c.(*nativeCall); ok {
		return call.home
	}
	return nil
}
