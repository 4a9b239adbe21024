package value

import (
	"math"
	"unsafe"
)

// A tag is a number of 32 bits that a script may give to any value, which keeps it wherever it goes. It is in the upper
// half of the payload word where that is free. An int and a float need all of it: a tagged one points to a header of
// its own.

// tagged is the tag of an int or a float.
type tagged struct {
	header
	tag int32
}

// Tag is the value's tag; zero when it has none.
func (v Value) Tag() int32 {
	switch v.Kind() {
	case KindInt, KindFloat:
		if v.p == unsafe.Pointer(&intTag) || v.p == unsafe.Pointer(&floatTag) {
			return 0
		}
		return (*tagged)(v.p).tag
	}
	return int32(v.n >> 32)
}

// SetTag gives the value a tag.
func (v *Value) SetTag(tag int32) {
	switch k := v.Kind(); {
	case k != KindInt && k != KindFloat:
		v.n = v.n&math.MaxUint32 | uint64(uint32(tag))<<32
	case tag != 0:
		v.p = unsafe.Pointer(&tagged{header{kind: k}, tag})
	case k == KindInt:
		v.p = unsafe.Pointer(&intTag)
	default:
		v.p = unsafe.Pointer(&floatTag)
	}
}

// KeepTag gives a value that has taken the place of another of its kind the other's tag.
func (v *Value) KeepTag(old Value) {
	if old.p == v.p || old.p == unsafe.Pointer(&intTag) {
		return
	}
	if tag := old.Tag(); tag != 0 && v.Kind() == old.Kind() {
		v.SetTag(tag)
	}
}
