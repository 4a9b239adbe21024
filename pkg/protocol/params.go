package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
)

// Params decodes the parameters of one method.
type Params[P any] struct{ fields []paramField }

// ParamsOf makes the decoder of a parameter struct.
func ParamsOf[P any]() Params[P] { return Params[P]{paramFields(reflect.TypeFor[P]())} }

// Decode decodes a request's params, as DecodeParams does.
func (d Params[P]) Decode(params json.RawMessage) (P, *Error) {
	var p P
	err := decodeParams(params, d.fields, reflect.ValueOf(&p).Elem())
	return p, err
}

// DecodeParams fills into, a pointer to a parameter struct, from a request's
// params. Every field is a parameter; one without omitempty or omitzero is
// required. An array gives them in the order of the fields. Unlike
// encoding/json it takes names exactly as they are and none that it doesn't
// know. The error has CodeInvalidParams and names the parameter.
//
// params are valid JSON, as DecodeFrame gives them; what is decoded may refer
// to them.
func DecodeParams(params json.RawMessage, into any) *Error {
	target := reflect.ValueOf(into).Elem()
	return decodeParams(params, paramFields(target.Type()), target)
}

// usualParams is as many parameters as are decoded without an allocation.
const usualParams = 8

func decodeParams(params json.RawMessage, fields []paramField, target reflect.Value) *Error {
	var buffer [usualParams]json.RawMessage
	given := append(buffer[:0], make([]json.RawMessage, len(fields))...)
	var unknown []string
	switch kindOf(params) {
	case "array":
		n := 0
		for walk := membersOf(params); ; n++ {
			raw, ok := walk.item()
			if !ok {
				break
			}
			if n < len(fields) {
				given[n] = raw
			}
		}
		if n > len(fields) {
			return Errorf(CodeInvalidParams, "invalid params: got %d by position, want at most %d", n, len(fields))
		}
	case "object":
		for walk := membersOf(params); ; {
			name, raw, ok := walk.next()
			if !ok {
				break
			}
			if i := slices.IndexFunc(fields, func(f paramField) bool { return f.name == name }); i >= 0 {
				given[i] = raw
			} else {
				unknown = append(unknown, name)
			}
		}
	}
	for i, field := range fields {
		raw := given[i]
		// Null for a parameter that may be left out is as if it were, but for one
		// that takes any JSON null is a value.
		absent := raw == nil || kindOf(raw) == "null" && field.typ != reflect.TypeFor[json.RawMessage]()
		switch {
		case absent && field.required:
			return Errorf(CodeInvalidParams, "invalid params: %s is missing", field.name)
		case absent:
			continue
		}
		if err := decodeParam(raw, target.Field(field.index).Addr().Interface()); err != nil {
			return Errorf(CodeInvalidParams, "invalid params: %s: %s", field.name, badParam(raw, field.typ, err))
		}
	}
	if len(unknown) > 0 {
		return Errorf(CodeInvalidParams, "invalid params: unknown parameter %q, want %s", shorten(slices.Min(unknown)), listNames(fields))
	}
	return nil
}

// decodeParam is json.Unmarshal, which costs more than the rest of a request
// where a text or raw JSON is wanted and given.
func decodeParam(raw json.RawMessage, into any) error {
	switch into := into.(type) {
	case *json.RawMessage:
		*into = raw
		return nil
	case *string:
		if plain, ok := plainString(raw); ok {
			*into = string(plain)
			return nil
		}
	}
	return json.Unmarshal(raw, into)
}

// paramField is one parameter.
type paramField struct {
	name     string
	index    int
	typ      reflect.Type
	required bool
}

func paramFields(t reflect.Type) []paramField {
	var fields []paramField
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields = append(fields, paramField{
			name:     name,
			index:    i,
			typ:      t.Field(i).Type,
			required: !strings.Contains(options, "omit"),
		})
	}
	return fields
}

// badParam says what is wrong with a parameter in the words of JSON, not of Go.
func badParam(raw json.RawMessage, typ reflect.Type, err error) string {
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return err.Error() // of the type's own decoding
	}
	want := "string"
	switch typ.Kind() {
	case reflect.Int, reflect.Int64:
		want = "integer"
	case reflect.Bool:
		want = "boolean"
	}
	got := withArticle(kindOf(raw))
	if kindOf(raw) == "number" {
		got = shorten(string(raw))
	}
	return "got " + got + ", want " + withArticle(want)
}

func listNames(fields []paramField) string {
	if len(fields) == 0 {
		return "none"
	}
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.name
	}
	return strings.Join(names, ", ")
}

// shorten bounds what an error repeats.
func shorten(text string) string {
	const limit = 64
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
