package lib

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

// blobs adds blob() and what blobs have. An int that goes into a blob leaves its lowest byte there.
func blobs(r *value.Registry) {
	create := func(c value.Context, args []value.Value) (value.Value, error) {
		n := int64(0)
		if len(args) > 0 {
			n = max(args[0].Int(), 0)
		}
		b, err := newBytes(c, n)
		if err != nil {
			return value.Value{}, err
		}
		if len(args) > 1 {
			err = fill(c, b, byte(args[1].Int()))
		}
		return value.NewBlob(b), err
	}
	pure(r, "blob", create)
	pure(r, "blob", create, tInt)
	pure(r, "blob", create, tInt, tInt)

	blobReading(r)
	blobChanging(r)
	blobNumbers(r)
}

// room is the limit's error when a blob of n bytes is too long. One that no machine could hold is too long in any case.
func room(c value.Context, n int64) error {
	if n > math.MaxInt32 {
		return value.TooLarge("Size of array/BLOB", value.LimitArray)
	}
	if err := c.Limits().CheckArray(int(n)); err != nil {
		return err
	}
	return c.Tick(int(n >> 10))
}

// newBytes makes a number of bytes, if a blob may have as many, and counts the work and the memory.
func newBytes(c value.Context, n int64) ([]byte, error) {
	if err := room(c, n); err != nil {
		return nil, err
	}
	if err := c.Reserve(int(n)); err != nil {
		return nil, err
	}
	return value.Make[byte](c, int(n), int(n))
}

// newBytesOf is newBytes with a copy of bytes in it.
func newBytesOf(c value.Context, part []byte) ([]byte, error) {
	b, err := newBytes(c, int64(len(part)))
	if err == nil {
		err = value.Copy(c, b, part)
	}
	return b, err
}

// copyBytes makes a blob of a part of one.
func copyBytes(c value.Context, part []byte) (value.Value, error) {
	b, err := newBytesOf(c, part)
	return value.NewBlob(b), err
}

// decode reads a blob as UTF-8, with a replacement character for every beginning of a character that does not go on, and
// for every byte that is none.
func decode(c value.Context, b []byte) (string, error) {
	size, valid := 0, true
	err := runes(c, b, func(r rune, good bool) {
		size += utf8.RuneLen(r)
		valid = valid && good
	})
	if err != nil {
		return "", err
	}
	if err := c.Limits().CheckString(size); err != nil {
		return "", err
	}
	if err := c.Reserve(size); err != nil {
		return "", err
	}
	if err := work(c, len(b)); err != nil {
		return "", err
	}
	if valid {
		return value.TextOf(c, b)
	}
	s, err := value.Make[byte](c, 0, size)
	if err == nil {
		err = runes(c, b, func(r rune, _ bool) { s = utf8.AppendRune(s, r) })
	}
	return value.TextIn(s), err
}

// runes calls f for one character after the other, and tells whether it is one.
func runes(c value.Context, b []byte, f func(r rune, good bool)) error {
	seen := 0
	return value.Pieces(c, len(b), 1, func(_, to int) {
		for seen < to {
			r, n := utf8.DecodeRune(b[seen:])
			good := r != utf8.RuneError || n > 1
			if !good {
				n = begun(b[seen:])
			}
			f(r, good)
			seen += n
		}
	})
}

