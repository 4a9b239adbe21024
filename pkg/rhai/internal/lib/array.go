package lib

import (
	"math"

	"circles/pkg/rhai/value"
)

// arrays adds what arrays have.
func arrays(r *value.Registry) {
	arrayItems(r)
	arrayParts(r)
	arraySearching(r)
	arrayFolding(r)
	arraySorting(r)
}

// change the array of the receiver: a mutating function works on one that is its own.
func changeArray(r *value.Registry, name string, f func(c value.Context, a *value.Array, args []value.Value) (value.Value, error),
	params ...value.Type) {
	mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
		a, err := value.OwnArrayIn(c, &args[0])
		if err != nil {
			return value.Value{}, err
		}
		return f(c, a, args)
	}, params...)
}

// itemAt resolves the index of an item: a negative one counts from the end, and stops at the first.
func itemAt(size int, index int64) (int, bool) {
	if index < 0 {
		index = max(index+int64(size), 0)
	}
	return int(min(index, math.MaxInt32)), index < int64(size)
}

func arrayItems(r *value.Registry) {
	property(r, "len", tArray, func(v value.Value) value.Value { return value.Int(int64(len(v.Array().Items))) })
	property(r, "is_empty", tArray, func(v value.Value) value.Value { return value.Bool(len(v.Array().Items) == 0) })

	changeArray(r, "get", func(_ value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		if at, ok := itemAt(len(a.Items), args[1].Int()); ok {
			return a.Items[at].Share(), nil
		}
		return value.Unit(), nil
	}, tArray, tInt)
	changeArray(r, "set", func(_ value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		if at, ok := itemAt(len(a.Items), args[1].Int()); ok {
			a.Items[at] = args[2]
		}
		return value.Unit(), nil
	}, tArray, tInt, tAny)
	changeArray(r, "push", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		if err := c.Limits().CheckArray(len(a.Items) + 1); err != nil {
			return value.Value{}, err
		}
		if len(a.Items) == cap(a.Items) && len(a.Items) > chunk {
			if err := c.Reserve(value.Pushing(a.Items)); err != nil {
				return value.Value{}, err
			}
		}
		items, err := value.Push(c, a.Items, args[1])
		if err == nil {
			a.Items = items
		}
		return value.Unit(), err
	}, tArray, tAny)
	changeArray(r, "append", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		more := args[1].Array().Items
		if err := grow(c, args[0], len(more)); err != nil {
			return value.Value{}, err
		}
		items, err := value.AppendShared(c, a.Items, more)
		if err == nil {
			a.Items = items
		}
		return value.Unit(), err
	}, tArray, tArray)
	changeArray(r, "insert", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		if err := grow(c, args[0], 1); err != nil {
			return value.Value{}, err
		}
		at, ok := itemAt(len(a.Items), args[1].Int())
		if !ok {
			at = len(a.Items)
		}
		items, err := value.Replace(c, a.Items, at, at, args[2])
		if err != nil {
			return value.Value{}, err
		}
		a.Items = items
		return value.Unit(), work(c, len(a.Items)-at)
	}, tArray, tInt, tAny)
	changeArray(r, "pad", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		n := args[1].Int()
		if n <= int64(len(a.Items)) {
			return value.Unit(), nil
		}
		if n > math.MaxInt32 {
			return value.Value{}, value.TooLarge("Size of array/BLOB", value.LimitArray)
		}
		if err := grow(c, args[0], int(n)-len(a.Items)); err != nil {
			return value.Value{}, err
		}
		more := int(n) - len(a.Items)
		items, err := value.Grow(c, a.Items, more)
		if err != nil {
			return value.Value{}, err
		}
		by := args[2].Share()
		err = value.Pieces(c, more, valueBytes, func(from, to int) {
			for range to - from {
				items = append(items, by)
			}
		})
		a.Items = items
		return value.Unit(), err
	}, tArray, tInt, tAny)

	changeArray(r, "pop", func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		return takeItem(c, a, len(a.Items)-1)
	}, tArray)
	changeArray(r, "shift", func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		return takeItem(c, a, 0)
	}, tArray)
	changeArray(r, "remove", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		at, n := args[1].Int(), int64(len(a.Items))
		if at < 0 {
			at += n
		}
		if at < 0 || at >= n {
			return value.Unit(), nil
		}
		return takeItem(c, a, int(at))
	}, tArray, tInt)
	changeArray(r, "clear", func(_ value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		a.Items = nil
		return value.Unit(), nil
	}, tArray)
	changeArray(r, "reverse", func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		items, last := a.Items, len(a.Items)-1
		err := value.Pieces(c, len(items)/2, 2*valueBytes, func(from, to int) {
			for i := from; i < to; i++ {
				items[i], items[last-i] = items[last-i], items[i]
			}
		})
		if err != nil {
			return value.Value{}, err
		}
		return value.Unit(), work(c, len(items))
	}, tArray)
}

