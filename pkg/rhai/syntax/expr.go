package syntax

import (
	"math"
	"strings"
)

// expr parses an expression.
func (p *parser) expr(level int) Expr {
	level = p.enter(level, p.tok.pos)
	if len(p.opts.CustomSyntax) > 0 {
		if def := p.opts.CustomSyntax[p.text()]; def != nil {
			return p.custom(def, level)
		}
	}
	pos := p.tok.pos
	return p.binary(p.unary(level), 0, level, pos)
}

// unary parses an operand and the signs before it.
func (p *parser) unary(level int) Expr {
	pos := p.tok.pos
	switch p.tok.kind {
	case tMinus, tUnaryMinus:
		level = p.enter(level, pos)
		p.advance()
		x := p.unary(level)
		if n := negate(x, pos); n != nil {
			return n
		}
		return &Unary{pos, "-", x}
	case tPlus, tUnaryPlus:
		level = p.enter(level, pos)
		p.advance()
		x := p.unary(level)
		switch x.(type) {
		case *Int, *Float:
			return x
		}
		return &Unary{pos, "+", x}
	case tBang:
		level = p.enter(level, pos)
		p.advance()
		return &Unary{pos, "!", p.unary(level)}
	case tRange, tRangeInclusive:
		// The operator stays for binary to find.
		return p.nodes.ints.make(Int{Pos: pos})
	}
	return p.primary(level)
}

// infix is the precedence of the current token as an operator; zero when it is none.
func (p *parser) infix() int {
	switch k := p.tok.kind; k {
	case tSymbol:
		panic(fail(UnknownOperator, p.tok.pos, "Unknown operator: '%s'", p.tok.text))
	case tOperator:
		return p.opts.Operators[p.tok.text]
	case tPipe:
		if p.noPipe {
			return 0
		}
		return int(precedence[k])
	default:
		return int(precedence[k])
	}
}

// binary parses the operators behind left that bind tighter than parent. pos is where left begins.
func (p *parser) binary(left Expr, parent, level int, pos Pos) Expr {
	for {
		prec := p.infix()
		op := p.tok
		// Powers associate to the right.
		if prec == 0 || prec < parent || prec == parent && op.kind != tPower {
			return left
		}
		p.advance()
		start := p.tok.pos
		var right Expr
		if (op.kind == tRange || op.kind == tRangeInclusive) && p.endsRange() {
			right = &Unit{start}
			if _, counted := left.(*Int); counted {
				right = p.nodes.ints.make(Int{start, math.MaxInt64})
			}
		} else if op.kind == tCoalesce && p.leaves() {
			right = &Block{Pos: start, Body: []Stmt{p.leave(p.enter(level, start))}, End: start}
		} else {
			right = p.unary(level)
		}
		next := p.infix()
		level = p.enter(level, pos)
		pos = op.pos
		if next > prec || next == prec && op.kind == tPower {
			right = p.binary(right, prec, level, start)
		}
		if op.kind == tAndAnd || op.kind == tOrOr {
			mustBeBool(left)
			mustBeBool(right)
		}
		at := op.pos
		if run, ok := left.(*Binary); ok && run.Op == op.text && isLogical(op.kind) {
			at = run.Pos
		}
		left = p.nodes.binary.make(Binary{at, op.text, left, right})
	}
}

// isLogical tells whether an operator may leave its right side alone. A run of one of these is a single expression to
// the reference.
func isLogical(op kind) bool { return op == tAndAnd || op == tOrOr || op == tCoalesce }

// endsRange tells whether the current token can't begin the upper bound of a range.
func (p *parser) endsRange() bool {
	switch p.tok.kind {
	case tRightParen, tRightBracket, tRightBrace, tComma, tSemicolon, tArrow:
		return true
	}
	return false
}

