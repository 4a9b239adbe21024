package compile

import (
	"math"

	"circles/pkg/rhai/syntax"
)

// The reference simplifies in passes over the whole source until nothing changes, each of which does one step: the name
// of a constant becomes its value, what is made of literals is computed, and so on. Here all of it is done at once. How
// many passes it takes the reference is visible still where it depends on what is a constant first: which operand of a
// run of && is the last that is left, and whether an index is known in time.

// stage is how many passes leave a constant expression in a state.
type stage struct {
	constant int // nothing but literals and runs of && and so on of them are in it
	literal  int // it is computed
}

// never is the stage of what does not become a literal.
const never = math.MaxInt32

// stage is that of an expression that was simplified, to a constant.
func (s *simplifier) stage(e syntax.Expr) stage {
	switch n := e.(type) {
	case *syntax.Ident:
		return stage{1, 1}
	case *syntax.Closure:
		if len(n.Captures) > 0 {
			return stage{1, 1}
		}
	case *syntax.Array:
		return s.stages(n.Items...)
	case *syntax.Map:
		var all stage
		for _, x := range n.Entries {
			all = all.and(s.stage(x.Value))
		}
		return all
	case *syntax.Interpolated:
		return s.stages(n.Parts...)
	case *syntax.Unary:
		if signed(n) {
			return stage{}
		}
		return s.stage(n.Operand).next()
	case *syntax.Binary:
		if !isLogical(n.Op) {
			return s.stages(n.Left, n.Right).next()
		}
		if at, ok := s.runs[n]; ok {
			return at
		}
		return stage{s.stages(operands(n, n.Op, nil)...).constant, never}
	case *syntax.Property:
		return s.partStage(n.Base, &syntax.String{Value: n.Name.Text})
	case *syntax.Index:
		return s.partStage(n.Base, n.Key)
	case *syntax.Method:
		return s.baseStage(n.Base).and(s.stages(n.Args...)).next()
	case *syntax.Call:
		return s.stages(n.Args...).next()
	case *syntax.Block:
		if only, ok := onlyExpr(n); ok {
			inner := s.stage(only)
			return stage{inner.constant, max(1, inner.literal)}
		}
		if len(n.Body) == 0 {
			return stage{0, 1}
		}
		return stage{constantIf(!computes(n)), 1 + emptied(n)}
	case syntax.Stmt:
		return stage{constantIf(!computes(n)), 1 + emptied(n)}
	}
	return stage{}
}

// emptied is how many passes more it takes when a statement, all of which goes, leaves unit behind.
func emptied(n syntax.Stmt) int {
	switch n := n.(type) {
	case *syntax.ExprStmt:
		return 0
	case *syntax.Block:
		if len(n.Body) > 0 {
			return emptied(n.Body[len(n.Body)-1])
		}
	case *syntax.If:
		switch yes, ok := condition(n.Cond); {
		case yes:
			return emptied(n.Then)
		case !ok && (n.Else != nil || len(n.Then.Body) > 0):
			return 0
		case ok && n.Else != nil:
			return emptied(n.Else)
		}
	case *syntax.Switch:
		if len(n.Cases) > 0 || n.Default != nil {
			return 0
		}
	}
	return 1
}

// stages is the stage of several expressions, any of which may be missing.
func (s *simplifier) stages(list ...syntax.Expr) stage {
	var all stage
	for _, e := range list {
		if e != nil {
			all = all.and(s.stage(e))
		}
	}
	return all
}

// baseStage is the stage of what a path begins at: the name of a constant is looked up with the step behind it.
func (s *simplifier) baseStage(e syntax.Expr) stage {
	if _, named := e.(*syntax.Ident); named {
		return stage{}
	}
	return s.stage(e)
}

// and is the stage of what is made of two.
func (a stage) and(b stage) stage {
	return stage{max(a.constant, b.constant), max(a.literal, b.literal)}
}

// next is the stage of what is computed of literals.
func (a stage) next() stage {
	passes := min(a.literal+1, never)
	return stage{passes, passes}
}

// partStage is the stage of a part of a container, which is taken out of it once the container is a constant and the key a
// literal.
func (s *simplifier) partStage(base, key syntax.Expr) stage {
	var all, part stage
	switch base := base.(type) {
	case *syntax.Map:
		name, known := key.(*syntax.String)
		for _, x := range base.Entries {
			at := s.stage(x.Value)
			all = all.and(at)
			if !known || name.Value == x.Key.Text {
				part = part.and(at)
			}
		}
	case *syntax.Array:
		n, known := key.(*syntax.Int)
		for i, x := range base.Items {
			at := s.stage(x)
			all = all.and(at)
			if !known || within(n.Value, len(base.Items)) == i {
				part = part.and(at)
			}
		}
	default:
		all = s.baseStage(base)
		part = all
	}
	taken := max(all.constant, s.stage(key).literal)
	return stage{min(taken+1, never), min(max(taken, part.literal)+1, never)}
}

// constantIf is the pass that something is a constant after: none, if it is from the first.
func constantIf(fromTheFirst bool) int {
	if fromTheFirst {
		return 0
	}
	return 1
}

// onlyExpr is the expression that is all of a block, which may be a statement as well: see only.
func onlyExpr(b *syntax.Block) (syntax.Expr, bool) {
	if len(b.Body) != 1 {
		return nil, false
	}
	x, ok := b.Body[0].(*syntax.ExprStmt)
	if !ok {
		return nil, false
	}
	return x.X, true
}
