package rhai

import (
	"encoding"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"circles/pkg/rhai/value"
)

// Marshaler is a Go value that becomes a script value its own way.
type Marshaler interface {
	MarshalRhai() (Value, error)
}

// Rune is a char of scripts. A Go rune is an int32, and becomes an int.
type Rune rune

// ValueOf makes a value of a Go value, as encoding/json does: Decode is the other way.
//
//   - nil, and nil pointers and interfaces, become ();
//   - bools, integers, floats and strings what they are, a [Rune] a char, []byte a blob, time.Time a timestamp;
//   - slices and arrays become arrays, maps with string keys object maps;
//   - structs become object maps of their exported fields, those of embedded structs among them. A tag `rhai:"name"` names
//     a field, `rhai:"name,omitempty"` or `rhai:",omitempty"` leaves it out where it is zero or empty, and `rhai:"-"`
//     always;
//   - pointers become what they point to;
//   - a Value is itself, a [Marshaler] what it says, and an encoding.TextMarshaler a string.
//
// What has no such form, as channels, functions, and values that contain themselves, is a [*ConversionError].
//
// Go values of types that an engine knows (see [Type]) become custom values in what its functions return;
// [Engine.ValueOf] does the same.
func ValueOf(v any) (Value, error) { return (&conversion{}).value(v) }

// Throw makes an error of a Go value, for a registered function to return: a script that catches it gets the value.
func Throw(v any) error {
	x, err := ValueOf(v)
	if err != nil {
		return err
	}
	return value.Thrown(x.Freeze())
}

// Char makes a char.
func Char(r rune) Value { return value.Char(r) }

// FromJSON makes a value of a JSON text: see value.FromJSON. Value.MarshalJSON is the other way.
func FromJSON(text []byte) (Value, error) { return value.FromJSON(text) }

// conversion is one conversion to a script value.
type conversion struct {
	known func(reflect.Type) *CustomType // nil: no type is

	steps int
	seen  map[place]Value // what was converted, once there is much of it; so that it is converted once
}

// place is where a Go value that others refer to is.
type place struct {
	at  unsafe.Pointer
	len int
	t   reflect.Type
}

// manySteps is after how many values a conversion remembers what it has converted: values that refer to one another
// many times over can be endless to walk through.
const manySteps = 1 << 14

// value converts the usual types without reflection.
func (c *conversion) value(v any) (Value, error) {
	switch v := v.(type) {
	case Value:
		return v, nil
	case nil:
		return value.Unit(), nil
	case bool:
		return value.Bool(v), nil
	case int:
		return value.Int(int64(v)), nil
	case int64:
		return value.Int(v), nil
	case float64:
		return value.Float(v), nil
	case string:
		return value.Str(v), nil
	case []byte:
		return value.NewBlob(append([]byte(nil), v...)), nil
	case Rune:
		return value.Char(rune(v)), nil
	}
	return c.encode(reflect.ValueOf(v), 0)
}

