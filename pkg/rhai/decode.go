package rhai

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"circles/pkg/rhai/value"
)

// Unmarshaler is a Go value that takes script values its own way.
type Unmarshaler interface {
	UnmarshalRhai(v Value) error
}

// ConversionError is why a value could not go from Go to a script or back: what there is, what there should be, and
// where in the whole it is. The path is as scripts write it, and begins with a dot or a bracket.
type ConversionError struct {
	Got, Want string
	Path      string // `.items[3].count`; empty for the value itself
}

// Error tells what is where.
func (e *ConversionError) Error() string {
	if e.Path == "" {
		return "got " + e.Got + ", want " + e.Want
	}
	return "got " + e.Got + ", want " + e.Want + " at " + e.Path
}

// maxPath bounds the path that an error tells: of a cycle there is no end.
const maxPath = 200

// within puts what a value is in before the path of its error. Errors of the host's own methods are wrapped.
func within(place string, err error) error {
	e, ok := err.(*ConversionError)
	if !ok {
		return fmt.Errorf("at %s: %w", place, err)
	}
	switch {
	case len(e.Path) < maxPath:
		e.Path = place + e.Path
	case !strings.HasPrefix(e.Path, "…"):
		e.Path = "…" + e.Path
	}
	return e
}

func atItem(i int) string { return "[" + strconv.Itoa(i) + "]" }

func atKey(key string) string { return "." + key }

// As is a value as a Go value of the type: see Decode.
func As[T any](v Value) (T, error) {
	var t T
	err := Decode(v, &t)
	return t, err
}

// Decode stores a value in what out points to, as encoding/json does:
//
//   - ints go into integers that have room for them, ints and floats into floats, strings and chars into strings;
//   - arrays go into slices, and into arrays of the same length; blobs into []byte; timestamps into time.Time;
//   - object maps go into maps with string keys and into structs: into the field whose tag `rhai:"name"`, or name,
//     is the key. Keys without a field are left out, fields without a key stay as they are;
//   - () leaves a nil pointer, slice, map or interface; what else goes into a pointer goes to where it points;
//   - into an any go nil, bool, int64, float64, string, [Rune], []any, []byte, map[string]any, time.Time, [FnPtr], the Go value of a
//     custom value, and a Value of what remains;
//   - a custom value goes into a variable of its Go type;
//   - a Value takes anything, an [Unmarshaler] what it likes, and an encoding.TextUnmarshaler strings.
//
// What does not fit is a [*ConversionError].
func Decode(v Value, out any) error { return (&decoding{}).to(v, out) }

// decoding is one conversion to Go.
type decoding struct {
	home  *home   // of function pointers; nil when it is not known
	run   Context // whose operations it counts; nil when there is none
	steps int
}

// maxDecoded bounds the lists and maps of one conversion, and their items by a sixteenth each: a value can hold others many
// times over that are there once.
const maxDecoded = 1 << 22

// step counts a list or map of n items.
func (d *decoding) step(n int) error {
	if d.steps += 1 + n/16; d.steps > maxDecoded {
		return &ConversionError{Got: "a value with more lists and maps in it", Want: fmt.Sprintf("at most %d", maxDecoded)}
	}
	if n > itemsPerTick {
		n = 0 // counted as they come
	}
	return d.tick(1 + n/16)
}

// itemsPerTick is after how many items of a long list a run is asked whether it may go on.
const itemsPerTick = 1024

func (d *decoding) tick(n int) error {
	if d.run == nil {
		return nil
	}
	return d.run.Tick(n)
}

// item is called after each item of a list or map.
func (d *decoding) item(i int) error {
	if i%itemsPerTick != itemsPerTick-1 {
		return nil
	}
	return d.tick(itemsPerTick / 16)
}

func (d *decoding) to(v Value, out any) error {
	o := reflect.ValueOf(out)
	if o.Kind() != reflect.Pointer || o.IsNil() {
		return fmt.Errorf("got a %T to decode into, want a pointer", out)
	}
	return d.decode(v.Flat(), o.Elem(), 0)
}

