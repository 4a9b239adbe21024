package rhai

import "context"

// adapt makes a script function of a Go function whose signature is common: no reflection is used when it is called.
// What is tried are lists of parameters, each with every common result.
func adapt(name string, f any) (Func, bool) {
	return first(name, f,
		try0,
		tryV[int], tryV[float64], tryV[string], tryV[Value],
		try1[int], try1[int64], try1[float64], try1[string], try1[bool], try1[Value], try1[[]byte], try1[FnPtr],
		try1[context.Context], try1[Context],
		try2[int, int], try2[int64, int64], try2[float64, float64], try2[string, string], try2[Value, Value],
		try2[string, int], try2[string, int64], try2[string, float64], try2[string, bool], try2[string, Value], try2[Value, string],
		try2[context.Context, int], try2[context.Context, string], try2[context.Context, Value], try2[context.Context, FnPtr],
		try3[context.Context, FnPtr, int], try3[context.Context, FnPtr, Value],
		try2[Context, int], try2[Context, string], try2[Context, Value], try2[Context, FnPtr],
		try3[int, int, int], try3[float64, float64, float64], try3[string, string, string], try3[Value, Value, Value],
		try3[context.Context, string, string], try3[context.Context, string, Value], try3[Context, string, Value],
	)
}

// methodOf is adapt for a function on a type of the host, or the function that goFunc makes.
func methodOf[T any](name string, f any) Func {
	g, ok := first(name, f,
		try1[T], try1[*T],
		try2[T, T], try2[T, int], try2[T, string], try2[T, Value], try2[context.Context, T], try2[Context, T],
		try3[T, int, Value], try3[T, string, Value],
		try2[*T, int], try2[*T, int64], try2[*T, float64], try2[*T, string], try2[*T, bool], try2[*T, Value],
		try3[*T, int, Value], try3[*T, string, Value],
	)
	if ok {
		return g
	}
	return goFunc(name, f)
}

func first(name string, f any, tries ...func(string, any) (Func, bool)) (Func, bool) {
	for _, try := range tries {
		if g, ok := try(name, f); ok {
			return g, true
		}
	}
	return Func{}, false
}

func try0(name string, f any) (Func, bool) {
	switch f := f.(type) {
	case func():
		return Func0(name, func() (Unit, error) { f(); return Unit{}, nil }), true
	case func() error:
		return Func0(name, func() (Unit, error) { return Unit{}, f() }), true
	case func() bool:
		return plain0(name, f), true
	case func() int:
		return plain0(name, f), true
	case func() int64:
		return plain0(name, f), true
	case func() float64:
		return plain0(name, f), true
	case func() string:
		return plain0(name, f), true
	case func() Value:
		return plain0(name, f), true
	case func() (bool, error):
		return Func0(name, f), true
	case func() (int, error):
		return Func0(name, f), true
	case func() (int64, error):
		return Func0(name, f), true
	case func() (float64, error):
		return Func0(name, f), true
	case func() (string, error):
		return Func0(name, f), true
	case func() (Value, error):
		return Func0(name, f), true
	}
	return Func{}, false
}

func try1[A any](name string, f any) (Func, bool) {
	switch f := f.(type) {
	case func(A):
		return Func1(name, func(a A) (Unit, error) { f(a); return Unit{}, nil }), true
	case func(A) error:
		return Func1(name, func(a A) (Unit, error) { return Unit{}, f(a) }), true
	case func(A) A:
		return plain1(name, f), true
	case func(A) bool:
		return plain1(name, f), true
	case func(A) int:
		return plain1(name, f), true
	case func(A) int64:
		return plain1(name, f), true
	case func(A) float64:
		return plain1(name, f), true
	case func(A) string:
		return plain1(name, f), true
	case func(A) Value:
		return plain1(name, f), true
	case func(A) (A, error):
		return Func1(name, f), true
	case func(A) (bool, error):
		return Func1(name, f), true
	case func(A) (int, error):
		return Func1(name, f), true
	case func(A) (int64, error):
		return Func1(name, f), true
	case func(A) (float64, error):
		return Func1(name, f), true
	case func(A) (string, error):
		return Func1(name, f), true
	case func(A) (Value, error):
		return Func1(name, f), true
	}
	return Func{}, false
}

