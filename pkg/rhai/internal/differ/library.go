package main

import (
	"fmt"
	"os"
	"strings"
)

// signature is a function of the standard library.
type signature struct {
	name   string
	params []kind
}

// kindNames are the types that signatures name.
var kindNames = map[string]kind{"i64": kInt, "f64": kFloat, "bool": kBool, "string": kString, "char": kChar, "array": kArray,
	"map": kMap, "Fn": kFn, "()": kUnit, "blob": kBlob, "range": kRange, "range=": kRange, "?": kAny}

// loadLibrary reads the list of the reference's functions, but for operators, and for those that deal with time.
func loadLibrary(path string) ([]signature, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []signature
next:
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		name, rest, ok := strings.Cut(strings.TrimSuffix(line, ")"), "(")
		if !ok || name == "sleep" || name == "timestamp" || !strings.ContainsAny(name[:1], "abcdefghijklmnopqrstuvwxyzPE") {
			continue
		}
		s := signature{name: name}
		for _, param := range strings.Split(rest, ", ") {
			if param == "" {
				continue
			}
			k, ok := kindNames[param]
			if !ok {
				continue next
			}
			s.params = append(s.params, k)
		}
		out = append(out, s)
	}
	return out, nil
}

// native is a call of a function of the library, or the use of a property, mostly with arguments of the types it takes.
func (g *generator) native(depth int) string {
	f := g.library[g.IntN(len(g.library))]
	var args []string
	for i, k := range f.params {
		switch {
		case k == kFn:
			args = append(args, g.callback(depth))
		case k == kString && i > 0 && f.params[0] == kArray && g.IntN(2) == 0:
			args = append(args, fmt.Sprintf("%q", g.functionName()))
		default:
			args = append(args, g.expr(k, depth))
		}
	}
	if len(args) == 0 {
		return f.name + "()"
	}
	receiver := args[0]
	if name := g.variableOf(f.params[0]); name != "" && g.IntN(3) > 0 {
		receiver = name
	}
	dot := "."
	if g.IntN(12) == 0 {
		dot = "?."
	}
	property, get := strings.CutPrefix(f.name, "get$")
	written, set := strings.CutPrefix(f.name, "set$")
	switch {
	case get:
		return operand(receiver) + dot + property
	case set:
		return fmt.Sprintf("{ %s.%s = %s }", operand(receiver), written, args[1])
	case g.IntN(3) == 0:
		args[0] = receiver
		return fmt.Sprintf("%s(%s)", f.name, strings.Join(args, ", "))
	}
	return fmt.Sprintf("%s%s%s(%s)", operand(receiver), dot, f.name, strings.Join(args[1:], ", "))
}

// callback is a function pointer for the library to call.
func (g *generator) callback(depth int) string {
	any, d := g.anyKind(), depth-1
	switch g.IntN(9) {
	case 0:
		return "|| this"
	case 1:
		return fmt.Sprintf("|| { this = %s; %s }", g.expr(any, d), g.expr(g.anyKind(), 0))
	case 2:
		return g.expr(kFn, d)
	case 3:
		return fmt.Sprintf("|x, i| %s", g.within([]string{"x", "i"}, g.pickKind(kBool, kInt), d))
	case 4:
		return fmt.Sprintf("|x, y| %s", g.pick("x <=> y", "x - y", "x < y", "x + y", "x == y", "y - x", "if x > y { 1 } else { -1 }"))
	case 5:
		return fmt.Sprintf("|x| { %s; %s }", g.effect(d), g.within([]string{"x"}, any, d))
	}
	return fmt.Sprintf("|x| %s", g.within([]string{"x"}, g.pickKind(kBool, kInt, any), d))
}

// functionName is the name of some function.
func (g *generator) functionName() string {
	if len(g.funcs) > 0 && g.IntN(4) > 0 {
		return g.funcs[g.IntN(len(g.funcs))].name
	}
	return g.pick("abs", "len", "to_string", "print", "nobody", "type_of", "+", "is_even", "1x")
}
