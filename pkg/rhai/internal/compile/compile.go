package compile

import (
	"errors"
	"fmt"
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Options are what the host decides about the code.
type Options struct {
	MaxVariables int          // in scope at once; zero: no limit
	Level        Level        // of optimization
	Resolve      bool         // the host is asked for variables first
	NoShadowing  bool         // a variable can't be defined where one of its name is in scope
	Debug        bool         // a debugger may stop at statements
	Eval         bool         // it is what a script passes to eval
	Module       string       // the path of the module that the script is; empty for others
	Scoped       bool         // functions are to run in a scope also where no call of the script needs it
	Interrupt    func() error // asked every so often; its error ends the compilation
}

// Compiler compiles one script after another, in memory that it keeps. The zero value is ready.
type Compiler struct{ compiler compiler }

// Compile compiles a script.
func (r *Compiler) Compile(script *syntax.Script, options Options) (unit *Unit, err error) {
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case interruption:
			unit, err = nil, stop.err
		default:
			panic(stop)
		}
	}()
	c := &r.compiler
	c.options, c.source = options, script
	if !options.Eval {
		script = simplify(script, options)
	}
	u, err := c.compile(script)
	if errors.Is(err, errTooFar) {
		*c = compiler{options: options, source: c.source, wide: true}
		u, err = c.compile(script)
	}
	*c = compiler{idle: c.idle}
	return u, err
}

// errTooFar is for a conditional jump whose distance does not fit its instruction. The unit is compiled again with
// wide jumps only.
var errTooFar = errors.New("a conditional jump is too long")

func (c *compiler) compile(script *syntax.Script) (*Unit, error) {
	u := &Unit{Module: c.options.Module}
	c.unit = u
	if len(script.Functions) > 0 {
		u.byName = map[string][]*Func{}
	}
	for _, s := range script.Functions {
		f := &Func{Name: s.Name.Text, Unit: u, Params: len(s.Params), ThisType: canonicalType(s.ThisType), Info: info(s)}
		f.UsesThis = usesThis(s.Body.Body)
		u.Funcs = append(u.Funcs, f)
		u.byName[f.Name] = append(u.byName[f.Name], f)
	}
	u.Names = len(u.Funcs)
	if err := c.main(script.Body); err != nil {
		return nil, err
	}
	u.constant, u.isConstant = c.constant(script.Body)
	for i, s := range script.Functions {
		if err := c.function(u.Funcs[i], s); err != nil {
			return nil, err
		}
	}
	if c.scoped || c.options.Scoped {
		for i, s := range script.Functions {
			if err := c.scopedFunction(u.Funcs[i], s); err != nil {
				return nil, err
			}
		}
	}
	return u, nil
}

// constant is the value of a global level that is a constant, but for an array or a map, of which each run has its own.
func (c *compiler) constant(body []syntax.Stmt) (v value.Value, ok bool) {
	if len(body) != 1 || c.options.Debug || c.options.Resolve || c.options.Level == Literal {
		return v, false
	}
	x, ok := body[0].(*syntax.ExprStmt)
	if !ok || isContainer(x.X) {
		return v, false
	}
	v, ok = fold(x.X)
	return v.Freeze(), ok && v.Kind() <= value.KindString
}

// canonicalType is what type_of says for a type that the source may name otherwise.
func canonicalType(name string) string {
	switch name {
	case "int":
		return "i64"
	case "float":
		return "f64"
	}
	return name
}

func info(s *syntax.Function) *value.FnInfo {
	in := &value.FnInfo{Name: s.Name.Text, ThisType: s.ThisType, Private: s.Private, Doc: s.Doc, Pos: s.Pos}
	for _, p := range s.Params {
		in.Params = append(in.Params, p.Text)
	}
	return in
}

// compiler compiles one unit.
type compiler struct {
	options Options
	source  *syntax.Script
	wide    bool // compare first, then jump
	unit    *Unit
	globals map[string]int    // numbers of the global constants that somebody reads
	scoped  bool              // there is a call that runs its function in the caller's scope
	names   map[string]string // one string for each name, so that equal names are found equal at a glance
	idle    []*fn             // whose memory the next functions use
}

// intern is the one string that the unit has for a name.
func (c *compiler) intern(name string) string {
	if s, ok := c.names[name]; ok {
		return s
	}
	if c.names == nil {
		c.names = map[string]string{}
	}
	c.names[name] = name
	return name
}

// hasFunctions tells whether the source has functions or closures. Without any, the reference keeps no global constants.
func (c *compiler) hasFunctions() bool {
	found := c.unit.Names > 0
	for _, s := range c.source.Body {
		inspect(s, func(n syntax.Node) bool {
			_, closure := n.(*syntax.Closure)
			found = found || closure
			return !found
		})
	}
	return found
}

