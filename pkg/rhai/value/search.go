package value

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Searched is how much of a text is Searched between two looks at the limits.
const Searched = 1 << 16

// Search is the index of the first sep in a text; -1 when there is none. It counts the work as it goes.
func Search(c Context, s, sep string) (int, error) {
	window := max(Searched, len(sep))
	for from := 0; ; from += window {
		end := min(from+window+len(sep), len(s))
		if at := strings.Index(s[from:end], sep); at >= 0 {
			return from + at, worked(c, at)
		}
		if err := worked(c, end-from); err != nil || end == len(s) {
			return -1, err
		}
	}
}

// Substitute replaces every old in a text, which may not become too long. It counts the work and the memory.
func Substitute(c Context, s, old, by string) (string, error) {
	count := 0
	if old == "" {
		count = utf8.RuneCountInString(s) + 1
	} else {
		for rest := s; ; {
			at, err := Search(c, rest, old)
			if err != nil {
				return "", err
			}
			if at < 0 {
				break
			}
			count++
			rest = rest[at+len(old):]
		}
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
	var b strings.Builder
	b.Grow(size)
	ticked := 0
	for rest := s; ; {
		at := strings.Index(rest, old)
		if old == "" { // between all characters, and at both ends
			at = 0
			if b.Len() > 0 || len(rest) < len(s) {
				_, at = utf8.DecodeRuneInString(rest)
			}
		}
		if count == 0 || at < 0 {
			b.WriteString(rest)
			return b.String(), nil
		}
		count--
		b.WriteString(rest[:at])
		b.WriteString(by)
		rest = rest[at+len(old):]
		if b.Len()-ticked > Searched {
			if err := worked(c, b.Len()-ticked); err != nil {
				return "", err
			}
			ticked = b.Len()
		}
	}
}

// worked counts the work of looking at n bytes.
func worked(c Context, n int) error { return c.Tick(1 + n/printedPerTick) }
