package value

import (
	"cmp"
	"math"
	"time"
	"unsafe"
)

// Kind is what a value is, as far as the machine cares. The types that scripts name are finer: see Type.
type Kind uint8

// The kinds, scalars first. KindUnit is zero so that the zero Value is the unit value.
const (
	KindUnit Kind = iota
	KindBool
	KindInt
	KindFloat
	KindChar
	KindString
	KindArray
	KindBlob
	KindMap
	KindCustom
	KindTimestamp
	KindRange
	KindRangeInclusive
	KindFnPtr
	// KindCell is a variable that closures share. Cells live in variables only: no expression yields one.
	KindCell
	// KindAbsent marks a register whose variable does not exist (yet): a scope variable that the host never set.
	KindAbsent
	numKinds
)

// header begins every heap object, and stands alone as the tag of a scalar.
type header struct {
	kind Kind
	// shared tells that more than one place may hold the object, so that a writer must copy it first.
	// It is never cleared, and never written when it is already set: frozen objects are read by many goroutines.
	shared bool
}

// Value is one script value in 16 bytes. The pointer word is the tag of a scalar, or the object of everything else
// (every object begins with a header); the payload word is the scalar. The zero Value is unit.
//
// Copying a Value copies a reference. Where the language copies, the copier calls Share; where it writes, the writer
// owns the object first (see Array, Map and Blob).
type Value struct {
	p unsafe.Pointer
	n uint64
}

// The tags are never written: only their addresses matter.
var (
	boolTag   = header{kind: KindBool}
	intTag    = header{kind: KindInt}
	floatTag  = header{kind: KindFloat}
	charTag   = header{kind: KindChar}
	absentTag = header{kind: KindAbsent}
)

// Unit is the unit value, `()`.
func Unit() Value { return Value{} }

// Absent is the mark of a variable that does not exist. Scripts never see it.
func Absent() Value { return Value{p: unsafe.Pointer(&absentTag)} }

// Bool makes a bool.
func Bool(b bool) Value {
	var n uint64
	if b {
		n = 1
	}
	return Value{unsafe.Pointer(&boolTag), n}
}

// Int makes an int.
func Int(i int64) Value { return Value{unsafe.Pointer(&intTag), uint64(i)} }

// Float makes a float.
func Float(f float64) Value { return Value{unsafe.Pointer(&floatTag), math.Float64bits(f)} }

// Char makes a char.
func Char(r rune) Value { return Value{unsafe.Pointer(&charTag), uint64(uint32(r))} }

// Kind tells what the value is.
func (v Value) Kind() Kind {
	if v.p == nil {
		return KindUnit
	}
	return (*header)(v.p).kind
}

// IsUnit and its kin are the machine's tests: one comparison each, and no memory access for scalars of the kind.
func (v Value) IsUnit() bool { return v.p == nil }

// IsInt tells whether the value is an int.
func (v Value) IsInt() bool { return v.p == unsafe.Pointer(&intTag) || v.Kind() == KindInt }

// IsFloat tells whether the value is a float.
func (v Value) IsFloat() bool { return v.p == unsafe.Pointer(&floatTag) || v.Kind() == KindFloat }

// IsBareInt tells whether the value is an int without a tag.
func (v Value) IsBareInt() bool { return v.p == unsafe.Pointer(&intTag) }

// IsBareFloat tells whether the value is a float without a tag.
func (v Value) IsBareFloat() bool { return v.p == unsafe.Pointer(&floatTag) }

// IsBool tells whether the value is a bool.
func (v Value) IsBool() bool { return v.p == unsafe.Pointer(&boolTag) }

// IsChar tells whether the value is a char.
func (v Value) IsChar() bool { return v.p == unsafe.Pointer(&charTag) }

// IsAbsent tells whether the value marks a missing variable.
func (v Value) IsAbsent() bool { return v.p == unsafe.Pointer(&absentTag) }

// IsString tells whether the value is a string.
func (v Value) IsString() bool { return v.Kind() == KindString }

// IsCell tells whether the value is a shared variable.
func (v Value) IsCell() bool { return v.Kind() == KindCell }

// Int is the payload of an int.
func (v Value) Int() int64 { return int64(v.n) }

// Float is the payload of a float.
func (v Value) Float() float64 { return math.Float64frombits(v.n) }

// Bool is the payload of a bool.
func (v Value) Bool() bool { return v.n&1 != 0 }

// Char is the payload of a char.
func (v Value) Char() rune { return rune(uint32(v.n)) }

// SetInt makes *v an int. It leaves the pointer word alone when it is right already, which spares the write barrier.
func (v *Value) SetInt(i int64) {
	if v.p != unsafe.Pointer(&intTag) {
		v.p = unsafe.Pointer(&intTag)
	}
	v.n = uint64(i)
}

// SetFloat makes *v a float.
func (v *Value) SetFloat(f float64) {
	if v.p != unsafe.Pointer(&floatTag) {
		v.p = unsafe.Pointer(&floatTag)
	}
	v.n = math.Float64bits(f)
}