// grow checks that an array may have more items, and counts the work and the memory.
func grow(c value.Context, array value.Value, more int) error {
	if err := c.Limits().CheckArray(len(array.Array().Items) + more); err != nil {
		return err
	}
	if err := c.Reserve(value.Growing(array, more)); err != nil {
		return err
	}
	return work(c, more)
}

// newItems makes room for a number of items, if an array may have as many, and counts the work and the memory.
func newItems(c value.Context, n int) ([]value.Value, error) {
	if err := c.Limits().CheckArray(n); err != nil {
		return nil, err
	}
	if err := c.Reserve(valueBytes * n); err != nil {
		return nil, err
	}
	if err := work(c, n); err != nil {
		return nil, err
	}
	return value.Make[value.Value](c, 0, n)
}

// clone is newItems with copies of items in it that leave their place, or with such that stay if stay says so.
func clone(c value.Context, items []value.Value, stay bool) ([]value.Value, error) {
	list, err := newItems(c, len(items))
	if err != nil {
		return nil, err
	}
	if stay {
		return value.AppendShared(c, list, items)
	}
	return list[:len(items)], value.Copy(c, list[:len(items)], items)
}

// valueBytes is the size of a value in an array.
const valueBytes = 16

// takeItem takes an item out; unit when there is none at the index.
func takeItem(c value.Context, a *value.Array, at int) (value.Value, error) {
	if at < 0 || at >= len(a.Items) {
		return value.Unit(), nil
	}
	if at == 0 {
		x, copied, err := a.Shift(c)
		if copied == 0 {
			return x, err
		}
		if err := c.Reserve(valueBytes * copied); err != nil {
			return value.Value{}, err
		}
		return x, work(c, copied)
	}
	x := a.Items[at]
	moved := len(a.Items) - at - 1
	if err := removeItems(c, a, at, at+1); err != nil || moved == 0 {
		return x, err
	}
	return x, work(c, moved)
}

// removeItems takes the items from one index up to another out.
func removeItems(c value.Context, a *value.Array, from, to int) error {
	items, err := value.Replace(c, a.Items, from, to)
	if err == nil {
		a.Items = items
	}
	return err
}

// copyItems is a new array of items that stay where they are.
func copyItems(c value.Context, items []value.Value) (value.Value, error) {
	list, err := clone(c, items, true)
	return value.NewArray(list), err
}

