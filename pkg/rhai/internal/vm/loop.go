package vm

import (
	"unsafe"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

const (
	instrSize = unsafe.Sizeof(compile.Instr{})
	valueSize = unsafe.Sizeof(value.Value{})
)

// reg is a register of the frame at r. The compiler of scripts has checked that the frame has it.
func reg(r unsafe.Pointer, n uint16) *value.Value {
	return (*value.Value)(unsafe.Add(r, uintptr(n)*valueSize))
}

// skip is the instruction n instructions on.
func skip(ip unsafe.Pointer, n int) unsafe.Pointer {
	return unsafe.Add(ip, n*int(instrSize))
}

// start is a function's first instruction.
func start(f *compile.Func) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(f.Code)) }

// pcOf is the index of the instruction that ip points to.
func pcOf(f *compile.Func, ip unsafe.Pointer) int {
	return int((uintptr(ip) - uintptr(start(f))) / instrSize)
}

// regs is the current frame's first register. It moves when the stack grows.
func (m *Machine) regs() unsafe.Pointer {
	return unsafe.Pointer(&m.stack[m.base])
}

// loop runs the current frame and those that it calls, until the depth of frames is entry again.
func (m *Machine) loop(entry int) *value.Error {
	m.loops++
	for {
		err := m.guarded(entry)
		if err != nil && m.unwind(err, entry) {
			continue
		}
		m.loops--
		return err
	}
}

func (m *Machine) guarded(entry int) (err *value.Error) {
	defer m.guard(&err)
	return m.exec(entry)
}

