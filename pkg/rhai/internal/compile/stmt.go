package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// block compiles statements in the scope that is open. The last one's value goes to dst.
func (f *fn) block(body []syntax.Stmt, dst int) {
	body = f.reachable(body)
	for i, s := range body {
		if i < len(body)-1 {
			f.stmt(s, discard)
		} else {
			f.stmt(s, dst)
		}
	}
	if len(body) == 0 {
		f.unit(dst, syntax.Pos{})
	}
}

// scope compiles a block with a scope of its own.
func (f *fn) scope(b *syntax.Block, dst int) {
	f.enter(func() { f.block(b.Body, dst) }, b.Pos)
}

// enter runs a part of the compilation in a scope of its own, whose variables and registers end with it.
func (f *fn) enter(part func(), pos syntax.Pos) {
	vars, aliases, mark := len(f.vars), len(f.aliases), f.next
	f.depth++
	marked := f.mark(pos)
	part()
	if marked {
		f.trim(pos)
		f.marks = f.marks[:len(f.marks)-1]
	}
	f.depth--
	f.vars, f.aliases, f.next = f.vars[:vars], f.aliases[:aliases], mark
}

// mark notes what there is of variables that evals have defined and of imports, where the function may add to them, so
// that what comes can be forgotten when its scope ends.
func (f *fn) mark(pos syntax.Pos) bool {
	if !f.all && !f.imports {
		return false
	}
	r := f.temp()
	f.emit(OpMark, r, 0, 0, pos)
	f.marks = append(f.marks, r)
	return true
}

// trim forgets what came since the last mark.
func (f *fn) trim(pos syntax.Pos) {
	f.emit(OpTrim, f.marks[len(f.marks)-1], 0, 0, pos)
}

// unit yields unit.
func (f *fn) unit(dst int, pos syntax.Pos) {
	switch {
	case dst >= 0:
		f.emit(OpUnit, dst, 0, 0, pos)
	case dst == tail:
		r := f.temp()
		f.emit(OpUnit, r, 0, 0, pos)
		f.ret(r, pos)
	}
}

// ret returns a register.
func (f *fn) ret(r int, pos syntax.Pos) {
	if len(f.marks) > 0 {
		f.emit(OpTrim, f.marks[0], 0, 0, pos)
	}
	if f.UsesThis {
		f.emit(OpReturnIs, r, 0, 0, pos)
	} else {
		f.emit(OpReturn, r, 0, 0, pos)
	}
}

// stmt compiles a statement.
func (f *fn) stmt(s syntax.Stmt, dst int) {
	mark := f.next
	pos := s.Position()
	f.stop(pos)
	switch s := s.(type) {
	case *syntax.ExprStmt:
		f.value(s.X, dst)
	case *syntax.Block:
		if f.all && !f.c.options.Eval && !isScope(s) {
			f.block(s.Body, dst)
		} else {
			f.value(s, dst)
		}
	case *syntax.If, *syntax.Switch, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For:
		f.control(s, dst, true)
	case *syntax.Let:
		f.let(s)
		f.unit(dst, pos)
		return // its register stays taken
	case *syntax.Assign:
		f.assign(s)
		f.unit(dst, pos)
	case *syntax.Break:
		if f.outside(pos) {
			break
		}
		l := f.loops[len(f.loops)-1]
		switch {
		case s.Value != nil:
			f.expr(s.Value, l.dst)
		case l.dst >= 0:
			f.emit(OpUnit, l.dst, 0, 0, pos)
		}
		l.breaks = append(l.breaks, f.emitWide(OpJump, 0, 0, pos))
	case *syntax.Continue:
		if f.outside(pos) {
			break
		}
		l := f.loops[len(f.loops)-1]
		l.continues = append(l.continues, f.emitWide(OpJump, 0, 0, pos))
	case *syntax.Return:
		if s.Value == nil {
			f.unit(tail, pos)
		} else {
			f.value(s.Value, tail)
		}
	case *syntax.Throw:
		if s.Value == nil && len(f.catches) > 0 {
			f.rethrow(pos)
			break
		}
		r := f.temp()
		if s.Value == nil {
			f.emit(OpUnit, r, 0, 0, pos)
		} else {
			f.expr(s.Value, r)
		}
		if len(f.catches) > 0 { // to throw unit there is to throw on
			other := f.emitWide(OpJumpNotUnit, r, 0, pos)
			f.rethrow(pos)
			f.land(other)
		}
		f.emit(OpThrow, r, 0, 0, pos)
	case *syntax.Try:
		f.try(s, dst)
	case *syntax.Import:
		r := f.temp()
		f.expr(s.Path, r)
		alias := -1
		if s.Alias != nil {
			alias = f.konst(value.Str(s.Alias.Text))
			f.aliases = append(f.aliases, s.Alias.Text)
		}
		f.alt(f.emitWide(OpImport, r, alias, begin(s.Path)), s.Pos, firstStep(s.Path))
		f.unit(dst, pos)
	case *syntax.Export:
		alias := s.Alias
		if alias == nil {
			alias = &s.Name
		}
		v := f.lookup(s.Name.Text)
		switch {
		case v != nil:
			f.operand(&syntax.Ident{Pos: s.Name.Pos, Name: s.Name.Text}) // it must exist
		case f.all: // an eval may have defined it
			t := f.temp()
			f.emitWide(OpConst, t, f.konst(value.Str(s.Name.Text)), pos)
			f.emit(OpIsDefined, t, f.visible(), 0, pos)
			defined := f.emitWide(OpJumpIf, t, 0, pos)
			f.fail(value.VariableNotFound(s.Name.Text), s.Name.Pos)
			f.land(defined)
		default:
			f.emitWide(OpNamed, f.temp(), f.konst(value.Str(s.Name.Text)), s.Name.Pos) // a function is no variable
		}
		f.export(v, alias.Text, pos)
		f.unit(dst, pos)
	}
	f.next = mark
}