func arrayParts(r *value.Registry) {
	changeArray(r, "truncate", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		keep := min(max(args[1].Int(), 0), int64(len(a.Items)))
		dropped := a.Items[keep:]
		a.Items = a.Items[:keep]
		return value.Unit(), value.Clear(c, dropped)
	}, tArray, tInt)
	changeArray(r, "chop", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		drop := int64(len(a.Items)) - min(max(args[1].Int(), 0), int64(len(a.Items)))
		items, err := clone(c, a.Items[drop:], false)
		if err == nil {
			a.Items = items
		}
		return value.Unit(), err
	}, tArray, tInt)
	changeArray(r, "split", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		at, ok := itemAt(len(a.Items), args[1].Int())
		if !ok {
			at = len(a.Items)
		}
		tail, err := clone(c, a.Items[at:], false)
		if err != nil {
			return value.Value{}, err
		}
		dropped := a.Items[at:]
		a.Items = a.Items[:at]
		return value.NewArray(tail), value.Clear(c, dropped)
	}, tArray, tInt)

	extract := func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		from, to := portion(len(a.Items), args)
		return copyItems(c, a.Items[from:to])
	}
	portions(func(params ...value.Type) { changeArray(r, "extract", extract, params...) }, tArray)
	changeArray(r, "extract", extract, tArray, tInt)
	portions(func(params ...value.Type) {
		changeArray(r, "drain", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
			from, to := portion(len(a.Items), args)
			out, err := clone(c, a.Items[from:to], false)
			if err != nil {
				return value.Value{}, err
			}
			if err := removeItems(c, a, from, to); err != nil {
				return value.Value{}, err
			}
			return value.NewArray(out), work(c, len(a.Items))
		}, params...)
		changeArray(r, "retain", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
			from, to := portion(len(a.Items), args)
			if from == to { // nothing to keep: all stay
				return value.NewArray(nil), nil
			}
			kept, err := clone(c, a.Items[from:to], false)
			if err != nil {
				return value.Value{}, err
			}
			if err := removeItems(c, a, from, to); err != nil {
				return value.Value{}, err
			}
			out := a.Items
			a.Items = kept
			return value.NewArray(out), work(c, len(out))
		}, params...)
	}, tArray)
	portions(func(params ...value.Type) {
		changeArray(r, "splice", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
			last := len(args) - 1
			from, to := portion(len(a.Items), args[:last])
			by := args[last].Array().Items
			if err := c.Limits().CheckArray(len(a.Items) - (to - from) + len(by)); err != nil {
				return value.Value{}, err
			}
			by, err := clone(c, by, true)
			if err == nil {
				err = c.Reserve(value.Growing(args[0], len(by)))
			}
			if err != nil {
				return value.Value{}, err
			}
			items, err := value.Replace(c, a.Items, from, to, by...)
			if err != nil {
				return value.Value{}, err
			}
			a.Items = items
			return value.Unit(), work(c, len(a.Items))
		}, params...)
	}, tArray, tArray)
}

// eachPointer adds a function whose second argument is a function pointer or the name of a function.
func eachPointer(add func(second value.Type)) {
	add(tFn)
	add(tStr)
}

// walk calls f for the items of the receiver, as they were at the beginning, until f is done.
func walk(c value.Context, args []value.Value, from int, f func(i int, place *value.Value) (done bool, err error)) error {
	items := args[0].Array().Items
	args[0].Share()
	var place value.Value // one for all: it lives on the heap
	for i := from; i < len(items); i++ {
		place = items[i].Share()
		done, err := f(i, &place)
		if e := writeBack(c, args, i, items[i], place); err == nil {
			err = e
		}
		if done || err != nil {
			return err
		}
	}
	return nil
}

// writeBack puts an item that a function has written to as its this into the receiver.
func writeBack(c value.Context, args []value.Value, i int, old, item value.Value) error {
	if item.Identical(old) {
		return nil
	}
	if err := c.Reserve(value.Growing(args[0], 0)); err != nil {
		return err
	}
	a, err := value.OwnArrayIn(c, &args[0])
	if err == nil && i < len(a.Items) {
		a.Items[i] = item
	}
	return err
}

// begin is the index that a search starts from: the third argument's, or the first one.
func begin(args []value.Value) int {
	if len(args) < 3 {
		return 0
	}
	at, _ := itemAt(len(args[0].Array().Items), args[2].Int())
	return at
}

