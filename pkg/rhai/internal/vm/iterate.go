package vm

import (
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

// iterator walks over a value for a for loop. Containers are walked as they were when the loop began: whoever writes
// to one meanwhile writes to a copy.
type iterator struct {
	items []value.Value
	text  string
	bytes []byte
	next  func() (value.Value, bool, error)
	stop  func() // not nil for an open one
	swept int    // the sweep that found it in use
	at    int64
	left  int64
	mode  value.Kind
}

// iterators are custom values to the registers; scripts never see them.
var iteratorType = &value.CustomType{Name: "iterator"}

// iterate makes an iterator over a value.
func (m *Machine) iterate(v value.Value) (value.Value, *value.Error) {
	it := &iterator{mode: v.Kind()}
	switch it.mode {
	case value.KindArray:
		it.items = v.Array().Items
	case value.KindString:
		it.text = v.Text()
	case value.KindBlob:
		it.bytes = v.Blob().Bytes
	case value.KindRange, value.KindRangeInclusive:
		it.at, it.left = v.Range().From, v.Range().Len()
	case value.KindCustom:
		c := v.Custom()
		if c.Type.Iterate == nil {
			return value.Value{}, value.NotIterable()
		}
		var stop func()
		if it.next, stop = c.Type.Iterate(c.Data); stop != nil {
			m.opened(it, stop)
		}
	default:
		return value.Value{}, value.NotIterable()
	}
	return iteratorType.New(it), nil
}

// step gives an iterator's next item.
func (m *Machine) step(v value.Value, item *value.Value) (bool, *value.Error) {
	it := v.Custom().Data.(*iterator)
	switch it.mode {
	case value.KindArray:
		if it.at >= int64(len(it.items)) {
			return false, nil
		}
		*item = it.items[it.at].Share()
		it.at++
	case value.KindString:
		if it.text == "" {
			return false, nil
		}
		r, n := utf8.DecodeRuneInString(it.text)
		it.text = it.text[n:]
		*item = value.Char(r)
	case value.KindBlob:
		if it.at >= int64(len(it.bytes)) {
			return false, nil
		}
		item.SetInt(int64(it.bytes[it.at]))
		it.at++
	case value.KindRange, value.KindRangeInclusive:
		if it.left == 0 {
			return false, nil
		}
		item.SetInt(it.at)
		it.at++
		it.left--
	default:
		x, ok, err := it.next()
		if err != nil {
			return false, value.AsError(err)
		}
		if !ok {
			it.close()
			return false, nil
		}
		*item = x.Share()
	}
	return true, nil
}

// Iterators of the host may have to be stopped. A loop that is left early does not tell: those that no register has any
// more are looked for when many are open, and what is open when the run ends is stopped then.

// maxOpen is how many open iterators there are before the first sweep.
const maxOpen = 64

func (m *Machine) opened(it *iterator, stop func()) {
	it.stop = stop
	if len(m.open) >= max(maxOpen, m.mostOpen) {
		m.sweep()
		m.mostOpen = 2 * len(m.open)
	}
	m.open = append(m.open, it)
}

// sweep stops the iterators that are in no register.
func (m *Machine) sweep() {
	m.sweeps++
	for _, v := range m.stack[:min(m.high, len(m.stack))] {
		if v.Kind() == value.KindCustom {
			if it, ok := v.Custom().Data.(*iterator); ok {
				it.swept = m.sweeps
			}
		}
	}
	open := m.open[:0]
	for _, it := range m.open {
		switch {
		case it.stop == nil:
		case it.swept == m.sweeps:
			open = append(open, it)
		default:
			it.close()
		}
	}
	clear(m.open[len(open):])
	m.open = open
}

func (it *iterator) close() {
	if stop := it.stop; stop != nil {
		it.stop = nil
		stop()
	}
}

// closeAll stops what the run has left open.
func (m *Machine) closeAll() {
	for _, it := range m.open {
		it.close()
	}
	m.open, m.mostOpen = emptied(m.open), 0
}
