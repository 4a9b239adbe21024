package vm

import (
	"cmp"
	"slices"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// enter makes a script function's frame the current one. Its arguments are in place from base up.
func (m *Machine) enter(f *compile.Func, base int) *value.Error {
	if m.budget--; m.budget < 0 {
		if err := m.refill(); err != nil {
			return err
		}
	}
	if m.depth >= m.max || m.loops >= maxLoops {
		return value.StackOverflow()
	}
	if top := base + f.Regs + spare; m.depth == len(m.frames) || top > len(m.stack) {
		if err := m.deeper(top); err != nil {
			return err
		}
	}
	m.frames[m.depth] = frame{m.fn, m.ip, m.base}
	m.depth++
	if f.Unit != m.fn.Unit && f.Unit.Module != "" {
		m.crossed(f.Unit)
	}
	if top := base + f.Regs; top+spare > len(m.stack) || top+spare > m.high {
		m.reserve(top)
	}
	m.fn, m.ip, m.base = f, start(f), base
	return nil
}

// deeper makes room for another frame, whose registers end at top.
func (m *Machine) deeper(top int) *value.Error {
	bytes := frameBytes * 2 * len(m.frames)
	if top > len(m.stack) {
		bytes = valueBytes * max(top, 2*len(m.stack))
	}
	if bytes >= muchBytes {
		m.entering = top
		err := m.Reserve(bytes)
		m.entering = 0
		if err != nil {
			return value.AsError(err)
		}
	}
	if m.depth == len(m.frames) {
		m.frames = append(m.frames, make([]frame, len(m.frames))...)
	}
	return nil
}

// callFunc calls a script function from Go and waits for its result. Native functions hold parts of the stack while they
// call: should it move in between, it is put back, since nothing below the new frame has changed.
func (m *Machine) callFunc(f *compile.Func, this *value.Value, curry, args []value.Value) (value.Value, *value.Error) {
	if len(curry)+len(args) != f.Args() {
		all := slices.Clone(curry)
		if this != nil {
			all = append(all, *this)
		}
		return value.Value{}, m.notFound(f.Name, append(all, args...))
	}
	base := m.base + m.fn.Regs + spare
	stack := m.stack
	if top := base + f.Regs + len(curry) + len(args) + 1; top+spare > m.high {
		m.reserve(top)
	}
	at := base
	if f.UsesThis {
		m.stack[at] = value.Absent()
		if this != nil {
			m.stack[at] = *this
		}
		at++
	}
	for i := range curry {
		m.stack[at] = curry[i]
		at++
	}
	for i := range args {
		m.stack[at] = args[i]
		at++
	}
	fixed := this != nil && f.UsesThis && m.constantReceiver()
	applied := m.applied
	if applied != "" {
		m.applied = ""
	}
	err := m.enter(f, base)
	if err == nil {
		if fixed {
			m.fix()
		}
		err = m.loop(m.depth - 1)
	}
	if f.UsesThis && this != nil {
		*this = m.stack[base]
	}
	if len(m.stack) != len(stack) {
		m.stack, m.high = stack, min(m.high, len(stack))
	}
	if applied != "" {
		m.applied = applied
	}
	if fixed {
		m.vary(m.depth + 1)
	}
	if err != nil {
		m.unlock(m.depth + 1)
		m.vary(m.depth + 1)
		return value.Value{}, err
	}
	return m.result, nil
}

// typesOf is the types of up to four arguments in one word; ok is false for more.
func typesOf(args []value.Value) (key uint64, ok bool) {
	if len(args) > 4 {
		return 0, false
	}
	key = 1
	for i := range args {
		key = key<<15 | uint64(args[i].Type())
	}
	return key, true
}

// resolve finds the native function for a site's arguments, and remembers it.
func (m *Machine) resolve(s *compile.Site, name string, args []value.Value) *value.Func {
	key, ok := typesOf(args)
	if found := s.Found.Load(); ok && found != nil && found.Types == key && found.Name == name {
		return found.Func
	}
	f := m.registry.Resolve(name, args)
	if f == nil {
		return m.global(name, args)
	}
	if ok {
		s.Found.Store(&compile.Found{Types: key, Name: name, Func: f})
	}
	return f
}

// nativeFunc is the native function for arguments, the engine's or an imported one, or nil.
func (m *Machine) nativeFunc(name string, args []value.Value) *value.Func {
	if f := m.registry.Resolve(name, args); f != nil {
		return f
	}
	return m.global(name, args)
}

// native calls a native function whose arguments are registers from at up.
func (m *Machine) native(f *value.Func, name string, at, n int) (value.Value, *value.Error) {
	if m.budget--; m.budget < 0 {
		if err := m.refill(); err != nil {
			return value.Value{}, err
		}
	}
	args := m.stack[at : at+n : at+n]
	var before value.Footprint
	var old value.Value
	if f.Mutates {
		old, before = args[0], args[0].Footprint()
	}
	if f.Mutates && before.Bytes() >= muchBytes {
		if err := m.Reserve(value.Growing(args[0], 0)); err != nil {
			return value.Value{}, value.AsError(err)
		}
	}
	held := len(m.held)
	v, err := f.Native(m, args)
	if len(m.held) > held {
		clear(m.held[held:])
		m.held = m.held[:held]
	}
	if f.Mutates && args[0].IsString() {
		args[0].KeepTag(old) // strings are replaced, not written to
	}
	if err != nil {
		e := value.AsError(err)
		if e == m.nested {
			e.Trace = append(e.Trace, value.Frame{Function: cmp.Or(f.Traced, name), Pos: m.Pos(), Source: m.source()})
		}
		m.nested = nil
		return value.Value{}, e
	}
	if v.Kind() > value.KindChar {
		if e := m.made(v); e != nil {
			return value.Value{}, e
		}
	}
	if f.Mutates {
		if e := m.changed(args[0], before, args[1:]...); e != nil {
			return value.Value{}, e
		}
	}
	return v, nil
}

// scriptFunc is the function of the program that a site reaches, or nil.
func (m *Machine) scriptFunc(s *compile.Site, n int) *compile.Func {
	if s.Script == nil && (m.fn.Unit != m.unit || len(m.libs) > 0) {
		return m.find(s.Name, n)
	}
	return s.Script
}

// callName does OpCallName: the arguments are in the window at A.
func (m *Machine) callName(in compile.Instr) *value.Error {
	s, at, n := m.fn.Sites[in.B], m.base+int(in.A), int(in.C)
	if err := m.racedOn(s.Name, m.stack[at:at+n], false); err != nil {
		return err
	}
	if f := m.scriptFunc(s, n); f != nil {
		v, err := m.callFunc(f, nil, nil, m.stack[at:at+n])
		m.stack[at] = v
		return err
	}
	args := m.stack[at : at+n]
	f := m.resolve(s, s.Name, args)
	if f == nil {
		return m.notFound(s.Name, args)
	}
	v, err := m.native(f, s.Name, at, n)
	m.stack[at] = v
	return err
}

// notFound is the error of a call that nothing takes. The comparisons have a meaning between any two types.
func (m *Machine) notFound(name string, args []value.Value) *value.Error {
	return value.FunctionNotFound(signature(name, args))
}

// callRef does OpCallRef: the receiver is in the window at A, the arguments behind it. It may make another frame the
// current one.
func (m *Machine) callRef(in compile.Instr) *value.Error {
	s, at, n := m.fn.Sites[in.B], m.base+int(in.A), int(in.C)
	this, name := &m.stack[at], s.Name
	if s.Method {
		if this.Kind() == value.KindMap {
			if p, ok := this.Map().Get(s.Name); ok && p.Kind() == value.KindFnPtr {
				return m.callBound(p.FnPtr(), at, n-1, s)
			}
		}
		if len(m.locks) > 0 && s.Name != "curry" { // which only stores them
			first, args := 1, m.stack[at+1:at+n]
			switch {
			case s.Fresh:
				args = m.stack[at : at+n]
			case m.onCopy(s):
				first = 2
			}
			if err := m.raced(s.Name, args, first); err != nil {
				return err
			}
		}
		f := m.scriptFunc(s, n-1)
		if f != nil && (len(m.imports) > 0 || m.fn.Unit != m.unit) {
			f = cmp.Or(m.method(this.TypeName(), s.Name, n-1), f)
		}
		for _, g := range s.Typed {
			if g.ThisType == this.TypeName() {
				f = g
			}
		}
		if f != nil {
			m.dirty = scripted
			if f.UsesThis {
				return m.enterWith(f, at, s)
			}
			return m.enter(f, at+1)
		}
	} else {
		f := m.pointed(s, n, &name)
		if err := m.racedOn(name, m.stack[at:at+n], !s.Temporary); err != nil {
			return err
		}
		if f != nil {
			*this = this.Share() // a parameter is the function's own
			v, err := m.callFunc(f, nil, nil, m.stack[at:at+n])
			m.stack[at+1], m.dirty = v, clean
			return err
		}
	}
	args := m.stack[at : at+n]
	f := m.resolve(s, name, args)
	if f == nil {
		if g := m.method(this.TypeName(), s.Name, n-1); g != nil && s.Method {
			m.dirty = scripted
			if g.UsesThis {
				return m.enterWith(g, at, s)
			}
			return m.enter(g, at+1)
		}
		if s.Method && s.Name == "curry" { // of nothing: no function
			if this.Kind() == value.KindFnPtr {
				m.stack[at+1] = *this
				return nil
			}
			return value.TypeMismatch("Fn", this.TypeName())
		}
		return m.notFound(name, args)
	}
	v, err := m.reach(f, s, name, at, n)
	m.stack[at+1] = v
	return err
}

// scopeConst tells whether an external variable is a constant.
func (m *Machine) scopeConst(reg int) bool {
	at := m.origin[reg]
	return at == originNamed || at == originMeant || at >= 0 && (*m.Run.Scope)[at].Const
}

// pointed is the script function that a call with a reference finds, by the name of a function pointer where it has one.
func (m *Machine) pointed(s *compile.Site, n int, name *string) *compile.Func {
	if s.Pointer == 0 {
		return m.scriptFunc(s, n)
	}
	p := m.stack[m.base+s.Pointer-1].FnPtr()
	*name = p.Name
	return m.target(p, n)
}

// target is the script function that a function pointer leads to, for n arguments; nil when it must be a native one.
func (m *Machine) target(p *value.FnPtr, n int) *compile.Func {
	if f, ok := p.Target.(*compile.Func); ok && (p.IsAnonymous() || f.Params == n+len(p.Curry)) {
		if !m.reachable(f) {
			return nil
		}
		return f
	}
	return m.find(p.Name, n+len(p.Curry))
}

// callBound calls a function pointer with the value at a register as this and n arguments behind it, and the result
// where OpCallRef wants it.
func (m *Machine) callBound(p *value.FnPtr, at, n int, s *compile.Site) *value.Error {
	m.dirty = scripted
	f := m.target(p, n)
	if err := m.racedUnlessBound(p, f, m.stack[at+1:at+1+n]); err != nil {
		return err
	}
	if f != nil && len(p.Curry) == 0 && f.Args() == n {
		if f.UsesThis {
			return m.enterWith(f, at, s)
		}
		return m.enter(f, at+1)
	}
	if f != nil && len(p.Curry)+n != f.Args() {
		return m.boundNotFound(p, m.stack[at], m.stack[at+1:at+1+n])
	}
	this := m.stack[at]
	v, err := m.callBy(p, &this, m.stack[at+1:at+1+n], true)
	m.stack[at], m.stack[at+1] = this, v
	return err
}

// racedUnlessBound is the error of calling a function pointer, by its name or with other arguments than it takes, where one
// of the values that it has or is given is a closure over a locked variable.
func (m *Machine) racedUnlessBound(p *value.FnPtr, f *compile.Func, args []value.Value) *value.Error {
	if len(m.locks) == 0 || f != nil && p.Target == f && len(p.Curry)+len(args) == f.Args() {
		return nil
	}
	if err := m.raced(p.Name, p.Curry, 1); err != nil {
		return err
	}
	return m.raced(p.Name, args, len(p.Curry)+1)
}

// racedBound is the error of calling a function pointer by a method that binds this. Where the pointer is called by its
// name, or with other arguments than it takes, what is bound is an argument as well if it is a copy.
func (m *Machine) racedBound(s *compile.Site, p *value.FnPtr, f *compile.Func, args []value.Value) *value.Error {
	if len(m.locks) == 0 {
		return nil
	}
	first := 1
	if (f == nil || p.Target != f || len(p.Curry)+len(args) != f.Args()) && m.onCopy(s) {
		first = 2
	}
	if err := m.raced(p.Name, p.Curry, first); err != nil {
		return err
	}
	return m.raced(p.Name, args, first+len(p.Curry))
}

// boundNotFound is the error of calling a function pointer by a method that binds this with other arguments than it takes.
func (m *Machine) boundNotFound(p *value.FnPtr, this value.Value, args []value.Value) *value.Error {
	return m.notFound(p.Name, slices.Concat([]value.Value{this}, p.Curry, args))
}

// inOrder tells whether the arguments of a call of a function pointer are evaluated in order: it is not called by a name.
func inOrder(p *value.FnPtr, n int) bool {
	f, ok := p.Target.(*compile.Func)
	return len(p.Curry) > 0 || ok && f.Params == n
}

// callPtr does OpCallPtr: the function pointer is in the window at A, the arguments behind it.
func (m *Machine) callPtr(in compile.Instr) *value.Error {
	s, at, n := m.fn.Sites[in.B], m.base+int(in.A), int(in.C)
	v := m.stack[at]
	if v.Kind() != value.KindFnPtr {
		if n > 0 && m.stack[at+1].Kind() == value.KindFnPtr && s.Method {
			// x.call(f, …) binds x as this.
			p, args := m.stack[at+1].FnPtr(), m.stack[at+2:at+1+n]
			f := m.target(p, len(args))
			if err := m.racedBound(s, p, f, args); err != nil {
				return err
			}
			if f != nil && len(p.Curry)+len(args) != f.Args() {
				return m.boundNotFound(p, m.stack[at], args)
			}
			r, err := m.callBy(p, &m.stack[at], args, true)
			m.stack[m.base+int(in.A)+1], m.dirty = r, scripted
			return err
		}
		if n > 0 && s.Method {
			v = m.stack[at+1] // x.call(y): y was to be the function
		}
		return m.alt(0, value.TypeMismatch("Fn", v.TypeName()))
	}
	m.dirty = clean
	p := v.FnPtr()
	f := m.target(p, n)
	if err := m.racedUnlessBound(p, f, m.stack[at+1:at+1+n]); err != nil {
		return err
	}
	if f != nil && len(p.Curry)+n == f.Args() && !f.UsesThis {
		if k := len(p.Curry); k > 0 {
			if top := at + 1 + n + k; top > len(m.stack) {
				m.reserve(top)
			}
			copy(m.stack[at+1+k:], m.stack[at+1:at+1+n])
			copy(m.stack[at+1:], p.Curry)
		}
		return m.enter(f, at+1)
	}
	r, err := m.callPointer(p, nil, m.stack[at+1:at+1+n])
	m.stack[at+1] = r
	return err
}

// callPointer calls a function pointer from Go.
func (m *Machine) callPointer(p *value.FnPtr, this *value.Value, args []value.Value) (value.Value, *value.Error) {
	return m.callBy(p, this, args, false)
}

// callBy is callPointer, for a script's method or not: where a native function is not found, the error has this in another
// place.
func (m *Machine) callBy(p *value.FnPtr, this *value.Value, args []value.Value, method bool) (value.Value, *value.Error) {
	f := m.target(p, len(args))
	if this != nil && (p.Target == nil || p.Target.(*compile.Func) != f) {
		f = cmp.Or(m.typed(this.TypeName(), p.Name, len(p.Curry)+len(args)), f)
	}
	if f != nil {
		return m.callFunc(f, this, p.Curry, args)
	}
	all := append(append([]value.Value(nil), p.Curry...), args...)
	if this != nil {
		bound := append([]value.Value{*this}, all...)
		if f := m.registry.Resolve(p.Name, bound); f != nil {
			v, err := m.apply(f, p.Name, bound)
			*this = bound[0]
			return v, err
		}
		if method {
			return value.Value{}, m.notFound(p.Name, bound)
		}
		return value.Value{}, m.notFound(p.Name, slices.Insert(all, len(p.Curry), *this))
	}
	native := m.nativeFunc(p.Name, all)
	if native == nil {
		return value.Value{}, m.notFound(p.Name, all)
	}
	return m.apply(native, p.Name, all)
}

// apply calls a native function on arguments of its own.
func (m *Machine) apply(f *value.Func, name string, args []value.Value) (value.Value, *value.Error) {
	was := m.applied
	m.applied = name
	v, err := f.Native(m, args)
	m.applied = was
	if err != nil {
		return value.Value{}, value.AsError(err)
	}
	if e := m.made(v); e != nil {
		return value.Value{}, e
	}
	return v, nil
}

// accessor calls a getter, setter or indexer: a native function on the place of its receiver.
func (m *Machine) accessor(f *value.Func, this *value.Value, args ...value.Value) (value.Value, *value.Error) {
	at := m.base + m.fn.Regs
	m.stack[at] = *this
	copy(m.stack[at+1:], args)
	v, err := m.native(f, f.Name, at, len(args)+1)
	if f.Mutates && err == nil {
		*this = m.stack[at]
	}
	return v, err
}

// captured is the variable that is captured, nil when there is none, and whether it is found to be a constant here.
func (m *Machine) captured(c compile.Capture) (v *value.Value, konst bool) {
	if c.ByName == 0 {
		return &m.stack[m.base+c.Reg], false
	}
	symbols := m.fn.Symbols[c.ByName-1]
	if d := m.seenDynamic(c.Name, symbols); d >= 0 {
		return &m.dynamic[d].v, m.dynamic[d].konst
	}
	if len(symbols) > 0 {
		if m.fn.IsExternal(c.Reg) && m.origin[c.Reg] == originMeant {
			return nil, false
		}
		return &m.stack[m.base+c.Reg], m.constNamed(c.Name, symbols)
	}
	if v, ok := m.hostVariable(c.Name); ok {
		return &v, true
	}
	return nil, false
}

// closure makes a closure, whose captured variables become cells.
func (m *Machine) closure(in compile.Instr) *value.Error {
	p := &m.fn.Protos[in.B]
	curry := make([]value.Value, len(p.Captures))
	for _, c := range p.Captures {
		if c.Place == 0 {
			continue
		}
		list := m.fn.Symbols[c.Places]
		if d, at := m.placed(list, c.Place-1); d >= 0 {
			m.share(&m.dynamic[d].v, m.dynamic[d].konst)
		} else {
			m.share(&m.stack[m.base+list[at].Reg], m.isConst(m.base, list[at]))
		}
	}
	for i, c := range p.Captures {
		v, konst := m.captured(c)
		switch {
		case v == nil || v.IsAbsent():
			err := value.VariableNotFound(c.Name)
			err.Pos = c.Pos
			return err
		case c.Copy, c.Place > 0 && !v.IsCell():
			curry[i] = v.Flat().Share()
		case v.IsCell() && v.Cell().Locked:
			return value.DataRace()
		default:
			m.share(v, konst)
			curry[i] = *v
		}
	}
	f := value.NewFnPtr(p.Func.Name, p.Func, curry)
	m.stack[m.base+int(in.A)] = f
	return m.tookObject(f, value.Footprint{})
}

// share makes a variable one that closures share.
func (m *Machine) share(v *value.Value, konst bool) {
	if v.IsCell() || v.IsAbsent() {
		return
	}
	*v = value.NewCell(*v)
	v.Cell().Const = konst
	m.room -= v.Footprint().Bytes()
}

// guard turns a panic into an error of the function that the machine was in.
func (m *Machine) guard(err **value.Error) {
	if r := recover(); r != nil {
		name := "the machine"
		switch pc := m.pc(); {
		case m.applied != "":
			name, m.applied = m.applied, ""
		case pc > 0 && pc <= len(m.fn.Code):
			name = m.called(m.fn.Code[pc-1])
		}
		*err = value.Panicked(name, r)
	}
}

// called is what an instruction calls, as scripts write it.
func (m *Machine) called(in compile.Instr) string {
	op := in.Op
	switch {
	case op >= compile.OpAdd && op <= compile.OpGe:
		return value.Op(op - compile.OpAdd).String()
	case op >= compile.OpAddInt && op <= compile.OpModInt:
		return value.Op(op - compile.OpAddInt).String()
	case op >= compile.OpUnlessEq && op <= compile.OpLoopGeInt: // four times the comparisons
		return (value.OpEq + value.Op(op-compile.OpUnlessEq)%(value.NumOps-value.OpEq)).String()
	}
	switch op {
	case compile.OpCallName, compile.OpCallRef, compile.OpCallPtr, compile.OpCallModule, compile.OpCallScoped:
		return m.fn.Sites[in.B].Name
	case compile.OpGet, compile.OpGetRef:
		return m.fn.Sites[in.C].Name
	case compile.OpSet, compile.OpBack:
		return m.fn.Sites[in.B].Name
	case compile.OpIndex, compile.OpIndexRef, compile.OpSetIndex, compile.OpBackIndex:
		return "[]"
	case compile.OpIter, compile.OpNext:
		return "for"
	case compile.OpNeg:
		return "-"
	case compile.OpPlus:
		return "+"
	case compile.OpNot:
		return "!"
	case compile.OpRange:
		return ".."
	case compile.OpRangeEq:
		return "..="
	case compile.OpIn, compile.OpNotIn:
		return "contains"
	case compile.OpAssign, compile.OpAssignAdd, compile.OpAssignSub:
		return value.Op(in.C).String()
	case compile.OpResolve:
		return m.fn.Consts[in.Wide()].Text()
	case compile.OpCustom:
		return m.fn.Customs[in.B].Node.Tokens[0]
	}
	return op.String()
}
