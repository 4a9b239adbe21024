package vm

import (
	"strings"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// signature is a call in the words of an error message.
func signature(name string, args []value.Value) string {
	var b strings.Builder
	b.WriteString(name)
	b.WriteString(" (")
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.Flat().SignatureName())
	}
	b.WriteByte(')')
	return b.String()
}

// caughtType is how registers hold the error that a catch block is about; scripts never see it.
var caughtType = &value.CustomType{Name: "error"}

// carryBack carries what a call has changed of its receiver before it failed back to where the receiver is from.
func (m *Machine) carryBack(f *compile.Func, pc int) {
	m.dirty = written
	for at, end := pc+1, f.Backs[pc]; at < end; at++ {
		m.ip = skip(start(f), at+1)
		switch in := f.Code[at]; in.Op {
		case compile.OpUnlock, compile.OpVary: // unwinding does these
		case compile.OpMove:
			*m.at(in.A) = m.get1(in.B)
		case compile.OpCellSet:
			put(m.at(in.A), m.get1(in.B))
		case compile.OpSet, compile.OpSetIndex:
			// Of a compound assignment that failed: it has made the property that it found missing.
			if m.get1(in.A).Kind() != value.KindMap || !m.get1(in.C).IsUnit() || m.slower(in) != nil {
				return
			}
		case compile.OpBackIndex:
			switch m.get1(in.A).Kind() {
			case value.KindString, value.KindInt, value.KindBlob:
				return // the receiver was a copy: what is in these has no place of its own
			}
			if m.slower(in) != nil {
				return
			}
		default:
			if m.slow(in) != nil {
				return // the path is no more
			}
		}
	}
}

// source is the path of the module whose function runs; empty for the script. Closures and evals are of what calls them.
func (m *Machine) source() string {
	path, _ := m.sourceAt()
	return path
}

// sourceAt is the source, and the depth of the frame that it is known by: it is that of all frames on the way.
func (m *Machine) sourceAt() (path string, depth int) {
	if len(m.units) == 0 { // no modules
		return "", 0
	}
	f, depth := m.fn, m.depth
	for depth > 1 && (value.IsAnonymous(f.Name) || f == f.Unit.Main && f.Unit.Module == "") {
		depth--
		f = m.frames[depth].fn
	}
	return f.Unit.Module, depth
}

// unwind takes an error from where the loop is to the nearest handler, and reports whether there is one in this loop.
// If not, the frames of the loop are gone.
func (m *Machine) unwind(err *value.Error, entry int) bool {
	source, known := "", m.depth+1
	for {
		f, pc := m.fn, m.pc()-1
		// A native function that has named itself in the trace means its error to have no place.
		if !err.Pos.IsValid() && pc >= 0 && len(err.Trace) == 0 && !err.Placeless() {
			err.Pos = f.Pos[pc]
		}
		m.carryBack(f, pc)
		if err.Catchable() {
			for _, h := range f.Handlers {
				if h.From <= pc && pc < h.To {
					m.stack[m.base+h.Reg] = caughtType.New(err)
					m.forget()
					m.unlock(m.depth)
					m.vary(m.depth + 1)
					m.ip = skip(start(f), h.Target)
					return true
				}
			}
		}
		m.stop = pc
		if m.depth < known {
			source, known = m.sourceAt()
		}
		m.depth--
		caller := m.frames[m.depth]
		if caller.fn != nil {
			at := caller.fn.Pos[pcOf(caller.fn, caller.ip)-1]
			switch {
			case f == f.Unit.Main: // of an eval or a module, which tell of themselves
			case err.Passing():
				err.Pos = at
			case f.Name != "":
				err.Trace = append(err.Trace, value.Frame{Function: f.Name, Pos: at, Source: source})
			}
			m.fn, m.ip, m.base = caller.fn, caller.ip, caller.base
		}
		if m.depth <= entry {
			return false
		}
	}
}
