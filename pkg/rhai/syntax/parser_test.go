package syntax

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// sources parse, and print as what parses to the same tree.
var sources = []string{
	"",
	"40 + 2",
	"let x = 1; const Y = 2; export let z = 3; export x as w;",
	"fn f(a, b) { a + b } private fn g() {} fn int.h() { this } fn \"My Type\".k(x) { this = x }",
	"//! about\n/// doc\n/** more */ fn f() {}",
	"-9223372036854775808 - -1 + - -5 + !true + -x.y ** 2",
	"1..2; ..; 1..; ..=5; x[1..]; f(..);",
	"a ?? b ?? return 5; a || b && c | d ^ e & f == g != h in i !in j < k",
	"2 ** 3 ** 4; (2 ** 3) ** 4; a - (b - c); (a - b) - c; a << b >> c",
	"x.y.z = 1; x[0][1] += 2; x?.y?[1] = 3; (x?[0]).y; (x?[0])[1]; x[0]?[1]; x?[0]?[1].f();",
	"`a${1 + 2}b${`c${d}`}\\${no} `` end`; `\n\ntwo lines`; #\"raw\"#; \"q\\\"\\n\\x41\"; 'c'; '\\''",
	"|| 1; |x| x + y; |a, b| { let c = a; || c + d }; let f = |x| |y| x + y + z;",
	"switch x { 1 | 2 => 3, 'a' if y > 1 => { 4 } -5..=5 => f(), [1, #{a: 2}] => return, _ => () }",
	"if a { 1 } else if b { 2 } else { 3 } while c { break 5; continue } loop { break }",
	"do { x } until y; do { x } while y; for i in 0..9 { } for (i, n) in list { print(i) }",
	"try { throw 1 } catch (e) { throw } try {} catch {}",
	"import \"a\" + b as c; a::b::d(1, c::e); global::X; f!(1); x.call(1); (f)(2);",
	"({1}) + 2; ({1}).x; (if a { 1 } else { 2 }) * 3; let x = {1} + 2; { 1 } + 2; (1).x; (-1).abs(); 1.5.abs();",
	"1e300; 1e999; -1e999; 0.1; 1.0; 100000000000000000000; 0xff; 1_000;",
}

