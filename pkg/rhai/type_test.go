package rhai_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

type point struct{ x int }

func points(r *rhai.Registry) {
	p := rhai.Type[point](r, "Point")
	p.Method("bump", func(p *point, n int) { p.x += n })
	p.Get("x", func(p *point) int { return p.x })
	p.Set("x", func(p *point, x int) { p.x = x })
	p.Index(func(p *point, i int) int { return p.x + i })
	p.SetIndex(func(p *point, i, x int) { p.x = i*100 + x })
	p.Operator("+", func(a, b point) point { return point{a.x + b.x} })
	r.Func("point", func(x int) point { return point{x} })
}

// The answers are those of the reference for the same type, registered in the same way.
func TestTypesThatAreCopied(t *testing.T) {
	results(t, rhai.New(rhai.With(points)), map[string]string{
		`const A=point(1); A[2]`:                                                      `3`,
		`let a=[point(1)]; a[0].bump(2); a[0].x`:                                      `3`,
		`let m=#{p:point(1)}; m.p.bump(2); m.p.x`:                                     `3`,
		`let m=#{p:point(1)}; m.p.x += 5; m.p.x`:                                      `6`,
		`let a=point(1); let f=|| a.bump(1); f.call(); a.x`:                           `2`,
		`let a=point(1); for i in 0..3 {a.bump(1)} a.x`:                               `4`,
		`let a = [point(1)]; let b = a; b[0].x = 9; [a[0].x,b[0].x]`:                  `[1, 9]`,
		`let a=[point(1),point(2)]; for p in a { p.bump(10) } a.map(|p| p.x)`:         `[1, 2]`,
		`let a=[point(1)]; a.for_each(|| this.bump(1)); a[0].x`:                       `2`,
		`let a = point(1); fn g(p){p.bump(1); p.x} [g(a), a.x]`:                       `[2, 1]`,
		`let p = point(1); p += point(2); p.x`:                                        `3`,
		`let p = point(1); bump(p, 4); p.x`:                                           `5`,
		`let p = point(1); let q = p; p[1] = 2; [p.x, q.x, p[3]]`:                     `[102, 1, 105]`,
		`let p = point(1); p.x.bump(3)`:                                               `ErrorFunctionNotFound 1:23`,
		`let p = point(1); let q = p; let f = |v| { p.x = v }; f.call(8); [p.x, q.x]`: `[8, 1]`,
		`let p = point(1); fn set() { this.x = 7 } p.set(); p.x`:                      `7`,
		`let a = [[point(1)]]; a[0][0].x += 2; a[0][0].x`:                             `3`,
		`let m = #{a: [point(1)]}; let n = m; n.a[0].bump(5); [m.a[0].x, n.a[0].x]`:   `[1, 6]`,
		`let p = point(1); let r = p.bump(1); r`:                                      `()`,
		`let p = point(5); switch p { _ => p.x }`:                                     `5`,
		`let p = point(1); p.type_of()`:                                               `"Point"`,
		`fn Point.twice() { this.x * 2 } let p = point(4); p.twice()`:                 `8`,
		`fn "Point".twice() { this.x * 2 } let p = point(4); p.twice()`:               `8`,
		`let p = point(1); let s = p.to_string(); s`:                                  `"Point"`,
		`let p = point(1); p == ()`:                                                   `false`,
		`let p = point(1); p != 5`:                                                    `true`,
		`let p = point(1); 5 == p`:                                                    `false`,
	})
}

// The reference lets functions change constants of such types, which is not copied.
func TestConstantsOfTypesThatAreCopied(t *testing.T) {
	results(t, rhai.New(rhai.With(points)), map[string]string{
		`const A = point(1); A.bump(1)`:                                       `ErrorNonPureMethodCallOnConstant 1:23`,
		`fn f() { this.bump(1) } const A = point(1); A.f()`:                   `ErrorNonPureMethodCallOnConstant 1:15`,
		`const A = [point(1)]; A[0].bump(1)`:                                  `ErrorNonPureMethodCallOnConstant 1:28`,
		`const A = point(1); A[1] = 2`:                                        `ErrorAssignmentToConstant 1:21`,
		`const A = point(1); let b = A; b.bump(1); b.x = b.x + 1; [A.x, b.x]`: `[1, 3]`,
	})
}

// counter is given as a reference: all its copies are one.
type counter struct{ n int }