var (
	valueType           = reflect.TypeFor[Value]()
	fnPtrType           = reflect.TypeFor[FnPtr]()
	runeType            = reflect.TypeFor[Rune]()
	timeType            = reflect.TypeFor[time.Time]()
	unmarshalerType     = reflect.TypeFor[Unmarshaler]()
	marshalerType       = reflect.TypeFor[Marshaler]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// maxNesting bounds how deep converted values are nested. Go values that contain themselves meet it.
const maxNesting = 1000

func tooDeep() error {
	return &ConversionError{Got: "values within values without end", Want: fmt.Sprintf("at most %d levels", maxNesting)}
}

// kindName is what a value is, in the words of Go programmers.
func kindName(v Value) string {
	switch v.Kind() {
	case value.KindInt:
		return "int"
	case value.KindFloat:
		return "float"
	case value.KindFnPtr:
		return "function pointer"
	}
	return v.TypeName()
}

func (d *decoding) decode(v Value, out reflect.Value, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	v = v.Flat()
	t := out.Type()
	if v.Kind() == value.KindCustom {
		if ok := fromCustom(v, out); ok {
			return nil
		}
	}
	switch t {
	case valueType:
		out.Set(reflect.ValueOf(v.Share()))
		return nil
	case fnPtrType:
		if v.Kind() != value.KindFnPtr {
			return mismatch(v, "function pointer")
		}
		out.Set(reflect.ValueOf(FnPtr{v: v, home: d.home}))
		return nil
	case timeType:
		if v.Kind() != value.KindTimestamp {
			return mismatch(v, "timestamp")
		}
		out.Set(reflect.ValueOf(v.Timestamp().Time))
		return nil
	case runeType:
		if !v.IsChar() {
			return mismatch(v, "char")
		}
		out.SetInt(int64(v.Char()))
		return nil
	}
	if t.Kind() != reflect.Pointer && out.CanAddr() {
		if p := reflect.PointerTo(t); p.Implements(unmarshalerType) {
			return out.Addr().Interface().(Unmarshaler).UnmarshalRhai(v)
		} else if v.IsString() && p.Implements(textUnmarshalerType) {
			return out.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.Text()))
		}
	}
	switch t.Kind() {
	case reflect.Bool:
		if !v.IsBool() {
			return mismatch(v, "bool")
		}
		out.SetBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if !v.IsInt() {
			return mismatch(v, "int")
		}
		if out.OverflowInt(v.Int()) {
			return noRoom(v.Int(), t)
		}
		out.SetInt(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if !v.IsInt() {
			return mismatch(v, "int")
		}
		if v.Int() < 0 || out.OverflowUint(uint64(v.Int())) {
			return noRoom(v.Int(), t)
		}
		out.SetUint(uint64(v.Int()))
	case reflect.Float32, reflect.Float64:
		f, ok := v.Number()
		if !ok {
			return mismatch(v, "float")
		}
		if out.OverflowFloat(f) && !math.IsInf(f, 0) {
			return &ConversionError{Got: v.String(), Want: "a number that fits " + t.String()}
		}
		out.SetFloat(f)
	case reflect.String:
		switch {
		case v.IsString():
			out.SetString(v.Text())
		case v.IsChar():
			out.SetString(string(v.Char()))
		default:
			return mismatch(v, "string")
		}
	case reflect.Pointer:
		if v.IsUnit() {
			out.SetZero()
			return nil
		}
		if out.IsNil() {
			out.Set(reflect.New(t.Elem()))
		}
		return d.decode(v, out.Elem(), depth+1)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return mismatch(v, "a value that is "+t.String())
		}
		x, err := d.natural(v, depth)
		if err != nil {
			return err
		}
		if x == nil {
			out.SetZero()
		} else {
			out.Set(reflect.ValueOf(x))
		}
	case reflect.Slice, reflect.Array:
		return d.list(v, out, depth)
	case reflect.Map:
		return d.table(v, out, depth)
	case reflect.Struct:
		return d.structure(v, out, depth)
	default:
		return mismatch(v, "what a Go "+t.String()+" can hold")
	}
	return nil
}

func mismatch(v Value, want string) error { return &ConversionError{Got: kindName(v), Want: want} }

func noRoom(n int64, t reflect.Type) error {
	return &ConversionError{Got: strconv.FormatInt(n, 10), Want: "an int that fits " + t.String()}
}

// fromCustom stores the Go value of a custom one if the types agree.
func fromCustom(v Value, out reflect.Value) bool {
	c := v.Custom()
	data := reflect.ValueOf(c.Data)
	switch t := out.Type(); {
	case !data.IsValid():
	case data.Type() == t:
		if c.Type.Copy != nil {
			data = reflect.ValueOf(c.Type.Copy(c.Data))
		}
		out.Set(data)
		return true
	case c.Type.Copy != nil && data.Type().Elem() == t:
		out.Set(reflect.ValueOf(c.Type.Copy(c.Data)).Elem())
		return true
	case t.Kind() == reflect.Interface && t.NumMethod() > 0 && data.Type().Implements(t):
		out.Set(data)
		return true
	}
	return false
}

