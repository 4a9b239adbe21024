package value

import (
	"math/bits"
	"unsafe"
)

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
	if !v.takesMemory() {
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
		f.bytes = v.Map().bytes()
	case KindFnPtr:
		p := v.FnPtr()
		if f.bytes += objectBytes + valueBytes*len(p.Curry); p.Target == nil {
			f.bytes += len(p.Name)
		}
	case KindCustom:
		f.bytes += objectBytes + v.Custom().Type.Size
	case KindBool, KindInt, KindFloat, KindChar:
		f.bytes = valueBytes
	}
	return f
}

// bytes is what the map takes, without what its values and keys do.
func (m *Map) bytes() int {
	n := mapBytes + entryBytes*cap(m.entries)
	if m.order != nil {
		n += 4 * cap(*m.order)
	}
	if m.index != nil {
		n += indexBytes * len(m.entries)
	}
	if m.added != nil {
		n += m.added.bytes()
	}
	return n
}

// takesMemory tells whether there is an object behind a value: all but unit, the mark of a missing variable, and scalars
// without a tag.
func (v Value) takesMemory() bool {
	switch v.p {
	case nil, unsafe.Pointer(&intTag), unsafe.Pointer(&floatTag), unsafe.Pointer(&boolTag), unsafe.Pointer(&charTag),
		unsafe.Pointer(&absentTag):
		return false
	}
	return true
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

// Census counts the memory of values, each object once, until it has counted more than Limit bytes. What it takes itself
// counts too.
type Census struct {
	Limit int
	Bytes int
	// Step is called for every thousand values, or so; its error ends the count.
	Step func() error

	seen  marks
	held  []Value     // by the Go value that is looked at
	add   func(Value) // to them
	walks walks       // through values that hold others, the outermost first
	steps int
}

// walk is a value whose content is being counted.
type walk struct {
	p    unsafe.Pointer
	next int
}

// walks is a stack of them. It grows without copying: a deep one takes much memory, and that only once.
type walks struct {
	chunks [][]walk
	spare  []walk
}

// fewWalks are in the first chunk, which is mostly enough, and manyWalks in every other.
const fewWalks, manyWalks = 8, 1024

// push reports how many bytes it has allocated.
func (s *walks) push(w walk) (bytes int) {
	if n := len(s.chunks); n == 0 || len(s.chunks[n-1]) == cap(s.chunks[n-1]) {
		chunk := s.spare
		if s.spare = nil; chunk == nil {
			size := manyWalks
			if n == 0 {
				size = fewWalks
			}
			chunk, bytes = make([]walk, 0, size), size*int(unsafe.Sizeof(w))
		}
		s.chunks = append(s.chunks, chunk)
	}
	last := &s.chunks[len(s.chunks)-1]
	*last = append(*last, w)
	return bytes
}

// top is the walk that was begun last; nil when there is none.
func (s *walks) top() *walk {
	if len(s.chunks) == 0 {
		return nil
	}
	last := s.chunks[len(s.chunks)-1]
	return &last[len(last)-1]
}

func (s *walks) pop() {
	last := &s.chunks[len(s.chunks)-1]
	if *last = (*last)[:len(*last)-1]; len(*last) == 0 {
		s.spare, s.chunks = *last, s.chunks[:len(s.chunks)-1]
	}
}

// Add counts values.
func (c *Census) Add(values []Value) error {
	for i := range values {
		if !c.visit(values[i]) {
			continue
		}
		for w := c.walks.top(); w != nil && c.Bytes <= c.Limit; w = c.walks.top() {
			if c.steps++; c.steps >= stepsAtOnce {
				c.steps = 0
				if err := c.Step(); err != nil {
					return err
				}
			}
			x, skipped, more := w.step()
			c.steps += skipped / skippedPerStep
			if !more {
				c.walks.pop() // a list whose last item is a list makes no deep stack
			}
			c.visit(x)
		}
		if c.Bytes > c.Limit {
			break
		}
	}
	return nil
}

// visit counts a value that is new, and begins to walk through it. It reports whether there is a walk.
func (c *Census) visit(v Value) bool {
	if !v.takesMemory() {
		return false
	}
	f := v.Footprint()
	if !c.seen.add(f.object) {
		return false
	}
	switch {
	case f.buffer == nil:
		c.Bytes += f.bytes
	case c.seen.add(f.buffer):
		c.Bytes += f.bytes
	default:
		c.Bytes += objectBytes
	}
	switch v.Kind() {
	case KindArray, KindMap, KindFnPtr, KindCell:
	case KindCustom:
		if h, ok := v.Custom().Data.(Holder); ok {
			if c.add == nil {
				c.add = func(x Value) { c.held = append(c.held, x) }
			}
			c.held = c.held[:0]
			h.Hold(c.add)
			c.pushHeld()
		}
		return c.walks.top() != nil
	default:
		return false
	}
	if v.Kind() == KindMap {
		for i := range v.Map().entries {
			c.Bytes += len(v.Map().entries[i].Key)
		}
	}
	c.push(v)
	return c.walks.top() != nil
}

// pushHeld begins a walk through what a Go value holds, but for what takes none.
func (c *Census) pushHeld() {
	var lists []Value
	for _, x := range c.held {
		if k := x.Kind(); k >= KindArray && k <= KindMap || k >= KindFnPtr {
			lists = append(lists, x)
		} else {
			c.visit(x)
		}
	}
	if len(lists) > 0 {
		c.push(NewArray(lists))
	}
}

func (c *Census) push(v Value) {
	w := walk{p: v.p}
	skipped, ok := w.skip()
	if c.steps += skipped / skippedPerStep; ok {
		c.Bytes += c.walks.push(w)
	}
}

const (
	stepsAtOnce    = 1024 // of a walk, between two looks at the limits
	skippedPerStep = 32   // values that take no memory
	skippedAtOnce  = 1 << 15
)

// skip goes on to the next value that takes memory of its own, if there is one, but not much further.
func (w *walk) skip() (skipped int, ok bool) {
	if v := (Value{p: w.p}); v.Kind() == KindArray && w.next < len(v.Array().Items) { // what follows, but faster
		items := v.Array().Items[w.next:]
		most := min(len(items), skippedAtOnce)
		for skipped < most && !items[skipped].takesMemory() {
			skipped++
		}
		w.next += skipped
		return skipped, skipped < len(items)
	}
	for ; ; w.next++ {
		x, ok := w.peek()
		if !ok || x.takesMemory() || skipped == skippedAtOnce {
			return skipped, ok
		}
		skipped++
	}
}

// peek is the next value that is held; ok is false when there is none.
func (w *walk) peek() (x Value, ok bool) {
	i, v := w.next, Value{p: w.p}
	switch v.Kind() {
	case KindArray:
		if items := v.Array().Items; i < len(items) {
			return items[i], true
		}
	case KindMap:
		if entries := v.Map().entries; i < len(entries) {
			return entries[i].Val, true
		}
	case KindFnPtr:
		if curry := v.FnPtr().Curry; i < len(curry) {
			return curry[i], true
		}
	case KindCell:
		if i == 0 {
			return v.Cell().V, true
		}
	}
	return Value{}, false
}

// step takes the next value, and tells how many it has skipped and whether any is left behind it that takes memory of its
// own.
func (w *walk) step() (x Value, skipped int, more bool) {
	x, _ = w.peek()
	for w.next++; ; w.next++ {
		n, ok := w.skip()
		skipped += n
		if y, _ := w.peek(); !ok || y.p != x.p || skipped >= skippedAtOnce {
			return x, skipped, ok
		}
		skipped++
	}
}

// marks remembers objects by their addresses, a bit for every 16 bytes of the pages that hold any. Objects are as large
// as that at least.
type marks struct {
	pages map[uintptr]*[pageBytes / 16 / 64]uint64
	near  uintptr // the page that was marked last, and its bits
	bits  *[pageBytes / 16 / 64]uint64
}

const pageBytes = 8192

// add marks an object. It reports whether it was not marked before. The objects that are marked must be alive.
func (m *marks) add(p unsafe.Pointer) bool {
	at := uintptr(p)
	if page := at / pageBytes; m.bits == nil || page != m.near {
		b := m.pages[page]
		if b == nil {
			b = new([pageBytes / 16 / 64]uint64)
			if m.pages == nil {
				m.pages = map[uintptr]*[pageBytes / 16 / 64]uint64{}
			}
			m.pages[page] = b
		}
		m.near, m.bits = page, b
	}
	i := at % pageBytes / 16
	bit := uint64(1) << (i % 64)
	if m.bits[i/64]&bit != 0 {
		return false
	}
	m.bits[i/64] |= bit
	return true
}

// Holder is a Go value that holds script values. A run's memory counts them.
type Holder interface {
	Hold(add func(Value))
}

// grade orders sizes into eight classes between one power of two and the next, rounding down: sizes of a class differ
// by less than an eighth. What shrinks is copied when it leaves its class, and no class is left often.
func grade(n int) uint8 {
	b := bits.Len(uint(n))
	if b <= 3 {
		return uint8(n)
	}
	return uint8(b<<3 | n>>(b-4)&7)
}

// Bytes is how many they are.
func (f Footprint) Bytes() int { return f.bytes }

// Joining is how many bytes an addition of two values allocates, or a few more.
func Joining(a, b Value) int {
	switch a.Kind() {
	case KindString:
		n := len(a.Text())
		if b.IsString() {
			n += len(b.Text())
		}
		if buf := a.Str().buf; buf != nil && n <= len(buf.data) && buf.used.Load() == int64(len(a.Text())) {
			return 0
		}
		return roomFor(n, a.Str().buf != nil)
	case KindArray:
		if b.Kind() == KindArray {
			return valueBytes * (len(a.Array().Items) + len(b.Array().Items))
		}
	case KindMap:
		if b.Kind() == KindMap {
			return (entryBytes + indexBytes) * (a.Map().Len() + b.Map().Len()) * 5 / 4
		}
	case KindBlob:
		if b.Kind() == KindBlob {
			return (len(a.Blob().Bytes) + len(b.Blob().Bytes)) * 5 / 4
		}
	}
	if b.IsString() {
		return len(b.Text())
	}
	return 0
}

// Growing is how many bytes putting so many items, entries or bytes more into a container allocates, or a few more:
// nothing, when it is nobody else's and has the room.
func Growing(v Value, more int) int {
	have, room, each, shared := 0, 0, valueBytes, false
	switch v.Kind() {
	case KindArray:
		a := v.Array()
		have, room, shared = len(a.Items), cap(a.Items), a.shared
	case KindMap:
		m := v.Map()
		have, room, shared = len(m.entries), cap(m.entries), m.shared
		each = entryBytes + indexBytes
	case KindBlob:
		b := v.Blob()
		have, room, shared, each = len(b.Bytes), cap(b.Bytes), b.shared, 1
	default:
		return 0
	}
	bytes := 0
	if shared {
		bytes, room = each*(have+have/8), have+have/8
	}
	if have+more > room {
		bytes += each * (have + more) * 5 / 4
	}
	return bytes
}

// Assigning is how many bytes a += b allocates, or a few more.
func Assigning(a, b Value) int {
	more := 1
	switch k := b.Kind(); {
	case a.Kind() != k && a.Kind() != KindBlob:
	case k == KindArray:
		more = len(b.Array().Items)
	case k == KindMap:
		more = b.Map().Len()
	case k == KindBlob:
		more = len(b.Blob().Bytes)
	case k == KindString:
		more = len(b.Text())
	}
	return Growing(a, more)
}
