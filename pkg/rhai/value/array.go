package value

import (
	"sync/atomic"
	"unsafe"
)

// Array is a list of values. An array that more than one place holds is marked shared; a writer replaces a shared
// array in its own place by a copy first (OwnArray), which is how the language's copies cost nothing until written.
type Array struct {
	header
	frozen bool          // Freeze has been through it
	origin uint8         // the largest grade of Items' capacity since they were copied: what Shift has left behind
	gauge  atomic.Uint32 // of a shared array its weight, when known; otherwise what it may gain
	Items  []Value
}

// NewArray makes an array of the items, which become its own.
func NewArray(items []Value) Value {
	return Value{p: unsafe.Pointer(&Array{header: header{kind: KindArray}, Items: items})}
}

// Array is the object of an array.
func (v Value) Array() *Array { return (*Array)(v.p) }

// OwnArray makes the array in this place safe to write, and returns it.
func OwnArray(place *Value) *Array {
	a, _ := OwnArrayIn(nil, place) // without a run nothing ends it
	return a
}

// OwnArrayIn is OwnArray under the limits of a run, which may be nil.
func OwnArrayIn(run Context, place *Value) (*Array, error) {
	a := (*Array)(place.p)
	if !a.shared {
		return a, nil
	}
	items, err := Make[Value](run, 0, len(a.Items)+len(a.Items)/8)
	if err == nil {
		items, err = AppendShared(run, items, a.Items)
	}
	if err != nil {
		return nil, err
	}
	place.p = NewArray(items).p // the tag stays
	return (*Array)(place.p), nil
}

// doubled is up to how many items a list that one item is put to becomes twice as long. A longer one becomes a quarter
// longer, as Go has it.
const doubled = 1 << 17

// Push puts an item at the end of a list, under the limits of a run.
func Push(run Context, items []Value, x Value) ([]Value, error) {
	if n := len(items); n == cap(items) {
		more := 1
		if n > 0 && n < doubled {
			more = n
		}
		var err error
		if items, err = Grow(run, items, more); err != nil {
			return nil, err
		}
	}
	return append(items, x), nil
}

// Pushing is how many bytes Push allocates, or a few more.
func Pushing(items []Value) int {
	switch n := len(items); {
	case n < cap(items):
		return 0
	case n < doubled:
		return valueBytes * 2 * max(n, 1)
	default:
		return valueBytes * (n + 1) * 5 / 4
	}
}

// Blob is a string of bytes, copied like an Array.
type Blob struct {
	header
	Bytes []byte
}

// NewBlob makes a blob of the bytes, which become its own.
func NewBlob(b []byte) Value {
	return Value{p: unsafe.Pointer(&Blob{header{kind: KindBlob}, b})}
}

// Blob is the object of a blob.
func (v Value) Blob() *Blob { return (*Blob)(v.p) }

// OwnBlob makes the blob in this place safe to write, and returns it.
func OwnBlob(place *Value) *Blob {
	b, _ := OwnBlobIn(nil, place) // without a run nothing ends it
	return b
}

// OwnBlobIn is OwnBlob under the limits of a run, which may be nil.
func OwnBlobIn(run Context, place *Value) (*Blob, error) {
	b := (*Blob)(place.p)
	if !b.shared {
		return b, nil
	}
	bytes, err := Clone(run, b.Bytes)
	if err != nil {
		return nil, err
	}
	place.p = NewBlob(bytes).p // the tag stays
	return (*Blob)(place.p), nil
}

// Shift takes the first item out, which costs nothing but now and then: when much of the array's memory lies before
// its items, they are copied. It is how many were. The array must be owned and not be empty.
func (a *Array) Shift(run Context) (x Value, copied int, err error) {
	x = a.Items[0]
	a.origin = max(a.origin, grade(cap(a.Items)))
	if grade(cap(a.Items)-1)+1 >= a.origin {
		a.Items[0] = Value{}
		a.Items = a.Items[1:]
		return x, 0, nil
	}
	n := len(a.Items) - 1
	items, err := Make[Value](run, n, n+n/8)
	if err == nil {
		err = Copy(run, items, a.Items[1:])
	}
	if err != nil {
		return Value{}, 0, err
	}
	a.Items, a.origin = items, 0
	return x, n, nil
}

// Shared tells whether a writer must copy the array first.
func (a *Array) Shared() bool { return a.shared }

// gauge is where a container keeps its weight.
func (v Value) gauge() *atomic.Uint32 {
	if v.Kind() == KindMap {
		return &v.Map().gauge
	}
	return &v.Array().gauge
}