// primary parses an operand with everything behind it that belongs to it.
func (p *parser) primary(level int) Expr {
	t := p.tok
	var x Expr
	switch t.kind {
	case tIdent:
		p.advance()
		switch p.tok.kind {
		case tLeftParen, tUnit, tBang, tColons:
		default:
			p.use(t.text, t.pos)
		}
		x = p.nodes.idents.make(Ident{Pos: t.pos, Name: t.text})
	case tInt:
		p.advance()
		x = p.nodes.ints.make(Int{t.pos, int64(t.bits)})
	case tFloat:
		p.advance()
		x = &Float{t.pos, math.Float64frombits(t.bits)}
	case tString:
		p.advance()
		x = p.nodes.strings.make(String{t.pos, t.text})
	case tChar:
		p.advance()
		x = &Char{t.pos, rune(t.bits)}
	case tTrue, tFalse:
		p.advance()
		x = &Bool{t.pos, t.kind == tTrue}
	case tUnit:
		p.advance()
		x = &Unit{t.pos}
	case tLeftParen:
		x = p.paren(level)
	case tLeftBracket:
		x = p.array(level)
	case tMapBrace:
		x = p.mapLiteral(level)
	case tInterp:
		x = p.interpolated(level)
	case tPipe, tOrOr:
		if p.opts.NoClosures || t.kind == tPipe && p.noPipe {
			panic(unexpected(p.text(), t.pos))
		}
		x = p.closure(level)
	case tReserved:
		x = p.reservedWord()
	case tEOF:
		panic(eof(t.pos))
	case tError:
		p.raise()
	case tSymbol:
		panic(reserved(t.text, t.pos))
	default:
		x = p.statementExpr(level)
		if x == nil {
			panic(unexpected(p.text(), t.pos))
		}
	}
	return p.postfix(x, level)
}

// reservedWord parses a word that only some places allow.
func (p *parser) reservedWord() Expr {
	t := p.tok
	if t.text == "this" && !p.opts.Disabled["this"] {
		if !p.frame.function {
			panic(lexError(ImproperSymbol, t.pos, "'this' can only be used in functions"))
		}
		p.advance()
		return &This{t.pos}
	}
	p.advance()
	switch p.tok.kind {
	case tLeftParen, tUnit, tBang:
		if isBuiltinFunction(t.text) && !p.opts.Disabled[t.text] {
			return &Ident{Pos: t.pos, Name: t.text}
		}
	}
	panic(reserved(t.text, t.pos))
}

// statementExpr parses a statement that is an expression; nil when the current token begins none.
func (p *parser) statementExpr(level int) Expr {
	o := p.opts
	twice := func() int { return p.enter(p.enter(level, p.tok.pos), p.tok.pos) }
	switch p.tok.kind {
	case tLeftBrace:
		if !o.NoStatementExpr {
			return p.block(p.enter(level, p.tok.pos), p.tok.pos)
		}
	case tIf:
		if !o.NoIf {
			return p.ifStmt(twice())
		}
	case tSwitch:
		if !o.NoSwitch {
			return p.switchStmt(twice())
		}
	case tWhile, tLoop, tDo, tFor:
		if !o.NoLoopExpr && !o.NoLoop {
			return p.loop(twice()).(Expr)
		}
	}
	return nil
}

func (p *parser) paren(level int) Expr {
	level = p.enter(level, p.tok.pos)
	p.advance()
	x := p.expr(level)
	p.expect(tRightParen, "for a matching ( in this expression")
	return x
}

func (p *parser) array(level int) Expr {
	a := &Array{Pos: p.tok.pos}
	level = p.enter(level, p.tok.pos)
	p.advance()
	for {
		// As the reference has it, a literal of as many items as the limit allows is one too long.
		if limit := p.opts.MaxArrayItems; limit > 0 && len(a.Items) >= limit {
			panic(tooLarge("Size of array literal", p.tok.pos, limit))
		}
		switch p.tok.kind {
		case tRightBracket:
			p.advance()
			return a
		case tEOF:
			panic(missing("]", p.tok.pos, "to end this array literal"))
		}
		a.Items = append(a.Items, p.expr(p.enter(level, a.Pos)))
		switch p.tok.kind {
		case tComma:
			p.advance()
		case tRightBracket:
		case tEOF:
			panic(missing("]", p.tok.pos, "to end this array literal"))
		default:
			p.raise()
			panic(missing(",", p.tok.pos, "to separate the items of this array literal"))
		}
	}
}