func (c *compiler) global(name string) int {
	n, ok := c.globals[name]
	if !ok {
		if c.globals == nil {
			c.globals = map[string]int{}
		}
		n = len(c.unit.Globals)
		c.globals[name] = n
		c.unit.Globals = append(c.unit.Globals, name)
	}
	return n
}

// fn compiles one function.
type fn struct {
	*Func
	Tables   // the function's
	c        *compiler
	vars     []*variable          // visible, innermost last
	external map[string]*variable // of the global level: the host's
	missing  []Symbol             // the host's that have no register yet
	captured map[string]bool      // names that closures of the function capture; nil map with all set when an eval may
	global   bool                 // it is the global level
	all      bool                 // every variable may be captured: the function calls eval
	imports  bool                 // it has an import, or an eval that may have one
	main     bool                 // names that nobody defines are variables of the host's scope
	depth    int                  // of blocks
	next     int                  // the first free register
	loops    []*loop
	marks    []int    // registers of the open scopes' OpMark
	aliases  []string // of the imports that are visible
	catches  []int    // registers of the errors that the open catch blocks are about
	tooLarge string
	tooFar   bool
	consts   map[value.Key]int
	ready    map[syntax.Expr][]int // registers of the keys and arguments of steps that were prepared

	code      []Instr // what the next function's is to use
	positions []syntax.Pos
	room      []variable // for those to be declared
}

// variable is a variable that is visible to the code being compiled.
type variable struct {
	name   string
	reg    int
	konst  bool
	plain  bool // a constant that the source gives
	object bool // and an object map
	unsure bool // a captured one, whose cell tells whether it is a constant
	cell   bool // may be shared
	mark   int  // as in Symbol
	extern bool // the host's
	depth  int
	export bool // it is given to importers: another of the name is another variable
}

// parameter is the depth of parameters: what a function defines of their names is another variable.
const parameter = -1

type loop struct {
	dst       int
	breaks    []int
	continues []int
}

// newFn begins a function; done ends it.
func (c *compiler) newFn(target *Func) *fn {
	var f *fn
	if n := len(c.idle); n > 0 {
		f, c.idle = c.idle[n-1], c.idle[:n-1]
	} else {
		f = &fn{code: make([]Instr, 0, 16), positions: make([]syntax.Pos, 0, 16), room: make([]variable, 0, 4)}
	}
	f.Func, f.c = target, c
	f.Code, f.Pos = f.code, f.positions
	return f
}

// done gives the function code of its own, and leaves its memory to the next one, unless it is much.
func (f *fn) done() {
	c, code, positions, room, vars := f.c, f.Code, f.Pos, f.room, f.vars[:cap(f.vars)]
	if n, u := len(code), f.Unit; f.Func == &u.main && n <= len(u.code) {
		f.Code = u.code[:copy(u.code[:], code):n]
		f.Pos = u.positions[:copy(u.positions[:], positions):n]
	} else {
		f.Code, f.Pos = slices.Clone(code), slices.Clone(positions)
	}
	if f.Func.Tables = &noTables; !f.Tables.empty() {
		tables := f.Tables
		f.Func.Tables = &tables
	}
	if cap(code) > 1<<12 || cap(vars) > 1<<10 {
		return
	}
	clear(room)
	clear(vars)
	*f = fn{} // by itself: to move a whole one costs the collector's barrier twice
	f.code, f.positions, f.room, f.vars = code[:0], positions[:0], room[:0], vars[:0]
	if len(c.idle) < 8 {
		c.idle = append(c.idle, f)
	}
}

func (c *compiler) main(body []syntax.Stmt) error {
	u := c.unit
	// Which names are the host's is known only when the whole level has been seen, yet they have the first registers:
	// a level that uses such names is compiled again, knowing them.
	var external []Symbol
	for {
		u.main = Func{Unit: u, External: external}
		u.Main = &u.main
		f := c.newFn(u.Main)
		f.global = true
		f.analyse(body)
		f.externals()
		f.block(body, tail)
		if len(f.missing) == 0 {
			return f.finish()
		}
		external = append(external, f.missing...)
		u.Funcs = u.Funcs[:u.Names]
	}
}

// scopedFunction compiles a function to run in its caller's scope: like a global level that the caller's variables are
// the host's to.
func (c *compiler) scopedFunction(target *Func, s *syntax.Function) error {
	var external []Symbol
	for {
		target.Scoped = &Func{Name: target.Name, Unit: c.unit, Params: target.Params, UsesThis: target.UsesThis,
			Info: target.Info, External: external, Borrows: true}
		f := c.newFn(target.Scoped)
		f.analyse(s.Body.Body)
		f.next += f.reserved()
		f.externals()
		for _, p := range s.Params {
			f.declare(p.Text, f.temp()).depth = parameter
		}
		f.mark(s.Pos)
		functions := len(c.unit.Funcs)
		f.block(s.Body.Body, tail)
		if len(f.missing) == 0 {
			return f.finish()
		}
		external = append(external, f.missing...)
		c.unit.Funcs = c.unit.Funcs[:functions]
	}
}

