package rhai

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/value"
)

// Module is what an import finds: the source of a script (ScriptModule), or functions, constants and modules that the
// host has put together (NewModule). It must not change once an engine has it.
type Module = value.Module

// ScriptModule makes a module of a source. A run that imports it, by whatever name, runs it once, on variables of its
// own; what the script exports, its functions that are not private and the modules that it imports are the module's.
func ScriptModule(source string) *Module { return value.ScriptModule(source) }

// NewModule makes an empty module of the host, to be filled by its methods.
func NewModule() *Module { return value.NewModule() }

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

func (m modules) Find(path, from string) (*Module, error) {
	found, err := m.resolver.Resolve(path, from)
	if found == nil && err == nil {
		return nil, ErrNoModule
	}
	return found, err
}

// Compile compiles a module, or finds it among what was compiled lately. Two modules of one source are two: the
// machine knows a module by its code.
func (m modules) Compile(path, source string) (*compile.Unit, error) {
	key := "module\x00" + path + "\x00" + source
	if p := m.cache.get(key); p != nil {
		return p.unit, nil
	}
	unit, err := m.parse(source, false, path)
	if err != nil {
		return nil, err
	}
	m.cache.put(key, &Program{engine: m.Engine, unit: unit})
	return unit, nil
}
