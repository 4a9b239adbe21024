package rhai

import (
	"fmt"
	"reflect"

	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/value"
)

// Scope is the variables of a run: those that the host gives, and afterwards those that the script left. A scope may be
// used for one run after another, by one goroutine at a time.
type Scope struct {
	vars []vm.Variable
}

// NewScope makes an empty scope.
func NewScope() *Scope { return &Scope{} }

// Set gives a variable a Go value (see ValueOf), or defines it.
func (s *Scope) Set(name string, v any) error { return s.set(name, v, false) }

// SetConstant defines a variable that the script can't change.
func (s *Scope) SetConstant(name string, v any) error { return s.set(name, v, true) }

func (s *Scope) set(name string, v any, constant bool) error {
	x, err := ValueOf(v)
	if err != nil {
		return fmt.Errorf("variable '%s': %w", name, err)
	}
	n := vm.Variable{Name: name, Value: x.Freeze(), Const: constant}
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].Name == name {
			s.vars[i] = n
			return nil
		}
	}
	s.vars = append(s.vars, n)
	return nil
}

// Get is the value of a variable.
func (s *Scope) Get(name string) (Value, bool) {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].Name == name {
			return s.vars[i].Value, true
		}
	}
	return Value{}, false
}

// Variable is a variable of a scope.
type Variable = vm.Variable

// Variables lists the variables, oldest first.
func (s *Scope) Variables() []Variable { return append([]Variable(nil), s.vars...) }

// ValueOf makes a value of a Go value: of nil, bool, every integer and float type, string, []byte (a blob), and of
// slices and maps with string keys of these. A rune is an int32 to Go and becomes an int: use Char for characters.
// A Value is itself.
func ValueOf(v any) (Value, error) {
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
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Bool:
		return value.Bool(r.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return value.Int(r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := r.Uint(); n <= 1<<63-1 {
			return value.Int(int64(n)), nil
		}
		return Value{}, fmt.Errorf("%d does not fit an int: want at most %d", r.Uint(), int64(1<<63-1))
	case reflect.Float32, reflect.Float64:
		return value.Float(r.Float()), nil
	case reflect.String:
		return value.Str(r.String()), nil
	case reflect.Slice, reflect.Array:
		items := make([]Value, r.Len())
		for i := range items {
			x, err := ValueOf(r.Index(i).Interface())
			if err != nil {
				return Value{}, fmt.Errorf("item %d: %w", i, err)
			}
			items[i] = x
		}
		return value.NewArray(items), nil
	case reflect.Map:
		if r.Type().Key().Kind() != reflect.String {
			break
		}
		m := value.NewMap(r.Len())
		for it := r.MapRange(); it.Next(); {
			x, err := ValueOf(it.Value().Interface())
			if err != nil {
				return Value{}, fmt.Errorf("key '%s': %w", it.Key().String(), err)
			}
			m.Set(it.Key().String(), x)
		}
		return m.Value(), nil
	}
	return Value{}, fmt.Errorf("got a %T, want nil, a bool, number, string, slice or map with string keys, or a rhai.Value", v)
}

// Char makes a char.
func Char(r rune) Value { return value.Char(r) }

// FromJSON makes a value of a JSON text: see value.FromJSON. Value.MarshalJSON is the other way.
func FromJSON(text []byte) (Value, error) { return value.FromJSON(text) }
