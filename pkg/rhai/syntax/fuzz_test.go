package syntax

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// seed adds the scripts of the conformance corpus, answers and all, and some that have gone wrong before.
func seed(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.rhai")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if script, ok := strings.CutPrefix(line, "> "); ok && i%4 == 0 {
				f.Add(script)
			}
		}
	}
	for _, s := range sources {
		f.Add(s)
	}
	f.Add("`a${\"`\"}`")
	f.Add("\xff\"\xff")
	f.Add("0x_")
	f.Add("'\\u12")
	f.Add(strings.Repeat("(", 10000))
	f.Add(strings.Repeat("/*", 1000))
}

func FuzzScanner(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, source string) {
		source = strings.ToValidUTF8(source, "\uFFFD")
		s := scanner{src: source, line: 1, opts: &Options{}}
		for last := -1; ; last = s.off {
			tok := s.next()
			if tok.kind == tEOF {
				return
			}
			if s.off <= last {
				t.Fatalf("token %d ends at %d, where the one before did", tok.kind, s.off)
			}
			if tok.pos.Line < 1 || tok.pos.Column < 0 || int(tok.pos.Column) > utf8.RuneCountInString(source)+1 {
				t.Fatalf("token %d at %v", tok.kind, tok.pos)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, source string) {
		for _, opts := range []Options{{}, {StrictVariables: true, MaxExprDepth: -1, MaxFunctionExprDepth: -1}} {
			_, err := Parse(source, opts)
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Kind == "" || e.Message == "" || !e.Pos.IsValid() && e.Lex != UnterminatedString) {
				t.Fatalf("got error %#v, want one with a kind, a message and a position", err)
			}
		}
	})
}

func FuzzParsePrintParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, source string) {
		opts := Options{MaxExprDepth: -1, MaxFunctionExprDepth: -1}
		first, err := Parse(source, opts)
		if err != nil {
			return
		}
		printed := Print(first)
		second, err := Parse(printed, opts)
		if err != nil {
			t.Fatalf("%v in what was printed of %q:\n%s", err, source, printed)
		}
		if !sameTree(reflect.ValueOf(first), reflect.ValueOf(second)) {
			t.Fatalf("another tree from what was printed of %q:\n%s", source, printed)
		}
	})
}

// sameTree compares trees without their positions.
func sameTree(a, b reflect.Value) bool {
	if a.Kind() != b.Kind() || a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return sameTree(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameTree(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[Pos]() {
			return true
		}
		for i := range a.NumField() {
			if !sameTree(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
