package compile

import (
	"math"
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// expr simplifies an expression.
func (s *simplifier) expr(e syntax.Expr) syntax.Expr {
	switch n := e.(type) {
	case *syntax.Ident:
		if len(n.Namespace) == 0 {
			if v := s.constant(n.Name); v != nil {
				return read(v, n.Pos)
			}
		}
	case *syntax.Interpolated:
		return s.interpolated(n)
	case *syntax.Array:
		if items := s.exprs(n.Items); !sameList(items, n.Items) {
			return &syntax.Array{Pos: n.Pos, Items: items}
		}
		return n
	case *syntax.Map:
		out := &syntax.Map{Pos: n.Pos, Entries: make([]syntax.MapEntry, len(n.Entries))}
		for i, x := range n.Entries {
			out.Entries[i] = syntax.MapEntry{Key: x.Key, Value: s.expr(x.Value)}
		}
		return out
	case *syntax.Closure:
		return s.closure(n)
	case *syntax.Unary:
		operand := s.expr(n.Operand)
		if !signed(n.Operand) && n.Op != "!" && plain(operand) {
			// The sign of what is computed is not: a block around keeps it from being taken for a constant.
			operand = &syntax.Block{Pos: operand.Position(), Body: []syntax.Stmt{&syntax.ExprStmt{X: operand}}}
		}
		if operand != n.Operand {
			n = &syntax.Unary{Pos: n.Pos, Op: n.Op, Operand: operand}
		}
		return s.computed(n)
	case *syntax.Binary:
		return s.binary(n)
	case *syntax.Call:
		return s.call(n)
	case *syntax.Property, *syntax.Index, *syntax.Method:
		return s.element(s.wholePath(n), n)
	case *syntax.Custom:
		return n
	case syntax.Stmt: // a block, an if, a switch or a loop
		return s.stmtExpr(n)
	}
	return e
}

// stmtExpr simplifies a statement that is an expression: a block, an if, a switch or a loop. What is left of it keeps
// its position, but for the only expression of a block, and what is no call.
func (s *simplifier) stmtExpr(n syntax.Stmt) syntax.Expr {
	if b, ok := n.(*syntax.Block); ok && only(b) != nil {
		return s.left(n)
	}
	evaluated, unchosen, called := s.evaluated, s.unchosen, s.called
	s.ended = 0
	out := s.left(n)
	s.ended = max(s.ended, s.evaluated-evaluated-(s.unchosen-unchosen))
	s.evaluated, s.unchosen, s.called = evaluated, unchosen, called
	s.unwrapped(out)
	return out
}

// left is what is left of a statement that is an expression.
func (s *simplifier) left(n syntax.Stmt) syntax.Expr {
	var out syntax.Stmt
	block, isBlock := n.(*syntax.Block)
	switch choice, isIf := n.(*syntax.If); {
	case isBlock:
		out = s.braces(block)
	case isIf:
		out = s.ifStmt(choice, true, false) // what is chosen may be written to
	default:
		out = s.stmt(n, true)
	}
	switch x := out.(type) {
	case nil:
		return &syntax.Unit{Pos: n.Position()}
	case *syntax.ExprStmt:
		if !isCall(x.X) {
			return x.X
		}
	case *syntax.Block:
		if len(x.Body) == 0 {
			return &syntax.Unit{Pos: n.Position()}
		}
		if only, ok := x.Body[0].(*syntax.ExprStmt); ok && len(x.Body) == 1 && (isBlock && len(block.Body) == 1 || !isCall(only.X)) {
			return only.X
		}
		if x.Pos == n.Position() {
			return x
		}
		return &syntax.Block{Pos: n.Position(), Body: x.Body, End: x.End}
	case *syntax.If, *syntax.Switch, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For:
		if x.Position() == n.Position() {
			return x.(syntax.Expr)
		}
	}
	return &syntax.Block{Pos: n.Position(), Body: []syntax.Stmt{out}}
}

func (s *simplifier) exprs(list []syntax.Expr) []syntax.Expr {
	out := list
	for i, e := range list {
		x := s.expr(e)
		if x != e && sameList(out, list) {
			out = slices.Clone(list)
		}
		if x != e {
			out[i] = x
		}
	}
	return out
}

// maybe simplifies an expression that may be missing.
func (s *simplifier) maybe(e syntax.Expr) syntax.Expr {
	if e == nil {
		return nil
	}
	return s.expr(e)
}

// computed is the value of an operation in its place, if the source decides it.
func (s *simplifier) computed(e syntax.Expr) syntax.Expr {
	not, negates := e.(*syntax.Unary)
	negates = negates && not.Op == "!"
	if s.keepDead && !negates {
		return e
	}
	if v, ok := fold(e); ok {
		pos := e.Position()
		if negates {
			pos = not.Operand.Position() // as the reference has it
		}
		return literal(v, pos)
	}
	return e
}

// binary simplifies an infix operator.
func (s *simplifier) binary(n *syntax.Binary) syntax.Expr {
	if isLogical(n.Op) {
		return s.logical(n)
	}
	out, left, right := n, n.Left, n.Right
	if n.Op == "in" || n.Op == "!in" { // a call of the right side's `contains`
		right = s.maybe(right)
		left = s.maybe(left)
	} else {
		left, right = s.maybe(left), s.maybe(right)
	}
	if left != n.Left || right != n.Right {
		out = &syntax.Binary{Pos: n.Pos, Op: n.Op, Left: left, Right: right}
	}
	return s.computed(out)
}

func isUnit(e syntax.Expr) bool {
	_, ok := e.(*syntax.Unit)
	return ok
}

// interpolated simplifies a back-tick string. One of constants alone becomes text here: within containers it has quotes
// where that of a value made by the run has none.
func (s *simplifier) interpolated(n *syntax.Interpolated) syntax.Expr {
	out := &syntax.Interpolated{Pos: n.Pos, Parts: make([]syntax.Expr, len(n.Parts))}
	text, known := "", true
	for i, part := range n.Parts {
		part, made := s.part(part)
		out.Parts[i] = part
		known = known && made != nil
		if known {
			text += *made
		}
	}
	if known {
		if s.texts == nil {
			s.texts = map[*syntax.Interpolated]*syntax.Interpolated{}
		}
		s.texts[n] = out
		return &syntax.String{Pos: n.Pos, Value: text}
	}
	return out
}

// part simplifies a part of a back-tick string. It has a text when it is a constant.
func (s *simplifier) part(part syntax.Expr) (syntax.Expr, *string) {
	switch n := part.(type) {
	case *syntax.String:
		return n, &n.Value
	case *syntax.Block:
		evals := s.evals
		s.ended = 0
		b := s.braces(n)
		if text, ok := shown(b); ok {
			return b, &text
		}
		if x := only(b); x != nil && s.evals > evals {
			if only(n) != nil {
				return x, nil
			} else if !isCall(x) {
				s.unwrapped(b.Body[0])
				return x, nil
			}
		}
		return b, nil
	}
	return part, nil
}

// shown is the text of a part of a back-tick string that is a constant.
func shown(b *syntax.Block) (string, bool) {
	if len(b.Body) == 0 {
		return "", true
	}
	x, ok := b.Body[0].(*syntax.ExprStmt)
	if !ok || len(b.Body) > 1 {
		return "", false
	}
	v, ok := constantValue(x.X)
	return v.Interpolated(), ok
}

// constantValue is the value of a constant, whose function pointers are good for being shown.
func constantValue(e syntax.Expr) (v value.Value, ok bool) {
	if !plain(e) {
		return v, false
	}
	switch e := e.(type) {
	case *syntax.Array:
		items := make([]value.Value, len(e.Items))
		for i, x := range e.Items {
			items[i], _ = constantValue(x)
		}
		return value.NewArray(items), true
	case *syntax.Map:
		m := value.NewMap(len(e.Entries))
		for _, x := range e.Entries {
			v, _ := constantValue(x.Value)
			m.Set(x.Key.Text, v)
		}
		return m.Value(), true
	case *syntax.Closure:
		return value.NewFnPtr(closureName(e), nil, nil), true
	case *enclosed:
		return value.NewFnPtr(closureName(e.Closure), nil, nil), true
	case *syntax.Call:
		if e.Name == "Fn" {
			name, _ := fold(e.Args[0])
			return value.NewFnPtr(name.Text(), nil, nil), true
		}
		v, _ := constantValue(e.Args[0])
		f := v.FnPtr()
		curried := f.Curry[:len(f.Curry):len(f.Curry)]
		for _, a := range e.Args[1:] {
			v, _ := constantValue(a)
			curried = append(curried, v)
		}
		return value.NewFnPtr(f.Name, nil, curried), true
	case *syntax.Binary:
		if e.Op == ".." || e.Op == "..=" {
			from, _ := fold(e.Left)
			to, _ := fold(e.Right)
			first, last := int64(0), int64(math.MaxInt64) // of a range that is open there
			if from.IsInt() {
				first = from.Int()
			}
			if to.IsInt() {
				last = to.Int()
			}
			if e.Op == ".." {
				return value.NewRange(first, last), true
			}
			return value.NewRangeInclusive(first, last), true
		}
	}
	return fold(e)
}

// signed tells whether a sign before an expression is part of a literal to the reference.
func signed(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Int, *syntax.Float:
		return true
	case *syntax.Unary:
		return e.Op != "!" && signed(e.Operand)
	}
	return false
}

