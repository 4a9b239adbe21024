package lib

import (
	"cmp"
	"slices"
	"strings"

	"circles/pkg/rhai/value"
)

func arraySorting(r *value.Registry) {
	for _, descending := range []bool{false, true} {
		suffix := ""
		if descending {
			suffix = "_desc"
		}
		changeArray(r, "sort"+suffix, func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
			return value.Unit(), sortItems(c, a.Items, descending)
		}, tArray)
		changeArray(r, "order"+suffix, func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
			sorted, err := copyItems(c, a.Items)
			if err != nil {
				return value.Value{}, err
			}
			return sorted, sortItems(c, sorted.Array().Items, descending)
		}, tArray)
	}
	by := func(c value.Context, args []value.Value) (value.Value, error) {
		sorted, err := copyItems(c, args[0].Array().Items)
		if err != nil {
			return value.Value{}, err
		}
		err = sortBy(c, sorted.Array().Items, args[1])
		if err == nil {
			args[0] = sorted
		}
		return value.Unit(), err
	}
	mutating(r, "sort", by, tArray, tFn)
	mutating(r, "sort", by, tArray, tStr)
	mutating(r, "sort_by", by, tArray, tFn)
	order := func(c value.Context, args []value.Value) (value.Value, error) {
		sorted, err := copyItems(c, args[0].Array().Items)
		if err != nil {
			return value.Value{}, err
		}
		return sorted, sortBy(c, sorted.Array().Items, args[1])
	}
	mutating(r, "order", order, tArray, tFn)
	mutating(r, "order_by", order, tArray, tFn)

	changeArray(r, "dedup", func(c value.Context, a *value.Array, _ []value.Value) (value.Value, error) {
		kept, err := dedup(c, a.Items, func(x, y value.Value) (bool, error) {
			same, err := value.EqualItems(c, x, y)
			return same && err == nil, fatal(err)
		})
		if err == nil {
			a.Items = kept
		}
		return value.Unit(), err
	}, tArray)
	eachPointer(func(second value.Type) {
		mutating(r, "dedup", func(c value.Context, args []value.Value) (value.Value, error) {
			cb, err := newCallback(c, args[1])
			if err != nil {
				return value.Value{}, err
			}
			list, err := copyItems(c, args[0].Array().Items)
			if err != nil {
				return value.Value{}, err
			}
			kept, err := dedup(c, list.Array().Items, func(x, y value.Value) (bool, error) {
				v, err := cb.exactly(x.Share(), y.Share())
				return isTrue(v), fatal(err)
			})
			if err == nil {
				args[0] = value.NewArray(kept)
			}
			return value.Unit(), err
		}, tArray, second)
	})
}

// dedup keeps the first of neighbours that are the same: same is asked about the last one kept and the next.
func dedup(c value.Context, items []value.Value, same func(x, y value.Value) (bool, error)) ([]value.Value, error) {
	if len(items) == 0 {
		return items, nil
	}
	kept := items[:1] // what is kept never comes before what is looked at
	for i, x := range items[1:] {
		if i%chunk == 0 {
			if err := c.Tick(chunk / perOperation); err != nil {
				return nil, err
			}
		}
		drop, err := same(kept[len(kept)-1], x)
		if err != nil {
			return nil, err
		}
		if !drop {
			kept = append(kept, x)
		}
	}
	clear(items[len(kept):])
	return kept, nil
}

// fatal is an error that a comparison must not swallow, as it does others: a limit's, which the next comparison would
// meet again, or an interruption.
func fatal(err error) error {
	if err == nil || value.AsError(err).Limit == "" {
		return nil
	}
	return err
}

// stop unwinds a sort whose comparison failed.
type stop struct{ err error }

// stableSort sorts with a comparison that may fail.
func stableSort(items []value.Value, compare func(x, y value.Value) (int, error)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s, ok := r.(stop)
			if !ok {
				panic(r)
			}
			err = s.err
		}
	}()
	slices.SortStableFunc(items, func(x, y value.Value) int {
		n, err := compare(x, y)
		if err != nil {
			panic(stop{err})
		}
		return n
	})
	return nil
}

// sortBy sorts by a function of two items, which returns an int whose sign is the order, or whether the first item
// comes first. Items for which it returns neither, or fails, stay as they are.
func sortBy(c value.Context, items []value.Value, f value.Value) error {
	cb, err := newCallback(c, f)
	if err != nil {
		return err
	}
	return stableSort(items, func(x, y value.Value) (int, error) {
		v, err := cb.exactly(x.Share(), y.Share())
		switch {
		case err != nil:
			return 0, fatal(err)
		case v.IsInt():
			return cmp.Compare(v.Int(), 0), nil
		case v.IsBool() && v.Bool():
			return -1, nil
		case v.IsBool():
			return 1, nil
		}
		return 0, nil
	})
}

// sortItems sorts items of one type that has an order.
func sortItems(c value.Context, items []value.Value, descending bool) error {
	if len(items) < 2 {
		return nil
	}
	kind := items[0].Kind()
	for _, x := range items {
		if x.Kind() != kind || x.Type() != items[0].Type() {
			return value.FunctionNotFound("elements of different types cannot be sorted")
		}
	}
	compare := comparison(kind)
	if compare == nil {
		name := items[0].TypeName()
		if kind == value.KindRange || kind == value.KindRangeInclusive {
			name = items[0].RustName()
		}
		return value.FunctionNotFound("elements of " + name + " cannot be sorted")
	}
	steps := 0
	return stableSort(items, func(x, y value.Value) (int, error) {
		if steps++; steps%chunk == 0 {
			if err := c.Tick(chunk / perOperation); err != nil {
				return 0, err
			}
		}
		if kind == value.KindString {
			if err := lookAt(c, x, y); err != nil {
				return 0, err
			}
		}
		if descending {
			x, y = y, x
		}
		return compare(x, y), nil
	})
}

// lookAt counts the comparison of two texts that are long.
func lookAt(c value.Context, x, y value.Value) error {
	if n := min(len(x.Text()), len(y.Text())); n > long {
		return c.Tick(n / long)
	}
	return nil
}

// long is how many bytes are compared for an operation.
const long = 512

// comparison orders the values of a kind; nil when they have no order.
func comparison(kind value.Kind) func(x, y value.Value) int {
	switch kind {
	case value.KindUnit:
		return func(value.Value, value.Value) int { return 0 }
	case value.KindBool:
		return func(x, y value.Value) int { return cmp.Compare(boolRank(x), boolRank(y)) }
	case value.KindInt:
		return func(x, y value.Value) int { return cmp.Compare(x.Int(), y.Int()) }
	case value.KindFloat:
		return func(x, y value.Value) int {
			switch a, b := x.Float(), y.Float(); {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	case value.KindChar:
		return func(x, y value.Value) int { return cmp.Compare(x.Char(), y.Char()) }
	case value.KindString:
		return func(x, y value.Value) int { return strings.Compare(x.Text(), y.Text()) }
	case value.KindTimestamp:
		return func(x, y value.Value) int { return x.Timestamp().Time.Compare(y.Timestamp().Time) }
	}
	return nil
}

func boolRank(v value.Value) int {
	if v.Bool() {
		return 1
	}
	return 0
}
