package lib

import (
	"math"
	"strings"
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

// text adds what strings and characters have. Characters are counted, not bytes.
func text(r *value.Registry) {
	stringReading(r)
	stringSearching(r)
	stringChanging(r)
	stringSplitting(r)
	letterCase(r)
}

// property adds a function of one argument that is a getter as well.
func property(r *value.Registry, name string, of value.Type, get func(value.Value) value.Value) {
	native := func(_ value.Context, args []value.Value) (value.Value, error) { return get(args[0]), nil }
	pure(r, name, native, of)
	pure(r, value.Getter(name), native, of)
}

const (
	// chunk is how much cheap work is done between two looks at the limits.
	chunk = 256
	// perOperation is how much work of the cheap kind, bytes or items, counts as one operation.
	perOperation = 32
)

// work counts n steps of a loop that does little in each.
func work(c value.Context, n int) error { return c.Tick(1 + n/perOperation) }

// newString makes a string, if it is not too long.
func newString(c value.Context, s string) (value.Value, error) {
	if err := c.Limits().CheckString(len(s)); err != nil {
		return value.Value{}, err
	}
	return value.Str(s), nil
}

// needle is the text of an argument that is a string or a character.
func needle(v value.Value) string {
	if v.IsChar() {
		return string(v.Char())
	}
	return v.Text()
}

// eachNeedle adds a function for a string and for a character in its second place.
func eachNeedle(add func(second value.Type)) {
	add(tStr)
	add(tChar)
}

func stringReading(r *value.Registry) {
	property(r, "len", tStr, func(v value.Value) value.Value { return value.Int(int64(v.Str().Chars())) })
	property(r, "bytes", tStr, func(v value.Value) value.Value { return value.Int(int64(len(v.Text()))) })
	property(r, "is_empty", tStr, func(v value.Value) value.Value { return value.Bool(v.Text() == "") })

	pure(r, "get", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		at, ok := charAt(s, args[1].Int())
		if !ok {
			return value.Unit(), nil
		}
		ch, _ := s.At(at)
		return value.Char(ch), work(c, at)
	}, tStr, tInt)
	sub := func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		from, to := portion(s.Chars(), args)
		part := cut(s, from, to)
		if err := c.Reserve(len(part)); err != nil {
			return value.Value{}, err
		}
		return value.Str(s.Part(part)), work(c, to)
	}
	portions(func(params ...value.Type) { pure(r, "sub_string", sub, params...) }, tStr)
	pure(r, "sub_string", sub, tStr, tInt)

	pure(r, "to_blob", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Text()
		b, err := newBytes(c, int64(len(s)))
		copy(b, s)
		return value.NewBlob(b), err
	}, tStr)
	pure(r, "to_chars", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		items, err := newItems(c, s.Chars())
		if err != nil {
			return value.Value{}, err
		}
		for _, ch := range s.Text() {
			items = append(items, value.Char(ch))
		}
		return value.NewArray(items), nil
	}, tStr)
}

// charAt resolves the index of a character: a negative one counts from the end.
func charAt(s *value.String, index int64) (int, bool) {
	n := int64(s.Chars())
	if index < 0 {
		index += n
	}
	return int(index), index >= 0 && index < n
}

// cut is the characters from one index up to another, both within the string.
func cut(s *value.String, from, to int) string {
	if from >= to {
		return ""
	}
	start := s.Offset(from)
	rest := s.Text()[start:]
	if s.ASCII() {
		return rest[:to-from]
	}
	end := 0
	for n := to - from; n > 0 && end < len(rest); n-- {
		_, size := utf8.DecodeRuneInString(rest[end:])
		end += size
	}
	return rest[:end]
}

func stringSearching(r *value.Registry) {
	for name, test := range map[string]func(s, sub string) bool{
		"starts_with": strings.HasPrefix, "ends_with": strings.HasSuffix,
	} {
		eachNeedle(func(second value.Type) {
			pure(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				s := args[0].Text()
				return value.Bool(test(s, needle(args[1]))), work(c, len(s))
			}, tStr, second)
		})
	}
	eachNeedle(func(second value.Type) {
		pure(r, "contains", func(c value.Context, args []value.Value) (value.Value, error) {
			at, err := value.Search(c, args[0].Text(), needle(args[1]))
			return value.Bool(at >= 0), err
		}, tStr, second)
	})
	eachNeedle(func(second value.Type) {
		find := func(c value.Context, args []value.Value) (value.Value, error) {
			s := args[0].Str()
			if s.Text() == "" {
				return value.Int(-1), nil
			}
			start := 0
			if len(args) > 2 {
				at := args[2].Int()
				n := int64(s.Chars())
				if at < 0 {
					at = max(at+n, 0)
				}
				if at >= n {
					return value.Int(-1), nil
				}
				start = s.Offset(int(at))
			}
			at, err := value.Search(c, s.Text()[start:], needle(args[1]))
			if at < 0 || err != nil {
				return value.Int(-1), err
			}
			return value.Int(int64(utf8.RuneCountInString(s.Text()[:start+at]))), nil
		}
		pure(r, "index_of", find, tStr, second)
		pure(r, "index_of", find, tStr, second, tInt)
	})
}

// change adds a method that gives its string a new text. Nothing else comes of it.
func change(r *value.Registry, name string, f func(c value.Context, s *value.String, args []value.Value) (string, error),
	params ...value.Type) {
	mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
		old := args[0].Str()
		s, err := f(c, old, args)
		if err != nil {
			return value.Value{}, err
		}
		if s != old.Text() {
			v, err := newString(c, old.Part(s))
			if err != nil {
				return value.Value{}, err
			}
			args[0] = v
		}
		return value.Unit(), work(c, len(s))
	}, params...)
}

