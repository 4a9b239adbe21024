package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Where a value goes, other than a register.
const (
	discard = -1 // nowhere
	tail    = -2 // it is the function's result
)

// expr compiles an expression into a register, or discards its value.
func (f *fn) expr(e syntax.Expr, dst int) {
	if dst == discard {
		mark := f.next
		f.effect(e)
		f.next = mark
		return
	}
	if v, ok := f.fold(e); ok {
		f.load(v, dst, e.Position())
		return
	}
	mark := f.next
	defer func() { f.next = mark }()
	pos := e.Position()
	switch e := e.(type) {
	case *syntax.Ident:
		f.resolved(e, dst, func() { f.ident(e, dst) })
	case *syntax.This:
		f.emit(OpThis, dst, 0, 0, pos)
		f.emit(OpCopy, dst, dst, 0, pos)
	case *syntax.Interpolated:
		w := f.window(len(e.Parts))
		places := make([]syntax.Pos, len(e.Parts))
		for i, p := range e.Parts {
			places[i] = p.Position()
			if b, ok := p.(*syntax.Block); ok && len(b.Body) == 1 {
				places[i] = b.Body[0].Position()
			}
			f.expr(p, w+i)
		}
		if f.Parts == nil {
			f.Parts = map[int][]syntax.Pos{}
		}
		f.Parts[f.emit(OpConcat, dst, w, len(e.Parts), pos)] = places
	case *syntax.Array:
		w := f.window(len(e.Items))
		for i, x := range e.Items {
			f.expr(x, w+i)
		}
		f.emit(OpArray, dst, w, len(e.Items), pos)
	case *syntax.Map:
		w := f.window(len(e.Entries))
		keys := make([]string, len(e.Entries))
		for i, x := range e.Entries {
			keys[i] = f.c.intern(x.Key.Text)
			f.expr(x.Value, w+i)
		}
		f.Maps = append(f.Maps, keys)
		f.emit(OpMap, dst, len(f.Maps)-1, w, pos)
	case *syntax.Closure:
		f.emit(OpClosure, dst, f.closure(e, nil), 0, pos)
	case *enclosed:
		f.emit(OpClosure, dst, f.closure(e.Closure, e.given), 0, pos)
	case *syntax.Unary:
		op := map[string]Op{"-": OpNeg, "+": OpPlus, "!": OpNot}[e.Op]
		f.emit(op, dst, f.operand(e.Operand), 0, pos)
	case *syntax.Binary:
		f.binary(e, dst)
	case *syntax.Call:
		f.call(e, dst)
	case *syntax.Property, *syntax.Index:
		f.access(e, dst)
	case *syntax.Method:
		f.method(e, dst)
	case *syntax.Block:
		f.scope(e, dst)
	case *syntax.If, *syntax.Switch, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For:
		f.inner(e.(syntax.Stmt), dst)
	case *syntax.Custom:
		f.custom(e, dst)
	}
}

// effect compiles an expression whose value nobody wants.
func (f *fn) effect(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Block:
		f.scope(e, discard)
	case *syntax.If, *syntax.Switch, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For:
		f.inner(e.(syntax.Stmt), discard)
	default:
		if _, ok := f.fold(e); !ok {
			f.expr(e, f.temp())
		}
	}
}

// inner compiles a choice or a loop that is part of an expression, which is a scope.
func (f *fn) inner(s syntax.Stmt, dst int) {
	if f.all {
		f.enter(func() { f.control(s, dst, false) }, s.Position())
	} else {
		f.control(s, dst, false)
	}
}

// load puts a constant into a register.
func (f *fn) load(v value.Value, dst int, pos syntax.Pos) {
	switch {
	case v.IsUnit():
		f.emit(OpUnit, dst, 0, 0, pos)
	case v.IsBool():
		b := 0
		if v.Bool() {
			b = 1
		}
		f.emit(OpBool, dst, b, 0, pos)
	case v.IsInt() && v.Int() == int64(int32(v.Int())):
		f.emitWide(OpInt, dst, int(v.Int()), pos)
	default:
		f.emitWide(OpConst, dst, f.konst(v), pos)
	}
}

// fail compiles an error.
func (f *fn) fail(err *value.Error, pos syntax.Pos) {
	f.Errors = append(f.Errors, err)
	f.emitWide(OpFail, 0, len(f.Errors)-1, pos)
}

// operand is a register that holds an expression's value until the next write to a variable: the variable's own
// register where there is one.
func (f *fn) operand(e syntax.Expr) int {
	if r, ok := f.plain(e); ok {
		return r
	}
	r := f.temp()
	f.expr(e, r)
	return r
}

// plain is the register of a variable that nothing is special about.
func (f *fn) plain(e syntax.Expr) (int, bool) {
	id, ok := e.(*syntax.Ident)
	if !ok || len(id.Namespace) > 0 || f.all || f.c.options.Resolve {
		return 0, false
	}
	v := f.lookup(id.Name)
	if v == nil || v.cell || v.extern {
		return 0, false
	}
	return v.reg, true
}

