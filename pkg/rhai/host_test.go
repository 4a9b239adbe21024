package rhai_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// results runs sources and compares their values, or the kinds of their errors, with what is wanted.
func results(t *testing.T, e *rhai.Engine, want map[string]string, opts ...rhai.RunOption) {
	t.Helper()
	for source, text := range want {
		got := ""
		p, err := e.Compile(source)
		if err == nil {
			var v rhai.Value
			if v, err = p.Run(t.Context(), nil, opts...); err == nil {
				got = v.Debug()
			}
		}
		if err != nil {
			f := failure(t, err)
			if got = string(f.Kind) + " " + f.Pos.String(); f.ParseKind != "" {
				got = string(f.ParseKind) + " " + f.Pos.String()
			}
		}
		if got != text {
			t.Errorf("%s: got %s (error %v), want %s", source, got, err, text)
		}
	}
}

func TestOperators(t *testing.T) {
	e := rhai.New(
		rhai.WithOperator("foo", 160, rhai.Func2("", func(a, b int) (int, error) { return a*10 + b, nil })),
		rhai.WithOperator("#", 140, rhai.Func2("", func(a, b int) (int, error) { return a*b + 1, nil }),
			rhai.Func2("", func(a, b string) (string, error) { return a + "#" + b, nil })),
	)
	results(t, e, map[string]string{
		`1 foo 2`:                        `12`,
		`1 + 2 foo 3 * 4`:                `33`, // binds tighter than +, looser than *
		`1 + 2 # 3 + 4`:                  `22`,
		`"a" # "b"`:                      `"a#b"`,
		`let x = 1; x foo x foo x`:       `111`,
		`fn f(a) { a foo 2 } f(3)`:       `32`,
		`1 foo "x"`:                      `ErrorFunctionNotFound 1:3`,
		`let f = |x| x foo 1; f.call(4)`: `41`,
	})
	if _, err := rhai.New(rhai.WithOperator("foo", 0)).Compile("1"); err == nil || !strings.Contains(err.Error(), "want 1 to 255") {
		t.Errorf("got %v", err)
	}
}

func TestDisabled(t *testing.T) {
	e := rhai.New(rhai.WithDisabled("if", "+=", "eval"))
	results(t, e, map[string]string{
		`if true { 1 }`:     `Reserved 1:1`,
		`let x = 1; x += 1`: `UnknownOperator 1:14`,
		`eval("1")`:         `Reserved 1:1`,
		`1 + 2`:             `3`,
	})
}

func TestStrictVariables(t *testing.T) {
	e := rhai.New(rhai.WithStrictVariables("given"))
	if _, err := e.Compile(`let x = 1; x + given`); err != nil {
		t.Error(err)
	}
	results(t, e, map[string]string{`x`: `VariableUndefined 1:1`, `fn f() { y } 1`: `VariableUndefined 1:10`})
}

func TestStrictProperties(t *testing.T) {
	results(t, rhai.New(rhai.WithStrictProperties()), map[string]string{
		`let m = #{a: 1}; m.b`:                                         `ErrorPropertyNotFound 1:20`,
		`let m = #{a: 1}; m["b"]`:                                      `ErrorPropertyNotFound 1:20`,
		`let m = #{a: 1}; m.b = 2; m`:                                  `#{"a": 1, "b": 2}`,
		`let m = #{a: 1}; try { m.b } catch (e) { return e.property }`: `"b"`,
		`let m = #{a: 1}; m.get("b")`:                                  `()`,
	})
	results(t, rhai.New(), map[string]string{`let m = #{a: 1}; m.b`: `()`})
}

