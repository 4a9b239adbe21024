package vm

import (
	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// While a method runs, the shared variable that its path begins at is locked, as in the reference: whoever touches it,
// a closure that has captured it, fails. A frame holds one lock at most, since arguments are evaluated before it.

// lock is a locked variable and the frame that locked it.
type lock struct {
	cell  *value.Cell
	depth int
}

// lock does OpLock.
func (m *Machine) lock(in compile.Instr) {
	m.unlock(m.depth)
	c := compile.Capture{Reg: int(in.A), ByName: int(in.C)}
	if in.C > 0 {
		c.Name = m.fn.Consts[in.B].Text()
	}
	if v, _ := m.captured(c); v != nil && v.IsCell() && !v.Cell().Locked {
		v.Cell().Locked = true
		m.locks = append(m.locks, lock{v.Cell(), m.depth})
	}
}

// unlock ends the locks of a frame and of those above it.
func (m *Machine) unlock(depth int) {
	for n := len(m.locks); n > 0 && m.locks[n-1].depth >= depth; n-- {
		m.locks[n-1].cell.Locked = false
		m.locks = m.locks[:n-1]
	}
}

// raced is the error of passing an argument that holds a locked variable. first is the number of the first argument.
func (m *Machine) raced(name string, args []value.Value, first int) *value.Error {
	if len(m.locks) == 0 {
		return nil
	}
	for i, a := range args {
		budget := maxLooked
		if holdsLocked(a, &budget) {
			return value.DataRaceOn(name, first+i)
		}
	}
	return nil
}

// racedOn is the error of passing arguments, the first of which may be a reference that is not looked at, to a function
// that a script names. Some only store them.
func (m *Machine) racedOn(name string, args []value.Value, reference bool) *value.Error {
	if n := len(args); len(m.locks) == 0 || name == "curry" && n > 1 || name == "Fn" && n == 1 {
		return nil
	}
	if reference {
		args = args[1:]
	}
	return m.raced(name, args, 1)
}

// onCopy tells whether the receiver of a method is a copy.
func (m *Machine) onCopy(s *compile.Site) bool {
	return s.Fresh || s.Last != nil && !m.lends(s.Last)
}

// lends tells whether the last step of a path gave a reference or, as the items of texts and the bits of ints do, a copy.
func (m *Machine) lends(s *compile.Step) bool {
	whole := m.stack[m.base+s.Base].Flat()
	switch {
	case whole.Kind() == value.KindMap && s.Property >= 0:
		_, there := whole.Map().Get(m.fn.Sites[s.Property].Name)
		return there
	case whole.Kind() == value.KindMap:
		_, there := whole.Map().Get(m.stack[m.base+s.Key].Text())
		return there
	}
	return s.Property >= 0 || whole.Kind() == value.KindArray
}

// racing is the error of an assignment or an index that passes a function a closure over a locked variable, or over the one
// that its path begins at, as the argument of a number.
func (m *Machine) racing(name string, x value.Value, number int) *value.Error {
	if x.Kind() < value.KindString {
		return nil
	}
	if err := m.raced(name, []value.Value{x}, number); err != nil {
		return err
	}
	r, ok := m.fn.Races[m.pc()-1]
	if !ok {
		return nil
	}
	v, _ := m.captured(r.Capture)
	if v == nil || !v.IsCell() || v.Cell().Locked {
		return nil
	}
	v.Cell().Locked = true
	budget, err := maxLooked, (*value.Error)(nil)
	if holdsLocked(x, &budget) {
		err = value.DataRaceOn(name, number)
	}
	v.Cell().Locked = false
	return err
}

// setting is racing for what a setter is passed: what it is called on is an argument as well where it is a copy.
func (m *Machine) setting(name string, x value.Value, number int) *value.Error {
	if r, ok := m.fn.Races[m.pc()-1]; ok && x.Kind() >= value.KindString && r.Last != nil && !m.lends(r.Last) {
		number++
	}
	return m.racing(name, x, number)
}

// maxLooked bounds how many values within an argument are looked at: a race that is not seen here is met later, by the
// closure that touches the variable.
const maxLooked = 64

// holdsLocked tells whether a value is or contains a closure over a locked variable.
func holdsLocked(v value.Value, budget *int) bool {
	if *budget--; *budget < 0 {
		return false
	}
	switch v.Kind() {
	case value.KindCell:
		return v.Cell().Locked
	case value.KindFnPtr:
		for _, c := range v.FnPtr().Curry {
			if holdsLocked(c, budget) {
				return true
			}
		}
	case value.KindArray:
		for _, x := range v.Array().Items {
			if *budget <= 0 {
				break
			}
			if holdsLocked(x, budget) {
				return true
			}
		}
	case value.KindMap:
		if v.Map().Len() > maxLooked {
			return false
		}
		for _, x := range v.Map().All() {
			if holdsLocked(*x, budget) {
				return true
			}
		}
	}
	return false
}
