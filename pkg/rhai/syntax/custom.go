package syntax

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

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
			c.State = state
			return c
		}
		if strings.HasPrefix(want, "$$") {
			c.Inputs = append(c.Inputs, &String{p.tok.pos, want})
			c.Tokens = append(c.Tokens, want)
			c.State = state
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
	case "$token$":
		if t.kind == tEOF {
			panic(eof(t.pos))
		}
		text := p.text()
		if t.kind == tString {
			text = strconv.Quote(text)
		}
		literal(&String{t.pos, text})
		return
	case "$func$":
		if t.kind != tLeftBrace && t.kind != tPipe && t.kind != tOrOr {
			panic(fail(MissingSymbol, t.pos, "Expecting '{' or '|'"))
		}
		c.Inputs = append(c.Inputs, p.closure(level))
		c.Tokens = append(c.Tokens, want)
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

// CheckRule is the error of a rule that no script could meet: words that are no tokens, and a beginning that the
// language has a meaning for.
func CheckRule(words []string) error {
	if len(words) == 0 {
		return errors.New("got a syntax rule without words, want a keyword first")
	}
	for i, w := range words {
		if len(w) > 2 && w[0] == '$' && w[len(w)-1] == '$' {
			switch w {
			case "$ident$", "$symbol$", "$token$", "$expr$", "$block$", "$func$", "$bool$", "$int$", "$float$", "$string$":
				if i > 0 {
					continue
				}
				return fmt.Errorf("got a syntax rule that begins with %s, want a keyword first", w)
			}
			return fmt.Errorf("syntax rule '%s': got %s, which is no marker", words[0], w)
		}
		if w[0] == '$' {
			continue
		}
		tokens := Tokens(w, Options{})
		if len(tokens) == 0 {
			return fmt.Errorf("syntax rule '%s': got %s, want tokens", words[0], w)
		}
		switch kind := tokens[0].Kind; {
		case kind == "int", kind == "float", kind == "char", kind == "string", kind == "text":
			return fmt.Errorf("syntax rule '%s': got %s, want a marker in the place of a literal", words[0], w)
		case kind == "keyword" && i == 0:
			return fmt.Errorf("got a syntax rule that begins with '%s', want a word that the language has no meaning for", w)
		}
	}
	return nil
}
