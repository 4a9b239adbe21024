package value

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"unsafe"
)

// smallMap is how many entries a map searches without a hash index. Property bags stay below it.
const smallMap = 12

// Map is an object map. It iterates by key order. Small maps keep their entries sorted and search them; larger ones
// have a hash index, and sort when somebody iterates after the keys have changed. Copied like an Array.
type Map struct {
	header
	frozen  bool
	gauge   atomic.Uint32    // as an Array's
	entries []Entry          // without an index, by key
	index   map[string]int32 // nil for a small map
	order   *[]int32         // positions by key order; only with an index, only while it is known
	added   *Map             // the keys that came while it was a constant, whose entries are none; nil without any
}

// Entry is one property of a map.
type Entry struct {
	Key string
	Val Value
}

// NewMap makes an empty map with room for n entries.
func NewMap(n int) *Map {
	m := &Map{header: header{kind: KindMap}}
	if n > 0 {
		m.entries = make([]Entry, 0, n)
	}
	if n > smallMap {
		m.index = make(map[string]int32, n)
	}
	return m
}

// Value wraps the object.
func (m *Map) Value() Value { return Value{p: unsafe.Pointer(m)} }

// Map is the object of a map.
func (v Value) Map() *Map { return (*Map)(v.p) }

// OwnMap makes the map in this place safe to write, and returns it.
func OwnMap(place *Value) *Map {
	m, _ := OwnMapIn(nil, place) // without a run nothing ends it
	return m
}

// OwnMapIn is OwnMap under the limits of a run, which may be nil.
func OwnMapIn(run Context, place *Value) (*Map, error) {
	m := (*Map)(place.p)
	if !m.shared {
		return m, nil
	}
	c, err := m.clone(run)
	if err != nil {
		return nil, err
	}
	place.p = c.Value().p // the tag stays
	return c, nil
}

// indexedAtOnce is how many entries are put into an index between two looks at the context.
const indexedAtOnce = 2048

func (m *Map) clone(run Context) (c *Map, err error) {
	c = &Map{header: header{kind: KindMap}}
	if m.added != nil {
		if c.added, err = m.added.clone(run); err != nil {
			return nil, err
		}
	}
	if c.entries, err = Make[Entry](run, len(m.entries), len(m.entries)); err != nil {
		return nil, err
	}
	if m.index != nil {
		if c.index, err = newIndex(run, len(m.index)); err != nil {
			return nil, err
		}
		if m.order != nil {
			order, err := Clone(run, *m.order)
			if err != nil {
				return nil, err
			}
			c.order = &order
		}
	}
	err = Pieces(run, len(m.entries), pieceBytes/indexedAtOnce, func(from, to int) {
		for i := from; i < to; i++ {
			e := &m.entries[i]
			c.entries[i] = Entry{e.Key, e.Val.Share()}
			if c.index != nil {
				c.index[e.Key] = int32(i)
			}
		}
	})
	return c, err
}

// newIndex makes an index with room for n keys.
func newIndex(run Context, n int) (map[string]int32, error) {
	if run == nil || n*indexBytes < largeBytes {
		return make(map[string]int32, n), nil
	}
	made := make(chan map[string]int32, 1)
	if err := run.Aside(func() { made <- make(map[string]int32, n) }); err != nil {
		return nil, err
	}
	return <-made, nil
}

// GrowIn makes room for another key, under the limits of a run.
func (m *Map) GrowIn(run Context) (err error) {
	if len(m.entries) == cap(m.entries) && len(m.entries) > indexedAtOnce {
		m.entries, err = Grow(run, m.entries, 1)
	}
	return err
}

// Len counts the entries.
func (m *Map) Len() int { return len(m.entries) }

// find is the position of a key, or where a small map would insert it.
func (m *Map) find(key string) (int, bool) {
	if m.index != nil {
		i, ok := m.index[key]
		return int(i), ok
	}
	for i := range m.entries {
		k := m.entries[i].Key
		if k == key {
			return i, true
		}
	}
	return 0, false
}

// Get is the value of a key.
func (m *Map) Get(key string) (Value, bool) {
	if i, ok := m.find(key); ok {
		return m.entries[i].Val, true
	}
	return Value{}, false
}

// Ref is the place of a key, valid until the map's keys change; nil when there is no such key.
func (m *Map) Ref(key string) *Value {
	if i, ok := m.find(key); ok {
		return &m.entries[i].Val
	}
	return nil
}

// RefHint is Ref with a guess of the key's position: what an inline cache remembers. It returns the true position.
func (m *Map) RefHint(key string, hint int) (*Value, int) {
	if uint(hint) < uint(len(m.entries)) {
		if e := &m.entries[hint]; len(e.Key) == len(key) && (unsafe.StringData(e.Key) == unsafe.StringData(key) || e.Key == key) {
			return &e.Val, hint
		}
	}
	if i, ok := m.find(key); ok {
		return &m.entries[i].Val, i
	}
	return nil, 0
}

