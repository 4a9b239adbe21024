package rhai_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai"
)

// FuzzConversions goes from Go values to values of scripts and back. What has a form of its own comes back as it was,
// from a script too, which can't change what the host holds; what is decoded into any Go type either fails with an error
// or is a value that goes to scripts and back.
func FuzzConversions(f *testing.F) {
	for _, seed := range []string{"", "\x00", "\x07\x03abc", "\x08\x05\x01\x00\x02\x00\x03\x01\x04\x05\x01xyz", "\x09\x02\x01a\x08\x02\x01\x00\x00\x01b\x09\x01\x01c\x05\x02\x01\x02",
		"\x03\xff\xff\xff\xff\xff\xff\xff\x7f", "\x04\x00\x00\x00\x00\x00\x00\xf8\x7f", "\x04\x00\x00\x00\x00\x00\x00\x00\x80", strings.Repeat("\x08\x01", 40),
		"\x09\x06\x05Count\x03\x07\x00\x00\x00\x00\x00\x00\x00\x04name\x07\x02ab\x05small\x03\x2a\x00\x00\x00\x00\x00\x00\x00\x05items\x08\x01\x09\x00\x04pair\x08\x02\x02\x01\x02\x00\x06parent\x00"} {
		f.Add([]byte(seed))
	}
	engine := rhai.New()
	through, err := engine.Compile(`
		let before = v.to_debug();
		let w = v;
		switch type_of(w) {
			"array" => { w.push(w); w.reverse(); }
			"map" => { w.other = w; w.remove("a"); }
			"blob" => { w += 1; w[0] = 255; }
			"string" => { w += "!"; }
		}
		if v.to_debug() != before { throw "the variable has changed"; }
		v
	`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := (&goValues{data}).value(0)
		v, err := rhai.ValueOf(x)
		if err != nil {
			t.Fatalf("%#v: %v", x, err)
		}
		debug := v.Debug()
		out, err := through.Run(t.Context(), nil, rhai.WithVariables(map[string]rhai.Value{"v": v}))
		if err != nil || out.Debug() != debug || v.Debug() != debug {
			t.Fatalf("%s came out of a script as %s, %v", debug, out.Debug(), err)
		}
		back, err := rhai.As[any](out)
		if err != nil || !alike(reflect.ValueOf(back), reflect.ValueOf(x)) {
			t.Fatalf("%#v came back as %#v, %v", x, back, err)
		}
		for _, target := range []any{
			new(bool), new(int8), new(int), new(uint16), new(uint64), new(float32), new(float64), new(string), new(rhai.Rune), new(time.Time),
			new([]byte), new([3]byte), new([]int), new([][]string), new([2]any), new(map[string]any), new(map[string]*float64), new(*order), new(order),
			new(rhai.Value), new(struct{ Count *uint8 }), new(error), new(map[int]int), new(rhai.FnPtr),
		} {
			decodeInto(t, v, target)
		}
	})
}

// decodeInto decodes a value, and where that works the Go value must go to scripts and back.
func decodeInto(t *testing.T, v rhai.Value, target any) {
	t.Helper()
	err := rhai.Decode(v, target)
	var conversion *rhai.ConversionError
	if err != nil {
		if !errors.As(err, &conversion) && !strings.Contains(err.Error(), "level") && !strings.Contains(err.Error(), "ParseAddr") {
			t.Fatalf("%s into a %T: %T %v", v.Debug(), target, err, err)
		}
		return
	}
	again, err := rhai.ValueOf(target)
	if err != nil {
		t.Fatalf("%s was decoded into %#v, which can't be converted: %v", v.Debug(), target, err)
	}
	other := reflect.New(reflect.TypeOf(target).Elem())
	if err := rhai.Decode(again, other.Interface()); err != nil {
		t.Fatalf("%s was decoded into %#v, converted to %s and not decoded again: %v", v.Debug(), target, again.Debug(), err)
	}
	if last, err := rhai.ValueOf(other.Interface()); err != nil || last.Debug() != again.Debug() {
		t.Fatalf("%s was decoded into what is %s, and again into %s, %v", v.Debug(), again.Debug(), last.Debug(), err)
	}
}

// goValues makes Go values of bytes.
type goValues struct{ data []byte }

func (g *goValues) byte() byte {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return b
}

func (g *goValues) number() uint64 {
	var eight [8]byte
	g.data = g.data[copy(eight[:], g.data):]
	return binary.LittleEndian.Uint64(eight[:])
}

func (g *goValues) text() string {
	n := min(int(g.byte()), len(g.data))
	s := string(g.data[:n])
	g.data = g.data[n:]
	return strings.ToValidUTF8(s, "?")
}

// value is one of the Go values that As[any] makes.
func (g *goValues) value(depth int) any {
	switch g.byte() % 10 {
	case 1, 2:
		return g.byte()&1 == 1
	case 3:
		return int64(g.number())
	case 4:
		return math.Float64frombits(g.number())
	case 5:
		return []byte(g.text())
	case 6:
		for _, r := range g.text() {
			return rhai.Rune(r)
		}
	case 7:
		return g.text()
	case 8:
		list := []any{}
		for n := g.byte() % 16; n > 0 && depth < 100; n-- {
			list = append(list, g.value(depth+1))
		}
		return list
	case 9:
		table := map[string]any{}
		for n := g.byte() % 16; n > 0 && depth < 100; n-- {
			table[g.text()] = g.value(depth + 1)
		}
		return table
	}
	return nil
}

// alike is reflect.DeepEqual for such values, where a float is like one of the same bits.
func alike(x, y reflect.Value) bool {
	if !x.IsValid() || !y.IsValid() {
		return x.IsValid() == y.IsValid()
	}
	if x.Type() != y.Type() {
		return false
	}
	switch x.Kind() {
	case reflect.Float64:
		return math.Float64bits(x.Float()) == math.Float64bits(y.Float())
	case reflect.Slice:
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !alike(elem(x.Index(i)), elem(y.Index(i))) {
				return false
			}
		}
		return true
	case reflect.Map:
		if x.Len() != y.Len() {
			return false
		}
		for it := x.MapRange(); it.Next(); {
			if z := y.MapIndex(it.Key()); !z.IsValid() || !alike(elem(it.Value()), elem(z)) {
				return false
			}
		}
		return true
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// elem is what is in an interface.
func elem(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}
