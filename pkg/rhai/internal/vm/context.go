package vm

import (
	"context"
	"time"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// The machine is the context of the native functions that it calls.
var _ value.Context = (*Machine)(nil)

// Tick counts operations.
func (m *Machine) Tick(n int) error {
	for m.budget -= int64(n); m.budget < 0; {
		rest := m.budget
		if err := m.refill(); err != nil {
			return err
		}
		m.budget += rest + 1
	}
	return nil
}

// Aside runs f on a goroutine of the pool's and waits for its end, or that of the context.
func (m *Machine) Aside(f func()) error {
	if m.done == nil {
		f()
		return nil
	}
	return m.pool.aside(m.ctx, f)
}

// Limits are the run's limits.
func (m *Machine) Limits() *value.Limits { return &m.Run.Limits }

// Call calls a function pointer. The native function that calls takes up a level of the depth, and so does looking for
// a function by its name.
func (m *Machine) Call(f *value.FnPtr, this *value.Value, args []value.Value) (value.Value, error) {
	levels := 1
	if f.Target == nil {
		levels = 2
	}
	m.max -= levels
	defer func() { m.max += levels }()
	copied := m.receiver()
	m.copies += copied
	v, err := m.callPointer(f, this, args)
	m.copies -= copied
	if err != nil {
		return value.Value{}, m.through(err)
	}
	return v, nil
}

// through remembers that an error reached a native function from a call of its own.
func (m *Machine) through(err *value.Error) *value.Error {
	if !err.Pos.IsValid() && len(err.Trace) == 0 && !err.Placeless() {
		err.Pos = m.Pos()
	}
	m.nested = err
	return err
}

// Arity is how many arguments a function pointer takes.
func (m *Machine) Arity(p *value.FnPtr) (int, bool) {
	if f, ok := p.Target.(*compile.Func); ok && p.IsAnonymous() {
		return f.Args() - len(p.Curry), m.reachable(f)
	}
	if list := m.named(p.Name); len(list) == 1 && list[0].ThisType == "" && !m.registry.Has(p.Name) {
		return list[0].Args() - len(p.Curry), true
	}
	return 0, false // which of several it is depends on what it is called on
}

// HasFn tells whether the script defines a function.
func (m *Machine) HasFn(name string, arity int) bool {
	if arity < 0 {
		return len(m.named(name)) > 0
	}
	return m.find(name, arity) != nil
}

// Functions lists the script's functions, and those of the modules whose functions run.
func (m *Machine) Functions() []value.FnInfo {
	var list []value.FnInfo
	add := func(u *compile.Unit) {
		for _, f := range u.Funcs {
			list = append(list, *f.Info)
		}
	}
	m.running(func(mod *module) bool {
		add(mod.unit)
		return false
	})
	add(m.unit)
	return list
}

// Context is the run's context.
func (m *Machine) Context() context.Context { return m.ctx }

// Unit is the program that runs.
func (m *Machine) Unit() *compile.Unit { return m.unit }

// Host is what the host gave this run for its functions.
func (m *Machine) Host() any { return m.Run.Host }

// Print writes to the run's sink.
func (m *Machine) Print(text string) {
	if m.Run.Print != nil {
		m.Run.Print(text)
	}
}

// Debug writes to the run's sink.
func (m *Machine) Debug(text string) {
	if m.Run.Debug != nil {
		m.Run.Debug(text, m.fn.Unit.Module, m.Pos())
	}
}

// Name is the name of the function that is being called.
func (m *Machine) Name() string { return m.called(m.fn.Code[m.pc()-1]) }

// Pos is where the loop is.
func (m *Machine) Pos() syntax.Pos {
	if pc := m.pc(); pc > 0 && pc <= len(m.fn.Pos) {
		return m.fn.Pos[pc-1]
	}
	return syntax.Pos{}
}

// Now is the host's clock.
func (m *Machine) Now() time.Time { return m.pool.now() }
