package value

import (
	"reflect"
	"strings"
)

// Module is what an import finds: the source of a script, or functions, constants and modules of the host. It is built
// once and then only read, by any number of goroutines.
type Module struct {
	source  string
	script  bool
	funcs   *Registry
	vars    map[string]Value
	modules map[string]*Module
}

// ScriptModule makes a module of a source. Each run that imports it runs it once.
func ScriptModule(source string) *Module { return &Module{source: source, script: true} }

// NewModule makes an empty module of the host.
func NewModule() *Module {
	return &Module{funcs: NewRegistry(nil), vars: map[string]Value{}, modules: map[string]*Module{}}
}

// Add adds functions, which scripts call by the module's name; those that are Global are found without it too, where
// the module has been imported. It returns the module.
func (m *Module) Add(fs ...Func) *Module {
	m.funcs.Add(fs...)
	return m
}

// Bind completes the functions that wait for it, as Registry.Bind does.
func (m *Module) Bind(known func(reflect.Type) *CustomType) error { return m.funcs.Bind(known) }

// Set adds a constant. It returns the module.
func (m *Module) Set(name string, v Value) *Module {
	m.vars[name] = v.Freeze()
	return m
}

// AddModule adds a module within the module. It returns the module.
func (m *Module) AddModule(name string, sub *Module) *Module {
	m.modules[name] = sub
	return m
}

// Source is the source of a script's module; ok is false for one of the host.
func (m *Module) Source() (source string, ok bool) { return m.source, m.script }

// Constant is a constant of a module of the host.
func (m *Module) Constant(name string) (Value, bool) {
	v, ok := m.vars[name]
	return v, ok
}

// Module is a module within a module of the host, or nil.
func (m *Module) Module(name string) *Module { return m.modules[name] }

// Functions, Constants and Modules are what a module of the host holds. They must not be changed.
func (m *Module) Functions() func(yield func(*Func) bool) { return m.funcs.Own() }

// Constants are the constants.
func (m *Module) Constants() map[string]Value { return m.vars }

// Modules are the modules within the module.
func (m *Module) Modules() map[string]*Module { return m.modules }

// Resolve is the overload for the arguments, or nil.
func (m *Module) Resolve(name string, args []Value) *Func { return m.funcs.Resolve(name, args) }

// ResolveGlobal is the overload that is found without the module's name, of the module or of those within it, or nil.
func (m *Module) ResolveGlobal(name string, args []Value) *Func {
	if f := m.funcs.Resolve(name, args); f != nil && f.Global {
		return f
	}
	for _, sub := range m.modules {
		if f := sub.ResolveGlobal(name, args); f != nil {
			return f
		}
	}
	return nil
}

// TooManyModules is for a script that hit the limit on modules.
func TooManyModules() *Error {
	return &Error{Kind: ErrTooManyModules, Message: "Too many modules imported", Limit: LimitModules}
}

// ModuleCycle is for modules that import each other; the path ends with what it begins with.
func ModuleCycle(path []string) *Error {
	text := strings.Join(path, " -> ")
	return &Error{Kind: ErrSystem, Message: "modules import each other in a cycle: " + text, Subject: text}
}

// ModuleFailed is for a module that is there but can't be had.
func ModuleFailed(path string, cause error) *Error {
	return &Error{Kind: ErrSystem, Message: "module '" + path + "': " + cause.Error(), Subject: path, Cause: cause}
}
