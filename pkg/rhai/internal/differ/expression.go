package main

import (
	"fmt"
	"strings"
)

// expr is an expression that is mostly of the kind.
func (g *generator) expr(k kind, depth int) string {
	if k == kAny || g.IntN(60) == 0 {
		k = g.anyKind()
	}
	if depth <= 0 || g.IntN(5) == 0 {
		return g.leaf(k)
	}
	if g.IntN(6) == 0 {
		return g.wrapped(k, depth-1)
	}
	switch d := depth - 1; k {
	case kInt:
		return g.intExpr(d)
	case kFloat:
		if g.IntN(3) == 0 {
			return operand(g.expr(kFloat, d)) + g.pick(".floor()", ".round()", ".int()", ".abs()", ".fraction", ".sqrt()")
		}
		return fmt.Sprintf("%s %s %s", operand(g.expr(g.pickKind(kInt, kFloat), d)), g.pick("+", "-", "*", "/", "%", "**"), operand(g.expr(kFloat, d)))
	case kBool:
		return g.boolExpr(d)
	case kString:
		return g.stringExpr(d)
	case kChar:
		if g.IntN(2) == 0 {
			return fmt.Sprintf("(\"abc\" + %s)[%s]", operand(g.expr(kString, d)), g.pick("0", "1", "2", "-1", g.expr(kInt, 0)))
		}
		return operand(g.expr(kChar, d)) + g.pick(".to_upper()", ".to_lower()")
	case kArray:
		return g.arrayExpr(d)
	case kMap:
		return g.mapExpr(d)
	case kFn:
		return g.fnExpr(d)
	case kRange:
		return fmt.Sprintf("%s%s%s", operand(g.expr(kInt, d)), g.pick("..", "..="), operand(g.expr(kInt, d)))
	case kBlob:
		return g.pick("blob()", "blob(3)", fmt.Sprintf("blob(%d, %s)", g.IntN(5), g.expr(kInt, d)), operand(g.expr(kString, d))+".to_blob()")
	}
	return g.leaf(k)
}

// wrapped is an expression of the kind within something that takes any kind.
func (g *generator) wrapped(k kind, d int) string {
	e := func() string { return g.expr(k, d) }
	switch g.IntN(20) {
	case 0:
		return fmt.Sprintf("(if %s { %s } else { %s })", g.expr(kBool, d), e(), e())
	case 1:
		return fmt.Sprintf("(%s ?? %s)", operand(g.expr(g.pickKind(kUnit, k), d)), operand(e()))
	case 2, 3:
		return g.call(d)
	case 4:
		return fmt.Sprintf("%s.call(%s)", operand(g.expr(kFn, d)), g.args(g.IntN(3), d))
	case 5:
		return fmt.Sprintf("[%s, %s][%d]", e(), e(), g.IntN(4)-1)
	case 6:
		return fmt.Sprintf("#{a: %s, b: %s}%s", e(), e(), g.pick(".a", ".b", ".c", `["a"]`, "?.a", `?["b"]`))
	case 7, 8, 9:
		return g.native(d)
	case 10:
		return fmt.Sprintf("switch %s { %s => %s, _ => %s }", g.expr(kAny, d), g.leaf(g.pickKind(kInt, kString, kChar, kBool)), e(), e())
	case 11:
		return "(" + g.bound("loop", func() string { return fmt.Sprintf("{ %s break %s; }", g.statement(d-1), e()) }) + ")"
	case 12:
		return fmt.Sprintf("{ %s %s }", g.statement(d-1), e())
	case 13:
		return "(" + e() + ")"
	case 14:
		return g.place(d)
	case 15:
		return fmt.Sprintf("call(%s, %s)", g.expr(kFn, d), g.args(1+g.IntN(2), d))
	case 16:
		return fmt.Sprintf("eval(%s)", quoted(e()))
	case 17:
		return g.pick("is_def_var(\"v1\")", "is_def_fn(\"f0\", 1)", "is_shared("+g.leaf(k)+")", "type_of("+e()+")", g.leaf(k)+".type_of()", g.leaf(k)+".is_shared()")
	case 18:
		return fmt.Sprintf("%s.%s(%s)", operand(e()), g.functionName(), g.args(g.IntN(2), d))
	}
	return g.chain(operand(e()), d)
}

func (g *generator) args(n, depth int) string {
	var out []string
	for range n {
		out = append(out, g.expr(kAny, depth))
	}
	return strings.Join(out, ", ")
}

