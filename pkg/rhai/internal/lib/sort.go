package lib

import (
	"cmp"
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

// sorter is a stable merge sort with a comparison that may fail, and that may take long: merging through memory of its
// own asks for fewer comparisons than the sort of the standard library, which merges in place. Whatever happens, the
// items stay the same ones.
type sorter struct {
	run     value.Context
	compare func(x, y value.Value) (int, error)
	left    []value.Value // has room for half of the items
}

// stableSort sorts items.
func stableSort(c value.Context, items []value.Value, compare func(x, y value.Value) (int, error)) error {
	if len(items) <= shortList {
		s := sorter{run: c, compare: compare}
		return s.insert(items)
	}
	half := len(items) / 2
	if err := c.Reserve(valueBytes * half); err != nil {
		return err
	}
	left, err := value.Make[value.Value](c, half, half)
	if err != nil {
		return err
	}
	s := sorter{c, compare, left}
	return s.sort(items)
}

const (
	// shortList is how many items are sorted by insertion, as in the reference: how often a script's function is called,
	// with what, and what comes of one that contradicts itself, is the same then.
	shortList = 20
	// shortRun is how many items of a longer list are.
	shortRun = 6
)

func (s *sorter) sort(items []value.Value) error {
	if len(items) <= shortRun {
		return s.insert(items)
	}
	half := len(items) / 2
	if err := s.sort(items[:half]); err != nil {
		return err
	}
	if err := s.sort(items[half:]); err != nil {
		return err
	}
	return s.merge(items, half)
}

func (s *sorter) insert(items []value.Value) error {
	for i := 1; i < len(items); i++ {
		for j := i; j > 0; j-- {
			n, err := s.compare(items[j], items[j-1])
			if err != nil {
				return err
			}
			if n >= 0 {
				break
			}
			items[j], items[j-1] = items[j-1], items[j]
		}
	}
	return nil
}

// merge merges two sorted parts of a list, of which the second begins at an index.
func (s *sorter) merge(items []value.Value, second int) error {
	if n, err := s.compare(items[second], items[second-1]); err != nil || n >= 0 {
		return err
	}
	left := s.left[:second]
	if err := value.Copy(s.run, left, items); err != nil {
		return err
	}
	at, i, j := 0, 0, second // there are as many places between at and j as there are left of the first part
	for i < len(left) && j < len(items) {
		n, err := s.compare(items[j], left[i])
		if err != nil {
			copy(items[at:], left[i:])
			return err
		}
		if n < 0 {
			items[at] = items[j]
			j++
		} else {
			items[at] = left[i]
			i++
		}
		at++
	}
	copy(items[at:], left[i:])
	return nil
}

// sortBy sorts by a function of two items, which returns an int whose sign is the order, or whether the first item
// comes first. Items for which it returns neither, or fails, stay as they are.
func sortBy(c value.Context, items []value.Value, f value.Value) error {
	cb, err := newCallback(c, f)
	if err != nil {
		return err
	}
	return stableSort(c, items, func(x, y value.Value) (int, error) {
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
		return value.FunctionNotFound("elements of " + items[0].RustName() + " cannot be sorted")
	}
	steps := 0
	return stableSort(c, items, func(x, y value.Value) (int, error) {
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
	}
	return nil
}

func boolRank(v value.Value) int {
	if v.Bool() {
		return 1
	}
	return 0
}
