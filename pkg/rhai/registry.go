package rhai

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"circles/pkg/rhai/internal/lib"
	"circles/pkg/rhai/value"
)

// Registry takes the functions and types that the host gives to scripts. It belongs to an engine that is being made, and
// must not be kept. What can't be registered is told by [Engine.Err], and by every compilation.
type Registry struct {
	funcs  []*Func
	types  *types
	values *value.Registry
	failed []error
}

// A Package is functions and types that go into engines as a whole. It is an ordinary function: a package is made of
// others by calling them, and has options as its constructor has parameters.
type Package func(r *Registry)

// With adds packages to an engine.
func With(packages ...Package) Option {
	return func(e *Engine) {
		for _, add := range packages {
			add(e.registry)
		}
	}
}

// StandardPackage is the whole standard library, which [New] begins with.
func StandardPackage(r *Registry) {
	for _, add := range []Package{CorePackage, MathPackage, StringPackage, ArrayPackage, BlobPackage, MapPackage, RangePackage,
		JSONPackage, FunctionPackage, TimePackage} {
		add(r)
	}
}

// CorePackage has print and debug, conversions to text, exit, tags and the like.
func CorePackage(r *Registry) { lib.Core(r.values) }

// MathPackage has the functions of numbers.
func MathPackage(r *Registry) { lib.Numbers(r.values) }

// StringPackage has the functions of strings and characters.
func StringPackage(r *Registry) { lib.Strings(r.values) }

// ArrayPackage has the functions of arrays.
func ArrayPackage(r *Registry) { lib.Arrays(r.values) }

// BlobPackage has the functions of blobs.
func BlobPackage(r *Registry) { lib.Blobs(r.values) }

// MapPackage has the functions of object maps.
func MapPackage(r *Registry) { lib.Maps(r.values) }

// RangePackage has the functions of ranges, and the iterators that are made of numbers and bits.
func RangePackage(r *Registry) { lib.Ranges(r.values) }

// JSONPackage has parse_json and to_json.
func JSONPackage(r *Registry) { lib.JSON(r.values) }

// FunctionPackage has the functions of function pointers, and what tells of the script's own functions.
func FunctionPackage(r *Registry) { lib.Functions(r.values) }

// TimePackage has timestamps, which come from the engine's clock.
func TimePackage(r *Registry) { lib.Timestamps(r.values) }

// SleepPackage grants scripts sleep, which waits for a number of seconds, or until the run is to end. It is no part of
// the standard library: what waits keeps whoever runs it waiting.
func SleepPackage(r *Registry) {
	sleep := func(ctx context.Context, seconds float64) error {
		if !(seconds > 0) {
			return nil
		}
		limit := float64(math.MaxInt64 / time.Second)
		timer := time.NewTimer(time.Duration(min(seconds, limit) * float64(time.Second)))
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return value.Terminated(context.Cause(ctx))
		}
	}
	r.Func("sleep", sleep)
	r.Func("sleep", func(ctx context.Context, seconds int64) error { return sleep(ctx, float64(seconds)) })
}

// Add adds functions as they are: made by [Func0] and its kin, or with full control over values and places, as package
// value describes. One with the name and types of an earlier one replaces it.
func (r *Registry) Add(fs ...Func) {
	for _, f := range fs {
		r.put(f)
	}
}

func (r *Registry) put(f Func) *Func {
	r.funcs = append(r.funcs, &f)
	return &f
}

// AddType adds a custom type with full control over it: [Type] does the same by Go's types.
func (r *Registry) AddType(t CustomType) *CustomType { return r.values.AddType(t) }

// Func lets scripts call a Go function. Its parameters and results are Go types that [ValueOf] and [Decode] know, or
// types given by [Type]. It may
//
//   - take a context.Context or a [Context] first, which is no argument of the script;
//   - be variadic: then it takes any number of arguments;
//   - return an error last, which the script may catch; an [*Error] keeps its kind.
//
// An error of Throw is what a script throws, any other one is thrown as its text.
//
// Several functions of one name are overloads, chosen by the number and types of the arguments: an int is not taken for
// a float. Parameters that are an any, a Value, a pointer or an [Unmarshaler] take every type, after those that name it.
//
// What a function keeps of a Value beyond the run it freezes, with Value.Freeze.
//
// Common signatures of bools, numbers, strings and Values are called directly; others by reflection, which
// takes about half a microsecond. [Func0] and its kin have no reflection for any signature.
func (r *Registry) Func(name string, f any) *Registered {
	return &Registered{r.put(goFunc(name, f))}
}

