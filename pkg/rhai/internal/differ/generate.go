package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// kind is the type that a generated expression is meant to have. Now and then it has another, for the errors.
type kind int

const (
	kInt kind = iota
	kFloat
	kBool
	kString
	kChar
	kArray
	kMap
	kFn
	kUnit
	kinds
)

// variable is one that the generated script can use where it stands.
type variable struct {
	name     string
	kind     kind
	constant bool
}

// function is a script function that may be called.
type function struct {
	name   string
	params int
}

// generator writes one script. Everything it does comes from its random numbers.
type generator struct {
	*rand.Rand
	vars  []variable
	funcs []function
	names int
	loops int // loops around the place, for break and continue
	inFn  bool
}

// script makes a script of several lines, each of which is a statement of the global level.
func script(r *rand.Rand) string {
	g := &generator{Rand: r}
	var lines []string
	for range g.IntN(3) {
		lines = append(lines, g.function())
	}
	for range 2 + g.IntN(6) {
		lines = append(lines, g.statement(3))
	}
	if g.IntN(4) > 0 {
		lines = append(lines, g.expr(g.anyKind(), 3))
	}
	return strings.Join(lines, "\n")
}

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) anyKind() kind { return kind(g.IntN(int(kinds))) }

func (g *generator) fresh(prefix string) string {
	g.names++
	if len(g.vars) > 0 && g.IntN(5) == 0 {
		return g.vars[g.IntN(len(g.vars))].name // shadow one
	}
	return fmt.Sprintf("%s%d", prefix, g.names)
}

func (g *generator) function() string {
	f := function{fmt.Sprintf("f%d", len(g.funcs)), g.IntN(3)}
	inner := &generator{Rand: g.Rand, funcs: g.funcs, inFn: true, names: 100 * (len(g.funcs) + 1)}
	var params []string
	for i := range f.params {
		name := fmt.Sprintf("p%d", i)
		params = append(params, name)
		inner.vars = append(inner.vars, variable{name, kind(g.IntN(3)), false})
	}
	body := inner.block(2)
	g.funcs = append(g.funcs, f)
	return fmt.Sprintf("fn %s(%s) %s", f.name, strings.Join(params, ", "), body)
}

// block is statements in braces; what they define ends with it.
func (g *generator) block(depth int) string {
	kept := len(g.vars)
	var parts []string
	for range g.IntN(3) {
		parts = append(parts, g.statement(depth-1))
	}
	if g.IntN(2) == 0 {
		parts = append(parts, g.expr(g.anyKind(), depth-1))
	}
	g.vars = g.vars[:kept]
	return "{ " + strings.Join(parts, " ") + " }"
}

func (g *generator) statement(depth int) string {
	if depth <= 0 {
		return g.expr(g.anyKind(), 1) + ";"
	}
	switch n := g.IntN(20); {
	case n < 5:
		k := g.anyKind()
		value := g.expr(k, depth)
		name := g.fresh("v")
		constant := g.IntN(8) == 0
		g.vars = append(g.vars, variable{name, k, constant})
		if constant {
			return fmt.Sprintf("const %s = %s;", name, value)
		}
		return fmt.Sprintf("let %s = %s;", name, value)
	case n < 9 && len(g.vars) > 0:
		return g.assignment(depth)
	case n < 10:
		return fmt.Sprintf("print(%s);", g.expr(g.anyKind(), depth))
	case n < 12:
		s := fmt.Sprintf("if %s %s", g.expr(kBool, depth-1), g.block(depth-1))
		if g.IntN(2) == 0 {
			s += " else " + g.block(depth-1)
		}
		return s
	case n < 14:
		return g.loop(depth)
	case n < 15:
		return g.choice(depth)
	case n < 16 && g.loops > 0:
		return fmt.Sprintf("if %s { %s }", g.expr(kBool, 1), g.pick("break;", "continue;", "break "+g.expr(kInt, 1)+";"))
	case n < 17 && g.inFn:
		return fmt.Sprintf("if %s { return %s; }", g.expr(kBool, 1), g.expr(g.anyKind(), 1))
	case n < 18:
		return fmt.Sprintf("try %s catch (err) %s", g.block(depth-1), g.block(depth-1))
	}
	return g.expr(g.anyKind(), depth) + ";"
}

func (g *generator) assignment(depth int) string {
	v := g.vars[g.IntN(len(g.vars))]
	switch {
	case v.kind == kArray && g.IntN(2) == 0:
		return fmt.Sprintf("%s[%s] %s %s;", v.name, g.pick("0", "0", "-1", g.expr(kInt, 1)), g.pick("=", "=", "+="), g.expr(g.anyKind(), depth-1))
	case v.kind == kMap && g.IntN(2) == 0:
		return fmt.Sprintf("%s.%s %s %s;", v.name, g.pick("a", "b", "c"), g.pick("=", "=", "+="), g.expr(g.anyKind(), depth-1))
	case g.IntN(2) == 0:
		op := g.pick("+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^=", "+=", "+=")
		return fmt.Sprintf("%s %s %s;", v.name, op, g.expr(v.kind, depth-1))
	}
	return fmt.Sprintf("%s = %s;", v.name, g.expr(v.kind, depth-1))
}

