package lib

import (
	"cmp"
	"math"
	"strconv"

	"circles/pkg/rhai/value"
)

// jsons adds the ways to JSON and back.
func jsons(r *value.Registry) {
	pure(r, "to_json", func(c value.Context, args []value.Value) (value.Value, error) {
		w := jsonWriter{c: c}
		if err := w.value(args[0], 0); err != nil {
			return value.Value{}, err
		}
		if err := c.Reserve(len(w.b)); err != nil {
			return value.Value{}, err
		}
		text, err := value.TextOf(c, w.b)
		if err != nil {
			return value.Value{}, err
		}
		return newString(c, text)
	}, tMap)
	pure(r, "parse_json", func(c value.Context, args []value.Value) (value.Value, error) {
		p := jsonReader{c: c, src: args[0].Text()}
		c.Hold(&p.open)
		return p.document()
	}, tStr)
}

// emptyBytes is about the size of an array without items.
const emptyBytes = 48

// deepest is how far values nest at most.
const deepest = 128

// jsonWriter writes what the reference writes: blobs as arrays, a float with its fraction, what has no form in JSON as
// null, and values of other types as their names.
type jsonWriter struct {
	c value.Context
	b []byte
}

func (w *jsonWriter) value(v value.Value, depth int) error {
	if err := w.c.Tick(1); err != nil {
		return err
	}
	if err := w.grow(jsonRoom); err != nil {
		return err
	}
	if depth > deepest {
		return value.Runtime("value is nested too deep for JSON")
	}
	v = v.Flat()
	switch v.Kind() {
	case value.KindUnit:
		w.b = append(w.b, "null"...)
	case value.KindBool, value.KindInt:
		w.b = value.AppendDebug(w.b, v)
	case value.KindFloat:
		w.float(v.Float())
	case value.KindChar:
		return w.text(string(v.Char()))
	case value.KindString:
		return w.text(v.Text())
	case value.KindArray:
		return w.list('[', ']', len(v.Array().Items), func(i int) error { return w.value(v.Array().Items[i], depth+1) })
	case value.KindBlob:
		return w.list('[', ']', len(v.Blob().Bytes), func(i int) error {
			return w.value(value.Int(int64(v.Blob().Bytes[i])), depth+1)
		})
	case value.KindMap:
		m := v.Map()
		if err := m.Sort(w.c); err != nil {
			return err
		}
		return w.list('{', '}', m.Len(), func(i int) error {
			if err := w.text(m.At(i).Key); err != nil {
				return err
			}
			w.b = append(w.b, ':')
			return w.value(m.At(i).Val, depth+1)
		})
	case value.KindFnPtr:
		f := v.FnPtr()
		if len(f.Curry) == 0 {
			return w.text(f.Name)
		}
		list := append([]value.Value{value.Str(f.Name)}, f.Curry...)
		return w.value(value.NewArray(list), depth)
	default:
		return w.text(v.RustName())
	}
	return nil
}

// jsonRoom is how much may be appended without asking.
const jsonRoom = 64

// grow makes room for n bytes, if the text may be as long as it is.
func (w *jsonWriter) grow(n int) error {
	if err := w.c.Limits().CheckString(len(w.b)); err != nil {
		return err
	}
	if cap(w.b)-len(w.b) >= n {
		return nil
	}
	want := len(w.b) + n + len(w.b)/2
	if err := w.c.Reserve(want); err != nil {
		return err
	}
	b, err := value.Make[byte](w.c, len(w.b), want)
	if err == nil {
		err = value.Copy(w.c, b, w.b)
	}
	w.b = b
	return err
}

func (w *jsonWriter) list(opens, closes byte, n int, item func(i int) error) error {
	w.b = append(w.b, opens)
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := item(i); err != nil {
			return err
		}
	}
	w.b = append(w.b, closes)
	return nil
}

func (w *jsonWriter) float(f float64) {
	switch a := math.Abs(f); {
	case math.IsInf(f, 0) || math.IsNaN(f):
		w.b = append(w.b, "null"...)
	case a != 0 && (a < 1e-5 || a >= 1e16):
		n := len(w.b)
		w.b = strconv.AppendFloat(w.b, f, 'e', -1, 64)
		// Exponents have no leading zero.
		if last := len(w.b) - 2; last > n && w.b[last] == '0' && w.b[last-1] < '0' {
			w.b = append(w.b[:last], w.b[last+1])
		}
	default:
		n := len(w.b)
		w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64)
		if !hasPoint(w.b[n:]) {
			w.b = append(w.b, ".0"...)
		}
	}
}

func hasPoint(digits []byte) bool {
	for _, c := range digits {
		if c == '.' {
			return true
		}
	}
	return false
}

func (w *jsonWriter) text(s string) error {
	const hex = "0123456789abcdef"
	if err := w.grow(len(s) + jsonRoom); err != nil {
		return err
	}
	w.b = append(w.b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		if i%value.Searched == value.Searched-1 {
			if err := cmp.Or(work(w.c, value.Searched), w.grow(i-start+jsonRoom)); err != nil {
				return err
			}
			w.b, start = append(w.b, s[start:i]...), i
		}
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		if err := w.grow(i - start + jsonRoom); err != nil {
			return err
		}
		w.b = append(w.b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		case '\n':
			w.b = append(w.b, '\\', 'n')
		case '\r':
			w.b = append(w.b, '\\', 'r')
		case '\t':
			w.b = append(w.b, '\\', 't')
		case '\b':
			w.b = append(w.b, '\\', 'b')
		case '\f':
			w.b = append(w.b, '\\', 'f')
		default:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	if err := w.grow(len(s) - start + jsonRoom); err != nil {
		return err
	}
	w.b = append(append(w.b, s[start:]...), '"')
	return nil
}
