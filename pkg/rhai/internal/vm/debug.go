package vm

import (
	"errors"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Step is how a run goes on after a stop.
type Step int

// The steps.
const (
	Continue Step = iota // to the next breakpoint
	StepInto             // to the next statement
	StepOver             // to the next statement that is not in a call that the current one makes
	StepOut              // to the next statement after the current call
	Quit                 // end the run
)

// Breakpoint is a line, or a function, whose statements a run stops before.
type Breakpoint struct {
	Line     int    // zero: none
	Function string // the run stops before its first statement; empty: none
}

// ErrQuit is the cause of the end of a run that its debugger has ended.
var ErrQuit = errors.New("the debugger ended the run")

// debugger is the state of a run that is being debugged.
type debugger struct {
	started bool
	step    Step
	depth   int // of frames when the last step was asked for
	line    uint32
	fn      *compile.Func // of the last statement
	at      int           // the frames then
	points  []Breakpoint
}

// Stop is a run that has stopped before a statement. It is valid during the call only.
type Stop struct {
	Pos        syntax.Pos
	Breakpoint bool // a breakpoint made it stop, not a step
	m          *Machine
	symbols    []compile.Symbol
}

// stopHere does OpStop.
func (m *Machine) stopHere(in compile.Instr) *value.Error {
	if m.Run.Debugger == nil {
		return nil
	}
	d := &m.debug
	pos := m.Pos()
	hit := d.hit(m.fn, pos, m.depth)
	d.fn, d.at, d.line = m.fn, m.depth, uint32(pos.Line)
	due := !d.started || d.step == StepInto || d.step == StepOver && m.depth <= d.depth || d.step == StepOut && m.depth < d.depth
	if !hit && !due {
		return nil
	}
	d.started, d.depth = true, m.depth
	d.step = m.Run.Debugger(&Stop{Pos: pos, Breakpoint: hit, m: m, symbols: m.fn.Symbols[in.B]})
	if d.step == Quit {
		return value.Terminated(ErrQuit)
	}
	return nil
}

// hit tells whether a statement is the first of a breakpoint's line or function since another was passed.
func (d *debugger) hit(f *compile.Func, pos syntax.Pos, depth int) bool {
	entered := f != d.fn || depth > d.at
	for _, p := range d.points {
		if p.Line > 0 && p.Line == int(pos.Line) && (entered || d.line != uint32(pos.Line)) {
			return true
		}
		if p.Function != "" && p.Function == f.Name && entered && depth > d.at {
			return true
		}
	}
	return false
}

// SetBreakpoints replaces the breakpoints of the run.
func (s *Stop) SetBreakpoints(list ...Breakpoint) {
	s.m.debug.points = append([]Breakpoint(nil), list...)
}

// Stack lists the functions that the run is in, the innermost first, each with where it is. The global level has no
// name.
func (s *Stop) Stack() []value.Frame {
	m := s.m
	list := []value.Frame{{Function: m.fn.Name, Pos: s.Pos}}
	for i := m.depth - 1; i > 0; i-- {
		if f := m.frames[i]; f.fn != nil {
			list = append(list, value.Frame{Function: f.fn.Name, Pos: f.fn.Pos[max(pcOf(f.fn, f.ip)-1, 0)]})
		}
	}
	return list
}

// Variables lists the variables that are visible to the statement, the innermost first.
func (s *Stop) Variables() []Variable {
	var list []Variable
	m := s.m
	seen := map[string]bool{}
	for i := len(m.dynamic) - 1; i >= 0 && m.dynamic[i].depth >= m.depth; i-- {
		if d := m.dynamic[i]; d.depth == m.depth && !seen[d.name] {
			seen[d.name] = true
			list = append(list, Variable{Name: d.name, Value: d.v.Flat().Share(), Const: d.konst})
		}
	}
	for _, v := range s.symbols {
		if x := m.stack[m.base+v.Reg]; !x.IsAbsent() && !seen[v.Name] {
			seen[v.Name] = true
			list = append(list, Variable{Name: v.Name, Value: x.Flat().Share(), Const: v.Const})
		}
	}
	return list
}