func TestTypesThatAreReferences(t *testing.T) {
	c := &counter{1}
	var counters *rhai.TypeBuilder[*counter]
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		counters = rhai.Type[*counter](r, "Counter")
		counters.Method("add", func(c *counter, n int) *counter { c.n += n; return c })
		counters.Get("n", func(c *counter) int { return c.n })
		r.Func("same", func(c *counter) bool { return c != nil })
		r.Func("none", func() *counter { return nil })
		r.Func("is_named", func(s fmt.Stringer) string { return s.String() })
	}))
	scope := rhai.NewScope()
	if err := scope.SetConstant("c", counters.Value(c)); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{
		{`let d = c; d.add(2).add(3); [c.n, d.n]`, `[6, 6]`},
		{`fn f() { c.add(1) } [c].map(|x| x.n)[0]`, `6`},
		{`same(c)`, `true`},
		{`none()`, `()`},
	} {
		v, err := compile(t, e, row[0]).Run(t.Context(), scope)
		if err != nil || v.Debug() != row[1] {
			t.Errorf("%s: got %s, %v, want %s", row[0], v.Debug(), err, row[1])
		}
	}
	if c.n != 6 {
		t.Errorf("got %d, want 6", c.n)
	}
}

type version struct{ Major, Minor int }

func (v version) String() string { return fmt.Sprintf("v%d.%d", v.Major, v.Minor) }

func TestTypesAllRound(t *testing.T) {
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		v := rhai.Type[version](r, "Version").Print(version.String).Debug(func(v version) string { return "<" + v.String() + ">" })
		v.Compare(func(a, b version) int { return (a.Major-b.Major)*1000 + a.Minor - b.Minor })
		v.Index(func(v version, i int) (int, error) {
			switch i {
			case 0:
				return v.Major, nil
			case 1:
				return v.Minor, nil
			}
			return 0, fmt.Errorf("version has no part %d", i)
		})
		v.Index(func(v version, name string) string { return name + " of " + v.String() })
		v.Operator("+", func(v version, n int) version { return version{v.Major, v.Minor + n} })
		v.Operator("-", func(v version) version { return version{-v.Major, -v.Minor} })
		v.Operator("+=", func(v *version, n int) { v.Minor += n })
		v.Method("apply", func(c rhai.Context, v version, f rhai.FnPtr) (rhai.Value, error) { return f.Call(c.Context(), v) })
		v.Method("sum", func(v version, more ...int) int {
			n := v.Major + v.Minor
			for _, m := range more {
				n += m
			}
			return n
		})
		rhai.Iter(v, func(v version) iter.Seq[int] {
			return func(yield func(int) bool) { _ = yield(v.Major) && yield(v.Minor) }
		})
		r.Func("version", func(major, minor int) version { return version{major, minor} })
		r.Func("latest", func(list []version) (version, error) {
			if len(list) == 0 {
				return version{}, errors.New("no versions")
			}
			best := list[0]
			for _, v := range list {
				if v.Major > best.Major || v.Major == best.Major && v.Minor > best.Minor {
					best = v
				}
			}
			return best, nil
		})
		r.Func("versions", func(n int) map[string]version {
			m := map[string]version{}
			for i := range n {
				m[fmt.Sprint("v", i)] = version{i, 0}
			}
			return m
		})
		r.Func("named", func(s fmt.Stringer) string { return "named " + s.String() })
		s := rhai.Type[settings](r, "Settings").Fields()
		s.Equal(func(a, b settings) bool { return a.Name == b.Name })
		s.Clone(func(s settings) settings { s.Tags = append([]string(nil), s.Tags...); return s })
		s.Method("tag", func(s *settings, i int, tag string) { s.Tags[i] = tag })
		r.Func("settings", func() settings { return settings{Name: "a", Tags: []string{"x"}, Version: version{1, 2}} })
	}))
	results(t, e, map[string]string{
		`version(1, 2)`:                                           `<v1.2>`,
		`[version(1, 2)]`:                                         `[<v1.2>]`,
		"`${version(1, 2)}`":                                      `"v1.2"`,
		`version(1, 2) + ""`:                                      `"v1.2"`,
		`version(1, 2) < version(1, 3)`:                           `true`,
		`version(1, 2) >= version(1, 3)`:                          `false`,
		`version(1, 2) == version(1, 2)`:                          `true`,
		`version(1, 2) != version(1, 2)`:                          `false`,
		`version(1, 2) in [version(1, 1), version(1, 2)]`:         `true`,
		`[version(1, 2)] == [version(1, 2)]`:                      `true`,
		`version(1, 2) == 1`:                                      `false`,
		`let v = version(1, 2); [v[0], v[1]]`:                     `[1, 2]`,
		`let v = version(1, 2); v.name`:                           `"name of v1.2"`,
		`let v = version(1, 2); v[2]`:                             `ErrorRuntime 1:26`,
		`let v = version(1, 2); v + 1`:                            `<v1.3>`,
		`let v = version(1, 2); let w = v; v += 3; [v, w]`:        `[<v1.5>, <v1.2>]`,
		`-version(1, 2)`:                                          `<v-1.-2>`,
		`let n = 0; for p in version(3, 4) { n = n * 10 + p; } n`: `34`,
		`for p in version(3, 4) { return p }`:                     `3`,
		`version(3, 4).apply(|v| v[1])`:                           `4`,
		`version(3, 4).sum() + version(3, 4).sum(1, 2)`:           `17`,
		`latest([version(1, 2), version(2, 0)])`:                  `<v2.0>`,
		`latest([])`:                                              `ErrorRuntime 1:1`,
		`latest([1])`:                                             `ErrorRuntime 1:1`,
		`versions(2)`:                                             `#{"v0": <v0.0>, "v1": <v1.0>}`,
		`named(version(1, 2))`:                                    `"named v1.2"`,
		`named(1)`:                                                `ErrorRuntime 1:1`,
		`let s = settings(); s.name + s.tags[0] + s.version`:      `"axv1.2"`,
		`let s = settings(); s.name = "b"; s.version = version(2, 0); s.name + s.version`: `"bv2.0"`,
		`let s = settings(); s.version = 1`:                                               `ErrorDotExpr 1:23`,
		`let s = settings(); s.id = 1`:                                                    `ErrorDotExpr 1:23`,
		`let s = settings(); s.secret`:                                                    `ErrorDotExpr 1:23`,
		`let s = settings(); let c = s; c.tag(0, "y"); [s.tags[0], c.tags[0]]`:            `["x", "y"]`,
		`settings() == settings()`:                                                        `true`,
		`settings() < settings()`:                                                         `ErrorFunctionNotFound 1:12`,
		`let s = settings(); s.on = |n| n; s.name`:                                        `"a"`,
		`let s = settings(); s.age`:                                                       `()`,
		`let s = settings(); s.age = 3; s.age`:                                            `3`,
	})
}

