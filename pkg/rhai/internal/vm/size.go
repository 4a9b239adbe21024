package vm

import "circles/pkg/rhai/value"

// size checks a value that was just made against the limits on sizes, with all that is nested in it.
func (m *Machine) size(v value.Value) *value.Error {
	l := &m.Run.Limits
	var err error
	switch v.Kind() {
	case value.KindString:
		err = l.CheckString(len(v.Text()))
	case value.KindBlob:
		err = l.CheckArray(len(v.Blob().Bytes))
	case value.KindArray, value.KindMap:
		if m.lightest == 0 {
			return nil
		}
		weight, ended := v.Weight(m, m.lightest)
		if err = ended; err == nil && weight > m.lightest {
			_, err = m.fits(v)
		}
	}
	if err != nil {
		return value.AsError(err)
	}
	return nil
}

// length checks what an operator made: containers that operators make count without what is nested in them.
func (m *Machine) length(v value.Value) *value.Error {
	l := &m.Run.Limits
	var err error
	switch v.Kind() {
	case value.KindArray:
		err = l.CheckArray(len(v.Array().Items))
	case value.KindMap:
		err = l.CheckMap(v.Map().Len())
	default:
		return m.size(v)
	}
	if err != nil {
		return value.AsError(err)
	}
	return nil
}

// grown checks a container that other values were put into, and ends the run when it is too large. It is counted anew only when it may have gained, since it
// was counted last, as much as it was short of a limit then: or, close to a limit, a part of the work of counting it.
func (m *Machine) grown(v value.Value, more ...value.Value) *value.Error {
	if k := v.Kind(); m.lightest == 0 || k != value.KindArray && k != value.KindMap {
		return nil
	}
	weight := 0
	for _, x := range more {
		if k := x.Kind(); k >= value.KindString && k <= value.KindMap {
			n, err := x.Weight(m, m.lightest)
			if err != nil {
				return value.AsError(err)
			}
			weight += 1 + n
		}
	}
	if weight == 0 || v.Spend(weight) {
		return nil
	}
	all, err := v.Weight(m, m.lightest)
	if err == nil && all <= m.lightest {
		v.Credit(m.lightest - all)
		return nil
	}
	if err != nil {
		return value.AsError(err)
	}
	t, err := m.fits(v)
	if err != nil {
		return value.AsError(err).Finally()
	}
	v.Credit(t)
	return nil
}

// fits counts a value against the limits, and is how much more may be put into it before that is done again.
func (m *Machine) fits(v value.Value) (int, error) {
	t := value.Tally{Step: func(n int) error { return m.Tick(n / 16) }}
	room, err := m.Run.Limits.Fits(v, &t)
	return max(room, t.Steps/16), err
}

// lightest is the weight that exceeds no limit on sizes whatever it is made of; zero when there is no such limit.
func lightest(l *value.Limits) int {
	// A limit of zero is none: as an unsigned number less one it is the largest.
	n := min(uint(l.ArrayItems)-1, uint(l.MapEntries)-1, uint(l.StringBytes)-1)
	return int(n + 1)
}