func TestDebugTellsWhere(t *testing.T) {
	e := rhai.New(rhai.WithModules(rhai.Modules{"m": rhai.ScriptModule("fn f() {\n  debug(\"in\") }")}))
	var seen []string
	_, err := compile(t, e, `import "m" as m;
let x = 1; debug(x);
[2].map(|y| debug(y));
m::f();`).Run(t.Context(), nil, rhai.WithDebugAt(func(line, module string, at syntax.Pos) {
		seen = append(seen, fmt.Sprintf("%s %s %v", line, module, at))
	}))
	if got := strings.Join(seen, ", "); err != nil || got != `1  2:12, 2  3:13, "in" m 2:3` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestVariableFilter(t *testing.T) {
	var seen []string
	e := rhai.New(rhai.WithVariableFilter(func(d rhai.Definition) error {
		seen = append(seen, fmt.Sprintf("%s %d %t %t", d.Name, d.Depth, d.Const, d.Shadows))
		if strings.HasPrefix(d.Name, "secret") {
			return errors.New("no secrets")
		}
		return nil
	}))
	results(t, e, map[string]string{
		`let x = 1; { const x = 2; } x`: `1`,
	})
	if got := strings.Join(seen, ", "); got != "x 0 false false, x 1 true true" {
		t.Errorf("got %s", got)
	}
	results(t, e, map[string]string{`let secret = 1;`: `ForbiddenVariable 1:5`})
}

func TestVariableResolver(t *testing.T) {
	e := rhai.New(rhai.WithVariableResolver(func(c rhai.Context, name string) (rhai.Value, bool, error) {
		switch name {
		case "answer":
			return value.Int(42), true, nil
		case "list":
			v, err := rhai.ValueOf([]int{1, 2, 3})
			return v, true, err
		case "who":
			return value.Str(fmt.Sprint(c.Host())), true, nil
		case "broken":
			return rhai.Value{}, false, errors.New("out of order")
		}
		return rhai.Value{}, false, nil
	}))
	results(t, e, map[string]string{
		`answer + 1`:                        `43`,
		`let answer = 1; answer`:            `42`,
		`fn f() { answer } f()`:             `42`,
		`let x = 1; x + answer`:             `43`,
		`list[1]`:                           `2`,
		`list.len()`:                        `3`,
		`fn f() { list[2] } f()`:            `3`,
		`answer = 1`:                        `ErrorAssignmentToConstant 1:1`,
		`who`:                               `"ada"`,
		`let f = |x| x + answer; f.call(1)`: `43`,
		`nothing`:                           `ErrorVariableNotFound 1:1`,
		`1 + broken`:                        `ErrorRuntime 1:5`,
		`eval("answer")`:                    `42`,
		`const A = 1; A`:                    `1`,
		`let x = 5; x = x + 1; x`:           `6`,
		`for i in 0..answer { if i > 3 { return i } }`: `4`,
	}, rhai.WithHost("ada"))
}

func TestProgress(t *testing.T) {
	stop := errors.New("enough")
	calls := 0
	_, err := compile(t, rhai.New(), `loop { }`).Run(t.Context(), nil, rhai.WithProgress(func(n uint64) error {
		if calls++; n >= 10_000 {
			return stop
		}
		return nil
	}))
	if f := failure(t, err); !errors.Is(err, stop) || f.Kind != value.ErrTerminated || calls < 5 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}

func TestSyntaxRules(t *testing.T) {
	e := rhai.New(
		rhai.WithSyntaxRule("unless $expr$ $block$", false, func(c *rhai.SyntaxCall) (rhai.Value, error) {
			v, err := c.Eval(0)
			if err != nil || v.Bool() {
				return rhai.Value{}, err
			}
			return c.Eval(1)
		}),
		rhai.WithSyntaxRule("repeat $block$ until $expr$", false, func(c *rhai.SyntaxCall) (rhai.Value, error) {
			for {
				if _, err := c.Eval(0); err != nil {
					return rhai.Value{}, err
				}
				if v, err := c.Eval(1); err != nil || v.Bool() {
					return rhai.Value{}, err
				}
			}
		}),
		rhai.WithSyntaxRule("define $ident$ <- $expr$", true, func(c *rhai.SyntaxCall) (rhai.Value, error) {
			v, err := c.Eval(1)
			if err != nil {
				return rhai.Value{}, err
			}
			return v, c.Define(c.Text(0), v, false)
		}),
		rhai.WithSyntaxRule("bump $ident$ by $int$", false, func(c *rhai.SyntaxCall) (rhai.Value, error) {
			v, _ := c.Variable(c.Text(0))
			n, err := c.Eval(1)
			if err != nil {
				return rhai.Value{}, err
			}
			return rhai.Value{}, c.SetVariable(c.Text(0), value.Int(v.Int()+n.Int()))
		}),
		rhai.WithSyntaxParser("show", func(matched []string, ahead string, _ *any) (string, error) {
			switch {
			case len(matched) > 1:
				return "", nil
			case ahead == "all" || ahead == "none":
				return "$ident$", nil
			}
			return "", fmt.Errorf("got %s, want all or none", ahead)
		}, false, func(c *rhai.SyntaxCall) (rhai.Value, error) { return value.Str(c.Text(0)), nil }),
	)
	results(t, e, map[string]string{
		`unless 1 > 2 { 40 + 2 }`:                                             `42`,
		`unless true { missing }`:                                             `()`,
		`let x = 0; repeat { x += 1; } until x >= 5; x`:                       `5`,
		`fn f(n) { let x = 0; repeat { x += n; } until x >= 5; x } f(3)`:      `6`,
		`let x = 1; let f = || { unless false { x += 1; } x }; f.call() + x`:  `4`,
		`define y <- 3 * 4; y + 1`:                                            `13`,
		`fn f() { define y <- 2; y } f()`:                                     `2`,
		`let x = 1; bump x by 5; x`:                                           `6`,
		`const X = 1; bump X by 5; X`:                                         `ErrorAssignmentToConstant 1:14`,
		`bump z by 5`:                                                         `ErrorVariableNotFound 1:1`,
		`let a = 0; try { unless false { throw 1; } } catch (e) { a = e; } a`: `1`,
		`unless false { throw 1 }`:                                            `ErrorRuntime 1:16`,
		`show all`:                                                            `"all"`,
		`show some`:                                                           `BadInput 1:6`,
		`loop { unless false { break; } }`:                                    `ErrorCustomSyntax 1:8`,
		`let x = 2; x * (unless false { x + 1 })`:                             `6`,
		`let list = [1]; unless false { list.push(2); } list`:                 `[1, 2]`,
		`repeat { } until false`:                                              `ErrorTooManyOperations 1:1`,
	}, rhai.WithRunLimits(rhai.Limits{Operations: 100000, CallDepth: 64}))
}

// What the rules of the reference can have beside the above.
func TestSyntaxMarkers(t *testing.T) {
	inputs := func(c *rhai.SyntaxCall) (rhai.Value, error) {
		var list []rhai.Value
		for i := range c.Len() {
			v, err := c.Eval(i)
			if err != nil {
				return v, err
			}
			list = append(list, v)
		}
		return value.NewArray(list), nil
	}
	call := func(c *rhai.SyntaxCall) (rhai.Value, error) {
		f, err := c.Eval(0)
		if err != nil {
			return f, err
		}
		return c.Call(f.FnPtr(), nil, nil)
	}
	e := rhai.New(
		rhai.WithSyntaxRule("token $token$", false, inputs),
		rhai.WithSyntaxRule("later $func$", false, call),
		rhai.WithSyntaxRule("var $ident$ = $expr$", true, func(c *rhai.SyntaxCall) (rhai.Value, error) {
			v, err := c.Eval(1)
			if err != nil {
				return v, err
			}
			return rhai.Value{}, c.Define(c.Text(0), v, false)
		}),
		rhai.WithSyntaxRule("async $block$", false, inputs),
		rhai.WithSyntaxRule("# $expr$", false, inputs),
		rhai.WithSyntaxRule("-> $expr$", false, inputs),
		rhai.WithSyntaxRule("maybe $expr$ if $expr$ else $expr$", false, inputs),
		rhai.WithSyntaxRule("all $bool$ $int$ $float$ $string$ $symbol$ -> $expr$", false, inputs),
		rhai.WithSyntaxParser("open", func(matched []string, ahead string, state *any) (string, error) {
			if len(matched) == 1 {
				return "$ident$", nil
			}
			*state = "read " + matched[1]
			if matched[1] == "door" {
				return "$$is a door", nil
			}
			return "", nil
		}, false, func(c *rhai.SyntaxCall) (rhai.Value, error) {
			return value.Str(fmt.Sprint(c.State(), ", ", c.Text(c.Len()-1))), nil
		}),
	)
	results(t, e, map[string]string{
		`token foo`:                       `["foo"]`,
		`token let`:                       `["let"]`,
		`token +`:                         `["+"]`,
		`token 5`:                         `["5"]`,
		`token "s"`:                       `["\"s\""]`,
		`token 1.5`:                       `["1.5"]`,
		`token true`:                      `["true"]`,
		`token`:                           `UnexpectedEOF 1:6`,
		`let x = 4; later || x + 1`:       `5`,
		`let x = 4; later { x += 1; x }`:  `5`,
		`let x = 4; later { x += 1; }; x`: `5`,
		`later |x| x`:                     `ErrorFunctionNotFound 1:1`,
		`later 5`:                         `MissingSymbol 1:7`,
		`var q = 20; q + 1`:               `21`,
		`# 5`:                             `[5]`,
		`-> 5 + 1`:                        `[6]`,
		`async { 5 }`:                     `[5]`,
		`maybe 1 if true else 2`:          `[1, true, 2]`,
		`all true 1 2.5 "s" ** -> 3`:      `[true, 1, 2.5, "s", "**", 3]`,
		`all 1 1 2.5 "s" ** -> 3`:         `MissingSymbol 1:5`,
		`all true 1.5 2.5 "s" ** -> 3`:    `MissingSymbol 1:10`,
		`open door`:                       `"read door, $$is a door"`,
		`open book`:                       `"read book, book"`,
		`fn f() { let y = 2; later { y * 3 } } f() + f()`: `12`,
	})
	for rule, want := range map[string]string{
		"":               "without words",
		"let $expr$":     "begins with 'let'",
		"$expr$ kw":      "begins with $expr$",
		"kw $stmt$":      "$stmt$, which is no marker",
		"kw 5":           "in the place of a literal",
		`kw "x" $ident$`: "in the place of a literal",
	} {
		_, err := rhai.New(rhai.WithSyntaxRule(rule, false, inputs)).Compile("1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", rule, err, want)
		}
	}
}

