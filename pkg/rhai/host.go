package rhai

import (
	"fmt"
	"maps"
	"strings"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/syntax"
)

// WithOperator adds an infix operator: an identifier, or one of the symbols that the language reserves or does not use.
// Its precedence is between 1 and 255; `+` has 150, `*` 180, `==` 90, `&&` 60 and `||` 30. The overloads are Go
// functions of two parameters, as Registry.Func takes them, or Funcs, whatever names they have.
func WithOperator(name string, precedence int, overloads ...any) Option {
	return func(e *Engine) {
		if precedence < 1 || precedence > 255 {
			e.invalid = append(e.invalid, fmt.Errorf("operator '%s': got precedence %d, want 1 to 255", name, precedence))
			return
		}
		e.syntax.Operators = with(e.syntax.Operators, name, precedence)
		for _, f := range overloads {
			e.registry.Add(goFunc(name, f))
		}
	}
}

// WithDisabled takes keywords, operators and symbols out of the language: a script that has one does not compile.
func WithDisabled(symbols ...string) Option {
	return func(e *Engine) {
		for _, s := range symbols {
			e.syntax.Disabled = with(e.syntax.Disabled, s, true)
		}
	}
}

// WithStrictVariables makes it an error of the compilation to use a variable that the script does not define before.
// Those that the scopes of its runs will have are named here.
func WithStrictVariables(known ...string) Option {
	return func(e *Engine) {
		e.syntax.StrictVariables = true
		e.syntax.Variables = append(e.syntax.Variables[:len(e.syntax.Variables):len(e.syntax.Variables)], known...)
	}
}

// WithStrictProperties makes it an error to read a property that an object map has not. Without it there is unit.
func WithStrictProperties() Option { return func(e *Engine) { e.strictProperties = true } }

// Definition describes a variable that a script is about to define.
type Definition = syntax.Definition

// WithVariableFilter asks about every variable that a script defines; an error refuses it, and the script does not
// compile.
func WithVariableFilter(allow func(Definition) error) Option {
	return func(e *Engine) { e.syntax.AllowVariable = allow }
}

// WithVariableResolver asks the host for each variable that a script reads before its own are looked at, and for those
// that it reads an element of, or calls a method on, when it has none of the name. ok false leaves the name to the
// script. What it gives is a constant to the script. The function is called from the goroutines of the runs, and finds
// what the run was given as Context.Host. Scripts run slower with it.
func WithVariableResolver(resolve func(c Context, name string) (v Value, ok bool, err error)) Option {
	return func(e *Engine) { e.resolve = resolve }
}

// WithProgress is told, every thousand operations or so, how many a run has done. An error ends the run: it is what the
// run's error wraps. It is called from the goroutine of the run.
func WithProgress(f func(operations uint64) error) RunOption {
	return func(r *vm.Run) { r.Progress = f }
}

// SyntaxCall is a place where a script uses the host's syntax, as it is evaluated.
type SyntaxCall = vm.Instance

// WithSyntaxRule adds syntax to the language: a rule is words apart by spaces, the first an identifier that becomes a
// keyword. The markers $ident$, $symbol$, $token$, $expr$, $block$, $func$ (a closure, or a block that is one), $bool$,
// $int$, $float$ and $string$ stand for what the script puts there; the rest must be there as it is. The function is called when an instance is evaluated, and decides
// whether, when and how often its inputs are. Only a syntax that changes the scope may define variables.
func WithSyntaxRule(rule string, changesScope bool, evaluate func(*SyntaxCall) (Value, error)) Option {
	words := strings.Fields(rule)
	next := func(matched []string, _ string, _ *any) (string, error) {
		if len(matched) < len(words) {
			return words[len(matched)], nil
		}
		return "", nil
	}
	return func(e *Engine) {
		if err := syntax.CheckRule(words); err != nil {
			e.invalid = append(e.invalid, err)
			return
		}
		for _, w := range words {
			if _, known := e.syntax.Operators[w]; !known && strings.Trim(w, symbols) == "" {
				e.syntax.Operators = with(e.syntax.Operators, w, 0)
			}
		}
		WithSyntaxParser(words[0], next, changesScope, evaluate)(e)
	}
}

// symbols are the characters of the symbols that rules may have beside those of the language.
const symbols = "!#$%&*+-/:<=>?@\\^|~"

// WithSyntaxParser is WithSyntaxRule for syntax whose parts depend on one another: next tells what must come after what
// has been matched, the keyword first, given the text of the token ahead and a state of its own for the instance; an
// empty string ends it, and so does one that begins with $$, which becomes the last input. Its error is a syntax error,
// and the state is the evaluation's to see.
func WithSyntaxParser(keyword string, next func(matched []string, ahead string, state *any) (string, error), changesScope bool,
	evaluate func(*SyntaxCall) (Value, error)) Option {
	return func(e *Engine) {
		e.syntax.CustomSyntax = with(e.syntax.CustomSyntax, keyword, &syntax.CustomSyntax{
			Next: next, ChangesScope: changesScope, Data: vm.Evaluate(evaluate),
		})
	}
}

// with is a copy of a map with one more entry: options may be shared between engines.
func with[V any](m map[string]V, key string, v V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = v
	return m
}

// Level is how much the compiler does for faster code. No level changes what scripts do.
type Level = compile.Level

// The levels. OptimizeSimple is the default: constants are computed, and code that can't be reached is left out.
// OptimizeNone leaves the code as the source has it, and OptimizeFull also straightens jumps.
const (
	OptimizeSimple = compile.Simple
	OptimizeNone   = compile.Literal
	OptimizeFull   = compile.Full
)

// WithOptimization sets how much the compiler does for faster code.
func WithOptimization(l Level) Option { return func(e *Engine) { e.level = l } }

// Stop is a run that has stopped before a statement, for its debugger to look at.
type Stop = vm.Stop

// Step is how a run goes on after a stop.
type Step = vm.Step

// Breakpoint is where a run stops when it is not stepping: a line, or the beginning of a function.
type Breakpoint = vm.Breakpoint

// The steps.
const (
	Continue = vm.Continue
	StepInto = vm.StepInto
	StepOver = vm.StepOver
	StepOut  = vm.StepOut
	Quit     = vm.Quit
)

// ErrQuit is what the error of a run wraps that its debugger has ended.
var ErrQuit = vm.ErrQuit

// WithDebugging compiles scripts so that their runs can stop. Without it WithDebugger has no effect.
func WithDebugging() Option { return func(e *Engine) { e.debug = true } }

// WithDebugger gives a run a debugger. It is called from the goroutine of the run: before the first statement, where
// it may set breakpoints, then wherever they or its last step make the run stop, and the run waits for it.
func WithDebugger(stopped func(*Stop) Step) RunOption {
	return func(r *vm.Run) { r.Debugger = stopped }
}

// start lends a machine for a run.
func (e *Engine) start(opts []RunOption) *vm.Machine {
	m := e.machines.Get()
	if len(opts) > 0 {
		r := m.Vary()
		for _, o := range opts {
			o(r)
		}
	}
	return m
}