// closure simplifies a closure's body, where what it captures is a variable. Capturing a constant that is itself a
// closure fails, as reading it does.
func (s *simplifier) closure(n *syntax.Closure) syntax.Expr {
	inner := simplifier{keepNames: s.keepNames, keepDead: s.keepDead}
	out := &syntax.Closure{Pos: n.Pos, Params: n.Params, Captures: n.Captures, Body: inner.closureBody(n.Body)}
	given, known := make([]syntax.Expr, len(n.Captures)), false
	for i, name := range n.Captures {
		v := s.constant(name.Text)
		if _, ok := v.(*syntax.Closure); ok {
			failing := &syntax.ExprStmt{X: read(v, name.Pos)}
			captured := *out // the variables must be there first
			captured.Captures = slices.DeleteFunc(slices.Clone(n.Captures), func(c syntax.Name) bool { return s.constant(c.Text) != nil })
			return &syntax.Block{Pos: n.Pos, Body: []syntax.Stmt{&syntax.ExprStmt{X: &captured}, failing}}
		}
		given[i], known = v, known || v != nil
	}
	if known {
		return &enclosed{out, given, n.Pos}
	}
	return out
}

// enclosed is a closure that captures constants, whose values are given. One that captures nothing else is a constant
// itself.
type enclosed struct {
	*syntax.Closure
	given []syntax.Expr // nil for a variable
	at    syntax.Pos    // where it stands for a constant
}