// control compiles a choice or a loop, which is a statement or part of an expression.
func (f *fn) control(s syntax.Stmt, dst int, statement bool) {
	switch s := s.(type) {
	case *syntax.If:
		f.ifStmt(s, dst)
	case *syntax.Switch:
		f.switchStmt(s, dst, statement)
	default:
		if dst != tail {
			f.loopStmt(s, dst)
			break
		}
		r := f.temp()
		f.loopStmt(s, r)
		f.ret(r, s.Position())
	}
}

// value compiles an expression whose value goes to dst, which may be tail.
func (f *fn) value(e syntax.Expr, dst int) {
	if dst != tail {
		f.expr(e, dst)
		return
	}
	mark := f.next
	switch e := e.(type) {
	case *syntax.Block:
		f.scope(e, tail)
	case *syntax.If:
		f.ifStmt(e, tail)
	case *syntax.Switch:
		f.switchStmt(e, tail, false)
	default:
		f.ret(f.operand(e), e.Position())
	}
	f.next = mark
}

// unshadowed compiles the check that no variable of a name is in scope that the parser does not see: one of an eval, of
// the scope that the code runs in, or of the host's.
func (f *fn) unshadowed(name string, pos syntax.Pos) {
	t := f.temp()
	f.emitWide(OpConst, t, f.konst(value.Str(name)), pos)
	f.emit(OpIsDefined, t, f.symbol(nil), 0, pos)
	free := f.emitWide(OpJumpIfNot, t, 0, pos)
	f.fail(value.VariableExists(name), pos)
	f.land(free)
}

