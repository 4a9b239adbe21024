package lib

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"circles/pkg/rhai/value"
)

// letters is a change of all letters of a text to capital or to small ones, under the limits of the run.
type letters func(c value.Context, s string) (string, error)

// upper follows Unicode's full mappings: a character may become several.
func upper(c value.Context, s string) (string, error) {
	return inPieces(c, s, func(b []byte, part string, _ int) []byte {
		if isASCII(part) {
			return append(b, strings.ToUpper(part)...)
		}
		return append(b, cases.Upper(language.Und).String(part)...)
	})
}

// lower does, too. A capital sigma becomes the final one at the end of a word: where a letter comes before it and none
// behind it, not counting marks and the like on either side.
func lower(c value.Context, s string) (string, error) {
	var err error
	letter := false // the last character but for marks
	text, failed := inPieces(c, s, func(b []byte, part string, at int) []byte {
		if isASCII(part) {
			last := strings.TrimRightFunc(part, caseIgnorable)
			letter = last != "" && cased(rune(last[len(last)-1])) || last == "" && letter
			return append(b, strings.ToLower(part)...)
		}
		for i, ch := range part {
			switch {
			case ch == 'Σ' && letter:
				more := false
				if more, err = letterFollows(c, s[at+i+len("Σ"):]); err != nil {
					return b
				}
				if more {
					b = append(b, "σ"...)
				} else {
					b = append(b, "ς"...)
				}
			case ch == 'İ':
				b = append(b, "i\u0307"...)
			default:
				b = utf8.AppendRune(b, unicode.ToLower(ch))
			}
			if !caseIgnorable(ch) {
				letter = cased(ch)
			}
		}
		return b
	})
	if err != nil {
		return "", err
	}
	return text, failed
}

// letterFollows tells whether a text begins with a letter, not counting marks and the like.
func letterFollows(c value.Context, s string) (bool, error) {
	steps := 0
	for _, ch := range s {
		if !caseIgnorable(ch) {
			return cased(ch), nil
		}
		if steps++; steps%value.Searched == 0 {
			if err := work(c, value.Searched); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// cased and caseIgnorable are Unicode's properties of the names.
func cased(ch rune) bool {
	return unicode.In(ch, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(ch rune) bool {
	switch ch {
	case '\'', '.', ':', '\u00B7', '\u0387', '\u055F', '\u05F4', '\u2018', '\u2019', '\u2024', '\u2027', '\uFE13', '\uFE52',
		'\uFE55', '\uFF07', '\uFF0E', '\uFF1A': // within words
		return true
	}
	return unicode.In(ch, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// inPieces makes a text of one that is looked at piece by piece: f appends what becomes of the piece at an index. It
// counts the work and the memory.
func inPieces(c value.Context, s string, f func(b []byte, part string, at int) []byte) (string, error) {
	if len(s) > value.Searched {
		if err := c.Reserve(2 * len(s)); err != nil {
			return "", err
		}
	}
	var b []byte
	for at := 0; at < len(s); {
		end := min(at+value.Searched, len(s))
		for end < len(s) && end > at+1 && !utf8.RuneStart(s[end]) {
			end--
		}
		if err := work(c, end-at); err != nil {
			return "", err
		}
		var err error
		if b, err = value.Grow(c, b, end-at); err != nil {
			return "", err
		}
		b = f(b, s[at:end], at)
		if err := c.Limits().CheckString(len(b)); err != nil {
			return "", err
		}
		at = end
	}
	return value.TextOf(c, b)
}

func letterCase(r *value.Registry) {
	for suffix, l := range map[string]letters{"upper": upper, "lower": lower} {
		// A character that would become several stays as it is.
		char := func(c value.Context, v value.Value) (value.Value, error) {
			s, err := l(c, string(v.Char()))
			if mapped, n := utf8.DecodeRuneInString(s); n == len(s) && err == nil {
				return value.Char(mapped), nil
			}
			return v, err
		}
		pure(r, "to_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
			s, err := l(c, args[0].Text())
			if err != nil {
				return value.Value{}, err
			}
			return newString(c, s)
		}, tStr)
		pure(r, "to_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
			return char(c, args[0])
		}, tChar)
		change(r, "make_"+suffix, func(c value.Context, s *value.String, _ []value.Value) (string, error) {
			return l(c, s.Text())
		}, tStr)
		mutating(r, "make_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
			ch, err := char(c, args[0])
			if err == nil {
				args[0] = ch
			}
			return value.Unit(), err
		}, tChar)
	}
}