func (e *enclosed) Position() syntax.Pos { return e.at }

// whole tells whether the closure captures constants alone.
func (e *enclosed) whole() bool {
	return !slices.ContainsFunc(e.given, func(v syntax.Expr) bool { return v == nil })
}

// closesOver tells whether a constant has an enclosed closure in it: reading one does not fail, as that of others does.
func closesOver(e syntax.Expr) bool {
	found := false
	inspect(e, func(n syntax.Node) bool {
		x, ok := n.(*enclosed)
		found = found || ok && x.whole()
		return !found
	})
	return found
}

// closureBody simplifies what is like the body of a function.
func (s *simplifier) closureBody(body syntax.Stmt) syntax.Stmt {
	switch b := body.(type) {
	case *syntax.Block:
		return &syntax.Block{Pos: b.Pos, Body: s.list(b.Body, true, false), End: b.End}
	case *syntax.Import:
		return s.stmt(b, true)
	}
	return s.arm(body, false)
}

func (s *simplifier) call(n *syntax.Call) syntax.Expr {
	if n.Name == "eval" && len(n.Namespace) == 0 {
		s.evals++
		s.evaluated++
		return n
	}
	out := n
	if args := s.exprs(n.Args); !sameList(args, n.Args) {
		out = &syntax.Call{Pos: n.Pos, Name: n.Name, Namespace: n.Namespace, Args: args, CaptureScope: n.CaptureScope}
	}
	if n.Name == "is_shared" && len(n.Args) == 1 && len(n.Namespace) == 0 && plain(out.Args[0]) {
		return &syntax.Bool{Pos: n.Pos}
	}
	if n.Name == "type_of" && len(n.Args) == 1 && len(n.Namespace) == 0 {
		if v, ok := constantValue(out.Args[0]); ok {
			return &syntax.String{Pos: n.Pos, Value: v.TypeName()}
		}
	}
	return out
}

