package syntax

import "strings"

// stmt parses a statement; nil when it is empty, or a function definition. terminated tells that it needs no
// semicolon.
func (p *parser) stmt(level int) (s Stmt, terminated bool) {
	var doc []string
	if p.tok.kind == tDoc {
		pos := p.tok.pos
		if !p.global {
			panic(misplacedDoc(pos))
		}
		doc = p.doc()
		if p.tok.kind != tFn && p.tok.kind != tPrivate {
			panic(misplacedDoc(pos))
		}
	}
	pos := p.tok.pos
	switch p.tok.kind {
	case tSemicolon:
		p.advance()
		return nil, true
	case tEOF:
		return nil, true
	case tFn, tPrivate:
		p.function(doc)
		return nil, true
	}
	level = p.enter(level, pos)
	switch p.tok.kind {
	case tLeftBrace:
		return p.block(level, pos), true
	case tIf:
		return p.ifStmt(p.enter(level, pos)), true
	case tSwitch:
		return p.switchStmt(p.enter(level, pos)), true
	case tWhile, tLoop, tDo, tFor:
		if p.opts.NoLoop {
			panic(unexpected(p.text(), pos))
		}
		do := p.tok.kind == tDo
		return p.loop(p.enter(level, pos)), !do
	case tLet, tConst:
		return p.let(level), false
	case tBreak, tContinue, tReturn, tThrow:
		return p.leave(level), false
	case tTry:
		return p.try(p.enter(level, pos)), true
	case tImport:
		return p.importStmt(p.enter(level, pos)), false
	case tExport:
		return p.export(p.enter(level, pos)), false
	}
	return p.exprStmt(level)
}

// doc collects doc comments. Lines that follow one another are one comment.
func (p *parser) doc() []string {
	var list []string
	lines := false
	for p.tok.kind == tDoc {
		isLine := strings.HasPrefix(p.tok.text, "//")
		if isLine && lines {
			list[len(list)-1] += "\n" + p.tok.text
		} else {
			list = append(list, p.tok.text)
		}
		lines = isLine
		p.advance()
	}
	return list
}

func misplacedDoc(pos Pos) *Error {
	return fail(WrongDocComment, pos, "Doc-comment must be followed immediately by a function definition")
}

// terminate makes sure that a statement in a list ends here.
func (p *parser) terminate(terminated bool) {
	switch {
	case p.tok.kind == tSemicolon:
		p.advance()
	case terminated:
	default:
		p.raise()
		panic(missing(";", p.tok.pos, "to terminate this statement"))
	}
}

// block parses `{ … }`, which belongs to the construct at owner.
func (p *parser) block(level int, owner Pos) *Block {
	b := p.openBlock(level, owner)
	p.advance()
	return b
}

// openBlock parses a block up to its closing brace, which stays the current token.
func (p *parser) openBlock(level int, owner Pos) *Block {
	b := &Block{Pos: p.tok.pos}
	if p.tok.kind != tLeftBrace {
		p.raise()
		panic(missing("{", b.Pos, "to start a statement block"))
	}
	level = p.enter(level, owner)
	p.advance()
	global, mark, modules := p.global, len(p.locals), len(p.modules)
	p.global = false
	p.frame.depth++
	for p.tok.kind != tRightBrace {
		if p.tok.kind == tEOF {
			panic(missing("}", p.tok.pos, "to terminate this block"))
		}
		s, terminated := p.stmt(level)
		if s != nil {
			b.Body = append(b.Body, s)
			if p.tok.kind != tRightBrace {
				p.terminate(terminated)
			}
		}
	}
	p.frame.depth--
	p.forget(mark)
	p.global, p.modules = global, p.modules[:modules]
	b.End = p.tok.pos
	return b
}

// cond parses a condition: an expression that is neither a block nor an assignment.
func (p *parser) cond(level int) Expr {
	p.mustNotBeBlock()
	x := p.expr(level)
	mustBeBool(x)
	p.mustNotAssign()
	return x
}

func (p *parser) mustNotBeBlock() {
	if p.tok.kind == tLeftBrace {
		panic(fail(ExprExpected, p.tok.pos, "Expecting a boolean expression"))
	}
}

