package syntax

import (
	"errors"
	"math"
)

func (p *parser) switchStmt(level int) *Switch {
	s := &Switch{Pos: p.tok.pos}
	p.advance()
	s.Subject = p.expr(level)
	p.expect(tLeftBrace, "to start a switch block")

	mark := len(p.locals)
	var defaultPos Pos
	ranges := false
	for p.tok.kind != tRightBrace {
		switch {
		case p.tok.kind == tEOF:
			panic(missing("}", p.tok.pos, "to end this switch block"))
		case s.Default != nil:
			panic(fail(WrongSwitchDefaultCase, defaultPos, "Default switch case must be the last"))
		case p.tok.kind == tUnderscore:
			defaultPos = p.tok.pos
			p.advance()
			if p.tok.kind == tIf {
				panic(fail(WrongSwitchCaseCondition, p.tok.pos, "This switch case cannot have a condition"))
			}
			body, terminated := p.caseBody(level)
			s.Default = body
			p.endCase(terminated)
		default:
			c := &Case{Pos: p.tok.pos, Values: p.caseValues(level)}
			if p.accept(tIf) {
				c.Guard = p.cond(level)
			}
			var terminated bool
			c.Body, terminated = p.caseBody(level)
			ranges = checkCase(c, ranges)
			p.endCase(terminated)
			s.Cases = append(s.Cases, c)
		}
	}
	p.advance()
	p.forget(mark)
	return s
}

// caseValues parses the values of a case.
func (p *parser) caseValues(level int) []Expr {
	var values []Expr
	for {
		values = append(values, p.caseValue(level))
		if !p.accept(tPipe) {
			return values
		}
	}
}

// checkCase makes sure that the values of a case are literals, and that numbers come before ranges. ranges tells
// whether there was a range in the switch so far.
func checkCase(c *Case, ranges bool) bool {
	for _, x := range c.Values {
		switch v := x.(type) {
		case *Binary:
			from, to, ok := intRange(v)
			if !ok {
				panic(fail(ExprExpected, start(v), "Expecting a literal expression"))
			}
			ranges = ranges || from < to || from == to && v.Op == "..=" // an empty one does not count
		case *Int, *Float:
			if ranges {
				panic(fail(WrongSwitchIntegerCase, v.Position(), "Numeric switch case cannot follow a range case"))
			}
		default:
			if !isConstant(x) && !isPointer(x) {
				panic(fail(ExprExpected, start(x), "Expecting a literal expression"))
			}
		}
	}
	return ranges
}

// caseValue parses a value of a case. Whatever is wrong with it, what is reported is that it is no literal.
func (p *parser) caseValue(level int) (x Expr) {
	defer func() {
		if r := recover(); r != nil {
			var err *Error
			if e, ok := r.(error); !ok || !errors.As(e, &err) {
				panic(r)
			}
			panic(fail(ExprExpected, err.Pos, "Expecting literal expression"))
		}
	}()
	noPipe := p.noPipe
	p.noPipe = true
	x = p.expr(level)
	p.noPipe = noPipe
	return x
}

// intRange is the range of integers that an expression is; a unit leaves one of its ends open.
func intRange(b *Binary) (from, to int64, ok bool) {
	if b.Op != ".." && b.Op != "..=" {
		return 0, 0, false
	}
	first, begins := b.Left.(*Int)
	last, ends := b.Right.(*Int)
	switch {
	case begins && ends:
		return first.Value, last.Value, true
	case begins:
		_, ok = b.Right.(*Unit)
		return first.Value, math.MaxInt64, ok
	case ends:
		_, ok = b.Left.(*Unit)
		return 0, last.Value, ok
	}
	return 0, 0, false
}

// isPointer tells whether an expression is a function pointer by the name of a function.
func isPointer(x Expr) bool {
	call, ok := x.(*Call)
	if !ok || call.Name != "Fn" || len(call.Namespace) > 0 || call.CaptureScope || len(call.Args) != 1 {
		return false
	}
	name, ok := call.Args[0].(*String)
	return ok && IsName(name.Value)
}

// caseBody parses the arrow and the statement behind it.
func (p *parser) caseBody(level int) (body Stmt, terminated bool) {
	p.expect(tArrow, "in this switch case")
	pos := p.tok.pos
	body, terminated = p.stmt(level)
	if body == nil {
		return &Block{Pos: pos, End: pos}, false
	}
	return body, terminated
}

// endCase parses the comma that another case needs before it, unless the statement is terminated.
func (p *parser) endCase(terminated bool) {
	switch p.tok.kind {
	case tComma:
		p.advance()
	case tRightBrace:
	case tEOF:
		panic(missing(")", p.tok.pos, "to end this switch block"))
	default:
		if !terminated || p.tok.kind == tError {
			p.raise()
			panic(missing(",", p.tok.pos, "to separate the items in this switch block"))
		}
	}
}
