package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// place is where a path leads: a register that holds the value without having copied it, and how to carry a change of
// that register back along the path, innermost step first.
type place struct {
	reg   int
	back  []step
	nils  []int // jumps for when a `?.` found unit
	root  *Root // what the path starts at, where that may be a constant
	steps *Step // the last one from there
	cell  int   // the register of the variable that the path starts at and closures may share, plus one
	last  *Step // the last one, wherever the path starts; nil for none
}

// byName tells whether a path starts at a variable that an eval may have defined.
func (p place) byName() bool { return p.root != nil && p.root.ByName }

// take adds a step to a path: of the value in p's register, by the site of a property or, where that is negative, by a
// key, into a register.
func (p *place) take(property, key, into int, back step) {
	p.last = &Step{Before: p.steps, Base: p.reg, Key: key, Property: property, Pos: back.pos}
	if p.root != nil {
		p.steps = p.last
	}
	p.back = append([]step{back}, p.back...)
	p.reg = into
}

// step is one instruction on the way back.
type step struct {
	op      Op
	a, b, c int
	pos     syntax.Pos
}

// ref compiles a path. The value lands in a variable's own register, in into when that is no negative number, or in
// a temporary. Keys are evaluated on the way.
func (f *fn) ref(e syntax.Expr, into int) place {
	reg := func() int {
		if into >= 0 {
			return into
		}
		return f.temp()
	}
	pos := e.Position()
	switch e := e.(type) {
	case *syntax.Ident:
		if len(e.Namespace) > 0 {
			r := reg()
			f.namespaced(e, r)
			return place{reg: r, root: &Root{Name: e.Name, Const: true}}
		}
		v := f.lookup(e.Name)
		switch {
		case f.all:
			r := reg()
			name, symbol := f.konst(value.Str(e.Name)), f.symbol(v)
			f.emit(OpLookup, r, name, symbol, pos)
			p := place{reg: r, back: []step{{OpBackStore, r, name, symbol, pos}}}
			p.root = &Root{Name: e.Name, ByName: true, Symbols: symbol}
			if v != nil {
				p.cell = v.reg + 1
			}
			return p
		case v == nil:
		case v.konst:
			r := reg()
			f.emit(OpCellRef, r, v.reg, 0, pos)
			p := place{reg: r, back: []step{{OpCellSet, v.reg, r, 0, pos}}, root: &Root{Name: e.Name, Const: true}}
			if !v.plain {
				p.cell = f.shared(v)
			}
			return p
		case v.extern:
			f.emitWide(OpCheck, v.reg, f.konst(value.Str(e.Name)), pos)
			r := reg()
			f.emit(OpCellRef, r, v.reg, 0, pos)
			root := &Root{Name: e.Name, Scope: v.reg + 1}
			return place{reg: r, back: []step{{OpCellSet, v.reg, r, 0, pos}}, root: root, cell: f.shared(v)}
		case v.cell:
			r := reg()
			f.emit(OpCellRef, r, v.reg, 0, pos)
			p := place{reg: r, back: []step{{OpCellSet, v.reg, r, 0, pos}}, cell: f.shared(v)}
			if v.unsure {
				p.root = &Root{Name: e.Name, Unsure: v.reg + 1}
			}
			return p
		case into >= 0:
			f.emit(OpMove, into, v.reg, 0, pos)
			return place{reg: into, back: []step{{OpMove, v.reg, into, 0, pos}}}
		default:
			return place{reg: v.reg}
		}
	case *syntax.This:
		f.emit(OpThis, reg(), 0, 0, pos)
		r := f.Code[len(f.Code)-1].A
		return place{reg: int(r), back: []step{{OpMove, 0, int(r), 0, pos}}, root: &Root{This: true}}
	case *syntax.Property:
		f.prepare(e)
		p := f.base(e.Base, e.Safe, pos)
		r := reg()
		site := f.property(e.Name.Text)
		f.Sites[site].receiver(p)
		f.Sites[site].Fresh = fresh(e.Base)
		f.emit(OpGetRef, r, p.reg, site, e.Name.Pos)
		p.take(site, 0, r, step{OpBack, p.reg, site, r, e.Name.Pos})
		return p
	case *syntax.Index:
		f.prepare(e)
		key, p := f.keyed(e)
		r := reg()
		f.race(f.emitIndex(OpIndexRef, r, p.reg, key, e, syntax.Pos{}), p)
		p.take(-1, key, r, step{OpBackIndex, p.reg, key, r, begin(e.Key)})
		return p
	case *syntax.Method:
		return f.invoke(e, into)
	}
	r := reg()
	f.expr(e, r)
	return place{reg: r}
}