// operands are registers for two expressions that are evaluated in order.
func (f *fn) operands(a, b syntax.Expr) (int, int) {
	if r, ok := f.plain(a); ok && !f.quiet(b) {
		t := f.temp()
		f.emit(OpCopy, t, r, 0, a.Position())
		return t, f.operand(b)
	}
	r := f.operand(a)
	return r, f.operand(b)
}

// ident compiles the reading of a variable.
func (f *fn) ident(e *syntax.Ident, dst int) {
	if len(e.Namespace) > 0 {
		f.namespaced(e, dst)
		return
	}
	v := f.lookup(e.Name)
	switch {
	case f.all:
		f.emit(OpLookup, dst, f.konst(value.Str(e.Name)), f.symbol(v), e.Pos)
		f.emit(OpCopy, dst, dst, 0, e.Pos)
	case v == nil && len(f.c.unit.byName[e.Name]) > 0:
		f.emitWide(OpConst, dst, f.konst(f.c.unit.Pointer(e.Name)), e.Pos)
	case v == nil:
		f.emitWide(OpNamed, dst, f.konst(value.Str(e.Name)), e.Pos)
	case v.extern:
		f.emitWide(OpCheck, v.reg, f.konst(value.Str(e.Name)), e.Pos)
		f.emit(OpCellGet, dst, v.reg, 0, e.Pos)
	case v.cell:
		f.emit(OpCellGet, dst, v.reg, 0, e.Pos)
	default:
		f.emit(OpCopy, dst, v.reg, 0, e.Pos)
	}
}

func (f *fn) namespaced(e *syntax.Ident, dst int) {
	name := path(e.Namespace)
	if name == "global" {
		if f.global && !f.c.options.Eval && !f.c.hasFunctions() {
			f.fail(value.VariableNotFound("global::"+e.Name), e.Namespace[0].Pos)
		} else {
			f.emitWide(OpGlobal, dst, f.c.global(e.Name), e.Namespace[0].Pos)
		}
		return
	}
	at := f.emit(OpModuleGet, dst, f.site(f.qualified(e.Namespace, e.Name)), 0, e.Namespace[0].Pos)
	f.alt(at, e.NamePos, syntax.Pos{})
}

// qualified is the site of a name in a module.
func (f *fn) qualified(path []syntax.Name, name string) *Site {
	s := &Site{Name: f.c.intern(name), First: slices.Contains(f.aliases, path[0].Text)}
	for _, n := range path {
		s.Path = append(s.Path, f.c.intern(n.Text))
	}
	return s
}

// symbol is the number of a list of symbols that has the variable alone, or of an empty one.
func (f *fn) symbol(v *variable) int {
	var list []Symbol
	if v != nil {
		list = []Symbol{{Name: v.name, Reg: v.reg, Const: v.konst, Mark: v.mark}}
	}
	f.Symbols = append(f.Symbols, list)
	return len(f.Symbols) - 1
}

// binary compiles an infix operator.
func (f *fn) binary(e *syntax.Binary, dst int) {
	pos := e.Pos
	switch e.Op {
	case "&&", "||":
		out := f.branch(e, true, false)
		f.emit(OpBool, dst, 1, 0, pos)
		end := f.emitWide(OpJump, 0, 0, pos)
		f.landAll(out)
		f.emit(OpBool, dst, 0, 0, pos)
		f.land(end)
		return
	case "??":
		f.expr(e.Left, dst)
		end := f.emitWide(OpJumpNotUnit, dst, 0, pos)
		f.expr(e.Right, dst)
		f.land(end)
		return
	case "in", "!in":
		op := OpIn
		if e.Op == "!in" {
			op = OpNotIn
		}
		if f.ownContains() {
			f.function("contains", []syntax.Expr{e.Right, e.Left}, dst, pos)
			if op == OpNotIn {
				f.emit(OpNot, dst, dst, 0, pos)
			}
			return
		}
		// It is a call of the right side's `contains`, and a variable as the first argument is read last.
		if e.Op == "in" && f.byReference(e.Right) {
			a, b := f.operands(e.Left, e.Right)
			f.emit(op, dst, a, b, pos)
			return
		}
		b, a := f.operands(e.Right, e.Left)
		if isContainer(e.Right) {
			f.raced("contains", []syntax.Expr{e.Right}, b, pos)
		}
		f.emit(op, dst, a, b, pos)
		return
	case "..", "..=":
		op := OpRange
		if e.Op == "..=" {
			op = OpRangeEq
		}
		a, b := f.operands(bound(e.Left, pos, 0), bound(e.Right, pos, 1<<63-1))
		f.emit(op, dst, a, b, pos)
		return
	}
	op, ok := value.OpByName(e.Op)
	if !ok {
		f.function(e.Op, []syntax.Expr{e.Left, e.Right}, dst, pos)
		return
	}
	if op <= value.OpMod {
		if n, ok := f.small(e.Right); ok {
			f.emit(OpAddInt+Op(op), dst, f.operand(e.Left), n, pos)
			return
		}
	}
	if sum := f.textSum(e); len(sum) > 1 {
		w := f.summands(sum)
		f.emit(OpSum, dst, w, len(sum)+1, pos)
		last := len(sum) - 1
		f.emit(OpAdd, dst, f.addAll(sum[:last], w), w+last+1, pos)
		return
	}
	a, b := f.operands(e.Left, e.Right)
	f.emit(OpAdd+Op(op), dst, a, b, pos)
}