func arraySearching(r *value.Registry) {
	pure(r, "contains", func(c value.Context, args []value.Value) (value.Value, error) {
		at, err := position(c, args[0].Array().Items, 0, args[1])
		return value.Bool(at >= 0), err
	}, tArray, tAny)
	byValue := func(c value.Context, args []value.Value) (value.Value, error) {
		at, err := position(c, args[0].Array().Items, begin(args), args[1])
		return value.Int(int64(at)), err
	}
	pure(r, "index_of", byValue, tArray, tAny)
	pure(r, "index_of", byValue, tArray, tAny, tInt)
	byFunction := func(c value.Context, args []value.Value) (value.Value, error) {
		at := int64(-1)
		cb, err := newCallback(c, args[1])
		if err != nil {
			return byValue(c, args) // what is no name is looked for
		}
		err = walk(c, args, begin(args), func(i int, place *value.Value) (bool, error) {
			v, err := cb.each(place, 0, value.Int(int64(i)))
			if isTrue(v) {
				at = int64(i)
			}
			return isTrue(v), err
		})
		// A string is looked for where there is no function of that name for an item.
		if err != nil && args[1].IsString() && cb.missing(err) {
			return byValue(c, args)
		}
		return value.Int(at), err
	}
	eachPointer(func(second value.Type) {
		goingBack(r, "index_of", byFunction, tArray, second)
		goingBack(r, "index_of", byFunction, tArray, second, tInt)
		for name, stop := range map[string]bool{"some": true, "all": false} {
			goingBack(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				found := false
				cb, err := newCallback(c, args[1])
				if err != nil {
					return value.Value{}, err
				}
				err = walk(c, args, 0, func(i int, place *value.Value) (bool, error) {
					v, err := cb.each(place, 0, value.Int(int64(i)))
					found = err == nil && isTrue(v) == stop
					return found, err
				})
				return value.Bool(found == stop), err
			}, tArray, second)
		}
	})
	find := func(c value.Context, args []value.Value) (value.Value, error) {
		found := value.Unit()
		cb, err := newCallback(c, args[1])
		if err != nil {
			return value.Value{}, err
		}
		err = walk(c, args, begin(args), func(i int, place *value.Value) (bool, error) {
			v, err := cb.each(place, 0, value.Int(int64(i)))
			if isTrue(v) {
				found = place.Share()
			}
			return isTrue(v), err
		})
		return found, err
	}
	findMap := func(c value.Context, args []value.Value) (value.Value, error) {
		found := value.Unit()
		cb, err := newCallback(c, args[1])
		if err != nil {
			return value.Value{}, err
		}
		err = walk(c, args, begin(args), func(i int, place *value.Value) (bool, error) {
			v, err := cb.each(place, 0, value.Int(int64(i)))
			found = v
			return !v.IsUnit(), err
		})
		return found, err
	}
	for _, params := range [][]value.Type{{tArray, tFn}, {tArray, tFn, tInt}} {
		r.Add(value.Func{Name: "find", Params: params, Native: find, GoesBack: true, Traced: "index_of"})
	}
	goingBack(r, "find_map", findMap, tArray, tFn)
	goingBack(r, "find_map", findMap, tArray, tFn, tInt)
}

// position is the index of the first item equal to x; -1 when there is none.
func position(c value.Context, items []value.Value, from int, x value.Value) (int, error) {
	for i := from; i < len(items); i++ {
		if i%chunk == 0 {
			if err := c.Tick(chunk / perOperation); err != nil {
				return -1, err
			}
		}
		same, err := value.EqualItems(c, items[i], x)
		if err != nil {
			return -1, err
		}
		if same {
			return i, nil
		}
	}
	return -1, nil
}

// add puts an item behind a list that a function makes, and counts the memory when it is much.
func add(c value.Context, list []value.Value, x value.Value) ([]value.Value, error) {
	if len(list) == cap(list) && len(list) > chunk {
		if err := c.Reserve(value.Pushing(list)); err != nil {
			return nil, err
		}
	}
	return value.Push(c, list, x)
}

