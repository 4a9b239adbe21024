package rhai

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"circles/pkg/rhai/value"
)

// Unit is the result of a Go function that has none, for the generic adapters.
type Unit = struct{}

// Func0 makes a script function of a Go function without parameters. Like its kin it takes any types that
// [Registry.Func] takes, a context first among them, and calls without reflection; only what holds structs, slices, maps
// or pointers is converted by it, as Decode and ValueOf do. A function without a result returns a [Unit].
func Func0[R any](name string, f func() (R, error)) Func {
	return adapter(name, nil, out[R](), func(p *ports) value.Native {
		result := outOf[R](p)
		return func(Context, []Value) (Value, error) {
			r, err := f()
			if err != nil {
				return Value{}, err
			}
			return result(r)
		}
	})
}

// Func1 makes a script function of a Go function with one parameter. Scripts may call it as a method too.
func Func1[A, R any](name string, f func(A) (R, error)) Func {
	return adapter(name, []reflect.Type{in[A]()}, out[R](), func(p *ports) value.Native {
		a, result := inOf[A](p, 0), outOf[R](p)
		return func(c Context, args []Value) (Value, error) {
			x, err := a(c, args)
			if err != nil {
				return Value{}, err
			}
			r, err := f(x)
			if err != nil {
				return Value{}, err
			}
			return result(r)
		}
	})
}

// Func2 makes a script function of a Go function with two parameters.
func Func2[A, B, R any](name string, f func(A, B) (R, error)) Func {
	return adapter(name, []reflect.Type{in[A](), in[B]()}, out[R](), func(p *ports) value.Native {
		a, b, result := inOf[A](p, 0), inOf[B](p, 1), outOf[R](p)
		return func(c Context, args []Value) (Value, error) {
			x, err := a(c, args)
			if err != nil {
				return Value{}, err
			}
			y, err := b(c, args)
			if err != nil {
				return Value{}, err
			}
			r, err := f(x, y)
			if err != nil {
				return Value{}, err
			}
			return result(r)
		}
	})
}

// Func3 makes a script function of a Go function with three parameters.
func Func3[A, B, C, R any](name string, f func(A, B, C) (R, error)) Func {
	return adapter(name, []reflect.Type{in[A](), in[B](), in[C]()}, out[R](), func(p *ports) value.Native {
		a, b, d, result := inOf[A](p, 0), inOf[B](p, 1), inOf[C](p, 2), outOf[R](p)
		return func(c Context, args []Value) (Value, error) {
			x, err := a(c, args)
			if err != nil {
				return Value{}, err
			}
			y, err := b(c, args)
			if err != nil {
				return Value{}, err
			}
			z, err := d(c, args)
			if err != nil {
				return Value{}, err
			}
			r, err := f(x, y, z)
			if err != nil {
				return Value{}, err
			}
			return result(r)
		}
	})
}

// Func4 makes a script function of a Go function with four parameters.
func Func4[A, B, C, D, R any](name string, f func(A, B, C, D) (R, error)) Func {
	return adapter(name, []reflect.Type{in[A](), in[B](), in[C](), in[D]()}, out[R](), func(p *ports) value.Native {
		a, b, d, e, result := inOf[A](p, 0), inOf[B](p, 1), inOf[C](p, 2), inOf[D](p, 3), outOf[R](p)
		return func(c Context, args []Value) (Value, error) {
			w, err := a(c, args)
			if err != nil {
				return Value{}, err
			}
			x, err := b(c, args)
			if err != nil {
				return Value{}, err
			}
			y, err := d(c, args)
			if err != nil {
				return Value{}, err
			}
			z, err := e(c, args)
			if err != nil {
				return Value{}, err
			}
			r, err := f(w, x, y, z)
			if err != nil {
				return Value{}, err
			}
			return result(r)
		}
	})
}

// FuncV makes a script function of any number of arguments of one type.
func FuncV[A, R any](name string, f func(...A) (R, error)) Func {
	v := adapter(name, []reflect.Type{in[A]()}, out[R](), func(p *ports) value.Native {
		one, result := inOf[A](p, 0), outOf[R](p)
		return func(c Context, args []Value) (Value, error) {
			list := make([]A, len(args))
			for i := range args {
				x, err := one(c, args[i:])
				if err != nil {
					return Value{}, argument(i+1, err)
				}
				list[i] = x
			}
			r, err := f(list...)
			if err != nil {
				return Value{}, err
			}
			return result(r)
		}
	})
	v.Variadic = true
	return v
}

func in[T any]() reflect.Type  { return reflect.TypeFor[T]() }
func out[T any]() reflect.Type { return reflect.TypeFor[T]() }

