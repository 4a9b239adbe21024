package lib

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"circles/pkg/rhai/internal/float"
	"circles/pkg/rhai/value"
)

// numbers adds arithmetic beyond the operators, and conversions.
func numbers(r *value.Registry) {
	ints(r)
	floats(r)
	conversions(r)
	extremes(r)
}

// method adds a function under its name and as a property.
func method(r *value.Registry, name string, native value.Native, of value.Type) {
	pure(r, name, native, of)
	pure(r, value.Getter(name), native, of)
}

func ints(r *value.Registry) {
	for name, holds := range map[string]func(int64) bool{
		"is_zero": func(x int64) bool { return x == 0 },
		"is_even": func(x int64) bool { return x&1 == 0 },
		"is_odd":  func(x int64) bool { return x&1 != 0 },
	} {
		method(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			return value.Bool(holds(args[0].Int())), nil
		}, tInt)
	}
	pure(r, "sign", func(_ value.Context, args []value.Value) (value.Value, error) {
		x := args[0].Int()
		return value.Int(x>>63 | int64(uint64(-x)>>63)), nil
	}, tInt)
	pure(r, "abs", func(_ value.Context, args []value.Value) (value.Value, error) {
		x := args[0].Int()
		if x == math.MinInt64 {
			return value.Value{}, value.Arithmetic("Negation overflow: -%d", x)
		}
		return value.Int(max(x, -x)), nil
	}, tInt)
	for name, base := range map[string]int{"to_binary": 2, "to_octal": 8, "to_hex": 16} {
		pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			return value.Str(strconv.FormatUint(uint64(args[0].Int()), base)), nil
		}, tInt)
	}
}

func floats(r *value.Registry) {
	for name, x := range map[string]float64{"PI": math.Pi, "E": math.E} {
		pure(r, name, func(value.Context, []value.Value) (value.Value, error) { return value.Float(x), nil })
	}
	for name, f := range map[string]func(float64) float64{
		"sin": float.Sin, "cos": float.Cos, "tan": float.Tan, "asin": float.Asin, "acos": float.Acos, "atan": float.Atan,
		"sinh": float.Sinh, "cosh": float.Cosh, "tanh": float.Tanh, "asinh": float.Asinh, "acosh": float.Acosh,
		"atanh": float.Atanh, "sqrt": math.Sqrt, "exp": float.Exp, "ln": float.Log, "log": float.Log10, "abs": math.Abs,
		"to_degrees": func(x float64) float64 { return x * (180 / math.Pi) },
		"to_radians": func(x float64) float64 { return x * (math.Pi / 180) },
	} {
		pure(r, name, unary(f), tFloat)
	}
	for name, f := range map[string]func(float64) float64{
		"floor": math.Floor, "ceiling": math.Ceil, "round": math.Round, "int": math.Trunc,
		"fraction": func(x float64) float64 { return x - math.Trunc(x) },
	} {
		method(r, name, unary(f), tFloat)
	}
	for name, f := range map[string]func(x, y float64) float64{
		"atan": float.Atan2, "hypot": float.Hypot,
		"log": func(x, base float64) float64 { return float.Log(x) / float.Log(base) },
	} {
		pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			return value.Float(f(args[0].Float(), args[1].Float())), nil
		}, tFloat, tFloat)
	}
	for name, holds := range map[string]func(float64) bool{
		"is_nan":      math.IsNaN,
		"is_finite":   func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) },
		"is_infinite": func(x float64) bool { return math.IsInf(x, 0) },
		"is_zero":     func(x float64) bool { return x == 0 },
	} {
		method(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			return value.Bool(holds(args[0].Float())), nil
		}, tFloat)
	}
	pure(r, "sign", func(_ value.Context, args []value.Value) (value.Value, error) {
		switch x := args[0].Float(); {
		case math.IsNaN(x):
			return value.Value{}, value.Arithmetic("Sign of NaN is undefined")
		case x > 0:
			return value.Int(1), nil
		case x < 0:
			return value.Int(-1), nil
		}
		return value.Int(0), nil
	}, tFloat)
}

func unary(f func(float64) float64) value.Native {
	return func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Float(f(args[0].Float())), nil
	}
}

