package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// ifStmt compiles an if.
func (f *fn) ifStmt(s *syntax.If, dst int) {
	if yes, ok := f.decided(s.Cond); ok {
		switch {
		case yes:
			f.scope(s.Then, dst)
		case s.Else != nil:
			f.otherwise(s.Else, dst)
		default:
			f.unit(dst, s.Pos)
		}
		return
	}
	no := f.branch(s.Cond, true, false)
	f.scope(s.Then, dst)
	if s.Else == nil && dst == discard {
		f.landAll(no)
		return
	}
	end := -1
	if dst != tail {
		end = f.emitWide(OpJump, 0, 0, s.Pos)
	}
	f.landAll(no)
	if s.Else == nil {
		f.unit(dst, s.Pos)
	} else {
		f.otherwise(s.Else, dst)
	}
	if end >= 0 {
		f.land(end)
	}
}

// loopStmt compiles a loop.
func (f *fn) loopStmt(s syntax.Stmt, dst int) {
	mark, source := f.next, 0
	if each, ok := s.(*syntax.For); ok {
		source = f.iterable(each)
	}
	l := &loop{dst: dst}
	f.loops = append(f.loops, l)
	pos := s.Position()
	marked := f.mark(pos)
	next := func() { // where a round ends early
		f.landAll(l.continues)
		if marked && len(l.continues) > 0 {
			f.trim(pos)
		}
	}
	switch s := s.(type) {
	case *syntax.While:
		if yes, ok := f.decided(s.Cond); ok && !yes {
			f.unit(dst, pos)
			break
		}
		out := f.branch(s.Cond, true, false)
		top := len(f.Code)
		f.scope(s.Body, discard)
		next()
		for _, at := range f.branch(s.Cond, false, true) {
			f.jumpTo(at, top)
		}
		f.landAll(out)
		f.unit(dst, pos)
	case *syntax.Loop:
		top := len(f.Code)
		f.scope(s.Body, discard)
		next()
		f.jumpTo(f.emitWide(OpLoop, 0, 0, pos), top)
	case *syntax.Do:
		top := len(f.Code)
		f.scope(s.Body, discard)
		// A continue goes to the body's beginning without asking the condition.
		if len(l.continues) > 0 {
			over := f.emitWide(OpJump, 0, 0, pos)
			next()
			f.jumpTo(f.emitWide(OpLoop, 0, 0, pos), top)
			f.land(over)
		}
		if s.Until {
			f.jumpTo(f.emitWide(OpLoopIfNot, f.operand(s.Cond), 0, firstStep(s.Cond)), top)
		} else {
			for _, at := range f.branch(s.Cond, false, true) {
				f.jumpTo(at, top)
			}
		}
		f.unit(dst, pos)
	case *syntax.For:
		f.enter(func() { f.forLoop(s, source, l, next) }, pos)
		f.unit(dst, pos)
	}
	f.landAll(l.breaks)
	if marked {
		if len(l.breaks) > 0 {
			f.trim(pos)
		}
		f.marks = f.marks[:len(f.marks)-1]
	}
	f.next = mark
	f.loops = f.loops[:len(f.loops)-1]
}

// counts is the range that a for counts through, if it is a plain one.
func counts(s *syntax.For) (*syntax.Binary, bool) {
	b, ok := s.Iterable.(*syntax.Binary)
	return b, ok && (b.Op == ".." || b.Op == "..=") && b.Left != nil && b.Right != nil
}

// iterable compiles what a for goes through, or the ends of the range that it counts through, into the window that it
// returns. That is not in the loop's scope.
func (f *fn) iterable(s *syntax.For) (w int) {
	w = f.window(3)
	if b, counted := counts(s); counted {
		f.expr(b.Left, w)
		f.expr(b.Right, w+1)
	} else {
		f.expr(s.Iterable, w)
	}
	return w
}

