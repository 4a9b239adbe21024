package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
)

// blockStmt simplifies a block that is a statement, and goes on with the list around it or is a scope.
func (s *simplifier) blockStmt(n *syntax.Block, wanted, joins bool) syntax.Stmt {
	evals := s.evals
	s.joins = joins
	b := s.block(n, wanted)
	if len(b.Body) == 0 {
		return nil
	}
	if wanted && s.evals > evals && isScope(n) && !isScope(b) {
		return scoped(b)
	}
	if x, ok := b.Body[0].(*syntax.ExprStmt); ok && len(b.Body) == 1 && !isCall(x.X) {
		return x
	}
	if joins && s.evals > evals && !isScope(n) && isScope(b) {
		return unscoped(b)
	}
	return b
}

// branch simplifies a statement, or the body of a case, that is a block to the reference, braces or not: evals in it are
// not in the statements around.
func (s *simplifier) branch(n syntax.Stmt, wanted bool) syntax.Stmt {
	if b, ok := n.(*syntax.Block); ok {
		return s.blockStmt(b, wanted, false)
	}
	evaluated := s.evaluated
	defer func() { s.evaluated = evaluated }()
	return s.stmt(n, wanted)
}

// unwrapped is how many evals are in the statements around from now on, since what is left of a block is an expression.
func (s *simplifier) unwrapped(left syntax.Node) int {
	if x, ok := left.(*syntax.ExprStmt); ok {
		left = x.X
	}
	x, ok := left.(syntax.Expr)
	if _, stays := left.(syntax.Stmt); !ok || stays || isCall(x) || s.ended == 0 {
		return 0
	}
	s.called = true
	return s.ended
}

// choice simplifies the body of a case, or what is chosen where no case is. An expression is no block, in braces or not.
func (s *simplifier) choice(body syntax.Stmt, wanted, otherwise bool) syntax.Stmt {
	switch n := body.(type) {
	case *syntax.Block:
		if only(n) != nil {
			return s.stmt(n.Body[0], wanted)
		}
	case *syntax.ExprStmt:
		if _, inner := n.X.(syntax.Stmt); !inner {
			return s.stmt(n, wanted)
		}
	}
	s.ended = 0
	out := enclose(s.branch(body, wanted))
	if b, ok := body.(*syntax.Block); ok && len(b.Body) > 0 && !wanted {
		if last := b.Body[len(b.Body)-1]; idle(last) || defines(last) {
			return out // which is left out only when the block is a statement of its own
		}
	}
	if n := s.unwrapped(out); otherwise {
		s.evaluated += n
	}
	return out
}

// braces simplifies a block that is an expression.
func (s *simplifier) braces(b *syntax.Block) *syntax.Block {
	if only(b) == nil {
		return s.block(b, true)
	}
	x := s.stmt(b.Body[0], true)
	switch x {
	case nil:
		return &syntax.Block{Pos: b.Pos, End: b.End}
	case b.Body[0]:
		return b
	}
	return &syntax.Block{Pos: b.Pos, Body: []syntax.Stmt{x}, End: b.End}
}

// only is the expression that is all of a block, which is no block to the reference then; nil when there is none.
func only(b *syntax.Block) syntax.Expr {
	x, ok := onlyExpr(b)
	if _, inner := x.(syntax.Stmt); !ok || inner {
		return nil
	}
	return x
}

func (s *simplifier) block(b *syntax.Block, wanted bool) *syntax.Block {
	body := s.list(b.Body, wanted, true)
	if sameList(body, b.Body) {
		return b
	}
	return &syntax.Block{Pos: b.Pos, Body: body, End: b.End}
}

// isSingle tells whether a block is nothing but a statement.
func isSingle(b *syntax.Block) bool {
	if len(b.Body) != 1 {
		return false
	}
	inner, ok := b.Body[0].(*syntax.Block)
	return !ok || !isScope(inner) && isSingle(inner)
}

// enclose is what is left of a choice, which is a scope where it is a call of eval.
func enclose(left syntax.Stmt) syntax.Stmt {
	if left == nil || !isEval(left) {
		return left
	}
	pos := left.Position()
	return scoped(&syntax.Block{Pos: pos, Body: []syntax.Stmt{left}, End: pos})
}

// unscoped is a block that is no scope, although calls of eval have become statements of it: see isScope.
func unscoped(b *syntax.Block) *syntax.Block {
	out := &syntax.Block{Pos: b.Pos, Body: slices.Clone(b.Body), End: b.End}
	for i, stmt := range out.Body {
		if isEval(stmt) {
			pos := stmt.Position()
			x := &syntax.Binary{Pos: pos, Op: "??", Left: &syntax.Unit{Pos: pos}, Right: stmt.(*syntax.ExprStmt).X}
			out.Body[i] = &syntax.ExprStmt{X: x}
		}
	}
	return out
}

// scoped is a block that was chosen, which is a scope whatever is in it: see isScope.
func scoped(b *syntax.Block) syntax.Stmt {
	return &syntax.If{Pos: b.Pos, Cond: &syntax.Bool{Pos: b.Pos, Value: true}, Then: b}
}

// selected simplifies a block, or what a switch comes to, that is a scope unless it is but one statement.
func (s *simplifier) selected(part func() syntax.Stmt) syntax.Stmt {
	evals := s.evals
	out := part()
	if b, ok := out.(*syntax.Block); ok && !isSingle(b) && s.evals > evals {
		return scoped(b)
	}
	return out
}
