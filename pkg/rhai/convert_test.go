package rhai_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

type base struct {
	ID   int `rhai:"id"`
	Note string
}

type extra struct {
	Note string `rhai:"Note"`
	Deep bool
}

type order struct {
	base
	*Extra
	Name    string            `rhai:"name"`
	Items   []item            `rhai:"items,omitempty"`
	Labels  map[string]string `rhai:"labels,omitempty"`
	Parent  *order            `rhai:"parent,omitempty"`
	Raw     []byte            `rhai:"raw"`
	At      time.Time         `rhai:"at"`
	Letter  rhai.Rune         `rhai:"letter"`
	Ratio   float32           `rhai:"ratio"`
	Small   int8              `rhai:"small"`
	Pair    [2]bool           `rhai:"pair"`
	Any     any               `rhai:"any"`
	Value   rhai.Value        `rhai:"value"`
	Address netip.Addr        `rhai:"address"`
	Level   level             `rhai:"level"`
	Hidden  string            `rhai:"-"`
	private string
}

type Extra = extra

type item struct {
	Count int `rhai:"count"`
}

// level goes its own way: to a script as a word and back.
type level int

func (l level) MarshalRhai() (rhai.Value, error) {
	if l < 0 {
		return rhai.Value{}, errors.New("no level below zero")
	}
	return value.Str([]string{"low", "high"}[l]), nil
}

func (l *level) UnmarshalRhai(v rhai.Value) error {
	switch v.String() {
	case "low":
		*l = 0
	case "high":
		*l = 1
	default:
		return fmt.Errorf("got level %s, want low or high", v)
	}
	return nil
}

func TestStructsBothWays(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in := order{
		base: base{7, "outer"}, Extra: &extra{Deep: true}, Name: "first", Items: []item{{1}, {2}},
		Labels: map[string]string{"a": "b"}, Parent: &order{Name: "zero"}, Raw: []byte("xyz"), At: at,
		Letter: 'é', Ratio: 0.5, Small: -3, Pair: [2]bool{true, false}, Any: []any{int64(1), "x", nil},
		Value: value.Int(9), Address: netip.MustParseAddr("::1"), Level: 1, Hidden: "h", private: "p",
	}
	v, err := rhai.ValueOf(in)
	if err != nil {
		t.Fatal(err)
	}
	m := v.Map()
	if got := strings.Join(m.Keys(), " "); got != "Deep Note address any at id items labels letter level name pair parent ratio raw small value" {
		t.Errorf("got keys %s", got)
	}
	for key, want := range map[string]string{
		"items": `[#{"count": 1}, #{"count": 2}]`, "letter": `é`, "raw": `[78797a]`, "level": `"high"`,
		"address": `"::1"`, "any": `[1, "x", ()]`, "pair": "[true, false]", "id": "7", "at": "<timestamp>", "Note": `""`,
	} {
		if x, _ := m.Get(key); x.Debug() != want {
			t.Errorf("%s: got %s, want %s", key, x.Debug(), want)
		}
	}
	back, err := rhai.As[order](v)
	if err != nil {
		t.Fatal(err)
	}
	in.Hidden, in.private, in.base.Note = "", "", ""
	in.Parent.Raw = []byte{}
	if !reflect.DeepEqual(back, in) {
		t.Errorf("got\n%+v\nwant\n%+v", back, in)
	}
	// What is there stays where the value says nothing.
	kept := order{Name: "kept", Hidden: "kept", Items: []item{{5}}}
	if err := rhai.Decode(eval(t, `#{ratio: 2, id: 3, unknown: 1, parent: ()}`), &kept); err != nil ||
		kept.Name != "kept" || kept.Hidden != "kept" || kept.Ratio != 2 || kept.ID != 3 || len(kept.Items) != 1 {
		t.Errorf("got %+v, %v", kept, err)
	}
}

