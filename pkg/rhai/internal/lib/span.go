package lib

import (
	"math"

	"circles/pkg/rhai/value"
)

// window resolves a start and a count against a size: a negative start counts from the end, and both are cut to what
// there is. An item's index is in it when from <= index < to.
func window(size int, start, count int64) (from, to int) {
	n := int64(size)
	if start < 0 {
		start = max(start+n, 0)
	}
	if start >= n {
		return size, size
	}
	return int(start), int(start + min(max(count, 0), n-start))
}

// extent is a range as a start and a count. Below zero there is nothing.
func extent(r *value.Range) (start, count int64) {
	start = max(r.From, 0)
	end := max(r.To, start)
	if r.Inclusive() {
		return start, min(end, math.MaxInt64-1) - start + 1
	}
	return start, end - start
}

// asked is what the arguments behind the first ask for, as a start and a count: a range, or a start with or without a
// count.
func asked(args []value.Value) (start, count int64) {
	switch {
	case args[1].Kind() == value.KindRange || args[1].Kind() == value.KindRangeInclusive:
		return extent(args[1].Range())
	case len(args) > 2 && args[2].IsInt():
		return args[1].Int(), args[2].Int()
	}
	return args[1].Int(), math.MaxInt64
}

// portion is the window that the arguments behind the first ask for.
func portion(size int, args []value.Value) (from, to int) {
	start, count := asked(args)
	return window(size, start, count)
}

// portions adds a function under the parameters that [portion] understands, with more parameters behind them.
func portions(add func(params ...value.Type), of value.Type, rest ...value.Type) {
	for _, window := range [][]value.Type{{of, tInt, tInt}, {of, tRange}, {of, tIncl}} {
		add(append(window, rest...)...)
	}
}