// externals gives the variables that are not the function's own their registers.
func (f *fn) externals() {
	f.main = true
	for i := range f.External {
		s := &f.External[i]
		s.Reg = f.temp()
		shared := f.all || f.captured[s.Name] || f.c.options.Eval || f.Borrows // perhaps by the caller's closures
		f.host(&variable{name: s.Name, reg: s.Reg, extern: true, cell: shared})
	}
}

// host makes a variable of the host's known.
func (f *fn) host(v *variable) {
	if f.external == nil {
		f.external = map[string]*variable{}
	}
	f.external[v.name] = v
}

func (c *compiler) function(target *Func, s *syntax.Function) error {
	f := c.newFn(target)
	f.analyse(s.Body.Body)
	if f.UsesThis {
		f.next++
	}
	for _, p := range s.Params {
		f.declare(p.Text, f.temp()).depth = parameter
	}
	if f.UsesThis && f.next < 2 {
		f.next = 2 // the result's register
	}
	f.mark(s.Pos)
	f.limitVariables(s.Pos)
	f.block(s.Body.Body, tail)
	return f.finish()
}

// limitVariables fails where there are more variables than the limit allows.
func (f *fn) limitVariables(pos syntax.Pos) {
	if limit := f.c.options.MaxVariables; limit > 0 && len(f.vars) > limit {
		f.fail(value.TooManyVariables(), pos)
	}
}

// anonymous is how the names of closures begin.
const anonymous = "anon$"

// closureName is a name that no function of the script has.
func closureName(s *syntax.Closure) string {
	const odd = 0x9e3779b97f4a7c15 // so that no two places have the same
	place := (uint64(s.Pos.Line)<<32 | uint64(s.Pos.Column)) * odd
	return fmt.Sprintf("%s%016x", anonymous, (place^place>>32)*odd)
}

// closure compiles a closure that is made in f, of whose captures the source may give some, and returns its proto's number.
func (f *fn) closure(s *syntax.Closure, given []syntax.Expr) int {
	c := f.c
	target := &Func{Name: closureName(s), Unit: c.unit, Params: len(s.Params)}
	target.Info = &value.FnInfo{Name: target.Name, Pos: s.Pos}
	for _, p := range slices.Concat(s.Captures, s.Params) {
		target.Info.Params = append(target.Info.Params, p.Text)
	}
	body := []syntax.Stmt{s.Body}
	target.UsesThis = usesThis(body)
	c.unit.Funcs = append(c.unit.Funcs, target)
	g := c.newFn(target)
	g.analyse(body)
	if target.UsesThis {
		g.next++
	}
	proto := Proto{Func: target}
	for i, name := range s.Captures {
		if given != nil && given[i] != nil { // it is copied, and is a variable of the closure
			proto.Captures = append(proto.Captures, Capture{Reg: f.temp(), Copy: true})
			f.expr(given[i], proto.Captures[len(proto.Captures)-1].Reg)
			g.declare(name.Text, g.temp()).depth = parameter
			continue
		}
		v, capture := f.lookup(name.Text), Capture{Name: name.Text, Pos: name.Pos}
		if v == nil && !f.all && !f.main {
			f.emitWide(OpNamed, f.temp(), f.konst(value.Str(name.Text)), name.Pos)
			continue // a variable of the host's that is there by name, or none
		}
		w := g.declare(name.Text, g.temp())
		w.depth = parameter
		w.cell = true
		if v == nil || f.all || v.extern {
			capture.ByName, w.unsure = f.symbol(v)+1, true
		}
		if v != nil {
			capture.Reg, w.konst, w.unsure = v.reg, v.konst && !w.unsure, v.unsure || w.unsure
		}
		if f.all && v != nil && !v.extern {
			list, at := f.entries(v)
			f.Symbols = append(f.Symbols, list)
			capture.Places, capture.Place = len(f.Symbols)-1, at+1
		}
		proto.Captures = append(proto.Captures, capture)
	}
	target.Captures = len(proto.Captures)
	for _, p := range s.Params {
		g.declare(p.Text, g.temp()).depth = parameter
	}
	if target.UsesThis && g.next < 2 {
		g.next = 2
	}
	g.mark(s.Pos)
	g.limitVariables(s.Pos)
	g.block(body, tail)
	switch err := g.finish(); {
	case err == errTooFar:
		f.tooFar = true
	case err != nil && f.tooLarge == "":
		f.tooLarge = err.Error()
	}
	f.Protos = append(f.Protos, proto)
	return len(f.Protos) - 1
}