func eval(t *testing.T, source string) rhai.Value {
	t.Helper()
	v, err := rhai.New().Eval(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDecodeErrors(t *testing.T) {
	for source, want := range map[string]string{
		`#{items: [#{count: 1}, #{count: "x"}]}`: "got string, want int at .items[1].count",
		`#{items: 1}`:                            "got int, want array at .items",
		`#{labels: #{a: 1}}`:                     "got int, want string at .labels.a",
		`#{parent: #{name: []}}`:                 "got array, want string at .parent.name",
		`#{small: 200}`:                          "got 200, want an int that fits int8 at .small",
		`#{ratio: 1e300}`:                        "want a number that fits float32 at .ratio",
		`#{pair: [true]}`:                        "got 1 items, want 2 at .pair",
		`#{raw: "x"}`:                            "got string, want blob at .raw",
		`#{at: 1}`:                               "got int, want timestamp at .at",
		`#{letter: "x"}`:                         "got string, want char at .letter",
		`#{level: "middle"}`:                     "at .level: got level middle, want low or high",
		`#{address: "nowhere"}`:                  "at .address: ParseAddr",
		`#{Deep: 1}`:                             "got int, want bool at .Deep",
		`[1]`:                                    "got array, want map",
		`1.5`:                                    "got float, want map",
		`|x| x`:                                  "got function pointer, want map",
	} {
		var o order
		err := rhai.Decode(eval(t, source), &o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
	var conversion *rhai.ConversionError
	err := rhai.Decode(eval(t, `[#{count: 'x'}]`), &[]item{})
	if !errors.As(err, &conversion) || *conversion != (rhai.ConversionError{Got: "char", Want: "int", Path: "[0].count"}) {
		t.Errorf("got %#v", err)
	}
	for _, out := range []any{nil, 1, (*int)(nil), order{}} {
		if err := rhai.Decode(value.Int(1), out); err == nil || !strings.Contains(err.Error(), "want a pointer") {
			t.Errorf("%T: got %v", out, err)
		}
	}
	for _, err := range []error{
		rhai.Decode(value.Int(1), &struct{ C chan int }{}), rhai.Decode(value.Int(1), new(chan int)),
		rhai.Decode(value.Int(1), new(fmt.Stringer)), rhai.Decode(value.Int(1), new(map[int]int)),
	} {
		if err == nil {
			t.Error("got no error")
		}
	}
}

func TestAs(t *testing.T) {
	if n, err := rhai.As[uint16](value.Int(65535)); n != 65535 || err != nil {
		t.Errorf("got %v, %v", n, err)
	}
	if f, err := rhai.As[float64](value.Int(3)); f != 3 || err != nil {
		t.Errorf("got %v, %v", f, err)
	}
	if s, err := rhai.As[string](value.Char('x')); s != "x" || err != nil {
		t.Errorf("got %v, %v", s, err)
	}
	if p, err := rhai.As[**int](value.Int(3)); err != nil || **p != 3 {
		t.Errorf("got %v, %v", p, err)
	}
	if p, err := rhai.As[[]int](value.Unit()); err != nil || p != nil {
		t.Errorf("got %v, %v", p, err)
	}
	if b, err := rhai.As[[3]byte](value.NewBlob([]byte("abc"))); err != nil || string(b[:]) != "abc" {
		t.Errorf("got %v, %v", b, err)
	}
	if b, err := rhai.As[[]byte](eval(t, `[1, 2]`)); err != nil || string(b) != "\x01\x02" {
		t.Errorf("got %v, %v", b, err)
	}
	got, err := rhai.As[any](eval(t, `#{a: [1, 2.5, 'x', "y", true, (), 1..3], b: blob(1, 7)}`))
	if want := `map[string]interface {}{"a":[]interface {}{1, 2.5, 120, "y", true, interface {}(nil), `; err != nil || !strings.HasPrefix(fmt.Sprintf("%#v", got), want) {
		t.Errorf("got %#v, %v", got, err)
	}
}

func TestValueOf(t *testing.T) {
	n := 5
	type celsius float64
	type names map[level]string
	for _, c := range []struct {
		in   any
		want string
	}{
		{uint(math.MaxInt64), "9223372036854775807"}, {&n, "5"}, {(*int)(nil), "()"}, {celsius(1), "1.0"}, {'a', "97"},
		{rhai.Rune('a'), "a"}, {[]string(nil), "[]"}, {map[string]int(nil), "#{}"}, {[]any{1, "x", nil, &n}, `[1, "x", (), 5]`},
		{struct{}{}, "#{}"}, {error(nil), "()"}, {level(0), `"low"`}, {[]*level{nil}, "[()]"}, {[]byte{1}, "[01]"},
		{map[string]any{"b": 1, "a": []int{2}}, `#{"a": [2], "b": 1}`},
	} {
		v, err := rhai.ValueOf(c.in)
		if err != nil || v.Debug() != c.want {
			t.Errorf("%T %v: got %s, %v, want %s", c.in, c.in, v.Debug(), err, c.want)
		}
	}
	for _, c := range []struct {
		in   any
		want string
	}{
		{uint64(math.MaxUint64), "got 18446744073709551615, want at most the largest int"},
		{[]any{1, map[string]any{"f": func() {}}}, "got a func(), want nil, a bool"},
		{[]any{1, map[string]any{"f": func() {}}}, "at [1].f"},
		{names{1: "x"}, "got a rhai_test.names"},
		{[]level{0, -1}, "at [1]: no level below zero"},
		{complex(1, 2), "got a complex128"},
	} {
		if _, err := rhai.ValueOf(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: got %v, want %s", c.in, err, c.want)
		}
	}
}

// Values that contain themselves are an error, and those that share their parts many times over take as long as they
// are large in memory.
func TestGoValuesWithoutEnd(t *testing.T) {
	type node struct {
		Left, Right *node
		List        []any
		Table       map[string]any
	}
	ring := &node{}
	ring.Left = &node{Right: ring}
	list := []any{nil}
	list[0] = list
	table := map[string]any{}
	table["t"] = []any{table}
	for _, v := range []any{ring, list, table, &node{List: list}, &node{Table: table}} {
		_, err := rhai.ValueOf(v)
		var conversion *rhai.ConversionError
		if !errors.As(err, &conversion) || len(conversion.Error()) > 1000 || !strings.Contains(err.Error(), "without end") {
			t.Errorf("%T: got %v", v, err)
		}
	}
	many := &node{}
	for range 60 {
		many = &node{Left: many, Right: many}
	}
	steps := []any{1}
	for range 60 {
		steps = []any{steps, steps}
	}
	for _, v := range []any{many, steps} {
		if _, err := rhai.ValueOf(v); err != nil {
			t.Errorf("got %v", err)
		}
	}
	bomb := value.Int(1)
	for range 60 {
		bomb = value.NewArray([]rhai.Value{bomb, bomb.Share()}).Freeze()
	}
	if _, err := rhai.As[any](bomb); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("got %v", err)
	}
	deep := eval(t, `let a = []; for i in 0..2000 { a = [a]; } a`)
	if _, err := rhai.As[any](deep); err == nil || !strings.Contains(err.Error(), "without end") {
		t.Errorf("got %v", err)
	}
}
