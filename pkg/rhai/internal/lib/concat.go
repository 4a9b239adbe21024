package lib

import (
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

// concatenation adds `+` for a string beside a value that the machine's own operators leave to it, and for a character
// behind a blob.
func concatenation(r *value.Registry) {
	text := func(c value.Context, v value.Value) (string, error) {
		if v.Kind() == value.KindBlob {
			return decode(c, v.Blob().Bytes)
		}
		return value.Text(c, v, value.FormPrint)
	}
	join := func(c value.Context, args []value.Value) (value.Value, error) {
		left, err := text(c, args[0])
		if err != nil {
			return value.Value{}, err
		}
		right, err := text(c, args[1])
		if err != nil {
			return value.Value{}, err
		}
		if err := c.Limits().CheckString(len(left) + len(right)); err != nil {
			return value.Value{}, err
		}
		if err := c.Reserve(len(left) + len(right)); err != nil {
			return value.Value{}, err
		}
		both, err := value.Concat(c, left, right)
		if err != nil {
			return value.Value{}, err
		}
		return newString(c, both)
	}
	pure(r, "+", join, tStr, tAny)
	pure(r, "+", join, tAny, tStr)
	pure(r, "+", func(c value.Context, args []value.Value) (value.Value, error) {
		if err := room(c, int64(len(args[0].Blob().Bytes)+utf8.UTFMax)); err != nil {
			return value.Value{}, err
		}
		n := len(args[0].Blob().Bytes)
		b, err := value.Make[byte](c, n, n+utf8.UTFMax)
		if err == nil {
			err = value.Copy(c, b, args[0].Blob().Bytes)
		}
		if err != nil {
			return value.Value{}, err
		}
		b = utf8.AppendRune(b, args[1].Char())
		return value.NewBlob(b), c.Limits().CheckArray(len(b))
	}, tBlob, tChar)
}
