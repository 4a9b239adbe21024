package rhai

import "context"

// adapt makes a script function of a Go function whose signature is common: no reflection is used when it is called.
// What is tried are lists of parameters, each with every common result. Each pair is code of its own in every program
// that has the package, so the lists are short: Func0 to Func4 and FuncV make any other.
func adapt(name string, f any) (Func, bool) {
	return first(name, f,
		try0,
		tryV[int], tryV[string], tryV[Value],
		try1[int], try1[float64], try1[string], try1[bool], try1[Value], try1[FnPtr],
		try2[int, int], try2[float64, float64], try2[string, string], try2[string, int], try2[Value, Value],
		try2[context.Context, string], try2[context.Context, Value], try2[Context, Value],
	)
}

// methodOf is adapt for a function on a type of the host, or the function that goFunc makes.
func methodOf[T any](name string, f any) Func {
	switch f := f.(type) {
	case func(T) T:
		return plain1(name, f)
	case func(T) bool:
		return plain1(name, f)
	case func(T) int:
		return plain1(name, f)
	case func(T) float64:
		return plain1(name, f)
	case func(T) string:
		return plain1(name, f)
	case func(T) Value:
		return plain1(name, f)
	case func(*T) int:
		return plain1(name, f)
	case func(*T) float64:
		return plain1(name, f)
	case func(*T) string:
		return plain1(name, f)
	case func(*T):
		return silent1(name, f)
	case func(*T, int):
		return silent2(name, f)
	case func(*T, float64):
		return silent2(name, f)
	case func(*T, string):
		return silent2(name, f)
	case func(*T, Value):
		return silent2(name, f)
	case func(T, T) T:
		return plain2(name, f)
	case func(T, T) bool:
		return plain2(name, f)
	case func(T, int) Value:
		return plain2(name, f)
	case func(T, string) Value:
		return plain2(name, f)
	case func(T, string) (Value, error):
		return Func2(name, f)
	case func(T, string) (bool, error):
		return Func2(name, f)
	case func(T, string, Value) error:
		return Func3(name, func(t T, s string, v Value) (Unit, error) { return Unit{}, f(t, s, v) })
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
	case func() float64:
		return plain0(name, f), true
	case func() string:
		return plain0(name, f), true
	case func() Value:
		return plain0(name, f), true
	case func() (int, error):
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
		return silent1(name, f), true
	case func(A) error:
		return Func1(name, func(a A) (Unit, error) { return Unit{}, f(a) }), true
	case func(A) A:
		return plain1(name, f), true
	case func(A) bool:
		return plain1(name, f), true
	case func(A) int:
		return plain1(name, f), true
	case func(A) string:
		return plain1(name, f), true
	case func(A) Value:
		return plain1(name, f), true
	case func(A) (A, error):
		return Func1(name, f), true
	case func(A) (bool, error):
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
		return silent2(name, f), true
	case func(A, B) error:
		return Func2(name, func(a A, b B) (Unit, error) { return Unit{}, f(a, b) }), true
	case func(A, B) A:
		return plain2(name, f), true
	case func(A, B) bool:
		return plain2(name, f), true
	case func(A, B) string:
		return plain2(name, f), true
	case func(A, B) Value:
		return plain2(name, f), true
	case func(A, B) (A, error):
		return Func2(name, f), true
	case func(A, B) (string, error):
		return Func2(name, f), true
	case func(A, B) (Value, error):
		return Func2(name, f), true
	}
	return Func{}, false
}

func tryV[A any](name string, f any) (Func, bool) {
	switch f := f.(type) {
	case func(...A):
		return FuncV(name, func(a ...A) (Unit, error) { f(a...); return Unit{}, nil }), true
	case func(...A) A:
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

func silent1[A any](name string, f func(A)) Func {
	return Func1(name, func(a A) (Unit, error) { f(a); return Unit{}, nil })
}

func silent2[A, B any](name string, f func(A, B)) Func {
	return Func2(name, func(a A, b B) (Unit, error) { f(a, b); return Unit{}, nil })
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

func plainV[A, R any](name string, f func(...A) R) Func {
	return FuncV(name, func(a ...A) (R, error) { return f(a...), nil })
}
