package worker

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// The state keeps values as JSON. What JSON has no form for is an object of one
// entry whose name begins with $; an object of a script that would look like one
// is wrapped in such an object itself.
const (
	tagChar  = "$char"
	tagFloat = "$float" // infinities and what is no number
	tagBlob  = "$blob"  // base64
	tagMap   = "$map"
)

const maxDepth = 128

// encode returns the text of a value, or an error that names the type that can't
// be kept.
func encode(v rhai.Value) (string, error) {
	packed, err := pack(v, 0)
	if err != nil {
		return "", err
	}
	text, err := packed.MarshalJSON()
	return string(text), err
}

func decode(text string) (rhai.Value, error) {
	v, err := rhai.FromJSON([]byte(text))
	if err != nil {
		return rhai.Value{}, err
	}
	return unpack(v)
}

func pack(v rhai.Value, depth int) (rhai.Value, error) {
	if depth > maxDepth {
		return rhai.Value{}, fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	switch v.Kind() {
	case value.KindUnit, value.KindBool, value.KindInt, value.KindString:
		return v, nil
	case value.KindFloat:
		if f := v.Float(); math.IsInf(f, 0) || math.IsNaN(f) {
			return tagged(tagFloat, value.Str(strconv.FormatFloat(f, 'g', -1, 64))), nil
		}
		return v, nil
	case value.KindChar:
		return tagged(tagChar, value.Str(string(v.Char()))), nil
	case value.KindBlob:
		return tagged(tagBlob, value.Str(base64.StdEncoding.EncodeToString(v.Blob().Bytes))), nil
	case value.KindCell:
		return pack(v.Cell().V, depth+1)
	case value.KindArray:
		items := make([]rhai.Value, len(v.Array().Items))
		for i, item := range v.Array().Items {
			var err error
			if items[i], err = pack(item, depth+1); err != nil {
				return rhai.Value{}, err
			}
		}
		return value.NewArray(items), nil
	case value.KindMap:
		m := value.NewMap(v.Map().Len())
		looksTagged := false
		for key, item := range v.Map().All() {
			packed, err := pack(*item, depth+1)
			if err != nil {
				return rhai.Value{}, err
			}
			m.Set(key, packed)
			looksTagged = strings.HasPrefix(key, "$")
		}
		if looksTagged && m.Len() == 1 {
			return tagged(tagMap, m.Value()), nil
		}
		return m.Value(), nil
	}
	return rhai.Value{}, fmt.Errorf("a value of type %s can not be kept", v.TypeName())
}

func tagged(tag string, v rhai.Value) rhai.Value {
	m := value.NewMap(1)
	m.Set(tag, v)
	return m.Value()
}

func unpack(v rhai.Value) (rhai.Value, error) {
	switch v.Kind() {
	case value.KindArray:
		items := make([]rhai.Value, len(v.Array().Items))
		for i, item := range v.Array().Items {
			var err error
			if items[i], err = unpack(item); err != nil {
				return rhai.Value{}, err
			}
		}
		return value.NewArray(items), nil
	case value.KindMap:
		if v.Map().Len() == 1 {
			for tag, item := range v.Map().All() {
				if strings.HasPrefix(tag, "$") {
					return untag(tag, *item)
				}
			}
		}
		return unpackMap(v)
	}
	return v, nil
}

func unpackMap(v rhai.Value) (rhai.Value, error) {
	m := value.NewMap(v.Map().Len())
	for key, item := range v.Map().All() {
		unpacked, err := unpack(*item)
		if err != nil {
			return rhai.Value{}, err
		}
		m.Set(key, unpacked)
	}
	return m.Value(), nil
}

func untag(tag string, v rhai.Value) (rhai.Value, error) {
	switch {
	case tag == tagMap && v.Kind() == value.KindMap:
		return unpackMap(v)
	case v.Kind() != value.KindString:
	case tag == tagChar:
		if r, n := utf8.DecodeRuneInString(v.Text()); n > 0 && n == len(v.Text()) {
			return value.Char(r), nil
		}
	case tag == tagFloat:
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			return value.Float(f), nil
		}
	case tag == tagBlob:
		if bytes, err := base64.StdEncoding.DecodeString(v.Text()); err == nil {
			return value.NewBlob(bytes), nil
		}
	}
	return rhai.Value{}, fmt.Errorf("the object with %q is nothing that the state has", tag)
}