// forLoop compiles a for through what is in the window at w, up to where it has run out of items.
func (f *fn) forLoop(s *syntax.For, w int, l *loop, next func()) {
	b, counted := counts(s)
	item, step := w+1, OpNext
	at := 0
	if counted {
		item, step = w+2, OpForLoop
		inclusive := 0
		if b.Op == "..=" {
			inclusive = 1
		}
		f.emit(OpBool, w+2, inclusive, 0, b.Pos)
		at = f.emitWide(OpForPrep, w, 0, b.Pos)
	} else {
		f.emit(OpIter, w, w, 0, begin(s.Iterable))
		at = f.emitWide(OpJump, 0, 0, s.Pos)
	}
	count := -1
	if s.Counter != nil {
		count = f.temp()
		f.emitWide(OpInt, count, -1, s.Counter.Pos)
	}
	// A variable that closures may share is set anew in each round, through the cell if it has become one.
	name := f.loopVariable(s.Name, item)
	var counter *variable
	if s.Counter != nil {
		counter = f.loopVariable(*s.Counter, -1)
	}
	if counted && (count >= 0 || name.reg != item) {
		// What was just emitted belongs before the test.
		f.hoist(at)
		at = len(f.Code) - 1
	}
	top := len(f.Code)
	if !counted {
		// The loop is entered at its end, where the first item is fetched.
		f.hoist(at)
		at = len(f.Code) - 1
		top = len(f.Code)
	}
	if name.reg != item {
		f.emit(OpCellSet, name.reg, item, 0, s.Name.Pos)
	}
	if counter != nil {
		f.emit(OpAddInt, count, count, 1, s.Counter.Pos)
		f.emit(OpCellSet, counter.reg, count, 0, s.Counter.Pos)
	}
	f.scope(s.Body, discard)
	next()
	if !counted {
		f.land(at)
	}
	f.jumpTo(f.emitWide(step, w, 0, s.Pos), top)
	if counted {
		f.land(at)
	}
}

// hoist moves the instruction at an index behind all that follow it. Nothing may jump in between.
func (f *fn) hoist(at int) {
	in, pos := f.Code[at], f.Pos[at]
	f.Code = append(append(f.Code[:at], f.Code[at+1:]...), in)
	f.Pos = append(append(f.Pos[:at], f.Pos[at+1:]...), pos)
}

// loopVariable declares a variable of a for: in a register where the machine puts the item, unless it may be shared.
func (f *fn) loopVariable(name syntax.Name, item int) *variable {
	if item >= 0 && !f.all && !f.captured[name.Text] {
		return f.declare(name.Text, item)
	}
	v := f.declare(name.Text, f.temp())
	f.noteEvals(v, name.Pos)
	f.emit(OpUnit, v.reg, 0, 0, name.Pos)
	return v
}

