package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Print writes a script as source that parses to the same tree, positions aside. Comments other than doc comments are
// gone, and custom syntax is written as the tokens that it matched.
func Print(s *Script) string {
	p := printer{}
	if s.Doc != "" {
		p.write(s.Doc, "\n")
	}
	p.body(s)
	return p.b.String()
}

type printer struct {
	b      strings.Builder
	indent int
}

func (p *printer) write(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *printer) line() {
	p.write("\n", strings.Repeat("\t", p.indent))
}

func (p *printer) function(f *Function) {
	for _, d := range f.Doc {
		p.write(d, "\n")
	}
	if f.Private {
		p.write("private ")
	}
	p.write("fn ")
	if f.ThisType != "" {
		p.write(quote(f.ThisType), ".")
	}
	p.write(f.Name.Text, "(", names(f.Params), ") ")
	p.block(f.Body)
}

func names(list []Name) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = n.Text
	}
	return strings.Join(texts, ", ")
}

// stmts writes statements, each on a line of its own.
// body writes the statements of the global level, and the functions where they are among them: what comes before one does
// not know it.
func (p *printer) body(s *Script) {
	functions := s.Functions
	until := func(pos Pos) {
		for len(functions) > 0 && (!pos.IsValid() || before(functions[0].Pos, pos)) {
			p.function(functions[0])
			p.write("\n")
			functions = functions[1:]
		}
	}
	for _, x := range s.Body {
		until(x.Position())
		p.stmt(x)
		p.write(";\n")
	}
	until(Pos{})
}

func before(a, b Pos) bool { return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column }

func (p *printer) stmts(list []Stmt) {
	for i, s := range list {
		if i > 0 {
			p.line()
		}
		p.stmt(s)
		p.write(";")
	}
}

func (p *printer) block(b *Block) {
	p.write("{")
	if len(b.Body) > 0 {
		p.indent++
		p.line()
		p.stmts(b.Body)
		p.indent--
		p.line()
	}
	p.write("}")
}

func (p *printer) stmt(s Stmt) {
	switch s := s.(type) {
	case *ExprStmt:
		_, parens := s.X.(Stmt)
		if _, custom := s.X.(*Custom); parens && !custom {
			p.write("(")
			p.expr(s.X, 0)
			p.write(")")
			break
		}
		p.expr(s.X, 0)
	case *Let:
		if s.Export {
			p.write("export ")
		}
		if s.Const {
			p.write("const ")
		} else {
			p.write("let ")
		}
		p.write(s.Name.Text)
		if s.Value != nil {
			p.write(" = ")
			p.expr(s.Value, 0)
		}
	case *Assign:
		p.expr(s.Target, 0)
		p.write(" ", s.Op, "= ")
		p.expr(s.Value, 0)
	case *Break:
		p.leave("break", s.Value)
	case *Continue:
		p.write("continue")
	case *Return:
		p.leave("return", s.Value)
	case *Throw:
		p.leave("throw", s.Value)
	case *Try:
		p.write("try ")
		p.block(s.Body)
		p.write(" catch ")
		if s.Name != nil {
			p.write("(", s.Name.Text, ") ")
		}
		p.block(s.Catch)
	case *Import:
		p.write("import ")
		p.expr(s.Path, 0)
		if s.Alias != nil {
			p.write(" as ", s.Alias.Text)
		}
	case *Export:
		p.write("export ", s.Name.Text)
		if s.Alias != nil {
			p.write(" as ", s.Alias.Text)
		}
	default:
		p.compound(s)
	}
}

func (p *printer) leave(word string, value Expr) {
	p.write(word)
	if value != nil {
		p.write(" ")
		p.expr(value, 0)
	}
}

// compound writes what is a statement and an expression.
func (p *printer) compound(n Node) {
	switch n := n.(type) {
	case *Block:
		p.block(n)
	case *If:
		p.write("if ")
		p.cond(n.Cond)
		p.block(n.Then)
		if n.Else != nil {
			p.write(" else ")
			p.compound(n.Else)
		}
	case *Switch:
		p.switchStmt(n)
	case *While:
		p.write("while ")
		p.cond(n.Cond)
		p.block(n.Body)
	case *Loop:
		p.write("loop ")
		p.block(n.Body)
	case *Do:
		p.write("do ")
		p.block(n.Body)
		if n.Until {
			p.write(" until ")
		} else {
			p.write(" while ")
		}
		p.condition(n.Cond)
	case *For:
		p.write("for ")
		if n.Counter != nil {
			p.write("(", n.Name.Text, ", ", n.Counter.Text, ")")
		} else {
			p.write(n.Name.Text)
		}
		p.write(" in ")
		p.cond(n.Iterable)
		p.block(n.Body)
	}
}