// receiver notes where the receiver of a call comes from, or what a property is one of.
func (s *Site) receiver(p place) { s.Root, s.Steps = p.root, p.steps }

// argument compiles the first argument of a call of a function that may write to it: a variable that closures share is
// passed as a copy.
func (f *fn) argument(e syntax.Expr, into int) place {
	p := f.ref(e, into)
	switch {
	case p.byName():
		f.Code[len(f.Code)-1].Op = OpBareLookup
		p.back[0].op = OpBareStore
	case p.cell > 0:
		f.Code[len(f.Code)-1].Op = OpBareRef
		p.back[0].op = OpBareSet
	}
	return p
}

// shared is the register of a variable that closures may share, plus one; zero for others.
func (f *fn) shared(v *variable) int {
	if v.cell {
		return v.reg + 1
	}
	return 0
}

// base compiles what stands before a dot or bracket.
func (f *fn) base(e syntax.Expr, safe bool, pos syntax.Pos) place {
	p := f.ref(e, -1)
	if safe {
		p.nils = append(p.nils, f.emitWide(OpJumpUnit, p.reg, 0, pos))
	}
	return p
}

// prepare compiles the keys and arguments of a path, from its beginning to its end, before what it starts at and its
// steps, as the reference evaluates them, where the order of several can be told.
func (f *fn) prepare(e syntax.Expr) {
	type step struct {
		e    syntax.Expr
		keys []syntax.Expr
	}
	var steps []step
	told, fails := false, false // whether the order can be told of keys, and of a key and what comes before it
	for e != nil {
		if _, done := f.ready[e]; done {
			return
		}
		s := step{e: e}
		switch x := e.(type) {
		case *syntax.Property:
			e, fails = x.Base, true
		case *syntax.Index:
			s.keys, e = []syntax.Expr{x.Key}, x.Base
		case *syntax.Method:
			s.keys, e = x.Args, x.Base
		default:
			_, plain := f.plain(e)
			e, fails = nil, fails || !plain
		}
		if len(s.keys) > 0 {
			steps = append(steps, s)
		}
		for _, k := range s.keys {
			told = told || !f.inert(k)
		}
	}
	if len(steps) == 0 || len(steps) == 1 && !fails || !told {
		return
	}
	if f.ready == nil {
		f.ready = map[syntax.Expr][]int{}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		var regs []int
		for _, k := range steps[i].keys {
			r := f.temp()
			f.expr(k, r)
			regs = append(regs, r)
		}
		f.ready[steps[i].e] = regs
	}
}

// keyed compiles an index's key and base.
func (f *fn) keyed(e *syntax.Index) (key int, p place) {
	if keys, ok := f.ready[e]; ok {
		delete(f.ready, e) // a condition may be compiled again elsewhere
		return keys[0], f.base(e.Base, e.Safe, e.Pos)
	}
	if f.inert(e.Key) && f.quiet(e.Base) {
		p = f.base(e.Base, e.Safe, e.Pos)
		return f.operand(e.Key), p
	}
	// The key comes first: it may change what the path goes through.
	key = f.temp()
	f.expr(e.Key, key)
	return key, f.base(e.Base, e.Safe, e.Pos)
}

// emitIndex emits an instruction that indexes, with the positions of the key, of the bracket and of the assignment.
func (f *fn) emitIndex(op Op, a, b, c int, e *syntax.Index, assignment syntax.Pos) int {
	at := f.emit(op, a, b, c, begin(e.Key))
	f.alt(at, e.Pos, assignment)
	return at
}

// begin is where an expression begins: a path's position is that of its last step.
func begin(e syntax.Expr) syntax.Pos {
	switch e := e.(type) {
	case *syntax.Property:
		return begin(e.Base)
	case *syntax.Index:
		return begin(e.Base)
	case *syntax.Method:
		return begin(e.Base)
	case *syntax.Binary:
		if isLogical(e.Op) {
			return begin(e.Left)
		}
	}
	return e.Position()
}

