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
		it.next = c.Type.Iterate(c.Data)
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
			return false, nil
		}
		*item = x.Share()
	}
	return true, nil
}