func (p *parser) mustNotAssign() {
	if p.tok.kind == tAssign {
		panic(typo(p.tok.pos))
	}
}

func typo(pos Pos) *Error {
	return lexError(ImproperSymbol, pos, "Possibly a typo of '=='?")
}

func (p *parser) ifStmt(level int) *If {
	s := &If{Pos: p.tok.pos}
	p.advance()
	s.Cond = p.cond(level)
	s.Then = p.block(level, s.Pos)
	if p.accept(tElse) {
		if p.tok.kind == tIf {
			s.Else = p.ifStmt(p.enter(level, p.tok.pos))
		} else {
			s.Else = p.block(level, s.Pos)
		}
	}
	return s
}

func (p *parser) loop(level int) Stmt {
	t := p.tok
	p.advance()
	switch t.kind {
	case tWhile:
		cond := p.cond(level)
		return &While{t.pos, cond, p.loopBody(level, t.pos)}
	case tLoop:
		return &Loop{t.pos, p.loopBody(level, t.pos)}
	case tDo:
		s := &Do{Pos: t.pos, Body: p.loopBody(level, t.pos)}
		if s.Until = p.tok.kind == tUntil; s.Until {
			p.advance()
		} else {
			p.require(tWhile, "for the do statement")
		}
		s.Cond = p.cond(level)
		return s
	}
	return p.forLoop(t.pos, level)
}

func (p *parser) loopBody(level int, owner Pos) *Block {
	inLoop := p.inLoop
	p.inLoop = true
	b := p.block(level, owner)
	p.inLoop = inLoop
	return b
}

func (p *parser) forLoop(pos Pos, level int) Stmt {
	s := &For{Pos: pos}
	if p.accept(tLeftParen) {
		s.Name = p.variableName()
		p.require(tComma, "after the iteration variable name")
		counter := p.variableName()
		if counter.Text == s.Name.Text {
			panic(fail(DuplicatedVariable, counter.Pos, "Duplicated variable name: %s", counter.Text))
		}
		s.Counter = &counter
		p.require(tRightParen, "to close the iteration variable")
	} else {
		s.Name = p.variableName()
	}
	p.expect(tIn, "after the iteration variable")
	p.mustNotBeBlock()
	s.Iterable = p.expr(level)
	mustIterate(s.Iterable)

	mark := len(p.locals)
	if s.Counter != nil {
		p.allow(*s.Counter, false)
		p.declare(*s.Counter, false)
	}
	p.allow(s.Name, false)
	p.declare(s.Name, false)
	s.Body = p.loopBody(level, pos)
	p.forget(mark)
	return s
}

func (p *parser) let(level int) *Let {
	s := p.nodes.lets.make(Let{Pos: p.tok.pos, Const: p.tok.kind == tConst})
	level = p.enter(level, s.Pos)
	p.advance()
	s.Name = p.variableName()
	p.define(s.Name, s.Const)
	if p.accept(tAssign) {
		s.Value = p.expr(level)
	}
	p.declare(s.Name, s.Const)
	return s
}

// leaves tells whether a statement begins here that leaves the loop or the function.
func (p *parser) leaves() bool {
	switch p.tok.kind {
	case tBreak, tContinue, tReturn, tThrow:
		return true
	}
	return false
}

// leave parses break, continue, return and throw.
func (p *parser) leave(level int) Stmt {
	t := p.tok
	if (t.kind == tBreak || t.kind == tContinue) && !p.inLoop {
		if p.opts.NoLoop {
			panic(unexpected(p.text(), t.pos))
		}
		panic(fail(LoopBreak, t.pos, "Break statement should only be used inside a loop"))
	}
	p.advance()
	if t.kind == tContinue {
		return &Continue{t.pos}
	}
	var value Expr
	// A value that is too deep at once counts for none.
	if level < p.maxDepth && p.beginsExpr() {
		value = p.expr(level)
	}
	switch t.kind {
	case tBreak:
		return &Break{t.pos, value}
	case tReturn:
		return &Return{t.pos, value}
	}
	return &Throw{t.pos, value}
}

