package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// A write through a constant fails, and how tells what it would have been: the path is walked and, where what it leads to
// has no such element yet, the new value computed.

// onConstant compiles a write through a path for when that begins at a constant, called by a name: refuse compiles code
// that fails.
func (f *fn) onConstant(p place, base syntax.Expr, refuse func(name string)) {
	pos, free := begin(base), 0
	switch {
	case p.konst != "":
		refuse(p.konst)
		return
	case p.this:
		free = f.emitWide(OpJumpFree, 0, 0, pos)
		refuse("")
	case p.scope > 0 && len(f.missing) == 0:
		of := slices.IndexFunc(f.External, func(s Symbol) bool { return s.Reg == p.scope-1 })
		free = f.emitWide(OpJumpThrough, p.scope-1, 0, pos)
		refuse(f.External[of].Name)
	case p.name != "":
		t := f.temp()
		f.emit(OpIsConst, t, f.konst(value.Str(p.name)), p.named, pos)
		free = f.emitWide(OpJumpIfNot, t, 0, pos)
		refuse(p.name)
	default:
		return
	}
	f.land(free)
}

// refuseProperty compiles the assignment of a constant's property: of a register, or of a small int where that is none.
func (f *fn) refuseProperty(name string, p place, t *syntax.Property, s *syntax.Assign, n, rhs int, op value.Op) {
	site := f.property(t.Name.Text)
	f.Sites[site].Constant = name
	if s.Op != "" {
		key, v := f.temp(), f.temp()
		f.emitWide(OpConst, key, f.konst(value.Str(t.Name.Text)), t.Name.Pos)
		f.emit(OpGetRef, v, p.reg, site, t.Name.Pos)
		f.emit(OpKeep, p.reg, key, site, begin(t.Base))
		f.race(f.update(v, n, rhs, op, s.Pos), p)
		rhs = v
	}
	f.race(f.emit(OpMaySetProperty, p.reg, site, rhs, t.Name.Pos), p)
	f.refuse(name, append([]step{{OpBack, p.reg, site, rhs, t.Name.Pos}}, p.back...), t.Base)
}

// refuseElement is refuseProperty for an element.
func (f *fn) refuseElement(name string, p place, key int, t *syntax.Index, s *syntax.Assign, n, rhs int, op value.Op) {
	if s.Op != "" {
		v := f.temp()
		f.race(f.emitIndex(OpIndexRef, v, p.reg, key, t, s.Pos), p)
		f.emit(OpKeep, p.reg, key, f.site(&Site{Constant: name}), begin(t.Base))
		f.race(f.update(v, n, rhs, op, s.Pos), p)
		rhs = v
	}
	f.race(f.emitIndex(OpMaySet, p.reg, key, rhs, t, s.Pos), p)
	f.refuse(name, p.back, t.Base)
}

// refuse compiles the error of a write that would come through: that of the first property on the path that is no map's
// entry, since what a getter gives is a copy, which has a setter to go back by, or that of the constant.
func (f *fn) refuse(name string, back []step, base syntax.Expr) {
	for _, s := range slices.Backward(back) {
		if s.op == OpBack {
			f.emit(OpFixed, s.a, s.b, 0, s.pos)
		}
	}
	f.fail(value.AssignToConstant(name), begin(base))
}
