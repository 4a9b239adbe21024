package lib

import (
	"math"

	"circles/pkg/rhai/value"
)

// core adds what every value has: its type, its forms as text, and the ways out of the run.
func core(r *value.Registry) {
	pure(r, "type_of", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Str(args[0].TypeName()), nil
	}, tAny)
	text := func(name string, form value.Form) {
		native := func(c value.Context, args []value.Value) (value.Value, error) {
			s, err := value.Text(c, args[0], form)
			return value.Str(s), err
		}
		goingBack(r, name, native, tAny)
		for _, t := range []value.Type{tStr, tChar, tBool} {
			pure(r, name, native, t)
		}
	}
	text("to_string", value.FormPrint)
	text("to_debug", value.FormDebug)
	pure(r, "print", func(c value.Context, args []value.Value) (value.Value, error) {
		s, err := value.Text(c, args[0], value.FormPrint)
		if err == nil {
			c.Print(s)
			err = work(c, len(s))
		}
		return value.Unit(), err
	}, tAny)
	pure(r, "debug", func(c value.Context, args []value.Value) (value.Value, error) {
		s, err := value.Text(c, args[0], value.FormDebug)
		if err == nil {
			c.Debug(s)
			err = work(c, len(s))
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
	tag := func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Int(int64(args[0].Tag())), nil
	}
	goingBack(r, "tag", tag, tAny)
	pure(r, value.Getter("tag"), tag, tAny)
	setTag := func(_ value.Context, args []value.Value) (value.Value, error) {
		n := args[1].Int()
		if n != int64(int32(n)) {
			size := "large"
			if n < 0 {
				size = "small"
			}
			return value.Value{}, value.Arithmetic("%d is too %s to fit into a tag (must be between %d and %d)",
				n, size, math.MinInt32, math.MaxInt32)
		}
		args[0].SetTag(int32(n))
		return value.Unit(), nil
	}
	mutating(r, "set_tag", setTag, tAny, tInt)
	mutating(r, value.Setter("tag"), setTag, tAny, tInt)
	mutating(r, "take", func(_ value.Context, args []value.Value) (value.Value, error) {
		v := args[0]
		args[0] = value.Unit()
		return v, nil
	}, tAny)
}
