package rhai

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/value"
)

// Module is what an import finds: the source of a script (ScriptModule), or functions, constants and modules that the
// host has put together (NewModule). It must not change once an engine has it, and several engines may have it.
type Module struct {
	script string
	host   bool
	funcs  []Func
	vars   map[string]any
	subs   map[string]*Module

	bound atomic.Pointer[boundModule]
}

// boundModule is a module of an engine, whose types are known.
type boundModule struct {
	engine *Engine
	module *value.Module
}

// ScriptModule makes a module of a source. A run that imports it, by whatever name, runs it once, on variables of its
// own; what the script exports, its functions that are not private and the modules that it imports are the module's.
func ScriptModule(source string) *Module { return &Module{script: source} }

// NewModule makes an empty module of the host, to be filled by its methods, which return it.
func NewModule() *Module {
	return &Module{host: true, vars: map[string]any{}, subs: map[string]*Module{}}
}

// Func adds a Go function, as Registry.Func does; scripts call it by the module's name.
func (m *Module) Func(name string, f any) *Module { return m.Add(goFunc(name, f)) }

// Add adds functions as they are. Those that are Global are found without the module's name too, where the module has
// been imported.
func (m *Module) Add(fs ...Func) *Module {
	m.funcs = append(m.funcs, fs...)
	return m
}

// Set adds a constant: a Go value, see Engine.ValueOf.
func (m *Module) Set(name string, v any) *Module {
	m.vars[name] = v
	return m
}

// AddModule adds a module within the module.
func (m *Module) AddModule(name string, sub *Module) *Module {
	m.subs[name] = sub
	return m
}

// bind is the module for an engine. The error tells of all that can not be there.
func (m *Module) bind(e *Engine) (*value.Module, error) {
	if !m.host {
		return value.ScriptModule(m.script), nil
	}
	if b := m.bound.Load(); b != nil && b.engine == e {
		return b.module, nil
	}
	var failed []error
	made := value.NewModule()
	made.Add(m.funcs...)
	if err := made.Bind(e.types.known); err != nil {
		failed = append(failed, err)
	}
	for name, v := range m.vars {
		x, err := e.ValueOf(v)
		if err != nil {
			failed = append(failed, fmt.Errorf("constant '%s': %w", name, err))
		}
		made.Set(name, x)
	}
	for name, sub := range m.subs {
		inner, err := sub.bind(e)
		switch _, script := inner.Source(); {
		case err != nil:
			failed = append(failed, fmt.Errorf("module '%s': %w", name, err))
		case script:
			failed = append(failed, fmt.Errorf("module '%s': got a script's module within one of the host, want it imported by its path", name))
		default:
			made.AddModule(name, inner)
		}
	}
	if len(failed) > 0 {
		return nil, errors.Join(failed...)
	}
	m.bound.Store(&boundModule{e, made})
	return made, nil
}

// ErrNoModule is what a Resolver returns when it has no module of the path.
var ErrNoModule = vm.ErrNoModule

// Resolver finds the modules that scripts import. It is used by many goroutines at once.
type Resolver interface {
	// Resolve finds the module that the script in from, a module's path or empty for the program, imports by a path.
	// Without one it returns ErrNoModule; any other error ends the import as a failure that names the path.
	Resolve(path, from string) (*Module, error)
}

// WithModules lets scripts import. Without it nothing can be imported.
func WithModules(r Resolver) Option { return func(e *Engine) { e.resolver = r } }

// Modules is a resolver that knows modules by their paths.
type Modules map[string]*Module

// Resolve finds the module of a path.
func (m Modules) Resolve(path, _ string) (*Module, error) {
	if found := m[path]; found != nil {
		return found, nil
	}
	return nil, ErrNoModule
}

// Chain is a resolver that asks others one after the other: the first that has the module gives it.
type Chain []Resolver

// Resolve finds the module of a path.
func (c Chain) Resolve(path, from string) (*Module, error) {
	for _, r := range c {
		if found, err := r.Resolve(path, from); !errors.Is(err, ErrNoModule) {
			return found, err
		}
	}
	return nil, ErrNoModule
}

// MaxModuleBytes bounds the size of a file that Directory reads.
const MaxModuleBytes = 1 << 20

// Directory is a resolver that reads the scripts below a directory: `import "a/b"` is the file a/b.rhai. Paths are from
// the directory, wherever the import stands, and can't leave it, through symbolic links neither.
type Directory struct {
	root *os.Root
}

// OpenDirectory grants scripts the reading of a directory's scripts. Close ends it.
func OpenDirectory(name string) (*Directory, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("module directory: %w", err)
	}
	return &Directory{root}, nil
}

// Close ends the use of the directory.
func (d *Directory) Close() error { return d.root.Close() }

// Resolve reads a file.
func (d *Directory) Resolve(name, _ string) (*Module, error) {
	file := name + ".rhai"
	if name == "" || strings.ContainsAny(name, "\\\x00") || !fs.ValidPath(path.Clean(file)) || path.IsAbs(name) {
		return nil, ErrNoModule
	}
	info, err := d.root.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNoModule
	case err != nil:
		return nil, reason(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("got something other than a file")
	}
	f, err := d.root.Open(file)
	if err != nil {
		return nil, reason(err)
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxModuleBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, reason(err)
	}
	if len(text) > MaxModuleBytes {
		return nil, fmt.Errorf("got a file of more than %d bytes", MaxModuleBytes)
	}
	return ScriptModule(string(text)), nil
}

// reason is an error without the names of files, which are none of a script's business.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// modules serves the machines' imports.
type modules struct {
	*Engine
}

func (m modules) Find(path, from string) (*value.Module, error) {
	found, err := m.resolver.Resolve(path, from)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, ErrNoModule
	}
	return found.bind(m.Engine)
}

// Compile compiles a module, until interrupt returns an error, or finds it among what was compiled lately. Two modules of one source are two: the
// machine knows a module by its code.
func (m modules) Compile(path, source string, interrupt func() error) (*compile.Unit, error) {
	key := "module\x00" + path + "\x00" + source
	if p := m.cache.get(key); p != nil {
		return p.unit, nil
	}
	unit, err := m.parse(source, compile.Options{Module: path, Interrupt: interrupt}, false)
	if err != nil {
		return nil, err
	}
	m.cache.put(key, &Program{engine: m.Engine, unit: unit})
	return unit, nil
}
