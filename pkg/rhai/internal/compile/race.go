package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// raced compiles the check of a call's arguments in the window at w, where a closure passes on what it has captured. What is
// native and has arguments looks at them itself.
func (f *fn) raced(name string, args []syntax.Expr, w int, pos syntax.Pos) {
	if f.Captures > 0 && slices.ContainsFunc(args, f.passesOn) {
		f.emit(OpRaced, w, f.konst(value.Str(name)), len(args), pos)
	}
}

// passesOn tells whether an expression is a captured variable, or a container with one.
func (f *fn) passesOn(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Ident:
		v := f.lookup(e.Name)
		return len(e.Namespace) == 0 && v != nil && v.cell
	case *syntax.Array:
		return slices.ContainsFunc(e.Items, f.passesOn)
	case *syntax.Map:
		return slices.ContainsFunc(e.Entries, func(x syntax.MapEntry) bool { return f.passesOn(x.Value) })
	}
	return false
}

// race notes that an instruction may be passed a closure over the variable that a path begins at.
func (f *fn) race(at int, p place) {
	if p.cell == 0 && !p.byName() {
		return
	}
	if f.Races == nil {
		f.Races = map[int]Race{}
	}
	r := Race{Capture: Capture{Reg: p.cell - 1}, Last: p.last}
	if p.byName() {
		r.Name, r.ByName = p.root.Name, p.root.Symbols+1
	}
	f.Races[at] = r
}