type settings struct {
	Name    string     `rhai:"name"`
	Tags    []string   `rhai:"tags"`
	Version version    `rhai:"version"`
	ID      int        `rhai:"id,readonly"`
	Secret  string     `rhai:"-"`
	On      rhai.FnPtr `rhai:"on"`
	Age     *int       `rhai:"age"`
}

// A value of one engine is not taken for another's, whatever numbers their types have.
func TestValuesOfAnotherEngine(t *testing.T) {
	var theirs *rhai.TypeBuilder[version]
	rhai.New(rhai.With(func(r *rhai.Registry) { theirs = rhai.Type[version](r, "Version") }))
	e := rhai.New(rhai.With(points))
	scope := rhai.NewScope()
	if err := scope.Set("p", theirs.Value(version{1, 2})); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{`p.x`, `p.x = 1`, `p.bump(1)`, `p + p`} {
		_, err := compile(t, e, source).Run(t.Context(), scope)
		if f := failure(t, err); f.Kind == value.ErrSystem {
			t.Errorf("%s: got %v", source, err)
		}
	}
}

// Sequences that a loop leaves early are stopped, soon when there are many, and all of them when the run ends.
func TestIteratorsAreStopped(t *testing.T) {
	open, most, began := 0, 0, 0
	e := rhai.New(rhai.With(func(r *rhai.Registry) {
		s := rhai.Type[*counter](r, "Source")
		rhai.Iter(s, func(*counter) iter.Seq[int] {
			return func(yield func(int) bool) {
				began++
				open++
				most = max(most, open)
				defer func() { open-- }()
				for i := 0; yield(i); i++ {
				}
			}
		})
		r.Func("source", func() *counter { return &counter{} })
	}))
	for source, want := range map[string]string{
		`let s = source(); for i in 0..1000 { for x in s { if x == 2 { break } } }`:                        `()`,
		`let s = source(); for x in s { for i in 0..500 { for y in s { break } } if x == 2 { return x } }`: `2`,
		`fn f(n) { for x in source() { if n == 0 { return 7 } return f(n - 1) } } f(30)`:                   `7`,
		`for i in 0..200 { try { for x in source() { throw x } } catch { } }`:                              `()`,
		`for x in source() { throw "up" }`:                                                                 `ErrorRuntime 1:21`,
		`for i in 0..3 { [1, 2].for_each(|n| { for x in source() { return x } }) }`:                        `()`,
		`for x in source() { }`: `ErrorTooManyOperations 1:1`,
	} {
		open, most, began = 0, 0, 0
		results(t, e, map[string]string{source: want}, rhai.WithRunLimits(rhai.Limits{Operations: 100_000, CallDepth: 64}))
		if open != 0 || most > 130 || began == 0 {
			t.Errorf("%s: %d of %d sequences are left open, and %d were", source, open, began, most)
		}
	}
}
