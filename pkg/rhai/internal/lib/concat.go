package lib

import "circles/pkg/rhai/value"

// concatenation adds `+` for a string beside a value that the machine's own operators leave to it, and for a character
// behind a blob.
func concatenation(r *value.Registry) {
	text := func(v value.Value) string {
		if v.Kind() == value.KindBlob {
			return decode(v.Blob().Bytes)
		}
		return v.String()
	}
	join := func(c value.Context, args []value.Value) (value.Value, error) {
		left, err := format(c, args[0], text)
		if err != nil {
			return value.Value{}, err
		}
		right, err := format(c, args[1], text)
		if err != nil {
			return value.Value{}, err
		}
		return newString(c, left+right)
	}
	pure(r, "+", join, tStr, tAny)
	pure(r, "+", join, tAny, tStr)
	pure(r, "+", func(c value.Context, args []value.Value) (value.Value, error) {
		b := append([]byte(nil), args[0].Blob().Bytes...)
		b = append(b, string(args[1].Char())...)
		return value.NewBlob(b), c.Limits().CheckArray(len(b))
	}, tBlob, tChar)
}
