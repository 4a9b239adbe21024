// Package vm runs compiled code.
//
// A [Machine] has one stack of registers, on which every frame is a window, and one stack of frames: script functions
// that call each other use neither Go's stack nor its heap. The loop fetches an instruction, does it on the registers
// when it is about ints and floats, and calls a method of the machine for the rest. Operations are counted where code
// goes backwards or calls; every so often the count looks at the context and the limit.
//
// An error unwinds frame by frame to the nearest handler whose range holds the instruction. Native functions may call
// back into scripts: that is a loop inside a loop, and the only recursion there is. A panic is caught by the innermost
// loop's guard and goes the way of an error.
package vm

import (
	"context"
	"math"
	"sync"
	"time"
	"unsafe"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Variable is a variable of the host's scope.
type Variable struct {
	Name  string
	Value value.Value
	Const bool

	loose bool // not frozen yet: the context of the run that left it had ended
}

// Settle freezes what a run has left in a hurry. It comes before anybody looks at the values.
func Settle(vars []Variable) {
	for i := range vars {
		if v := &vars[i]; v.loose {
			v.Value, v.loose = v.Value.Freeze(), false
		}
	}
}

// left is a variable that the run leaves in the scope. To freeze it takes time, which a run whose context has ended has
// not.
func (m *Machine) left(name string, v value.Value, konst bool) Variable {
	if v = v.Flat(); m.interrupted() != nil {
		return Variable{Name: name, Value: v, Const: konst, loose: true}
	}
	return Variable{Name: name, Value: v.Freeze(), Const: konst}
}

// Run is what one run is given.
type Run struct {
	Limits    value.Limits
	Scope     *[]Variable  // may be nil
	This      *value.Value // of a call; may be nil
	Globals   bool         // a call runs the global level first
	Keep      bool         // a call leaves in the scope what the function has defined
	Variables map[string]value.Value
	Host      any
	Resolve   func(c value.Context, name string) (value.Value, bool, error) // nil: there are no other variables
	Progress  func(operations uint64) error                                 // nil: nobody wants to know
	Debugger  func(*Stop) Step                                              // nil: nothing stops
	Engine    any                                                           // whom the machine works for
	Print     func(string)
	Debug     func(text, module string, at syntax.Pos)

	StrictProperties bool // what an object map has not is an error to read
}

// Pool lends machines. It is safe for use by many goroutines.
type Pool struct {
	registry *value.Registry
	now      func() time.Time
	parse    func(source string, interrupt func() error) (*compile.Unit, error)
	machines sync.Pool
	heap     heap
	asides   chan struct{} // one for each goroutine that Aside has started

	Modules Modules // nil: nothing can be imported
	Usual   Run     // what a run is given that nothing else is said of
}

// NewPool makes a pool of machines that call the registry's functions. parse compiles what scripts pass to eval.
func NewPool(r *value.Registry, now func() time.Time, parse func(source string, interrupt func() error) (*compile.Unit, error)) *Pool {
	return &Pool{registry: r, now: now, parse: parse, asides: make(chan struct{}, maxAsides)}
}

// Get lends a machine, for a usual run.
func (p *Pool) Get() *Machine {
	if m, ok := p.machines.Get().(*Machine); ok {
		return m
	}
	m := &Machine{Run: p.Usual, pool: p, registry: p.registry}
	m.stack = make([]value.Value, 256)
	m.frames = make([]frame, 16)
	return m
}

// Put takes a machine back.
func (p *Pool) Put(m *Machine) {
	m.endMemory()
	m.reset()
	p.machines.Put(m)
}

// maxAsides is how many goroutines a pool has at most for what runs do aside. A run that has ended leaves one behind for
// a moment; when there are as many, the next run waits for them.
const maxAsides = 8

// aside runs f on a goroutine and waits for its end, or that of the context, which is its error. A panic is the caller's.
func (p *Pool) aside(ctx context.Context, f func()) error {
	select {
	case p.asides <- struct{}{}:
	case <-ctx.Done():
		return value.Ended(ctx)
	}
	ended := make(chan any, 1)
	go func() {
		defer func() {
			<-p.asides
			ended <- recover()
		}()
		f()
	}()
	select {
	case what := <-ended:
		if what != nil {
			panic(what)
		}
		return nil
	case <-ctx.Done():
		return value.Ended(ctx)
	}
}

// frame is a call's caller: where to go on.
type frame struct {
	fn   *compile.Func
	ip   unsafe.Pointer // the next instruction
	base int
}

// looksAtHeap is how many looks at the context and the limit come with one at the heap.
const looksAtHeap = 128

// interval is how many operations pass between looks at the context and the limit.
const interval = 1024

// spare is how many registers beyond a frame the machine may use for the arguments of accessors.
const spare = 4

// maxLoops bounds how deep native functions and scripts call each other in turns, whatever the limits say: Go ends the
// process when its own stack overflows.
const maxLoops = 2000

// Machine runs one program at a time, in one goroutine.
type Machine struct {
	Run    Run // to be changed through Vary only
	varied bool

	world

	pool     *Pool
	registry *value.Registry
	ctx      context.Context
	done     <-chan struct{}

	stack  []value.Value
	frames []frame
	depth  int // frames in use
	loops  int // loops inside one another: those that Go's stack holds
	high   int // how much of the stack was ever used by this run
	max    int // frames allowed

	// Where the loop is, as of the last thing that could fail.
	fn   *compile.Func
	ip   unsafe.Pointer
	base int
	host *compile.Func // stands for the host where it calls a function; sees the host's scope

	budget int64  // operations until the next look
	slice  int64  // what budget began at
	used   uint64 // operations before this slice

	room      int              // bytes that may be allocated before what is held is counted
	granted   int              // what room began at
	taken     int              // bytes that were held at the last collection, or taken between then and the last count
	entering  int              // the end of the registers of the frame that is being entered
	inherited int              // bytes that earlier runs have left uncollected
	expected  int              // bytes of the process's heap when it was looked at last
	looks     uint             // at the context and the limit
	counting  bool             // what is held
	copies    int              // bytes that native functions that are calling scripts may have copied
	held      []*[]value.Value // what native functions make while they call scripts
	lightest  int              // see lightest
	debug     debugger

	result  value.Value        // of the loop that ended last
	stop    int                // the instruction that the outermost frame of that loop ended at
	dirty   dirt               // what the last call or write through a path may have done to what the path leads to
	dirtied int                // how deep that was, where it was a native function
	applied string             // the native function that another one is calling by its name
	nested  *value.Error       // the error that the last call from a native function gave it
	loaded  map[string]*module // by path; made when there is one
	units   map[*compile.Unit]*module
	loading []string // paths of the modules that are loading, outermost first
	outer   []world  // the worlds that wait for them
	locks   []lock   // variables that are locked, by frame
	fixed   []int    // frames whose this is a constant, outermost first

	open             []*iterator // of the host, to be stopped
	mostOpen, sweeps int
}

// dirt is who may have changed what a path leads to.
type dirt uint8

const (
	clean    dirt = iota // nobody
	native               // a native function
	scripted             // a script function
	written              // an assignment
)

// Where an external variable comes from, when not from the scope.
const (
	originNone  = -1
	originNamed = -2
	originMeant = -3 // a function of the name: a constant that closures do not capture
)

// dynamic is a variable that an eval defined.
type dynamic struct {
	name   string
	v      value.Value
	konst  bool
	depth  int  // of the frame that it belongs to
	after  int  // how many variables of the global level were there before it
	nested bool // it is gone with a block
}

// Vary is what the run is given, to be changed.
func (m *Machine) Vary() *Run {
	m.varied = true
	return &m.Run
}

// reset drops whatever the run left, so that nothing stays alive.
func (m *Machine) reset() {
	if m.varied {
		m.Run, m.debug, m.varied = m.pool.Usual, debugger{}, false
	}
	if cap(m.open) > 0 { // ever was
		m.closeAll()
	}
	if m.high > 16 {
		clear(m.stack[:min(m.high, len(m.stack))])
	}
	low := m.stack[:min(m.high, 16, len(m.stack))]
	for i := range low { // as long as the write barrier is off this is faster
		if v := &low[i]; !v.IsUnit() {
			*v = value.Value{}
		}
	}
	// The first frame is empty, and so are those behind the last that was used.
	for i := 1; i < len(m.frames) && m.frames[i].fn != nil; i++ {
		m.frames[i] = frame{}
	}
	if len(m.stack) > 1<<14 {
		m.stack = make([]value.Value, 256)
	}
	if len(m.frames) > 1<<10 {
		m.frames = make([]frame, 16)
	}
	m.high, m.depth = 0, 0
	m.ip, m.result = nil, value.Value{}
	m.fn, m.host, m.ctx, m.done, m.nested, m.applied = nil, nil, nil, nil, nil, ""
	m.held, m.fixed = emptied(m.held), m.fixed[:0]
	m.world.reset()
	m.loaded, m.units, m.loading, m.outer = nil, nil, nil, nil
	if cap(m.locks) > 0 {
		m.unlock(0)
		clear(m.locks[:cap(m.locks)])
	}
}

// emptied is a list without its items.
func emptied[T any](list []T) []T {
	if len(list) > 0 {
		clear(list)
	}
	return list[:0]
}

func (m *Machine) begin(ctx context.Context, unit *compile.Unit) *value.Error {
	m.unit, m.ctx, m.done = unit, ctx, ctx.Done()
	if m.done != nil && ctx.Err() != nil {
		return value.Terminated(context.Cause(ctx))
	}
	if m.Run.Scope != nil {
		Settle(*m.Run.Scope)
	}
	m.max = 1 + m.Run.Limits.Calls() // with the global level
	m.loops, m.copies, m.entering = 0, 0, 0
	m.lightest = lightest(&m.Run.Limits)
	m.beginMemory()
	m.used, m.slice = 0, interval
	if limit := m.Run.Limits.Operations; limit > 0 && limit < interval {
		m.slice = int64(limit)
	}
	m.budget = m.slice
	if n := len(unit.Globals); n > 0 {
		m.globals = append(m.globals[:0], absent(n)...)
	}
	return nil
}

// Exec runs the global level of a unit.
func (m *Machine) Exec(ctx context.Context, unit *compile.Unit) (value.Value, error) {
	err := m.main(ctx, unit)
	v := m.result
	if err != nil && err.Kind == value.ErrExit && err.Passing() {
		v, err = err.Value, nil
	}
	if err != nil {
		return value.Value{}, err
	}
	return m.give(v)
}

// give is a value as the host gets it.
func (m *Machine) give(v value.Value) (value.Value, error) {
	if err := v.FreezeIn(m); err != nil {
		return value.Value{}, err
	}
	return v, nil
}

func (m *Machine) main(ctx context.Context, unit *compile.Unit) *value.Error {
	if err := m.begin(ctx, unit); err != nil {
		return err
	}
	f := unit.Main
	m.reserve(f.Regs)
	m.bind(f, 0)
	for i := range f.Defined {
		m.stack[f.Defined[i].Reg] = value.Absent()
	}
	m.frames[0] = frame{}
	m.depth, m.fn, m.ip, m.base = 1, f, start(f), 0
	err := m.loop(0)
	m.unbind(f)
	return err
}

// Call is a call of a function of a unit: by its name, or by a pointer.
type Call struct {
	Name    string
	Pointer *value.FnPtr
	This    *value.Value // may be nil
	Args    []value.Value
}

// Invoke calls a function of a unit.
func (m *Machine) Invoke(ctx context.Context, unit *compile.Unit, c Call) (value.Value, error) {
	v, err := m.invoke(ctx, unit, c)
	if err != nil {
		if n := len(err.Trace); n > 0 && !err.Trace[n-1].Pos.IsValid() {
			err.Trace = err.Trace[:n-1] // the host's call is no place in a script
		}
	}
	if err != nil && err.Kind == value.ErrExit && err.Passing() {
		v, err = err.Value, nil
	}
	if err != nil {
		return value.Value{}, err
	}
	if c.This != nil {
		if _, err := m.give(*c.This); err != nil {
			return value.Value{}, err
		}
	}
	return m.give(v)
}

func (m *Machine) invoke(ctx context.Context, unit *compile.Unit, c Call) (v value.Value, err *value.Error) {
	if c.Pointer != nil {
		if f, ok := c.Pointer.Target.(*compile.Func); ok {
			unit = f.Unit // a closure of a module that the program has imported, perhaps
		}
	}
	vars := 0
	if m.Run.Scope != nil {
		vars = len(*m.Run.Scope)
		defer func() {
			if !m.Run.Keep {
				m.rewind(vars)
			}
		}()
	}
	if m.Run.Globals {
		if err := m.main(ctx, unit); err != nil {
			return value.Value{}, err
		}
		if m.Run.Scope != nil && !m.Run.Keep {
			m.rewind(vars)
		}
	} else if err := m.begin(ctx, unit); err != nil {
		return value.Value{}, err
	}
	m.host = &compile.Func{Unit: unit, Tables: &compile.Tables{}, Code: make([]compile.Instr, 2), Pos: make([]syntax.Pos, 2)}
	m.fn, m.base, m.depth = m.host, 0, 1
	m.frames[0], m.ip = frame{}, skip(start(m.fn), 1)
	m.reserve(len(c.Args) + 1)
	if c.Pointer != nil {
		defer m.guard(&err) // it may be native
		return m.callPointer(c.Pointer, c.This, c.Args)
	}
	f := unit.Find(c.Name, len(c.Args))
	if c.This != nil {
		for _, g := range unit.Lookup(c.Name) {
			if g.ThisType == c.This.TypeName() && g.Params == len(c.Args) {
				f = g
			}
		}
	}
	switch {
	case f == nil:
		return value.Value{}, value.FunctionNotFound(signature(c.Name, c.Args))
	case m.Run.Scope == nil || f.Scoped == nil:
		return m.callFunc(f, c.This, nil, c.Args)
	}
	v, err = m.inScope(f.Scoped, nil, c.This, c.Args, m.Run.Keep)
	for _, d := range m.dynamic {
		*m.Run.Scope = append(*m.Run.Scope, m.left(d.name, d.v, d.konst))
	}
	return v, err
}

// rewind forgets the scope's variables but for the first.
func (m *Machine) rewind(vars int) {
	clear((*m.Run.Scope)[vars:])
	*m.Run.Scope = (*m.Run.Scope)[:vars]
}

// bind loads the variables that the host gives to a global level, whose registers begin at base.
func (m *Machine) bind(f *compile.Func, base int) {
	m.origin = m.origin[:0]
	for _, s := range f.External {
		m.stack[base+s.Reg] = value.Absent()
		from := originNone
		if m.Run.Scope != nil {
			vars := *m.Run.Scope
			for i := len(vars) - 1; i >= 0; i-- {
				if vars[i].Name == s.Name {
					m.stack[base+s.Reg], from = vars[i].Value, i
					break
				}
			}
		}
		if v, ok := m.hostVariable(s.Name); ok && from == originNone {
			m.stack[base+s.Reg], from = v, originNamed
		}
		m.origin = append(m.origin, from)
	}
}

// unbind gives the variables of the global level back to the host.
func (m *Machine) unbind(f *compile.Func) {
	if m.Run.Scope == nil {
		return
	}
	vars := *m.Run.Scope
	for i, s := range f.External {
		if at := m.origin[i]; at >= 0 && !vars[at].Const {
			vars[at] = m.left(s.Name, m.stack[s.Reg], false)
		}
	}
	left := m.dynamic
	take := func(before int) {
		for ; len(left) > 0 && left[0].after < before; left = left[1:] {
			if d := left[0]; d.depth == 1 && !d.nested {
				vars = append(vars, m.left(d.name, d.v, d.konst))
			}
		}
	}
	for i, s := range f.Defined {
		take(i + 1)
		if v := m.stack[s.Reg]; !v.IsAbsent() && s.From <= m.stop {
			s.Const = s.ConstAt(m.stop)
			vars = append(vars, m.left(s.Name, v, m.isConst(0, s)))
		}
	}
	take(math.MaxInt)
	*m.Run.Scope = vars
}

// reserve makes room for registers from the bottom of the stack.
func (m *Machine) reserve(n int) {
	n += spare
	if n > len(m.stack) {
		s := make([]value.Value, max(n, 2*len(m.stack)))
		m.room -= valueBytes * len(s)
		copy(s, m.stack)
		m.stack = s
	}
	m.high = max(m.high, n)
}

// refill is called when the budget is used up: it ends the run or grants another slice, of which it takes one.
func (m *Machine) refill() *value.Error {
	m.used += uint64(m.slice)
	m.slice = interval
	if limit := m.Run.Limits.Operations; limit > 0 {
		if m.used >= limit {
			m.slice = 0
			return value.TooManyOperations()
		}
		m.slice = int64(min(interval, limit-m.used))
	}
	m.budget = m.slice - 1
	if m.Run.Progress != nil && m.used > 0 {
		if err := m.Run.Progress(m.used); err != nil {
			m.slice, m.budget = 0, 0
			return value.Terminated(err)
		}
	}
	if err := m.interrupted(); err != nil {
		m.slice, m.budget = 0, 0
		return value.AsError(err)
	}
	if m.looks++; m.looks%looksAtHeap == 0 {
		m.watch()
	}
	return nil
}

// interrupted is the error of a run whose context has ended.
func (m *Machine) interrupted() error {
	if m.done != nil {
		select {
		case <-m.done:
			return value.Terminated(context.Cause(m.ctx))
		default:
		}
	}
	return nil
}