func tooLarge(what string, pos Pos, limit int) *Error {
	return fail(LiteralTooLarge, pos, "%s exceeds the maximum limit (%d)", what, limit)
}

func (p *parser) mapLiteral(level int) Expr {
	const end = "to end this object map literal"
	m := &Map{Pos: p.tok.pos}
	level = p.enter(level, p.tok.pos)
	p.advance()
	seen := make(map[string]struct{})
	for {
		key := Name{p.tok.pos, p.tok.text}
		switch p.tok.kind {
		case tRightBrace:
			p.advance()
			return m
		case tIdent, tString:
		case tReserved:
			panic(reserved(key.Text, key.Pos))
		default:
			p.raise()
			if p.tok.kind == tInterp || len(m.Entries) > 0 && p.tok.kind != tEOF {
				panic(noProperty(key.Pos))
			}
			panic(missing("}", key.Pos, end))
		}
		if _, ok := seen[key.Text]; ok {
			panic(fail(DuplicatedProperty, key.Pos, "Duplicated property for object map literal: %s", key.Text))
		}
		seen[key.Text] = struct{}{}
		p.advance()
		p.expect(tColon, "to follow the property '"+key.Text+"' in this object map literal")
		if limit := p.opts.MaxMapEntries; limit > 0 && len(m.Entries) >= limit {
			panic(tooLarge("Number of properties in object map literal", p.tok.pos, limit))
		}
		m.Entries = append(m.Entries, MapEntry{key, p.expr(p.enter(level, m.Pos))})
		switch p.tok.kind {
		case tComma:
			p.advance()
		case tRightBrace:
		case tIdent:
			panic(missing(",", p.tok.pos, "to separate the items of this object map literal"))
		default:
			p.raise()
			panic(missing("}", p.tok.pos, end))
		}
	}
}

// interpolated parses a back-tick string. After each block the scanner goes on with text where its brace closes.
func (p *parser) interpolated(level int) Expr {
	x := &Interpolated{Pos: p.tok.pos}
	for {
		if p.tok.text != "" {
			x.Parts = append(x.Parts, &String{p.tok.pos, p.tok.text})
		}
		if p.tok.kind != tInterp {
			break
		}
		p.advance()
		block := p.openBlock(p.enter(level, x.Pos), x.Pos)
		x.Parts = append(x.Parts, block)
		after := p.here()
		end := p.scanner.off
		p.tok = p.scanner.text(block.End)
		if p.tok.kind == tError && p.err.Lex == UnterminatedString {
			// An open end is behind the brace, the text itself at it; where there is none, the reference has no place.
			p.err.Pos, p.tok.pos = after, after
			switch rest := p.scanner.src[end:]; {
			case rest == "":
				p.err.Pos = Pos{}
			case strings.HasPrefix(rest, "``"): // a back-tick that begins the text is stepped over first
				p.err.Pos.Column++
			}
		}
		p.last = p.tok.kind
		p.raise()
	}
	p.advance()
	return x
}

