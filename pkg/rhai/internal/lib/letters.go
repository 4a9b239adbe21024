package lib

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"circles/pkg/rhai/value"
)

// letters is a change of all letters of a text to capital or to small ones.
type letters func(string) string

// upper and lower follow Unicode's full mappings: a character may become several.
func upper(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	return cases.Upper(language.Und).String(s)
}

func lower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return cases.Lower(language.Und).String(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// of changes the letters of a text, in pieces, and counts the work and the memory.
func (l letters) of(c value.Context, s string) (string, error) {
	if len(s) <= value.Searched {
		return l(s), work(c, len(s))
	}
	if err := c.Reserve(2 * len(s)); err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for len(s) > 0 {
		n := piece(s)
		if err := work(c, n); err != nil {
			return "", err
		}
		b.WriteString(l(s[:n]))
		if err := c.Limits().CheckString(b.Len()); err != nil {
			return "", err
		}
		s = s[n:]
	}
	return b.String(), nil
}

// piece is how much of a long text can be changed by itself: up to between two characters of which neither is a sigma,
// the letter whose form depends on what is around it, nor one that is looked through when it is.
func piece(s string) int {
	if len(s) <= value.Searched {
		return len(s)
	}
	plain := func(ch rune) bool {
		return ch != '\u03A3' && (unicode.In(ch, unicode.Lu, unicode.Ll, unicode.Lo) || ch == ' ' || ch == '\n')
	}
	before := false
	for i, ch := range s[value.Searched-utf8.UTFMax:] {
		now := plain(ch)
		if now && before {
			return value.Searched - utf8.UTFMax + i
		}
		before = now
	}
	return len(s)
}

func letterCase(r *value.Registry) {
	for suffix, l := range map[string]letters{"upper": upper, "lower": lower} {
		// A character that would become several stays as it is.
		char := func(v value.Value) value.Value {
			s := l(string(v.Char()))
			if mapped, n := utf8.DecodeRuneInString(s); n == len(s) {
				return value.Char(mapped)
			}
			return v
		}
		pure(r, "to_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
			s, err := l.of(c, args[0].Text())
			if err != nil {
				return value.Value{}, err
			}
			return newString(c, s)
		}, tStr)
		pure(r, "to_"+suffix, func(_ value.Context, args []value.Value) (value.Value, error) {
			return char(args[0]), nil
		}, tChar)
		change(r, "make_"+suffix, func(c value.Context, s *value.String, _ []value.Value) (string, error) {
			return l.of(c, s.Text())
		}, tStr)
		mutating(r, "make_"+suffix, func(_ value.Context, args []value.Value) (value.Value, error) {
			args[0] = char(args[0])
			return value.Unit(), nil
		}, tChar)
	}
}
