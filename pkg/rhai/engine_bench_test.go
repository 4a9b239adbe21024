package rhai_test

import (
	"context"
	"testing"

	"circles/pkg/rhai"
)

// The workloads whose cost the machine's design is about. The figures to compare with are the reference's.
var workloads = []struct{ name, source, want string }{
	{"Fibonacci", `fn fib(n) { if n < 2 { n } else { fib(n-1) + fib(n-2) } }
		let r = 0; for i in 0..5 { r = fib(28); } r`, "317811"},
	{"CountingLoop", `let x = 0; while x < 1000000 { x += 1; } x`, "1000000"},
	{"Primes", `let n = 1000000; let sieve = []; sieve.pad(n + 1, true); sieve[0] = false; sieve[1] = false;
		let i = 2; while i * i <= n { if sieve[i] { let j = i * i; while j <= n { sieve[j] = false; j += i; } } i += 1; }
		let count = 0; for p in sieve { if p { count += 1; } } count`, "78498"},
	{"Calls", `fn add(a, b) { a + b } let s = 0; for i in 0..1000000 { s = add(s, i); } s`, "499999500000"},
	{"NestedArrays", `let m = []; for i in 0..300 { let row = []; for j in 0..300 { row.push(i * j); } m.push(row); }
		let s = 0; for pass in 0..5 { for i in 0..300 { for j in 0..300 { m[i][j] = m[i][j] + 1; s += m[i][j]; } } } s`, "10058962500"},
	{"Properties", `let o = #{ a: 1, b: 2, c: 3 }; for i in 0..300000 { o.a = o.b + i; o.b += 1; o.c = o.a - o.b; } o.c`, ""},
	{"Matrix", `let n = 50; let a = []; let b = []; for i in 0..n { let r = []; let q = []; for j in 0..n { r.push(i + j); q.push(i - j); } a.push(r); b.push(q); }
		let c = []; for i in 0..n { let row = []; for j in 0..n { let s = 0; for k in 0..n { s += a[i][k] * b[k][j]; } row.push(s); } c.push(row); } c[10][20]`, ""},
	{"Strings", `let s = ""; for i in 0..200000 { s += "x"; } s.len()`, "200000"},
	{"Maps", `let m = #{}; for i in 0..100000 { let k = "k" + (i % 1000); if k in m { m[k] += 1; } else { m[k] = 1; } } m.len()`, "1000"},
	{"Pipeline", `let a = []; for i in 0..100000 { a.push(i); } a.map(|x| x * 2).filter(|x| x % 3 == 0).reduce(|s, x| s + x, 0)`, ""},
	{"Tiny", `let x = 40; x + 2`, "42"},
}

func BenchmarkEngine(b *testing.B) {
	engine := rhai.New()
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			p, err := engine.Compile(w.source)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				v, err := p.Run(context.Background(), nil)
				if err != nil {
					b.Fatal(err)
				}
				if w.want != "" && v.String() != w.want {
					b.Fatalf("got %s, want %s", v, w.want)
				}
			}
		})
	}
}

func BenchmarkFloor(b *testing.B) {
	for b.Loop() {
		floor()
	}
}
