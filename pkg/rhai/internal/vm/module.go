package vm

import (
	"errors"
	"slices"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// Imports are dynamic, as in the reference: a function sees what its callers have imported. Each is forgotten with the
// scope that it is in, by OpTrim or by unwinding. A function of a module sees, before those, what its module imported,
// and calls by name reach the functions of its module and those of every module on the way to it, innermost first.

// ErrNoModule is a resolver's answer when it has no module of the path.
var ErrNoModule = errors.New("no such module")

// Modules is where a machine's imports come from.
type Modules interface {
	// Find finds a module; its error is ErrNoModule when there is none. from is the importing module's path, empty for
	// the script.
	Find(path, from string) (*value.Module, error)
	// Compile compiles a module's source, until interrupt returns an error.
	Compile(path, source string, interrupt func() error) (*compile.Unit, error)
}

// module is a module as this run has it.
type module struct {
	host    *value.Module // nil for a script's
	unit    *compile.Unit // nil for one of the host's
	vars    map[string]value.Value
	subs    []imported
	globals []value.Value
}

// imported is an import: a module and what it is called.
type imported struct {
	name   string
	module *module
	depth  int // of the frame that it belongs to
}

// exported is a variable that a module gives away: the register is read when the module has run.
type exported struct {
	alias string
	reg   int
}

// library is a module whose function a frame runs.
type library struct {
	module *module
	depth  int // of the frame
}

// world is what a script sees apart from its frames. A module that loads has one of its own.
type world struct {
	unit     *compile.Unit // the program; an eval's unit is only its functions'
	globals  []value.Value
	evaled   map[string]value.Value // those that evals have defined and the unit has no number for
	origin   []int                  // of external variables: index in the scope, or one of the below
	dynamic  []dynamic
	imports  []imported
	libs     []library
	exports  []exported
	imported int         // imports done
	path     string      // of the module that loads; empty for the program
	scope    *[]Variable // the host's, while a module loads in another world
}

// reset empties the world. What it is made of is set one by one: a whole world assigned at once takes longer than to run
// a short script.
func (w *world) reset() {
	w.unit, w.scope, w.path, w.imported = nil, nil, "", 0
	if len(w.globals)+len(w.dynamic)+len(w.origin) > 0 {
		w.globals, w.dynamic, w.origin = emptied(w.globals), emptied(w.dynamic), w.origin[:0]
	}
	w.imports, w.libs, w.exports, w.evaled = nil, nil, nil, nil
}

// forget drops the imports of frames that are gone.
func (m *Machine) forget() {
	for n := len(m.imports); n > 0 && m.imports[n-1].depth > m.depth; n-- {
		m.imports = m.imports[:n-1]
	}
}

// importModule does OpImport.
func (m *Machine) importModule(in compile.Instr) *value.Error {
	path := m.get1(in.A)
	if !path.IsString() {
		return m.alt(1, value.TypeMismatch("string", path.RustName()))
	}
	if limit := m.Run.Limits.Modules; limit > 0 && m.imported >= limit {
		return m.alt(0, value.TooManyModules())
	}
	mod, err := m.module(path.Text())
	if err != nil {
		return err
	}
	m.imported++
	alias := "" // its methods are found all the same
	if in.Wide() >= 0 {
		alias = m.fn.Consts[in.Wide()].Text()
	}
	m.forget()
	m.imports = append(m.imports, imported{alias, mod, m.depth})
	return nil
}

// module is the module of a path, which is loaded when this run has not loaded it.
func (m *Machine) module(path string) (*module, *value.Error) {
	if mod, ok := m.loaded[path]; ok {
		return mod, nil
	}
	if at := slices.Index(m.loading, path); at >= 0 {
		return nil, value.ModuleCycle(append(slices.Clone(m.loading[at:]), path))
	}
	if m.pool.Modules == nil {
		return nil, value.ModuleNotFound(path)
	}
	found, err := m.pool.Modules.Find(path, m.path)
	switch {
	case errors.Is(err, ErrNoModule):
		return nil, value.ModuleNotFound(path)
	case err != nil:
		return nil, value.ModuleFailed(path, err)
	}
	mod := &module{host: found}
	if source, ok := found.Source(); ok {
		var failure *value.Error
		if mod, failure = m.load(path, source); failure != nil {
			failure.Trace = append(failure.Trace, value.Frame{Function: path, Pos: m.Pos(), Module: true})
			return nil, failure
		}
		m.units[mod.unit] = mod
	}
	if m.loaded == nil {
		m.loaded = map[string]*module{}
	}
	m.loaded[path] = mod
	return mod, nil
}

// load runs the source of a module in a world of its own.
func (m *Machine) load(path, source string) (*module, *value.Error) {
	calls := m.Run.Limits.Calls()
	if len(m.loading) >= calls {
		return nil, value.StackOverflow()
	}
	if err := m.Tick(len(source) / 16); err != nil {
		return nil, value.AsError(err)
	}
	unit, err := m.pool.Modules.Compile(path, source, m.interrupted)
	if err != nil {
		return nil, value.AsError(err)
	}
	mod := &module{unit: unit, vars: map[string]value.Value{}, globals: absent(len(unit.Globals))}
	m.world.scope = m.Run.Scope
	m.outer = append(m.outer, m.world)
	m.world, m.Run.Scope = world{unit: unit, globals: mod.globals, path: path}, nil
	m.loading = append(m.loading, path)
	depth := m.max
	if m.units == nil {
		m.units = map[*compile.Unit]*module{}
	}
	m.units[unit] = mod
	defer func() {
		last := len(m.outer) - 1
		m.world, m.outer = m.outer[last], m.outer[:last]
		m.Run.Scope = m.world.scope
		m.loading = m.loading[:len(m.loading)-1]
		m.max = depth
	}()
	f := unit.Main
	base := m.base + m.fn.Regs + spare
	m.reserve(base + f.Regs)
	m.bind(f, base)
	for _, s := range f.Defined {
		m.stack[base+s.Reg] = value.Absent()
	}
	if err := m.enter(f, base); err != nil {
		return nil, err
	}
	m.max = min(m.depth+calls, 1+value.MaxCallDepth) // its calls are not its importer's
	if err := m.loop(m.depth - 1); err != nil && !(err.Kind == value.ErrExit && err.Passing()) {
		return nil, err
	}
	slices.SortStableFunc(m.exports, func(a, b exported) int { return a.reg - b.reg }) // the last variable counts
	for _, e := range m.exports {
		mod.vars[e.alias] = m.stack[base+e.reg].Flat().Share()
	}
	mod.subs = m.imports
	return mod, nil
}

// aside lists what modules hold, and what waits for one that loads.
func (m *Machine) aside() (lists [][]value.Value) {
	for _, mod := range m.units {
		lists = append(lists, mod.globals)
		for _, v := range mod.vars {
			lists = append(lists, []value.Value{v})
		}
	}
	for _, w := range m.outer {
		lists = append(lists, w.globals)
		for _, d := range w.dynamic {
			lists = append(lists, []value.Value{d.v})
		}
		if w.scope != nil {
			for _, v := range *w.scope {
				lists = append(lists, []value.Value{v.Value})
			}
		}
	}
	return lists
}

// absent makes variables that do not exist yet.
func absent(n int) []value.Value {
	list := make([]value.Value, n)
	for i := range list {
		list[i] = value.Absent()
	}
	return list
}

// sub is a module within the module.
func (mod *module) sub(name string) *module {
	for i := len(mod.subs) - 1; i >= 0; i-- {
		if mod.subs[i].name == name {
			return mod.subs[i].module
		}
	}
	if mod.host != nil {
		if sub := mod.host.Module(name); sub != nil {
			return &module{host: sub}
		}
	}
	return nil
}

// running calls visit for the modules whose functions the frames run, innermost first, until it returns true.
func (m *Machine) running(visit func(*module) bool) {
	for n := len(m.libs); n > 0 && m.libs[n-1].depth > m.depth; n-- {
		m.libs = m.libs[:n-1]
	}
	for i := len(m.libs) - 1; i >= 0; i-- {
		l := m.libs[i]
		// The frame may be gone and another in its place.
		switch {
		case l.depth == m.depth && m.fn.Unit != l.module.unit,
			l.depth < m.depth && m.frames[l.depth].fn.Unit != l.module.unit:
			continue
		}
		if visit(l.module) {
			return
		}
	}
}

// crossed notes that a function of a module is entered.
func (m *Machine) crossed(unit *compile.Unit) {
	for n := len(m.libs); n > 0 && m.libs[n-1].depth >= m.depth; n-- {
		m.libs = m.libs[:n-1]
	}
	if mod := m.units[unit]; mod != nil {
		m.libs = append(m.libs, library{mod, m.depth})
	}
}

// root finds what a path of modules begins with.
func (m *Machine) root(name string, first bool) *module {
	m.forget()
	i := len(m.imports) - 1
	if first {
		for _, x := range m.imports {
			if x.depth == m.depth && x.name == name {
				return x.module
			}
		}
	}
	for ; i >= 0 && m.imports[i].depth == m.depth; i-- {
		if m.imports[i].name == name {
			return m.imports[i].module
		}
	}
	var found *module
	m.running(func(mod *module) bool {
		found = mod.sub(name)
		return found != nil
	})
	for ; i >= 0 && found == nil; i-- {
		if m.imports[i].name == name {
			found = m.imports[i].module
		}
	}
	return found
}

// walk finds the module of a site's path. Only a missing first module is an error; found is nil when a later one is missing.
func (m *Machine) walk(s *compile.Site) (found *module, err *value.Error) {
	path := s.Path
	if found = m.root(path[0], s.First); found == nil {
		return nil, value.ModuleNotFound(joined(path, ""))
	}
	for _, name := range path[1:] {
		if found = found.sub(name); found == nil {
			return nil, nil
		}
	}
	return found, nil
}

// joined is a path as the source writes it.
func joined(path []string, name string) string {
	s := path[0]
	for _, p := range path[1:] {
		s += "::" + p
	}
	if name != "" {
		s += "::" + name
	}
	return s
}

// moduleGet does OpModuleGet.
func (m *Machine) moduleGet(in compile.Instr) *value.Error {
	s := m.fn.Sites[in.B]
	mod, err := m.walk(s)
	if err != nil {
		return err
	}
	if mod != nil {
		v, ok := mod.vars[s.Name]
		if mod.host != nil {
			v, ok = mod.host.Constant(s.Name)
		}
		if ok {
			*m.at(in.A) = v.Share()
			return nil
		}
	}
	return value.VariableNotFound(joined(s.Path, s.Name))
}

// callModule does OpCallModule: the arguments are in the window at A, the first by reference, and there is a register
// more behind them. It may make another frame the current one.
func (m *Machine) callModule(in compile.Instr) *value.Error {
	s, at, n := m.fn.Sites[in.B], m.base+int(in.A), int(in.C)
	mod, err := m.walk(s)
	if err != nil {
		return m.alt(0, err)
	}
	m.dirty = clean
	args := m.stack[at : at+n : at+n]
	switch {
	case mod == nil:
	case mod.host != nil:
		if f := mod.host.Resolve(s.Name, args); f != nil {
			v, err := m.reach(f, s, s.Name, at, n)
			m.stack[at+1] = v
			return err
		}
	default:
		f := mod.unit.Find(s.Name, n)
		if f == nil || f.Info.Private {
			break
		}
		if n > 0 {
			m.stack[at].Share()
		}
		if f.UsesThis {
			v, err := m.callFunc(f, nil, nil, args)
			m.stack[at+1] = v
			return err
		}
		copy(m.stack[at+1:], args)
		return m.enter(f, at+1)
	}
	return m.notFound(joined(s.Path, s.Name), args)
}

// reach calls a native function by reference to its first argument; one written f(x) has a copy of a constant of the
// host's.
func (m *Machine) reach(f *value.Func, s *compile.Site, name string, at, n int) (value.Value, *value.Error) {
	if f.Mutates && m.constant(s) && !m.stack[at].IsReference() {
		if s.Method || s.Root.Scope == 0 && s.Root.Unsure == 0 && !s.Root.ByName {
			return value.Value{}, value.MutateConstant(name)
		}
		constant := m.stack[at].Share()
		defer func() { m.stack[at] = constant }()
	}
	v, err := m.native(f, name, at, n)
	m.dirty = clean
	if f.Mutates || f.GoesBack {
		m.dirty, m.dirtied = native, m.depth
	}
	return v, err
}

// find is the script function of a name and arity that the current frame reaches by name, or nil.
func (m *Machine) find(name string, n int) *compile.Func {
	f := m.fn.Unit.Find(name, n)
	if f == nil && len(m.libs) > 0 {
		m.running(func(mod *module) bool {
			f = mod.unit.Find(name, n)
			return f != nil
		})
	}
	if f == nil && m.fn.Unit != m.unit {
		f = m.unit.Find(name, n)
	}
	return f
}

// typed is the script function of a name that the current frame reaches for a type, or nil.
func (m *Machine) typed(this, name string, n int) (found *compile.Func) {
	for _, f := range m.fn.Unit.Lookup(name) {
		if f.ThisType == this && f.Params == n {
			found = f
		}
	}
	if found == nil && (len(m.imports)+len(m.libs) > 0 || m.fn.Unit != m.unit) {
		return m.method(this, name, n)
	}
	return found
}

// method is the typed script function of a name that the imports give to a type, or nil.
func (m *Machine) method(this, name string, n int) (found *compile.Func) {
	m.forget()
	for i := len(m.imports) - 1; i >= 0 && found == nil; i-- {
		found = m.imports[i].module.method(this, name, n, false)
	}
	m.running(func(mod *module) bool {
		if found == nil {
			found = mod.method(this, name, n, true)
		}
		return found != nil
	})
	if found != nil || m.fn.Unit == m.unit {
		return found
	}
	for _, f := range m.unit.Lookup(name) {
		if f.ThisType == this && f.Params == n {
			return f
		}
	}
	return nil
}

// method is the module's typed function, or one of a module that it imports; private ones are there for who runs within it.
func (mod *module) method(this, name string, n int, within bool) *compile.Func {
	if mod.unit != nil {
		for _, f := range mod.unit.Lookup(name) {
			if f.ThisType == this && f.Params == n && (within || !f.Info.Private) {
				return f
			}
		}
	}
	for i := len(mod.subs) - 1; i >= 0; i-- {
		if f := mod.subs[i].module.method(this, name, n, false); f != nil {
			return f
		}
	}
	return nil
}

// named lists the script functions of a name that the current frame reaches.
func (m *Machine) named(name string) []*compile.Func {
	list := m.fn.Unit.Lookup(name)
	m.running(func(mod *module) bool {
		if len(list) == 0 {
			list = mod.unit.Lookup(name)
		}
		return len(list) > 0
	})
	if len(list) == 0 {
		list = m.unit.Lookup(name)
	}
	return list
}

// global is the native function that the imports give to everybody who calls it without a module's name, or nil.
func (m *Machine) global(name string, args []value.Value) (found *value.Func) {
	m.forget()
	for i := len(m.imports) - 1; i >= 0 && found == nil; i-- {
		found = m.imports[i].module.global(name, args)
	}
	m.running(func(mod *module) bool {
		if found == nil {
			found = mod.global(name, args)
		}
		return found != nil
	})
	return found
}

func (mod *module) global(name string, args []value.Value) *value.Func {
	if mod.host != nil {
		if f := mod.host.ResolveGlobal(name, args); f != nil {
			return f
		}
	}
	for i := len(mod.subs) - 1; i >= 0; i-- {
		if f := mod.subs[i].module.global(name, args); f != nil {
			return f
		}
	}
	return nil
}

// reachable tells whether a closure's code may run here: that of a module is known only where its functions run.
func (m *Machine) reachable(f *compile.Func) bool {
	if f.Unit == m.fn.Unit || f.Unit == m.unit {
		return true
	}
	found := false
	m.running(func(mod *module) bool {
		found = mod.unit == f.Unit
		return found
	})
	return found
}
