package value

import (
	"math/bits"
	"strings"
	"unsafe"
)

// maxWeight is where weights stop counting; the bit above it tells a known weight from a credit.
const (
	maxWeight   = 1<<31 - 1
	weightKnown = 1 << 31
)

// Weight is an upper bound on what a value counts toward the limits on sizes, nested content included: the items, the
// entries and the bytes of texts, all in one number. What more than one place holds does not change any more, and
// remembers its weight; so a value that holds another many times over is weighed in time proportional to what is new
// in it.
func (v Value) Weight() int { return v.weigh(0) }

// maxDepth bounds recursion over nested values. What is nested deeper weighs as much as anything can.
const maxDepth = 10000

func (v Value) weigh(depth int) int {
	switch v.Kind() {
	case KindString:
		return min(len(v.Text()), maxWeight)
	case KindBlob:
		return min(len(v.Blob().Bytes), maxWeight)
	case KindArray:
		a := v.Array()
		if g := a.gauge.Load(); a.shared && g&weightKnown != 0 {
			return int(g &^ weightKnown)
		}
		if depth > maxDepth {
			return maxWeight
		}
		n := len(a.Items)
		for _, x := range a.Items {
			if x.p != nil && x.Kind() > KindChar {
				n = min(n+x.weigh(depth+1), maxWeight)
			}
		}
		if n = min(n, maxWeight); a.shared {
			a.gauge.Store(uint32(n) | weightKnown)
		}
		return n
	case KindMap:
		m := v.Map()
		if g := m.gauge.Load(); m.shared && g&weightKnown != 0 {
			return int(g &^ weightKnown)
		}
		if depth > maxDepth {
			return maxWeight
		}
		n := len(m.entries)
		for i := range m.entries {
			n = min(n+m.entries[i].Val.weigh(depth+1), maxWeight)
		}
		if n = min(n, maxWeight); m.shared {
			m.gauge.Store(uint32(n) | weightKnown)
		}
		return n
	}
	return 0
}

// Spend takes from the weight that a container may gain before it must be counted anew, and reports whether it had
// that much. A container begins with none. It must be owned.
func (v Value) Spend(weight int) bool {
	g := v.gauge()
	left := g.Load()
	if left&weightKnown != 0 || int(left) < weight {
		return false
	}
	g.Store(left - uint32(weight))
	return true
}

// Credit sets how much weight an owned container may gain.
func (v Value) Credit(weight int) { v.gauge().Store(uint32(min(max(weight, 0), maxWeight))) }

// Tally counts what a value holds against the limits on sizes.
type Tally struct {
	Items, Entries, Bytes int
	Steps                 int // how many values it has looked at
}

// Fits counts a value with all that is nested in it, and is the limit's error as soon as one is exceeded. What is held
// many times over counts as often. room is how much weight may be added before a limit can be exceeded.
func (l *Limits) Fits(v Value, t *Tally) (room int, err error) {
	if err := l.count(v, t, 0); err != nil {
		return 0, err
	}
	room = maxWeight
	for _, x := range [][2]int{{l.ArrayItems, t.Items}, {l.MapEntries, t.Entries}, {l.StringBytes, t.Bytes}} {
		if x[0] > 0 {
			room = min(room, x[0]-x[1])
		}
	}
	return room, nil
}

// maxSteps bounds the work of one count: a kind of content that has no limit may be there without end.
const maxSteps = 1 << 22

func (l *Limits) count(v Value, t *Tally, depth int) error {
	if t.Steps++; t.Steps > maxSteps {
		return nil
	}
	var err error
	switch v.Kind() {
	case KindString:
		t.Bytes += len(v.Text())
		err = l.CheckString(t.Bytes)
	case KindBlob:
		t.Items += len(v.Blob().Bytes)
		err = l.CheckArray(t.Items)
	case KindArray:
		t.Items += len(v.Array().Items)
		if err = l.CheckArray(t.Items); err == nil && depth > maxDepth {
			err = TooLarge("Size of array/BLOB", LimitArray)
		}
		for i, x := range v.Array().Items {
			if err != nil || t.Steps > maxSteps {
				break
			}
			if x.Kind() <= KindChar {
				t.Steps += i & 1
				continue
			}
			err = l.count(x, t, depth+1)
		}
	case KindMap:
		t.Entries += v.Map().Len()
		if err = l.CheckMap(t.Entries); err == nil && depth > maxDepth {
			err = TooLarge("Size of object map", LimitMap)
		}
		for i := range v.Map().entries {
			if err != nil || t.Steps > maxSteps {
				break
			}
			err = l.count(v.Map().entries[i].Val, t, depth+1)
		}
	}
	return err
}

// Footprint is the memory that a value's own object takes, without what it holds.
type Footprint struct {
	object, buffer unsafe.Pointer
	bytes          int
}