// cond writes a condition and the space before what it is the condition of.
func (p *printer) cond(x Expr) {
	p.condition(x)
	p.write(" ")
}

// condition writes an expression where a brace would begin something else.
func (p *printer) condition(x Expr) {
	if _, ok := x.(*Block); ok {
		p.paren(x)
		return
	}
	p.expr(x, 0)
}

func (p *printer) switchStmt(s *Switch) {
	p.write("switch ")
	p.expr(s.Subject, 0)
	p.write(" {")
	p.indent++
	for _, c := range s.Cases {
		p.line()
		for i, v := range c.Values {
			if i > 0 {
				p.write(" | ")
			}
			p.expr(v, 0)
		}
		if c.Guard != nil {
			p.write(" if ")
			p.expr(c.Guard, 0)
		}
		p.caseBody(c.Body)
	}
	if s.Default != nil {
		p.line()
		p.write("_")
		p.caseBody(s.Default)
	}
	p.indent--
	p.line()
	p.write("}")
}

func (p *printer) caseBody(s Stmt) {
	p.write(" => ")
	p.stmt(s)
	p.write(",")
}

func (p *printer) paren(x Expr) {
	p.write("(")
	p.expr(x, 0)
	p.write(")")
}

// levels of operands: what stands without parentheses where an operator of the precedence wants one.
const (
	unaryLevel   = 1000
	primaryLevel = 1001
)

// level is how tight an expression holds together.
func level(x Expr) int {
	switch x := x.(type) {
	case *Binary:
		if n := binaryPrecedence(x.Op); n > 0 {
			return n
		}
		return 1 // an operator of the host, whose precedence is not known here
	case *Unary:
		return unaryLevel
	case *Int:
		if x.Value < 0 {
			return unaryLevel
		}
	case *Float:
		if x.Value < 0 || 1/x.Value < 0 {
			return unaryLevel
		}
	case *Closure, *Block, *If, *Switch, *While, *Loop, *Do, *For, *Custom:
		return 0
	}
	return primaryLevel
}

// binaryPrecedence is the precedence of an operator of the language.
func binaryPrecedence(op string) int {
	for k, s := range spelling {
		if s == op && precedence[k] > 0 {
			return int(precedence[k])
		}
	}
	return 0
}

// operand writes an expression, in parentheses unless it holds together tighter than the level demands.
func (p *printer) operand(x Expr, min int) {
	if level(x) < min {
		p.paren(x)
		return
	}
	p.expr(x, min)
}

// expr writes an expression. What comes at the beginning of a statement must not look like one.
func (p *printer) expr(x Expr, min int) {
	switch x := x.(type) {
	case *Unit:
		p.write("()")
	case *Bool:
		p.write(strconv.FormatBool(x.Value))
	case *Int:
		p.write(strconv.FormatInt(x.Value, 10))
	case *Float:
		p.write(formatFloat(x.Value))
	case *Char:
		p.write(quoteChar(x.Value))
	case *String:
		p.write(quote(x.Value))
	case *Interpolated:
		p.interpolated(x)
	case *Array:
		p.list("[", x.Items, "]")
	case *Map:
		p.write("#{")
		for i, e := range x.Entries {
			if i > 0 {
				p.write(", ")
			}
			p.write(quote(e.Key.Text), ": ")
			p.expr(e.Value, 0)
		}
		p.write("}")
	case *Closure:
		// Two bars without a space between would close the list of another closure's parameters.
		p.write("|", names(x.Params), "| ")
		p.stmt(x.Body)
	case *Ident:
		p.qualified(x.Namespace, x.Name)
	case *This:
		p.write("this")
	case *Unary:
		p.write(x.Op)
		p.sign(x.Operand)
	case *Binary:
		p.binary(x)
	case *Call:
		p.qualified(x.Namespace, x.Name)
		if x.CaptureScope {
			p.write("!")
		}
		p.list("(", x.Args, ")")
	case *Property:
		p.base(x.Base, false)
		p.dot(x.Safe)
		p.write(x.Name.Text)
	case *Method:
		p.base(x.Base, false)
		p.dot(x.Safe)
		p.write(x.Name.Text)
		p.list("(", x.Args, ")")
	case *Index:
		p.base(x.Base, x.Safe)
		if x.Safe {
			p.write("?")
		}
		p.list("[", []Expr{x.Key}, "]")
	case *Custom:
		p.custom(x)
	default:
		p.compound(x)
	}
}