// let compiles the definition of a variable.
func (f *fn) let(s *syntax.Let) {
	if f.c.options.NoShadowing && (f.all || f.main) {
		mark := f.next
		f.unshadowed(s.Name.Text, s.Pos)
		f.next = mark
	}
	var old *variable
	for i := len(f.vars) - 1; i >= 0 && f.vars[i].depth == f.depth; i-- {
		if v := f.vars[i]; v.name == s.Name.Text {
			if !v.export {
				old = v
			}
			break
		}
	}
	reg := 0
	if old != nil {
		reg = old.reg
	} else {
		reg = f.temp()
	}
	mark := f.next
	switch {
	case old != nil && f.all:
		t := f.temp()
		if s.Value == nil {
			f.emit(OpUnit, t, 0, 0, s.Pos)
		} else {
			f.expr(s.Value, t)
		}
		list, n := f.entries(old)
		f.Symbols = append(f.Symbols, list)
		konst := 0
		if s.Const {
			konst = 1
		}
		if n >= 1<<15 {
			f.tooLarge = "too many variables"
		}
		f.emit(OpRedefine, t, len(f.Symbols)-1, 2*n+konst, s.Pos)
	case s.Value == nil:
		f.emit(OpUnit, reg, 0, 0, s.Pos)
	case old == nil || writesLast(s.Value):
		f.expr(s.Value, reg)
	default:
		t := f.temp()
		f.expr(s.Value, t)
		f.emit(OpMove, reg, t, 0, s.Pos)
	}
	f.next = mark
	v := f.declare(s.Name.Text, reg)
	if old != nil {
		v.mark = old.mark
	} else {
		f.noteEvals(v, s.Pos)
	}
	v.konst = s.Const
	v.plain = s.Const && !f.c.options.Eval && (s.Value == nil || plain(s.Value))
	_, object := s.Value.(*syntax.Map)
	v.object = v.plain && object
	f.limitVariables(s.Pos)
	if f.depth > 0 || !f.global && !f.Borrows {
		return
	}
	if s.Export && f.global {
		last := v
		if old != nil { // what the reference gives away is whatever it has defined last
			list, _ := f.entries(v)
			for _, w := range f.vars {
				if w.reg == list[0].Reg {
					last = w
				}
			}
		}
		f.export(last, s.Name.Text, s.Pos)
	}
	if s.Const && f.global {
		f.emit(OpSetGlob, reg, f.c.global(s.Name.Text), 0, s.Pos)
	}
	symbol := Symbol{Name: s.Name.Text, Reg: reg, Const: s.Const, From: len(f.Code), Mark: v.mark}
	if old != nil {
		for i := range f.Defined {
			if f.Defined[i].Reg == reg {
				symbol.From, symbol.Flips = f.Defined[i].From, f.Defined[i].Flips
				if f.Defined[i].Const != symbol.Const {
					symbol.Flips = append(symbol.Flips, len(f.Code))
				}
				f.Defined[i] = symbol
			}
		}
		return
	}
	f.Defined = append(f.Defined, symbol)
}

// noteEvals notes what evals have defined before a variable, where the function has an eval.
func (f *fn) noteEvals(v *variable, pos syntax.Pos) {
	if f.all {
		r := f.temp()
		f.emit(OpMark, r, 0, 0, pos)
		v.mark = r + 1
	}
}

// entries lists what has a place of its own in the reference's scope, innermost first, and the place of one.
func (f *fn) entries(of *variable) (list []Symbol, at int) {
	seen := map[int]bool{}
	for _, v := range f.vars {
		if !seen[v.reg] {
			seen[v.reg] = true
			list = append(list, Symbol{Name: v.name, Reg: v.reg, Const: v.konst, Mark: v.mark})
		}
	}
	slices.Reverse(list)
	return list, slices.IndexFunc(list, func(s Symbol) bool { return s.Reg == of.reg })
}

// export compiles the giving of a variable to those who import the script.
func (f *fn) export(v *variable, alias string, pos syntax.Pos) {
	if v == nil || !f.global {
		return
	}
	v.export = true
	if f.c.unit.Module == "" {
		return // nobody imports it
	}
	f.emitWide(OpExport, v.reg, f.konst(value.Str(f.c.intern(alias))), pos)
}

// literal is a constant as the source would write it.
func literal(v value.Value, pos syntax.Pos) syntax.Expr {
	switch v.Kind() {
	case value.KindBool:
		return &syntax.Bool{Pos: pos, Value: v.Bool()}
	case value.KindInt:
		return &syntax.Int{Pos: pos, Value: v.Int()}
	case value.KindFloat:
		return &syntax.Float{Pos: pos, Value: v.Float()}
	case value.KindChar:
		return &syntax.Char{Pos: pos, Value: v.Char()}
	case value.KindString:
		return &syntax.String{Pos: pos, Value: v.Text()}
	}
	return &syntax.Unit{Pos: pos}
}

