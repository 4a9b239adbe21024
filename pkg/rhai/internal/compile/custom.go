package compile

import (
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Custom is an instance of the host's syntax: the host's code decides whether, when and how often its inputs run.
type Custom struct {
	Node    *syntax.Custom
	Inputs  []*Func // code of the inputs that are expressions or blocks, which runs in the scope of the instance
	Symbols int     // the variables that are visible to it
	Nested  bool    // it is in a block
}

// custom compiles an instance of the host's syntax.
func (f *fn) custom(e *syntax.Custom, dst int) {
	c := &Custom{Node: e, Inputs: make([]*Func, len(e.Inputs))}
	for i, x := range e.Inputs {
		switch x.(type) {
		case *syntax.Ident, *syntax.Bool, *syntax.Int, *syntax.Float, *syntax.String:
			if !marks(e, i, "$expr$") {
				continue // it is what it says
			}
		}
		c.Inputs[i] = f.input(x)
	}
	c.Symbols, c.Nested = f.visible(), f.depth > 0
	f.Customs = append(f.Customs, c)
	f.emit(OpCustom, dst, len(f.Customs)-1, 0, e.Pos)
}

// marks tells whether the input of a number was matched by a marker.
func marks(e *syntax.Custom, input int, marker string) bool {
	n := 0
	for _, t := range e.Tokens {
		switch t {
		case "$symbol$", "$token$", "$expr$", "$block$", "$func$", "$bool$", "$int$", "$float$", "$string$":
		default:
			id, ok := e.Inputs[min(n, len(e.Inputs)-1)].(*syntax.Ident)
			if n >= len(e.Inputs) || !ok || id.Name != t {
				continue // a token that is no input
			}
		}
		if n == input {
			return t == marker
		}
		n++
	}
	return false
}

// input compiles an input like a global level that the visible variables are the host's to.
func (f *fn) input(e syntax.Expr) *Func {
	body := []syntax.Stmt{&syntax.ExprStmt{X: e}}
	var external []Symbol
	for {
		target := &Func{Unit: f.c.unit, External: external, UsesThis: usesThis(body), Borrows: true}
		g := f.c.newFn(target)
		g.analyse(body)
		if target.UsesThis {
			g.next++
		}
		g.externals()
		if target.UsesThis && g.next < 2 {
			g.next = 2
		}
		functions := len(f.c.unit.Funcs)
		g.block(body, tail)
		if len(g.missing) > 0 {
			external = append(external, g.missing...)
			f.c.unit.Funcs = f.c.unit.Funcs[:functions]
			continue
		}
		switch err := g.finish(); {
		case err == errTooFar:
			f.tooFar = true
		case err != nil && f.tooLarge == "":
			f.tooLarge = err.Error()
		}
		return target
	}
}

// resolved compiles the question to the host whether it has a variable of a name, before the code that reads it
// otherwise.
func (f *fn) resolved(e *syntax.Ident, dst int, otherwise func()) {
	if !f.c.options.Resolve || len(e.Namespace) > 0 {
		otherwise()
		return
	}
	t := f.temp()
	f.emitWide(OpResolve, t, f.konst(value.Str(e.Name)), e.Pos)
	none := f.emitWide(OpJumpAbsent, t, 0, e.Pos)
	f.emit(OpCopy, dst, t, 0, e.Pos)
	end := f.emitWide(OpJump, 0, 0, e.Pos)
	f.land(none)
	otherwise()
	f.land(end)
}

// stop compiles a place where a debugger may stop.
func (f *fn) stop(pos syntax.Pos) {
	if f.c.options.Debug && pos.IsValid() && len(f.Symbols) < 1<<16-1 {
		f.emit(OpStop, 0, f.visible(), 0, pos)
	}
}

// outside compiles the error of a break or continue in an input of the host's syntax, whose loop is outside of it.
func (f *fn) outside(pos syntax.Pos) bool {
	if len(f.loops) > 0 {
		return false
	}
	f.fail(value.NewError(value.ErrCustomSyntax, "break and continue can't leave custom syntax"), pos)
	return true
}