// Registered is a function that a registry has.
type Registered struct{ f *Func }

// Describe says what a function does and what its parameters are called, for metadata and editors.
func (r *Registered) Describe(doc string, params ...string) *Registered {
	*r.f = r.f.Describe(doc, params...)
	return r
}

// types are the custom types of an engine by their Go types.
type types struct {
	byType map[reflect.Type]*CustomType
	later  []func() // what waits for all types to be there
}

func (t *types) known(of reflect.Type) *CustomType { return t.byType[of] }

// finish binds what was registered.
func (r *Registry) finish() error {
	for _, f := range r.funcs {
		r.values.Add(*f)
	}
	r.funcs = nil
	for _, f := range r.types.later {
		f()
	}
	r.types.later = nil
	return errors.Join(append(r.failed, r.values.Bind(r.types.known))...)
}

func (r *Registry) fail(format string, args ...any) {
	r.failed = append(r.failed, fmt.Errorf(format, args...))
}

var (
	contextType   = reflect.TypeFor[context.Context]()
	callType      = reflect.TypeFor[Context]()
	errorType     = reflect.TypeFor[error]()
	emptyType     = reflect.TypeFor[struct{}]()
	interfaceType = reflect.TypeFor[any]()
)

// paramType is the type that overloads with a parameter of a Go type are chosen by.
func paramType(t reflect.Type, known func(reflect.Type) *CustomType) (value.Type, error) {
	if c := known(t); c != nil {
		return c.ID(), nil
	}
	if t.Kind() == reflect.Pointer {
		if c := known(t.Elem()); c != nil && c.Copy != nil {
			return c.ID(), nil
		}
	}
	p := reflect.PointerTo(t)
	switch t {
	case valueType, interfaceType:
		return value.Any, nil
	case fnPtrType:
		return value.TypeFnPtr, nil
	case timeType:
		return value.TypeTimestamp, nil
	case runeType:
		return value.TypeChar, nil
	}
	switch {
	case p.Implements(unmarshalerType):
		return value.Any, nil
	case p.Implements(textUnmarshalerType):
		return value.TypeString, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return value.TypeBool, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return value.TypeInt, nil
	case reflect.Float32, reflect.Float64:
		return value.TypeFloat, nil
	case reflect.String:
		return value.TypeString, nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return value.TypeBlob, nil
		}
		return value.TypeArray, nil
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return value.TypeMap, nil
		}
	case reflect.Struct:
		return value.TypeMap, nil
	case reflect.Pointer:
		return value.Any, nil
	case reflect.Interface:
		if t.NumMethod() > 0 { // the Go value of a custom one, if it implements it
			return value.Any, nil
		}
	}
	return 0, fmt.Errorf("got a parameter of type %s, want a type that scripts have, a rhai.Value, or one given by rhai.Type", t)
}

// checkResult tells of a result type that no script can have.
func checkResult(t reflect.Type, known func(reflect.Type) *CustomType) error {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		if known(t) == nil {
			return fmt.Errorf("got a result of type %s, want a type that scripts have, a rhai.Value, or one given by rhai.Type", t)
		}
	case reflect.Map:
		if t.Key().Kind() != reflect.String && known(t) == nil {
			return fmt.Errorf("got a result of type %s, want string keys", t)
		}
	}
	return nil
}

// resultName is the name of a result's type, for metadata.
func resultName(t reflect.Type, known func(reflect.Type) *CustomType) string {
	if t == emptyType {
		return "()"
	}
	p, err := paramType(t, known)
	if err != nil || p == value.Any {
		return "?"
	}
	if c := known(t); c != nil {
		return c.Name
	}
	if t.Kind() == reflect.Pointer {
		return known(t.Elem()).Name
	}
	return typeName(p)
}

// typeName is the name of a built-in type.
func typeName(t value.Type) string { return value.NewRegistry(nil).TypeName(t) }
