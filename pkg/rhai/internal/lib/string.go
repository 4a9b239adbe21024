package lib

import (
	"math"
	"strings"
	"unicode"
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
	length := func(c value.Context, args []value.Value) (value.Value, error) {
		n, err := args[0].Str().CharsIn(c)
		return value.Int(int64(n)), err
	}
	pure(r, "len", length, tStr)
	pure(r, value.Getter("len"), length, tStr)
	property(r, "bytes", tStr, func(v value.Value) value.Value { return value.Int(int64(len(v.Text()))) })
	property(r, "is_empty", tStr, func(v value.Value) value.Value { return value.Bool(v.Text() == "") })

	pure(r, "get", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		at, ok, err := charAt(c, s, args[1].Int())
		if !ok || err != nil {
			return value.Unit(), err
		}
		ch, _ := utf8.DecodeRuneInString(s.Text()[at:])
		return value.Char(ch), work(c, at)
	}, tStr, tInt)
	sub := func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		n, err := s.CharsIn(c)
		if err != nil {
			return value.Value{}, err
		}
		from, to := portion(n, args)
		part, err := s.Cut(c, from, to)
		if err == nil {
			err = c.Reserve(len(part))
		}
		if err == nil {
			part, err = s.Part(c, part)
		}
		if err != nil {
			return value.Value{}, err
		}
		return value.Str(part), work(c, to)
	}
	portions(func(params ...value.Type) { pure(r, "sub_string", sub, params...) }, tStr)
	pure(r, "sub_string", sub, tStr, tInt)

	pure(r, "to_blob", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Text()
		return copyBytes(c, value.BytesOf(s))
	}, tStr)
	pure(r, "to_chars", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		n, err := s.CharsIn(c)
		if err != nil {
			return value.Value{}, err
		}
		items, err := newItems(c, n)
		if err != nil {
			return value.Value{}, err
		}
		for _, ch := range s.Text() {
			if len(items)%value.Searched == value.Searched-1 {
				if err := value.Interrupted(c); err != nil {
					return value.Value{}, err
				}
			}
			items = append(items, value.Char(ch))
		}
		return value.NewArray(items), nil
	}, tStr)
}

// charAt is where the character at an index begins; a negative index counts from the end.
func charAt(c value.Context, s *value.String, index int64) (at int, ok bool, err error) {
	n, err := s.CharsIn(c)
	if index < 0 {
		index += int64(n)
	}
	if err != nil || index < 0 || index >= int64(n) {
		return 0, false, err
	}
	at, err = s.OffsetIn(c, int(index))
	return at, err == nil, err
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
				chars, err := s.CharsIn(c)
				if err != nil {
					return value.Value{}, err
				}
				at, n := args[2].Int(), int64(chars)
				if at < 0 {
					at = max(at+n, 0)
				}
				if at >= n {
					return value.Int(-1), nil
				}
				if start, err = s.OffsetIn(c, int(at)); err != nil {
					return value.Value{}, err
				}
			}
			at, err := value.Search(c, s.Text()[start:], needle(args[1]))
			if at < 0 || err != nil {
				return value.Int(-1), err
			}
			n, err := value.CountChars(c, s.Text()[:start+at])
			return value.Int(int64(n)), err
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
			if s, err = old.Part(c, s); err != nil {
				return value.Value{}, err
			}
			v, err := newString(c, s)
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
			if tail, err = decode(c, args[1].Blob().Bytes); err != nil {
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
		v, err := s.AppendIn(c, tail)
		if err != nil {
			return value.Value{}, err
		}
		args[0] = v
		return value.Unit(), work(c, len(tail))
	}
	mutating(r, "append", appendText, tStr, tAny)
	mutating(r, "append", appendText, tStr, tBlob)

	change(r, "clear", func(value.Context, *value.String, []value.Value) (string, error) { return "", nil }, tStr)
	change(r, "trim", func(c value.Context, s *value.String, _ []value.Value) (string, error) {
		return trim(c, s.Text())
	}, tStr)
	change(r, "truncate", func(c value.Context, s *value.String, args []value.Value) (string, error) {
		end, err := s.OffsetIn(c, int(min(max(args[1].Int(), 0), math.MaxInt32)))
		return s.Text()[:end], err
	}, tStr, tInt)
	crop := func(c value.Context, s *value.String, args []value.Value) (string, error) {
		n, err := s.CharsIn(c)
		if err != nil {
			return "", err
		}
		from, to := portion(n, args)
		return s.Cut(c, from, to)
	}
	portions(func(params ...value.Type) { change(r, "crop", crop, params...) }, tStr)
	change(r, "crop", crop, tStr, tInt)
	change(r, "set", func(c value.Context, s *value.String, args []value.Value) (string, error) {
		if err := c.Reserve(len(s.Text()) + utf8.UTFMax); err != nil {
			return "", err
		}
		at, ok, err := charAt(c, s, args[1].Int())
		if !ok || err != nil {
			return s.Text(), err
		}
		_, n := utf8.DecodeRuneInString(s.Text()[at:])
		return value.Concat(c, s.Text()[:at], string(args[2].Char()), s.Text()[at+n:])
	}, tStr, tInt, tChar)

	eachNeedle(func(second value.Type) {
		change(r, "remove", func(c value.Context, s *value.String, args []value.Value) (string, error) {
			return value.Substitute(c, s.Text(), needle(args[1]), "")
		}, tStr, second)
		change(r, "pad", pad, tStr, tInt, second)
		eachNeedle(func(third value.Type) { change(r, "replace", replace, tStr, second, third) })
	})

	mutating(r, "pop", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		if s.Text() == "" {
			return value.Unit(), nil
		}
		ch, n := utf8.DecodeLastRuneInString(s.Text())
		rest, err := shortened(c, s, s.Text()[:len(s.Text())-n])
		if err != nil {
			return value.Value{}, err
		}
		args[0] = rest
		return value.Char(ch), work(c, len(s.Text()))
	}, tStr)
	mutating(r, "pop", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		n, err := s.CharsIn(c)
		if err != nil {
			return value.Value{}, err
		}
		at, err := s.OffsetIn(c, n-int(min(max(args[1].Int(), 0), int64(n))))
		if err != nil {
			return value.Value{}, err
		}
		rest, err := shortened(c, s, s.Text()[:at])
		if err != nil {
			return value.Value{}, err
		}
		tail, err := s.Part(c, s.Text()[at:])
		if err != nil {
			return value.Value{}, err
		}
		args[0] = rest
		return value.Str(tail), work(c, n)
	}, tStr, tInt)
}