func (c *conversion) encode(v reflect.Value, depth int) (Value, error) {
	if depth > maxNesting {
		return Value{}, tooDeep()
	}
	if !v.IsValid() {
		return value.Unit(), nil
	}
	c.steps++
	t := v.Type()
	if c.known != nil {
		if x, ok := c.custom(v, t); ok {
			return x, nil
		}
	}
	switch t {
	case valueType:
		return v.Interface().(Value), nil
	case fnPtrType:
		if f := v.Interface().(FnPtr); f.v.Kind() == value.KindFnPtr {
			return f.v, nil
		}
		return value.Unit(), nil
	case timeType:
		return value.NewTimestamp(v.Interface().(time.Time)), nil
	case runeType:
		return value.Char(rune(v.Int())), nil
	}
	if isNil(v) {
		return value.Unit(), nil
	}
	switch {
	case t.Implements(marshalerType):
		return v.Interface().(Marshaler).MarshalRhai()
	case t.Implements(textMarshalerType):
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		return value.Str(string(text)), err
	}
	switch t.Kind() {
	case reflect.Bool:
		return value.Bool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return value.Int(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n := v.Uint(); n > 1<<63-1 {
			return Value{}, &ConversionError{Got: strconv.FormatUint(n, 10), Want: "at most the largest int, " + strconv.Itoa(1<<63-1)}
		}
		return value.Int(int64(v.Uint())), nil
	case reflect.Float32, reflect.Float64:
		return value.Float(v.Float()), nil
	case reflect.String:
		return value.Str(v.String()), nil
	case reflect.Interface:
		return c.encode(v.Elem(), depth+1)
	case reflect.Pointer:
		return c.once(v, 0, func() (Value, error) { return c.encode(v.Elem(), depth+1) })
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return value.NewBlob(append([]byte(nil), v.Bytes()...)), nil
		}
		return c.once(v, v.Len(), func() (Value, error) { return c.list(v, depth) })
	case reflect.Array:
		return c.list(v, depth)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return c.once(v, 0, func() (Value, error) { return c.table(v, depth) })
		}
	case reflect.Struct:
		return c.structure(v, depth)
	}
	return Value{}, &ConversionError{Got: "a " + t.String(), Want: "nil, a bool, number, string, time, struct, slice, map with string keys or rhai.Value"}
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		return v.IsNil() && v.Kind() != reflect.Map && v.Kind() != reflect.Slice
	}
	return false
}

// custom is the value of a type that the engine knows.
func (c *conversion) custom(v reflect.Value, t reflect.Type) (Value, bool) {
	if custom := c.known(t); custom != nil {
		switch {
		case isNil(v):
			return value.Unit(), true
		case custom.Copy == nil:
			return custom.New(v.Interface()), true
		}
		data := reflect.New(t)
		data.Elem().Set(v)
		return custom.New(data.Interface()), true
	}
	if t.Kind() == reflect.Pointer && !v.IsNil() {
		if custom := c.known(t.Elem()); custom != nil && custom.Copy != nil {
			return custom.New(custom.Copy(v.Interface())), true
		}
	}
	return Value{}, false
}

// once converts what others may refer to too.
func (c *conversion) once(v reflect.Value, n int, convert func() (Value, error)) (Value, error) {
	if c.steps < manySteps {
		return convert()
	}
	key := place{v.UnsafePointer(), n, v.Type()}
	if x, ok := c.seen[key]; ok {
		return x, nil
	}
	x, err := convert()
	if err == nil {
		if c.seen == nil {
			c.seen = map[place]Value{}
		}
		c.seen[key] = x.Share()
	}
	return x, err
}

func (c *conversion) list(v reflect.Value, depth int) (Value, error) {
	items := make([]Value, v.Len())
	for i := range items {
		x, err := c.encode(v.Index(i), depth+1)
		if err != nil {
			return Value{}, within(atItem(i), err)
		}
		items[i] = x
	}
	return value.NewArray(items), nil
}

func (c *conversion) table(v reflect.Value, depth int) (Value, error) {
	m := value.NewMap(v.Len())
	for it := v.MapRange(); it.Next(); {
		x, err := c.encode(it.Value(), depth+1)
		if err != nil {
			return Value{}, within(atKey(it.Key().String()), err)
		}
		m.Set(it.Key().String(), x)
	}
	return m.Value(), nil
}

func (c *conversion) structure(v reflect.Value, depth int) (Value, error) {
	fields := fieldsOf(v.Type())
	m := value.NewMap(len(fields))
	for _, f := range fields {
		x := f.in(v, false)
		if !x.IsValid() || f.omitEmpty && isEmpty(x) {
			continue
		}
		y, err := c.encode(x, depth+1)
		if err != nil {
			return Value{}, within(atKey(f.name), err)
		}
		m.Set(f.name, y)
	}
	return m.Value(), nil
}

// isEmpty is what omitempty leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero()
}
