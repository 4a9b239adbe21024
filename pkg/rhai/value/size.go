package value

import (
	"cmp"
	"math"
	"unsafe"
)

// maxWeight is where weights stop counting; the bit above it tells a known weight from a credit.
const (
	maxWeight   = 1<<31 - 1
	weightKnown = 1 << 31
)

// Weight is an upper bound on what a value counts toward the limits on sizes, nested content included: the items, the
// entries and the bytes of texts, all in one number; or when that is more than enough, any number that is more. What
// more than one place holds does not change any more, and remembers its weight; so a value that holds another many times
// over is weighed in time proportional to what is new in it. The error is that the run has ended.
func (v Value) Weight(run Context, enough int) (int, error) {
	s := scale{run: run}
	n := s.weigh(v, min(enough, maxWeight), 0)
	return n, s.err
}

// scale weighs values.
type scale struct {
	run   Context
	steps int
	err   error
}

// ended looks at the context, every so often. After that every value weighs as much as anything can.
func (s *scale) ended() bool {
	if s.steps++; s.steps&0x3fff == 0 && s.err == nil {
		s.err = Interrupted(s.run)
	}
	return s.err != nil
}

// maxDepth bounds recursion over nested values. What is nested deeper weighs as much as anything can.
const maxDepth = 10000

func (s *scale) weigh(v Value, enough, depth int) int {
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
			if n > enough {
				return min(n, maxWeight)
			}
			if x.p != nil && x.Kind() > KindChar {
				n = min(n+s.weigh(x, enough-n, depth+1), maxWeight)
				if s.ended() {
					return maxWeight
				}
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
			if n > enough {
				return min(n, maxWeight)
			}
			n = min(n+s.weigh(m.entries[i].Val, enough-n, depth+1), maxWeight)
			if s.ended() {
				return maxWeight
			}
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
	Steps                 int               // how many values it has looked at
	Step                  func(n int) error // told of n more of them, every so often; its error ends the count

	told  int
	known map[unsafe.Pointer][3]int // what containers that are held many times hold
}

// Fits counts a value with all that is nested in it, and is the limit's error as soon as one is exceeded. What is held
// many times over counts as often. room is how much weight may be added before a limit can be exceeded.
func (l *Limits) Fits(v Value, t *Tally) (room int, err error) {
	if err := l.count(v, t, 0); err != nil {
		return 0, err
	}
	if err := t.tell(); err != nil {
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

// manySteps is how many values a container must hold to be remembered: it may be held many times over.
const manySteps = 1024

func (l *Limits) count(v Value, t *Tally, depth int) error {
	if t.Steps++; t.Steps-t.told >= manySteps {
		if err := t.tell(); err != nil {
			return err
		}
	}
	switch v.Kind() {
	case KindString:
		t.Bytes += len(v.Text())
		return l.CheckString(t.Bytes)
	case KindBlob:
		t.Items += len(v.Blob().Bytes)
		return l.CheckArray(t.Items)
	case KindArray, KindMap:
	default:
		return nil
	}
	if n, ok := t.known[v.p]; ok {
		t.Items, t.Entries, t.Bytes = addCapped(t.Items, n[0]), addCapped(t.Entries, n[1]), addCapped(t.Bytes, n[2])
		return cmp.Or(l.CheckArray(t.Items), l.CheckMap(t.Entries), l.CheckString(t.Bytes))
	}
	before := *t
	if err := l.countContent(v, t, depth); err != nil {
		return err
	}
	if t.Steps-before.Steps > manySteps || t.Items-before.Items > manySteps || t.Entries-before.Entries > manySteps {
		if t.known == nil {
			t.known = map[unsafe.Pointer][3]int{}
		}
		t.known[v.p] = [3]int{t.Items - before.Items, t.Entries - before.Entries, t.Bytes - before.Bytes}
	}
	return nil
}

// tell tells of the work that has been done.
func (t *Tally) tell() error {
	n := t.Steps - t.told
	t.told = t.Steps
	return t.Step(n)
}

func addCapped(a, b int) int { return min(a+b, math.MaxInt/4) }

func (l *Limits) countContent(v Value, t *Tally, depth int) error {
	if v.Kind() == KindMap {
		t.Entries += v.Map().Len()
		if err := l.CheckMap(t.Entries); err != nil {
			return err
		}
		if depth > maxDepth {
			return TooLarge("Size of object map", LimitMap)
		}
		for i := range v.Map().entries {
			if err := l.count(v.Map().entries[i].Val, t, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	t.Items += len(v.Array().Items)
	if err := l.CheckArray(t.Items); err != nil {
		return err
	}
	if depth > maxDepth {
		return TooLarge("Size of array/BLOB", LimitArray)
	}
	for i, x := range v.Array().Items {
		if x.Kind() <= KindChar {
			if t.Steps += i & 1; t.Steps-t.told >= 16*manySteps {
				if err := t.tell(); err != nil {
					return err
				}
			}
			continue
		}
		if err := l.count(x, t, depth+1); err != nil {
			return err
		}
	}
	return nil
}
