package lib

import (
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

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
		return value.Str(value.Part(s.Text(), cut(s, from, to))), work(c, to)
	}
	portions(func(params ...value.Type) { pure(r, "sub_string", sub, params...) }, tStr)
	pure(r, "sub_string", sub, tStr, tInt)

	pure(r, "to_blob", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Text()
		if err := c.Limits().CheckArray(len(s)); err != nil {
			return value.Value{}, err
		}
		return value.NewBlob([]byte(s)), work(c, len(s))
	}, tStr)
	pure(r, "to_chars", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		if err := c.Limits().CheckArray(s.Chars()); err != nil {
			return value.Value{}, err
		}
		items := make([]value.Value, 0, s.Chars())
		for _, ch := range s.Text() {
			items = append(items, value.Char(ch))
		}
		return value.NewArray(items), work(c, len(items))
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
		"contains": strings.Contains, "starts_with": strings.HasPrefix, "ends_with": strings.HasSuffix,
	} {
		eachNeedle(func(second value.Type) {
			pure(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				s := args[0].Text()
				return value.Bool(test(s, needle(args[1]))), work(c, len(s))
			}, tStr, second)
		})
	}
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
			if err := work(c, len(s.Text())); err != nil {
				return value.Value{}, err
			}
			at := strings.Index(s.Text()[start:], needle(args[1]))
			if at < 0 {
				return value.Int(-1), nil
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
			v, err := newString(c, value.Part(old.Text(), s))
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
			tail = strings.ToValidUTF8(string(args[1].Blob().Bytes), "\uFFFD")
		default:
			var err error
			if tail, err = format(c, args[1], value.Value.String); err != nil {
				return value.Value{}, err
			}
		}
		s := args[0].Str()
		if err := c.Limits().CheckString(len(s.Text()) + len(tail)); err != nil {
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
	change(r, "set", func(_ value.Context, s *value.String, args []value.Value) (string, error) {
		at, ok := charAt(s, args[1].Int())
		if !ok {
			return s.Text(), nil
		}
		start := s.Offset(at)
		_, n := utf8.DecodeRuneInString(s.Text()[start:])
		return s.Text()[:start] + string(args[2].Char()) + s.Text()[start+n:], nil
	}, tStr, tInt, tChar)

	eachNeedle(func(second value.Type) {
		change(r, "remove", func(_ value.Context, s *value.String, args []value.Value) (string, error) {
			return strings.ReplaceAll(s.Text(), needle(args[1]), ""), nil
		}, tStr, second)
		change(r, "pad", pad, tStr, tInt, second)
		eachNeedle(func(third value.Type) { change(r, "replace", replace, tStr, second, third) })
	})

	mutating(r, "pop", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Text()
		if s == "" {
			return value.Unit(), nil
		}
		ch, n := utf8.DecodeLastRuneInString(s)
		args[0] = value.Str(value.Part(s, s[:len(s)-n]))
		return value.Char(ch), work(c, len(s))
	}, tStr)
	mutating(r, "pop", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		n := s.Chars()
		at := s.Offset(n - int(min(max(args[1].Int(), 0), int64(n))))
		tail := s.Text()[at:]
		args[0] = value.Str(value.Part(s.Text(), s.Text()[:at]))
		return value.Str(value.Part(s.Text(), tail)), work(c, n)
	}, tStr, tInt)
}

// replace checks the length of the result before it makes it.
func replace(c value.Context, s *value.String, args []value.Value) (string, error) {
	old, by := needle(args[1]), needle(args[2])
	count := strings.Count(s.Text(), old)
	if more := len(by) - len(old); more > 0 {
		if count > math.MaxInt32/more {
			return "", value.TooLarge("Length of string", value.LimitString)
		}
		if err := c.Limits().CheckString(len(s.Text()) + count*more); err != nil {
			return "", err
		}
	}
	return strings.ReplaceAll(s.Text(), old, by), work(c, len(s.Text()))
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
	return s.Text() + strings.Repeat(fill, missing/unit) + rest, nil
}