// natural is a value as the Go value that comes closest.
func (d *decoding) natural(v Value, depth int) (any, error) {
	switch v.Kind() {
	case value.KindUnit:
		return nil, nil
	case value.KindBool:
		return v.Bool(), nil
	case value.KindInt:
		return v.Int(), nil
	case value.KindFloat:
		return v.Float(), nil
	case value.KindChar:
		return Rune(v.Char()), nil
	case value.KindString:
		return v.Text(), nil
	case value.KindTimestamp:
		return v.Timestamp().Time, nil
	case value.KindFnPtr:
		return FnPtr{v: v, home: d.home}, nil
	case value.KindBlob:
		return append([]byte{}, v.Blob().Bytes...), nil
	case value.KindArray:
		list := []any{}
		err := d.list(v, reflect.ValueOf(&list).Elem(), depth)
		return list, err
	case value.KindMap:
		table := map[string]any{}
		err := d.table(v, reflect.ValueOf(&table).Elem(), depth)
		return table, err
	case value.KindCustom:
		c := v.Custom()
		if c.Type.Copy != nil {
			return reflect.ValueOf(c.Type.Copy(c.Data)).Elem().Interface(), nil
		}
		return c.Data, nil
	}
	return v, nil
}

func (d *decoding) list(v Value, out reflect.Value, depth int) error {
	t := out.Type()
	isSlice := t.Kind() == reflect.Slice
	switch {
	case v.IsUnit() && isSlice:
		out.SetZero()
		return nil
	case v.Kind() == value.KindBlob && t.Elem().Kind() == reflect.Uint8:
		b := v.Blob().Bytes
		if isSlice {
			out.SetBytes(append([]byte{}, b...))
			return nil
		}
		if len(b) != out.Len() {
			return wrongLength(len(b), out.Len())
		}
		reflect.Copy(out, reflect.ValueOf(b))
		return nil
	case v.Kind() != value.KindArray && t.Elem().Kind() == reflect.Uint8:
		return mismatch(v, "blob")
	case v.Kind() != value.KindArray:
		return mismatch(v, "array")
	}
	items := v.Array().Items
	if err := d.step(len(items)); err != nil {
		return err
	}
	if isSlice {
		out.Set(reflect.MakeSlice(t, len(items), len(items)))
	} else if len(items) != out.Len() {
		return wrongLength(len(items), out.Len())
	}
	for i, x := range items {
		if err := d.decode(x, out.Index(i), depth+1); err != nil {
			return within(atItem(i), err)
		}
		if err := d.item(i); err != nil {
			return err
		}
	}
	return nil
}

func wrongLength(got, want int) error {
	return &ConversionError{Got: fmt.Sprintf("%d items", got), Want: strconv.Itoa(want)}
}

func (d *decoding) table(v Value, out reflect.Value, depth int) error {
	t := out.Type()
	switch {
	case t.Key().Kind() != reflect.String:
		return mismatch(v, "what a Go "+t.String()+" can hold")
	case v.IsUnit():
		out.SetZero()
		return nil
	case v.Kind() != value.KindMap:
		return mismatch(v, "map")
	}
	m := v.Map()
	if err := d.step(m.Len()); err != nil {
		return err
	}
	if out.IsNil() {
		out.Set(reflect.MakeMapWithSize(t, m.Len()))
	}
	x := reflect.New(t.Elem()).Elem()
	i := 0
	for k, item := range m.All() {
		if err := d.item(i); err != nil {
			return err
		}
		i++
		x.SetZero()
		if err := d.decode(*item, x, depth+1); err != nil {
			return within(atKey(k), err)
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(t.Key()), x)
	}
	return nil
}

func (d *decoding) structure(v Value, out reflect.Value, depth int) error {
	if v.Kind() != value.KindMap {
		return mismatch(v, "map")
	}
	m := v.Map()
	if err := d.step(m.Len()); err != nil {
		return err
	}
	for _, f := range fieldsOf(out.Type()) {
		x, ok := m.Get(f.name)
		if !ok {
			continue
		}
		if err := d.decode(x, f.in(out, true), depth+1); err != nil {
			return within(atKey(f.name), err)
		}
	}
	return nil
}
