package lib

import (
	"math"
	"slices"

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
		return f(c, value.OwnArray(&args[0]), args)
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
		a.Items = append(a.Items, args[1])
		return value.Unit(), nil
	}, tArray, tAny)
	changeArray(r, "append", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		more := args[1].Array().Items
		if err := grow(c, len(a.Items), len(more)); err != nil {
			return value.Value{}, err
		}
		for _, x := range more {
			a.Items = append(a.Items, x.Share())
		}
		return value.Unit(), nil
	}, tArray, tArray)
	changeArray(r, "insert", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		if err := grow(c, len(a.Items), 1); err != nil {
			return value.Value{}, err
		}
		at, ok := itemAt(len(a.Items), args[1].Int())
		if !ok {
			at = len(a.Items)
		}
		a.Items = slices.Insert(a.Items, at, args[2])
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
		if err := grow(c, len(a.Items), int(n)-len(a.Items)); err != nil {
			return value.Value{}, err
		}
		a.Items = slices.Grow(a.Items, int(n)-len(a.Items))
		for len(a.Items) < int(n) {
			a.Items = append(a.Items, args[2].Share())
		}
		return value.Unit(), nil
	}, tArray, tInt, tAny)

	changeArray(r, "pop", func(_ value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		return takeItem(a, len(a.Items)-1), nil
	}, tArray)
	changeArray(r, "shift", func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		return takeItem(a, 0), nil
	}, tArray)
	changeArray(r, "remove", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		at, n := args[1].Int(), int64(len(a.Items))
		if at < 0 {
			at += n
		}
		if at < 0 || at >= n {
			return value.Unit(), nil
		}
		return takeItem(a, int(at)), work(c, int(n-at))
	}, tArray, tInt)
	changeArray(r, "clear", func(_ value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		a.Items = nil
		return value.Unit(), nil
	}, tArray)
	changeArray(r, "reverse", func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		slices.Reverse(a.Items)
		return value.Unit(), work(c, len(a.Items))
	}, tArray)
}

// grow checks that an array of n items may have more, and counts the work.
func grow(c value.Context, n, more int) error {
	if err := c.Limits().CheckArray(n + more); err != nil {
		return err
	}
	return work(c, more)
}

// takeItem takes an item out; unit when there is none at the index. The first one costs nothing to take.
func takeItem(a *value.Array, at int) value.Value {
	if at < 0 || at >= len(a.Items) {
		return value.Unit()
	}
	x := a.Items[at]
	switch at {
	case 0:
		a.Items[0] = value.Value{}
		a.Items = a.Items[1:]
		if n := len(a.Items); n&(n-1) == 0 {
			a.Items = slices.Clone(a.Items) // lest the beginning that is gone be kept
		}
	default:
		a.Items = slices.Delete(a.Items, at, at+1)
	}
	return x
}

// copyItems is a new array of items that stay where they are.
func copyItems(items []value.Value) value.Value {
	list := make([]value.Value, len(items))
	for i, x := range items {
		list[i] = x.Share()
	}
	return value.NewArray(list)
}