// beginsExpr tells whether the current token can begin an expression.
func (p *parser) beginsExpr() bool {
	switch p.tok.kind {
	case tIdent, tReserved, tSymbol, tError, tInt, tFloat, tChar, tString, tInterp, tTrue, tFalse, tUnit,
		tLeftParen, tLeftBracket, tLeftBrace, tMapBrace, tMinus, tUnaryMinus, tPlus, tUnaryPlus, tBang, tPipe, tOrOr, tRange, tRangeInclusive,
		tIf, tSwitch, tWhile, tLoop, tDo, tFor:
		return true
	}
	return len(p.opts.CustomSyntax) > 0 && p.opts.CustomSyntax[p.text()] != nil
}

func (p *parser) try(level int) *Try {
	s := &Try{Pos: p.tok.pos}
	p.advance()
	s.Body = p.block(level, s.Pos)
	p.require(tCatch, "for the 'try' statement")
	mark := len(p.locals)
	if p.accept(tLeftParen) {
		name := p.variableName()
		s.Name = &name
		p.require(tRightParen, "to enclose the catch variable")
		p.declare(name, false)
	}
	s.Catch = p.block(level, s.Pos)
	p.forget(mark)
	return s
}

func (p *parser) importStmt(level int) *Import {
	s := &Import{Pos: p.tok.pos}
	p.advance()
	s.Path = p.expr(level)
	if p.accept(tAs) {
		name := p.variableName()
		s.Alias = &name
		p.modules = append(p.modules, name.Text)
	}
	return s
}

func (p *parser) export(level int) Stmt {
	pos := p.tok.pos
	if !p.global {
		panic(fail(WrongExport, pos, "Export statement can only appear at global level"))
	}
	p.advance()
	if p.tok.kind == tLet || p.tok.kind == tConst {
		s := p.let(level)
		s.Export = true
		return s
	}
	s := &Export{Pos: pos, Name: p.variableName()}
	if p.accept(tAs) {
		alias := p.variableName()
		s.Alias = &alias
	}
	return s
}

// exprStmt parses an expression or an assignment.
func (p *parser) exprStmt(level int) (s Stmt, terminated bool) {
	x := p.expr(level)
	op := p.tok
	if op.kind != tAssign && op.kind != tOpAssign {
		if c, ok := x.(*Custom); ok {
			return p.nodes.exprs.make(ExprStmt{x}), c.closed()
		}
		return p.nodes.exprs.make(ExprStmt{x}), false
	}
	p.advance()
	a := p.nodes.assigns.make(Assign{Pos: op.pos, Target: x, Value: p.expr(level)})
	if op.kind == tOpAssign {
		a.Op = op.text
	}
	p.mustAssign(x, op)
	return a, false
}

// mustAssign makes sure that x can be assigned to by the operator.
func (p *parser) mustAssign(x Expr, op token) {
	if isConstant(x) {
		panic(fail(AssignmentToConstant, x.Position(), "Cannot assign to a constant value"))
	}
	switch x := x.(type) {
	case *Ident:
		if len(x.Namespace) > 0 {
			return
		}
		if i := p.lookup(x.Name); i >= 0 && p.locals[i].constant {
			panic(fail(AssignmentToConstant, x.Pos, "Cannot assign to constant %s", x.Name))
		}
		return
	case *Binary:
		if op.kind == tAssign && (x.Op == "&&" || x.Op == "||" || x.Op == "??") {
			panic(typo(op.pos))
		}
	}
	mustBePlace(x)
}

// mustBePlace makes sure that x is a variable or a part of one. The leftmost call in it is to blame before what it
// begins with.
func mustBePlace(x Expr) {
	var bad Pos
	for {
		switch y := x.(type) {
		case *Property:
			x = y.Base
			continue
		case *Index:
			x = y.Base
			continue
		case *Method:
			x, bad = y.Base, y.Name.Pos
			continue
		case *Ident, *This:
			if !bad.IsValid() {
				return
			}
		default:
			if !bad.IsValid() {
				bad = x.Position()
			}
		}
		panic(fail(AssignmentToInvalidLHS, bad, "Expression cannot be assigned to"))
	}
}