// begun is how many bytes are the beginning of a character that does not go on; one, where no character begins.
func begun(b []byte) int {
	if len(b) < 2 {
		return 1
	}
	low, high := byte(0x80), byte(0xbf) // of the second byte
	switch b[0] {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	switch {
	case b[0] < 0xe0 || b[0] > 0xf4 || b[1] < low || b[1] > high:
		return 1
	case b[0] >= 0xf0 && len(b) > 2 && b[2] >= 0x80 && b[2] <= 0xbf:
		return 3
	}
	return 2
}

// growBlob checks that a blob may have so many bytes more, and counts the work and the memory.
func growBlob(c value.Context, b *value.Blob, more int) error {
	if err := c.Limits().CheckArray(len(b.Bytes) + more); err != nil {
		return err
	}
	if len(b.Bytes)+more > cap(b.Bytes) {
		if err := c.Reserve((len(b.Bytes) + more) * 5 / 4); err != nil {
			return err
		}
	}
	return c.Tick(more >> 10)
}

func fill(c value.Context, b []byte, x byte) error {
	return value.Pieces(c, len(b), 1, func(from, to int) {
		for i := from; i < to; i++ {
			b[i] = x
		}
	})
}

// at resolves an index: a negative one counts from the end; ok is false when there is nothing.
func at(size int, index int64) (int, bool) {
	if index < 0 {
		index += int64(size)
	}
	return int(index), index >= 0 && index < int64(size)
}

// replaceBytes puts other bytes in the place of some.
func replaceBytes(c value.Context, b *value.Blob, from, to int, by ...byte) error {
	bytes, err := value.Replace(c, b.Bytes, from, to, by...)
	if err == nil {
		b.Bytes = bytes
	}
	return err
}

func blobReading(r *value.Registry) {
	length := func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Int(int64(len(args[0].Blob().Bytes))), nil
	}
	pure(r, "len", length, tBlob)
	pure(r, value.Getter("len"), length, tBlob)
	empty := func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Bool(len(args[0].Blob().Bytes) == 0), nil
	}
	pure(r, "is_empty", empty, tBlob)
	pure(r, value.Getter("is_empty"), empty, tBlob)
	pure(r, "contains", func(c value.Context, args []value.Value) (value.Value, error) {
		b := args[0].Blob().Bytes
		return value.Bool(bytes.IndexByte(b, byte(args[1].Int())) >= 0), c.Tick(len(b) >> 10)
	}, tBlob, tInt)
	pure(r, "get", func(_ value.Context, args []value.Value) (value.Value, error) {
		b := args[0].Blob().Bytes
		if i, ok := itemAt(len(b), args[1].Int()); ok {
			return value.Int(int64(b[i])), nil
		}
		return value.Int(0), nil
	}, tBlob, tInt)
	pure(r, "as_string", func(c value.Context, args []value.Value) (value.Value, error) {
		s, err := decode(c, args[0].Blob().Bytes)
		return value.Str(s), err
	}, tBlob)
	pure(r, "to_array", func(c value.Context, args []value.Value) (value.Value, error) {
		b := args[0].Blob().Bytes
		items, err := newItems(c, len(b))
		if err != nil {
			return value.Value{}, err
		}
		err = value.Pieces(c, len(b), valueBytes, func(from, to int) {
			for _, x := range b[from:to] {
				items = append(items, value.Int(int64(x)))
			}
		})
		return value.NewArray(items), err
	}, tBlob)
	extract := func(c value.Context, args []value.Value) (value.Value, error) {
		b := args[0].Blob().Bytes
		from, to := portion(len(b), args)
		return copyBytes(c, b[from:to])
	}
	mutating(r, "extract", extract, tBlob, tInt)
	portions(func(params ...value.Type) { mutating(r, "extract", extract, params...) }, tBlob)
}