func arrayParts(r *value.Registry) {
	changeArray(r, "truncate", func(_ value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		keep := min(max(args[1].Int(), 0), int64(len(a.Items)))
		clear(a.Items[keep:])
		a.Items = a.Items[:keep]
		return value.Unit(), nil
	}, tArray, tInt)
	changeArray(r, "chop", func(_ value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		drop := int64(len(a.Items)) - min(max(args[1].Int(), 0), int64(len(a.Items)))
		a.Items = slices.Clone(a.Items[drop:])
		return value.Unit(), nil
	}, tArray, tInt)
	changeArray(r, "split", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		at, ok := itemAt(len(a.Items), args[1].Int())
		if !ok {
			at = len(a.Items)
		}
		tail := slices.Clone(a.Items[at:])
		clear(a.Items[at:])
		a.Items = a.Items[:at]
		return value.NewArray(tail), work(c, len(tail))
	}, tArray, tInt)

	extract := func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
		from, to := portion(len(a.Items), args)
		return copyItems(a.Items[from:to]), work(c, to-from)
	}
	portions(func(params ...value.Type) { changeArray(r, "extract", extract, params...) }, tArray)
	changeArray(r, "extract", extract, tArray, tInt)
	portions(func(params ...value.Type) {
		changeArray(r, "drain", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
			from, to := portion(len(a.Items), args)
			out := slices.Clone(a.Items[from:to])
			a.Items = slices.Delete(a.Items, from, to)
			return value.NewArray(out), work(c, len(a.Items)+len(out))
		}, params...)
		changeArray(r, "retain", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
			from, to := portion(len(a.Items), args)
			if from == to { // nothing to keep: all stay
				return value.NewArray(nil), nil
			}
			out := append(slices.Clone(a.Items[:from]), a.Items[to:]...)
			a.Items = slices.Clone(a.Items[from:to])
			return value.NewArray(out), work(c, len(a.Items)+len(out))
		}, params...)
	}, tArray)
	portions(func(params ...value.Type) {
		changeArray(r, "splice", func(c value.Context, a *value.Array, args []value.Value) (value.Value, error) {
			last := len(args) - 1
			from, to := portion(len(a.Items), args[:last])
			if err := grow(c, len(a.Items)-(to-from), len(args[last].Array().Items)); err != nil {
				return value.Value{}, err
			}
			by := copyItems(args[last].Array().Items).Array().Items
			a.Items = slices.Replace(a.Items, from, to, by...)
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
func walk(args []value.Value, from int, f func(i int, place *value.Value) (done bool, err error)) error {
	items := args[0].Array().Items
	args[0].Share()
	for i := from; i < len(items); i++ {
		place := items[i].Share()
		done, err := f(i, &place)
		writeBack(args, i, items[i], place)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// writeBack puts an item that a function has written to as its this into the receiver.
func writeBack(args []value.Value, i int, old, item value.Value) {
	if item.Identical(old) {
		return
	}
	if a := value.OwnArray(&args[0]); i < len(a.Items) {
		a.Items[i] = item
	}
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
		// A string is looked for, unless the script has a function of that name.
		if args[1].IsString() && !c.HasFn(args[1].Text(), -1) {
			return byValue(c, args)
		}
		at := int64(-1)
		cb, err := newCallback(c, args[1])
		if err != nil {
			return value.Value{}, err
		}
		err = walk(args, begin(args), func(i int, place *value.Value) (bool, error) {
			v, err := cb.each(place, 0, value.Int(int64(i)))
			if isTrue(v) {
				at = int64(i)
			}
			return isTrue(v), err
		})
		return value.Int(at), err
	}
	eachPointer(func(second value.Type) {
		calling(r, "index_of", byFunction, tArray, second)
		calling(r, "index_of", byFunction, tArray, second, tInt)
		for name, stop := range map[string]bool{"some": true, "all": false} {
			calling(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
				found := false
				cb, err := newCallback(c, args[1])
				if err != nil {
					return value.Value{}, err
				}
				err = walk(args, 0, func(i int, place *value.Value) (bool, error) {
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
		err = walk(args, begin(args), func(i int, place *value.Value) (bool, error) {
			x := *place
			v, err := cb.each(place, 0, value.Int(int64(i)))
			if isTrue(v) {
				found = x
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
		err = walk(args, begin(args), func(i int, place *value.Value) (bool, error) {
			v, err := cb.each(place, 0, value.Int(int64(i)))
			found = v
			return !v.IsUnit(), err
		})
		return found, err
	}
	calling(r, "find", find, tArray, tFn)
	calling(r, "find", find, tArray, tFn, tInt)
	calling(r, "find_map", findMap, tArray, tFn)
	calling(r, "find_map", findMap, tArray, tFn, tInt)
}

// position is the index of the first item equal to x; -1 when there is none.
func position(c value.Context, items []value.Value, from int, x value.Value) (int, error) {
	for i := from; i < len(items); i++ {
		if i%chunk == 0 {
			if err := c.Tick(1); err != nil {
				return -1, err
			}
		}
		same, err := sameItem(c, items[i], x)
		if err != nil {
			return -1, err
		}
		if same {
			return i, nil
		}
	}
	return -1, nil
}

func arrayFolding(r *value.Registry) {
	eachPointer(func(second value.Type) {
		calling(r, "map", func(c value.Context, args []value.Value) (value.Value, error) {
			cb, err := newCallback(c, args[1])
			if err != nil {
				return value.Value{}, err
			}
			list := make([]value.Value, 0, len(args[0].Array().Items))
			c.Hold(&list)
			err = walk(args, 0, func(i int, place *value.Value) (bool, error) {
				v, err := cb.each(place, 0, value.Int(int64(i)))
				list = append(list, v.Share())
				return false, err
			})
			return value.NewArray(list), err
		}, tArray, second)
		calling(r, "filter", func(c value.Context, args []value.Value) (value.Value, error) {
			cb, err := newCallback(c, args[1])
			if err != nil {
				return value.Value{}, err
			}
			var list []value.Value
			err = walk(args, 0, func(i int, place *value.Value) (bool, error) {
				v, err := cb.each(place, 0, value.Int(int64(i)))
				if isTrue(v) {
					list = append(list, place.Share())
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
				err = walk(args, 0, func(i int, place *value.Value) (bool, error) {
					v, err := cb.each(place, 0, value.Int(int64(i)))
					if isTrue(v) {
						in = append(in, place.Share())
					} else {
						out = append(out, place.Share())
					}
					return false, err
				})
				if err != nil {
					return value.Value{}, err
				}
				if !keep {
					in, out = out, in
				}
				args[0] = value.NewArray(in)
				return value.NewArray(out), nil
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
				for k := range n {
					i := k
					if backward {
						i = n - 1 - k
					}
					place := items[i].Share()
					v, err := cb.each(&place, 1, value.Int(int64(i)), acc)
					writeBack(args, i, items[i], place)
					if err != nil {
						return value.Value{}, err
					}
					acc = v
				}
				return acc, nil
			}
			calling(r, name, fold, tArray, second)
			calling(r, name, fold, tArray, second, tAny)
		}
	})
	mutating(r, "for_each", func(c value.Context, args []value.Value) (value.Value, error) {
		cb, err := newCallback(c, args[1])
		if err != nil {
			return value.Value{}, err
		}
		items := copyItems(args[0].Array().Items).Array().Items
		for i := range items {
			if _, err := cb.on(&items[i], value.Int(int64(i))); err != nil {
				return value.Value{}, err
			}
		}
		args[0] = value.NewArray(items)
		return value.Unit(), nil
	}, tArray, tFn)
	pure(r, "zip", func(c value.Context, args []value.Value) (value.Value, error) {
		cb, err := newCallback(c, args[2])
		if err != nil {
			return value.Value{}, err
		}
		a, b := args[0].Share().Array().Items, args[1].Share().Array().Items
		list := make([]value.Value, 0, min(len(a), len(b)))
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