func arrayFolding(r *value.Registry) {
	eachPointer(func(second value.Type) {
		folding := goingBack
		if second == tStr {
			folding = mutating // of a constant's items, as in the reference, a function is called by its pointer alone
		}
		folding(r, "map", func(c value.Context, args []value.Value) (value.Value, error) {
			cb, err := newCallback(c, args[1])
			if err != nil {
				return value.Value{}, err
			}
			list, err := newItems(c, len(args[0].Array().Items))
			if err != nil {
				return value.Value{}, err
			}
			c.Hold(&list)
			err = walk(c, args, 0, func(i int, place *value.Value) (bool, error) {
				v, err := cb.each(place, 0, value.Int(int64(i)))
				list = append(list, v.Share())
				return false, err
			})
			return value.NewArray(list), err
		}, tArray, second)
		folding(r, "filter", func(c value.Context, args []value.Value) (value.Value, error) {
			cb, err := newCallback(c, args[1])
			if err != nil {
				return value.Value{}, err
			}
			var list []value.Value
			c.Hold(&list)
			err = walk(c, args, 0, func(i int, place *value.Value) (bool, error) {
				v, err := cb.each(place, 0, value.Int(int64(i)))
				if isTrue(v) && err == nil {
					list, err = add(c, list, place.Share())
				}
				return false, err
			})
			return value.NewArray(list), err
		}, tArray, second)
		for name, keep := range map[string]bool{"retain": true, "drain": false} {
			mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				cb, err := newCallback(c, args[1])
				if err != nil {
					return value.Value{}, err
				}
				var in, out []value.Value
				c.Hold(&in)
				c.Hold(&out)
				done := 0
				err = walk(c, args, 0, func(i int, place *value.Value) (bool, error) {
					done = i
					v, err := cb.each(place, 0, value.Int(int64(i)))
					list := &out
					if isTrue(v) {
						list = &in
					}
					if err == nil {
						*list, err = add(c, *list, place.Share())
					}
					return false, err
				})
				if !keep {
					in, out = out, in
				}
				if err != nil { // what has been taken is gone
					in, _ = value.AppendShared(c, in, args[0].Array().Items[done:])
				}
				args[0] = value.NewArray(in)
				return value.NewArray(out), err
			}, tArray, second)
		}
		for name, backward := range map[string]bool{"reduce": false, "reduce_rev": true} {
			fold := func(c value.Context, args []value.Value) (value.Value, error) {
				cb, err := newCallback(c, args[1])
				if err != nil {
					return value.Value{}, err
				}
				acc := value.Unit()
				if len(args) > 2 {
					acc = args[2]
				}
				n := len(args[0].Array().Items)
				items := args[0].Share().Array().Items
				var place value.Value // one for all: it lives on the heap
				for k := range n {
					i := k
					if backward {
						i = n - 1 - k
					}
					place = items[i].Share()
					v, err := cb.each(&place, 1, value.Int(int64(i)), acc)
					if e := writeBack(c, args, i, items[i], place); err == nil {
						err = e
					}
					if err != nil {
						return value.Value{}, err
					}
					acc = v
				}
				return acc, nil
			}
			goingBack(r, name, fold, tArray, second)
			goingBack(r, name, fold, tArray, second, tAny)
		}
	})
	mutating(r, "for_each", func(c value.Context, args []value.Value) (value.Value, error) {
		cb, err := newCallback(c, args[1])
		if err != nil {
			return value.Value{}, err
		}
		items, err := clone(c, args[0].Array().Items, true)
		if err != nil {
			return value.Value{}, err
		}
		c.Hold(&items)
		for i := 0; i < len(items) && err == nil; i++ {
			_, err = cb.on(&items[i], value.Int(int64(i)))
		}
		args[0] = value.NewArray(items)
		return value.Unit(), err
	}, tArray, tFn)
	pure(r, "zip", func(c value.Context, args []value.Value) (value.Value, error) {
		cb, err := newCallback(c, args[2])
		if err != nil {
			return value.Value{}, err
		}
		a, b := args[0].Share().Array().Items, args[1].Share().Array().Items
		list, err := newItems(c, min(len(a), len(b)))
		if err != nil {
			return value.Value{}, err
		}
		c.Hold(&list)
		for i := range min(len(a), len(b)) {
			v, err := cb.with(value.Int(int64(i)), a[i].Share(), b[i].Share())
			if err != nil {
				return value.Value{}, err
			}
			list = append(list, v.Share())
		}
		return value.NewArray(list), nil
	}, tArray, tArray, tFn)
}
