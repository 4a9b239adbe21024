package rhai_test

import (
	"context"
	"testing"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// BenchmarkRegistered calls functions of the host in a loop of a script: an operation is one call and the loop around it.
func BenchmarkRegistered(b *testing.B) {
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Add(rhai.Func{Name: "raw", Params: []value.Type{value.TypeInt, value.TypeInt},
			Native: func(_ rhai.Context, args []rhai.Value) (rhai.Value, error) {
				return value.Int(args[0].Int() + args[1].Int()), nil
			}})
		r.Func("common", func(a, b int) int { return a + b })
		r.Add(rhai.Func2("generic", func(a int, b uint8) (int, error) { return a + int(b), nil }))
		r.Func("reflected", func(a int, b uint8) int { return a + int(b) })
		r.Func("callback", func(ctx context.Context, f rhai.FnPtr, n int) (rhai.Value, error) { return f.Call(ctx, n) })
		r.Func("swap", func(u User) User { return u })
		p := rhai.Type[point](r, "Point")
		p.Get("x", func(p *point) int { return p.x })
		p.Method("bump", func(p *point, n int) { p.x += n })
		r.Func("point", func() point { return point{} })
	}))
	for _, c := range [][2]string{
		{"raw", `fn f(n) { let s = 0; for i in 0..n { s = raw(s, 1); } }`},
		{"common", `fn f(n) { let s = 0; for i in 0..n { s = common(s, 1); } }`},
		{"generic", `fn f(n) { let s = 0; for i in 0..n { s = generic(s, 1); } }`},
		{"reflected", `fn f(n) { let s = 0; for i in 0..n { s = reflected(s, 1); } }`},
		{"getter", `fn f(n) { let p = point(); for i in 0..n { p.x; } }`},
		{"method in place", `fn f(n) { let p = point(); for i in 0..n { p.bump(1); } }`},
		{"struct", `fn f(n) { let u = #{name: "ada", age: 36}; for i in 0..n { u = swap(u); } }`},
		{"callback", `fn f(n) { let g = |x| x + 1; for i in 0..n { callback(g, i); } }`},
	} {
		p := compile(b, e, c[1])
		b.Run(c[0], func(b *testing.B) {
			b.ReportAllocs()
			limits := rhai.Limits{}
			if _, err := p.Call(b.Context(), "f", []any{b.N}, rhai.WithRunLimits(limits)); err != nil {
				b.Fatal(err)
			}
		})
	}
}