// firstStep is where the first step of a path is, which is the path's own position to the reference; of a name in a module,
// where the name is.
func firstStep(e syntax.Expr) syntax.Pos {
	pos := e.Position()
	if name, ok := e.(*syntax.Ident); ok && len(name.Namespace) > 0 {
		return name.NamePos
	}
	for {
		switch x := e.(type) {
		case *syntax.Property:
			pos, e = x.Pos, x.Base
		case *syntax.Index:
			pos, e = x.Pos, x.Base
		case *syntax.Method:
			pos, e = x.Pos, x.Base
		default:
			return pos
		}
	}
}

func (f *fn) property(name string) int {
	name = f.c.intern(name)
	return f.site(&Site{Name: name, Getter: value.Getter(name), Setter: value.Setter(name)})
}

// goBack compiles a path's way back.
func (f *fn) goBack(p place) {
	for _, s := range p.back {
		f.emit(s.op, s.a, s.b, s.c, s.pos)
	}
}

// goBackFrom compiles a path's way back behind a call, which is gone when the call fails, too: what a method has done
// before it failed stays done.
func (f *fn) goBackFrom(called int, p place) {
	first := len(f.Code)
	f.goBack(p)
	for at := first; at < len(f.Code); at++ {
		if f.Code[at].Op == OpBackIndex {
			f.alt(at, syntax.Pos{}, f.Pos[called])
		}
	}
	if len(p.back) > 0 {
		f.backs(called)
	}
}

// backs notes that the code since an instruction is to run when that one fails.
func (f *fn) backs(at int) {
	if at < 0 {
		return
	}
	if f.Backs == nil {
		f.Backs = map[int]int{}
	}
	f.Backs[at] = len(f.Code)
}

// settle lets the jumps of a path that met unit yield unit.
func (f *fn) settle(nils []int, dst int, pos syntax.Pos) {
	if len(nils) == 0 {
		return
	}
	end := f.emitWide(OpJump, 0, 0, pos)
	f.landAll(nils)
	if dst >= 0 {
		f.emit(OpUnit, dst, 0, 0, pos)
	}
	f.land(end)
}

// access compiles the reading of a property or an element.
func (f *fn) access(e syntax.Expr, dst int) {
	f.prepare(e)
	switch e := e.(type) {
	case *syntax.Property:
		p := f.base(e.Base, e.Safe, e.Pos)
		site := f.property(e.Name.Text)
		f.Sites[site].Fresh = fresh(e.Base)
		f.emit(OpGet, dst, p.reg, site, e.Name.Pos)
		f.settle(p.nils, dst, e.Pos)
	case *syntax.Index:
		key, p := f.keyed(e)
		f.race(f.emitIndex(OpIndex, dst, p.reg, key, e, syntax.Pos{}), p)
		f.settle(p.nils, dst, e.Pos)
	}
}

// method compiles a method call.
func (f *fn) method(e *syntax.Method, dst int) {
	p := f.invoke(e, -1)
	f.emit(OpMove, dst, p.reg, 0, e.Name.Pos)
	f.settle(p.nils, dst, e.Pos)
}

