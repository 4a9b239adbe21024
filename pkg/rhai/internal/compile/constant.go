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
	f.refuse(name, p.back, func() { f.emit(OpFixed, p.reg, site, 0, t.Name.Pos) }, t.Base)
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
	f.refuse(name, p.back, func() {}, t.Base)
}

// refuse compiles the error of a write that would come through: that of the first property on the path that is no map's
// entry, since what a getter gives is a copy, which has a setter to go back by, or that of the constant. There is none
// when the path comes to a copy that does not go back, which may be written to.
// last compiles the error of the last step.
func (f *fn) refuse(name string, back []step, last func(), base syntax.Expr) {
	var copies []int
	for _, s := range slices.Backward(back) {
		switch s.op {
		case OpBack:
			copies = append(copies, f.emit(OpFixed, s.a, s.b, 0, s.pos))
		case OpBackIndex:
			copies = append(copies, f.emit(OpFixedIndex, s.a, s.b, 0, s.pos))
		}
	}
	last()
	f.fail(value.AssignToConstant(name), begin(base))
	for _, at := range copies {
		f.Code[at].C = uint16(len(f.Code) - at - 1)
	}
}
