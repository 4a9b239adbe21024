package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"circles/pkg/rhai/batch"
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
	kRange
	kBlob
	kAny // one of the above
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
	method bool
}

// generator writes one script. Everything it does comes from its random numbers.
type generator struct {
	*rand.Rand
	library []signature
	vars    []variable
	funcs   []function
	names   int
	loops   int // loops around the place, for break and continue
	inFn    bool
}

// sources are modules that a script may import.
const (
	moduleA = "export let x = 40; export const y = [1, 2]; fn f0(p) { p + 1 } fn m0() { this } fn cb(f) { f.call(3) } private fn g() { 7 } fn h() { g() }"
	moduleB = "import \"a\" as a; export const z = a::x + 2; fn f1(p) { a::f0(p) } fn int.m1(q) { this + q } print(\"b\");"
)

// question makes a script of several lines, each of which is a statement of the global level.
func (g *generator) question() batch.Question {
	var q batch.Question
	var lines []string
	if g.IntN(20) == 0 {
		q.Modules = map[string]string{"a": moduleA, "b": moduleB}
	}
	for range g.IntN(4) {
		lines = append(lines, g.function())
	}
	if q.Modules != nil {
		lines = append(lines, g.pick(`import "a" as a;`, `import "b" as b;`, `import "a" as b;`, `import "c" as c;`, `import "b";`))
	}
	careful := g.IntN(4) > 0
	for range 2 + g.IntN(6) {
		if q.Modules != nil && g.IntN(2) == 0 {
			lines = append(lines, g.imported())
		}
		switch {
		case !careful:
			lines = append(lines, g.statement(3))
		case g.IntN(3) == 0:
			lines = append(lines, g.define(1))
		default:
			lines = append(lines, g.caught(3))
		}
	}
	if g.IntN(4) > 0 {
		lines = append(lines, g.expr(kAny, 3))
	}
	q.Script = strings.Join(lines, "\n")
	return q
}

// caught is a statement whose errors do not end the script.
func (g *generator) caught(depth int) string {
	kept := len(g.vars)
	s := g.statement(depth)
	g.vars = g.vars[:kept]
	return fmt.Sprintf("try { %s } catch (err) { print(err); }", s)
}

// imported uses a module.
func (g *generator) imported() string {
	return g.pick("print(a::x);", "a::x = 3;", "b::z", fmt.Sprintf("print(a::f0(%s));", g.expr(kInt, 1)), "b::f1(1);", "a::g();", "a::h();",
		fmt.Sprintf("let w = a::cb(%s);", g.callback(1)), "{ import \"b\" as d; print(d::z); }", "a::y.push(3);", "push(a::y, 3);", "let w = a::y; w += 1;",
		"b::a::x;", "5.m1(3);", "export const w = 3;", "let w = 3; export w as ww;", "m0(3);", "print(b::a::f0(3));", "a::nobody(1);", "c::x;")
}

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) anyKind() kind { return kind(g.IntN(int(kAny))) }

func (g *generator) pickKind(choices ...kind) kind { return choices[g.IntN(len(choices))] }

func (g *generator) fresh(prefix string) string {
	g.names++
	if len(g.vars) > 0 && g.IntN(5) == 0 {
		return g.vars[g.IntN(len(g.vars))].name // shadow one
	}
	return fmt.Sprintf("%s%d", prefix, g.names)
}

// function defines a function or a method.
func (g *generator) function() string {
	f := function{fmt.Sprintf("f%d", len(g.funcs)), g.IntN(3), g.IntN(3) == 0}
	head := "fn "
	if g.IntN(10) == 0 {
		head = "private fn "
	}
	if f.method {
		f.name = fmt.Sprintf("m%d", len(g.funcs)%2)
		head += g.pick("", "int.", "array.", "map.", "string.", `"Fn".`, "float.", `"()".`)
	}
	inner := &generator{Rand: g.Rand, library: g.library, funcs: g.funcs, inFn: true, names: 100 * (len(g.funcs) + 1)}
	if g.IntN(8) == 0 {
		inner.funcs = append(inner.funcs[:len(inner.funcs):len(inner.funcs)], f) // recursive
	}
	var params []string
	for i := range f.params {
		name := fmt.Sprintf("p%d", i)
		params = append(params, name)
		inner.vars = append(inner.vars, variable{name, kind(g.IntN(3)), false})
	}
	body := inner.block(2)
	g.funcs = append(g.funcs, f)
	return fmt.Sprintf("%s%s(%s) %s", head, f.name, strings.Join(params, ", "), body)
}

// block is statements in braces; what they define ends with it.
func (g *generator) block(depth int) string {
	kept := len(g.vars)
	var parts []string
	for range g.IntN(3) {
		parts = append(parts, g.statement(depth-1))
	}
	if g.IntN(2) == 0 {
		parts = append(parts, g.expr(kAny, depth-1))
	}
	g.vars = g.vars[:kept]
	return "{ " + strings.Join(parts, " ") + " }"
}
