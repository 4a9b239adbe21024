package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

func TestModuleOfTheHost(t *testing.T) {
	geometry := rhai.NewModule().
		Set("sides", value.Int(4)).
		Add(rhai.Func1("double", func(n int64) (int64, error) { return 2 * n, nil })).
		Add(value.Func{Name: "grow", Params: []value.Type{value.TypeArray}, Mutates: true,
			Native: func(_ rhai.Context, args []rhai.Value) (rhai.Value, error) {
				a := value.OwnArray(&args[0])
				a.Items = append(a.Items, value.Int(0))
				return value.Unit(), nil
			}}).
		Add(value.Func{Name: "shout", Params: []value.Type{value.TypeString}, Global: true,
			Native: func(_ rhai.Context, args []rhai.Value) (rhai.Value, error) {
				return value.Str(strings.ToUpper(args[0].Text()) + "!"), nil
			}}).
		AddModule("inner", rhai.NewModule().Set("deep", value.Str("down")))
	engine := rhai.New(rhai.WithModules(rhai.Modules{"geometry": geometry}))
	for source, want := range map[string]string{
		`import "geometry" as g; g::double(g::sides)`:                 `8`,
		`import "geometry" as g; let a = [1]; g::grow(a); a`:          `[1, 0]`,
		`import "geometry" as g; let a = #{b: [1]}; g::grow(a.b); a`:  `#{"b": [1]}`,
		`import "geometry" as g; "a".shout() + shout("b")`:            `A!B!`,
		`import "geometry" as g; g::inner::deep`:                      `down`,
		`import "geometry" as g; fn f(x) { g::double(x) + 1 } f(3)`:   `7`,
		`import "geometry" as g; [1, 2].map(|x| g::double(x))`:        `[2, 4]`,
		`import "geometry" as g; const A = [1]; g::grow(A); A`:        `[1]`,
		`import "geometry" as g; g::double("x")`:                      `Function not found: g::double (&str | ImmutableString | String)`,
		`"a".shout()`:                                                 `ErrorFunctionNotFound`,
		`import "geometry" as g; g::inner::sides`:                     `Variable not found: g::inner::sides`,
		`import "elsewhere" as g; g::x`:                               `Module not found: elsewhere`,
		`fn f() { import "geometry" as g; g::sides } [f(), f(), f()]`: `[4, 4, 4]`,
	} {
		v, err := engine.Eval(t.Context(), source)
		got := v.String()
		if err != nil {
			got = string(failure(t, err).Kind) + " " + err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s\ngot %s, want %s", source, got, want)
		}
	}
}

// Without a resolver nothing is there to be imported.
func TestImportNeedsAResolver(t *testing.T) {
	_, err := rhai.New().Eval(t.Context(), `import "a" as a; a::x`)
	if e := failure(t, err); e.Kind != value.ErrModuleNotFound {
		t.Errorf("got %v, want %s", err, value.ErrModuleNotFound)
	}
}

func TestModulesInACycle(t *testing.T) {
	engine := rhai.New(rhai.WithModules(rhai.Modules{
		"a": rhai.ScriptModule(`import "b" as b; export let x = b::y;`),
		"b": rhai.ScriptModule(`import "c" as c; export let y = c::z;`),
		"c": rhai.ScriptModule(`import "b" as b; export let z = b::y;`),
	}))
	_, err := engine.Eval(t.Context(), `import "a" as a; a::x`)
	if err == nil || !strings.Contains(err.Error(), "b -> c -> b") {
		t.Errorf("got %v, want the cycle", err)
	}
	if v, err := engine.Eval(t.Context(), `let r = 0; try { import "a" as a; r = a::x; } catch { r = 1; } r`); err != nil || v.Int() != 1 {
		t.Errorf("got %v, %v, want 1: a script can catch it", v, err)
	}
}

// A module belongs to one run: what one run does to what its closures share no other run sees.
func TestModuleRunsOnceInEachRun(t *testing.T) {
	engine := rhai.New(rhai.WithModules(rhai.Modules{
		"counter": rhai.ScriptModule(`print("loading"); let n = #{}; export n; fn id(x) { x }`),
	}))
	p := compile(t, engine, `import "counter" as a; import "counter" as b; fn f() { import "counter" as c; c::id(1) } f() + a::id(2)`)
	for range 2 {
		printed := 0
		if v, err := p.Run(t.Context(), nil, rhai.WithPrint(func(string) { printed++ })); err != nil || v.Int() != 3 || printed != 1 {
			t.Errorf("got %v, %v, printed %d times; want 3 and once", v, err, printed)
		}
	}
}