// read is the constant that a name stands for. The reference looks a closure up by its name, and such names it does not
// take: reading one fails.
func read(e syntax.Expr, pos syntax.Pos) syntax.Expr {
	if _, ok := e.(*syntax.Closure); ok {
		return &syntax.Call{Pos: pos, Name: "Fn", Args: []syntax.Expr{&syntax.String{Pos: pos, Value: anonymous}}}
	}
	return constantAt(e, pos)
}

// constantAt is a constant at another place.
func constantAt(e syntax.Expr, pos syntax.Pos) syntax.Expr {
	switch n := e.(type) {
	case *syntax.Array:
		return &syntax.Array{Pos: pos, Items: n.Items}
	case *syntax.Map:
		return &syntax.Map{Pos: pos, Entries: n.Entries}
	case *syntax.Closure:
		moved := *n
		moved.Pos = pos
		return &moved
	case *enclosed:
		return &enclosed{n.Closure, n.given, pos}
	case *syntax.Call:
		moved := *n
		moved.Pos = pos
		return &moved
	case *syntax.Switch:
		moved := *n
		moved.Pos = pos
		return &moved
	case *syntax.Binary:
		if n.Op == ".." || n.Op == "..=" {
			return &syntax.Binary{Pos: pos, Op: n.Op, Left: n.Left, Right: n.Right}
		}
	}
	if v, ok := fold(e); ok {
		return literal(v, pos)
	}
	return e
}

// plain tells whether an expression is a constant to the reference.
func plain(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Closure:
		return len(e.Captures) == 0
	case *enclosed:
		return e.whole()
	case *syntax.Map:
		for _, x := range e.Entries {
			if !plain(x.Value) {
				return false
			}
		}
		return true
	case *syntax.Array:
		for _, x := range e.Items {
			if !plain(x) {
				return false
			}
		}
		return true
	case *syntax.Binary:
		if e.Op == ".." || e.Op == "..=" {
			from, ok := fold(e.Left)
			to, also := fold(e.Right)
			return ok && also && (from.IsInt() || from.IsUnit()) && (to.IsInt() || to.IsUnit()) && (from.IsInt() || to.IsInt())
		}
	case *syntax.Call:
		return isFn(e)
	}
	_, ok := fold(e)
	return ok
}

// isFn tells whether an expression is a constant function pointer.
func isFn(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Closure:
		return len(e.Captures) == 0
	case *enclosed:
		return e.whole()
	case *syntax.Call:
		if len(e.Namespace) > 0 {
			return false
		}
		if e.Name == "curry" && len(e.Args) > 1 {
			return isFn(e.Args[0]) && !slices.ContainsFunc(e.Args[1:], func(a syntax.Expr) bool { return !plain(a) })
		}
		if e.Name != "Fn" || len(e.Args) != 1 {
			return false
		}
		name, ok := fold(e.Args[0])
		return ok && name.IsString() && syntax.IsName(name.Text())
	}
	return false
}
