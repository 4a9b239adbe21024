package syntax

import (
	"math"
	"testing"
)

func TestScanner(t *testing.T) {
	for _, test := range []struct {
		source string
		kind   kind
		text   string
		end    string // where the next token would begin
	}{
		{"name", tIdent, "name", "1:5"},
		{"_a1", tIdent, "_a1", "1:4"},
		{"_", tUnderscore, "_", "1:2"},
		{"while", tWhile, "while", "1:6"},
		{"type_of", tReserved, "type_of", "1:8"},
		{"()", tUnit, "()", "1:3"},
		{"!in x", tNotIn, "!in", "1:4"},
		{"!inside", tBang, "!", "1:2"},
		{"<<=", tOpAssign, "<<", "1:4"},
		{"..=", tRangeInclusive, "..=", "1:4"},
		{"\"a\\tb\"", tString, "a\tb", "1:7"},
		{"\"a\"\"b\"", tString, "a\"b", "1:7"},
		{"\"a\\\n   b\"", tString, "a  b", "2:6"},
		{"\"é\\u00e9\\U0001F600\"", tString, "éé😀", "1:20"},
		{"`a\nb`", tString, "a\nb", "2:3"},
		{"`\r\na`", tString, "a", "2:3"},
		{"`a``b`", tString, "a`b", "1:7"},
		{"`a\\${b}`", tString, "a${b}", "1:8"},
		{"`a${b}`", tInterp, "a", "1:4"},
		{"##\"a\"#b\"##", tString, "a\"#b", "1:11"},
		{"/* /* */ é */ x", tIdent, "x", "1:16"},
		{"// é\n\t x", tIdent, "x", "2:4"},
		{"/// doc\r\n", tDoc, "/// doc", "1:9"},
		{"", tEOF, "", "1:1"},
	} {
		s := scanner{src: test.source, line: 1, opts: &Options{}}
		tok := s.next()
		if tok.kind != test.kind || tok.text != test.text || s.here().String() != test.end {
			t.Errorf("%q: got kind %d, %q, then %v; want kind %d, %q, then %s",
				test.source, tok.kind, tok.text, s.here(), test.kind, test.text, test.end)
		}
	}
}

func TestNumbers(t *testing.T) {
	for source, want := range map[string]any{
		"0": int64(0), "1_000": int64(1000), "0xFF": int64(255), "0b1_01": int64(5), "0o17": int64(15), "0_x10": int64(16),
		"0xFFFFFFFFFFFFFFFF": int64(-1), "9223372036854775807": int64(math.MaxInt64),
		"-9223372036854775808": int64(math.MinInt64), "9223372036854775808": 9223372036854775808.0,
		"1.5": 1.5, "1. ": 1.0, "1e3": 1000.0, "1.5e-3": 0.0015, "1_0.5_0": 10.5, "1e999": math.Inf(1), "-1e999": math.Inf(-1),
		"1.foo": int64(1), "1..2": int64(1), "1e": int64(1), "1._5": int64(1),
	} {
		s := scanner{src: source, line: 1, opts: &Options{}}
		tok := s.next()
		var got any = int64(tok.bits)
		if tok.kind == tFloat {
			got = math.Float64frombits(tok.bits)
		}
		if got != want {
			t.Errorf("%q: got %v (kind %d), want %v", source, got, tok.kind, want)
		}
	}
}
