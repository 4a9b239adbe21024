package rhai

import "circles/pkg/rhai/value"

// Arg is a Go type that the arguments and results of Func0 to Func3 may have.
type Arg interface {
	bool | int | int64 | float64 | string | []byte | Value
}

// Func0 makes a script function of a Go function without parameters. Like its kin it uses no reflection. An error
// becomes a script error that a script can catch; one made by package value keeps its kind.
func Func0[R Arg](name string, f func() (R, error)) Func {
	return Func{Name: name, Native: func(_ Context, _ []Value) (Value, error) {
		return result(f())
	}}
}

// Func1 makes a script function of a Go function with one parameter. Scripts may call it as a method too.
func Func1[A, R Arg](name string, f func(A) (R, error)) Func {
	return Func{Name: name, Params: []value.Type{typeOf[A]()}, Native: func(_ Context, args []Value) (Value, error) {
		return result(f(from[A](args[0])))
	}}
}

// Func2 makes a script function of a Go function with two parameters.
func Func2[A, B, R Arg](name string, f func(A, B) (R, error)) Func {
	return Func{Name: name, Params: []value.Type{typeOf[A](), typeOf[B]()},
		Native: func(_ Context, args []Value) (Value, error) {
			return result(f(from[A](args[0]), from[B](args[1])))
		}}
}

// Func3 makes a script function of a Go function with three parameters.
func Func3[A, B, C, R Arg](name string, f func(A, B, C) (R, error)) Func {
	return Func{Name: name, Params: []value.Type{typeOf[A](), typeOf[B](), typeOf[C]()},
		Native: func(_ Context, args []Value) (Value, error) {
			return result(f(from[A](args[0]), from[B](args[1]), from[C](args[2])))
		}}
}

// typeOf is the script type that a Go parameter takes.
func typeOf[T Arg]() value.Type {
	var t T
	switch any(&t).(type) {
	case *bool:
		return value.TypeBool
	case *int, *int64:
		return value.TypeInt
	case *float64:
		return value.TypeFloat
	case *string:
		return value.TypeString
	case *[]byte:
		return value.TypeBlob
	}
	return value.Any
}

// from is an argument, whose type the call has been resolved for, as a Go value.
func from[T Arg](v Value) (t T) {
	switch p := any(&t).(type) {
	case *bool:
		*p = v.Bool()
	case *int:
		*p = int(v.Int())
	case *int64:
		*p = v.Int()
	case *float64:
		*p = v.Float()
	case *string:
		*p = v.Text()
	case *[]byte:
		*p = append([]byte(nil), v.Blob().Bytes...)
	case *Value:
		*p = v
	}
	return t
}

func result[T Arg](t T, err error) (Value, error) {
	if err != nil {
		return Value{}, err
	}
	switch p := any(&t).(type) {
	case *bool:
		return value.Bool(*p), nil
	case *int:
		return value.Int(int64(*p)), nil
	case *int64:
		return value.Int(*p), nil
	case *float64:
		return value.Float(*p), nil
	case *string:
		return value.Str(*p), nil
	case *[]byte:
		return value.NewBlob(append([]byte(nil), *p...)), nil
	case *Value:
		return *p, nil
	}
	return Value{}, nil
}
