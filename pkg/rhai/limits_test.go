package rhai_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// A script that only takes what it can get ends by a limit that has a name, under the defaults.
func TestDefaultLimitsEndGreedyScripts(t *testing.T) {
	limits := rhai.DefaultLimits()
	limits.Operations = 2_000_000 // what the default allows takes too long for a test
	limits.Memory = 64 << 20
	e := rhai.New(rhai.WithLimits(limits))
	const chunk = `let c = ""; c.pad(1000000, "x"); `
	for _, source := range []string{
		`let s = "x"; loop { s += s; }`,
		`let s = "x"; loop { s = s + s; }`,
		"let s = \"x\"; loop { s = `${s}${s}`; }",
		`let s = ""; s.pad(100000000000, "x"); s`,
		`let s = "x"; loop { s.replace("x", "xx"); }`,
		`let a = []; loop { a.push(a); }`,
		`let a = []; a.pad(100000000000, 0); a`,
		`let a = [1]; loop { a += a; }`,
		`let a = [1]; loop { a = [a, a]; }`,
		`let a = [1]; loop { a = [a, a, a, a, a, a, a, a]; }`,
		`let a = [1]; loop { let b = []; b.push(a); b.push(a); a = b; }`,
		`let m = #{}; loop { m = #{a: m, b: m}; }`,
		`let m = #{}; loop { let n = #{}; n.a = m; n.b = m; m = n; }`,
		`let m = #{}; loop { m["x" + m.len()] = m; }`,
		`let m = #{}; let i = 0; loop { m["x" + i] = i; i += 1; }`,
		`let b = blob(); loop { b += b; b.push(1); }`,
		`let b = blob(100000000000);`,
		chunk + `let a = []; loop { a.push(c + a.len()); }`,
		chunk + `let m = #{}; let i = 0; loop { m["k" + i] = c + i; i += 1; }`,
		chunk + `let a = []; loop { let d = c + "y"; a.push(d[0..700000]); }`,
		chunk + `let a = []; loop { let f = c + a.len(); a.push(|| f); }`,
		chunk + `let m = #{a: [c]}; loop { m.a.push(c + m.a.len()); }`,
		chunk + `let a = []; a.pad(100000, 0); a.map(|x| c + x)`,
		chunk + `let a = []; a.pad(100000, 0); a.map(|x| [[c + x]])`,
		chunk + `fn f(s, n) { let t = s + n; f(t, n + 1); t } f(c, 0)`,
		chunk + `let a = []; loop { a.push(c.to_blob()); }`,
		chunk + `let a = []; loop { a.push(c.to_chars()); }`,
		chunk + `let l = []; loop { l.push(c.split("")); }`,
		`let a = []; a.pad(500000, 1); let l = []; loop { let b = a; b[0] = 2; l.push(|| b); }`,
		`let a = []; loop { a.push(0..10); }`,
		`let a = []; loop { a.push([]); }`,
		`let x = 1; loop { let y = x; x = || y; }`,
		`let a = [1]; loop { a = [a, a]; #{a: a}.to_json(); }`,
		`let a = [0]; loop { a = [a]; a == a; }`,
		`let a = []; a.pad(100000, 1); let b = []; b.pad(100000, 1); loop { a == b; }`,
		`let a = []; a.pad(100000, 1); let b = []; b.pad(100000, 1); let l = [b, b, b]; loop { a in l; }`,
		`let s = ""; s.pad(1000000, "x"); let t = s + ""; t += "y"; s += "z"; loop { s == t; }`,
		`fn f(a) { let b = [3, 2, 1]; b.sort(|x, y| f(x)); } f(1)`,
		`fn f(n) { [1, 2, 3].map(|x| f(x)) } f(0)`,
		`let f = 0; f = |x| [x].map(|y| { let g = [y]; g.push(g); g }); loop { f.call(1); }`,
		`let s = "a,"; s.pad(1000000, "b,"); loop { s.split(","); }`,
		`let s = ""; loop { s += "xyz"; s.to_upper(); }`,
		`loop { (0..1000000000000).contains(3); for i in 0..1000 { } }`,
		`for i in 0..1000000000000 { let x = i; }`,
		`let e = "1"; loop { e = "(" + e + ")"; eval(e); }`,
		`let e = "[1"; loop { e += ",1"; eval(e + "]"); }`,
		`let m = #{}; m.f = || this.f(); m.f()`,
		`fn f() { eval("f()") } f()`,
		`print("x"); loop { print("x"); }`,
		`loop { try { loop { } } catch { } }`,
		chunk + `loop { let d = c + "y"; }`,
		chunk + `let a = []; a.pad(100000, 1); loop { let b = a; b[0] = 2; }`,
		chunk + `loop { c.contains("y"); c.index_of("y"); }`,
		`loop { try { throw "x" } catch { } }`,
		`loop { eval("let x = 1;"); }`,
	} {
		t.Run(source, func(t *testing.T) {
			p, err := e.Compile(source)
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				_, err = p.Run(ctx, nil)
			}
			f := failure(t, err)
			if f.Limit == "" || f.Limit == value.LimitTime {
				t.Errorf("got %v (limit %q), want one of the limits", err, f.Limit)
			}
		})
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	t.Logf("%d MiB were taken from the system", stats.Sys>>20)
}