// SetBool makes *v a bool.
func (v *Value) SetBool(b bool) {
	if v.p != unsafe.Pointer(&boolTag) {
		v.p = unsafe.Pointer(&boolTag)
	}
	var n uint64
	if b {
		n = 1
	}
	v.n = n
}

// AddInt adds to a value known to be an int.
func (v *Value) AddInt(i int64) { v.n += uint64(i) }

// Number is an int or a float as a float; ok is false for other kinds.
func (v Value) Number() (f float64, ok bool) {
	switch {
	case v.IsInt():
		return float64(v.Int()), true
	case v.IsFloat():
		return v.Float(), true
	}
	return 0, false
}

// Identical tells whether both are the same scalar or the same object.
func (v Value) Identical(w Value) bool { return v.p == w.p && v.n == w.n }

// Timestamp is an instant, compared by the monotonic clock.
type Timestamp struct {
	header
	Time time.Time
}

// NewTimestamp makes a timestamp.
func NewTimestamp(t time.Time) Value {
	o := &Timestamp{header{kind: KindTimestamp}, t}
	return Value{p: unsafe.Pointer(o)}
}

// Timestamp is the object of a timestamp.
func (v Value) Timestamp() *Timestamp { return (*Timestamp)(v.p) }

// Range is `from..to`, or `from..=to` when the value's kind is KindRangeInclusive.
type Range struct {
	header
	From, To int64
}

// NewRange makes an exclusive range.
func NewRange(from, to int64) Value {
	return Value{p: unsafe.Pointer(&Range{header{kind: KindRange}, from, to})}
}

// NewRangeInclusive makes an inclusive range.
func NewRangeInclusive(from, to int64) Value {
	return Value{p: unsafe.Pointer(&Range{header{kind: KindRangeInclusive}, from, to})}
}

// Range is the object of either kind of range.
func (v Value) Range() *Range { return (*Range)(v.p) }

// Inclusive tells which kind of range it is.
func (r *Range) Inclusive() bool { return r.kind == KindRangeInclusive }

// Len counts the range's members, saturating at the largest int.
func (r *Range) Len() int64 {
	if r.From > r.To || (r.From == r.To && !r.Inclusive()) {
		return 0
	}
	n := uint64(r.To) - uint64(r.From)
	if r.Inclusive() {
		n++
	}
	if n > math.MaxInt64 || n == 0 {
		return math.MaxInt64
	}
	return int64(n)
}

// Cell is a variable that a closure captured: the variable and every closure that captured it hold the same cell.
type Cell struct {
	header
	Locked bool // nobody may touch it: see package vm
	Const  bool // the variable is a constant, where the closures can't tell from the source
	V      Value
}

// NewCell moves a value into a new cell.
func NewCell(v Value) Value {
	return Value{p: unsafe.Pointer(&Cell{header: header{kind: KindCell}, V: v})}
}

// Cell is the object of a shared variable.
func (v Value) Cell() *Cell { return (*Cell)(v.p) }

// Flat is the value behind a shared variable, or the value itself.
func (v Value) Flat() Value {
	if v.IsCell() {
		return v.Cell().V
	}
	return v
}

// Share marks a container as held by more than one place, and returns the value: what the language's copy is here.
func (v Value) Share() Value {
	if v.p != nil {
		h := (*header)(v.p)
		if h.kind >= KindArray && h.kind <= KindCustom && !h.shared {
			h.shared = true
		}
	}
	return v
}

// Freeze marks the containers of a value as shared through and through, after which any goroutine may read it while
// no place can write to it. Everything that enters or leaves a run is frozen. Function pointers are not: closures share
// the variables that they captured, so one that left a run must not be called by several goroutines at once.
func (v Value) Freeze() Value {
	_ = v.FreezeIn(nil)
	return v
}

// FreezeIn is Freeze under the limits of a run, which may be nil. Where they end it, the value must not be used.
func (v Value) FreezeIn(run Context) error {
	if v.Kind() < KindArray {
		return nil
	}
	return v.freeze(run)
}

func (v Value) freeze(run Context) error {
	var walks walks
	steps := 0
	begin := func(x Value) error {
		switch x.Kind() {
		case KindArray:
			a := x.Array()
			if a.frozen {
				return nil
			}
			a.frozen, a.shared = true, true
		case KindMap:
			m := x.Map()
			if m.frozen {
				return nil
			}
			if err := m.Sort(run); err != nil {
				return err
			}
			m.frozen, m.shared = true, true
		case KindBlob, KindCustom:
			if h := (*header)(x.p); !h.shared {
				h.shared = true
			}
			return nil
		default:
			return nil
		}
		w := walk{p: x.p}
		skipped, ok := w.skip()
		if steps += skipped / skippedPerStep; ok {
			walks.push(w)
		}
		return nil
	}
	if err := begin(v); err != nil {
		return err
	}
	for w := walks.top(); w != nil; w = walks.top() {
		if steps++; steps >= stepsAtOnce && run != nil {
			steps = 0
			if err := cmp.Or(run.Tick(1), Interrupted(run)); err != nil {
				return err
			}
		}
		x, skipped, more := w.step()
		steps += skipped / skippedPerStep
		if !more {
			walks.pop()
		}
		if err := begin(x); err != nil {
			return err
		}
	}
	return nil
}