// ports are the parameters of a function that is being bound.
type ports struct {
	params []reflect.Type
	first  int // the first that is an argument: 1 when a context comes first
	known  func(reflect.Type) *CustomType
	reads  bool // it is a getter, which leaves its receiver alone
}

// injected tells whether a type is that of a context.
func injected(t reflect.Type) bool { return t == contextType || t == callType }

// adapter makes a function whose native code is made when its engine's types are known.
func adapter(name string, params []reflect.Type, result reflect.Type, native func(*ports) value.Native) Func {
	return Func{Name: name, Bind: func(f *Func, known func(reflect.Type) *CustomType) error {
		p := &ports{params: params, known: known, reads: f.Name == value.IndexGet || strings.HasPrefix(f.Name, value.Getter(""))}
		if len(params) > 0 && injected(params[0]) {
			p.first = 1
		}
		if err := p.describe(f, result); err != nil {
			return err
		}
		f.Native = native(p)
		if p.takesFunctions() {
			f.Native = withHome(f.Native)
		}
		return nil
	}}
}

// describe sets the function's types.
func (p *ports) describe(f *Func, result reflect.Type) error {
	for i, t := range p.params[p.first:] {
		if injected(t) {
			return fmt.Errorf("got a %s as parameter %d, want a context to come first", t, i+p.first+1)
		}
		x, err := paramType(t, p.known)
		if err != nil {
			return err
		}
		f.Params = append(f.Params, x)
	}
	if n := len(f.Params); f.Variadic && n == 0 {
		return errors.New("got a context as what there may be any number of, want a type that scripts have")
	} else if n > 1 || n == 1 && !f.Variadic {
		f.Mutates = !p.reads && p.inPlace(p.params[p.first])
	}
	if result == nil {
		f.Result = "()"
		return nil
	}
	f.Result = resultName(result, p.known)
	return checkResult(result, p.known)
}

// inPlace tells whether a parameter is a pointer to a value of a type whose values copy: the first one leads to the
// script's own.
func (p *ports) inPlace(t reflect.Type) bool {
	if t.Kind() != reflect.Pointer || p.known(t) != nil {
		return false
	}
	c := p.known(t.Elem())
	return c != nil && c.Copy != nil
}

// takesFunctions tells whether there may be function pointers in the arguments.
func (p *ports) takesFunctions() bool {
	for _, t := range p.params[p.first:] {
		if holdsFunctions(t, map[reflect.Type]bool{}) {
			return true
		}
	}
	return false
}