func (g *generator) intExpr(d int) string {
	switch g.IntN(8) {
	case 0:
		return "-" + operand(g.expr(kInt, d))
	case 1:
		return operand(g.expr(g.pickKind(kString, kArray, kMap, kBlob), d)) + g.pick(".len()", ".len", "?.len")
	case 2:
		return operand(g.expr(kArray, d)) + g.pick(".reduce(|a, b| a + b, 0)", ".pop()", ".shift()", ".index_of(1)")
	case 3:
		return operand(g.expr(kInt, d)) + g.pick(".abs()", ".sign()", ".max(3)", ".min(2)", "[0..3]", ".bits", ".is_odd")
	}
	return fmt.Sprintf("%s %s %s", operand(g.expr(kInt, d)), g.pick("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "+", "-", "**"), operand(g.expr(kInt, d)))
}

func (g *generator) boolExpr(d int) string {
	switch g.IntN(6) {
	case 0, 1:
		return fmt.Sprintf("%s %s %s", operand(g.expr(kBool, d)), g.pick("&&", "||", "&&", "||", "&", "|", "^", "=="), operand(g.expr(kBool, d)))
	case 2:
		return "!" + operand(g.expr(kBool, d))
	case 3:
		return fmt.Sprintf("%s %s %s", operand(g.expr(kAny, d)), g.pick("==", "!=", "<", ">="), operand(g.expr(kAny, d)))
	case 4:
		return fmt.Sprintf("%s %s %s", operand(g.expr(kAny, d)), g.pick("in", "!in"), operand(g.expr(g.pickKind(kArray, kString, kMap, kRange, kBlob), d)))
	}
	same := g.pickKind(kInt, kFloat, kString, kChar, kInt, kRange)
	return fmt.Sprintf("%s %s %s", operand(g.expr(same, d)), g.pick("==", "!=", "<", ">", "<=", ">="), operand(g.expr(same, d)))
}

func (g *generator) stringExpr(d int) string {
	switch g.IntN(7) {
	case 0, 1:
		text := "`" + g.pick("", "a ", "é", "x\ny", "``")
		for range 1 + g.IntN(2) {
			text += "${" + g.expr(kAny, d) + "}" + g.pick("", "b", "ü")
		}
		return text + "`"
	case 2:
		return operand(g.expr(kString, d)) + g.pick(".to_upper()", ".sub_string(1)", ".sub_string(-2, 1)", "[0..1]", "[1..]", "[-1..5]", "[0..=2]")
	case 3:
		return operand(g.expr(kAny, d)) + g.pick(".to_string()", ".to_debug()", ".type_of()")
	}
	return fmt.Sprintf("%s + %s", operand(g.expr(kString, d)), operand(g.expr(kAny, d)))
}

func (g *generator) arrayExpr(d int) string {
	switch g.IntN(8) {
	case 0:
		return fmt.Sprintf("%s.%s(%s)", operand(g.expr(kArray, d)), g.pick("map", "filter", "drain", "retain", "find", "dedup"), g.callback(d))
	case 1:
		return fmt.Sprintf("%s + %s", operand(g.expr(kArray, d)), operand(g.expr(g.pickKind(kArray, kInt), d)))
	case 2:
		return operand(g.expr(kMap, d)) + g.pick(".keys()", ".values()")
	case 3:
		return operand(g.expr(kString, d)) + g.pick(".split()", ".split(\"a\")", ".split(1)", ".chars().to_array()")
	case 4:
		return operand(g.expr(kArray, d)) + g.pick(".extract(1)", ".extract(0..2)", ".chop(2)", ".splice(0..1, [7])", ".sort()")
	}
	return "[" + g.args(g.IntN(4), d) + "]"
}

func (g *generator) mapExpr(d int) string {
	if g.IntN(6) == 0 {
		return fmt.Sprintf("%s + %s", operand(g.expr(kMap, d)), operand(g.expr(kMap, d)))
	}
	var entries []string
	for _, key := range []string{"a", "b", "\"c\"", "len"}[g.IntN(4):] {
		value := g.expr(kAny, d)
		if g.IntN(8) == 0 {
			value = g.pick("|| this.a", "|x| { this.a = x; this }", "|x| this.a + x")
		}
		entries = append(entries, key+": "+value)
	}
	return "#{" + strings.Join(entries, ", ") + "}"
}

func (g *generator) fnExpr(d int) string {
	switch g.IntN(7) {
	case 0:
		return fmt.Sprintf("Fn(%q)", g.functionName())
	case 1:
		return fmt.Sprintf("%s.curry(%s)", operand(g.expr(kFn, d)), g.expr(kAny, d))
	case 2:
		return fmt.Sprintf("(|| %s)", g.expr(kAny, d))
	case 3:
		return fmt.Sprintf("(|x, y| %s)", g.within([]string{"x", "y"}, g.anyKind(), d))
	case 4:
		kept, inFn, loops := len(g.vars), g.inFn, g.loops
		g.vars, g.inFn, g.loops = append(g.vars, variable{"x", kInt, false}), true, 0
		body := g.block(d)
		g.vars, g.inFn, g.loops = g.vars[:kept], inFn, loops
		return "(|x| " + body + ")"
	}
	return fmt.Sprintf("(|x| %s)", g.within([]string{"x"}, g.anyKind(), d))
}

// within is the body of a closure with parameters.
func (g *generator) within(params []string, k kind, depth int) string {
	kept, loops := len(g.vars), g.loops
	for _, p := range params {
		g.vars = append(g.vars, variable{p, kInt, false})
	}
	g.loops = 0
	body := g.expr(k, depth)
	g.vars, g.loops = g.vars[:kept], loops
	return body
}

// operand is an expression that something may follow or precede as it is.
func operand(e string) string {
	if strings.HasPrefix(e, "(") && strings.Count(e, "(") == 1 && strings.HasSuffix(e, ")") {
		return e
	}
	simple := strings.IndexFunc(e, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
	if simple || strings.HasPrefix(e, `"`) && strings.Count(e, `"`) == 2 && strings.HasSuffix(e, `"`) {
		return e
	}
	return "(" + e + ")"
}

// quoted is a text as a string literal that needs no escapes.
func quoted(text string) string { return `#"` + text + `"#` }

// chain goes on from an expression through properties, elements and methods.
func (g *generator) chain(from string, depth int) string {
	for range 1 + g.IntN(3) {
		switch g.IntN(8) {
		case 0, 1, 2:
			from += g.pick(".", ".", ".", "?.") + g.pick("a", "b", "c", "len", "x")
		case 3, 4, 5:
			from += g.pick("[", "[", "[", "?[") + g.pick("0", "1", "-1", `"a"`, `"b"`, "0..2", g.expr(kInt, depth)) + "]"
		case 6:
			from += fmt.Sprintf(".%s()", g.pick("len", "pop", "to_string", "abs", "keys", "m0", "call"))
		default:
			from += fmt.Sprintf(".%s(%s)", g.pick("push", "get", "contains", "m1", "call", "remove", "f0"), g.expr(kAny, depth))
		}
	}
	return from
}

// place is what may be assigned to: a variable, or a path from one.
func (g *generator) place(depth int) string {
	var names []string
	if g.inFn {
		names = append(names, "this")
	}
	if len(g.vars) == 0 || g.IntN(20) == 0 {
		names = append(names, "v1")
	}
	for _, v := range g.vars {
		names = append(names, v.name)
	}
	path := names[g.IntN(len(names))]
	for range g.IntN(3) {
		switch g.IntN(5) {
		case 0, 1:
			path += g.pick(".a", ".b", ".c", "?.a", ".tag")
		default:
			path += g.pick("[0]", "[1]", "[-1]", `["a"]`, "?[0]", "[0..2]", "["+g.expr(kInt, depth-1)+"]")
		}
	}
	return path
}

// call calls a function of the script.
func (g *generator) call(depth int) string {
	if len(g.funcs) == 0 {
		return g.native(depth)
	}
	f := g.funcs[g.IntN(len(g.funcs))]
	n := f.params
	if g.IntN(15) == 0 {
		n++
	}
	if f.method {
		receiver := operand(g.expr(kAny, depth))
		if g.IntN(2) == 0 {
			receiver = g.place(0)
		}
		return fmt.Sprintf("%s.%s(%s)", receiver, f.name, g.args(n, depth))
	}
	return fmt.Sprintf("%s%s(%s)", f.name, g.pick("", "", "", "", "!"), g.args(n, depth))
}

// variableOf is the name of a variable of a kind, or empty.
func (g *generator) variableOf(k kind) string {
	var fitting []string
	for _, v := range g.vars {
		if v.kind == k || k == kAny || g.IntN(60) == 0 {
			fitting = append(fitting, v.name)
		}
	}
	if len(fitting) == 0 {
		return ""
	}
	return g.pick(fitting...)
}

// leaf is a variable of the kind, or a literal.
func (g *generator) leaf(k kind) string {
	if g.IntN(2) == 0 {
		if name := g.variableOf(k); name != "" {
			return name
		}
	}
	switch k {
	case kInt:
		return g.pick("0", "1", "2", "3", "7", "10", "-1", "-5", "63", "100", "9223372036854775807", "0xff", "1_000", "0b101", "0o17")
	case kFloat:
		return g.pick("0.0", "1.0", "1.5", "-2.5", "1e10", "0.1", "1e-7", "3.14159", "1e300", "1.", "99999999999999999999")
	case kBool:
		return g.pick("true", "false")
	case kString:
		return g.pick(`""`, `"a"`, `"hello"`, `"héllo"`, `"a b"`, `"x\ny"`, "`raw`", `"12"`, `#"a"b"#`, `"日本語"`, `"\u00e9\t"`, `"a,b,a"`)
	case kChar:
		return g.pick("'a'", "'Z'", "'é'", `'\n'`, "'1'", `'\u65e5'`)
	case kArray:
		return g.pick("[]", "[1, 2, 3]", "[[1], 2]", `["a", "b"]`, "[()]", "[1.5, 'c']", "[3, 1, 2]", "[#{a: 1}]")
	case kMap:
		return g.pick("#{}", "#{a: 1}", `#{a: 1, b: "x"}`, "#{c: [1, 2]}", "#{a: #{b: [1]}}")
	case kFn:
		return g.pick("(|x| x)", "(|x| x + 1)", "(|| 5)", `Fn("abs")`, "(|x, y| x)", "(|| this)")
	case kRange:
		return g.pick("0..3", "1..=2", "3..0", "..2", "1..", "0..0")
	case kBlob:
		return g.pick("blob()", "blob(4, 65)", "\"ab\".to_blob()")
	}
	return "()"
}