func (g *generator) loop(depth int) string {
	g.loops++
	defer func() { g.loops-- }()
	kept := len(g.vars)
	defer func() { g.vars = g.vars[:kept] }()
	if g.IntN(4) == 0 {
		name := fmt.Sprintf("n%d", g.names)
		g.names++
		g.vars = append(g.vars, variable{name, kInt, true}) // as if constant: never assigned, so that it ends
		return fmt.Sprintf("{ let %s = 0; while %s < %d { %s += 1; %s } }", name, name, 1+g.IntN(4), name, g.block(depth-1))
	}
	over := g.pick("0..3", "1..=2", "3..0", g.expr(kArray, 1), g.expr(kString, 1), g.expr(g.anyKind(), 0))
	name := g.fresh("i")
	g.vars = append(g.vars, variable{name, kInt, false})
	if g.IntN(4) == 0 {
		g.vars = append(g.vars, variable{"idx", kInt, false})
		return fmt.Sprintf("for (%s, idx) in %s %s", name, over, g.block(depth-1))
	}
	return fmt.Sprintf("for %s in %s %s", name, over, g.block(depth-1))
}

func (g *generator) choice(depth int) string {
	cases := []string{
		"1 => " + g.expr(g.anyKind(), 1), "2 | 3 => " + g.block(depth-1), `"a" => ` + g.expr(g.anyKind(), 1),
		"4..9 => " + g.expr(g.anyKind(), 1), "true if " + g.expr(kBool, 1) + " => " + g.expr(g.anyKind(), 1),
	}
	from := g.IntN(len(cases))
	s := fmt.Sprintf("switch %s { %s", g.expr(g.anyKind(), depth-1), strings.Join(cases[from:], ", "))
	if g.IntN(3) > 0 {
		s += ", _ => " + g.expr(g.anyKind(), 1)
	}
	return s + " }"
}

