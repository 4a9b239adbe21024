package value

import (
	"cmp"
	"math"
	"strings"
	"unicode/utf8"
)

// Searched is how much of a text is Searched between two looks at the limits.
const Searched = 1 << 16

// Search is the index of the first sep in a text; -1 when there is none. It counts the work as it goes.
func Search(c Context, s, sep string) (int, error) {
	if len(sep) > Searched {
		return searchLong(c, s, sep, false)
	}
	for from := 0; ; from += Searched {
		end := min(from+Searched+len(sep), len(s))
		if at := strings.Index(s[from:end], sep); at >= 0 {
			return from + at, worked(c, at)
		}
		if err := worked(c, end-from); err != nil || end == len(s) {
			return -1, err
		}
	}
}

// SearchLast is the index of the last sep in a text; -1 when there is none. It counts the work as it goes.
func SearchLast(c Context, s, sep string) (int, error) {
	if len(sep) > Searched {
		return searchLong(c, s, sep, true)
	}
	for end := len(s); ; end -= Searched {
		from := max(end-Searched-len(sep), 0)
		if at := strings.LastIndex(s[from:end], sep); at >= 0 {
			return from + at, worked(c, end-from-at)
		}
		if err := worked(c, end-from); err != nil || from == 0 {
			return -1, err
		}
	}
}

// searchLong looks for a long text, from the end if it says so: where the sum of as many bytes, times powers of a number,
// is the same, it compares.
func searchLong(c Context, s, sep string, last bool) (int, error) {
	const base = 16777619
	n := len(sep)
	if n > len(s) {
		return -1, nil
	}
	at, to, step := 0, len(s)-n, 1
	byteOf := func(text string, i int) uint64 { return uint64(text[i]) }
	if last { // the same with the bytes of each in reverse
		at, to, step = to, 0, -1
		byteOf = func(text string, i int) uint64 { return uint64(text[len(text)-1-i]) }
	}
	first := s[at : at+n]
	var want, have, power uint64 = 0, 0, 1
	for i := range n {
		want, have, power = want*base+byteOf(sep, i), have*base+byteOf(first, i), power*base
		if i%Searched == Searched-1 {
			if err := worked(c, Searched); err != nil {
				return -1, err
			}
		}
	}
	for seen := 0; ; seen++ {
		if have == want {
			if err := worked(c, n); err != nil {
				return -1, err
			}
			if s[at:at+n] == sep {
				return at, nil
			}
		}
		if at == to {
			return -1, nil
		}
		have = have*base + byteOf(s, seen+n) - power*byteOf(s, seen)
		at += step
		if seen%Searched == Searched-1 {
			if err := worked(c, Searched); err != nil {
				return -1, err
			}
		}
	}
}

// Substitute replaces every old in a text, which may not become too long. It counts the work and the memory.
func Substitute(c Context, s, old, by string) (string, error) {
	count, err := occurrences(c, s, old)
	if err != nil {
		return "", err
	}
	if count == 0 {
		return s, nil
	}
	if by != "" && count > math.MaxInt32/len(by) {
		return "", TooLarge("Length of string", LimitString)
	}
	size := len(s) + count*(len(by)-len(old))
	if err := c.Limits().CheckString(size); err != nil {
		return "", err
	}
	if err := c.Reserve(size); err != nil {
		return "", err
	}
	b, err := Make[byte](c, 0, size)
	if err != nil {
		return "", err
	}
	put := func(text string) error {
		n := len(b)
		b = b[:n+len(text)]
		return Copy(c, b[n:], BytesOf(text))
	}
	rest, ticked := s, 0
	for done := range count {
		at := 0
		switch {
		case old != "":
			if at, err = Search(c, rest, old); err != nil {
				return "", err
			}
		case done > 0: // between all characters, and at both ends
			_, at = utf8.DecodeRuneInString(rest)
		}
		if err := cmp.Or(put(rest[:at]), put(by)); err != nil {
			return "", err
		}
		rest = rest[at+len(old):]
		if len(b)-ticked > Searched {
			if err := worked(c, len(b)-ticked); err != nil {
				return "", err
			}
			ticked = len(b)
		}
	}
	err = put(rest)
	return TextIn(b), err
}

// occurrences is how often a text is found in another, one behind the other.
func occurrences(c Context, s, of string) (count int, err error) {
	if of == "" {
		count, err = CountChars(c, s)
		return count + 1, err
	}
	for {
		at, err := Search(c, s, of)
		if err != nil || at < 0 {
			return count, err
		}
		count++
		s = s[at+len(of):]
	}
}

// worked counts the work of looking at n bytes.
func worked(c Context, n int) error { return c.Tick(1 + n/printedPerTick) }