func (p *parser) closure(level int) Expr {
	c := &Closure{Pos: p.tok.pos}
	p.limitFunctions(p.tok.pos)
	level = p.enter(level, p.tok.pos)
	open := p.accept(tPipe)
	if !open && p.tok.kind != tLeftBrace { // the host's syntax may have a function that is a block
		p.advance() // `||`
	}
	const end = "to close the parameters list of anonymous function or closure"
	for open {
		if p.accept(tPipe) {
			break
		}
		if p.beginsNoName() {
			panic(missing("|", p.tok.pos, end))
		}
		c.Params = p.param("", c.Params)
		switch p.tok.kind {
		case tPipe:
		case tComma:
			p.advance()
		default:
			p.raise()
			panic(missing(",", p.tok.pos, "to separate the parameters of anonymous function"))
		}
	}

	outer, global, inLoop, noPipe, mark := p.frame, p.global, p.inLoop, p.noPipe, len(p.locals)
	p.frame = &frame{base: mark, function: true, closure: true}
	p.global, p.inLoop, p.noPipe = false, false, false
	for _, name := range c.Params {
		p.declare(name, false)
	}
	pos := p.tok.pos
	c.Body, _ = p.stmt(level)
	if c.Body == nil {
		c.Body = &Block{Pos: pos, End: pos}
	}
	c.Captures = p.frame.captures
	p.forget(mark)
	outer.functions += 1 + p.frame.functions
	p.frame, p.global, p.inLoop, p.noPipe = outer, global, inLoop, noPipe
	for _, name := range c.Captures {
		p.use(name.Text, name.Pos)
	}
	return c
}

// param parses a parameter of a function, whose name is empty for a closure.
func (p *parser) param(function string, params []Name) []Name {
	if p.tok.kind == tSymbol {
		panic(reserved(p.tok.text, p.tok.pos))
	}
	name := p.variableName()
	for _, other := range params {
		if other.Text == name.Text {
			panic(fail(FnDuplicatedParam, name.Pos, "Duplicated parameter %s for function %s", name.Text, function))
		}
	}
	return append(params, name)
}

// postfix parses calls, indexing and members behind x. Each member nests what is behind it a level deeper.
func (p *parser) postfix(x Expr, level int) Expr {
	for {
		switch p.tok.kind {
		case tLeftParen, tUnit, tBang:
			id, ok := x.(*Ident)
			if !ok {
				return x
			}
			if p.tok.kind == tBang && len(id.Namespace) > 0 {
				pos := p.tok.pos
				p.advance()
				if p.tok.kind == tLeftParen || p.tok.kind == tUnit {
					panic(unexpected("!", pos))
				}
				panic(lexError(ImproperSymbol, pos, "'!' cannot be used to call module functions"))
			}
			x = p.call(id, level)
		case tColons:
			id, ok := x.(*Ident)
			if !ok {
				return x
			}
			p.qualify(id)
		case tLeftBracket, tSafeBracket:
			x = p.index(x, level)
		case tDot, tSafeDot:
			level = p.enter(level, p.tok.pos)
			x = p.member(x, level)
		default:
			p.checkModule(x)
			return x
		}
	}
}

// qualify makes the name so far a module's, and the name that follows the one meant.
func (p *parser) qualify(id *Ident) {
	p.advance()
	name := p.variableName()
	at := id.Pos
	if len(id.Namespace) > 0 {
		at = p.lastName
	}
	id.Namespace = append(id.Namespace, Name{at, id.Name})
	id.Name, id.NamePos, p.lastName = name.Text, name.Pos, name.Pos
}

// checkModule makes sure that the variable that a chain begins with is of an imported module, if that matters.
func (p *parser) checkModule(chain Expr) {
	if !p.opts.StrictVariables {
		return
	}
	for {
		switch x := chain.(type) {
		case *Index:
			chain = x.Base
		case *Property:
			chain = x.Base
		case *Method:
			chain = x.Base
		case *Ident:
			p.mustImport(x.Namespace)
			return
		default:
			return
		}
	}
}

// mustImport makes sure that the first of the names is an imported module, if that matters.
func (p *parser) mustImport(namespace []Name) {
	if len(namespace) == 0 || !p.opts.StrictVariables || p.frame.closure || namespace[0].Text == "global" {
		return
	}
	for _, m := range p.modules {
		if m == namespace[0].Text {
			return
		}
	}
	panic(fail(ModuleUndefined, namespace[0].Pos, "Undefined module: %s", namespace[0].Text))
}

