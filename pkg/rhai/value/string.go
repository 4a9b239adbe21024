package value

import (
	"math"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"
)

// String is an immutable string. Strings made by appending are windows onto a buffer with room to spare: appending to
// the window that ends where the buffer's used part ends writes behind it in place, so that a loop of appends is linear.
type String struct {
	header
	ascii bool          // every byte is below 0x80: characters are bytes
	chars atomic.Uint32 // how many there are, plus one, when somebody has counted
	s     string
	buf   *buffer // nil unless the string ends inside a growing buffer
}

// buffer backs strings that grow. Bytes below used are never written again. Whoever moves used from the end of their
// window by compare-and-swap owns the bytes in between, which keeps appends by several goroutines apart.
type buffer struct {
	used atomic.Int64
	data []byte
}

// Str makes a string.
func Str(s string) Value {
	return Value{p: unsafe.Pointer(&String{header: header{kind: KindString}, ascii: isASCII(s), s: s})}
}

// Str is the object of a string.
func (v Value) Str() *String { return (*String)(v.p) }

// Text is the text of a string.
func (v Value) Text() string { return (*String)(v.p).s }

// Value wraps the object.
func (s *String) Value() Value { return Value{p: unsafe.Pointer(s)} }

// Text is the string's bytes.
func (s *String) Text() string { return s.s }

// ASCII tells whether characters and bytes coincide.
func (s *String) ASCII() bool { return s.ascii }

// Chars counts the characters.
func (s *String) Chars() int {
	if s.ascii {
		return len(s.s)
	}
	if n := s.chars.Load(); n > 0 {
		return int(n - 1)
	}
	n := utf8.RuneCountInString(s.s)
	s.keepChars(n)
	return n
}

func (s *String) keepChars(n int) {
	if n < math.MaxUint32 {
		s.chars.Store(uint32(n + 1))
	}
}

// At is the character at a non-negative index, or ok false beyond the end.
func (s *String) At(i int) (r rune, ok bool) {
	if s.ascii {
		if i >= len(s.s) {
			return 0, false
		}
		return rune(s.s[i]), true
	}
	off := s.Offset(i)
	if off >= len(s.s) {
		return 0, false
	}
	r, _ = utf8.DecodeRuneInString(s.s[off:])
	return r, true
}

// Offset is the byte offset of a character; beyond the end it is the string's length.
func (s *String) Offset(chars int) int {
	if s.ascii {
		return min(chars, len(s.s))
	}
	off := 0
	for ; chars > 0 && off < len(s.s); chars-- {
		_, n := utf8.DecodeRuneInString(s.s[off:])
		off += n
	}
	return off
}

// Append is the string with text behind it, in time proportional to the text when the string ends its buffer.
func (s *String) Append(text string) Value {
	if text == "" {
		return s.Value()
	}
	v, _ := s.append(nil, text, isASCII(text))
	return v
}

// AppendIn is Append under the limits of a run.
func (s *String) AppendIn(run Context, text string) (Value, error) {
	if text == "" {
		return s.Value(), nil
	}
	return s.append(run, text, isASCII(text))
}

// Concat is Append for a string object.
func (s *String) Concat(t *String) Value {
	v, _ := s.ConcatIn(nil, t)
	return v
}

// ConcatIn is Concat under the limits of a run.
func (s *String) ConcatIn(run Context, t *String) (Value, error) {
	switch {
	case t.s == "":
		return s.Value(), nil
	case s.s == "":
		return t.Value(), nil
	}
	return s.append(run, t.s, t.ascii)
}

func (s *String) append(run Context, text string, ascii bool) (Value, error) {
	from := len(s.s)
	end := from + len(text)
	b := s.buf
	if b == nil || end > len(b.data) || !b.used.CompareAndSwap(int64(from), int64(end)) {
		if b == nil && end <= longestShort {
			var both [longestShort]byte
			copy(both[copy(both[:], s.s):], text)
			return short(both[:end], s.ascii && ascii), nil
		}
		if b == nil && end < 256 {
			// Most strings are joined once and never grow: spare them the buffer until they are worth it.
			return Value{p: unsafe.Pointer(&String{header: header{kind: KindString}, ascii: s.ascii && ascii, s: s.s + text})}, nil
		}
		room := roomFor(end, b != nil)
		data, err := Make[byte](run, room, room)
		if err == nil {
			err = Copy(run, data, BytesOf(s.s))
		}
		if err != nil {
			return Value{}, err
		}
		b = &buffer{data: data}
		b.used.Store(int64(end))
	}
	if err := Copy(run, b.data[from:], BytesOf(text)); err != nil {
		return Value{}, err
	}
	return Value{p: unsafe.Pointer(&String{header: header{kind: KindString}, ascii: s.ascii && ascii, s: unsafe.String(&b.data[0], end), buf: b})}, nil
}

// roomFor is the size of a buffer for a text of n bytes: generous when the text has outgrown one before.
func roomFor(n int, again bool) int {
	if again {
		return n + n/2 + 16
	}
	return n + n/8 + 16
}

func isASCII(s string) bool {
	for len(s) >= 8 {
		if *(*uint64)(unsafe.Pointer(unsafe.StringData(s)))&0x8080808080808080 != 0 {
			return false
		}
		s = s[8:]
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