// shortened is a string of a part of one's text.
func shortened(c value.Context, s *value.String, part string) (value.Value, error) {
	if err := c.Reserve(len(s.Text())); err != nil {
		return value.Value{}, err
	}
	part, err := s.Part(c, part)
	return value.Str(part), err
}

// trim is strings.TrimSpace, under the limits of the run.
func trim(c value.Context, s string) (string, error) {
	if len(s) <= value.Searched {
		return strings.TrimSpace(s), nil
	}
	decode := utf8.DecodeRuneInString
	for _, end := range [...]bool{false, true} {
		for steps := 1; s != ""; steps++ {
			if steps%value.Searched == 0 {
				if err := value.Interrupted(c); err != nil {
					return "", err
				}
			}
			ch, n := decode(s)
			if !unicode.IsSpace(ch) {
				break
			}
			if end {
				s = s[:len(s)-n]
			} else {
				s = s[n:]
			}
		}
		decode = utf8.DecodeLastRuneInString
	}
	return s, nil
}

func replace(c value.Context, s *value.String, args []value.Value) (string, error) {
	if s.Text() == "" { // where nothing is replaced, not even what is empty
		return "", nil
	}
	return value.Substitute(c, s.Text(), needle(args[1]), needle(args[2]))
}

// pad repeats a text behind the string until it has the length. The last repetition may be cut.
func pad(c value.Context, s *value.String, args []value.Value) (string, error) {
	chars, err := s.CharsIn(c)
	if err != nil {
		return "", err
	}
	n, fill, want := int64(chars), needle(args[2]), args[1].Int()
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
	unit, err := value.CountChars(c, fill)
	if err != nil {
		return "", err
	}
	size := missing / unit * len(fill)
	rest, err := value.Str(fill).Str().Cut(c, 0, missing%unit)
	if err != nil {
		return "", err
	}
	whole := len(s.Text()) + size + len(rest)
	if err := c.Limits().CheckString(whole); err != nil {
		return "", err
	}
	if err := work(c, size); err != nil {
		return "", err
	}
	if err := c.Reserve(whole + size); err != nil {
		return "", err
	}
	b, err := value.Make[byte](c, whole, whole)
	if err == nil {
		err = value.Copy(c, b, value.BytesOf(s.Text()))
	}
	if len(fill) < value.Searched {
		fill = strings.Repeat(fill, min(missing/unit, value.Searched/len(fill)))
	}
	for at := len(s.Text()); at < whole-len(rest) && err == nil; at += len(fill) {
		if err = value.Interrupted(c); err == nil {
			err = value.Copy(c, b[at:whole-len(rest)], value.BytesOf(fill))
		}
	}
	if err != nil {
		return "", err
	}
	copy(b[whole-len(rest):], rest)
	return value.TextIn(b), nil
}
