package vm

import (
	"slices"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// slow does any instruction that the loop has no fast way for. It may move the stack and change the current frame.
func (m *Machine) slow(in compile.Instr) *value.Error {
	switch op := in.Op; {
	case op >= compile.OpAdd && op <= compile.OpGe:
		return m.put(in.A)(m.binary(value.Op(op-compile.OpAdd), m.get1(in.B), m.get1(in.C)))
	case op >= compile.OpAddInt && op <= compile.OpModInt:
		return m.put(in.A)(m.binary(value.Op(op-compile.OpAddInt), m.get1(in.B), value.Int(int64(in.ImmC()))))
	case op >= compile.OpUnlessEq && op <= compile.OpUnlessGe:
		return m.condition(value.OpEq+value.Op(op-compile.OpUnlessEq), m.get1(in.A), m.get1(in.B), false, in)
	case op >= compile.OpUnlessEqInt && op <= compile.OpUnlessGeInt:
		return m.condition(value.OpEq+value.Op(op-compile.OpUnlessEqInt), m.get1(in.A), value.Int(int64(in.ImmB())), false, in)
	case op >= compile.OpLoopEq && op <= compile.OpLoopGe:
		return m.condition(value.OpEq+value.Op(op-compile.OpLoopEq), m.get1(in.A), m.get1(in.B), true, in)
	case op >= compile.OpLoopEqInt && op <= compile.OpLoopGeInt:
		return m.condition(value.OpEq+value.Op(op-compile.OpLoopEqInt), m.get1(in.A), value.Int(int64(in.ImmB())), true, in)
	}
	switch in.Op {
	case compile.OpAbsent:
		*m.at(in.A) = value.Absent()
	case compile.OpCheck:
		if m.at(in.A).IsAbsent() {
			return m.missing(in)
		}
	case compile.OpWritable:
		name := m.fn.Consts[in.Wide()].Text()
		if m.at(in.A).IsAbsent() {
			return value.VariableNotFound(name)
		}
		if a := m.at(in.A); a.IsCell() && a.Cell().Const || m.fn.IsExternal(int(in.A)) && m.scopeConst(int(in.A)) {
			return value.AssignToConstant(name)
		}
	case compile.OpJumpThrough:
		if !m.scopeConst(int(in.A)) || m.at(in.A).IsReference() {
			m.ip = skip(m.ip, int(in.Wide()))
		}
	case compile.OpThis:
		if m.at(0).IsAbsent() {
			return value.UnboundThis()
		}
		*m.at(in.A) = *m.at(0)
	case compile.OpNamed:
		v, ok := m.hostVariable(m.fn.Consts[in.Wide()].Text())
		if !ok {
			return m.missing(in)
		}
		*m.at(in.A) = v
	case compile.OpGlobal:
		v := m.globalConst(int(in.B))
		if v == nil || v.IsAbsent() {
			return value.VariableNotFound("global::" + m.fn.Unit.Globals[in.B])
		}
		*m.at(in.A) = v.Share()
	case compile.OpSetGlob:
		if m.fn.Unit == m.unit {
			m.globals[in.B] = m.at(in.A).Share()
		} else if m.evaluating() {
			m.addGlobal(m.fn.Unit.Globals[in.B], m.at(in.A).Share())
		}
	case compile.OpCellGet, compile.OpCellRef, compile.OpCellSet:
		return value.DataRace()
	case compile.OpVary:
		m.vary(m.depth + 1)
		if m.dirty == clean {
			m.ip = skip(m.ip, int(in.Wide()))
		}
	case compile.OpLock:
		m.lock(in)
	case compile.OpUnlock:
		m.unlock(m.depth)
	case compile.OpRaced:
		at := m.base + int(in.A)
		return m.raced(m.fn.Consts[in.B].Text(), m.stack[at:at+int(in.C)], 1)
	case compile.OpBareRef:
		v := m.get1(in.B)
		if v.IsCell() {
			if v.Cell().Locked {
				return value.DataRace()
			}
			v = v.Cell().V.Share()
		}
		*m.at(in.A) = v
	case compile.OpBareSet:
		if a := m.at(in.A); !a.IsCell() {
			*a = m.get1(in.B)
		}
	case compile.OpLookup:
		return m.lookup(in)
	case compile.OpStore:
		return m.store(in)
	case compile.OpBareLookup:
		return m.bareLookup(in)
	case compile.OpBackStore, compile.OpBareStore:
		place := m.variable(in)
		if place == nil || place.IsAbsent() || in.Op == compile.OpBareStore && (place.IsCell() || m.constNamed(m.name(in), m.fn.Symbols[in.C])) {
			break
		}
		put(place, m.get1(in.A))
	case compile.OpIsConst:
		m.at(in.A).SetBool(m.constNamed(m.fn.Consts[in.B].Text(), m.fn.Symbols[in.C]))
	case compile.OpIn, compile.OpNotIn:
		return m.put(in.A)(m.contained(in))
	case compile.OpRange, compile.OpRangeEq:
		return m.put(in.A)(m.makeRange(in.Op, m.get1(in.B), m.get1(in.C)))
	case compile.OpNeg, compile.OpPlus, compile.OpNot:
		return m.put(in.A)(m.unary(in.Op, m.get1(in.B)))
	case compile.OpAssign, compile.OpAssignAdd, compile.OpAssignSub:
		return m.assign(value.Op(in.C), m.at(in.A), m.get1(in.B))
	case compile.OpAssignAddInt:
		return m.assign(value.OpAdd, m.at(in.A), value.Int(int64(in.ImmB())))
	case compile.OpAssignSubInt:
		return m.assign(value.OpSub, m.at(in.A), value.Int(int64(in.ImmB())))
	case compile.OpLoop:
		return m.loopBack(int(in.Wide()))
	case compile.OpJumpIf, compile.OpJumpIfNot:
		return value.TypeMismatch("bool", m.at(in.A).RustName())
	case compile.OpLoopIf, compile.OpLoopIfNot:
		a := m.at(in.A)
		if !a.IsBool() {
			return value.TypeMismatch("bool", a.RustName())
		}
		if a.Bool() == (in.Op == compile.OpLoopIf) {
			m.budget--
			return m.loopBack(int(in.Wide()))
		}
	case compile.OpInRange:
		m.at(in.A).SetBool(inRange(m.get1(in.B), m.fn.Consts[in.C]))
	case compile.OpSwitch:
		target, err := m.switchTo(&m.fn.Switches[in.B], m.get1(in.A))
		if err == nil {
			m.ip = skip(start(m.fn), target)
		}
		return err
	case compile.OpForPrep:
		at := m.base + int(in.A)
		ok, err := m.forPrep(m.stack[at : at+3])
		if !ok && err == nil {
			m.ip = skip(m.ip, int(in.Wide()))
		}
		return err
	case compile.OpForLoop:
		if err := m.refill(); err != nil {
			return err
		}
		m.budget++
		m.ip = skip(m.ip, -1)
	case compile.OpIter:
		return m.put(in.A)(m.iterate(m.get1(in.B)))
	default:
		return m.slower(in)
	}
	return nil
}

// slower is the rest of slow: calls, closures, errors and data structures.
func (m *Machine) slower(in compile.Instr) *value.Error {
	switch in.Op {
	case compile.OpCall:
		return m.enter(m.fn.Unit.Funcs[in.B], m.base+int(in.A))
	case compile.OpClosure:
		return m.closure(in)
	case compile.OpPointer:
		if v := m.get1(in.A); v.Kind() != value.KindFnPtr {
			return value.TypeMismatch("Fn", v.TypeName())
		}
	case compile.OpInOrder: // of no function pointer
		return value.TypeMismatch("Fn", m.get1(in.B).TypeName())
	case compile.OpThrow:
		err := value.Thrown(m.get1(in.A))
		if n := len(err.Message) / bytesPerTick; n > 0 {
			if e := m.Tick(n); e != nil {
				return value.AsError(e)
			}
		}
		return err
	case compile.OpRethrow:
		err := *m.at(in.A).Custom().Data.(*value.Error)
		if n := len(err.Trace); n == 0 && in.B == 1 && err.Kind == value.ErrRuntime && err.Value.IsUnit() {
			break
		} else if n == 0 {
			err.Pos = m.Pos()
		} else {
			err.Trace = slices.Clone(err.Trace)
			err.Trace[n-1].Pos = m.Pos()
		}
		return &err
	case compile.OpCaught:
		v := m.at(in.B).Custom().Data.(*value.Error).Caught(m.source())
		*m.at(in.A) = v
		return m.tookObject(v, value.Footprint{})
	case compile.OpFail:
		err := *m.fn.Errors[in.Wide()]
		return &err
	case compile.OpEval:
		return m.eval(in)
	case compile.OpCallScoped:
		return m.callScoped(in)
	case compile.OpIsShared:
		v := m.at(in.B)
		if in.C > 0 {
			in.C--
			if v = m.variable(in); v == nil || v.IsAbsent() {
				v = new(value.Value)
				if err := m.meant(v, m.name(in)); err != nil {
					return err
				}
			}
		}
		if v.IsCell() && v.Cell().Locked {
			return value.DataRace()
		}
		m.at(in.A).SetBool(v.IsCell())
	case compile.OpIsDefined:
		return m.isDefined(in)
	case compile.OpMark:
		m.dynamic = m.visible(m.dynamic)
		m.forget()
		m.at(in.A).SetInt(int64(len(m.dynamic)) | int64(len(m.imports))<<32)
	case compile.OpRedefine:
		m.redefine(in)
	case compile.OpTrim:
		n := m.at(in.A).Int()
		m.dynamic = m.dynamic[:min(len(m.dynamic), int(n&(1<<32-1)))]
		m.imports = m.imports[:min(len(m.imports), int(n>>32))]
	case compile.OpImport:
		return m.importModule(in)
	case compile.OpExport:
		m.exports = append(m.exports, exported{m.fn.Consts[in.Wide()].Text(), int(in.A)})
	case compile.OpCallModule:
		return m.callModule(in)
	case compile.OpModuleGet:
		return m.moduleGet(in)
	case compile.OpArray:
		at := m.base + int(in.B)
		items := make([]value.Value, in.C)
		copy(items, m.stack[at:])
		v := value.NewArray(items)
		*m.at(in.A) = v
		return m.made(v)
	case compile.OpMap:
		keys := m.fn.Maps[in.B]
		o := value.NewMap(len(keys))
		for i, k := range keys {
			o.Set(k, m.stack[m.base+int(in.C)+i])
		}
		*m.at(in.A) = o.Value()
		return m.made(o.Value())
	case compile.OpConcat:
		at := m.base + int(in.B)
		return m.put(in.A)(m.concat(m.stack[at : at+int(in.C)]))
	case compile.OpSum, compile.OpSumOnto:
		return m.sum(in)
	case compile.OpGet:
		v, err := m.get(m.at(in.B), m.fn.Sites[in.C])
		return m.put(in.A)(v.Share(), err)
	case compile.OpGetRef:
		return m.put(in.A)(m.get(m.at(in.B), m.fn.Sites[in.C]))
	case compile.OpSet:
		err := m.set(m.at(in.A), m.fn.Sites[in.B], m.get1(in.C))
		m.dirty = written
		return err
	case compile.OpFixed:
		site := m.fn.Sites[in.B]
		return m.mayAdd(m.at(in.A), value.Str(site.Name), site)
	case compile.OpFixedIndex:
		return m.mayAdd(m.at(in.A), m.get1(in.C), m.fn.Sites[in.B])
	case compile.OpBack:
		return m.back(m.at(in.A), m.fn.Sites[in.B], m.get1(in.C))
	case compile.OpIndex:
		v, err := m.index(m.at(in.B), m.get1(in.C))
		return m.put(in.A)(v.Share(), err)
	case compile.OpIndexRef:
		return m.put(in.A)(m.index(m.at(in.B), m.get1(in.C)))
	case compile.OpSetIndex:
		err := m.setIndex(m.at(in.A), m.get1(in.B), m.get1(in.C))
		m.dirty = written
		return err
	case compile.OpBackIndex:
		return m.backIndex(m.at(in.A), m.get1(in.B), m.get1(in.C))
	case compile.OpCustom:
		return m.custom(in)
	case compile.OpResolve:
		return m.resolveVariable(in)
	case compile.OpJumpAbsent:
		if m.at(in.A).IsAbsent() {
			m.ip = skip(m.ip, int(in.Wide()))
		}
	case compile.OpStop:
		return m.stopHere(in)
	default:
		return value.NewError(value.ErrSystem, "no such instruction: "+in.Op.String())
	}
	return nil
}

// at is a register of the current frame.
func (m *Machine) at(n uint16) *value.Value { return &m.stack[m.base+int(n)] }

func (m *Machine) get1(n uint16) value.Value { return m.stack[m.base+int(n)] }

// put makes a function that writes a result to a register, unless it failed.
func (m *Machine) put(n uint16) func(value.Value, *value.Error) *value.Error {
	return func(v value.Value, err *value.Error) *value.Error {
		if err == nil {
			*m.at(n) = v
		}
		return err
	}
}

func (m *Machine) missing(in compile.Instr) *value.Error {
	return value.VariableNotFound(m.fn.Consts[in.Wide()].Text())
}

// loopBack jumps backwards, after an operation has been taken from the budget.
func (m *Machine) loopBack(n int) *value.Error {
	if m.budget < 0 {
		if err := m.refill(); err != nil {
			return err
		}
	}
	m.ip = skip(m.ip, n)
	return nil
}

// condition does a comparison that jumps: forward when it does not hold, or backward when it does.
func (m *Machine) condition(op value.Op, a, b value.Value, back bool, in compile.Instr) *value.Error {
	ok, err := m.compare(op, a, b)
	if err != nil || ok != back {
		return err
	}
	if back {
		m.budget--
		return m.loopBack(int(in.ImmC()))
	}
	m.ip = skip(m.ip, int(in.ImmC()))
	return nil
}
