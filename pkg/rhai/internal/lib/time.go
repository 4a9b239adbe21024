package lib

import (
	"math"
	"time"

	"circles/pkg/rhai/value"
)

// timestamps adds timestamp() and what timestamps have. The time comes from the host's clock.
func timestamps(r *value.Registry) {
	pure(r, "timestamp", func(c value.Context, _ []value.Value) (value.Value, error) {
		return value.NewTimestamp(c.Now()), nil
	})
	elapsed := func(c value.Context, args []value.Value) (value.Value, error) {
		return value.Float(c.Now().Sub(args[0].Timestamp().Time).Seconds()), nil
	}
	pure(r, "elapsed", elapsed, tTime)
	pure(r, value.Getter("elapsed"), elapsed, tTime)
	pure(r, "-", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Float(args[0].Timestamp().Time.Sub(args[1].Timestamp().Time).Seconds()), nil
	}, tTime, tTime)
	for name, sign := range map[string]float64{"+": 1, "-": -1} {
		for _, kind := range []value.Type{tInt, tFloat} {
			shift := func(args []value.Value) (value.Value, error) {
				seconds, _ := args[1].Number()
				nanos := sign * seconds * float64(time.Second)
				if math.IsNaN(nanos) || math.Abs(nanos) >= math.MaxInt64 {
					verb := "adding"
					if sign < 0 {
						verb = "subtracting"
					}
					return value.Value{}, value.Arithmetic("Timestamp overflow when %s %s second(s)", verb, args[1].String())
				}
				return value.NewTimestamp(args[0].Timestamp().Time.Add(time.Duration(nanos))), nil
			}
			pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) { return shift(args) }, tTime, kind)
			mutating(r, name+"=", func(_ value.Context, args []value.Value) (value.Value, error) {
				moved, err := shift(args)
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