func TestModulesCountAgainstTheLimits(t *testing.T) {
	sources := rhai.Modules{
		"spin": rhai.ScriptModule(`loop {}`),
		"deep": rhai.ScriptModule(`fn f(n) { import "deep" as d; d::f(n + 1) }`),
		"a":    rhai.ScriptModule(`export let x = 1;`),
	}
	for n := range 30 {
		sources[fmt.Sprint("chain", n)] = rhai.ScriptModule(fmt.Sprintf(`import "chain%d" as c; export let x = c::x;`, n+1))
	}
	engine := rhai.New(rhai.WithModules(sources), rhai.WithLimits(rhai.Limits{Operations: 100_000, CallDepth: 20, Modules: 50}))
	for source, want := range map[string]rhai.ErrorKind{
		`import "spin" as s; s::x`:                                           value.ErrTooManyOperations,
		`import "deep" as d; d::f(0)`:                                        value.ErrStackOverflow,
		`import "chain0" as c; c::x`:                                         value.ErrStackOverflow,
		`for i in 0..100 { import "a" as a; a::x + 1; }`:                     value.ErrTooManyModules,
		`fn f() { import "a" as a; a::x } loop { f() }`:                      value.ErrTooManyModules,
		`for i in 0..100 { try { import "x" as a; a::x } catch {} } throw 1`: value.ErrRuntime,
	} {
		_, err := engine.Eval(t.Context(), source)
		if e := failure(t, err); e.Kind != want {
			t.Errorf("%s\ngot %v, want %s", source, err, want)
		}
	}
}

func TestModuleStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	engine := rhai.New(rhai.WithModules(rhai.Modules{"spin": rhai.ScriptModule(`print("in"); loop {}`)}))
	p := compile(t, engine, `import "spin" as s; s::x`)
	_, err := p.Run(ctx, nil, rhai.WithPrint(func(string) { cancel() }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestDirectory(t *testing.T) {
	outside := t.TempDir()
	root := filepath.Join(outside, "root")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret.rhai"), `export let x = "secret";`)
	write(filepath.Join(root, "a.rhai"), `import "sub/b" as b; export let x = b::x + 1;`)
	write(filepath.Join(root, "sub", "b.rhai"), `export let x = 41;`)
	write(filepath.Join(root, "broken.rhai"), `let x = `)
	write(filepath.Join(root, "huge.rhai"), strings.Repeat(" ", rhai.MaxModuleBytes+1))
	if err := os.Mkdir(filepath.Join(root, "folder.rhai"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"link.rhai": "../secret.rhai", "absolute.rhai": filepath.Join(outside, "secret.rhai"), "up": "..", "inside.rhai": "sub/b.rhai",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := rhai.OpenDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	engine := rhai.New(rhai.WithModules(rhai.Chain{rhai.Modules{"sub/b": rhai.ScriptModule(`export let x = 1;`)}, dir}))
	plain := rhai.New(rhai.WithModules(dir))
	eval := func(e *rhai.Engine, path string) (rhai.Value, error) {
		return e.Eval(t.Context(), fmt.Sprintf("import %q as m; m::x", path))
	}
	if v, err := eval(plain, "a"); err != nil || v.Int() != 42 {
		t.Errorf("got %v, %v, want 42", v, err)
	}
	if v, err := eval(plain, "inside"); err != nil || v.Int() != 41 {
		t.Errorf("got %v, %v, want 41: a link may lead within the root", v, err)
	}
	if v, err := eval(engine, "a"); err != nil || v.Int() != 2 {
		t.Errorf("got %v, %v, want 2: the first resolver of the chain has the module", v, err)
	}
	for _, path := range []string{
		"../secret", "sub/../../secret", "/a", filepath.Join(outside, "secret"), "link", "absolute", "up/secret", "folder",
		"huge", "none", "", ".", "..", "a\x00", "sub\\b", "broken",
	} {
		v, err := eval(plain, path)
		if err == nil {
			t.Errorf("import %q: got %v, want an error", path, v)
		} else if strings.Contains(err.Error(), outside) && !strings.Contains(path, outside) {
			t.Errorf("import %q: got %v, want no path of the host's", path, err)
		}
	}
}
