package lib

import "circles/pkg/rhai/value"

// maps adds what object maps have.
func maps(r *value.Registry) {
	read := func(name string, of func(*value.Map) value.Value) {
		pure(r, name, func(_ value.Context, args []value.Value) (value.Value, error) { return of(args[0].Map()), nil }, tMap)
	}
	read("len", func(m *value.Map) value.Value { return value.Int(int64(m.Len())) })
	read("is_empty", func(m *value.Map) value.Value { return value.Bool(m.Len() == 0) })
	pure(r, "contains", func(c value.Context, args []value.Value) (value.Value, error) {
		_, ok := args[0].Map().Get(args[1].Text())
		return value.Bool(ok), lookAt(c, args[1], args[1])
	}, tMap, tStr)
	pure(r, "get", func(c value.Context, args []value.Value) (value.Value, error) {
		v, _ := args[0].Map().Get(args[1].Text())
		return v.Share(), lookAt(c, args[1], args[1])
	}, tMap, tStr)
	list := func(name string, each int, item func(key string, v value.Value) value.Value) {
		pure(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
			m := args[0].Map()
			if err := m.Sort(c); err != nil {
				return value.Value{}, err
			}
			if err := c.Reserve(each * m.Len()); err != nil {
				return value.Value{}, err
			}
			items, err := newItems(c, m.Len())
			if err != nil {
				return value.Value{}, err
			}
			err = value.Pieces(c, m.Len(), entryBytes, func(from, to int) {
				for i := from; i < to; i++ {
					e := m.At(i)
					items = append(items, item(e.Key, e.Val))
				}
			})
			return value.NewArray(items), err
		}, tMap)
	}
	list("keys", keyBytes, func(key string, _ value.Value) value.Value { return value.Str(key) })
	list("values", 0, func(_ string, v value.Value) value.Value { return v.Share() })

	mapChanging(r)
	mapFolding(r)
}

// keyBytes is the size of a text object beside its text.
const keyBytes = 32

// entryBytes is the size of an entry of a map.
const entryBytes = 32

// changeMap adds a function that writes to the map of the receiver.
func changeMap(r *value.Registry, name string, f func(c value.Context, m *value.Map, args []value.Value) (value.Value, error),
	params ...value.Type) {
	mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
		m, err := value.OwnMapIn(c, &args[0])
		if err != nil {
			return value.Value{}, err
		}
		return f(c, m, args)
	}, params...)
}

func mapChanging(r *value.Registry) {
	changeMap(r, "set", func(c value.Context, m *value.Map, args []value.Value) (value.Value, error) {
		key, err := args[1].Str().Part(c, args[1].Text())
		if err == nil {
			err = lookAt(c, args[1], args[1])
		}
		if err == nil {
			err = put(c, m, key, args[2])
		}
		return value.Unit(), err
	}, tMap, tStr, tAny)
	changeMap(r, "remove", func(c value.Context, m *value.Map, args []value.Value) (value.Value, error) {
		v, _ := m.Remove(args[1].Text())
		return v, lookAt(c, args[1], args[1])
	}, tMap, tStr)
	changeMap(r, "clear", func(_ value.Context, m *value.Map, _ []value.Value) (value.Value, error) {
		m.Clear()
		return value.Unit(), nil
	}, tMap)
	changeMap(r, "mixin", func(c value.Context, m *value.Map, args []value.Value) (value.Value, error) {
		return value.Unit(), merge(c, m, args[1].Map(), true)
	}, tMap, tMap)
	changeMap(r, "fill_with", func(c value.Context, m *value.Map, args []value.Value) (value.Value, error) {
		return value.Unit(), merge(c, m, args[1].Map(), false)
	}, tMap, tMap)
}

// newMap is a map that a function makes while it calls scripts.
func newMap(c value.Context) *value.Map {
	m := value.NewMap(0)
	c.Hold(&[]value.Value{m.Value()})
	return m
}