// Hit is the place of a key if it is where the hint says, and otherwise nil: the fast half of RefHint.
func (m *Map) Hit(key string, hint int) *Value {
	if uint(hint) < uint(len(m.entries)) {
		e := &m.entries[hint]
		if unsafe.StringData(e.Key) == unsafe.StringData(key) && len(e.Key) == len(key) {
			return &e.Val
		}
	}
	return nil
}

// Set gives a key a value. The map must be owned.
func (m *Map) Set(key string, v Value) {
	if i, ok := m.find(key); ok {
		m.entries[i].Val = v
		return
	}
	if n := len(m.entries); m.index == nil && n < smallMap {
		if n == 0 || m.entries[n-1].Key < key {
			m.entries = append(m.entries, Entry{key, v})
			return
		}
		i := sort.Search(len(m.entries), func(i int) bool { return m.entries[i].Key > key })
		m.entries = slices.Insert(m.entries, i, Entry{key, v})
		return
	}
	if m.index == nil {
		m.index = make(map[string]int32, 2*smallMap)
		for i := range m.entries {
			m.index[m.entries[i].Key] = int32(i)
		}
	}
	m.index[key] = int32(len(m.entries))
	m.entries = append(m.entries, Entry{key, v})
	m.order = nil
}

// Remove takes a key out and returns its value. The map must be owned.
func (m *Map) Remove(key string) (Value, bool) {
	i, ok := m.find(key)
	if !ok {
		return Value{}, false
	}
	v := m.entries[i].Val
	last := len(m.entries) - 1
	if m.index == nil {
		m.entries = slices.Delete(m.entries, i, i+1)
		return v, true
	}
	delete(m.index, key)
	if i != last {
		m.entries[i] = m.entries[last]
		m.index[m.entries[i].Key] = int32(i)
	}
	m.entries[last] = Entry{}
	m.entries = m.entries[:last]
	m.order = nil
	return v, true
}

// Clear takes every key out. The map must be owned.
func (m *Map) Clear() {
	m.entries, m.index, m.order = nil, nil, nil
}

// Add notes that a key which the map has not comes while it is a constant. The map must be owned.
func (m *Map) Add(key string) {
	if m.added == nil {
		m.added = NewMap(0)
	}
	m.added.Set(key, Unit())
}

// Added tells whether a key came while the map was a constant: its entry may be written to.
func (m *Map) Added(key string) bool {
	if m.added == nil {
		return false
	}
	_, ok := m.added.find(key)
	return ok
}

// sort makes the order known.
func (m *Map) sort() { _ = m.Sort(nil) }

// Sort makes the order of the keys known, for At and All, under the limits of a run, which may be nil.
func (m *Map) Sort(c Context) (err error) {
	if m.index == nil || m.order != nil {
		return nil
	}
	if c != nil {
		if err := c.Reserve(4 * len(m.entries)); err != nil {
			return err
		}
	}
	order, err := Make[int32](c, len(m.entries), len(m.entries))
	if err != nil {
		return err
	}
	for i := range order {
		order[i] = int32(i)
	}
	defer func() {
		if r := recover(); r != nil {
			stop, ok := r.(stopSort)
			if !ok {
				panic(r)
			}
			err = stop.err
		}
	}()
	steps := 0
	slices.SortFunc(order, func(a, b int32) int {
		if steps++; c != nil && steps&1023 == 0 {
			if err := cmp.Or(c.Tick(32), Interrupted(c)); err != nil {
				panic(stopSort{err})
			}
		}
		return strings.Compare(m.entries[a].Key, m.entries[b].Key)
	})
	m.order = &order
	return nil
}

// stopSort unwinds a sort that is to end.
type stopSort struct{ err error }

// At is the entry at a position of the key order. The entry's key must not be changed.
func (m *Map) At(i int) *Entry {
	if m.index == nil {
		return &m.entries[i]
	}
	m.sort()
	return &m.entries[(*m.order)[i]]
}

// Keys lists the keys in order.
func (m *Map) Keys() []string {
	keys := make([]string, len(m.entries))
	for i := range keys {
		keys[i] = m.At(i).Key
	}
	return keys
}

// All iterates over the entries in key order.
func (m *Map) All() func(yield func(string, *Value) bool) {
	return func(yield func(string, *Value) bool) {
		for i := range m.entries {
			e := m.At(i)
			if !yield(e.Key, &e.Val) {
				return
			}
		}
	}
}

// Shared tells whether a writer must copy the map first.
func (m *Map) Shared() bool { return m.shared }