func blobChanging(r *value.Registry) {
	change := func(name string, native func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error), params ...value.Type) {
		mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
			b, err := value.OwnBlobIn(c, &args[0])
			if err != nil {
				return value.Value{}, err
			}
			return native(c, b, args)
		}, append([]value.Type{tBlob}, params...)...)
	}
	grow := func(c value.Context, b *value.Blob, more []byte) (value.Value, error) {
		if err := growBlob(c, b, len(more)); err != nil {
			return value.Value{}, err
		}
		n := len(b.Bytes)
		bytes, err := value.Grow(c, b.Bytes, len(more))
		if err != nil {
			return value.Value{}, err
		}
		b.Bytes = bytes[:n+len(more)]
		return value.Unit(), value.Copy(c, b.Bytes[n:], more)
	}
	push := func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		return grow(c, b, []byte{byte(args[1].Int())})
	}
	change("push", push, tInt)
	change("append", push, tInt)
	change("append", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		return grow(c, b, args[1].Blob().Bytes)
	}, tBlob)
	change("append", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		return grow(c, b, value.BytesOf(args[1].Text()))
	}, tStr)
	change("append", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		return grow(c, b, []byte(string(args[1].Char())))
	}, tChar)
	change("set", func(_ value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		i := args[1].Int()
		if i < 0 {
			i = max(i+int64(len(b.Bytes)), 0)
		}
		if i < int64(len(b.Bytes)) {
			b.Bytes[i] = byte(args[2].Int())
		}
		return value.Unit(), nil
	}, tInt, tInt)
	change("insert", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		if err := growBlob(c, b, 1); err != nil {
			return value.Value{}, err
		}
		if err := c.Tick(len(b.Bytes) >> 10); err != nil {
			return value.Value{}, err
		}
		from, _ := window(len(b.Bytes), args[1].Int(), 0)
		return value.Unit(), replaceBytes(c, b, from, from, byte(args[2].Int()))
	}, tInt, tInt)
	// take removes the byte at an index, or gives 0 where there is none.
	take := func(c value.Context, b *value.Blob, index int64) (value.Value, error) {
		i, ok := at(len(b.Bytes), index)
		if !ok {
			return value.Int(0), nil
		}
		x := b.Bytes[i]
		if err := replaceBytes(c, b, i, i+1); err != nil {
			return value.Value{}, err
		}
		return value.Int(int64(x)), c.Tick((len(b.Bytes) - i) >> 10)
	}
	change("pop", func(c value.Context, b *value.Blob, _ []value.Value) (value.Value, error) { return take(c, b, -1) })
	change("shift", func(c value.Context, b *value.Blob, _ []value.Value) (value.Value, error) { return take(c, b, 0) })
	change("remove", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		return take(c, b, args[1].Int())
	}, tInt)
	change("clear", func(_ value.Context, b *value.Blob, _ []value.Value) (value.Value, error) {
		b.Bytes = nil
		return value.Unit(), nil
	})
	change("reverse", func(c value.Context, b *value.Blob, _ []value.Value) (value.Value, error) {
		slices.Reverse(b.Bytes)
		return value.Unit(), c.Tick(len(b.Bytes) >> 10)
	})
	change("truncate", func(_ value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		b.Bytes = b.Bytes[:min(max(args[1].Int(), 0), int64(len(b.Bytes)))]
		return value.Unit(), nil
	}, tInt)
	change("chop", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		n := int64(len(b.Bytes))
		if err := replaceBytes(c, b, 0, int(n-min(max(args[1].Int(), 0), n))); err != nil {
			return value.Value{}, err
		}
		return value.Unit(), c.Tick(len(b.Bytes) >> 10)
	}, tInt)
	change("pad", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		n := args[1].Int()
		if n <= int64(len(b.Bytes)) {
			return value.Unit(), nil
		}
		if err := room(c, n); err != nil {
			return value.Value{}, err
		}
		have := len(b.Bytes)
		if err := growBlob(c, b, int(n)-have); err != nil {
			return value.Value{}, err
		}
		bytes, err := value.Grow(c, b.Bytes, int(n)-have)
		if err != nil {
			return value.Value{}, err
		}
		b.Bytes = bytes[:n]
		return value.Unit(), fill(c, b.Bytes[have:], byte(args[2].Int()))
	}, tInt, tInt)
	change("split", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
		from, _ := window(len(b.Bytes), args[1].Int(), 0)
		rest, err := copyBytes(c, b.Bytes[from:])
		if err == nil {
			b.Bytes = b.Bytes[:from]
		}
		return rest, err
	}, tInt)
	portions(func(params ...value.Type) {
		change("drain", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
			from, to := portion(len(b.Bytes), args)
			out, err := copyBytes(c, b.Bytes[from:to])
			if err == nil {
				err = replaceBytes(c, b, from, to)
			}
			return out, err
		}, params[1:]...)
	}, tBlob)
	portions(func(params ...value.Type) {
		change("retain", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
			start, count := asked(args)
			if count <= 0 {
				return value.NewBlob(nil), nil
			}
			from, to := window(len(b.Bytes), start, count)
			kept, err := newBytesOf(c, b.Bytes[from:to])
			if err != nil {
				return value.Value{}, err
			}
			if err := replaceBytes(c, b, from, to); err != nil {
				return value.Value{}, err
			}
			out := b.Bytes
			b.Bytes = kept
			return value.NewBlob(out), nil
		}, params[1:]...)
	}, tBlob)
	portions(func(params ...value.Type) {
		change("splice", func(c value.Context, b *value.Blob, args []value.Value) (value.Value, error) {
			last := len(args) - 1
			from, to := portion(len(b.Bytes), args[:last])
			if from == to { // what replaces nothing goes to the end
				from, to = len(b.Bytes), len(b.Bytes)
			}
			more := args[last].Blob().Bytes
			if err := c.Limits().CheckArray(len(b.Bytes) - (to - from) + len(more)); err != nil {
				return value.Value{}, err
			}
			more, err := newBytesOf(c, more)
			if err == nil {
				err = c.Reserve(value.Growing(args[0], len(more)))
			}
			if err != nil {
				return value.Value{}, err
			}
			return value.Unit(), replaceBytes(c, b, from, to, more...)
		}, params[1:]...)
	}, tBlob, tBlob)
}