// assign compiles an assignment.
func (f *fn) assign(s *syntax.Assign) {
	op, known := value.OpByName(s.Op)
	if s.Op != "" && !known {
		f.fail(value.FunctionNotFound(s.Op+"="), s.Pos)
		return
	}
	switch t := s.Target.(type) {
	case *syntax.Ident:
		f.assignVariable(t, s, op)
	case *syntax.Property:
		n, rhs := f.assigned(s, op)
		if f.lost(t.Base) {
			break
		}
		rhs = f.steady(rhs, s.Value)
		f.prepare(t)
		p := f.base(t.Base, t.Safe, t.Pos)
		site := f.property(t.Name.Text)
		f.Sites[site].receiver(p)
		f.onConstant(p, t.Base, site, -1)
		updated := -1
		if s.Op != "" {
			v := f.temp()
			f.emit(OpGetRef, v, p.reg, site, t.Name.Pos)
			updated = f.update(v, n, rhs, op, s.Pos)
			f.race(updated, p)
			rhs = v
		}
		f.race(f.emit(OpSet, p.reg, site, rhs, t.Name.Pos), p)
		f.goBack(p)
		f.backs(updated)
		f.settle(p.nils, discard, s.Pos)
	case *syntax.Index:
		n, rhs := f.assigned(s, op)
		if _, name := t.Key.(*syntax.String); name && f.lost(t.Base) {
			break
		}
		rhs = f.steady(rhs, s.Value)
		f.prepare(t)
		key, p := f.keyed(t)
		site := 0
		if p.root != nil {
			site = f.site(&Site{Root: p.root, Steps: p.steps})
		}
		f.onConstant(p, t.Base, site, key)
		updated := -1
		if s.Op != "" {
			v := f.temp()
			f.race(f.emitIndex(OpIndexRef, v, p.reg, key, t, s.Pos), p)
			updated = f.update(v, n, rhs, op, s.Pos)
			f.race(updated, p)
			rhs = v
		}
		f.race(f.emitIndex(OpSetIndex, p.reg, key, rhs, t, s.Pos), p)
		f.goBack(p)
		f.backs(updated)
		f.settle(p.nils, discard, s.Pos)
	case *syntax.This:
		if _, itself := s.Value.(*syntax.This); itself || !f.inert(s.Value) {
			f.emit(OpThis, f.temp(), 0, 0, t.Pos) // it must be bound
		}
		rhs := f.operand(s.Value)
		p := f.ref(t, -1)
		free := f.emitWide(OpJumpFree, 0, 0, t.Pos)
		f.fail(value.AssignToConstant(""), t.Pos)
		f.land(free)
		if s.Op == "" {
			f.emit(OpCopy, p.reg, rhs, 0, s.Pos)
		} else {
			f.emit(OpAssign, p.reg, rhs, int(op), s.Pos)
		}
		f.goBack(p)
	}
}

// assigned compiles what is assigned: it is in a register, or, for a compound assignment, perhaps a small int; then the
// register is none.
func (f *fn) assigned(s *syntax.Assign, op value.Op) (n, rhs int) {
	if n, ok := f.small(s.Value); ok && s.Op != "" && (op == value.OpAdd || op == value.OpSub) {
		return n, -1
	}
	return 0, f.operand(s.Value)
}

// update compiles a compound assignment to a register of another one, or of a small int.
func (f *fn) update(r, n, rhs int, op value.Op, pos syntax.Pos) (at int) {
	switch {
	case rhs < 0 && op == value.OpAdd:
		return f.emit(OpAssignAddInt, r, n, 0, pos)
	case rhs < 0:
		return f.emit(OpAssignSubInt, r, n, 0, pos)
	case op == value.OpAdd:
		return f.emit(OpAssignAdd, r, rhs, int(op), pos)
	case op == value.OpSub:
		return f.emit(OpAssignSub, r, rhs, int(op), pos)
	}
	return f.emit(OpAssign, r, rhs, int(op), pos)
}

// steady makes sure that an assigned value is one of its own: a variable's register holds it no longer once the
// variable is stored elsewhere too.
func (f *fn) steady(rhs int, e syntax.Expr) int {
	if r, ok := f.plain(e); ok && r == rhs {
		t := f.temp()
		f.emit(OpCopy, t, rhs, 0, e.Position())
		return t
	}
	return rhs
}

