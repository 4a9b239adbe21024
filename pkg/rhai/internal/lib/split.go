package lib

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

func stringSplitting(r *value.Registry) {
	goingBack(r, "split", func(c value.Context, args []value.Value) (value.Value, error) {
		p, s := newParts(c, args[0].Str()), args[0].Text()
		begin, seen := -1, 0 // of the word, and what has been counted
		for i, ch := range s {
			switch space := unicode.IsSpace(ch); {
			case space && begin >= 0:
				p.add(s[begin:i])
				begin = -1
			case !space && begin < 0:
				begin = i
			}
			if i-seen >= value.Searched && p.err == nil {
				p.err, seen = work(c, i-seen), i
			}
			if p.err != nil {
				return p.done()
			}
		}
		if begin >= 0 || s == "" {
			p.add(s[max(begin, 0):])
		}
		return p.done()
	}, tStr)
	goingBack(r, "split", func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		chars, err := s.CharsIn(c)
		if err != nil {
			return value.Value{}, err
		}
		at, n := args[1].Int(), int64(chars)
		switch {
		case at < 0:
			at = max(at+n, 0)
		case at == 0:
			at = n // the reference takes zero for no index
		}
		off, err := s.OffsetIn(c, int(min(at, n)))
		if err != nil {
			return value.Value{}, err
		}
		p := newParts(c, s)
		p.add(s.Text()[:off])
		p.add(s.Text()[off:])
		return p.done()
	}, tStr, tInt)
	eachNeedle(func(second value.Type) {
		splitting := func(name string, cut func(p *parts, s, sep string) (part, rest string, found bool)) {
			split := func(c value.Context, args []value.Value) (value.Value, error) {
				p, segments := newParts(c, args[0].Str()), int64(math.MaxInt64)
				if len(args) > 2 {
					segments = max(args[2].Int(), 1)
				}
				if args[0].Text() == "" {
					segments = 1
				}
				return p.split(args[0].Text(), needle(args[1]), segments, cut)
			}
			goingBack(r, name, split, tStr, second)
			goingBack(r, name, split, tStr, second, tInt)
		}
		splitting("split", (*parts).next)
		splitting("split_rev", (*parts).last)
	})
}

// parts are the parts of a text, which come one at a time, so that a limit stops a script before there are too many.
type parts struct {
	c     value.Context
	whole *value.String
	items []value.Value
	err   error
}

func newParts(c value.Context, whole *value.String) *parts {
	p := &parts{c: c, whole: whole}
	c.Hold(&p.items)
	return p
}

func (p *parts) done() (value.Value, error) { return value.NewArray(p.items), p.err }

// add puts a part behind the others. After an error it does nothing.
func (p *parts) add(part string) {
	if p.err != nil {
		return
	}
	if p.err = p.c.Limits().CheckArray(len(p.items) + 1); p.err != nil {
		return
	}
	if p.err = p.c.Reserve(keyBytes + len(part)); p.err != nil {
		return
	}
	if p.err = p.c.Tick(1 + len(part)/perOperation); p.err != nil {
		return
	}
	if part, p.err = p.whole.Part(p.c, part); p.err != nil {
		return
	}
	p.items, p.err = add(p.c, p.items, value.Str(part))
}

// split cuts a text by a function that takes a part from one of its ends, until it finds none or there are enough.
func (p *parts) split(rest, sep string, segments int64, cut func(p *parts, s, sep string) (part, rest string, found bool)) (value.Value, error) {
	for {
		part, left, found := cut(p, rest, sep)
		if !found || int64(len(p.items))+1 >= segments || p.err != nil {
			p.add(rest)
			return p.done()
		}
		p.add(part)
		rest = left
	}
}

// next cuts a string at the first separator. An empty separator stands between characters, and at both ends.
func (p *parts) next(s, sep string) (part, rest string, found bool) {
	switch {
	case sep == "" && len(p.items) > 0:
		if s == "" {
			return "", "", false
		}
		_, n := utf8.DecodeRuneInString(s)
		return s[:n], s[n:], true
	case len(s) > value.Searched:
		at, err := value.Search(p.c, s, sep)
		if at < 0 || err != nil {
			p.err = err
			return s, "", false
		}
		return s[:at], s[at+len(sep):], true
	}
	return strings.Cut(s, sep)
}

// last cuts a string at the last separator.
func (p *parts) last(s, sep string) (part, rest string, found bool) {
	if sep == "" {
		if len(p.items) == 0 {
			return "", s, true
		}
		if s == "" {
			return "", "", false
		}
		_, n := utf8.DecodeLastRuneInString(s)
		return s[len(s)-n:], s[:len(s)-n], true
	}
	at, err := value.SearchLast(p.c, s, sep)
	if at < 0 || err != nil {
		p.err = err
		return s, "", false
	}
	return s[at+len(sep):], s[:at], true
}
