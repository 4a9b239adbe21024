package vm

import (
	"math"
	"slices"
	"strings"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// compileTicks is how many operations the compilation of the shortest source counts as.
const compileTicks = 100

// deepEvals is how many evals may be within each other beyond the limit of calls.
const deepEvals = 8

// compileBytes is about what the compilation of a source takes, for each of its bytes.
const compileBytes = 200

// eval does OpEval. The text is compiled as a unit of its own; the variables that it uses and does not define are the
// caller's, carried over before and back after. What it defines becomes variables of the caller's by name.
func (m *Machine) eval(in compile.Instr) *value.Error {
	at := m.base + int(in.A)
	text := m.stack[at]
	if !text.IsString() {
		return value.TypeMismatch("string", text.RustName())
	}
	// To compile costs about as much as some operations for each byte.
	source := strings.TrimSpace(text.Text())
	if err := m.Run.Limits.CheckSource(len(source)); err != nil {
		return value.AsError(err)
	}
	if err := m.Tick(compileTicks + len(source)); err != nil {
		return value.AsError(err)
	}
	if err := m.Reserve(compileBytes * len(source)); err != nil {
		return value.AsError(err)
	}
	unit, err := m.pool.parse(source, m.interrupted)
	if err != nil {
		e := value.AsError(err)
		e.Trace = append(e.Trace, value.Frame{Function: "eval", Pos: m.Pos(), Source: m.source()})
		return e
	}
	bytes := unit.Bytes()
	m.copies += bytes // while it runs
	v, failure := m.inScope(unit.Main, m.fn.Symbols[in.B], nil, nil, true)
	m.copies -= bytes
	return m.put(in.A)(v, failure)
}

// callScoped does OpCallScoped.
func (m *Machine) callScoped(in compile.Instr) *value.Error {
	s, at := m.fn.Sites[in.B], m.base+int(in.A)
	args := m.stack[at : at+s.Args]
	f := m.scriptFunc(s, s.Args)
	if f == nil && s.Name == "call" && s.Args > 0 && args[0].Kind() == value.KindFnPtr {
		p := args[0].FnPtr()
		args = append(append([]value.Value(nil), p.Curry...), args[1:]...)
		if f = m.target(p, s.Args-1); f == nil || f.Scoped == nil || p.Target == f {
			return m.put(in.A)(m.callPointer(p, nil, args[len(p.Curry):]))
		}
	}
	if f == nil && s.Name == "call" && s.Args > 0 {
		return m.alt(0, value.TypeMismatch("Fn", args[0].TypeName()))
	}
	if f == nil || f.Scoped == nil {
		return m.callName(compile.Instr{Op: in.Op, A: in.A, B: in.B, C: uint16(s.Args)})
	}
	return m.put(in.A)(m.inScope(f.Scoped, m.fn.Symbols[in.C], nil, args, false))
}

// link tells which of the caller's variables an external variable of the code is: one in a register, of the caller or of
// a frame whose scope the caller runs in, one that an eval defined, or one of the host's scope; all are -1 when it is
// none of these.
type link struct{ at, dynamic, scope int }

// unlinked is a variable that the caller does not have.
var unlinked = link{-1, -1, -1}

// inScope runs code whose external variables are those that the current frame sees, by symbols and by what evals
// have defined, and reports the code's value. What the code defines stays, as variables of the frame, if keep says so.
func (m *Machine) inScope(f *compile.Func, symbols []compile.Symbol, this *value.Value, args []value.Value, keep bool) (value.Value, *value.Error) {
	caller := m.fn
	frameBase := m.base + m.fn.Regs + spare
	m.reserve(frameBase + f.Regs)
	if f.UsesThis {
		m.stack[frameBase] = value.Absent()
		if this != nil {
			m.stack[frameBase] = *this
		}
	}
	m.dynamic = m.visible(m.dynamic)
	visible := len(m.dynamic)
	outer := m.origin
	defer func() { m.origin = outer }()
	links, origin := m.links(f, symbols, frameBase)
	copy(m.stack[frameBase+f.FirstArg():], args)
	for _, s := range f.Defined {
		m.stack[frameBase+s.Reg] = value.Absent()
	}
	after, nested := 0, keep && caller.Code[m.pc()-1].C == 1 // as an eval is
	if caller == caller.Unit.Main {
		after = m.defined()
	}
	m.origin = origin
	most := m.max
	if keep && m.depth >= most && m.depth < most+deepEvals {
		m.max = m.depth + 1 // an eval takes a level of calls, but only calls of functions find that there are too many
	}
	err := m.enter(f, frameBase)
	m.max = most
	if err != nil {
		return value.Value{}, err
	}
	failure := m.loop(m.depth - 1)
	result, stop := m.result, m.stop
	if this != nil && f.UsesThis {
		*this = m.stack[frameBase]
	}
	for i, s := range f.External {
		v := m.stack[frameBase+s.Reg]
		switch l := links[i]; {
		case l.dynamic >= 0:
			m.dynamic[l.dynamic].v = v
		case l.at >= 0:
			m.stack[l.at] = v
		case l.scope >= 0:
			if vars := *m.Run.Scope; !vars[l.scope].Const {
				vars[l.scope].Value = v.Flat().Freeze()
			}
		}
	}
	inner := m.dynamic[visible:]
	own := make([]dynamic, 0, len(f.Defined)+len(inner))
	if keep {
		// The code ran one frame deeper, but what an eval inside of it defined is its own.
		take := func(before int) {
			for ; len(inner) > 0 && inner[0].after < before; inner = inner[1:] {
				if d := inner[0]; d.depth == m.depth+1 && !d.nested {
					own = append(own, dynamic{d.name, d.v, d.konst, m.depth, after, nested})
				}
			}
		}
		for i, s := range f.Defined {
			take(i + 1)
			if v := m.stack[frameBase+s.Reg]; !v.IsAbsent() && s.From <= stop {
				s.Const = s.ConstAt(stop)
				own = append(own, dynamic{s.Name, v, m.isConst(frameBase, s), m.depth, after, nested})
			}
		}
		take(math.MaxInt)
	}
	m.dynamic = append(m.dynamic[:visible], own...)
	if keep && failure == nil {
		for i := len(m.imports) - 1; i >= 0 && m.imports[i].depth > m.depth; i-- {
			m.imports[i].depth = m.depth // what an eval imports stays, too
		}
	}
	if failure != nil {
		if exits := failure.Kind == value.ErrExit && failure.Passing(); keep && !exits {
			failure.Trace = append(failure.Trace, value.Frame{Function: "eval", Pos: m.Pos(), Source: m.source()})
		}
		return value.Value{}, failure
	}
	return result, nil
}

// links finds the current frame's variables that the code's external ones are, and loads them.
func (m *Machine) links(f *compile.Func, symbols []compile.Symbol, frameBase int) ([]link, []int) {
	links := make([]link, len(f.External))
	origin := make([]int, f.FirstArg()) // by register
	for i, s := range f.External {
		reg := frameBase + s.Reg
		m.stack[reg] = value.Absent()
		links[i], origin[s.Reg] = unlinked, originNone
		if d := m.seenDynamic(s.Name, symbols); d >= 0 {
			m.stack[reg] = m.dynamic[d].v
			links[i].dynamic = d
			origin[s.Reg] = constness(m.dynamic[d].konst)
			continue
		}
		found := false
		for _, c := range symbols {
			if c.Name == s.Name {
				m.stack[reg] = m.stack[m.base+c.Reg]
				links[i].at = m.base + c.Reg
				konst := m.isConst(m.base, c)
				if c.Reg < len(m.origin) && m.fn.IsExternal(c.Reg) {
					konst = m.scopeConst(c.Reg)
				}
				origin[s.Reg], found = constness(konst), true
				break
			}
		}
		if !found {
			m.stack[reg], links[i], origin[s.Reg] = m.borrowed(s.Name)
		}
		if m.stack[reg].IsAbsent() && m.meant(&m.stack[reg], s.Name) == nil {
			links[i], origin[s.Reg] = unlinked, originMeant
		}
	}
	return links, origin
}

// borrowed finds a variable that the current frame does not mention in the scopes that it runs in: those of the frames
// that called it by an eval or a call in their scope, and the host's when these lead to the global level.
func (m *Machine) borrowed(name string) (value.Value, link, int) {
	f := m.fn
	for d := m.depth; f != m.unit.Main && f != m.host; d-- {
		if !f.Borrows && f != f.Unit.Main {
			return value.Absent(), unlinked, originNone
		}
		caller := m.frames[d-1]
		f = caller.fn
		for i := len(m.dynamic) - 1; i >= 0; i-- {
			if v := &m.dynamic[i]; v.depth == d-1 && v.name == name {
				return v.v, link{-1, i, -1}, constness(v.konst)
			}
		}
		in := f.Code[pcOf(f, caller.ip)-1]
		list := in.C
		if in.Op == compile.OpEval {
			list = in.B
		}
		for _, s := range f.Symbols[list] {
			if s.Name == name {
				at := caller.base + s.Reg
				return m.stack[at], link{at, -1, -1}, constness(m.isConst(caller.base, s))
			}
		}
	}
	if m.Run.Scope != nil {
		vars := *m.Run.Scope
		for i := len(vars) - 1; i >= 0; i-- {
			if vars[i].Name == name {
				return vars[i].Value, link{-1, -1, i}, constness(vars[i].Const)
			}
		}
	}
	return value.Absent(), unlinked, originNone
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

// seenDynamic is findDynamic for a name that a variable of the code may have, too: behind it, the eval's is not seen.
func (m *Machine) seenDynamic(name string, symbols []compile.Symbol) int {
	d := m.findDynamic(name)
	if d < 0 {
		return d
	}
	for _, s := range symbols {
		if s.Name == name {
			if !m.stack[m.base+s.Reg].IsAbsent() && d < m.marked(s) {
				return -1
			}
			break
		}
	}
	return d
}

// marked is how many variables evals had defined when a variable was.
func (m *Machine) marked(s compile.Symbol) int {
	if s.Mark == 0 {
		return 0
	}
	return int(uint32(m.stack[m.base+s.Mark-1].Int()))
}

// defined is how many variables of the global level or of an eval, whose frame is the current one, are defined.
func (m *Machine) defined() int {
	n, pc := 0, m.pc()
	for _, s := range m.fn.Defined {
		if s.From <= pc && !m.stack[m.base+s.Reg].IsAbsent() {
			n++
		}
	}
	return n
}

// redefine does OpRedefine.
func (m *Machine) redefine(in compile.Instr) {
	v, list, konst := m.get1(in.A), m.fn.Symbols[in.B], in.C&1 == 1
	named := list[in.C>>1]
	m.setConst(named, m.isConst(m.base, named)) // it may stay what it is
	if d, at := m.placed(list, int(in.C>>1)); d >= 0 {
		m.dynamic[d].v, m.dynamic[d].konst = v, konst
	} else {
		m.stack[m.base+list[at].Reg] = v
		m.setConst(list[at], konst)
	}
}

// placed is the variable that evals have defined, or, where that is negative, the one of the list, that has a place. The
// reference knows by its place, counted from the end, the variable that is defined anew or captured; with variables of an
// eval's in between, it takes another than the one that the source means.
func (m *Machine) placed(list []compile.Symbol, n int) (d, at int) {
	m.dynamic = m.visible(m.dynamic)
	for d = len(m.dynamic) - 1; ; n-- {
		eval := d >= 0 && m.dynamic[d].depth == m.depth && d >= m.marked(list[at])
		switch {
		case n == 0 && eval:
			return d, 0
		case n == 0:
			return -1, at
		case eval:
			d--
		default:
			at++
		}
	}
}

// Bits of the register of an OpMark: whether it tells if its variable is a constant, and if so.
const (
	tellsConst = 1 << 62
	isConst    = 1 << 61
)

// isConst tells whether a variable of the frame that begins at base is a constant.
func (m *Machine) isConst(base int, s compile.Symbol) bool {
	if s.Mark > 0 {
		if mark := m.stack[base+s.Mark-1].Int(); mark&tellsConst != 0 {
			return mark&isConst != 0
		}
	}
	return s.Const
}

// setConst makes a variable of the current frame a constant or none, where it has an OpMark.
func (m *Machine) setConst(s compile.Symbol, konst bool) {
	if s.Mark == 0 {
		return
	}
	mark := &m.stack[m.base+s.Mark-1]
	n := mark.Int()&^isConst | tellsConst
	if konst {
		n |= isConst
	}
	mark.SetInt(n)
}

// globalConst is the place of the global constant that the current unit has a number for; nil or absent when there is none.
func (m *Machine) globalConst(n int) *value.Value {
	if m.fn.Unit == m.unit {
		return &m.globals[n]
	} else if mod := m.units[m.fn.Unit]; mod != nil {
		return &mod.globals[n]
	}
	name := m.fn.Unit.Globals[n] // an eval's unit has those of the program
	if i := slices.Index(m.unit.Globals, name); i >= 0 && len(m.unit.Funcs) > 0 {
		return &m.globals[i]
	} else if v, ok := m.evaled[name]; ok {
		return &v
	}
	return nil
}

// addGlobal makes a constant of an eval's global.
func (m *Machine) addGlobal(name string, v value.Value) {
	if len(m.unit.Funcs) == 0 {
		return // nor has the reference any then
	}
	if i := slices.Index(m.unit.Globals, name); i >= 0 {
		m.globals[i] = v
		return
	}
	if m.evaled == nil {
		m.evaled = map[string]value.Value{}
	}
	m.evaled[name] = v
}

// evaluating tells whether the current frame is an eval's whose definitions are global ones.
func (m *Machine) evaluating() bool {
	for f, d := m.fn, m.depth; f != m.unit.Main; d-- {
		if f != f.Unit.Main {
			return false
		}
		caller := m.frames[d-1]
		if pc := pcOf(caller.fn, caller.ip); pc == 0 || caller.fn.Code[pc-1].Op != compile.OpEval || caller.fn.Code[pc-1].C == 1 {
			return false
		}
		f = caller.fn
	}
	return true
}

// lookup does OpLookup: it reads a variable by name, copying it unless it is wanted for writing.
func (m *Machine) lookup(in compile.Instr) *value.Error {
	name := m.name(in)
	dst := &m.stack[m.base+int(in.A)]
	if d := m.seenDynamic(name, m.fn.Symbols[in.C]); d >= 0 {
		*dst = m.dynamic[d].v.Flat()
		return nil
	}
	for _, s := range m.fn.Symbols[in.C] {
		if v := m.stack[m.base+s.Reg]; !v.IsAbsent() {
			*dst = v.Flat()
			return nil
		}
	}
	return m.meant(dst, name)
}

// meant reads what a name means that no variable of the script's has: a variable of the host's, or a function.
func (m *Machine) meant(dst *value.Value, name string) *value.Error {
	if v, ok := m.hostVariable(name); ok {
		*dst = v
		return nil
	}
	for _, u := range [2]*compile.Unit{m.fn.Unit, m.unit} {
		if len(u.Lookup(name)) > 0 {
			*dst = u.Pointer(name)
			return nil
		}
	}
	return value.VariableNotFound(name)
}

// bareLookup does OpBareLookup.
func (m *Machine) bareLookup(in compile.Instr) *value.Error {
	if place := m.variable(in); place != nil && place.IsCell() {
		if place.Cell().Locked {
			return value.DataRace()
		}
		*m.at(in.A) = place.Cell().V.Share()
		return nil
	}
	return m.lookup(in)
}

// name is the variable's that an instruction names.
func (m *Machine) name(in compile.Instr) string { return m.fn.Consts[in.B].Text() }

// variable is the place of the variable that an instruction names, nil where there is none.
func (m *Machine) variable(in compile.Instr) *value.Value {
	list := m.fn.Symbols[in.C]
	if d := m.seenDynamic(m.name(in), list); d >= 0 {
		return &m.dynamic[d].v
	} else if len(list) > 0 {
		return &m.stack[m.base+list[0].Reg]
	}
	return nil
}

// constNamed tells whether the variable of a name, defined by an eval or not, is a constant.
func (m *Machine) constNamed(name string, symbols []compile.Symbol) bool {
	if d := m.seenDynamic(name, symbols); d >= 0 {
		return m.dynamic[d].konst
	}
	for _, s := range symbols {
		v := m.stack[m.base+s.Reg]
		return m.isConst(m.base, s) || v.IsCell() && v.Cell().Const || m.fn.IsExternal(s.Reg) && m.scopeConst(s.Reg)
	}
	return false
}

// store does OpStore: it writes a variable by name.
func (m *Machine) store(in compile.Instr) *value.Error {
	name := m.name(in)
	v := m.stack[m.base+int(in.A)]
	place := m.variable(in)
	switch {
	case place == nil || place.IsAbsent():
		return value.VariableNotFound(name)
	case m.constNamed(name, m.fn.Symbols[in.C]):
		return value.AssignToConstant(name)
	}
	put(place, v)
	return nil
}

// put writes a variable's register, through its cell if it has become one.
func put(place *value.Value, v value.Value) {
	if place.IsCell() {
		place.Cell().V = v
	} else {
		*place = v
	}
}

// isDefined does OpIsDefined.
func (m *Machine) isDefined(in compile.Instr) *value.Error {
	name := m.get1(in.A)
	if !name.IsString() {
		return m.alt(0, value.TypeMismatch("string", name.RustName()))
	}
	text := name.Text()
	_, found := m.Run.Variables[text]
	found = found || m.findDynamic(text) >= 0
	for _, s := range m.fn.Symbols[in.B] {
		if s.Name == text {
			found = found || !m.stack[m.base+s.Reg].IsAbsent()
			break
		}
	}
	if !found {
		v, place, _ := m.borrowed(text)
		found = place != unlinked && !v.IsAbsent()
	}
	m.at(in.A).SetBool(found)
	return nil
}