// blobNumbers adds reading and writing of numbers and texts. Numbers are eight bytes; where there is room for fewer,
// those that come first are kept.
func blobNumbers(r *value.Registry) {
	for suffix, order := range map[string]binary.ByteOrder{"le": binary.LittleEndian, "be": binary.BigEndian} {
		read := func(args []value.Value) uint64 {
			b := args[0].Blob().Bytes
			from, to := portion(len(b), args)
			var eight [8]byte
			copy(eight[:], b[from:to])
			return order.Uint64(eight[:])
		}
		write := func(c value.Context, args []value.Value, bits uint64) (value.Value, error) {
			b, err := value.OwnBlobIn(c, &args[0])
			if err != nil {
				return value.Value{}, err
			}
			from, to := portion(len(b.Bytes), args[:len(args)-1])
			var eight [8]byte
			order.PutUint64(eight[:], bits)
			copy(b.Bytes[from:to], eight[:])
			return value.Unit(), nil
		}
		portions(func(params ...value.Type) {
			pure(r, "parse_"+suffix+"_int", func(_ value.Context, args []value.Value) (value.Value, error) {
				return value.Int(int64(read(args))), nil
			}, params...)
			pure(r, "parse_"+suffix+"_float", func(_ value.Context, args []value.Value) (value.Value, error) {
				return value.Float(math.Float64frombits(read(args))), nil
			}, params...)
			mutating(r, "write_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
				return write(c, args, uint64(args[len(args)-1].Int()))
			}, append(slices.Clone(params), tInt)...)
			mutating(r, "write_"+suffix, func(c value.Context, args []value.Value) (value.Value, error) {
				return write(c, args, floatBits(args[len(args)-1].Float()))
			}, append(slices.Clone(params), tFloat)...)
		}, tBlob)
	}
	for name, keep := range map[string]func(rune) bool{
		"write_utf8":  func(rune) bool { return true },
		"write_ascii": func(c rune) bool { return c < 0x80 },
	} {
		portions(func(params ...value.Type) {
			mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				b, err := value.OwnBlobIn(c, &args[0])
				if err != nil {
					return value.Value{}, err
				}
				last := len(args) - 1
				from, to := portion(len(b.Bytes), args[:last])
				into, seen := b.Bytes[from:to], 0
				for i, ch := range args[last].Text() {
					if len(into) == 0 {
						break
					}
					if i-seen >= value.Searched {
						if err := work(c, i-seen); err != nil {
							return value.Value{}, err
						}
						seen = i
					}
					if keep(ch) {
						var four [utf8.UTFMax]byte
						into = into[copy(into, four[:utf8.EncodeRune(four[:], ch)]):]
					}
				}
				return value.Unit(), work(c, to-from)
			}, params...)
		}, tBlob, tStr)
	}
}

// floatBits are the bits of a float. Of those that are no number, which Go has several of, nothing but the sign counts.
func floatBits(f float64) uint64 {
	bits := math.Float64bits(f)
	if f != f {
		return bits&(1<<63) | 0x7ff8<<48
	}
	return bits
}
