package value

import (
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// longestShort is how long a text may be to live behind its object, in one piece of memory with it.
const longestShort = 96

// Objects with room for a text, in sizes that the allocator has.
type (
	text16 struct {
		String
		room [16]byte
	}
	text32 struct {
		String
		room [32]byte
	}
	text64 struct {
		String
		room [64]byte
	}
	text96 struct {
		String
		room [longestShort]byte
	}
)

// short makes a string of a short text.
func short[T string | []byte](text T, ascii bool) Value {
	var s *String
	var room []byte
	switch n := len(text); {
	case n == 0:
		return Str("")
	case n <= 16:
		o := &text16{}
		s, room = &o.String, o.room[:]
	case n <= 32:
		o := &text32{}
		s, room = &o.String, o.room[:]
	case n <= 64:
		o := &text64{}
		s, room = &o.String, o.room[:]
	default:
		o := &text96{}
		s, room = &o.String, o.room[:]
	}
	copy(room, text)
	s.kind, s.ascii, s.s = KindString, ascii, unsafe.String(&room[0], len(text))
	return s.Value()
}

// Copied is a string of a text that it does not keep alive.
func Copied(run Context, text string) (Value, error) {
	if len(text) > longestShort {
		s, err := TextOf(run, BytesOf(text))
		return Str(s), err
	}
	return short(text, isASCII(text)), nil
}

// JoinShort is the text of strings, ints, chars and bools, one behind the other; ok is false when it is not short, or
// something else is among them.
func JoinShort(parts []Value) (v Value, ok bool) {
	var room [longestShort + utf8.UTFMax]byte
	text, ascii, ok := joinShort(room[:0], parts)
	if !ok {
		return Value{}, false
	}
	return short(text, ascii), true
}

// AppendShort is the string with what JoinShort makes of the parts behind it.
func (s *String) AppendShort(parts []Value) (v Value, ok bool) {
	var room [longestShort + utf8.UTFMax]byte
	text, ascii, ok := joinShort(room[:0], parts)
	if !ok || len(text) == 0 {
		return s.Value(), ok
	}
	v, _ = s.append(nil, unsafe.String(&text[0], len(text)), ascii)
	return v, true
}

// HasRoom tells whether a short text can be appended without a larger buffer.
func (s *String) HasRoom() bool {
	return s.buf != nil && len(s.s)+longestShort <= len(s.buf.data) && s.buf.used.Load() == int64(len(s.s))
}

// joinShort appends the text of the parts, which is to be short.
func joinShort(text []byte, parts []Value) (_ []byte, ascii, ok bool) {
	ascii = true
	for i := range parts {
		switch p := &parts[i]; p.Kind() {
		case KindString:
			s := p.Str()
			if len(text)+len(s.s) > longestShort {
				return nil, false, false
			}
			text, ascii = append(text, s.s...), ascii && s.ascii
		case KindInt:
			if len(text) > longestShort-20 {
				return nil, false, false
			}
			text = strconv.AppendInt(text, p.Int(), 10)
		case KindChar:
			text, ascii = utf8.AppendRune(text, p.Char()), ascii && p.Char() < utf8.RuneSelf
		case KindBool:
			text = strconv.AppendBool(text, p.Bool())
		default:
			return nil, false, false
		}
		if len(text) > longestShort {
			return nil, false, false
		}
	}
	return text, ascii, true
}

// short tells whether the text lives behind the object, and keeps it alive.
func (s *String) short() bool {
	return len(s.s) > 0 && uintptr(unsafe.Pointer(unsafe.StringData(s.s))) == uintptr(unsafe.Pointer(s))+unsafe.Sizeof(*s)
}
