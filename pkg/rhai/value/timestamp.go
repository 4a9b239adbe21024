package value

import (
	"math"
	"strconv"
	"time"
)

// lastSecond is the last second since 1970 that a time.Time can hold: it counts from the year 1.
const lastSecond = math.MaxInt64 - 62135596800

// Move is the timestamp so many seconds later, times sign, which is 1 or -1. by is an int, or a float of whose seconds
// milliseconds count and no more of them than fit 64 bits, as in the reference.
func (t *Timestamp) Move(by Value, sign int) (Value, error) {
	var seconds uint64
	var rest time.Duration
	earlier := sign < 0
	if by.IsInt() {
		n := by.Int()
		if n < 0 {
			earlier = !earlier
		}
		seconds = uint64(max(n, -n))
	} else {
		f := by.Float()
		if f < 0 {
			earlier, f = !earlier, -f
		}
		if f > math.MaxInt64 {
			verb := "add"
			if earlier {
				verb = "subtract"
			}
			return Value{}, Arithmetic("Integer overflow for timestamp %s: %s", verb, plainFloat(f))
		}
		ms := uint64(0)
		switch f *= 1000; {
		case f >= math.MaxUint64:
			ms = math.MaxUint64
		case f > 0: // not of no number
			ms = uint64(f)
		}
		seconds, rest = ms/1000, time.Duration(ms%1000)*time.Millisecond
	}
	unix := t.Time.Unix()
	switch {
	case !earlier && seconds > uint64(lastSecond)-uint64(unix)-1:
		return Value{}, Arithmetic("Timestamp overflow when %s %s second(s)", moving(sign), by)
	case earlier && seconds > uint64(unix)+1<<63-1:
		return Value{}, Arithmetic("Timestamp overflow when %s %s second(s)", moving(sign), by)
	case seconds <= math.MaxInt32: // it stays on the monotonic clock
		rest += time.Duration(seconds) * time.Second
		if earlier {
			rest = -rest
		}
		return NewTimestamp(t.Time.Add(rest)), nil
	case earlier:
		return NewTimestamp(time.Unix(int64(uint64(unix)-seconds), int64(t.Time.Nanosecond())-int64(rest))), nil
	}
	return NewTimestamp(time.Unix(int64(uint64(unix)+seconds), int64(t.Time.Nanosecond())+int64(rest))), nil
}

// moving says what Move does to a timestamp.
func moving(sign int) string {
	if sign < 0 {
		return "subtracting"
	}
	return "adding"
}

// plainFloat is a float without an exponent.
func plainFloat(f float64) string {
	if math.IsInf(f, 0) {
		return "inf"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Since is how many seconds a timestamp is later than another one, less than zero when it is earlier.
func (t *Timestamp) Since(other *Timestamp) float64 {
	if t.Time.Before(other.Time) {
		return -other.Since(t)
	}
	if d := t.Time.Sub(other.Time); d < math.MaxInt64 {
		return d.Seconds()
	}
	seconds, nanos := uint64(t.Time.Unix())-uint64(other.Time.Unix()), t.Time.Nanosecond()-other.Time.Nanosecond()
	return float64(seconds) + float64(nanos)/float64(time.Second)
}
