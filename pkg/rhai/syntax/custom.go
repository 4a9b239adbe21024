package syntax

import "math"

// custom parses syntax of the host. The current token is the keyword that begins it.
func (p *parser) custom(def *CustomSyntax, level int) Expr {
	c := &Custom{Pos: p.tok.pos, Syntax: def}
	keyword := p.text()
	var state any
	c.Tokens = append(c.Tokens, keyword)
	p.advance()
	for {
		level = p.enter(level, p.tok.pos)
		p.raise()
		want, err := def.Next(c.Tokens, p.text(), &state)
		if err != nil {
			panic(lexError(ImproperSymbol, p.tok.pos, "%s", err))
		}
		if want == "" {
			return c
		}
		p.match(c, want, keyword, level)
	}
}

// match consumes what the host's syntax wants next.
func (p *parser) match(c *Custom, want, keyword string, level int) {
	t := p.tok
	literal := func(x Expr) {
		p.advance()
		c.Inputs = append(c.Inputs, x)
		c.Tokens = append(c.Tokens, want)
	}
	why := "for '" + keyword + "' expression"
	switch want {
	case "$ident$":
		name := p.variableName()
		c.Inputs = append(c.Inputs, &Ident{Pos: name.Pos, Name: name.Text})
		c.Tokens = append(c.Tokens, name.Text)
		return
	case "$symbol$":
		if t.kind != tSymbol && t.kind != tOperator && (spelling[t.kind] == "" || isIdentStart(spelling[t.kind][0])) {
			panic(fail(MissingSymbol, t.pos, "Expecting a symbol %s", why))
		}
		text := p.text()
		literal(&String{t.pos, text})
		return
	case "$expr$":
		c.Inputs = append(c.Inputs, p.expr(level))
		c.Tokens = append(c.Tokens, want)
		return
	case "$block$":
		c.Inputs = append(c.Inputs, p.block(level, c.Pos))
		c.Tokens = append(c.Tokens, want)
		return
	case "$bool$":
		if t.kind == tTrue || t.kind == tFalse {
			literal(&Bool{t.pos, t.kind == tTrue})
			return
		}
	case "$int$":
		if t.kind == tInt {
			literal(&Int{t.pos, int64(t.bits)})
			return
		}
	case "$float$":
		if t.kind == tFloat {
			literal(&Float{t.pos, math.Float64frombits(t.bits)})
			return
		}
	case "$string$":
		if t.kind == tString {
			literal(&String{t.pos, t.text})
			return
		}
	default:
		if p.text() != want || t.kind == tString {
			panic(missing(want, t.pos, why))
		}
		p.advance()
		c.Tokens = append(c.Tokens, want)
		return
	}
	panic(fail(MissingSymbol, t.pos, "Expecting %s %s", want, why))
}

// closed tells whether a statement that ends with the instance needs no semicolon.
func (c *Custom) closed() bool {
	switch c.Tokens[len(c.Tokens)-1] {
	case "}", ";", "$block$":
		return true
	}
	return false
}
