package value

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// A run whose context has ended is over within milliseconds, whatever it is at. What is large is therefore made aside,
// since Go clears memory without asking anybody, and copied in pieces, with a look at the context before each. All of it
// takes the run's context, or nil where there is no run.

const (
	// largeBytes is from how many bytes on something is made aside.
	largeBytes = 512 << 10
	// pieceBytes is how much is copied at once: it takes some tens of microseconds, and longer where the system has to
	// give the memory first.
	pieceBytes = 128 << 10
)

// Interrupted is the error of a run whose context has ended.
func Interrupted(run Context) error {
	if run == nil {
		return nil
	}
	return Ended(run.Context())
}

// Ended is the script error of a context that has ended.
func Ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return Terminated(context.Cause(ctx))
}

// Make makes a list of n items, with room for more.
func Make[T any](run Context, n, room int) (list []T, err error) {
	if run == nil || room*int(unsafe.Sizeof(*new(T))) < largeBytes {
		return make([]T, n, room), nil
	}
	made := make(chan []T, 1)
	if err := run.Aside(func() { made <- make([]T, n, room) }); err != nil {
		return nil, err
	}
	return <-made, nil
}

// Pieces calls f for one part after the other of a list, from one index up to another. An item takes so many bytes.
func Pieces(run Context, n, each int, f func(from, to int)) error {
	step := max(pieceBytes/each, 1)
	if run == nil || n <= step {
		f(0, n)
		return nil
	}
	for from := 0; from < n; from += step {
		if err := Interrupted(run); err != nil {
			return err
		}
		f(from, min(from+step, n))
	}
	return nil
}

// Copy copies as many items as both lists have; they may be parts of one. When the run ends it has copied some.
func Copy[T any](run Context, to, from []T) error {
	n, each := min(len(to), len(from)), int(unsafe.Sizeof(*new(T)))
	if n == 0 {
		return nil
	}
	if n*each <= pieceBytes {
		copy(to, from)
		return nil
	}
	if uintptr(unsafe.Pointer(&to[0])) <= uintptr(unsafe.Pointer(&from[0])) {
		return Pieces(run, n, each, func(i, j int) { copy(to[i:j], from[i:j]) })
	}
	return Pieces(run, n, each, func(i, j int) { copy(to[n-j:n-i], from[n-j:n-i]) })
}

// Clear sets items to nothing.
func Clear[T any](run Context, items []T) error {
	return Pieces(run, len(items), int(unsafe.Sizeof(*new(T))), func(i, j int) { clear(items[i:j]) })
}

// Grow makes room for so many items more: as much as slices.Grow.
func Grow[T any](run Context, list []T, more int) ([]T, error) {
	n := len(list)
	if cap(list)-n >= more {
		return list, nil
	}
	if run == nil || (n+more)*int(unsafe.Sizeof(*new(T))) < largeBytes {
		return slices.Grow(list, more), nil
	}
	grown, err := Make[T](run, n, max(n+more, n+n/4))
	if err == nil {
		err = Copy(run, grown, list)
	}
	return grown, err
}

// Clone is a copy of a list, without room for more.
func Clone[T any](run Context, list []T) ([]T, error) {
	c, err := Make[T](run, len(list), len(list))
	if err == nil {
		err = Copy(run, c, list)
	}
	return c, err
}

// Replace puts other items, which are no part of the list, in the place of some of it. Those that are behind the list's
// new end are cleared.
func Replace[T any](run Context, list []T, from, to int, by ...T) ([]T, error) {
	n := len(list)
	if n*int(unsafe.Sizeof(*new(T))) < largeBytes && len(by)*int(unsafe.Sizeof(*new(T))) < largeBytes {
		return slices.Replace(list, from, to, by...), nil
	}
	more := len(by) - (to - from)
	if more > 0 {
		var err error
		if list, err = Grow(run, list, more); err != nil {
			return nil, err
		}
		list = list[:n+more]
	}
	if err := Copy(run, list[to+more:], list[to:n]); err != nil {
		return nil, err
	}
	if err := Copy(run, list[from:], by); err != nil {
		return nil, err
	}
	if more >= 0 {
		return list, nil
	}
	return list[:n+more], Clear(run, list[n+more:])
}

// AppendShared appends items that stay where they are.
func AppendShared(run Context, list, items []Value) ([]Value, error) {
	list, err := Grow(run, list, len(items))
	if err != nil {
		return nil, err
	}
	err = Pieces(run, len(items), valueBytes, func(i, j int) {
		for _, x := range items[i:j] {
			list = append(list, x.Share())
		}
	})
	return list, err
}

// Concat joins texts.
func Concat(run Context, texts ...string) (string, error) {
	n := 0
	for _, s := range texts {
		n += len(s)
	}
	if run == nil || n < largeBytes {
		return strings.Join(texts, ""), nil
	}
	b, err := Make[byte](run, n, n)
	at := 0
	for _, s := range texts {
		if err == nil {
			err = Copy(run, b[at:], BytesOf(s))
		}
		at += len(s)
	}
	return TextIn(b), err
}

// TextOf is the text in bytes, a copy.
func TextOf(run Context, b []byte) (string, error) {
	if len(b) < largeBytes {
		return string(b), nil
	}
	c, err := Clone(run, b)
	return TextIn(c), err
}

// BytesOf is a text's bytes, to be read only.
func BytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// TextIn is the text in bytes that nobody changes any more.
func TextIn(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Part is a text that is a part of a string's. Where it is notably smaller than what it would keep alive, it is a copy.
func (s *String) Part(run Context, part string) (string, error) {
	whole := len(s.s)
	switch {
	case s.buf != nil:
		whole = len(s.buf.data)
	case s.short():
		whole += objectBytes
	}
	if grade(len(part)) < grade(whole) {
		if len(part) < largeBytes {
			return strings.Clone(part), nil
		}
		return Concat(run, part)
	}
	return part, nil
}

// CharsIn is Chars under the limits of a run.
func (s *String) CharsIn(run Context) (int, error) {
	if s.ascii || len(s.s) <= pieceBytes || s.chars.Load() > 0 {
		return s.Chars(), nil
	}
	n, err := CountChars(run, s.s)
	if err == nil {
		s.keepChars(n)
	}
	return n, err
}

// CountChars is how many characters a text has.
func CountChars(run Context, s string) (n int, err error) {
	for range s {
		if n++; n&0xffff == 0 {
			if err := Interrupted(run); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// OffsetIn is Offset under the limits of a run.
func (s *String) OffsetIn(run Context, chars int) (int, error) {
	if s.ascii {
		return min(chars, len(s.s)), nil
	}
	off := 0
	for ; chars > 0 && off < len(s.s); chars-- {
		_, n := utf8.DecodeRuneInString(s.s[off:])
		off += n
		if chars&0xffff == 0 {
			if err := Interrupted(run); err != nil {
				return 0, err
			}
		}
	}
	return off, nil
}

// Cut is the characters from one index up to another, both within the string.
func (s *String) Cut(run Context, from, to int) (string, error) {
	if from >= to {
		return "", nil
	}
	start, err := s.OffsetIn(run, from)
	if err != nil {
		return "", err
	}
	rest := String{s: s.s[start:], ascii: s.ascii}
	end, err := rest.OffsetIn(run, to-from)
	return rest.s[:end], err
}
