package protocol

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// DecodeParams fills into, a pointer to a parameter struct, from a request's
// params. Every field is a parameter; one without omitempty or omitzero is
// required. An array gives them in the order of the fields. Unlike
// encoding/json it takes names exactly as they are and none that it doesn't
// know. The error has CodeInvalidParams and names the parameter.
func DecodeParams(params json.RawMessage, into any) *Error {
	target := reflect.ValueOf(into).Elem()
	fields := paramFields(target.Type())

	given := map[string]json.RawMessage{}
	switch kindOf(params) {
	case "array":
		var positional []json.RawMessage
		if err := json.Unmarshal(params, &positional); err != nil {
			return Errorf(CodeInvalidParams, "invalid params: not JSON")
		}
		if len(positional) > len(fields) {
			return Errorf(CodeInvalidParams, "invalid params: got %d by position, want at most %d", len(positional), len(fields))
		}
		for i, raw := range positional {
			given[fields[i].name] = raw
		}
	case "object":
		if err := json.Unmarshal(params, &given); err != nil {
			return Errorf(CodeInvalidParams, "invalid params: not JSON")
		}
	}

	for _, field := range fields {
		raw, ok := given[field.name]
		delete(given, field.name)
		// Null for a parameter that may be left out is as if it were, but for one
		// that takes any JSON null is a value.
		absent := !ok || kindOf(raw) == "null" && field.typ != reflect.TypeFor[json.RawMessage]()
		switch {
		case absent && field.required:
			return Errorf(CodeInvalidParams, "invalid params: %s is missing", field.name)
		case absent:
			continue
		}
		if err := json.Unmarshal(raw, target.Field(field.index).Addr().Interface()); err != nil {
			return Errorf(CodeInvalidParams, "invalid params: %s: %s", field.name, badParam(raw, field.typ, err))
		}
	}
	if len(given) > 0 {
		name := slices.Min(slices.Collect(maps.Keys(given)))
		return Errorf(CodeInvalidParams, "invalid params: unknown parameter %q, want %s", shorten(name), listNames(fields))
	}
	return nil
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