func holdsFunctions(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == fnPtrType {
		return true
	}
	if seen[t] || t == valueType {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsFunctions(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range fieldsOf(t) {
			if holdsFunctions(f.t, seen) {
				return true
			}
		}
	}
	return false
}

// argument says which argument an error is about.
func argument(n int, err error) error { return fmt.Errorf("argument %d: %w", n, err) }

// reader gives a parameter's Go value.
type reader[T any] func(c Context, args []Value) (T, error)

// inOf is the reader of parameter i.
func inOf[T any](p *ports, i int) reader[T] {
	t := reflect.TypeFor[T]()
	switch any((*T)(nil)).(type) {
	case *context.Context:
		return any(reader[context.Context](func(c Context, _ []Value) (context.Context, error) { return c.Context(), nil })).(reader[T])
	case *Context:
		return any(reader[Context](func(c Context, _ []Value) (Context, error) {
			if call, ok := c.(*nativeCall); ok {
				c = call.runContext
			}
			return c, nil
		})).(reader[T])
	}
	n := i - p.first
	if t == fnPtrType {
		return any(reader[FnPtr](func(c Context, args []Value) (FnPtr, error) {
			return FnPtr{v: args[n], home: homeOf(c)}, nil
		})).(reader[T])
	}
	switch c := p.known(t); {
	case c != nil && c.Copy != nil:
		return func(_ Context, args []Value) (T, error) {
			x, ok := args[n].Custom().Data.(*T)
			if !ok {
				return *new(T), otherEngine(n, args[n])
			}
			return *x, nil
		}
	case c != nil:
		return func(_ Context, args []Value) (T, error) {
			x, ok := args[n].Custom().Data.(T)
			if !ok {
				return x, otherEngine(n, args[n])
			}
			return x, nil
		}
	case p.inPlace(t):
		return func(_ Context, args []Value) (T, error) {
			data := args[n].Custom().Data
			switch {
			case n > 0:
				data = args[n].Custom().Type.Copy(data)
			case !p.reads:
				data = value.OwnCustom(&args[0]).Data
			}
			x, ok := data.(T)
			if !ok {
				return x, otherEngine(n, args[n])
			}
			return x, nil
		}
	}
	if f := scalarIn[T](t, n); f != nil {
		return f
	}
	return func(c Context, args []Value) (T, error) {
		var x T
		d := decoding{home: homeOf(c), run: c}
		if err := d.decode(args[n], reflect.ValueOf(&x).Elem(), 0); err != nil {
			return x, argument(n+1, err)
		}
		return x, nil
	}
}

// otherEngine is the error of a custom value that another engine has made.
func otherEngine(n int, v Value) error {
	return argument(n+1, fmt.Errorf("got a %s that holds a %T: it is of another engine", v.TypeName(), v.Custom().Data))
}

// store puts x into a variable whose type has x's type as its underlying one.
func store[U, T any](x U) (t T) {
	*(*U)(unsafe.Pointer(&t)) = x
	return t
}

// load is store the other way.
func load[U, T any](t T) U { return *(*U)(unsafe.Pointer(&t)) }

// scalarIn reads the types whose values need nothing but themselves.
func scalarIn[T any](t reflect.Type, n int) reader[T] {
	if reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textUnmarshalerType) {
		return nil
	}
	switch t {
	case valueType:
		return func(_ Context, args []Value) (T, error) { return store[Value, T](args[n]), nil }
	case runeType:
		return func(_ Context, args []Value) (T, error) { return store[Rune, T](Rune(args[n].Char())), nil }
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(_ Context, args []Value) (T, error) { return store[bool, T](args[n].Bool()), nil }
	case reflect.Int:
		return integer[int, T](t, n)
	case reflect.Int8:
		return integer[int8, T](t, n)
	case reflect.Int16:
		return integer[int16, T](t, n)
	case reflect.Int32:
		return integer[int32, T](t, n)
	case reflect.Int64:
		return func(_ Context, args []Value) (T, error) { return store[int64, T](args[n].Int()), nil }
	case reflect.Uint:
		return integer[uint, T](t, n)
	case reflect.Uint8:
		return integer[uint8, T](t, n)
	case reflect.Uint16:
		return integer[uint16, T](t, n)
	case reflect.Uint32:
		return integer[uint32, T](t, n)
	case reflect.Uint64:
		return integer[uint64, T](t, n)
	case reflect.Float64:
		return func(_ Context, args []Value) (T, error) { return store[float64, T](args[n].Float()), nil }
	case reflect.String:
		return func(_ Context, args []Value) (T, error) { return store[string, T](args[n].Text()), nil }
	}
	return nil
}

// integer reads integers that may have less room than an int of scripts.
func integer[U int | int8 | int16 | int32 | uint | uint8 | uint16 | uint32 | uint64, T any](t reflect.Type, n int) reader[T] {
	return func(_ Context, args []Value) (T, error) {
		i := args[n].Int()
		u := U(i)
		if int64(u) != i || (u < 0) != (i < 0) {
			return *new(T), argument(n+1, noRoom(i, t))
		}
		return store[U, T](u), nil
	}
}

// outOf makes values of results.
func outOf[T any](p *ports) func(T) (Value, error) {
	t := reflect.TypeFor[T]()
	c := p.known(t)
	switch {
	case t == emptyType:
		return func(T) (Value, error) { return Value{}, nil }
	case c != nil && c.Copy != nil:
		return func(x T) (Value, error) { return c.New(&x), nil }
	case c != nil || t.Implements(marshalerType) || t.Implements(textMarshalerType):
	case t == valueType:
		return func(x T) (Value, error) { return load[Value](x), nil }
	case t == runeType:
		return func(x T) (Value, error) { return value.Char(rune(load[Rune](x))), nil }
	default:
		switch t.Kind() {
		case reflect.Bool:
			return func(x T) (Value, error) { return value.Bool(load[bool](x)), nil }
		case reflect.Int:
			return func(x T) (Value, error) { return value.Int(int64(load[int](x))), nil }
		case reflect.Int64:
			return func(x T) (Value, error) { return value.Int(load[int64](x)), nil }
		case reflect.Float64:
			return func(x T) (Value, error) { return value.Float(load[float64](x)), nil }
		case reflect.String:
			return func(x T) (Value, error) { return value.Str(load[string](x)), nil }
		}
	}
	known := p.known
	return func(x T) (Value, error) {
		v, err := (&conversion{known: known}).encode(reflect.ValueOf(&x).Elem(), 0)
		if err != nil {
			return v, fmt.Errorf("result: %w", err)
		}
		return v, nil
	}
}
