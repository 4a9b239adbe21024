package vm

import (
	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// A function that a constant is the this of may not write to it. Such frames are few: they are listed, and those that
// are gone are taken off where a constant's method has returned, and where errors are caught.

// constant tells whether the receiver of a call is a constant, or a part of one.
func (m *Machine) constant(s *compile.Site) bool { return m.rooted(s) && m.copied(s) == nil }

// rooted tells whether the path to the receiver of a call begins at a constant.
func (m *Machine) rooted(s *compile.Site) bool {
	return s.Const || s.Scope > 0 && m.scopeConst(s.Scope-1) || s.This && m.thisConst() ||
		s.Variable != "" && m.constNamed(s.Variable, m.fn.Symbols[s.Symbols])
}

// copied is the first property on the path to a receiver that gives a copy, which is nobody's part; nil where none does.
func (m *Machine) copied(s *compile.Site) *compile.GetterStep {
	for i := range s.Getters {
		base := m.stack[m.base+s.Getters[i].Base]
		if base.Kind() == value.KindMap {
			if _, ok := base.Map().Get(m.fn.Sites[s.Getters[i].Site].Name); ok {
				continue
			}
		}
		return &s.Getters[i]
	}
	return nil
}

// keeps is the error of a native method that may write on a copy that a constant's getter gave, where there is a setter
// to go back by.
func (m *Machine) keeps(s *compile.Site) *value.Error {
	if len(s.Getters) == 0 || !m.rooted(s) {
		return nil
	}
	step := m.copied(s)
	if step == nil {
		return nil
	}
	property := m.fn.Sites[step.Site]
	base := m.stack[m.base+step.Base]
	copied, err := m.get(&base, property)
	if err != nil || m.registry.Resolve(property.Setter, []value.Value{base, copied}) == nil {
		return nil
	}
	err = value.SetConstant(property.Name)
	err.Pos = step.Pos
	return err
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
