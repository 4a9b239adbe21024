package compile

import (
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Level is how much work the compiler spends on faster code. Whatever the level, scripts do the same: values, errors
// and their positions, what is printed, and the variables that are left. Operations may be fewer.
type Level int

// The levels.
const (
	Simple  Level = iota // constants are computed, code that can't be reached is left out, switches lead to their cases
	Literal              // the code is what the source says
	Full                 // Simple, and all jumps lead where they end
)

// fold is the value of an expression as far as the level has it computed.
func (f *fn) fold(e syntax.Expr) (value.Value, bool) {
	if f.c.options.Level == Literal {
		switch e.(type) {
		case *syntax.Unary, *syntax.Binary:
			return value.Value{}, false
		}
	}
	switch e := e.(type) {
	case *syntax.Array:
		if len(e.Items) == 0 {
			return value.Value{}, false
		}
	case *syntax.Map:
		return value.Value{}, false
	}
	return fold(e)
}

// decided is the value of a condition that is known.
func (f *fn) decided(cond syntax.Expr) (yes, ok bool) {
	v, ok := f.fold(cond)
	if !ok || !v.IsBool() || f.c.options.Level == Literal {
		return false, false
	}
	return v.Bool(), true
}

// reachable is the beginning of a list of statements, up to one that never goes on.
func (f *fn) reachable(body []syntax.Stmt) []syntax.Stmt {
	if f.c.options.Level == Literal {
		return body
	}
	for i, s := range body {
		switch s.(type) {
		case *syntax.Return, *syntax.Throw, *syntax.Break, *syntax.Continue:
			return body[:i+1]
		}
	}
	return body
}

// thread makes jumps to jumps lead to where those end.
func (f *fn) thread() {
	if f.c.options.Level == Literal {
		return
	}
	end := func(target int) int {
		for range 8 { // jumps may go in circles
			if target >= len(f.Code) || f.Code[target].Op != OpJump {
				break
			}
			target += 1 + int(f.Code[target].Wide())
		}
		return target
	}
	for at, in := range f.Code {
		if f.c.options.Level != Full {
			break
		}
		switch {
		case in.Op >= OpUnlessEq && in.Op <= OpUnlessGeInt:
			to := end(at + 1 + int(in.ImmC()))
			if n := to - at - 1; n == int(int16(n)) {
				f.Code[at].C = uint16(n)
			}
		case in.Op == OpJump, in.Op >= OpJumpIf && in.Op <= OpJumpIfNot, in.Op == OpJumpUnit, in.Op == OpJumpNotUnit, in.Op == OpJumpAbsent:
			to := end(at + 1 + int(in.Wide()))
			f.Code[at] = wide(in.Op, int(in.A), int32(to-at-1))
		}
	}
	for i := range f.Switches {
		s := &f.Switches[i]
		s.Default = int32(end(int(s.Default)))
		for k, to := range s.Keys {
			s.Keys[k] = int32(end(int(to)))
		}
		for n := range s.Texts {
			s.Texts[n].Target = int32(end(int(s.Texts[n].Target)))
		}
		for n, to := range s.Dense {
			if to > 0 {
				s.Dense[n] = int32(end(int(to)))
			}
		}
	}
}
