package value

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestValueIsTwoWords(t *testing.T) {
	if n := unsafe.Sizeof(Value{}); n != 16 {
		t.Errorf("a Value has %d bytes, want 16", n)
	}
	if n := testing.AllocsPerRun(10, func() {
		v := Int(7)
		v.SetFloat(1.5)
		v.SetBool(true)
		_ = v.Share().Freeze()
	}); n != 0 {
		t.Errorf("scalars took %v allocations", n)
	}
}

// A map does what Go's map does, and iterates in key order, small and large.
func TestMapAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, keys := range []int{4, 12, 13, 40, 300} {
		place := NewMap(0).Value()
		model := map[string]int64{}
		for step := range 5000 {
			m := OwnMap(&place)
			k := fmt.Sprint("k", r.IntN(keys))
			switch r.IntN(4) {
			case 0:
				v, ok := m.Remove(k)
				want, had := model[k]
				if ok != had || v.Int() != want && ok {
					t.Fatalf("removing %s gave %v, %t; want %d, %t", k, v, ok, want, had)
				}
				delete(model, k)
			case 1:
				old := place
				place.Share()
				OwnMap(&place).Set("new", Int(1))
				if _, ok := old.Map().Get("new"); ok {
					t.Fatal("writing to a copy changed the original")
				}
				place = old
				place = copyOf(place)
			default:
				m.Set(k, Int(int64(step)))
				model[k] = int64(step)
			}
			m = place.Map()
			if m.Len() != len(model) {
				t.Fatalf("got %d entries, want %d", m.Len(), len(model))
			}
			if got, ok := m.Get(k); ok {
				if p, _ := m.RefHint(k, r.IntN(50)); p.Int() != got.Int() || got.Int() != model[k] {
					t.Fatalf("%s: got %v and %v, want %d", k, got, *p, model[k])
				}
			}
			if step%100 == 0 {
				var got []string
				for k, v := range m.All() {
					got = append(got, k)
					if v.Int() != model[k] {
						t.Fatalf("%s: got %v, want %d", k, *v, model[k])
					}
				}
				if !slices.IsSorted(got) || len(got) != len(model) {
					t.Fatalf("iterated over %v", got)
				}
			}
		}
	}
}

// copyOf is a writable copy.
func copyOf(v Value) Value {
	v.Share()
	OwnMap(&v)
	return v
}

// Appending shares a buffer; no string ever sees what another appended.
func TestStringAppend(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	type pair struct {
		v    Value
		want string
	}
	all := []pair{{Str(""), ""}, {Str("é"), "é"}}
	for range 3000 {
		p := all[r.IntN(len(all))]
		text := strings.Repeat([]string{"x", "yz", "ü"}[r.IntN(3)], 1+r.IntN(30))
		all = append(all, pair{p.v.Str().Append(text), p.want + text})
	}
	for _, p := range all {
		if p.v.Text() != p.want {
			t.Fatalf("got %q, want %q", p.v.Text(), p.want)
		}
		if p.v.Str().Chars() != len([]rune(p.want)) {
			t.Fatalf("got %d characters of %q", p.v.Str().Chars(), p.want)
		}
	}
}

func TestIntOverflow(t *testing.T) {
	edge := []int64{math.MinInt64, math.MinInt64 + 1, -1 << 32, -3, -2, -1, 0, 1, 2, 3, 1 << 31, 1 << 32, math.MaxInt64 - 1, math.MaxInt64}
	for _, x := range edge {
		for _, y := range edge {
			z, ok := MulInt(x, y)
			exact := x == 0 || y == 0 || (x*y/y == x && !(x == math.MinInt64 && y == -1) && !(y == math.MinInt64 && x == -1))
			if ok != exact || ok && z != x*y {
				t.Errorf("%d * %d: got %d, %t, want %t", x, y, z, ok, exact)
			}
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, `0`, `-9223372036854775808`, `9223372036854775807`, `1.0`, `1e300`, `-0.5`, `"a\"b\né"`, `[]`, `{}`,
		`[1,[2.0,{"a":null,"b":[true]}]]`, `{"k0":0,"k1":1}`,
	} {
		v, err := FromJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		back, err := v.MarshalJSON()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		again, err := FromJSON(back)
		if err != nil || !Equal(v, again) || v.Type() != again.Type() {
			t.Errorf("%s: came back as %s, error %v", text, back, err)
		}
	}
	for _, text := range []string{``, `{`, `[1,]`, `1 2`, `nul`, strings.Repeat("[", 5000) + strings.Repeat("]", 5000)} {
		if v, err := FromJSON([]byte(text)); err == nil {
			t.Errorf("%.20q: got %v, want an error", text, v)
		}
	}
	if _, err := NewArray([]Value{NewFnPtr("f", nil, nil)}).MarshalJSON(); err == nil || !strings.Contains(err.Error(), "type Fn") {
		t.Errorf("got error %v for a function pointer", err)
	}
	if _, err := Float(math.Inf(1)).MarshalJSON(); err == nil {
		t.Error("infinity became JSON")
	}
}

func TestResolvePrefersExactTypes(t *testing.T) {
	native := func(text string) Native {
		return func(Context, []Value) (Value, error) { return Str(text), nil }
	}
	base := NewRegistry(nil)
	base.Add(Func{Name: "f", Params: []Type{Any, TypeInt}, Native: native("any, int")},
		Func{Name: "f", Params: []Type{TypeInt, Any}, Native: native("int, any")},
		Func{Name: "f", Params: []Type{TypeInt, TypeInt}, Native: native("int, int")})
	r := NewRegistry(base)
	r.Add(Func{Name: "f", Params: []Type{TypeString, TypeString}, Native: native("string, string")},
		Func{Name: "f", Params: []Type{TypeInt, TypeInt}, Native: native("mine")})
	custom := r.AddType(CustomType{Name: "C"})
	for want, args := range map[string][]Value{
		"mine": {Int(1), Int(2)}, "int, any": {Int(1), Str("")}, "any, int": {custom.New(1), Int(1)}, "string, string": {Str(""), Str("")},
	} {
		f := r.Resolve("f", args)
		if f == nil {
			t.Errorf("nothing for %s", want)
			continue
		}
		if v, _ := f.Native(nil, args); v.Text() != want {
			t.Errorf("got %s, want %s", v, want)
		}
	}
	if f := r.Resolve("f", []Value{Str(""), Bool(true)}); f != nil {
		t.Errorf("got %v for types that nothing takes", f.Params)
	}
}