// switchStmt compiles a switch. A table leads from the subject to the first case that has its value; each value has a
// chain of its own through the guards of the cases that have it, then come the ranges in order, then the default.
func (f *fn) switchStmt(s *syntax.Switch, dst int, statement bool) {
	subject := f.temp()
	f.expr(s.Subject, subject)
	f.Switches = append(f.Switches, Switch{Keys: map[value.Key]int32{}})
	number := len(f.Switches) - 1
	f.emit(OpSwitch, subject, number, 0, s.Pos)

	bodies := make([][]int, len(s.Cases)) // jumps to each body
	var keys []value.Key
	chains := map[value.Key][]int{}
	ints := map[value.Key]int64{}
	texts := map[value.Key]string{}
	type rangeCase struct {
		n int
		v value.Value
	}
	var ranges []rangeCase
	for n, c := range s.Cases {
		for _, e := range c.Values {
			if b, ok := e.(*syntax.Binary); ok {
				r, _ := constantValue(b)
				ranges = append(ranges, rangeCase{n, r})
			}
			v, _ := constantValue(e)
			k, ok, _ := v.Key(nil)
			if !ok {
				continue
			}
			if _, seen := chains[k]; !seen {
				keys = append(keys, k)
			}
			chains[k] = append(chains[k], n)
			switch {
			case v.IsInt():
				ints[k] = v.Int()
			case v.IsString():
				texts[k] = v.Text()
			}
		}
	}
	var toRanges []int
	guarded := func(n int) bool {
		c := s.Cases[n]
		if c.Guard == nil {
			bodies[n] = append(bodies[n], f.emitWide(OpJump, 0, 0, c.Pos))
			return false
		}
		no := f.branch(c.Guard, true, false)
		bodies[n] = append(bodies[n], f.emitWide(OpJump, 0, 0, c.Pos))
		f.landAll(no)
		return true
	}
	table := f.Switches[number].Keys
	for _, k := range keys {
		table[k] = int32(len(f.Code))
		open := true
		for _, n := range chains[k] {
			if open = guarded(n); !open {
				break
			}
		}
		if open {
			toRanges = append(toRanges, f.emitWide(OpJump, 0, 0, s.Pos))
		}
	}
	f.landAll(toRanges)
	f.Switches[number].Default = int32(len(f.Code))
	for _, r := range ranges {
		t := f.temp()
		f.emit(OpInRange, t, subject, f.konst(r.v), s.Cases[r.n].Pos)
		skip := f.emitWide(OpJumpIfNot, t, 0, s.Cases[r.n].Pos)
		guarded(r.n)
		f.land(skip)
	}
	arm := func(body syntax.Stmt, pos syntax.Pos) {
		// One that is an expression is no scope: what an eval defines there stays.
		if _, expr := body.(*syntax.ExprStmt); expr && statement && f.all && !f.c.options.Eval {
			f.stmt(body, dst)
			return
		}
		f.enter(func() { f.stmt(body, dst) }, pos)
	}
	var ends []int
	if s.Default != nil {
		arm(s.Default, s.Pos)
	} else {
		f.unit(dst, s.Pos)
	}
	ends = append(ends, f.emitWide(OpJump, 0, 0, s.Pos))
	for n, c := range s.Cases {
		f.landAll(bodies[n])
		arm(c.Body, c.Pos)
		if dst != tail {
			ends = append(ends, f.emitWide(OpJump, 0, 0, c.Pos))
		}
	}
	f.landAll(ends)
	if dst == tail {
		f.unit(tail, s.Pos) // never reached; the jumps above need somewhere to land
	}
	f.dense(number, ints)
	if len(texts) <= fewTexts {
		for _, k := range keys {
			if text, ok := texts[k]; ok {
				s := &f.Switches[number]
				s.Texts = append(s.Texts, TextCase{text, s.Keys[k]})
			}
		}
	}
}

// otherwise compiles what is behind an else, which is a scope.
func (f *fn) otherwise(s syntax.Stmt, dst int) {
	if b, ok := s.(*syntax.Block); ok && f.all {
		f.value(b, dst)
	} else if f.all {
		f.enter(func() { f.stmt(s, dst) }, s.Position())
	} else {
		f.stmt(s, dst)
	}
}

// isScope tells whether a block that is a statement is a scope of its own. The reference takes it for one where it has a
// definition in it, or a call of eval that is a statement; what other evals define stays behind it, but in the source of
// an eval.
func isScope(b *syntax.Block) bool {
	return slices.ContainsFunc(b.Body, func(s syntax.Stmt) bool {
		switch s := s.(type) {
		case *syntax.Let, *syntax.Import:
			return true
		case *syntax.ExprStmt:
			_, custom := s.X.(*syntax.Custom)
			return custom || isEval(s)
		}
		return false
	})
}

// isEval tells whether a statement is a call of eval.
func isEval(s syntax.Stmt) bool {
	x, ok := s.(*syntax.ExprStmt)
	if !ok {
		return false
	}
	call, ok := x.X.(*syntax.Call)
	return ok && call.Name == "eval" && len(call.Namespace) == 0
}

// fewTexts is how many strings are compared faster one by one than found by their hash.
const fewTexts = 8

// dense gives a switch whose keys are close ints a table of targets.
func (f *fn) dense(number int, ints map[value.Key]int64) {
	s := &f.Switches[number]
	if len(ints) == 0 {
		return
	}
	lo, hi := int64(1<<63-1), int64(-1<<63)
	for _, n := range ints {
		lo, hi = min(lo, n), max(hi, n)
	}
	if uint64(hi-lo) >= 1024 {
		return
	}
	s.Base, s.Dense = lo, make([]int32, hi-lo+1)
	for k, n := range ints {
		s.Dense[n-lo] = s.Keys[k]
	}
}
