package lib

import (
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

// sequence is what range() with a step, chars() and bits() make: a recipe for items, which a loop starts anew.
type sequence struct {
	begin func() (next func() (value.Value, bool, error))
	of    value.Value // what the items are of, if they are of something
	name  string      // the reference's of its type
}

// Hold tells of what the sequence keeps alive.
func (s *sequence) Hold(add func(value.Value)) { add(s.of) }

// sequences is the type of a sequence, which scripts see as a range.
func sequences(r *value.Registry) *value.CustomType {
	return r.AddType(value.CustomType{
		Name:    "range",
		Origin:  func(data any) string { return "rhai::packages::iter_basic::" + data.(*sequence).name },
		Print:   func(any) string { return "range" },
		Debug:   func(any) string { return "range" },
		Iterate: func(data any) (func() (value.Value, bool, error), func()) { return data.(*sequence).begin(), nil },
	})
}

// iterables adds what loops walk over.
func iterables(r *value.Registry) {
	s := sequences(r)
	ranges(r, s)
	bits(r, s)
	chars(r, s)
}

// ranges adds what ranges have, and range() itself.
func ranges(r *value.Registry, sequences *value.CustomType) {
	for _, kind := range []value.Type{tRange, tIncl} {
		for name, of := range map[string]func(*value.Range) value.Value{
			"start":        func(x *value.Range) value.Value { return value.Int(x.From) },
			"end":          func(x *value.Range) value.Value { return value.Int(x.To) },
			"is_inclusive": func(x *value.Range) value.Value { return value.Bool(x.Inclusive()) },
			"is_exclusive": func(x *value.Range) value.Value { return value.Bool(!x.Inclusive()) },
			"is_empty":     func(x *value.Range) value.Value { return value.Bool(x.Len() == 0) },
		} {
			native := func(_ value.Context, args []value.Value) (value.Value, error) { return of(args[0].Range()), nil }
			pure(r, name, native, kind)
			pure(r, value.Getter(name), native, kind)
		}
		mutating(r, "contains", func(_ value.Context, args []value.Value) (value.Value, error) {
			x, i := args[0].Range(), args[1].Int()
			return value.Bool(x.From <= i && (i < x.To || x.Inclusive() && i == x.To)), nil
		}, kind, tInt)
	}
	pure(r, "range", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.NewRange(args[0].Int(), args[1].Int()), nil
	}, tInt, tInt)
	pure(r, "range", func(c value.Context, args []value.Value) (value.Value, error) {
		return intSteps(c, sequences, args[0].Int(), args[1].Int(), args[2].Int())
	}, tInt, tInt, tInt)
	pure(r, "range", func(c value.Context, args []value.Value) (value.Value, error) {
		return intSteps(c, sequences, args[0].Range().From, args[0].Range().To, args[1].Int())
	}, tRange, tInt)
	pure(r, "range", func(c value.Context, args []value.Value) (value.Value, error) {
		return floatSteps(c, sequences, args[0].Float(), args[1].Float(), args[2].Float())
	}, tFloat, tFloat, tFloat)
}

// noStep is the error for steps that lead nowhere. It has no place but that of the call.
func noStep(c value.Context) error {
	err := value.Arithmetic("step value cannot be zero")
	err.Trace = []value.Frame{{Function: "range", Pos: c.Pos()}}
	return err
}

// intSteps walks from one int towards another. It gives no item whose successor does not fit an int.
func intSteps(c value.Context, sequences *value.CustomType, from, to, step int64) (value.Value, error) {
	if step == 0 {
		return value.Value{}, noStep(c)
	}
	return sequences.New(&sequence{name: "StepRange<i64>", begin: func() func() (value.Value, bool, error) {
		at := from
		return func() (value.Value, bool, error) {
			item, next := at, at+step
			if (step > 0) != (next > item) || (step > 0 && item >= to) || (step < 0 && item <= to) {
				return value.Value{}, false, nil
			}
			at = next
			return value.Int(item), true, nil
		}
	}}), nil
}

func floatSteps(c value.Context, sequences *value.CustomType, from, to, step float64) (value.Value, error) {
	if from+step == from {
		return value.Value{}, noStep(c)
	}
	return sequences.New(&sequence{name: "StepRange<f64>", begin: func() func() (value.Value, bool, error) {
		at := from
		return func() (value.Value, bool, error) {
			item := at
			if !(step > 0 && item < to || step < 0 && item > to) {
				return value.Value{}, false, nil
			}
			at += step
			return value.Float(item), true, nil
		}
	}}), nil
}

// chars adds the walk over a string's characters, or a portion of them.
func chars(r *value.Registry, sequences *value.CustomType) {
	walk := func(c value.Context, args []value.Value) (value.Value, error) {
		s := args[0].Str()
		text := s.Text()
		if len(args) > 1 {
			n, err := s.CharsIn(c)
			if err != nil {
				return value.Value{}, err
			}
			from, to := portion(n, args)
			if args[1].Kind() == value.KindRangeInclusive && args[1].Range().To < args[1].Range().From {
				to = from // here a range that ends before it begins is empty
			}
			if text, err = s.Cut(c, from, to); err != nil {
				return value.Value{}, err
			}
		}
		return sequences.New(&sequence{name: "CharsStream", begin: func() func() (value.Value, bool, error) {
			rest := text
			return func() (value.Value, bool, error) {
				if rest == "" {
					return value.Value{}, false, nil
				}
				c, n := utf8.DecodeRuneInString(rest)
				rest = rest[n:]
				return value.Char(c), true, nil
			}
		}, of: args[0]}), nil
	}
	portions(func(params ...value.Type) { pure(r, "chars", walk, params...) }, tStr)
	pure(r, "chars", walk, tStr, tInt)
	pure(r, "chars", walk, tStr)
	pure(r, value.Getter("chars"), walk, tStr)
}