// expr is an expression that is mostly of the kind.
func (g *generator) expr(k kind, depth int) string {
	if g.IntN(80) == 0 {
		k = g.anyKind()
	}
	if depth <= 0 || g.IntN(5) == 0 {
		return g.leaf(k)
	}
	d := depth - 1
	if g.IntN(12) == 0 {
		switch g.IntN(6) {
		case 0:
			return fmt.Sprintf("(if %s { %s } else { %s })", g.expr(kBool, d), g.expr(k, d), g.expr(k, d))
		case 1:
			return fmt.Sprintf("(%s ?? %s)", g.expr(kUnit, d), g.expr(k, d))
		case 2:
			if len(g.funcs) > 0 {
				return g.call(d)
			}
		case 3:
			return g.expr(kFn, d) + fmt.Sprintf(".call(%s)", g.expr(kInt, d))
		case 4:
			return fmt.Sprintf("[%s, %s][%d]", g.expr(k, d), g.expr(k, d), g.IntN(3))
		case 5:
			return fmt.Sprintf("#{a: %s, b: %s}.%s", g.expr(k, d), g.expr(k, d), g.pick("a", "b"))
		}
	}
	switch k {
	case kInt:
		switch g.IntN(8) {
		case 0:
			return fmt.Sprintf("-(%s)", g.leaf(kInt))
		case 1:
			return g.expr(kString, d) + ".len()"
		case 2:
			return g.expr(kArray, d) + g.pick(".len()", ".len", ".reduce(|a, b| a + b, 0)", ".pop()")
		case 3:
			return fmt.Sprintf("%s.%s", g.operand(kInt, d), g.pick("abs()", "sign()", "max(3)", "min(2)"))
		}
		return fmt.Sprintf("(%s %s %s)", g.expr(kInt, d), g.pick("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "+", "-"), g.expr(kInt, d))
	case kFloat:
		if g.IntN(3) == 0 {
			return fmt.Sprintf("%s.%s", g.operand(kFloat, d), g.pick("floor()", "round()", "int()", "abs()", "fraction()"))
		}
		return fmt.Sprintf("(%s %s %s)", g.expr(kind(g.IntN(2)), d), g.pick("+", "-", "*", "/", "%"), g.expr(kFloat, d))
	case kBool:
		switch g.IntN(5) {
		case 0:
			return fmt.Sprintf("(%s %s %s)", g.expr(kBool, d), g.pick("&&", "||", "&", "|", "^", "=="), g.expr(kBool, d))
		case 1:
			return "!" + g.operand(kBool, d)
		case 2:
			return fmt.Sprintf("(%s %s %s)", g.expr(g.anyKind(), d), g.pick("==", "!=", "<", ">="), g.expr(g.anyKind(), d))
		case 3:
			return fmt.Sprintf("(%s %s %s)", g.expr(kind(g.IntN(5)), d), g.pick("in", "!in"), g.expr(g.pickKind(kArray, kString, kMap), d))
		}
		same := g.pickKind(kInt, kFloat, kString, kChar, kInt)
		return fmt.Sprintf("(%s %s %s)", g.expr(same, d), g.pick("==", "!=", "<", ">", "<=", ">="), g.expr(same, d))
	case kString:
		switch g.IntN(6) {
		case 0:
			return fmt.Sprintf("`%s${%s}`", g.pick("", "a ", "é"), g.expr(g.anyKind(), d))
		case 1:
			return g.expr(kString, d) + g.pick(".to_upper()", ".sub_string(1)", ".sub_string(-2, 1)", ".to_string()", ".to_debug()", "[0..1]")
		case 2:
			return g.operand(g.anyKind(), d) + g.pick(".to_string()", ".to_debug()", ".type_of()")
		}
		return fmt.Sprintf("(%s + %s)", g.expr(kString, d), g.expr(g.anyKind(), d))
	case kChar:
		if g.IntN(2) == 0 {
			return fmt.Sprintf("(\"abc\" + %s)[%s]", g.expr(kString, d), g.pick("0", "1", "2", "-1", g.expr(kInt, 0)))
		}
		return g.expr(kChar, d) + g.pick(".to_upper()", ".to_lower()")
	case kArray:
		switch g.IntN(6) {
		case 0:
			return fmt.Sprintf("%s.map(%s)", g.expr(kArray, d), g.expr(kFn, d))
		case 1:
			return fmt.Sprintf("%s.filter(|x| %s)", g.expr(kArray, d), g.within("x", kInt, kBool, d))
		case 2:
			return fmt.Sprintf("(%s + %s)", g.expr(kArray, d), g.expr(g.pickKind(kArray, kInt), d))
		case 3:
			return g.expr(kMap, d) + g.pick(".keys()", ".values()")
		}
		var items []string
		for range g.IntN(4) {
			items = append(items, g.expr(g.pickKind(kInt, kInt, kInt, g.anyKind()), d))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case kMap:
		var entries []string
		for _, key := range []string{"a", "b", "c"}[g.IntN(3):] {
			entries = append(entries, key+": "+g.expr(g.anyKind(), d))
		}
		return "#{" + strings.Join(entries, ", ") + "}"
	case kFn:
		if g.IntN(3) == 0 && len(g.funcs) > 0 {
			return fmt.Sprintf("Fn(%q)", g.funcs[g.IntN(len(g.funcs))].name)
		}
		return fmt.Sprintf("(|x| %s)", g.within("x", kInt, g.anyKind(), d))
	}
	return g.leaf(k)
}

// operand is an expression that a method call or a prefix operator may follow or precede as it is.
func (g *generator) operand(k kind, depth int) string { return "(" + g.expr(k, depth) + ")" }

// within is the body of a closure with one parameter.
func (g *generator) within(param string, paramKind, k kind, depth int) string {
	kept, loops := len(g.vars), g.loops
	g.vars = append(g.vars, variable{param, paramKind, false})
	g.loops = 0
	body := g.expr(k, depth)
	g.vars, g.loops = g.vars[:kept], loops
	return body
}

func (g *generator) pickKind(choices ...kind) kind { return choices[g.IntN(len(choices))] }

func (g *generator) call(depth int) string {
	f := g.funcs[g.IntN(len(g.funcs))]
	n := f.params
	if g.IntN(15) == 0 {
		n++
	}
	var args []string
	for range n {
		args = append(args, g.expr(g.anyKind(), depth))
	}
	return fmt.Sprintf("%s(%s)", f.name, strings.Join(args, ", "))
}

// leaf is a variable of the kind, or a literal.
func (g *generator) leaf(k kind) string {
	if g.IntN(2) == 0 {
		var fitting []string
		for _, v := range g.vars {
			if v.kind == k || g.IntN(60) == 0 {
				fitting = append(fitting, v.name)
			}
		}
		if len(fitting) > 0 {
			return g.pick(fitting...)
		}
	}
	switch k {
	case kInt:
		return g.pick("0", "1", "2", "3", "7", "10", "-1", "-5", "63", "100", "9223372036854775807", "0xff", "1_000")
	case kFloat:
		return g.pick("0.0", "1.0", "1.5", "-2.5", "1e10", "0.1", "1e-7", "3.14159", "1e300")
	case kBool:
		return g.pick("true", "false")
	case kString:
		return g.pick(`""`, `"a"`, `"hello"`, `"héllo"`, `"a b"`, `"x\ny"`, "`raw`", `"12"`)
	case kChar:
		return g.pick("'a'", "'Z'", "'é'", `'\n'`, "'1'")
	case kArray:
		return g.pick("[]", "[1, 2, 3]", "[[1], 2]", `["a", "b"]`, "[()]", "[1.5, 'c']")
	case kMap:
		return g.pick("#{}", "#{a: 1}", `#{a: 1, b: "x"}`, "#{c: [1, 2]}")
	case kFn:
		return g.pick("(|x| x)", "(|x| x + 1)", "(|| 5)", `Fn("abs")`, "(|x, y| x)")
	}
	return "()"
}
