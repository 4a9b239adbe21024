package lib

import "circles/pkg/rhai/value"

// core adds what every value has: its type, its forms as text, and the ways out of the run.
func core(r *value.Registry) {
	pure(r, "type_of", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Str(args[0].TypeName()), nil
	}, tAny)
	text := func(form func(value.Value) string) value.Native {
		return func(c value.Context, args []value.Value) (value.Value, error) {
			s, err := format(c, args[0], form)
			return value.Str(s), err
		}
	}
	pure(r, "to_string", text(value.Value.String), tAny)
	pure(r, "to_debug", text(value.Value.Debug), tAny)
	pure(r, "print", func(c value.Context, args []value.Value) (value.Value, error) {
		s, err := format(c, args[0], value.Value.String)
		if err == nil {
			c.Print(s)
		}
		return value.Unit(), err
	}, tAny)
	pure(r, "debug", func(c value.Context, args []value.Value) (value.Value, error) {
		s, err := format(c, args[0], value.Value.Debug)
		if err == nil {
			c.Debug(s)
		}
		return value.Unit(), err
	}, tAny)
	pure(r, "print", func(c value.Context, _ []value.Value) (value.Value, error) {
		c.Print("")
		return value.Unit(), nil
	})
	pure(r, "debug", func(c value.Context, _ []value.Value) (value.Value, error) {
		c.Debug("")
		return value.Unit(), nil
	})
	exit := func(_ value.Context, args []value.Value) (value.Value, error) {
		if len(args) == 0 {
			return value.Value{}, value.Exit(value.Unit())
		}
		return value.Value{}, value.Exit(args[0])
	}
	pure(r, "exit", exit)
	pure(r, "exit", exit, tAny)
	mutating(r, "take", func(_ value.Context, args []value.Value) (value.Value, error) {
		v := args[0]
		args[0] = value.Unit()
		return v, nil
	}, tAny)
}