// The sizes of objects, in bytes, as the allocator rounds them.
const (
	objectBytes = 48
	mapBytes    = 80
	entryBytes  = 32
	indexBytes  = 40 // of an entry of a map's index
	valueBytes  = 16
)

// Footprint is the memory that the value takes.
func (v Value) Footprint() Footprint {
	if v.Kind() <= KindChar {
		return Footprint{}
	}
	f := Footprint{object: v.p, bytes: objectBytes}
	switch v.Kind() {
	case KindString:
		s := v.Str()
		if s.buf != nil {
			f.buffer, f.bytes = unsafe.Pointer(s.buf), objectBytes+len(s.buf.data)
		} else {
			f.bytes += len(s.s)
		}
	case KindArray:
		f.bytes += valueBytes * cap(v.Array().Items)
	case KindBlob:
		f.bytes += cap(v.Blob().Bytes)
	case KindMap:
		m := v.Map()
		f.bytes = mapBytes + entryBytes*cap(m.entries) + 4*cap(m.order)
		if m.index != nil {
			f.bytes += indexBytes * len(m.entries)
		}
	case KindFnPtr:
		f.bytes += objectBytes + valueBytes*len(v.FnPtr().Curry)
	}
	return f
}

// Since is how much of it was taken since an earlier footprint of the same place.
func (f Footprint) Since(earlier Footprint) int {
	switch {
	case f.object == nil:
		return 0
	case f.object == earlier.object:
		return max(0, f.bytes-earlier.bytes)
	case f.buffer != nil && f.buffer == earlier.buffer:
		return objectBytes
	}
	return f.bytes
}

// Census counts the memory of values, each object once, until it has counted more than Limit bytes.
type Census struct {
	Limit int
	Bytes int
	// Step is called for every thousand values; its error ends the count.
	Step func() error

	seen  map[unsafe.Pointer]bool // whether it is counted; of what several places may hold, and of what was added
	todo  []Value
	steps int
}

// Add counts values. A container that is not shared is in one place only, besides those that are added themselves, so
// most need not be remembered.
func (c *Census) Add(values []Value) error {
	if c.seen == nil {
		c.seen = map[unsafe.Pointer]bool{}
	}
	for _, v := range values {
		if k := v.Kind(); k >= KindArray && k <= KindMap && !c.seen[v.p] {
			c.seen[v.p] = false
		}
	}
	c.todo = append(c.todo, values...)
	for len(c.todo) > 0 && c.Bytes <= c.Limit {
		if c.steps++; c.steps&1023 == 0 {
			if err := c.Step(); err != nil {
				return err
			}
		}
		v := c.todo[len(c.todo)-1]
		c.todo = c.todo[:len(c.todo)-1]
		if v.Kind() <= KindChar || v.IsAbsent() {
			continue
		}
		f := v.Footprint()
		key := f.object
		if f.buffer != nil {
			key = f.buffer
		}
		counted, known := c.seen[key]
		if counted {
			continue
		}
		if known || v.sharable(f) {
			c.seen[key] = true
		}
		c.Bytes += f.bytes
		c.hold(v)
	}
	return nil
}

// sharable tells whether several places may hold the value. Short texts cost less counted twice than remembered.
func (v Value) sharable(f Footprint) bool {
	switch v.Kind() {
	case KindString:
		return f.bytes > 4*objectBytes
	case KindArray, KindBlob, KindMap:
		return (*header)(v.p).shared
	}
	return true
}

// hold puts what a value holds on the list, scalars left out.
func (c *Census) hold(v Value) {
	var last unsafe.Pointer
	add := func(x Value) {
		if x.Kind() > KindChar && x.p != last {
			last = x.p
			c.todo = append(c.todo, x)
		}
	}
	switch v.Kind() {
	case KindArray:
		for _, x := range v.Array().Items {
			add(x)
		}
	case KindMap:
		for i := range v.Map().entries {
			e := &v.Map().entries[i]
			c.Bytes += len(e.Key)
			add(e.Val)
		}
	case KindFnPtr:
		for _, x := range v.FnPtr().Curry {
			add(x)
		}
	case KindCell:
		add(v.Cell().V)
	case KindCustom:
		if h, ok := v.Custom().Data.(Holder); ok {
			h.Hold(add)
		}
	}
}

// Holder is a Go value that holds script values. A run's memory counts them.
type Holder interface {
	Hold(add func(Value))
}

// Part is a text that is a part of another one. Where it is much smaller it is a copy, lest it keep the whole alive.
func Part(whole, part string) string {
	if bits.Len(uint(len(part))) < bits.Len(uint(len(whole))) {
		return strings.Clone(part)
	}
	return part
}