// sign writes what a prefix operator applies to. A literal would take a minus sign for its own.
func (p *printer) sign(x Expr) {
	switch x.(type) {
	case *Int, *Float:
		p.paren(x)
	case *Unary:
		p.write(" ")
		p.expr(x, 0)
	default:
		if number(x) {
			p.write(" ") // a sign would be the number's
		}
		p.operand(x, unaryLevel)
	}
}

// number tells whether a chain begins with a number.
func number(x Expr) bool {
	switch x := x.(type) {
	case *Int, *Float:
		return true
	case *Property:
		return number(x.Base)
	case *Index:
		return number(x.Base)
	case *Method:
		return number(x.Base)
	}
	return false
}

func (p *printer) binary(x *Binary) {
	prec := binaryPrecedence(x.Op)
	left, right := prec, prec+1
	switch {
	case prec == 0:
		left, right = unaryLevel, unaryLevel
	case x.Op == "**":
		left, right = prec+1, prec
	}
	p.operand(x.Left, left)
	p.write(" ", x.Op, " ")
	p.operand(x.Right, right)
}

// base writes what a member or an index belongs to. A question mark counts for its own run of brackets only.
func (p *printer) base(x Expr, safe bool) {
	if i, ok := x.(*Index); ok && (i.Safe || safe) {
		p.paren(x)
		return
	}
	p.operand(x, primaryLevel)
}

func (p *printer) dot(safe bool) {
	if safe {
		p.write("?")
	}
	p.write(".")
}

func (p *printer) qualified(namespace []Name, name string) {
	for _, n := range namespace {
		p.write(n.Text, "::")
	}
	p.write(name)
}

func (p *printer) list(opens string, items []Expr, closes string) {
	p.write(opens)
	for i, x := range items {
		if i > 0 {
			p.write(", ")
		}
		p.expr(x, 0)
	}
	p.write(closes)
}

func (p *printer) custom(x *Custom) {
	next := 0
	for i, t := range x.Tokens {
		if strings.HasPrefix(t, "$$") {
			break // the end, which is not in the source
		}
		if i > 0 {
			p.write(" ")
		}
		isInput := strings.HasPrefix(t, "$") && strings.HasSuffix(t, "$") && len(t) > 2
		if !isInput && next < len(x.Inputs) {
			id, ok := x.Inputs[next].(*Ident)
			isInput = ok && id.Name == t
		}
		switch {
		case !isInput:
			p.write(t)
		case t == "$symbol$" || t == "$token$":
			p.write(x.Inputs[next].(*String).Value)
			next++
		default:
			p.expr(x.Inputs[next], 0)
			next++
		}
	}
}

// interpolated writes text as it is: back-tick strings have no escapes but for what would end the text. A carriage
// return before a line feed takes another one before it, since one is dropped.
func (p *printer) interpolated(x *Interpolated) {
	p.write("`")
	for i, part := range x.Parts {
		switch part := part.(type) {
		case *String:
			text := strings.ReplaceAll(part.Value, "`", "``")
			text = strings.ReplaceAll(text, "${", `\${`)
			text = strings.ReplaceAll(text, "\r\n", "\r\r\n")
			if i == 0 && (strings.HasPrefix(text, "\n") || strings.HasPrefix(text, "\r")) {
				// A line end right behind the quote is not part of the text; another one before it is dropped.
				p.write("\n")
			}
			p.write(text)
		case *Block:
			p.write("$")
			p.block(part)
		}
	}
	p.write("`")
}

func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	switch s {
	case "+Inf":
		return "1e999"
	case "-Inf":
		return "-1e999"
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		writeChar(&b, r, '"')
	}
	b.WriteByte('"')
	return b.String()
}

func quoteChar(r rune) string {
	var b strings.Builder
	b.WriteByte('\'')
	writeChar(&b, r, '\'')
	b.WriteByte('\'')
	return b.String()
}

func writeChar(b *strings.Builder, r, quote rune) {
	switch {
	case r == quote || r == '\\':
		b.WriteByte('\\')
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < ' ' || r == utf8.RuneError:
		b.WriteString(`\u`)
		hex := strconv.FormatInt(int64(r), 16)
		b.WriteString("0000"[len(hex):])
		b.WriteString(hex)
	default:
		b.WriteRune(r)
	}
}