// finish checks that every operand fits, and completes the function.
func (f *fn) finish() error {
	if f.Regs >= 1<<16 {
		f.tooLarge = "too many variables"
	}
	if len(f.Sites) >= 1<<16 || len(f.Protos) >= 1<<16 || len(f.Maps) >= 1<<16 || len(f.Switches) >= 1<<16 {
		f.tooLarge = "too many calls and properties"
	}
	if f.tooFar {
		return errTooFar
	}
	if f.tooLarge != "" {
		name := "the script's global level"
		if !f.global {
			name = "function '" + f.Name + "'"
		}
		err := value.NewError(value.ErrTooManyVariables, f.tooLarge+" in "+name)
		err.Limit = value.LimitVariables
		for _, err.Pos = range f.Pos { // where the function's code begins
			if err.Pos.IsValid() {
				break
			}
		}
		return err
	}
	f.thread()
	f.emit(OpNop, 0, 0, 0, syntax.Pos{}) // the machine may point behind the last instruction, never outside
	f.Regs++                             // a callee without arguments still needs a place for its result
	f.done()
	return nil
}

// interruption ends the compilation.
type interruption struct{ err error }

// emit appends an instruction and returns its index.
func (f *fn) emit(op Op, a, b, c int, pos syntax.Pos) int {
	if len(f.Code)%1024 == 1023 && f.c.options.Interrupt != nil {
		if err := f.c.options.Interrupt(); err != nil {
			panic(interruption{err})
		}
	}
	f.Code = append(f.Code, Instr{op, uint16(a), uint16(b), uint16(c)})
	f.Pos = append(f.Pos, pos)
	return len(f.Code) - 1
}

func (f *fn) emitWide(op Op, a int, n int, pos syntax.Pos) int {
	f.Code = append(f.Code, wide(op, a, int32(n)))
	f.Pos = append(f.Pos, pos)
	return len(f.Code) - 1
}

// temp takes a register.
func (f *fn) temp() int { return f.window(1) }

// window takes n registers in a row.
func (f *fn) window(n int) int {
	r := f.next
	f.next += n
	f.Regs = max(f.Regs, f.next+1)
	return r
}

// shortJump tells which conditional jumps have their distance in C alone.
func shortJump(op Op) bool { return op >= OpUnlessEq && op <= OpLoopGeInt }

// land makes a forward jump lead here.
func (f *fn) land(at int) { f.jumpTo(at, len(f.Code)) }

func (f *fn) landAll(list []int) {
	for _, at := range list {
		f.land(at)
	}
}

func (f *fn) jumpTo(at, target int) {
	n := target - at - 1
	in := &f.Code[at]
	if !shortJump(in.Op) {
		*in = wide(in.Op, int(in.A), int32(n))
		return
	}
	if n != int(int16(n)) {
		f.tooFar = true
	}
	in.C = uint16(n)
}

// konst is the number of a constant.
func (f *fn) konst(v value.Value) int {
	key, ok, _ := v.Key(nil)
	ok = ok && v.Kind() != value.KindFnPtr // of a name there are several
	if ok && v.Kind() != value.KindFloat {
		if n, ok := f.consts[key]; ok {
			return n
		}
	}
	n := len(f.Consts)
	f.Consts = append(f.Consts, v.Freeze())
	if ok {
		if f.consts == nil {
			f.consts = map[value.Key]int{}
		}
		f.consts[key] = n
	}
	return n
}

func (f *fn) site(s *Site) int {
	f.Sites = append(f.Sites, s)
	return len(f.Sites) - 1
}

// declare makes a variable visible.
func (f *fn) declare(name string, reg int) *variable {
	if len(f.room) == cap(f.room) {
		f.room = make([]variable, 0, 16)
	}
	f.room = append(f.room, variable{name: name, reg: reg, cell: f.all || f.captured[name], depth: f.depth})
	v := &f.room[len(f.room)-1]
	f.vars = append(f.vars, v)
	return v
}

// lookup is the variable of a name, or nil.
func (f *fn) lookup(name string) *variable {
	for i := len(f.vars) - 1; i >= 0; i-- {
		if f.vars[i].name == name {
			return f.vars[i]
		}
	}
	if !f.main {
		return nil
	}
	v, ok := f.external[name]
	if !ok && (f.Borrows || len(f.c.unit.byName[name]) == 0) { // the caller's variables come before functions
		v = &variable{name: name, extern: true}
		f.host(v)
		f.missing = append(f.missing, Symbol{Name: name})
	}
	return v
}
