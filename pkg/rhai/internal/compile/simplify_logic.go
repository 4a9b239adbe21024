package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
)

// logical simplifies a run of one logical operator. Operands that make no difference are left out, and those behind one
// that decides. Of && and || a constant that decides is the value, whatever the types of constants before it are; of
// nothing at all it is false, or true for &&.
func (s *simplifier) logical(n *syntax.Binary) syntax.Expr {
	all := operands(n, n.Op, make([]syntax.Expr, 0, 4))
	count := len(all)
	left := slices.DeleteFunc(all, func(e syntax.Expr) bool {
		b, isBool := e.(*syntax.Bool)
		return n.Op == "??" && isUnit(e) || n.Op != "??" && isBool && b.Value == (n.Op == "&&")
	})
	if len(left) == 1 {
		x := s.expr(left[0])
		at := s.stage(left[0])
		s.settled(n, stage{at.constant, max(1, at.literal)})
		return x
	}
	list, changed := make([]operand, 0, len(left)), len(left) < count
	for _, e := range left {
		x := s.operand(n.Op, e)
		changed = changed || x.simplified != e
		list = append(list, x)
		if x.decides {
			break
		}
	}
	if !slices.ContainsFunc(list, func(x operand) bool { return !x.constant }) {
		list, more := s.constants(n.Op, list, left[len(list):])
		if which, at := settle(n.Op, list, more); at.literal < never {
			s.settled(n, at)
			if which < 0 {
				return &syntax.Bool{Pos: n.Pos, Value: n.Op == "&&"}
			}
			return list[which].simplified
		}
	}
	changed = changed || len(list) < len(left)
	var out []syntax.Expr
	for _, x := range list {
		switch {
		case x.neutral:
		case n.Op == "??" && len(out) > 0 && plain(x.simplified):
			out = append(out, s.unjoined(x.source, x.simplified, x.at.literal))
		default:
			out = append(out, x.simplified)
		}
	}
	switch {
	case len(out) == 0:
		return &syntax.Bool{Pos: n.Pos, Value: n.Op == "&&"}
	case len(out) == 1:
		return out[0]
	case !changed:
		return n
	}
	x := out[0]
	for _, right := range out[1:] {
		x = &syntax.Binary{Pos: n.Pos, Op: n.Op, Left: x, Right: right}
	}
	return x
}

// settled notes the stage of a run.
func (s *simplifier) settled(n *syntax.Binary, at stage) {
	if s.runs == nil {
		s.runs = map[*syntax.Binary]stage{}
	}
	s.runs[n] = at
}

// operand simplifies an operand of a run.
func (s *simplifier) operand(op string, e syntax.Expr) operand {
	x := operand{source: e, simplified: s.expr(e)}
	x.constant = constant(x.simplified)
	if !x.constant {
		return x
	}
	x.at = s.stage(e)
	if op == "??" {
		x.neutral = isUnit(x.simplified)
		x.decides = !x.neutral && plain(x.simplified)
	} else if v, known := condition(x.simplified); known {
		x.neutral = v == (op == "&&")
		x.decides = !x.neutral
	}
	return x
}

// constants are the operands of a run that are constants, after the first ones of it, which are, and whether others follow.
// One that is sooner a literal may be the value although another one is before it.
func (s *simplifier) constants(op string, list []operand, behind []syntax.Expr) ([]operand, bool) {
	evals, evaluated := s.evals, s.evaluated
	defer func() { s.evals, s.evaluated = evals, evaluated }() // they go
	for i, e := range behind {
		x := s.operand(op, e)
		if !x.constant {
			return list, i < len(behind)
		}
		list = append(list, x)
	}
	return list, false
}