// A debugger that steps through a script changes nothing of it: the whole corpus answers the same.
func TestDebuggingChangesNothing(t *testing.T) {
	files, err := corpus.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	runner := batch.NewRunner(10 * time.Second)
	for _, file := range files {
		for _, chunk := range file.Chunks {
			if chunk.Ask.Limits["operations"] > 0 {
				continue // stops count too
			}
			want := corpus.Lines(runner.Answer(t.Context(), chunk.Ask))
			stepped := chunk.Ask
			stepped.Options = append(slices.Clone(stepped.Options), "debugger")
			if got := corpus.Lines(runner.Answer(t.Context(), stepped)); !slices.Equal(got, want) {
				t.Errorf("%s:%d: %s\n%s\ngot  %s\nwant %s", file.Path, chunk.Line, chunk.Name, chunk.Ask.Script,
					strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
		}
	}
}

func TestDebugger(t *testing.T) {
	source := `let a = 1;
fn add(x, y) {
    let s = x + y;
    s
}
let b = add(a, 2);
let c = add(b, 3);
a + b + c`
	e := rhai.New(rhai.WithDebugging())
	p := compile(t, e, source)
	trace := func(step func(n int, s *rhai.Stop) rhai.Step) (string, error) {
		var lines []string
		_, err := p.Run(t.Context(), nil, rhai.WithDebugger(func(s *rhai.Stop) rhai.Step {
			var vars []string
			for _, v := range s.Variables() {
				vars = append(vars, v.Name+"="+v.Value.String())
			}
			lines = append(lines, fmt.Sprintf("%d%s(%s)", s.Pos.Line, s.Stack()[0].Function, strings.Join(vars, " ")))
			return step(len(lines), s)
		}))
		return strings.Join(lines, " "), err
	}
	for _, test := range []struct {
		name string
		step func(n int, s *rhai.Stop) rhai.Step
		want string
	}{
		{"into", func(int, *rhai.Stop) rhai.Step { return rhai.StepInto },
			"1() 6(a=1) 3add(y=2 x=1) 4add(s=3 y=2 x=1) 7(b=3 a=1) 3add(y=3 x=3) 4add(s=6 y=3 x=3) 8(c=6 b=3 a=1)"},
		{"over", func(int, *rhai.Stop) rhai.Step { return rhai.StepOver }, "1() 6(a=1) 7(b=3 a=1) 8(c=6 b=3 a=1)"},
		{"out", func(n int, _ *rhai.Stop) rhai.Step {
			if n < 3 {
				return rhai.StepInto
			}
			return rhai.StepOut
		}, "1() 6(a=1) 3add(y=2 x=1) 7(b=3 a=1)"},
		{"a line", func(_ int, s *rhai.Stop) rhai.Step {
			s.SetBreakpoints(rhai.Breakpoint{Line: 4})
			return rhai.Continue
		}, "1() 4add(s=3 y=2 x=1) 4add(s=6 y=3 x=3)"},
		{"a function", func(_ int, s *rhai.Stop) rhai.Step {
			s.SetBreakpoints(rhai.Breakpoint{Function: "add"})
			return rhai.Continue
		}, "1() 3add(y=2 x=1) 3add(y=3 x=3)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := trace(test.step); err != nil || got != test.want {
				t.Errorf("got %s and error %v, want %s", got, err, test.want)
			}
		})
	}
	if _, err := trace(func(int, *rhai.Stop) rhai.Step { return rhai.Quit }); !errors.Is(err, rhai.ErrQuit) {
		t.Errorf("got %v, want ErrQuit", err)
	}
	_, err := p.Run(t.Context(), nil, rhai.WithDebugger(func(s *rhai.Stop) rhai.Step {
		if s.Pos.Line == 3 {
			if stack := s.Stack(); len(stack) != 2 || stack[1].Pos.Line != 6 && stack[1].Pos.Line != 7 {
				t.Errorf("got stack %v", stack)
			}
		}
		return rhai.StepInto
	}))
	if err != nil {
		t.Error(err)
	}
}