func try2[A, B any](name string, f any) (Func, bool) {
	switch f := f.(type) {
	case func(A, B):
		return Func2(name, func(a A, b B) (Unit, error) { f(a, b); return Unit{}, nil }), true
	case func(A, B) error:
		return Func2(name, func(a A, b B) (Unit, error) { return Unit{}, f(a, b) }), true
	case func(A, B) A:
		return plain2(name, f), true
	case func(A, B) bool:
		return plain2(name, f), true
	case func(A, B) int:
		return plain2(name, f), true
	case func(A, B) int64:
		return plain2(name, f), true
	case func(A, B) float64:
		return plain2(name, f), true
	case func(A, B) string:
		return plain2(name, f), true
	case func(A, B) Value:
		return plain2(name, f), true
	case func(A, B) (A, error):
		return Func2(name, f), true
	case func(A, B) (bool, error):
		return Func2(name, f), true
	case func(A, B) (int, error):
		return Func2(name, f), true
	case func(A, B) (int64, error):
		return Func2(name, f), true
	case func(A, B) (float64, error):
		return Func2(name, f), true
	case func(A, B) (string, error):
		return Func2(name, f), true
	case func(A, B) (Value, error):
		return Func2(name, f), true
	}
	return Func{}, false
}

func try3[A, B, C any](name string, f any) (Func, bool) {
	switch f := f.(type) {
	case func(A, B, C):
		return Func3(name, func(a A, b B, c C) (Unit, error) { f(a, b, c); return Unit{}, nil }), true
	case func(A, B, C) error:
		return Func3(name, func(a A, b B, c C) (Unit, error) { return Unit{}, f(a, b, c) }), true
	case func(A, B, C) bool:
		return plain3(name, f), true
	case func(A, B, C) int:
		return plain3(name, f), true
	case func(A, B, C) float64:
		return plain3(name, f), true
	case func(A, B, C) string:
		return plain3(name, f), true
	case func(A, B, C) Value:
		return plain3(name, f), true
	case func(A, B, C) (string, error):
		return Func3(name, f), true
	case func(A, B, C) (Value, error):
		return Func3(name, f), true
	}
	return Func{}, false
}

func tryV[A any](name string, f any) (Func, bool) {
	switch f := f.(type) {
	case func(...A):
		return FuncV(name, func(a ...A) (Unit, error) { f(a...); return Unit{}, nil }), true
	case func(...A) A:
		return plainV(name, f), true
	case func(...A) int:
		return plainV(name, f), true
	case func(...A) float64:
		return plainV(name, f), true
	case func(...A) string:
		return plainV(name, f), true
	case func(...A) (A, error):
		return FuncV(name, f), true
	case func(...A) (Value, error):
		return FuncV(name, f), true
	}
	return Func{}, false
}

func plain0[R any](name string, f func() R) Func {
	return Func0(name, func() (R, error) { return f(), nil })
}

func plain1[A, R any](name string, f func(A) R) Func {
	return Func1(name, func(a A) (R, error) { return f(a), nil })
}

func plain2[A, B, R any](name string, f func(A, B) R) Func {
	return Func2(name, func(a A, b B) (R, error) { return f(a, b), nil })
}

func plain3[A, B, C, R any](name string, f func(A, B, C) R) Func {
	return Func3(name, func(a A, b B, c C) (R, error) { return f(a, b, c), nil })
}

func plainV[A, R any](name string, f func(...A) R) Func {
	return FuncV(name, func(a ...A) (R, error) { return f(a...), nil })
}