// textSum lists the additions of a sum, innermost first, where it begins with a text and all of its parts can be had
// before anything is added: those behind the second are variables and constants. It is nil for any other expression.
func (f *fn) textSum(e syntax.Expr) (sum []*syntax.Binary) {
	for {
		b, ok := e.(*syntax.Binary)
		if !ok || b.Op != "+" {
			break
		}
		sum = append(sum, b)
		e = b.Left
	}
	first, ok := f.fold(e)
	if _, text := e.(*syntax.Interpolated); !text && !(ok && first.IsString()) || len(sum) == 0 {
		return nil
	}
	slices.Reverse(sum)
	for _, b := range sum[1:] {
		_, constant := f.fold(b.Right)
		if _, variable := f.plain(b.Right); !constant && !variable {
			return nil
		}
	}
	return sum
}

// summands puts the parts of a sum into a window.
func (f *fn) summands(sum []*syntax.Binary) (w int) {
	w = f.window(len(sum) + 1)
	f.expr(sum[0].Left, w)
	for i, b := range sum {
		if r, ok := f.plain(b.Right); ok {
			f.emit(OpMove, w+1+i, r, 0, b.Right.Position())
			continue
		}
		f.expr(b.Right, w+1+i)
	}
	return w
}

// addAll adds the parts of a sum that are in a window, one by one, in place of the first, and returns its register.
func (f *fn) addAll(sum []*syntax.Binary, w int) int {
	for i, b := range sum {
		f.emit(OpAdd, w, w, w+1+i, b.Pos)
	}
	return w
}

// ownContains tells whether the script has a function of its own for what is in what.
func (f *fn) ownContains() bool { return f.c.unit.Find("contains", 2) != nil }

// bound is an end of a range that the source may leave out.
func bound(e syntax.Expr, pos syntax.Pos, n int64) syntax.Expr {
	if e == nil {
		return &syntax.Int{Pos: pos, Value: n}
	}
	return e
}

// branch compiles a condition and returns the jumps to take when it does not hold (unless is true) or, for use behind
// a loop's body, the jumps to take when it does: those lead backwards.
func (f *fn) branch(e syntax.Expr, unless, back bool) []int {
	mark := f.next
	defer func() { f.next = mark }()
	pos := firstStep(e)
	if v, ok := f.fold(e); ok && v.IsBool() {
		switch {
		case unless && !v.Bool():
			return []int{f.emitWide(OpJump, 0, 0, pos)}
		case !unless && v.Bool() && back:
			return []int{f.emitWide(OpLoop, 0, 0, pos)}
		case !unless && v.Bool():
			return []int{f.emitWide(OpJump, 0, 0, pos)}
		}
		return nil
	}
	switch e := e.(type) {
	case *syntax.Unary:
		if e.Op == "!" && unless && !back && f.boolean(e.Operand) {
			return f.branch(e.Operand, false, false)
		}
	case *syntax.Binary:
		switch op, ok := value.OpByName(e.Op); {
		case ok && op >= value.OpEq && (unless || back) && !f.c.wide:
			first := OpUnlessEq
			if !unless {
				first = OpLoopEq
			}
			first += Op(op - value.OpEq)
			if n, ok := f.small(e.Right); ok {
				return []int{f.emit(first+(OpUnlessEqInt-OpUnlessEq), f.operand(e.Left), n, 0, pos)}
			}
			a, b := f.operands(e.Left, e.Right)
			return []int{f.emit(first, a, b, 0, pos)}
		case e.Op == "&&" && unless:
			return append(f.branch(e.Left, true, false), f.branch(e.Right, true, false)...)
		case e.Op == "||" && unless:
			yes := f.branch(e.Left, false, false)
			no := f.branch(e.Right, true, false)
			f.landAll(yes)
			return no
		case e.Op == "&&":
			no := f.branch(e.Left, true, false)
			yes := f.branch(e.Right, false, back)
			f.landAll(no)
			return yes
		case e.Op == "||":
			return append(f.branch(e.Left, false, back), f.branch(e.Right, false, back)...)
		}
	}
	op := OpJumpIfNot
	switch {
	case !unless && back:
		op = OpLoopIf
	case !unless:
		op = OpJumpIf
	}
	return []int{f.emitWide(op, f.operand(e), 0, pos)}
}

// boolean tells whether an expression yields a bool if it yields anything.
func (f *fn) boolean(e syntax.Expr) bool {
	b, ok := e.(*syntax.Binary)
	if !ok {
		return false
	}
	op, ok := value.OpByName(b.Op)
	return ok && op >= value.OpEq || (b.Op == "in" || b.Op == "!in") && !f.ownContains()
}
