package vm

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"circles/pkg/rhai/value"
)

// The memory of a run is bounded without counting what becomes free. Whatever allocates takes from the room that is
// left, much of it beforehand; when there is none, what is still held is counted, and the room is what the limit leaves,
// but at least a slack, so that counting costs little beside allocating. A run can therefore hold a little more than its
// limit before it ends. What native functions hold while they call scripts no register shows: it is added (see Hold).
//
// What became free takes memory of the process until Go's collector has run, which of its own accord lets the heap grow
// to twice what is held. Whenever what was held at the last collection, what was taken since and what earlier runs left
// exceed the limit together, the machine has Go collect. So the process takes no more than the limit and the slack,
// besides what is none of the runs'.

const (
	slackPart = 8       // the part of the limit that a run may allocate between two counts
	maxSlack  = 8 << 20 // and how much it is at most, in bytes

	minGarbage = 8 << 20 // worth a collection

	frameBytes = 32
	namedBytes = 64      // of an entry by its name
	loopBytes  = 8 << 10 // of Go's stack, for a loop inside a loop

	muchBytes    = 4096 // at once
	bytesPerTick = 32

	valueBytes  = 16
	entryBytes  = 32
	stringBytes = 48
)

// heap tells the machines of a pool what the runs that have ended left to Go's collector. Both count from the start: what
// was left, and how much of it was when the last collection of which is known began.
type heap struct {
	garbage, collected atomic.Int64 // bytes
	witnessed          atomic.Int64 // what garbage was when the last witness was made
}

// witness is an object that nobody holds: when it is collected, so is what was garbage when it was made. It tells of that
// itself: to ask a weak pointer would wait for a collection that is about to end, however long it takes to.
type witness struct{ _ [4]uint64 }

// muchGarbage is how much is worth a witness.
const muchGarbage = 1 << 20

// left is how much garbage there may be.
func (h *heap) left() int { return max(0, int(h.garbage.Load()-h.collected.Load())) }

// leave adds what a run has taken and holds no more.
func (h *heap) leave(bytes int) {
	all := h.garbage.Add(int64(bytes))
	if last := h.witnessed.Load(); all-last >= muchGarbage && h.witnessed.CompareAndSwap(last, all) {
		runtime.AddCleanup(new(witness), h.freed, all)
	}
}

// freed notes that Go has collected what all garbage was some time ago.
func (h *heap) freed(all int64) {
	for known := h.collected.Load(); known < all && !h.collected.CompareAndSwap(known, all); known = h.collected.Load() {
	}
}

// Compile makes sure that the compilation of a source does not add to much garbage, and counts what it leaves. limit is
// the one on memory. Its error is that the context has ended.
func (p *Pool) Compile(ctx context.Context, source string, limit int) error {
	bytes := compileBytes * len(source)
	if bytes < muchGarbage || limit <= 0 {
		return value.Ended(ctx)
	}
	if left := p.heap.left(); left > minGarbage && left+bytes > limit {
		all := p.heap.garbage.Load()
		if err := p.aside(ctx, debug.FreeOSMemory); err != nil {
			return err
		}
		p.heap.freed(all)
	}
	p.heap.leave(bytes)
	return value.Ended(ctx)
}

// objects is how many bytes the process's heap holds, garbage included.
func objects() int {
	sample := [1]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample[:])
	return int(sample[0].Value.Uint64())
}

// slack is how much a run may allocate between two counts whatever it holds.
func (m *Machine) slack() int { return min(m.Run.Limits.Memory/slackPart, maxSlack) }

// beginMemory sets how much the run may allocate at first.
func (m *Machine) beginMemory() {
	limit := m.Run.Limits.Memory
	if limit <= 0 {
		m.room, m.granted = math.MaxInt, math.MaxInt
		return
	}
	m.inherited = m.pool.heap.left()
	m.room = max(limit-m.inherited, m.slack())
	m.granted, m.taken, m.expected = m.room, 0, 0
}

// endMemory leaves what the run has taken to the collector.
func (m *Machine) endMemory() {
	if taken := m.taken + m.granted - m.room; m.Run.Limits.Memory > 0 && taken > 0 {
		m.pool.heap.leave(taken)
	}
}

// Reserve accounts for memory that is about to be allocated.
func (m *Machine) Reserve(bytes int) error {
	if m.room -= bytes; m.room >= 0 {
		return nil
	}
	if err := m.count(bytes); err != nil {
		return err
	}
	return nil
}

// took accounts for memory that was allocated. Much of it counts as operations too: to fill it takes time.
func (m *Machine) took(bytes int) *value.Error {
	if bytes >= muchBytes {
		if err := m.Tick(bytes / bytesPerTick); err != nil {
			return value.AsError(err)
		}
	}
	if m.room -= bytes; m.room >= 0 {
		return nil
	}
	return m.count(0)
}