// exec is the loop. A case that has done its work continues; one that leaves the switch has met something other than
// what it is fast for and leaves the instruction, undone, to slow. Registers are reached through r and instructions
// through ip, which only slow and calls see in the machine's fields.
func (m *Machine) exec(entry int) *value.Error {
	ip, r := m.ip, m.regs()
	for {
		in := *(*compile.Instr)(ip)
		ip = unsafe.Add(ip, instrSize)
		switch in.Op {
		case compile.OpNop:
			continue
		case compile.OpUnit:
			*reg(r, in.A) = value.Unit()
			continue
		case compile.OpBool:
			reg(r, in.A).SetBool(in.B != 0)
			continue
		case compile.OpInt:
			reg(r, in.A).SetInt(int64(in.Wide()))
			continue
		case compile.OpConst:
			*reg(r, in.A) = m.fn.Consts[uint32(in.Wide())]
			continue
		case compile.OpCopy:
			*reg(r, in.A) = reg(r, in.B).Share()
			continue
		case compile.OpMove:
			*reg(r, in.A) = *reg(r, in.B)
			continue
		case compile.OpCellGet:
			b := reg(r, in.B)
			if !b.IsCell() {
				*reg(r, in.A) = b.Share()
				continue
			} else if c := b.Cell(); !c.Locked {
				*reg(r, in.A) = c.V.Share()
				continue
			}
		case compile.OpCellRef:
			b := reg(r, in.B)
			if !b.IsCell() {
				*reg(r, in.A) = *b
				continue
			} else if c := b.Cell(); !c.Locked {
				*reg(r, in.A) = c.V
				continue
			}
		case compile.OpCellSet:
			a := reg(r, in.A)
			if !a.IsCell() {
				*a = *reg(r, in.B)
				continue
			} else if c := a.Cell(); !c.Locked {
				c.V = *reg(r, in.B)
				continue
			}

		case compile.OpThis:
			if this := reg(r, 0); !this.IsAbsent() {
				*reg(r, in.A) = *this
				continue
			}
		case compile.OpVary:
			if len(m.fixed) == 0 {
				if m.dirty == clean {
					ip = skip(ip, int(in.Wide()))
				}
				continue
			}
		case compile.OpJumpFree:
			if !m.thisConst() {
				ip = skip(ip, int(in.Wide()))
			}
			continue

		case compile.OpAdd:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				x, y := b.Int(), c.Int()
				if z := x + y; (z > x) == (y > 0) {
					reg(r, in.A).SetInt(z)
					continue
				}
			} else if b.IsBareFloat() && c.IsBareFloat() {
				reg(r, in.A).SetFloat(b.Float() + c.Float())
				continue
			}
		case compile.OpSub:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				x, y := b.Int(), c.Int()
				if z := x - y; (z < x) == (y > 0) {
					reg(r, in.A).SetInt(z)
					continue
				}
			} else if b.IsBareFloat() && c.IsBareFloat() {
				reg(r, in.A).SetFloat(b.Float() - c.Float())
				continue
			}
		case compile.OpMul:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				if z, ok := value.MulInt(b.Int(), c.Int()); ok {
					reg(r, in.A).SetInt(z)
					continue
				}
			} else if b.IsBareFloat() && c.IsBareFloat() {
				reg(r, in.A).SetFloat(b.Float() * c.Float())
				continue
			}
		case compile.OpDiv:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareFloat() && c.IsBareFloat() {
				reg(r, in.A).SetFloat(b.Float() / c.Float())
				continue
			} else if b.IsBareInt() && c.IsBareInt() && c.Int() > 0 {
				reg(r, in.A).SetInt(b.Int() / c.Int())
				continue
			}
		case compile.OpMod:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() && c.Int() > 0 {
				reg(r, in.A).SetInt(b.Int() % c.Int())
				continue
			}
		case compile.OpAddInt:
			if b := reg(r, in.B); b.IsBareInt() {
				x, y := b.Int(), int64(in.ImmC())
				if z := x + y; (z > x) == (y > 0) {
					reg(r, in.A).SetInt(z)
					continue
				}
			}
		case compile.OpSubInt:
			if b := reg(r, in.B); b.IsBareInt() {
				x, y := b.Int(), int64(in.ImmC())
				if z := x - y; (z < x) == (y > 0) {
					reg(r, in.A).SetInt(z)
					continue
				}
			}
		case compile.OpMulInt:
			if b := reg(r, in.B); b.IsBareInt() {
				if z, ok := value.MulInt(b.Int(), int64(in.ImmC())); ok {
					reg(r, in.A).SetInt(z)
					continue
				}
			}
		case compile.OpDivInt:
			if b := reg(r, in.B); b.IsBareInt() && in.ImmC() > 0 {
				reg(r, in.A).SetInt(b.Int() / int64(in.ImmC()))
				continue
			}
		case compile.OpModInt:
			if b := reg(r, in.B); b.IsBareInt() && in.ImmC() > 0 {
				reg(r, in.A).SetInt(b.Int() % int64(in.ImmC()))
				continue
			}
		case compile.OpAnd:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetInt(b.Int() & c.Int())
				continue
			}
		case compile.OpOr:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetInt(b.Int() | c.Int())
				continue
			}
		case compile.OpXor:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetInt(b.Int() ^ c.Int())
				continue
			}
		case compile.OpEq:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetBool(b.Int() == c.Int())
				continue
			}
		case compile.OpNe:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetBool(b.Int() != c.Int())
				continue
			}
		case compile.OpLt:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetBool(b.Int() < c.Int())
				continue
			}
		case compile.OpLe:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetBool(b.Int() <= c.Int())
				continue
			}
		case compile.OpGt:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetBool(b.Int() > c.Int())
				continue
			}
		case compile.OpGe:
			b, c := reg(r, in.B), reg(r, in.C)
			if b.IsBareInt() && c.IsBareInt() {
				reg(r, in.A).SetBool(b.Int() >= c.Int())
				continue
			}
		case compile.OpNot:
			if b := reg(r, in.B); b.IsBool() {
				reg(r, in.A).SetBool(!b.Bool())
				continue
			}

		case compile.OpAssignAdd:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				x, y := a.Int(), b.Int()
				if z := x + y; (z > x) == (y > 0) {
					a.SetInt(z)
					continue
				}
			} else if a.IsBareFloat() && b.IsBareFloat() {
				a.SetFloat(a.Float() + b.Float())
				continue
			}
		case compile.OpAssignSub:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				x, y := a.Int(), b.Int()
				if z := x - y; (z < x) == (y > 0) {
					a.SetInt(z)
					continue
				}
			} else if a.IsBareFloat() && b.IsBareFloat() {
				a.SetFloat(a.Float() - b.Float())
				continue
			}
		case compile.OpAssignAddInt:
			if a := reg(r, in.A); a.IsBareInt() {
				x, y := a.Int(), int64(in.ImmB())
				if z := x + y; (z > x) == (y > 0) {
					a.SetInt(z)
					continue
				}
			}
		case compile.OpAssignSubInt:
			if a := reg(r, in.A); a.IsBareInt() {
				x, y := a.Int(), int64(in.ImmB())
				if z := x - y; (z < x) == (y > 0) {
					a.SetInt(z)
					continue
				}
			}

		case compile.OpJump:
			ip = skip(ip, int(in.Wide()))
			continue
		case compile.OpLoop:
			if m.budget--; m.budget >= 0 {
				ip = skip(ip, int(in.Wide()))
				continue
			}
		case compile.OpJumpIf:
			if a := reg(r, in.A); a.IsBool() {
				if a.Bool() {
					ip = skip(ip, int(in.Wide()))
				}
				continue
			}
		case compile.OpJumpIfNot:
			if a := reg(r, in.A); a.IsBool() {
				if !a.Bool() {
					ip = skip(ip, int(in.Wide()))
				}
				continue
			}
		case compile.OpJumpUnit:
			if reg(r, in.A).IsUnit() {
				ip = skip(ip, int(in.Wide()))
			}
			continue
		case compile.OpJumpNotUnit:
			if !reg(r, in.A).IsUnit() {
				ip = skip(ip, int(in.Wide()))
			}
			continue

		case compile.OpSwitch:
			if a := reg(r, in.A); a.IsBareInt() || a.IsString() {
				if target, ok := switchAt(&m.fn.Switches[in.B], a); ok {
					ip = skip(start(m.fn), target)
					continue
				}
			}

		case compile.OpUnlessEq:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() != b.Int() {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessNe:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() == b.Int() {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessLt:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() >= b.Int() {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessLe:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() > b.Int() {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessGt:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() <= b.Int() {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessGe:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() < b.Int() {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessEqInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() != int64(in.ImmB()) {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessNeInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() == int64(in.ImmB()) {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessLtInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() >= int64(in.ImmB()) {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessLeInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() > int64(in.ImmB()) {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessGtInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() <= int64(in.ImmB()) {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpUnlessGeInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() < int64(in.ImmB()) {
					ip = skip(ip, int(in.ImmC()))
				}
				continue
			}
		case compile.OpLoopLt:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() >= b.Int() {
					continue
				}
				if m.budget--; m.budget >= 0 {
					ip = skip(ip, int(in.ImmC()))
					continue
				}
			}
		case compile.OpLoopLe:
			a, b := reg(r, in.A), reg(r, in.B)
			if a.IsBareInt() && b.IsBareInt() {
				if a.Int() > b.Int() {
					continue
				}
				if m.budget--; m.budget >= 0 {
					ip = skip(ip, int(in.ImmC()))
					continue
				}
			}
		case compile.OpLoopLtInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() >= int64(in.ImmB()) {
					continue
				}
				if m.budget--; m.budget >= 0 {
					ip = skip(ip, int(in.ImmC()))
					continue
				}
			}
		case compile.OpLoopLeInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() > int64(in.ImmB()) {
					continue
				}
				if m.budget--; m.budget >= 0 {
					ip = skip(ip, int(in.ImmC()))
					continue
				}
			}
		case compile.OpLoopGtInt:
			if a := reg(r, in.A); a.IsBareInt() {
				if a.Int() <= int64(in.ImmB()) {
					continue
				}
				if m.budget--; m.budget >= 0 {
					ip = skip(ip, int(in.ImmC()))
					continue
				}
			}
		case compile.OpForLoop:
			if a := reg(r, in.A+1); a.Int() > 0 {
				if m.budget--; m.budget >= 0 {
					a.AddInt(-1)
					n := reg(r, in.A)
					n.AddInt(1)
					reg(r, in.A+2).SetInt(n.Int())
					ip = skip(ip, int(in.Wide()))
					continue
				}
			} else {
				continue
			}

		case compile.OpIndex:
			b, c := reg(r, in.B), reg(r, in.C)
			if c.IsBareInt() && b.Kind() == value.KindArray {
				if items := b.Array().Items; uint64(c.Int()) < uint64(len(items)) {
					*reg(r, in.A) = items[c.Int()].Share()
					continue
				}
			}
		case compile.OpIndexRef:
			b, c := reg(r, in.B), reg(r, in.C)
			if c.IsBareInt() && b.Kind() == value.KindArray {
				if a := b.Array(); !a.Shared() && uint64(c.Int()) < uint64(len(a.Items)) {
					*reg(r, in.A) = a.Items[c.Int()]
					continue
				}
			}
		case compile.OpSetIndex:
			a, b := reg(r, in.A), reg(r, in.B)
			if b.IsBareInt() && a.Kind() == value.KindArray {
				if o := a.Array(); !o.Shared() && uint64(b.Int()) < uint64(len(o.Items)) {
					o.Items[b.Int()] = *reg(r, in.C)
					m.dirty = written
					continue
				}
			}
		case compile.OpGet:
			if b := reg(r, in.B); b.Kind() == value.KindMap {
				s := m.fn.Sites[in.C]
				if p := b.Map().Hit(s.Name, int(s.Position.Load())); p != nil {
					*reg(r, in.A) = p.Share()
					continue
				}
			}
		case compile.OpGetRef:
			if b := reg(r, in.B); b.Kind() == value.KindMap {
				s := m.fn.Sites[in.C]
				if p := b.Map().Hit(s.Name, int(s.Position.Load())); p != nil {
					if b.Map().Shared() {
						p.Share()
					}
					*reg(r, in.A) = *p
					continue
				}
			}
		case compile.OpSet:
			if a := reg(r, in.A); a.Kind() == value.KindMap && !a.Map().Shared() {
				s := m.fn.Sites[in.B]
				if p := a.Map().Hit(s.Name, int(s.Position.Load())); p != nil {
					*p = *reg(r, in.C)
					m.dirty = written
					continue
				}
			}
		case compile.OpBack, compile.OpBackIndex:
			if m.dirty == clean {
				continue
			}

		case compile.OpCall:
			f := m.fn.Unit.Funcs[in.B]
			base := m.base + int(in.A)
			if top := base + f.Regs + spare; m.depth < m.max && m.depth < len(m.frames) && top <= m.high {
				if m.budget--; m.budget >= 0 {
					m.frames[m.depth] = frame{m.fn, ip, m.base}
					m.depth++
					m.fn, m.base = f, base
					ip, r = start(f), unsafe.Pointer(reg(r, in.A))
					continue
				}
				m.budget++ // entering takes it again
			}
		case compile.OpCallRef:
			m.ip = ip
			if err := m.callRef(in); err != nil {
				return err
			}
			ip, r = m.ip, m.regs()
			continue
		case compile.OpCallName:
			m.ip = ip
			if err := m.callName(in); err != nil {
				return err
			}
			ip, r = m.ip, m.regs()
			continue
		case compile.OpInOrder:
			if v := reg(r, in.B); v.Kind() == value.KindFnPtr {
				reg(r, in.A).SetBool(inOrder(v.FnPtr(), int(in.C)))
				continue
			}
		case compile.OpCallPtr:
			m.ip = ip
			if err := m.callPtr(in); err != nil {
				return err
			}
			ip, r = m.ip, m.regs()
			continue
		case compile.OpNext:
			m.ip = ip
			ok, err := m.step(*reg(r, in.A), reg(r, in.A+1))
			switch {
			case err != nil:
				return err
			case !ok:
				continue
			}
			if m.budget--; m.budget >= 0 {
				ip = skip(ip, int(in.Wide()))
				continue
			}
			if err := m.refill(); err != nil {
				return err
			}
			ip = skip(ip, int(in.Wide()))
			continue

		case compile.OpReturn:
			m.dirty = scripted // whatever was called meanwhile
			depth := m.depth - 1
			if depth > entry {
				*reg(r, 0) = *reg(r, in.A)
				m.depth = depth
				fr := &m.frames[depth]
				m.fn, m.base, ip = fr.fn, fr.base, fr.ip
				r = m.regs()
				continue
			}
			m.result = *reg(r, in.A)
			m.stop = pcOf(m.fn, ip) - 1
			m.leave()
			return nil
		case compile.OpReturnIs:
			m.dirty = scripted
			if m.depth-1 > entry {
				*reg(r, 1) = *reg(r, in.A)
				m.leave()
				ip, r = m.ip, m.regs()
				continue
			}
			m.result = *reg(r, in.A)
			m.stop = pcOf(m.fn, ip) - 1
			m.leave()
			return nil
		}
		m.ip = ip
		if err := m.slow(in); err != nil {
			return err
		}
		ip, r = m.ip, m.regs()
	}
}

// leave makes the caller's frame the current one.
func (m *Machine) leave() {
	m.depth--
	fr := &m.frames[m.depth]
	if fr.fn != nil {
		m.fn, m.base, m.ip = fr.fn, fr.base, fr.ip
	}
}

// pc is the index of the next instruction in the current function.
func (m *Machine) pc() int {
	if m.fn == nil || m.ip == nil {
		return 0
	}
	return pcOf(m.fn, m.ip)
}