// invoke compiles a method call and yields the place of its result.
func (f *fn) invoke(e *syntax.Method, into int) place {
	if e.Name.Text == "is_shared" && len(e.Args) == 0 {
		if into < 0 {
			into = f.temp()
		}
		p := f.base(e.Base, e.Safe, e.Pos)
		if _, variable := e.Base.(*syntax.Ident); variable {
			f.isShared(e.Base, into, e.Name.Pos)
		} else {
			f.emit(OpBool, into, 0, 0, e.Name.Pos)
		}
		p.reg, p.back = into, nil // the path goes on, and begins where it did
		return p
	}
	f.prepare(e)
	w := f.window(max(len(e.Args)+1, 2))
	keys, ready := f.ready[e]
	delete(f.ready, e)
	for i, a := range e.Args {
		if ready {
			f.emit(OpMove, w+1+i, keys[i], 0, a.Position())
		} else {
			f.expr(a, w+1+i)
		}
	}
	mark := f.next
	p := f.ref(e.Base, w)
	if e.Safe {
		p.nils = append(p.nils, f.emitWide(OpJumpUnit, p.reg, 0, e.Pos))
	}
	if f.next > mark {
		// The path's steps are above the window, where a callee's frame would be: the window moves above them.
		n := len(e.Args) + 1
		up := f.window(max(n, 2))
		f.emit(OpMove, up, p.reg, 0, e.Name.Pos)
		for i := 1; i < n; i++ {
			f.emit(OpMove, up+i, w+i, 0, e.Name.Pos)
		}
		p.back = append([]step{{OpMove, p.reg, up, 0, e.Name.Pos}}, p.back...)
		w = up
	} else if p.reg != w {
		f.emit(OpMove, w, p.reg, 0, e.Name.Pos)
		p.back = append([]step{{OpMove, p.reg, w, 0, e.Name.Pos}}, p.back...)
	}
	switch {
	case p.byName():
		f.emit(OpLock, p.cell-1, f.konst(value.Str(p.root.Name)), p.root.Symbols+1, e.Name.Pos)
	case p.cell > 0:
		f.emit(OpLock, p.cell-1, 0, 0, e.Name.Pos)
	}
	var site *Site
	if e.Name.Text == "call" {
		site = f.callPtr(w, true, e.Args, e.Name.Pos)
	} else {
		site = f.callSite(e.Name.Text, len(e.Args))
		site.Method = true
		f.emit(OpCallRef, w, f.site(site), len(e.Args)+1, e.Name.Pos)
	}
	site.receiver(p)
	if site.Fresh = fresh(e.Base); !site.Fresh {
		site.Last = p.last
	}
	called := len(f.Code) - 1
	if p.cell > 0 || p.byName() {
		f.emit(OpUnlock, 0, 0, 0, e.Name.Pos)
	}
	vary := -1
	if p.root != nil {
		vary = f.emitWide(OpVary, 0, 0, e.Name.Pos)
	}
	f.goBackFrom(called, p)
	if vary >= 0 {
		f.land(vary)
	}
	f.next = max(mark, w+2)
	if into >= 0 {
		f.emit(OpMove, into, w+1, 0, e.Name.Pos)
		return place{reg: into, nils: p.nils, cell: p.cell}
	}
	return place{reg: w + 1, nils: p.nils, cell: p.cell}
}

// alt keeps other positions of an instruction.
func (f *fn) alt(at int, first, second syntax.Pos) {
	if f.Alt == nil {
		f.Alt = map[int][2]syntax.Pos{}
	}
	f.Alt[at] = [2]syntax.Pos{first, second}
}

// callSite is a site that may reach script functions of the name that take n arguments.
func (f *fn) callSite(name string, n int) *Site {
	s := &Site{Name: name}
	for _, g := range f.c.unit.byName[name] {
		switch {
		case g.Params != n:
		case g.ThisType == "":
			s.Script = g
		default:
			s.Typed = append(s.Typed, g)
		}
	}
	return s
}

// call compiles a function call.
func (f *fn) call(e *syntax.Call, dst int) {
	if len(e.Namespace) > 0 {
		f.qualifiedCall(e, dst)
		return
	}
	if e.Name == "eval" && len(e.Args) == 1 {
		f.eval(e, dst)
		return
	}
	switch {
	case e.Name == "is_shared" && len(e.Args) == 1:
		f.isShared(e.Args[0], dst, e.Pos)
		return
	case e.Name == "is_def_var" && len(e.Args) == 1:
		t := f.temp()
		f.expr(e.Args[0], t)
		f.alt(f.emit(OpIsDefined, t, f.visible(), 0, e.Pos), begin(e.Args[0]), syntax.Pos{})
		f.emit(OpMove, dst, t, 0, e.Pos)
		return
	}
	if e.CaptureScope {
		f.scopedCall(e, dst)
		return
	}
	f.function(e.Name, e.Args, dst, e.Pos)
}

// qualifiedCall compiles a call of a module's function.
func (f *fn) qualifiedCall(e *syntax.Call, dst int) {
	n := len(e.Args)
	w := f.window(n + 2) // room for the arguments one register up
	site := f.qualified(e.Namespace, e.Name)
	p := place{reg: w}
	if n > 0 && f.byReference(e.Args[0]) {
		for i, a := range e.Args[1:] {
			f.expr(a, w+1+i)
		}
		p = f.ref(e.Args[0], w)
		site.receiver(p)
	} else {
		for i, a := range e.Args {
			f.expr(a, w+i)
		}
	}
	at := f.emit(OpCallModule, w, f.site(site), n, e.Pos)
	f.alt(at, e.Namespace[0].Pos, syntax.Pos{})
	f.goBackFrom(at, p)
	f.emit(OpMove, dst, w+1, 0, e.Pos)
}