// What a run lets go of does not count.
func TestMemoryCountsWhatIsHeld(t *testing.T) {
	limits := rhai.DefaultLimits()
	limits.Memory = 8 << 20
	e := rhai.New(rhai.WithLimits(limits))
	const chunk = `let c = ""; c.pad(1000000, "x"); `
	for _, source := range []string{
		chunk + `for i in 0..200 { let d = c + i; }`,
		chunk + `let l = []; for i in 0..200 { l.push(c + i); if l.len() > 3 { l.shift(); } }`,
		chunk + `fn f(s, n) { s += n; s.len() } for i in 0..200 { f(c, i); }`,
		chunk + `let a = []; a.pad(200, 0); a.reduce(|s, x| c + x, "").len()`,
		chunk + `let a = []; for i in 0..1000 { a.push(i); a.push("a text that is longer than others"); } a.len()`,
		chunk + `let s = ""; let l = []; for i in 0..2000 { s += "abc"; l.push(s); } l.len()`,
		`for i in 0..200 { let a = []; a.pad(100000, i); }`,
		`let a = []; a.pad(10000, [1, 2]); for i in 0..1000 { a[0] = [i]; }`,
	} {
		if _, err := compile(t, e, source).Run(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
	for _, source := range []string{
		chunk + `let l = []; for i in 0..20 { l.push(c + i); }`,
		chunk + `let l = []; l.pad(20, 0); l.map(|x| c + x)`,
		`let a = []; for i in 0..100000 { a.push("a text of some length: " + i); }`,
		`let a = []; a.pad(1000000, 0);`,
	} {
		_, err := compile(t, e, source).Run(t.Context(), nil)
		if f := failure(t, err); f.Limit != value.LimitMemory || f.Kind != value.ErrDataTooLarge {
			t.Errorf("%s: got %v, want the limit on memory", source, err)
		}
	}
}

// The sizes of containers count what is nested in them.
func TestNestedContentCounts(t *testing.T) {
	for _, test := range []struct {
		source string
		limits rhai.Limits
		want   rhai.Limit
	}{
		{`let b = [1, 2, 3]; let a = [b, b];`, rhai.Limits{ArrayItems: 7}, value.LimitArray},
		{`let b = [1, 2, 3]; let a = [b, b];`, rhai.Limits{ArrayItems: 8}, ""},
		{`let b = [1, 2, 3]; let a = []; a.push(b); a.push(b);`, rhai.Limits{ArrayItems: 7}, value.LimitArray},
		{`let b = [1, 2, 3]; let a = []; a.push(b); a.push(b);`, rhai.Limits{ArrayItems: 8}, ""},
		{`let a = []; a.push("abc"); a.push("def");`, rhai.Limits{StringBytes: 5}, value.LimitString},
		{`let m = #{}; m.a = "abc"; m.b = "def";`, rhai.Limits{StringBytes: 5}, value.LimitString},
		{`let n = [1, 2, 3]; let m = #{a: n, b: n};`, rhai.Limits{ArrayItems: 5}, value.LimitArray},
		{`let n = #{a: 1, b: 2}; let m = [n, n];`, rhai.Limits{MapEntries: 3}, value.LimitMap},
		{`let n = #{a: 1, b: 2}; let m = #{}; m.x = n; m.y = n;`, rhai.Limits{MapEntries: 5}, value.LimitMap},
		{`fn f(x) { [x] } let n = [1, 2]; f(f(n))`, rhai.Limits{ArrayItems: 3}, value.LimitArray},
		{`let a = []; for i in 0..100 { a.push([i]); }`, rhai.Limits{ArrayItems: 200}, ""},
		{`let a = []; for i in 0..120 { a.push([i]); }`, rhai.Limits{ArrayItems: 200}, value.LimitArray},
		{`[1, 2, 3].map(|x| [x, x])`, rhai.Limits{ArrayItems: 5}, value.LimitArray},
		{`let x = "aaaaaaaaaa";`, rhai.Limits{StringBytes: 5}, value.LimitString},
		{`let x = [1, 2, 3];`, rhai.Limits{ArrayItems: 2}, value.LimitArray},
		{`let x = #{a: 1, b: 2};`, rhai.Limits{MapEntries: 1}, value.LimitMap},
		{`fn a() {} fn b() {}`, rhai.Limits{Functions: 1}, value.LimitFunctions},
		{`let a; let b; let c;`, rhai.Limits{Variables: 2}, value.LimitVariables},
	} {
		e := rhai.New(rhai.WithLimits(test.limits))
		p, err := e.Compile(test.source)
		if err == nil {
			_, err = p.Run(t.Context(), nil)
		}
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.source, err)
		case test.want != "" && failure(t, err).Limit != test.want:
			t.Errorf("%s: got %v, want limit %q", test.source, err, test.want)
		}
	}
}