func (f *fn) assignVariable(t *syntax.Ident, s *syntax.Assign, op value.Op) {
	if len(t.Namespace) > 0 {
		f.operand(s.Value)
		f.namespaced(t, f.temp()) // it must exist
		f.fail(value.AssignToConstant(t.Name), t.NamePos)
		return
	}
	v := f.lookup(t.Name)
	if r, ok := f.plain(t); ok && !v.konst {
		if s.Op == "" {
			if writesLast(s.Value) {
				f.expr(s.Value, r)
				return
			}
			x := f.temp()
			f.expr(s.Value, x)
			f.emit(OpMove, r, x, 0, s.Pos)
			return
		}
		f.compound(r, s, op)
		return
	}
	switch {
	case v != nil && v.konst:
		f.operand(s.Value)
		f.fail(value.AssignToConstant(t.Name), t.Pos)
	case v == nil && len(f.c.unit.byName[t.Name]) > 0:
		f.operand(s.Value)
		f.fail(value.AssignToConstant(t.Name), t.Pos)
	case v == nil && !f.all:
		f.operand(s.Value)
		f.fail(value.VariableNotFound(t.Name), t.Pos)
	case s.Op == "":
		x := f.temp()
		f.expr(s.Value, x)
		f.store(t, v, x)
	default:
		rhs := f.temp()
		f.expr(s.Value, rhs)
		p := f.ref(t, f.temp())
		switch { // a constant is found to be one first
		case f.all:
			f.store(t, v, p.reg)
		case v.extern, v.unsure:
			f.emitWide(OpWritable, v.reg, f.konst(value.Str(t.Name)), t.Pos)
		}
		f.race(f.emit(OpAssign, p.reg, rhs, int(op), s.Pos), p)
		f.store(t, v, p.reg)
	}
}

// store compiles the writing of a register to a variable.
func (f *fn) store(t *syntax.Ident, v *variable, x int) {
	switch {
	case f.all:
		f.emit(OpStore, x, f.konst(value.Str(t.Name)), f.symbol(v), t.Pos)
	case v.extern, v.unsure:
		f.emitWide(OpWritable, v.reg, f.konst(value.Str(t.Name)), t.Pos)
		f.emit(OpCellSet, v.reg, x, 0, t.Pos)
	default:
		f.emit(OpCellSet, v.reg, x, 0, t.Pos)
	}
}

// compound compiles a compound assignment to a variable's own register.
func (f *fn) compound(r int, s *syntax.Assign, op value.Op) {
	if op == value.OpAdd {
		if sum := f.textSum(s.Value); sum != nil {
			w := f.summands(sum)
			f.emit(OpSumOnto, r, w, len(sum)+1, s.Pos)
			f.emit(OpAssignAdd, r, f.addAll(sum, w), int(op), s.Pos)
			return
		}
	}
	n, rhs := f.assigned(s, op)
	f.update(r, n, rhs, op, s.Pos)
}

// rethrow compiles throwing the error of the catch block again, or where that is a thrown unit, of the block around it.
func (f *fn) rethrow(pos syntax.Pos) {
	for i, caught := range slices.Backward(f.catches) {
		f.emit(OpRethrow, caught, min(i, 1), 0, pos)
	}
}

// try compiles a try. Its value is that of its body, and unit after a catch.
func (f *fn) try(s *syntax.Try, dst int) {
	out := dst
	if dst == tail {
		out = f.temp() // the body must not return: its errors are to be caught
	}
	caught := f.temp()
	marked := f.mark(s.Pos)
	from := len(f.Code)
	catches := f.catches
	f.catches = nil // what the body throws is caught here
	f.scope(s.Body, out)
	f.catches = catches
	to := len(f.Code)
	end := f.emitWide(OpJump, 0, 0, s.Pos)
	f.Handlers = append(f.Handlers, Handler{From: from, To: to, Target: len(f.Code), Reg: caught})
	if marked {
		f.trim(s.Pos)
		f.marks = f.marks[:len(f.marks)-1]
	}
	f.enter(func() {
		if s.Name != nil {
			v := f.declare(s.Name.Text, f.temp())
			f.noteEvals(v, s.Name.Pos)
			f.emit(OpCaught, v.reg, caught, 0, s.Name.Pos)
		}
		f.catches = append(f.catches, caught)
		f.scope(s.Catch, discard)
		f.catches = f.catches[:len(f.catches)-1]
	}, s.Pos)
	if out >= 0 {
		f.unit(out, s.Pos)
	}
	f.land(end)
	if dst == tail {
		f.ret(out, s.Pos)
	}
}
