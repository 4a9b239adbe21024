package rhai_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// jsonSeeds are texts that are JSON, nearly JSON, and JSON that some readers refuse.
var jsonSeeds = []string{
	`null`, `true`, ` false `, `0`, `-0`, `12`, `-9223372036854775808`, `9223372036854775808`, `1.5e3`, `1E-400`, `1e400`,
	`01`, `1.`, `.5`, `-`, `+1`, `1e`, `""`, `"a\u00e9\n\/"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\x"`, "\"\t\"", `"`, `[]`, `[1, 2,]`,
	`[[[[]]]]`, `{}`, `{"a": 1, "a": 2}`, `{"a"}`, `{"a":}`, `{"a": [true, {"b": null}]}`, `{a: 1}`, `[1] 2`, ``, ` `,
	strings.Repeat("[", 127) + strings.Repeat("]", 127), strings.Repeat("[", 200) + strings.Repeat("]", 200),
	"\"\u2028\u2029\"", "\"\x7f\"", `"\u0000"`, `[1.0, 1e2, 123456789012345678901234567890]`,
}

// loneSurrogate is an escape that may be half a character: encoding/json reads a lone half as U+FFFD, the engine and
// the reference refuse it.
var loneSurrogate = regexp.MustCompile(`(?i)\\ud[89a-f]`)

// FuzzJSONOfHost goes from JSON to a value and back: what is read is what encoding/json reads, and what is written is
// read as the same value.
func FuzzJSONOfHost(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := rhai.FromJSON(text)
		if err != nil {
			if json.Valid(text) && !outOfRange(text) && nesting(text) < 900 {
				t.Fatalf("%q is JSON, got error %v", text, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is no JSON, got %s", text, v.Debug())
		}
		written, err := v.MarshalJSON()
		if err != nil {
			t.Fatalf("%q was read as %s, which can't be written: %v", text, v.Debug(), err)
		}
		again, err := rhai.FromJSON(written)
		if err != nil || again.Debug() != v.Debug() {
			t.Fatalf("%q was read as %s, written as %q and read as %s, %v", text, v.Debug(), written, again.Debug(), err)
		}
		compareJSON(t, text, written, 0)
	})
}

// FuzzJSONOfScripts does the same with the functions of scripts.
func FuzzJSONOfScripts(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add(s)
	}
	engine := rhai.New()
	there, err := engine.Compile(`parse_json(text)`)
	if err != nil {
		f.Fatal(err)
	}
	back, err := engine.Compile(`#{v: v}.to_json()`)
	if err != nil {
		f.Fatal(err)
	}
	run := func(t *testing.T, p *rhai.Program, name string, v rhai.Value) (rhai.Value, error) {
		return p.Run(t.Context(), nil, rhai.WithVariables(map[string]rhai.Value{name: v}))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // no script has such a text
		}
		v, err := run(t, there, "text", value.Str(text))
		if err != nil {
			var e *rhai.Error
			if !errors.As(err, &e) || e.Kind != value.ErrRuntime {
				t.Fatalf("%q: got %v, want an error that scripts can catch", text, err)
			}
			if valid := json.Valid([]byte(text)); valid && !outOfRange([]byte(text)) && nesting([]byte(text)) < 128 &&
				!loneSurrogate.MatchString(text) {
				t.Fatalf("%q is JSON, got error %v", text, err)
			}
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is no JSON, got %s", text, v.Debug())
		}
		wrapped, err := run(t, back, "v", v)
		if err != nil {
			if nesting([]byte(text)) < 127 {
				t.Fatalf("%q was read as %s, which can't be written: %v", text, v.Debug(), err)
			}
			return
		}
		written := strings.TrimSuffix(strings.TrimPrefix(wrapped.Text(), `{"v":`), `}`)
		again, err := run(t, there, "text", value.Str(written))
		if err != nil {
			t.Fatalf("%q was read as %s, written as %q and not read: %v", text, v.Debug(), written, err)
		}
		rewritten, err := again.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		compareJSON(t, []byte(text), []byte(written), lastDigits)
		compareJSON(t, []byte(written), rewritten, lastDigits)
	})
}

// lastDigits is by how much, relative to its size, a script may read a number wrong: as far as the reference does.
const lastDigits = 1e-14

// compareJSON tells whether encoding/json reads the same from both texts, but for small differences of numbers.
func compareJSON(t *testing.T, a, b []byte, tolerance float64) {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatalf("%q, %q: %v", a, b, err)
	}
	if !nearlyEqual(x, y, tolerance) {
		t.Fatalf("%q is %v, but %q is %v", a, x, b, y)
	}
}

func nearlyEqual(x, y any, tolerance float64) bool {
	switch x := x.(type) {
	case float64:
		y, ok := y.(float64)
		return ok && math.Abs(x-y) <= tolerance*math.Max(math.Abs(x), math.Abs(y))
	case []any:
		y, ok := y.([]any)
		return ok && slices.EqualFunc(x, y, func(a, b any) bool { return nearlyEqual(a, b, tolerance) })
	case map[string]any:
		y, ok := y.(map[string]any)
		return ok && maps.EqualFunc(x, y, func(a, b any) bool { return nearlyEqual(a, b, tolerance) })
	}
	return x == y
}

// outOfRange tells whether a JSON text has a number that no float holds.
func outOfRange(text []byte) bool {
	var v any
	var wrong *json.UnmarshalTypeError
	return errors.As(json.Unmarshal(text, &v), &wrong)
}

// nesting is how deep a text nests at most.
func nesting(text []byte) int {
	deep, most := 0, 0
	for _, c := range text {
		switch c {
		case '[', '{':
			deep++
			most = max(most, deep)
		case ']', '}':
			deep--
		}
	}
	return most
}