func stringSplitting(r *value.Registry) {
	list := func(c value.Context, whole string, parts []string) (value.Value, error) {
		if err := c.Limits().CheckArray(len(parts)); err != nil {
			return value.Value{}, err
		}
		items := make([]value.Value, len(parts))
		for i, p := range parts {
			items[i] = value.Str(value.Part(whole, p))
		}
		return value.NewArray(items), c.Tick(len(items))
	}
	pure(r, "split", func(c value.Context, args []value.Value) (value.Value, error) {
		words := strings.Fields(args[0].Text())
		if len(words) == 0 {
			words = []string{""}
		}
		return list(c, args[0].Text(), words)
	}, tStr)
	pure(r, "split", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		at, n := args[1].Int(), int64(s.Chars())
		switch {
		case at < 0:
			at = max(at+n, 0)
		case at == 0:
			at = n // the reference takes zero for no index
		}
		off := s.Offset(int(min(at, n)))
		return list(c, s.Text(), []string{s.Text()[:off], s.Text()[off:]})
	}, tStr, tInt)
	eachNeedle(func(second value.Type) {
		split := func(c value.Context, args []value.Value) (value.Value, error) {
			segments := int64(math.MaxInt64)
			if len(args) > 2 {
				segments = max(args[2].Int(), 1)
			}
			s, sep := args[0].Text(), needle(args[1])
			if s == "" {
				return list(c, s, []string{s})
			}
			// Parts come one at a time, so that a limit stops a script before there are too many.
			var parts []string
			for rest := s; ; {
				head, tail, found := nextPart(rest, sep, len(parts) == 0)
				if !found || int64(len(parts))+1 >= segments {
					return list(c, s, append(parts, rest))
				}
				parts, rest = append(parts, head), tail
				if err := tooMany(c, len(parts)); err != nil {
					return value.Value{}, err
				}
			}
		}
		pure(r, "split", split, tStr, second)
		pure(r, "split", split, tStr, second, tInt)
		splitRev := func(c value.Context, args []value.Value) (value.Value, error) {
			segments := int64(math.MaxInt64)
			if len(args) > 2 {
				segments = max(args[2].Int(), 1)
			}
			s, sep := args[0].Text(), needle(args[1])
			if s == "" {
				return list(c, s, []string{s})
			}
			var parts []string
			for rest := s; ; {
				head, tail, found := lastPart(rest, sep, len(parts) == 0)
				if !found || int64(len(parts))+1 >= segments {
					return list(c, s, append(parts, rest))
				}
				parts, rest = append(parts, tail), head
				if err := tooMany(c, len(parts)); err != nil {
					return value.Value{}, err
				}
			}
		}
		pure(r, "split_rev", splitRev, tStr, second)
		pure(r, "split_rev", splitRev, tStr, second, tInt)
	})
}

// tooMany checks the number of items so far, and counts the one that was added.
func tooMany(c value.Context, n int) error {
	if err := c.Limits().CheckArray(n); err != nil {
		return err
	}
	return c.Tick(1)
}

// nextPart cuts a string at the first separator. An empty separator stands between characters, and at both ends.
func nextPart(s, sep string, first bool) (head, tail string, found bool) {
	if sep != "" || first {
		return strings.Cut(s, sep)
	}
	if s == "" {
		return "", "", false
	}
	_, n := utf8.DecodeRuneInString(s)
	return s[:n], s[n:], true
}

// lastPart cuts a string at the last separator.
func lastPart(s, sep string, first bool) (head, tail string, found bool) {
	if sep == "" {
		if first {
			return s, "", true
		}
		if s == "" {
			return "", "", false
		}
		_, n := utf8.DecodeLastRuneInString(s)
		return s[:len(s)-n], s[len(s)-n:], true
	}
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// upper and lower follow Unicode's full mappings: a character may become several.
func upper(s *value.String) string {
	if s.ASCII() {
		return strings.ToUpper(s.Text())
	}
	return cases.Upper(language.Und).String(s.Text())
}

func lower(s *value.String) string {
	if s.ASCII() {
		return strings.ToLower(s.Text())
	}
	return cases.Lower(language.Und).String(s.Text())
}

func letterCase(r *value.Registry) {
	for suffix, of := range map[string]func(*value.String) string{"upper": upper, "lower": lower} {
		// A character that would become several stays as it is.
		char := func(v value.Value) value.Value {
			s := of(value.Str(string(v.Char())).Str())
			if mapped, n := utf8.DecodeRuneInString(s); n == len(s) {
				return value.Char(mapped)
			}
			return v
		}
		pure(r, "to_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
			if err := work(c, len(args[0].Text())); err != nil {
				return value.Value{}, err
			}
			return newString(c, of(args[0].Str()))
		}, tStr)
		pure(r, "to_"+suffix, func(_ value.Context, args []value.Value) (value.Value, error) {
			return char(args[0]), nil
		}, tChar)
		change(r, "make_"+suffix, func(_ value.Context, s *value.String, _ []value.Value) (string, error) {
			return of(s), nil
		}, tStr)
		mutating(r, "make_"+suffix, func(_ value.Context, args []value.Value) (value.Value, error) {
			args[0] = char(args[0])
			return value.Unit(), nil
		}, tChar)
	}
}