func stringChanging(r *value.Registry) {
	appendText := func(c value.Context, args []value.Value) (value.Value, error) {
		var tail string
		switch args[1].Kind() {
		case value.KindString:
			tail = args[1].Text()
		case value.KindBlob:
			var err error
			if tail, err = decodeRuns(c, args[1].Blob().Bytes); err != nil {
				return value.Value{}, err
			}
		default:
			var err error
			if tail, err = value.Text(c, args[1], value.FormPrint); err != nil {
				return value.Value{}, err
			}
		}
		s := args[0].Str()
		if err := c.Limits().CheckString(len(s.Text()) + len(tail)); err != nil {
			return value.Value{}, err
		}
		if err := c.Reserve(value.Joining(args[0], value.Str(tail))); err != nil {
			return value.Value{}, err
		}
		args[0] = s.Append(tail)
		return value.Unit(), work(c, len(tail))
	}
	mutating(r, "append", appendText, tStr, tAny)
	mutating(r, "append", appendText, tStr, tBlob)

	change(r, "clear", func(value.Context, *value.String, []value.Value) (string, error) { return "", nil }, tStr)
	change(r, "trim", func(_ value.Context, s *value.String, _ []value.Value) (string, error) {
		return strings.TrimSpace(s.Text()), nil
	}, tStr)
	change(r, "truncate", func(_ value.Context, s *value.String, args []value.Value) (string, error) {
		return s.Text()[:s.Offset(int(min(max(args[1].Int(), 0), math.MaxInt32)))], nil
	}, tStr, tInt)
	crop := func(_ value.Context, s *value.String, args []value.Value) (string, error) {
		from, to := portion(s.Chars(), args)
		return cut(s, from, to), nil
	}
	portions(func(params ...value.Type) { change(r, "crop", crop, params...) }, tStr)
	change(r, "crop", crop, tStr, tInt)
	change(r, "set", func(c value.Context, s *value.String, args []value.Value) (string, error) {
		if err := c.Reserve(len(s.Text()) + utf8.UTFMax); err != nil {
			return "", err
		}
		at, ok := charAt(s, args[1].Int())
		if !ok {
			return s.Text(), nil
		}
		start := s.Offset(at)
		_, n := utf8.DecodeRuneInString(s.Text()[start:])
		return s.Text()[:start] + string(args[2].Char()) + s.Text()[start+n:], nil
	}, tStr, tInt, tChar)

	eachNeedle(func(second value.Type) {
		change(r, "remove", func(c value.Context, s *value.String, args []value.Value) (string, error) {
			return value.Substitute(c, s.Text(), needle(args[1]), "")
		}, tStr, second)
		change(r, "pad", pad, tStr, tInt, second)
		eachNeedle(func(third value.Type) { change(r, "replace", replace, tStr, second, third) })
	})

	mutating(r, "pop", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Text()
		if s == "" {
			return value.Unit(), nil
		}
		if err := c.Reserve(len(s)); err != nil {
			return value.Value{}, err
		}
		ch, n := utf8.DecodeLastRuneInString(s)
		args[0] = value.Str(args[0].Str().Part(s[:len(s)-n]))
		return value.Char(ch), work(c, len(s))
	}, tStr)
	mutating(r, "pop", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		n := s.Chars()
		at := s.Offset(n - int(min(max(args[1].Int(), 0), int64(n))))
		if err := c.Reserve(len(s.Text())); err != nil {
			return value.Value{}, err
		}
		tail := s.Text()[at:]
		args[0] = value.Str(s.Part(s.Text()[:at]))
		return value.Str(s.Part(tail)), work(c, n)
	}, tStr, tInt)
}

func replace(c value.Context, s *value.String, args []value.Value) (string, error) {
	return value.Substitute(c, s.Text(), needle(args[1]), needle(args[2]))
}

// pad repeats a text behind the string until it has the length. The last repetition may be cut.
func pad(c value.Context, s *value.String, args []value.Value) (string, error) {
	n := int64(s.Chars())
	fill := needle(args[2])
	want := args[1].Int()
	if want <= n || fill == "" {
		return s.Text(), nil
	}
	// Every character takes a byte at least.
	if missing := want - n; missing > math.MaxInt32 {
		return "", value.TooLarge("Length of string", value.LimitString)
	} else if err := c.Limits().CheckString(len(s.Text()) + int(missing)); err != nil {
		return "", err
	}
	missing := int(want - n)
	unit := utf8.RuneCountInString(fill)
	size := missing / unit * len(fill)
	rest := fill
	for i := range fill {
		if unit*(missing/unit)+utf8.RuneCountInString(fill[:i]) == missing {
			rest = fill[:i]
			break
		}
	}
	if err := c.Limits().CheckString(len(s.Text()) + size + len(rest)); err != nil {
		return "", err
	}
	if err := work(c, size); err != nil {
		return "", err
	}
	if err := c.Reserve(len(s.Text()) + 2*(size+len(rest))); err != nil {
		return "", err
	}
	return s.Text() + strings.Repeat(fill, missing/unit) + rest, nil
}

// decodeRuns reads a blob as UTF-8, with one replacement character for every run of bytes that are none.
func decodeRuns(c value.Context, b []byte) (string, error) {
	if err := c.Reserve(4 * len(b)); err != nil {
		return "", err
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), work(c, len(b))
}