// tookObject accounts for an object that was made, or grew, in a place that had the earlier footprint.
func (m *Machine) tookObject(v value.Value, earlier value.Footprint) *value.Error {
	return m.took(v.Footprint().Since(earlier))
}

// made checks and accounts for a value that was made.
func (m *Machine) made(v value.Value) *value.Error {
	if v.Kind() <= value.KindChar {
		return nil
	}
	if err := m.size(v); err != nil {
		return err
	}
	return m.tookObject(v, value.Footprint{})
}

// changed checks and accounts for a place that was written to: a container that more values were put into, perhaps a
// copy of the one that was there, or another text.
func (m *Machine) changed(place value.Value, earlier value.Footprint, more ...value.Value) *value.Error {
	if err := m.grown(place, more...); err != nil {
		return err
	}
	return m.tookObject(place, earlier)
}

// count finds how much memory the run holds, and whether it may take so many bytes more.
func (m *Machine) count(ahead int) *value.Error {
	limit := m.Run.Limits.Memory
	if limit <= 0 || m.counting {
		m.room = math.MaxInt
		return nil
	}
	m.taken += m.granted - m.room - ahead
	m.counting, m.granted, m.room = true, math.MaxInt, math.MaxInt
	held, err := m.census(limit)
	m.counting = false
	if err == nil && held+ahead > limit {
		err = value.TooLarge("Memory of the run", value.LimitMemory)
	}
	if err != nil {
		m.granted, m.room = 0, 0
		return err
	}
	if m.taken+m.inherited+ahead > limit && m.taken+m.inherited-held > minGarbage {
		if err := m.collect(); err != nil {
			return err
		}
		m.taken, m.inherited = held, 0
	}
	m.room = max(limit-max(held, m.taken+m.inherited)-ahead, m.slack())
	m.granted = m.room + ahead
	return nil
}

// collect has Go collect, and give what becomes free back to the system.
func (m *Machine) collect() *value.Error {
	all := m.pool.heap.garbage.Load()
	if err := m.Aside(debug.FreeOSMemory); err != nil {
		return value.AsError(err)
	}
	m.pool.heap.freed(all)
	m.expected = objects()
	return nil
}

// census counts what the run holds.
func (m *Machine) census(limit int) (int, *value.Error) {
	// Registers above the current frame's hold what calls left there.
	if top := max(m.base+m.fn.Regs+spare, m.entering); top < m.high {
		clear(m.stack[top:min(m.high, len(m.stack))])
	}
	c := value.Census{Limit: limit, Step: func() error { return cmp.Or(m.Tick(1), m.interrupted()) }}
	c.Bytes = valueBytes*len(m.stack) + frameBytes*len(m.frames) + loopBytes*m.loops + m.copies
	lists := [][]value.Value{m.stack[:min(m.high, len(m.stack))], m.globals}
	for _, d := range m.dynamic {
		lists = append(lists, []value.Value{d.v})
	}
	for name, v := range m.evaled {
		c.Bytes += namedBytes + len(name)
		lists = append(lists, []value.Value{v})
	}
	if m.Run.Scope != nil {
		for _, v := range *m.Run.Scope {
			lists = append(lists, []value.Value{v.Value})
		}
	}
	lists = append(lists, m.aside()...)
	for _, list := range m.held {
		c.Bytes += valueBytes * cap(*list)
		lists = append(lists, *list)
	}
	for _, list := range lists {
		if err := c.Add(list); err != nil {
			return 0, value.AsError(err)
		}
	}
	return c.Bytes, nil
}

// watch looks at the process's heap, now and then, while a run holds much: what is garbage at once, and too small to be
// accounted for, adds up. What is held is counted at the next allocation: here, registers may be between two calls.
func (m *Machine) watch() {
	if m.Run.Limits.Memory <= 0 || m.counting || m.taken+m.granted-m.room < watchBytes {
		return
	}
	now := objects()
	switch {
	case m.expected == 0 || now < m.expected:
		m.expected = now
	case now-m.expected > m.granted-m.room+maxSlack:
		m.taken += now - m.expected // more than it was thought to be
		m.expected = now
		m.granted, m.room = m.granted-m.room, 0
	}
}

// watchBytes is what a run must have taken to be watched.
const watchBytes = 16 << 20

// Hold tells of a list that a native function makes.
func (m *Machine) Hold(list *[]value.Value) { m.held = append(m.held, list) }

// receiver is what a native function that calls a script is likely to hold a copy of: the list of its receiver.
func (m *Machine) receiver() int {
	if pc := m.pc(); pc > 0 && pc <= len(m.fn.Code) {
		if at := m.base + int(m.fn.Code[pc-1].A); at < len(m.stack) {
			switch v := m.stack[at]; v.Kind() {
			case value.KindArray:
				return valueBytes * len(v.Array().Items)
			case value.KindMap:
				return entryBytes * v.Map().Len()
			}
		}
	}
	return 0
}
