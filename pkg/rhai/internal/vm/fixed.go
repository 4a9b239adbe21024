package vm

import (
	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// Which writes a constant refuses is told by what leads to them: see compile.Root and compile.Step. In a function that a
// constant is the this of, this is one. Such frames are few: they are listed, and those that are gone are taken off where
// a constant's method has returned, and where errors are caught.

// constant tells whether what a path leads to is a constant, or a part of one.
func (m *Machine) constant(s *compile.Site) bool {
	return s.Root != nil && m.rooted(s.Root) && m.copied(s.Steps) == nil
}

// rooted tells whether a path begins at a constant. A custom value that the host has made one leads to the host.
func (m *Machine) rooted(r *compile.Root) bool {
	return r.Const || r.Scope > 0 && m.scopeConst(r.Scope-1) && !m.at(uint16(r.Scope-1)).IsReference() || r.This && m.thisConst() ||
		r.ByName && m.constNamed(r.Name, m.fn.Symbols[r.Symbols]) || r.Unsure > 0 && m.unsureConst(r.Unsure-1)
}

// unsureConst tells whether a captured variable is a constant.
func (m *Machine) unsureConst(reg int) bool {
	v := m.stack[m.base+reg]
	return v.IsCell() && v.Cell().Const
}

// copied is the first step of a path that does not lead to a part of what it is of; nil where all do.
func (m *Machine) copied(s *compile.Step) *compile.Step {
	if s == nil {
		return nil
	}
	if before := m.copied(s.Before); before != nil {
		return before
	}
	key := m.stack[m.base+s.Key]
	if s.Property >= 0 {
		key = value.Str(m.fn.Sites[s.Property].Name)
	}
	if isPart(m.stack[m.base+s.Base], key) {
		return nil
	}
	return s
}

// isPart tells whether what a key gives of a constant is a part of it: an item of an array, or an entry that a map had
// when it became a constant.
func isPart(v, key value.Value) bool {
	switch v.Kind() {
	case value.KindArray:
		return key.IsInt()
	case value.KindMap:
		_, has := v.Map().Get(key.Text())
		return has && !v.Map().Added(key.Text())
	}
	return false
}

// mayAdd is the error of a write to an element of what a path leads to, where that is a part of a constant. An entry
// that a map has not is none.
func (m *Machine) mayAdd(v *value.Value, key value.Value, s *compile.Site) *value.Error {
	if !m.constant(s) {
		return nil
	}
	k := v.Kind()
	if k == value.KindArray && key.IsInt() {
		if _, ok := offset(key.Int(), len(v.Array().Items)); !ok {
			return nil
		}
	}
	switch {
	case k == value.KindMap && !key.IsString():
		return nil
	case isPart(*v, key), k == value.KindCustom && s.Name == "" && m.registry.Has(value.IndexSet):
		return value.AssignToConstant(s.Root.Name)
	case k != value.KindMap || v.Map().Added(key.Text()):
		return nil
	}
	before := v.Footprint()
	if err := m.writing(*v, before, 0); err != nil {
		return err
	}
	o, err := value.OwnMapIn(m, v)
	if err != nil {
		return value.AsError(err)
	}
	o.Add(key.Text())
	return m.changed(*v, before)
}

// thisConst tells whether the current frame's this is a constant.
func (m *Machine) thisConst() bool {
	n := len(m.fixed)
	return n > 0 && m.fixed[n-1] == m.depth
}

// constantReceiver tells whether the call that the current frame is at has a constant as its receiver.
func (m *Machine) constantReceiver() bool {
	pc := m.pc()
	if pc == 0 || pc > len(m.fn.Code) {
		return false
	}
	in := m.fn.Code[pc-1]
	return (in.Op == compile.OpCallRef || in.Op == compile.OpCallPtr) && m.constant(m.fn.Sites[in.B])
}

// enterWith enters a function with the receiver of a call as its this.
func (m *Machine) enterWith(f *compile.Func, base int, s *compile.Site) *value.Error {
	fixed := m.constant(s)
	err := m.enter(f, base)
	if fixed && err == nil {
		m.fix()
	}
	return err
}

// fix makes the current frame's this a constant.
func (m *Machine) fix() {
	m.vary(m.depth)
	m.fixed = append(m.fixed, m.depth)
}

// vary takes the frames of a depth and above it off the list.
func (m *Machine) vary(depth int) {
	for n := len(m.fixed); n > 0 && m.fixed[n-1] >= depth; n-- {
		m.fixed = m.fixed[:n-1]
	}
}
