package vm

import (
	"strings"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// eval does OpEval. The text is compiled as a unit of its own; the variables that it uses and does not define are the
// caller's, carried over before and back after. What it defines becomes variables of the caller's by name.
func (m *Machine) eval(in compile.Instr) *value.Error {
	at := m.base + int(in.A)
	text := m.stack[at]
	if !text.IsString() {
		return m.notFound("eval", []value.Value{text})
	}
	unit, err := m.pool.parse(strings.TrimSpace(text.Text()), true)
	if err != nil {
		e := value.AsError(err)
		e.Trace = append(e.Trace, value.Frame{Function: "eval", Pos: m.Pos()})
		return e
	}
	f := unit.Main
	caller, base := m.fn, m.base
	frameBase := m.base + m.fn.Regs + spare
	m.reserve(frameBase + f.Regs)
	m.dynamic = m.visible(m.dynamic)
	visible := len(m.dynamic)
	type link struct {
		reg     int // of the caller, or -1
		dynamic int
	}
	links := make([]link, len(f.External))
	outer := m.origin
	origin := make([]int, len(f.External))
	defer func() { m.origin = outer }()
	for i, s := range f.External {
		reg := frameBase + s.Reg
		m.stack[reg] = value.Absent()
		links[i] = link{-1, -1}
		if d := m.findDynamic(s.Name); d >= 0 {
			m.stack[reg] = m.dynamic[d].v
			links[i].dynamic = d
			origin[i] = constness(m.dynamic[d].konst)
			continue
		}
		for _, c := range caller.Symbols[in.B] {
			if c.Name == s.Name {
				m.stack[reg] = m.stack[base+c.Reg]
				links[i].reg = c.Reg
				konst := c.Const
				if caller == m.unit.Main && c.Reg < len(outer) {
					konst = m.scopeConst(c.Reg)
				}
				origin[i] = constness(konst)
				break
			}
		}
		if v, ok := m.Run.Variables[s.Name]; ok && m.stack[reg].IsAbsent() {
			m.stack[reg], links[i], origin[i] = v, link{-1, -1}, originNamed
		}
	}
	for _, s := range f.Defined {
		m.stack[frameBase+s.Reg] = value.Absent()
	}
	after := 0
	for _, s := range m.unit.Main.Defined {
		if caller == m.unit.Main && !m.stack[base+s.Reg].IsAbsent() {
			after++
		}
	}
	m.origin = origin
	if err := m.enter(f, frameBase); err != nil {
		return err
	}
	// The code runs one frame deeper, but what an eval inside of it defines is its own.
	failure := m.loop(m.depth - 1)
	result := m.result
	for i, s := range f.External {
		v := m.stack[frameBase+s.Reg]
		switch l := links[i]; {
		case l.dynamic >= 0:
			m.dynamic[l.dynamic].v = v
		case l.reg >= 0:
			m.stack[base+l.reg] = v
		}
	}
	inner := m.dynamic[visible:]
	own := make([]dynamic, 0, len(f.Defined)+len(inner))
	for _, s := range f.Defined {
		if v := m.stack[frameBase+s.Reg]; !v.IsAbsent() {
			own = append(own, dynamic{s.Name, v, s.Const, m.depth, after})
		}
	}
	for _, d := range inner {
		if d.depth == m.depth+1 {
			own = append(own, dynamic{d.name, d.v, d.konst, m.depth, after})
		}
	}
	m.dynamic = append(m.dynamic[:visible], own...)
	if failure != nil {
		if failure.Catchable() {
			failure.Trace = append(failure.Trace, value.Frame{Function: "eval", Pos: m.Pos()})
		}
		return failure
	}
	m.stack[m.base+int(in.A)] = result
	return nil
}

// constness is the origin of a variable that is a constant or not.
func constness(konst bool) int {
	if konst {
		return originNamed
	}
	return originNone
}

// visible drops the variables of frames that are gone.
func (m *Machine) visible(list []dynamic) []dynamic {
	for len(list) > 0 && list[len(list)-1].depth > m.depth {
		list = list[:len(list)-1]
	}
	return list
}

// findDynamic is the index of the current frame's eval-defined variable of a name, or -1.
func (m *Machine) findDynamic(name string) int {
	for i := len(m.dynamic) - 1; i >= 0 && m.dynamic[i].depth >= m.depth; i-- {
		if m.dynamic[i].depth == m.depth && m.dynamic[i].name == name {
			return i
		}
	}
	return -1
}

// lookup does OpLookup: it reads a variable by name, copying it unless it is wanted for writing.
func (m *Machine) lookup(in compile.Instr) *value.Error {
	name := m.fn.Consts[in.B].Text()
	dst := &m.stack[m.base+int(in.A)]
	if d := m.findDynamic(name); d >= 0 {
		*dst = m.dynamic[d].v.Flat()
		return nil
	}
	for _, s := range m.fn.Symbols[in.C] {
		if v := m.stack[m.base+s.Reg]; !v.IsAbsent() {
			*dst = v.Flat()
			return nil
		}
	}
	if v, ok := m.Run.Variables[name]; ok {
		*dst = v
		return nil
	}
	if len(m.fn.Unit.Lookup(name)) > 0 || len(m.unit.Lookup(name)) > 0 {
		*dst = value.NewFnPtr(name, nil, nil)
		return nil
	}
	return value.VariableNotFound(name)
}

// store does OpStore: it writes a variable by name.
func (m *Machine) store(in compile.Instr) *value.Error {
	name := m.fn.Consts[in.B].Text()
	v := m.stack[m.base+int(in.A)]
	if d := m.findDynamic(name); d >= 0 {
		if m.dynamic[d].konst {
			return value.AssignToConstant(name)
		}
		put(&m.dynamic[d].v, v)
		return nil
	}
	for _, s := range m.fn.Symbols[in.C] {
		place := &m.stack[m.base+s.Reg]
		if place.IsAbsent() {
			break
		}
		if s.Const || s.Reg < len(m.fn.External) && m.scopeConst(s.Reg) {
			return value.AssignToConstant(name)
		}
		put(place, v)
		return nil
	}
	return value.VariableNotFound(name)
}

// put writes a variable's register, through its cell if it has become one.
func put(place *value.Value, v value.Value) {
	if place.IsCell() {
		place.Cell().V = v
	} else {
		*place = v
	}
}
