package lib

import "circles/pkg/rhai/value"

// survey walks through a value as whoever formats or compares it will, and counts the work: arrays that hold one
// another many times over are small in memory, and endless to walk through.
type survey struct {
	c      value.Context
	asText bool // stop where the value's text would be longer than a string may be
	size   int  // of the text so far, or less
}

func (s *survey) walk(v value.Value) error {
	switch v.Kind() {
	case value.KindString:
		s.size += len(v.Text())
	case value.KindArray:
		items := v.Array().Items
		if err := work(s.c, len(items)); err != nil {
			return err
		}
		s.size += 2 * len(items)
		for _, x := range items {
			if err := s.walk(x); err != nil {
				return err
			}
		}
	case value.KindMap:
		m := v.Map()
		if err := work(s.c, m.Len()); err != nil {
			return err
		}
		for key, x := range m.All() {
			s.size += len(key) + 4
			if err := s.walk(*x); err != nil {
				return err
			}
		}
	case value.KindCell:
		return s.walk(v.Cell().V)
	}
	if s.asText {
		return s.c.Limits().CheckString(s.size)
	}
	return nil
}

// format is the text of a value in a form of it.
func format(c value.Context, v value.Value, form func(value.Value) string) (string, error) {
	if isNested(v) {
		s := survey{c: c, asText: true}
		if err := s.walk(v); err != nil {
			return "", err
		}
	}
	s := form(v)
	return s, c.Limits().CheckString(len(s))
}

// sameItem tells whether two items are equal as `==` has it.
func sameItem(c value.Context, x, y value.Value) (bool, error) {
	if isNested(x) && x.Kind() == y.Kind() && !x.Identical(y) {
		s := survey{c: c}
		if err := s.walk(x); err != nil {
			return false, err
		}
	}
	return value.EqualItems(x, y)
}

func isNested(v value.Value) bool {
	k := v.Kind()
	return k == value.KindArray || k == value.KindMap
}
