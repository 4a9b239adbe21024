package value

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// MarshalJSON is the value as JSON. Unit is null, a char is a string, a blob is a string in base64, a range is an
// array of its two ends, a timestamp is RFC 3339 in a string. A float keeps its fraction (1.0, not 1), so that it comes
// back as a float. Function pointers, custom values, infinities and NaN have no form in JSON.
func (v Value) MarshalJSON() ([]byte, error) { return appendJSON(nil, v, 0) }

func appendJSON(b []byte, v Value, depth int) ([]byte, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("value nested deeper than %d has no JSON form", maxNesting)
	}
	if len(b) > maxText {
		return nil, fmt.Errorf("value has a JSON form of more than %d bytes", maxText)
	}
	var err error
	switch v.Kind() {
	case KindUnit:
		return append(b, "null"...), nil
	case KindBool, KindInt:
		return AppendDebug(b, v), nil
	case KindFloat:
		f := v.Float()
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("float %s has no JSON form", v)
		}
		return appendFloat(b, f, math.Abs(f) < 1e16 && (f == 0 || math.Abs(f) >= 1e-5)), nil
	case KindChar:
		return appendJSONString(b, string(v.Char())), nil
	case KindString:
		return appendJSONString(b, v.Text()), nil
	case KindArray:
		b = append(b, '[')
		for i, x := range v.Array().Items {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, x, depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case KindMap:
		b = append(b, '{')
		first := true
		for k, x := range v.Map().All() {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(appendJSONString(b, k), ':')
			if b, err = appendJSON(b, *x, depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case KindBlob:
		return appendJSONString(b, base64.StdEncoding.EncodeToString(v.Blob().Bytes)), nil
	case KindRange, KindRangeInclusive:
		r := v.Range()
		return fmt.Appendf(b, "[%d,%d]", r.From, r.To), nil
	case KindTimestamp:
		text, err := v.Timestamp().Time.MarshalJSON()
		return append(b, text...), err
	case KindCell:
		return appendJSON(b, v.Cell().V, depth+1)
	}
	return nil, fmt.Errorf("value of type %s has no JSON form", v.TypeName())
}

func appendJSONString(b []byte, s string) []byte {
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return append(b, bytes.TrimRight(w.Bytes(), "\n")...)
}

// FromJSON is the value of a JSON text. A number without fraction and exponent is an int when it fits, every other
// number a float; null is unit; an object is a map.
func FromJSON(text []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decode(d, 0)
	if err != nil {
		return Value{}, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errors.New("not JSON: text after the value")
	}
	return v, nil
}

func decode(d *json.Decoder, depth int) (Value, error) {
	if depth > maxNesting {
		return Value{}, fmt.Errorf("values nested deeper than %d", maxNesting)
	}
	t, err := d.Token()
	if err != nil {
		return Value{}, err
	}
	switch t := t.(type) {
	case bool:
		return Bool(t), nil
	case string:
		return Str(t), nil
	case json.Number:
		if i, err := strconv.ParseInt(string(t), 10, 64); err == nil {
			return Int(i), nil
		}
		f, err := t.Float64()
		return Float(f), err
	case json.Delim:
		if t == '[' {
			items := []Value{}
			for d.More() {
				x, err := decode(d, depth+1)
				if err != nil {
					return Value{}, err
				}
				items = append(items, x)
			}
			_, err := d.Token()
			return NewArray(items), err
		}
		m := NewMap(0)
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return Value{}, err
			}
			x, err := decode(d, depth+1)
			if err != nil {
				return Value{}, err
			}
			m.Set(k.(string), x)
		}
		_, err := d.Token()
		return m.Value(), err
	}
	return Value{}, nil // null
}
