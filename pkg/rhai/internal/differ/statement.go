package main

import (
	"fmt"
	"strings"
)

func (g *generator) statement(depth int) string {
	if depth <= 0 {
		return g.pick(g.expr(kAny, 1)+";", "print("+g.expr(kAny, 1)+");")
	}
	switch n := g.IntN(28); {
	case n < 5:
		return g.define(depth)
	case n < 10:
		return g.assignment(depth)
	case n < 12:
		return g.pick("print", "debug") + "(" + g.expr(kAny, depth) + ");"
	case n < 14:
		s := fmt.Sprintf("if %s %s", g.expr(kBool, depth-1), g.block(depth-1))
		for g.IntN(4) == 0 {
			s += fmt.Sprintf(" else if %s %s", g.expr(kBool, 1), g.block(depth-1))
		}
		if g.IntN(2) == 0 {
			s += " else " + g.block(depth-1)
		}
		return s
	case n < 16:
		return g.loop(depth)
	case n < 17:
		return g.choice(depth)
	case n < 18:
		if g.loops > 0 {
			return fmt.Sprintf("if %s { %s }", g.expr(kBool, 1), g.pick("break;", "continue;", "break "+g.expr(kAny, 1)+";"))
		}
		return g.call(depth) + ";"
	case n < 19:
		if g.inFn {
			return fmt.Sprintf("if %s { %s; }", g.expr(kBool, 1), g.pick("return", "throw", "return "+g.expr(kAny, 1), "throw "+g.expr(kAny, 1)))
		}
		return fmt.Sprintf("if %s { %s %s; }", g.expr(kBool, 1), g.pick("throw", "return"), g.expr(kAny, 1))
	case n < 21:
		return g.try(depth)
	case n < 22:
		return g.block(depth)
	case n < 24:
		return g.native(depth) + ";"
	case n < 25:
		return g.eval(depth)
	}
	return g.expr(kAny, depth) + ";"
}

// define is a let or a const.
func (g *generator) define(depth int) string {
	k := g.anyKind()
	value := g.expr(k, depth)
	name := g.fresh("v")
	constant := g.IntN(6) == 0
	g.vars = append(g.vars, variable{name, k, constant})
	switch {
	case constant:
		return fmt.Sprintf("const %s = %s;", name, value)
	case g.IntN(12) == 0:
		return fmt.Sprintf("let %s;", name)
	}
	return fmt.Sprintf("let %s = %s;", name, value)
}

// assignment writes to a variable or to what a path from one leads to.
func (g *generator) assignment(depth int) string {
	op := g.pick("=", "=", "=", "+=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^=", "**=")
	if len(g.vars) > 0 && g.IntN(2) == 0 {
		v := g.vars[g.IntN(len(g.vars))]
		return fmt.Sprintf("%s %s %s;", v.name, op, g.expr(v.kind, depth-1))
	}
	return fmt.Sprintf("%s %s %s;", g.place(depth), op, g.expr(kAny, depth-1))
}

func (g *generator) try(depth int) string {
	s := fmt.Sprintf("try %s catch ", g.block(depth-1))
	if g.IntN(3) == 0 {
		return s + g.block(depth-1)
	}
	kept := len(g.vars)
	g.vars = append(g.vars, variable{"err", g.pickKind(kString, kMap, kInt), false})
	s += "(err) " + g.pick(g.block(depth-1), "{ print(err); }", "{ throw; }", "{ throw err; }")
	g.vars = g.vars[:kept]
	return s
}

// eval runs a text that may define variables.
func (g *generator) eval(depth int) string {
	text := g.statement(depth - 1)
	if g.IntN(3) == 0 {
		text += " " + g.expr(kAny, 1)
	}
	if strings.Contains(text, `"#`) {
		return text
	}
	return "eval(" + quoted(text) + ");"
}

// bound is a loop's head, and its body made within it.
func (g *generator) bound(head string, body func() string) string {
	g.loops++
	kept := len(g.vars)
	defer func() { g.loops--; g.vars = g.vars[:kept] }()
	return head + " " + body()
}

func (g *generator) loop(depth int) string {
	counter := fmt.Sprintf("n%d", g.names)
	g.names++
	times := 1 + g.IntN(4)
	body := func() string { return g.block(depth - 1) }
	switch g.IntN(8) {
	case 0:
		return fmt.Sprintf("{ let %s = 0; %s }", counter, g.bound(fmt.Sprintf("while %s < %d", counter, times), func() string {
			return fmt.Sprintf("{ %s += 1; %s }", counter, body())
		}))
	case 1:
		return fmt.Sprintf("{ let %s = 0; %s %s %s }", counter, g.bound("do", func() string {
			return fmt.Sprintf("{ %s += 1; %s }", counter, body())
		}), g.pick("while", "until"), g.pick(fmt.Sprintf("%s < %d", counter, times), fmt.Sprintf("%s >= %d", counter, times), g.expr(kBool, 1)))
	case 2:
		return fmt.Sprintf("{ let %s = 0; %s }", counter, g.bound("loop", func() string {
			return fmt.Sprintf("{ %s += 1; if %s > %d { %s } %s }", counter, counter, times, g.pick("break;", "break 7;"), body())
		}))
	}
	over := g.pick("0..3", "1..=2", "3..0", g.expr(kArray, 1), g.expr(kString, 1), g.expr(kBlob, 1), g.expr(kMap, 1), g.expr(kAny, 0),
		"range(0, 6, 2)", "range(3, 0, -1)", "5.bits()", `"aé".chars()`, "range(0.0, 1.0, 0.25)", "0.."+operand(g.expr(kInt, 0)))
	return g.bound("", func() string {
		name := g.fresh("i")
		g.vars = append(g.vars, variable{name, kInt, false})
		if g.IntN(4) == 0 {
			g.vars = append(g.vars, variable{"idx", kInt, false})
			return fmt.Sprintf("for (%s, idx) in %s %s", name, over, body())
		}
		return fmt.Sprintf("for %s in %s %s", name, over, body())
	})
}

func (g *generator) choice(depth int) string {
	value := func() string { return g.pick(g.expr(kAny, 1), g.block(depth-1)) }
	guard := func() string {
		if g.IntN(3) == 0 {
			return " if " + g.expr(kBool, 1)
		}
		return ""
	}
	var cases []string
	for range 1 + g.IntN(4) {
		label := g.pick("1", "2 | 3", `"a"`, "'a'", "true", "()", "1.5", "[1, 2]", "#{a: 1}", "-1")
		cases = append(cases, label+guard()+" => "+value())
	}
	for range g.IntN(3) {
		cases = append(cases, g.pick("4..9", "0..=5", "-3..0")+guard()+" => "+value())
	}
	if g.IntN(3) > 0 {
		cases = append(cases, "_ => "+value())
	}
	return fmt.Sprintf("switch %s { %s }", g.expr(g.pickKind(kInt, kInt, kAny), depth-1), strings.Join(cases, ", "))
}

// effect is an expression that may change something.
func (g *generator) effect(depth int) string {
	return strings.TrimSuffix(g.pick(g.assignment(depth), g.native(depth), "print("+g.expr(kAny, depth)+")"), ";")
}