// isShared compiles the question whether a closure shares a variable. No other value is shared.
func (f *fn) isShared(e syntax.Expr, dst int, pos syntax.Pos) {
	if id, ok := e.(*syntax.Ident); ok && len(id.Namespace) == 0 {
		switch v := f.lookup(id.Name); {
		case f.all:
			f.emit(OpIsShared, dst, f.konst(value.Str(id.Name)), f.symbol(v)+1, id.Pos)
			return
		case v == nil:
		case v.extern:
			f.emitWide(OpCheck, v.reg, f.konst(value.Str(id.Name)), id.Pos)
			fallthrough
		default:
			f.emit(OpIsShared, dst, v.reg, 0, pos)
			return
		}
	}
	f.operand(e)
	f.emit(OpBool, dst, 0, 0, pos)
}

// scopedCall compiles a call that runs its function in the caller's scope.
func (f *fn) scopedCall(e *syntax.Call, dst int) {
	f.c.scoped = true
	w := f.window(max(len(e.Args), 1))
	switch {
	case e.Name == "call" && len(e.Args) > 2 && f.byReference(e.Args[1]) && f.noScope():
		ordered := f.temp()
		w = f.window(len(e.Args))
		f.ordered(e.Args, w, ordered, false)
		yes := f.emitWide(OpJumpIf, ordered, 0, e.Pos)
		f.expr(e.Args[1], w+1)
		f.land(yes)
	case takesPointer(e.Name, e.Args):
		f.pointed(e.Args, w)
	case len(e.Args) > 1 && f.byReference(e.Args[0]) && f.noScope():
		// Without a scope to run in it is a call like others: a variable as the first argument is read last.
		for i, a := range e.Args[1:] {
			f.expr(a, w+1+i)
		}
		f.expr(e.Args[0], w)
	default:
		for i, a := range e.Args {
			f.expr(a, w+i)
		}
	}
	site := f.callSite(e.Name, len(e.Args))
	site.Args = len(e.Args)
	at := f.emit(OpCallScoped, w, f.site(site), f.visible(), callPos(e.Name, e.Args, e.Pos))
	if len(e.Args) > 0 {
		f.alt(at, begin(e.Args[0]), syntax.Pos{})
	}
	f.emit(OpMove, dst, w, 0, e.Pos)
}

// noScope tells whether no variable is there when the code being compiled runs.
func (f *fn) noScope() bool {
	evaluated := slices.ContainsFunc(f.Code, func(in Instr) bool { return in.Op == OpEval })
	return len(f.vars) == 0 && !evaluated && !f.Borrows && !f.c.options.Eval
}

// function compiles a call by name.
func (f *fn) function(name string, args []syntax.Expr, dst int, pos syntax.Pos) {
	if g := f.c.unit.Find(name, len(args)); g != nil && len(f.c.unit.Funcs) < 1<<16 {
		var w int
		if g.UsesThis {
			w = f.window(len(args)+2) + 1
			f.emit(OpAbsent, w-1, 0, 0, pos)
		} else {
			w = f.windowAt(dst, len(args))
		}
		rest := args
		// A variable as the first argument is read last.
		last := len(args) > 1 && f.byReference(args[0]) && !f.allInert(args[1:])
		if last {
			rest = args[1:]
			if _, this := args[0].(*syntax.This); this {
				f.emit(OpThis, w, 0, 0, args[0].Position()) // it must be bound
			}
		}
		for i, a := range rest {
			f.expr(a, w+len(args)-len(rest)+i)
		}
		if last {
			f.expr(args[0], w)
		}
		f.raced(name, args, w, pos)
		if g.UsesThis {
			f.emit(OpCall, w-1, f.number(g), len(args), pos)
		} else {
			f.emit(OpCall, w, f.number(g), len(args), pos)
		}
		if w != dst {
			f.emit(OpMove, dst, w, 0, pos)
		}
		return
	}
	if name == "call" && len(args) > 1 && f.byReference(args[1]) {
		f.callEither(args, dst, pos)
		return
	}
	w := f.window(max(len(args), 1))
	if name == "call" && len(args) > 0 {
		if len(args) == 1 {
			f.window(1)
		}
		f.pointed(args, w)
		f.callPtr(w, false, args, pos)
		f.emit(OpMove, dst, w+1, 0, pos)
		return
	}
	if takesPointer(name, args) {
		f.pointed(args, w)
		f.emit(OpCallName, w, f.site(f.callSite(name, len(args))), len(args), callPos(name, args, pos))
		f.emit(OpMove, dst, w, 0, pos)
		return
	}
	if len(args) > 0 && f.byReference(args[0]) {
		if len(args) == 1 {
			f.window(1)
		}
		if _, this := args[0].(*syntax.This); this && !f.allInert(args[1:]) {
			f.emit(OpThis, w, 0, 0, args[0].Position()) // it must be bound
		}
		for i, a := range args[1:] {
			f.expr(a, w+1+i)
		}
		p := f.argument(args[0], w)
		pos = callPos(name, args, pos)
		site := f.callSite(name, len(args))
		site.receiver(p)
		site.Temporary = p.cell > 0
		f.goBackFrom(f.emit(OpCallRef, w, f.site(site), len(args), pos), p)
		f.emit(OpMove, dst, w+1, 0, pos)
		return
	}
	for i, a := range args {
		f.expr(a, w+i)
	}
	pos = callPos(name, args, pos)
	f.emit(OpCallName, w, f.site(f.callSite(name, len(args))), len(args), pos)
	f.emit(OpMove, dst, w, 0, pos)
}

