package vm

import (
	"math"

	"circles/pkg/rhai/value"
)

// The memory of a run is bounded without counting what becomes free. Whatever allocates takes from the room that is
// left; when there is none, what is still held is counted, and the room is what the limit leaves, but at least a part
// of the limit, so that counting costs little beside allocating. A run can therefore hold a little more than its limit
// before it ends. What native functions hold while they call scripts no register shows: it is added (see Hold).

const (
	slack      = 8 // the part of the limit that a run may allocate between two counts
	frameBytes = 32

	muchBytes    = 4096 // at once
	bytesPerTick = 32

	valueBytes = 16
	entryBytes = 32
)

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
	return m.count()
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

// count finds how much memory the run holds.
func (m *Machine) count() *value.Error {
	limit := m.Run.Limits.Memory
	if limit <= 0 {
		m.room = math.MaxInt
		return nil
	}
	// Registers above the current frame's hold what calls left there.
	if top := m.base + m.fn.Regs + spare; top < m.high {
		clear(m.stack[top:min(m.high, len(m.stack))])
	}
	c := value.Census{Limit: limit, Step: func() error { return m.Tick(1) }}
	c.Bytes = valueBytes*len(m.stack) + frameBytes*len(m.frames) + m.copies
	lists := [][]value.Value{m.stack[:min(m.high, len(m.stack))], m.globals}
	for _, d := range m.dynamic {
		lists = append(lists, []value.Value{d.v})
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
			return value.AsError(err)
		}
	}
	if c.Bytes > limit {
		m.room = 0
		return value.TooLarge("Memory of the run", value.LimitMemory)
	}
	m.room = max(limit-c.Bytes, limit/slack)
	return nil
}

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
