package compile

import (
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// What a constant has can't be written to: the items of its arrays and the entries of its maps, and what those have. All
// else can, as in the reference: the characters of a text, the bits of an int and the bytes of a blob, which are no
// values of their own, and what a map has not.

// onConstant compiles the error of a write to a property, or to the element of a key where that is not negative, of what
// a path leads to, where that is a constant's part that has it: before anything is computed for it.
func (f *fn) onConstant(p place, base syntax.Expr, site, key int) {
	pos, free := begin(base), -1
	switch r := p.root; {
	case r == nil:
		return
	case r.This:
		free = f.emitWide(OpJumpFree, 0, 0, pos)
	case r.Scope > 0 && len(f.missing) == 0:
		free = f.emitWide(OpJumpThrough, r.Scope-1, 0, pos)
	case r.ByName:
		t := f.temp()
		f.emit(OpIsConst, t, f.konst(value.Str(r.Name)), r.Symbols, pos)
		free = f.emitWide(OpJumpIfNot, t, 0, pos)
	}
	if key < 0 {
		f.emit(OpFixed, p.reg, site, 0, pos)
	} else {
		f.emit(OpFixedIndex, p.reg, site, key, pos)
	}
	if free >= 0 {
		f.land(free)
	}
}

// lost compiles the error of a write to an entry of a constant map that the source gives, if an expression stands for
// one: who reads the map would not see it. The reference dies.
func (f *fn) lost(base syntax.Expr) bool {
	id, ok := base.(*syntax.Ident)
	if !ok || len(id.Namespace) > 0 || f.all {
		return false
	}
	v := f.lookup(id.Name)
	if v == nil || !v.object {
		return false
	}
	f.fail(value.AssignToConstant(id.Name), id.Pos)
	return true
}