func (p *parser) call(id *Ident, level int) Expr {
	c := p.nodes.calls.make(Call{Pos: id.Pos, Name: id.Name, Namespace: id.Namespace})
	if len(id.Namespace) > 0 {
		c.Pos = p.lastName
	}
	c.CaptureScope = p.accept(tBang)
	c.Args = p.args(id.Name, level, c.Pos)
	p.mustImport(id.Namespace)
	return c
}

// args parses the arguments of a function.
func (p *parser) args(function string, level int, pos Pos) []Expr {
	if p.accept(tUnit) {
		return nil
	}
	if p.tok.kind != tLeftParen {
		panic(missing("(", p.tok.pos, "to start arguments list of function call"))
	}
	level = p.enter(level, pos)
	p.advance()
	var list []Expr
	if p.tok.kind == tEOF {
		panic(missing(")", p.tok.pos, "to close the arguments list of this function call '"+function+"'"))
	}
	for p.tok.kind != tRightParen {
		list = append(list, p.expr(level))
		switch p.tok.kind {
		case tComma:
			p.advance()
		case tRightParen:
		case tEOF:
			panic(missing(")", p.tok.pos, "to close the arguments list of this function call '"+function+"'"))
		default:
			p.raise()
			panic(missing(",", p.tok.pos, "to separate the arguments to function call '"+function+"'"))
		}
	}
	p.advance()
	return list
}

// index parses a run of `[…]`.
//
// The reference lets a bracket decide about the one before it: in `a[0]?[1]` nothing is indexed when a is unit, and
// in a run that a member follows question marks count for nothing. Parentheses end a run.
func (p *parser) index(x Expr, level int) Expr {
	var run []*Index
	for p.tok.kind == tLeftBracket || p.tok.kind == tSafeBracket {
		t := p.tok
		level = p.enter(level, t.pos)
		p.advance()
		key := p.expr(p.enter(level, t.pos))
		mustIndex(x, key)
		p.expect(tRightBracket, "for a matching [ in this index expression")
		safe := t.kind == tSafeBracket
		if n := len(run); n > 0 {
			run[n-1].Safe = safe
		}
		i := &Index{t.pos, x, key, safe}
		run = append(run, i)
		x = i
	}
	if p.tok.kind == tDot || p.tok.kind == tSafeDot {
		for _, i := range run {
			i.Safe = false
		}
	}
	return x
}

func noProperty(pos Pos) *Error {
	return fail(PropertyExpected, pos, "Expecting name of a property")
}

// member parses a property or a method.
func (p *parser) member(x Expr, level int) Expr {
	dot := p.tok
	p.advance()
	t := p.tok
	switch t.kind {
	case tIdent:
		p.advance()
	case tReserved:
		p.advance()
		calls := p.tok.kind == tLeftParen || p.tok.kind == tUnit || p.tok.kind == tBang
		if !calls || !isBuiltinMethod(t.text) || p.opts.Disabled[t.text] {
			panic(reserved(t.text, t.pos))
		}
	case tSymbol:
		panic(reserved(t.text, t.pos))
	default:
		panic(noProperty(t.pos))
	}
	name := Name{t.pos, t.text}
	safe := dot.kind == tSafeDot
	switch p.tok.kind {
	case tLeftParen, tUnit:
		return &Method{dot.pos, x, name, p.args(t.text, level, t.pos), safe}
	case tBang:
		p.advance()
		args := p.args(t.text, level, t.pos)
		switch p.tok.kind {
		case tDot, tSafeDot, tLeftBracket, tSafeBracket: // the reference minds the path's last method alone
			return &Method{dot.pos, x, name, args, safe}
		}
		panic(fail(MalformedCapture, t.pos, "method-call style does not support running within the caller's scope"))
	case tColons:
		panic(lexError(ImproperSymbol, p.tok.pos, "Invalid symbol encountered: '::'"))
	}
	return &Property{dot.pos, x, name, safe}
}
