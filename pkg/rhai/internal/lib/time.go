package lib

import "circles/pkg/rhai/value"

// timestamps adds timestamp() and what timestamps have. The time comes from the host's clock.
func timestamps(r *value.Registry) {
	pure(r, "timestamp", func(c value.Context, _ []value.Value) (value.Value, error) {
		return value.NewTimestamp(c.Now()), nil
	})
	elapsed := func(c value.Context, args []value.Value) (value.Value, error) {
		now := value.NewTimestamp(c.Now()).Timestamp()
		if now.Time.Before(args[0].Timestamp().Time) {
			return value.Value{}, value.Arithmetic("Time-stamp is later than now")
		}
		return value.Float(now.Since(args[0].Timestamp())), nil
	}
	pure(r, "elapsed", elapsed, tTime)
	pure(r, value.Getter("elapsed"), elapsed, tTime)
	pure(r, "-", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Float(args[0].Timestamp().Since(args[1].Timestamp())), nil
	}, tTime, tTime)
	for name, sign := range map[string]int{"+": 1, "-": -1} {
		for _, kind := range []value.Type{tInt, tFloat} {
			pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
				return args[0].Timestamp().Move(args[1], sign)
			}, tTime, kind)
			mutating(r, name+"=", func(_ value.Context, args []value.Value) (value.Value, error) {
				moved, err := args[0].Timestamp().Move(args[1], sign)
				if err == nil {
					args[0] = moved
				}
				return value.Unit(), err
			}, tTime, kind)
		}
	}
	for name, holds := range map[string]func(order int) bool{
		"==": func(o int) bool { return o == 0 }, "!=": func(o int) bool { return o != 0 },
		"<": func(o int) bool { return o < 0 }, "<=": func(o int) bool { return o <= 0 },
		">": func(o int) bool { return o > 0 }, ">=": func(o int) bool { return o >= 0 },
	} {
		pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			return value.Bool(holds(args[0].Timestamp().Time.Compare(args[1].Timestamp().Time))), nil
		}, tTime, tTime)
	}
}
