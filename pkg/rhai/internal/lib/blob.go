package lib

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

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
			fill(b, byte(args[1].Int()))
		}
		return value.NewBlob(b), nil
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
	return make([]byte, n), nil
}

// newBytesOf is newBytes with a copy of bytes in it.
func newBytesOf(c value.Context, part []byte) ([]byte, error) {
	b, err := newBytes(c, int64(len(part)))
	copy(b, part)
	return b, err
}

// copyBytes makes a blob of a part of one.
func copyBytes(c value.Context, part []byte) (value.Value, error) {
	b, err := newBytesOf(c, part)
	return value.NewBlob(b), err
}

// decode reads a blob as UTF-8, with a replacement character for every byte that is none.
func decode(c value.Context, b []byte) (string, error) {
	size := 0
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		size += utf8.RuneLen(r)
		rest = rest[n:]
	}
	if err := c.Limits().CheckString(size); err != nil {
		return "", err
	}
	if err := c.Reserve(size); err != nil {
		return "", err
	}
	if size == len(b) && utf8.Valid(b) {
		return string(b), work(c, len(b))
	}
	var s strings.Builder
	s.Grow(size)
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		s.WriteRune(r)
		rest = rest[n:]
	}
	return s.String(), work(c, len(b))
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

func fill(b []byte, x byte) {
	for i := range b {
		b[i] = x
	}
}

// at resolves an index: a negative one counts from the end; ok is false when there is nothing.
func at(size int, index int64) (int, bool) {
	if index < 0 {
		index += int64(size)
	}
	return int(index), index >= 0 && index < int64(size)
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
		for _, x := range b {
			items = append(items, value.Int(int64(x)))
		}
		return value.NewArray(items), nil
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
			return native(c, value.OwnBlob(&args[0]), args)
		}, append([]value.Type{tBlob}, params...)...)
	}
	grow := func(c value.Context, b *value.Blob, more []byte) (value.Value, error) {
		if err := growBlob(c, b, len(more)); err != nil {
			return value.Value{}, err
		}
		b.Bytes = append(b.Bytes, more...)
		return value.Unit(), nil
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
		text := args[1].Text()
		return grow(c, b, unsafe.Slice(unsafe.StringData(text), len(text))) // it is only read
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
		b.Bytes = slices.Insert(b.Bytes, from, byte(args[2].Int()))
		return value.Unit(), nil
	}, tInt, tInt)
	// take removes the byte at an index, or gives 0 where there is none.
	take := func(c value.Context, b *value.Blob, index int64) (value.Value, error) {
		i, ok := at(len(b.Bytes), index)
		if !ok {
			return value.Int(0), nil
		}
		x := b.Bytes[i]
		b.Bytes = slices.Delete(b.Bytes, i, i+1)
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
		b.Bytes = slices.Delete(b.Bytes, 0, int(n-min(max(args[1].Int(), 0), n)))
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
		b.Bytes = slices.Grow(b.Bytes, int(n)-have)[:n]
		fill(b.Bytes[have:], byte(args[2].Int()))
		return value.Unit(), nil
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
				b.Bytes = slices.Delete(b.Bytes, from, to)
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
			out := slices.Delete(b.Bytes, from, to)
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
			b.Bytes = slices.Replace(b.Bytes, from, to, more...)
			return value.Unit(), nil
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
		write := func(args []value.Value, bits uint64) (value.Value, error) {
			b := value.OwnBlob(&args[0])
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
			mutating(r, "write_"+suffix, func(_ value.Context, args []value.Value) (value.Value, error) {
				return write(args, uint64(args[len(args)-1].Int()))
			}, append(slices.Clone(params), tInt)...)
			mutating(r, "write_"+suffix, func(_ value.Context, args []value.Value) (value.Value, error) {
				return write(args, math.Float64bits(args[len(args)-1].Float()))
			}, append(slices.Clone(params), tFloat)...)
		}, tBlob)
	}
	for name, keep := range map[string]func(rune) bool{
		"write_utf8":  func(rune) bool { return true },
		"write_ascii": func(c rune) bool { return c < 0x80 },
	} {
		portions(func(params ...value.Type) {
			mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				b := value.OwnBlob(&args[0])
				last := len(args) - 1
				from, to := portion(len(b.Bytes), args[:last])
				into := b.Bytes[from:to]
				for i, ch := range args[last].Text() {
					if len(into) == 0 {
						break
					}
					if i%value.Searched == value.Searched-1 {
						if err := work(c, value.Searched); err != nil {
							return value.Value{}, err
						}
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