// callPos is where a call at a place is to blame: at its first argument, where nothing else can be wrong.
func callPos(name string, args []syntax.Expr, pos syntax.Pos) syntax.Pos {
	if name == "Fn" && len(args) == 1 || name == "curry" && len(args) > 1 {
		return begin(args[0])
	}
	return pos
}

// windowAt is a window of n registers for a call whose result goes to dst: from dst up where dst is the last register
// taken and no variable's, so that the result is where it is wanted.
func (f *fn) windowAt(dst, n int) int {
	if dst != f.next-1 {
		return f.window(max(n, 1))
	}
	for _, v := range f.vars {
		if v.reg == dst {
			return f.window(max(n, 1))
		}
	}
	if n > 1 {
		f.window(n - 1)
	}
	return dst
}

// fresh tells whether what an expression gives is no part of anything.
func fresh(e syntax.Expr) bool {
	if _, called := e.(*syntax.Method); called {
		return true
	}
	base, _ := before(e)
	return base == nil && !variablePath(e)
}

// variablePath tells whether a path starts at a variable and calls nothing on its way.
func variablePath(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Ident, *syntax.This:
		return true
	case *syntax.Property:
		return variablePath(e.Base)
	case *syntax.Index:
		return variablePath(e.Base)
	}
	return false
}

// byReference tells whether a native function is given an expression by reference, as its first argument: a variable,
// and of the constants those of modules.
func (f *fn) byReference(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Ident:
		if len(e.Namespace) > 0 {
			return true
		}
		v := f.lookup(e.Name)
		return v == nil || !v.konst || f.all // where another one may hide it
	case *syntax.This:
		return true
	}
	return false
}

// number is a function's place in the unit.
func (f *fn) number(g *Func) int {
	for i, h := range f.c.unit.Funcs {
		if h == g {
			return i
		}
	}
	return -1
}

// eval compiles a call of eval, which sees every variable that is visible here.
func (f *fn) eval(e *syntax.Call, dst int) {
	f.c.scoped = true // what it evaluates may call a function so
	t := f.temp()
	f.expr(e.Args[0], t)
	f.emit(OpEval, t, f.visible(), min(f.depth, 1), begin(e.Args[0]))
	f.emit(OpMove, dst, t, 0, e.Pos)
}

// visible is the number of a list of every variable that can be seen here.
func (f *fn) visible() int {
	var list []Symbol
	seen := map[string]bool{}
	for i := len(f.vars) - 1; i >= 0; i-- {
		if v := f.vars[i]; !seen[v.name] {
			seen[v.name] = true
			list = append(list, Symbol{Name: v.name, Reg: v.reg, Const: v.konst, Mark: v.mark})
		}
	}
	for _, s := range f.External {
		if !seen[s.Name] {
			list = append(list, s)
		}
	}
	f.Symbols = append(f.Symbols, list)
	return len(f.Symbols) - 1
}

// path is a module's path as the source writes it.
func path(names []syntax.Name) string {
	s := names[0].Text
	for _, n := range names[1:] {
		s += "::" + n.Text
	}
	return s
}