func conversions(r *value.Registry) {
	same := func(_ value.Context, args []value.Value) (value.Value, error) { return args[0], nil }
	pure(r, "to_int", same, tInt)
	pure(r, "to_float", same, tFloat)
	pure(r, "to_int", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Int(int64(args[0].Char())), nil
	}, tChar)
	pure(r, "to_float", func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Float(float64(args[0].Int())), nil
	}, tInt)
	pure(r, "to_int", func(_ value.Context, args []value.Value) (value.Value, error) {
		x := args[0].Float()
		const most = 1 << 63 // the largest int as the nearest float
		switch {
		case math.IsNaN(x):
			return value.Int(0), nil
		case x > most || x < -most:
			text := strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'f', -1, 64), "+"))
			return value.Value{}, value.Arithmetic("Integer overflow: to_int(%s)", text)
		case x == most:
			return value.Int(math.MaxInt64), nil
		}
		return value.Int(int64(x)), nil
	}, tFloat)
	pure(r, "parse_int", func(c value.Context, args []value.Value) (value.Value, error) {
		if err := work(c, len(args[0].Text())); err != nil {
			return value.Value{}, err
		}
		return parsed(c, args[0].Text(), func(text string) (value.Value, error) { return parseInt(text, 10) })
	}, tStr)
	pure(r, "parse_int", func(c value.Context, args []value.Value) (value.Value, error) {
		if err := work(c, len(args[0].Text())); err != nil {
			return value.Value{}, err
		}
		radix := args[1].Int()
		if radix < 2 || radix > 36 {
			return value.Value{}, value.Arithmetic("Invalid radix: '%d'", radix)
		}
		return parsed(c, args[0].Text(), func(text string) (value.Value, error) { return parseInt(text, int(radix)) })
	}, tStr, tInt)
	pure(r, "parse_float", func(c value.Context, args []value.Value) (value.Value, error) {
		if err := work(c, 4*len(args[0].Text())); err != nil {
			return value.Value{}, err
		}
		return parsed(c, args[0].Text(), parseFloat)
	}, tStr)
}

// parsed is the number of a text, which is looked at aside when it is long.
func parsed(c value.Context, text string, parse func(string) (value.Value, error)) (v value.Value, err error) {
	if len(text) <= value.Searched {
		return parse(text)
	}
	type number struct {
		v   value.Value
		err error
	}
	n, err := aside(c, func() number {
		v, err := parse(text)
		return number{v, err}
	})
	if err != nil {
		return value.Value{}, err
	}
	return n.v, n.err
}

// aside is what f makes of immutable values, while the run can end.
func aside[T any](c value.Context, f func() T) (x T, err error) {
	made := make(chan T, 1)
	if err := c.Aside(func() { made <- f() }); err != nil {
		return x, err
	}
	return <-made, nil
}

func parseInt(given string, radix int) (value.Value, error) {
	text := strings.TrimSpace(given)
	x, err := strconv.ParseInt(text, radix, 64)
	if err == nil {
		return value.Int(x), nil
	}
	if errors.Is(err, strconv.ErrSyntax) { // what comes before the first wrong digit may be too much already
		if _, e := strconv.ParseInt(text[:digits(text, radix)], radix, 64); errors.Is(e, strconv.ErrRange) {
			err = e
		}
	}
	why := "invalid digit found in string"
	switch {
	case text == "":
		why = "cannot parse integer from empty string"
	case errors.Is(err, strconv.ErrRange) && strings.HasPrefix(text, "-"):
		why = "number too small to fit in target type"
	case errors.Is(err, strconv.ErrRange):
		why = "number too large to fit in target type"
	}
	return value.Value{}, value.NotANumber("integer", given, why)
}

// digits is how much of a text is a sign and digits.
func digits(text string, radix int) int {
	for i, c := range text {
		if _, err := strconv.ParseUint(string(c), radix, 64); err != nil && (i > 0 || c != '-' && c != '+') {
			return i
		}
	}
	return len(text)
}

func parseFloat(given string) (value.Value, error) {
	text := strings.TrimSpace(given)
	// Go reads hexadecimal floats and digits apart by underscores too; the language does not.
	if !strings.ContainsAny(text, "xX_") {
		x, err := strconv.ParseFloat(text, 64)
		if err == nil || errors.Is(err, strconv.ErrRange) {
			return value.Float(x), nil
		}
	}
	why := "invalid float literal"
	if text == "" {
		why = "cannot parse float from empty string"
	}
	return value.Value{}, value.NotANumber("floating-point", given, why)
}

// extremes adds min and max of two numbers, strings or characters. Of two numbers of different types the result is a
// float. The second is the result when the two can't be told apart.
func extremes(r *value.Registry) {
	for name, first := range map[string]func(order int) bool{
		"min": func(order int) bool { return order < 0 },
		"max": func(order int) bool { return order > 0 },
	} {
		pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			x, y := args[0].Int(), args[1].Int()
			if first(compare(x, y)) {
				y = x
			}
			return value.Int(y), nil
		}, tInt, tInt)
		for _, types := range [][]value.Type{{tFloat, tFloat}, {tInt, tFloat}, {tFloat, tInt}} {
			pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
				x, _ := args[0].Number()
				y, _ := args[1].Number()
				if x == y || first(compare(x, y)) { // of two zeros the first
					y = x
				}
				return value.Float(y), nil
			}, types...)
		}
		pure(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
			if err := lookAt(c, args[0], args[1]); err != nil {
				return value.Value{}, err
			}
			if first(compare(args[0].Text(), args[1].Text())) {
				return args[0], nil
			}
			return args[1], nil
		}, tStr, tStr)
		pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) {
			if first(compare(args[0].Char(), args[1].Char())) {
				return args[0], nil
			}
			return args[1], nil
		}, tChar, tChar)
	}
}

// compare orders two values of a type; those that have no order are equal.
func compare[T int64 | float64 | string | rune](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