// unjoined is an operand of ?? behind another, in which texts are joined no longer once it is a constant.
func (s *simplifier) unjoined(e, simplified syntax.Expr, passes int) syntax.Expr {
	switch n := e.(type) {
	case *syntax.Interpolated:
		text, ok := s.texts[n]
		if _, joined := simplified.(*syntax.String); !joined || !ok || s.stage(n).literal < passes {
			break
		}
		out := &syntax.Interpolated{Pos: text.Pos, Parts: slices.Clone(text.Parts)}
		for i, part := range out.Parts {
			out.Parts[i] = s.unjoined(n.Parts[i], part, passes)
		}
		return out
	case *syntax.Block:
		only, ok := onlyExpr(n)
		if !ok {
			break
		}
		block, isBlock := simplified.(*syntax.Block)
		if !isBlock {
			return s.unjoined(only, simplified, passes)
		}
		if x, ok := onlyExpr(block); ok {
			x = s.unjoined(only, x, passes)
			return &syntax.Block{Pos: block.Pos, Body: []syntax.Stmt{&syntax.ExprStmt{X: x}}, End: block.End}
		}
	case *syntax.Array:
		array, ok := simplified.(*syntax.Array)
		if !ok || len(array.Items) != len(n.Items) {
			break
		}
		out := &syntax.Array{Pos: array.Pos, Items: slices.Clone(array.Items)}
		for i, x := range out.Items {
			out.Items[i] = s.unjoined(n.Items[i], x, passes)
		}
		return out
	case *syntax.Map:
		m, ok := simplified.(*syntax.Map)
		if !ok || len(m.Entries) != len(n.Entries) {
			break
		}
		out := &syntax.Map{Pos: m.Pos, Entries: slices.Clone(m.Entries)}
		for i, x := range out.Entries {
			out.Entries[i].Value = s.unjoined(n.Entries[i].Value, x.Value, passes)
		}
		return out
	}
	return simplified
}

// operands are those of a run of an operator, in the order of the source.
func operands(e syntax.Expr, op string, list []syntax.Expr) []syntax.Expr {
	if b, ok := e.(*syntax.Binary); ok && b.Op == op {
		return operands(b.Right, op, operands(b.Left, op, list))
	}
	return append(list, e)
}

// operand is one of a run of a logical operator.
type operand struct {
	source, simplified syntax.Expr
	constant           bool // it is a constant, or a choice between some by another
	neutral, decides   bool // it is a constant that makes no difference, or makes that of those behind it
	at                 stage
}

// settle is which operand of a run of constants is the value of all of it, none (-1) where all make no difference and go
// with the same pass, and when it is. Others follow them in the source, which matter as long as they are there, if more is
// set. In each pass the literals that make no difference go, and one that is alone is the value. So is a literal that
// decides if those before it are constants; for ?? if it is the first.
func settle(op string, list []operand, more bool) (which int, at stage) {
	last, constant := lastStage(list)+2, 0
	for _, x := range list {
		constant = max(constant, x.at.constant)
	}
	for passes := 1; passes <= last; passes++ {
		first, count, decider := -1, 0, -1
		for i, x := range list {
			isLiteral := x.at.literal < passes
			if isLiteral && x.neutral {
				continue
			}
			count++
			if first < 0 {
				first = i
			}
			if isLiteral && x.decides {
				decider = i
				break
			}
		}
		if more && decider >= 0 { // it is no constant before the others are gone
			constant = max(constant, passes)
		}
		switch {
		case decider < 0 && count == 0 && !more:
			return -1, stage{constant, passes}
		case decider == first && decider >= 0:
			return decider, stage{constant, passes}
		case decider < 0 && count == 1 && !more:
			return first, stage{constant, max(passes, list[first].at.literal)}
		case decider < 0:
			continue
		}
		list, more = list[:decider+1], false
		late := false
		for _, x := range list[:decider] {
			late = late || x.at.constant > passes
		}
		if op != "??" && !late {
			return decider, stage{constant, passes}
		}
	}
	return -1, stage{constant, never}
}

// lastStage is how many passes make a literal or a constant of all of a list that becomes one.
func lastStage(list []operand) int {
	n := 0
	for _, x := range list {
		for _, passes := range []int{x.at.literal, x.at.constant} {
			if passes != never {
				n = max(n, passes)
			}
		}
	}
	return n
}