func TestPrintedSourceParsesToTheSameTree(t *testing.T) {
	for _, source := range sources {
		first, err := Parse(source, Options{})
		if err != nil {
			t.Errorf("%q: %v", source, err)
			continue
		}
		printed := Print(first)
		second, err := Parse(printed, Options{MaxExprDepth: -1, MaxFunctionExprDepth: -1})
		if err != nil {
			t.Errorf("%q: %v in what was printed:\n%s", source, err, printed)
		} else if !sameTree(reflect.ValueOf(first), reflect.ValueOf(second)) {
			t.Errorf("%q: another tree from what was printed:\n%s", source, printed)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		source string
		kind   ErrorKind
		lex    LexKind
		pos    string
	}{
		{"1 +", UnexpectedEOF, "", "1:4"},
		{"x +\n", UnexpectedEOF, "", "2:1"},
		{"1 2", MissingToken, "", "1:3"},
		{"{ 1", MissingToken, "", "1:4"},
		{"let 1", VariableExpected, "", "1:5"},
		{"let print = 1", Reserved, "", "1:5"},
		{"a @ b", UnknownOperator, "", "1:3"},
		{"--1", Reserved, "", "1:1"},
		{"a === b", BadInput, ImproperSymbol, "1:3"},
		{"\"abc", BadInput, UnterminatedString, "1:1"},
		{"`a${1}b", BadInput, UnterminatedString, "1:7"},
		{"'ab'", BadInput, MalformedChar, "1:1"},
		{"\"a\\q\"", BadInput, MalformedEscapeSequence, "1:4"},
		{"1e+", BadInput, MalformedNumber, "1:1"},
		{"let _1 = 1", BadInput, MalformedIdentifier, "1:5"},
		{"é", BadInput, UnexpectedInput, "1:1"},
		{"\"é😀\" x", MissingToken, "", "1:6"},
		{"if x = 1 {}", BadInput, ImproperSymbol, "1:6"},
		{"if 1 {}", MismatchedType, "", "1:4"},
		{"for x in 5 {}", MismatchedType, "", "1:10"},
		{"[1][\"a\"]", MalformedIndexExpr, "", "1:5"},
		{"#{a: 1, a: 2}", DuplicatedProperty, "", "1:9"},
		{"const X = 1; X = 2", AssignmentToConstant, "", "1:14"},
		{"f() = 1", AssignmentToInvalidLHS, "", "1:1"},
		{"x.f!()", MalformedCapture, "", "1:3"},
		{"x.1", PropertyExpected, "", "1:3"},
		{"break", LoopBreak, "", "1:1"},
		{"{ fn f() {} }", WrongFnDefinition, "", "1:3"},
		{"{ export x }", WrongExport, "", "1:3"},
		{"/// doc\nlet x", WrongDocComment, "", "1:1"},
		{"fn f(x, x) {}", FnDuplicatedParam, "", "1:9"},
		{"fn f() {} fn f() {}", FnDuplicatedDefinition, "", "1:11"},
		{"fn 1() {}", FnMissingName, "", "1:4"},
		{"fn f {}", FnMissingParams, "", "1:6"},
		{"fn f() 1", FnMissingBody, "", "1:8"},
		{"switch x { _ => 1, 2 => 3 }", WrongSwitchDefaultCase, "", "1:12"},
		{"switch x { _ if y => 1 }", WrongSwitchCaseCondition, "", "1:14"},
		{"switch x { 1..5 => 1, 3 => 1 }", WrongSwitchIntegerCase, "", "1:23"},
		{"switch x { y => 1 }", ExprExpected, "", "1:12"},
		{strings.Repeat("(", 40), ExprTooDeep, "", "1:32"},
		{"fn f() {" + strings.Repeat("(", 40), ExprTooDeep, "", "1:23"},
	} {
		_, err := Parse(test.source, Options{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v, want %s", test.source, err, test.kind)
		} else if e.Kind != test.kind || e.Lex != test.lex || e.Pos.String() != test.pos {
			t.Errorf("%q: got %s %s at %v, want %s %s at %s", test.source, e.Kind, e.Lex, e.Pos, test.kind, test.lex, test.pos)
		}
	}
}

func TestOptions(t *testing.T) {
	refuse := func(d Definition) error {
		if d.Name == "secret" {
			return errors.New("no")
		}
		return nil
	}
	swap := &CustomSyntax{Next: func(matched []string, _ string, _ *any) (string, error) {
		return []string{"", "$ident$", "with", "$expr$", ""}[len(matched)], nil
	}}
	for _, test := range []struct {
		source string
		opts   Options
		want   ErrorKind
	}{
		{"x", Options{StrictVariables: true}, VariableUndefined},
		{"x", Options{StrictVariables: true, Variables: []string{"x"}}, ""},
		{"let f = |y| x", Options{StrictVariables: true}, VariableUndefined},
		{"a::b()", Options{StrictVariables: true}, ModuleUndefined},
		{"import \"m\" as a; a::b()", Options{StrictVariables: true}, ""},
		{"eval(\"1\")", Options{Disabled: map[string]bool{"eval": true}}, Reserved},
		{"1 + 2", Options{Disabled: map[string]bool{"+": true}}, UnknownOperator},
		{"1 @ 2 # 3", Options{Operators: map[string]int{"@": 160, "#": 170}}, ""},
		{"let secret = 1", Options{AllowVariable: refuse}, ForbiddenVariable},
		{"let x = 1; let x = 2", Options{NoShadowing: true}, VariableExists},
		{"[1, 2, 3]", Options{MaxArrayItems: 2}, LiteralTooLarge},
		{"#{a: 1, b: 2}", Options{MaxMapEntries: 1}, LiteralTooLarge},
		{"\"abc\"", Options{MaxStringBytes: 2}, LiteralTooLarge},
		{"fn f() {} fn g() {}", Options{MaxFunctions: 1}, TooManyFunctions},
		{"((1))", Options{MaxExprDepth: 3}, ExprTooDeep},
		{"swap x with y + 1; x", Options{CustomSyntax: map[string]*CustomSyntax{"swap": swap}}, ""},
		{"swap x y", Options{CustomSyntax: map[string]*CustomSyntax{"swap": swap}}, MissingToken},
		{"|x| x", Options{NoClosures: true}, BadInput},
		{"loop {}", Options{NoLoop: true}, BadInput},
	} {
		_, err := Parse(test.source, test.opts)
		var e *Error
		errors.As(err, &e)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%q: got %v, want no error", test.source, err)
		case test.want != "" && (e == nil || e.Kind != test.want):
			t.Errorf("%q: got %v, want %s", test.source, err, test.want)
		}
	}
}

func TestParseExpr(t *testing.T) {
	if _, err := ParseExpr("1 + f(x)", Options{}); err != nil {
		t.Error(err)
	}
	for _, source := range []string{"1; 2", "let x = 1", "{ 1 }", "if x { 1 }", "x = 1", ""} {
		if _, err := ParseExpr(source, Options{}); err == nil {
			t.Errorf("%q: no error, want one: it is no expression", source)
		}
	}
}

func TestClosuresCaptureWhatTheyDoNotDefine(t *testing.T) {
	s, err := Parse("let f = |x| { let y = x; || b + y + a + f(b) + c.d };", Options{})
	if err != nil {
		t.Fatal(err)
	}
	outer := s.Body[0].(*Let).Value.(*Closure)
	if got := names(outer.Captures); got != "b, a, c" {
		t.Errorf("the outer closure captures %s, want b, a, c", got)
	}
	inner := outer.Body.(*Block).Body[1].(*ExprStmt).X.(*Closure)
	if got := names(inner.Captures); got != "b, y, a, c" {
		t.Errorf("the inner closure captures %s, want b, y, a, c", got)
	}
}

func BenchmarkParse(b *testing.B) {
	source := strings.Repeat(`
// The sum of what is even.
fn sum_even(list, limit) {
	let total = 0;
	for (item, index) in list {
		if item % 2 == 0 && index < limit {
			total += item * 2 + list[index].value;
		} else {
			print("odd: " + item.to_string());
		}
	}
	total
}
`, 200)
	source = strings.NewReplacer("sum_even", "f").Replace(source)
	var all strings.Builder
	for i, part := range strings.Split(source, "fn f(") {
		if i > 0 {
			all.WriteString("fn f" + strings.Repeat("x", i%50) + "_" + string(rune('a'+i/50)) + "(")
		}
		all.WriteString(part)
	}
	b.SetBytes(int64(all.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(all.String(), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