// put gives a key a value, if there is room for another key.
func put(c value.Context, m *value.Map, key string, v value.Value) error {
	if place := m.Ref(key); place != nil {
		*place = v
		return nil
	}
	if err := c.Limits().CheckMap(m.Len() + 1); err != nil {
		return err
	}
	if err := c.Reserve(value.Growing(m.Value(), 1)); err != nil {
		return err
	}
	if err := m.GrowIn(c); err != nil {
		return err
	}
	m.Set(key, v)
	return nil
}

// merge puts the entries of a map into another. Keys that are there already change only if replace says so.
func merge(c value.Context, into, from *value.Map, replace bool) error {
	if err := work(c, from.Len()); err != nil {
		return err
	}
	if err := from.Sort(c); err != nil {
		return err
	}
	done := 0
	for k, v := range from.All() {
		if done++; done%chunk == 0 {
			if err := value.Interrupted(c); err != nil {
				return err
			}
		}
		if !replace && into.Ref(k) != nil {
			continue
		}
		if err := put(c, into, k, v.Share()); err != nil {
			return err
		}
	}
	return nil
}

func mapFolding(r *value.Registry) {
	// The callback gets the key, and the value as a second argument or as its this, to which it may write.
	each := func(c value.Context, args []value.Value, f func(key string, v, result value.Value) error) error {
		cb, err := newCallback(c, args[1])
		if err != nil {
			return err
		}
		m := args[0].Share().Map()
		if err := m.Sort(c); err != nil {
			return err
		}
		for k, v := range m.All() {
			x := v.Share()
			var result value.Value
			done := false
			if cb.arity == 1 || cb.arity < 0 { // by a name, what takes the key alone comes first
				result, err = cb.exactlyOn(&x, value.Str(k))
				done = err == nil || cb.arity == 1 || !cb.missing(err)
				if !x.Identical(*v) {
					if e := c.Reserve(value.Growing(args[0], 0)); e != nil {
						return e
					}
					own, e := value.OwnMapIn(c, &args[0])
					if e != nil {
						return e
					}
					own.Set(k, x)
				}
			}
			if !done {
				result, err = cb.exactly(value.Str(k), x)
			}
			if err != nil {
				return err
			}
			if err := f(k, x.Share(), result); err != nil {
				return err
			}
		}
		return nil
	}
	mapped := func(c value.Context, args []value.Value) (value.Value, error) {
		m := newMap(c)
		err := each(c, args, func(k string, _, result value.Value) error { return put(c, m, k, result.Share()) })
		return m.Value(), err
	}
	r.Add(value.Func{Name: "map", Params: []value.Type{tMap, tFn}, Native: mapped, GoesBack: true, Traced: "filter"})
	goingBack(r, "filter", func(c value.Context, args []value.Value) (value.Value, error) {
		m := newMap(c)
		err := each(c, args, func(k string, v, result value.Value) error {
			if isTrue(result) {
				return put(c, m, k, v)
			}
			return nil
		})
		return m.Value(), err
	}, tMap, tFn)
	for name, keep := range map[string]bool{"retain": true, "drain": false} {
		mutating(r, name, func(c value.Context, args []value.Value) (value.Value, error) {
			in, out := newMap(c), newMap(c)
			seen := 0
			err := each(c, args, func(k string, v, result value.Value) error {
				seen++
				if isTrue(result) == keep {
					return put(c, in, k, v)
				}
				return put(c, out, k, v)
			})
			if err != nil { // the entry whose call failed is lost, those behind it stay
				for _, k := range args[0].Map().Keys()[min(seen+1, args[0].Map().Len()):] {
					x, _ := args[0].Map().Get(k)
					if e := put(c, in, k, x.Share()); e != nil {
						return value.Value{}, e
					}
				}
			}
			args[0] = in.Value()
			return out.Value(), err
		}, tMap, tFn)
	}
}
