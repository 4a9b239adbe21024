package syntax

import (
	"math"
	"strings"
	"unicode/utf8"
)

// deepest is how many levels the parser descends at most, whatever the options say, so that its stack is bounded.
const deepest = 5000

// Parse parses a script.
func Parse(source string, opts Options) (*Script, error) { return new(Parser).Parse(source, &opts) }

// Parser parses one script after another, in memory that it keeps. The zero value is ready.
type Parser struct{ parser parser }

// Parse parses a script, which is gone when the next one is parsed, unless the options have syntax of the host's: that
// may keep parts of it. The options are read until it returns.
func (r *Parser) Parse(source string, opts *Options) (*Script, error) {
	p := &r.parser
	p.begin(source, opts)
	defer p.end()
	return p.run(func() {
		for p.tok.kind != tEOF {
			stmt, terminated := p.stmt(0)
			if stmt != nil {
				p.script.Body = append(p.script.Body, stmt)
				if p.tok.kind != tEOF {
					p.terminate(terminated)
				}
			}
		}
	})
}

// ParseExpr parses a source that must be a single expression, without statements.
func ParseExpr(source string, opts Options) (Expr, error) {
	opts.NoIf, opts.NoSwitch, opts.NoStatementExpr, opts.NoLoopExpr, opts.NoClosures = true, true, true, true, true
	p := &parser{}
	p.begin(source, &opts)
	var x Expr
	_, err := p.run(func() {
		x = p.expr(0)
		if p.tok.kind != tEOF {
			p.raise()
			panic(unexpected(p.text(), p.tok.pos))
		}
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// parser is a recursive descent with one token ahead. It reports the first error by panicking with an *Error, which
// run catches.
//
// Methods take the level of the construct that calls them: how deep it is nested, as the reference counts.
type parser struct {
	scanner
	tok      token
	nodes    *arena
	script   *Script
	maxDepth int
	tokens   int // so far

	frame  *frame
	level  frame // the global one
	global bool  // in a list of statements that may define functions and export
	inLoop bool
	noPipe bool // a `|` ends the expression: in the values of a switch case

	// Variables that are visible here, and, once they are many, where the latest of each name is.
	locals []local
	latest map[string]int

	lastName  Pos      // of the last name of a qualified one, just parsed
	modules   []string // imported so far; for strict variables only
	functions map[functionKey]struct{}
}

// frame is what a function or a closure sees: locals from base on.
type frame struct {
	functions int // and closures, so far
	base      int
	depth     int // of blocks
	function  bool
	closure   bool
	captures  []Name
	captured  map[string]struct{} // the names in captures, once they are many
}

type local struct {
	name     string
	prev     int // the variable of the name that it hides; -1: none; known while there is latest
	constant bool
}

type functionKey struct {
	name, this string
	arity      int
}

// begin makes the parser ready for a source; end drops what it has of one.
func (p *parser) begin(source string, opts *Options) {
	if !utf8.ValidString(source) {
		source = strings.ToValidUTF8(source, "\uFFFD")
	}
	p.scanner = scanner{src: source, line: 1}
	if p.nodes == nil {
		p.nodes = &arena{}
	}
	p.nodes.reset()
	p.script, p.global = &p.nodes.script, true
	p.opts, p.frame = opts, &p.level
	p.maxDepth = depthLimit(opts.MaxExprDepth, DefaultMaxExprDepth)
	if opts.StrictVariables {
		for _, name := range opts.Variables {
			p.declare(Name{Text: name}, false)
		}
	}
}

func (p *parser) end() {
	clear(p.locals)
	kept := parser{locals: p.locals[:0]}
	if len(p.opts.CustomSyntax) == 0 {
		kept.nodes = p.nodes
	}
	*p = kept
}

func depthLimit(n, def int) int {
	switch {
	case n == 0:
		return def
	case n < 0 || n > deepest:
		return deepest
	}
	return n
}

func (p *parser) run(parse func()) (script *Script, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			script, err = nil, r
		case interruption:
			script, err = nil, r.err
		default:
			panic(r)
		}
	}()
	p.advance()
	parse()
	p.script.Doc = strings.Join(p.docs, "\n")
	return p.script, nil
}

// interruption ends the parsing.
type interruption struct{ err error }

func (p *parser) advance() {
	if p.tokens++; p.tokens%256 == 0 && p.opts.Interrupt != nil {
		if err := p.opts.Interrupt(); err != nil {
			panic(interruption{err})
		}
	}
	p.tok = p.next()
}

// raise reports the current token's error, if it is one.
func (p *parser) raise() {
	if p.tok.kind == tError {
		panic(p.err)
	}
}

// text is the current token as the source spells it.
func (p *parser) text() string {
	switch t := p.tok; t.kind {
	case tChar:
		return "'" + string(rune(t.bits)) + "'"
	case tString:
		return t.text
	default:
		if s := spelling[t.kind]; s != "" {
			return s
		}
		if t.kind == tOpAssign {
			return t.text + "="
		}
		return t.text
	}
}

// accept consumes the current token if it is of the kind.
func (p *parser) accept(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

// expect consumes a token of the kind, or says that it is missing; what the scanner could not read comes first.
func (p *parser) expect(k kind, why string) {
	if p.tok.kind != k {
		p.raise()
	}
	p.require(k, why)
}

// require consumes a token of the kind, or says that it is missing.
func (p *parser) require(k kind, why string) {
	if p.tok.kind != k {
		panic(missing(spelling[k], p.tok.pos, why))
	}
	p.advance()
}

// enter goes a level deeper.
func (p *parser) enter(level int, pos Pos) int {
	if level >= p.maxDepth {
		panic(fail(ExprTooDeep, pos, "Expression exceeds maximum complexity"))
	}
	return level + 1
}

// lookup finds a variable of the current frame; -1: there is none.
func (p *parser) lookup(name string) int {
	if p.latest != nil {
		if i, ok := p.latest[name]; ok && i >= p.frame.base {
			return i
		}
		return -1
	}
	for i := len(p.locals) - 1; i >= p.frame.base; i-- {
		if p.locals[i].name == name {
			return i
		}
	}
	return -1
}

// few is how many variables are searched one by one.
const few = 16

// declare makes a variable visible.
func (p *parser) declare(name Name, constant bool) {
	p.locals = append(p.locals, local{name: name.Text, constant: constant})
	switch n := len(p.locals); {
	case p.latest != nil:
		p.list(n - 1)
	case n > few:
		p.latest = make(map[string]int)
		for i := range p.locals {
			p.list(i)
		}
	}
}

// list makes a variable the latest of its name.
func (p *parser) list(i int) {
	l := &p.locals[i]
	prev, ok := p.latest[l.name]
	if !ok {
		prev = -1
	}
	l.prev, p.latest[l.name] = prev, i
}

// allow asks the host about a variable that the script defines.
func (p *parser) allow(name Name, constant bool) {
	if p.opts.AllowVariable != nil {
		d := Definition{Name: name.Text, Pos: name.Pos, Const: constant, Depth: p.frame.depth,
			Shadows: p.lookup(name.Text) >= 0}
		if err := p.opts.AllowVariable(d); err != nil {
			panic(fail(ForbiddenVariable, name.Pos, "Cannot define variable: %s", name.Text))
		}
	}
}

// define makes sure that a let or const may define a variable.
func (p *parser) define(name Name, constant bool) {
	p.allow(name, constant)
	if p.opts.NoShadowing && p.lookup(name.Text) >= 0 {
		panic(fail(VariableExists, name.Pos, "Variable already defined: %s", name.Text))
	}
}

// forget makes the variables from mark on invisible again.
func (p *parser) forget(mark int) {
	for i := len(p.locals) - 1; i >= mark && p.latest != nil; i-- {
		l := &p.locals[i]
		if l.prev >= 0 {
			p.latest[l.name] = l.prev
		} else {
			delete(p.latest, l.name)
		}
	}
	p.locals = p.locals[:mark]
}

// use notes the use of a variable: what a closure does not define itself, it captures, but for the name of a function
// that the source has defined by then.
func (p *parser) use(name string, pos Pos) {
	f := p.frame
	if !f.closure && !p.opts.StrictVariables {
		return
	}
	if p.lookup(name) >= 0 || p.definesFunction(name) {
		return
	}
	if !f.closure {
		panic(fail(VariableUndefined, pos, "Undefined variable: %s", name))
	}
	if len(f.captures) < 16 {
		for _, c := range f.captures {
			if c.Text == name {
				return
			}
		}
	} else {
		if f.captured == nil {
			f.captured = make(map[string]struct{})
			for _, c := range f.captures {
				f.captured[c.Text] = struct{}{}
			}
		}
		if _, ok := f.captured[name]; ok {
			return
		}
		f.captured[name] = struct{}{}
	}
	f.captures = append(f.captures, Name{pos, name})
}

// variableName consumes the name of a variable to be.
func (p *parser) variableName() Name {
	t := p.tok
	switch t.kind {
	case tIdent:
		p.advance()
		return Name{t.pos, t.text}
	case tReserved:
		panic(reserved(t.text, t.pos))
	}
	p.raise()
	panic(fail(VariableExpected, t.pos, "Expecting name of a variable"))
}

// isConstant tells whether an expression is a literal that needs no evaluation.
func isConstant(x Expr) bool {
	switch x := x.(type) {
	case *Unit, *Bool, *Int, *Float, *Char, *String:
		return true
	case *Closure:
		return len(x.Captures) == 0
	case *Array:
		for _, item := range x.Items {
			if !isConstant(item) {
				return false
			}
		}
		return true
	case *Map:
		for _, e := range x.Entries {
			if !isConstant(e.Value) {
				return false
			}
		}
		return true
	}
	return false
}

// typeOf is what the reference calls the type of a literal; empty when the source does not tell.
func typeOf(x Expr) string {
	switch x := x.(type) {
	case *Unit:
		return "()"
	case *Bool:
		return "a boolean"
	case *Int:
		return "a number"
	case *Float:
		return "a floating-point number"
	case *Char:
		return "a character"
	case *String, *Interpolated:
		return "a string"
	case *Array:
		return "an array"
	case *Map:
		return "an object map"
	case *Closure:
		if len(x.Captures) == 0 {
			return "Fn"
		}
	case *Binary:
		if x.Op == "&&" || x.Op == "||" {
			return "a boolean"
		}
	}
	return ""
}

// start is where the reference sees an expression begin: with its left side, unless it is a call or an operator that
// is one.
func start(x Expr) Pos {
	for {
		switch y := x.(type) {
		case *Property:
			x = y.Base
		case *Method:
			x = y.Base
		case *Index:
			x = y.Base
		case *Binary:
			if y.Op != "&&" && y.Op != "||" && y.Op != "??" {
				return y.Pos
			}
			x = y.Left
		default:
			return x.Position()
		}
	}
}

func mustBeBool(x Expr) {
	if t := typeOf(x); t != "" && t != "a boolean" {
		panic(fail(MismatchedType, start(x), "Expecting a boolean expression, not %s", t))
	}
}

func mustIterate(x Expr) {
	switch x.(type) {
	case *Unit, *Bool, *Int, *Float, *Char, *Map:
		t := typeOf(x)
		panic(fail(MismatchedType, x.Position(), "Expecting an iterable value, not %s", t))
	}
}

func mustIndex(base, key Expr) {
	t := typeOf(key)
	switch base.(type) {
	case *Int, *Array, *String, *Interpolated:
		switch t {
		case "a floating-point number":
			t = "a float"
		case "a string":
			panic(fail(MalformedIndexExpr, start(key),
				"Array, string or bit-field expects numeric index, not a string"))
		case "a boolean", "a character", "()":
		default:
			return
		}
		panic(fail(MalformedIndexExpr, start(key), "Array, string or bit-field expects integer index, not %s", t))
	case *Map:
		switch t {
		case "a floating-point number":
			t = "a float"
		case "a number", "a boolean", "a character", "()":
		default:
			return
		}
		panic(fail(MalformedIndexExpr, start(key), "Object map expects string index, not %s", t))
	}
}

// negate is a literal with a minus sign before it; nil when x is none.
func negate(x Expr, pos Pos) Expr {
	switch x := x.(type) {
	case *Int:
		if x.Value == math.MinInt64 {
			return &Float{pos, -float64(x.Value)}
		}
		return &Int{pos, -x.Value}
	case *Float:
		return &Float{pos, -x.Value}
	}
	return nil
}
