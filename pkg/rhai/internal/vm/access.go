package vm

import (
	"cmp"
	"math"
	"unicode/utf8"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// get reads a property without copying it. What a shared map holds is shared with it.
func (m *Machine) get(v *value.Value, s *compile.Site) (value.Value, *value.Error) {
	if v.Kind() == value.KindMap {
		o := v.Map()
		hint := int(s.Position.Load())
		p, at := o.RefHint(s.Name, hint)
		if p == nil {
			return value.Value{}, m.noProperty(s.Name)
		}
		if at != hint {
			s.Position.Store(int32(at))
		}
		if o.Shared() {
			return p.Share(), nil
		}
		return *p, nil
	}
	args := [1]value.Value{*v}
	if s.Fresh {
		if err := m.raced(s.Getter, args[:], 1); err != nil {
			return value.Value{}, err
		}
	}
	if f := m.resolve(s, s.Getter, args[:]); f != nil {
		return m.accessor(f, v)
	}
	name := value.Str(s.Name)
	if v.Kind() == value.KindCustom {
		if f := m.registry.Resolve(value.IndexGet, []value.Value{*v, name}); f != nil {
			return m.accessor(f, v, name)
		}
	}
	return value.Value{}, value.NoGetter(s.Name, *v)
}

// noProperty is the error of reading what an object map has not, where the host wants one. A compound assignment finds
// unit in any case.
func (m *Machine) noProperty(name string) *value.Error {
	if !m.Run.StrictProperties {
		return nil
	}
	switch m.following().Op {
	case compile.OpAssign, compile.OpAssignAdd, compile.OpAssignSub, compile.OpAssignAddInt, compile.OpAssignSubInt:
		return nil
	}
	return value.PropertyNotFound(name)
}

// following is the instruction that comes next.
func (m *Machine) following() compile.Instr {
	return m.fn.Code[m.pc()]
}

// set writes a property.
func (m *Machine) set(v *value.Value, s *compile.Site, x value.Value) *value.Error {
	if v.Kind() == value.KindMap {
		if o := v.Map(); !o.Shared() {
			if p, at := o.RefHint(s.Name, int(s.Position.Load())); p != nil {
				*p = x
				if at != int(s.Position.Load()) {
					s.Position.Store(int32(at))
				}
				return m.grown(*v, x)
			}
		}
		before := v.Footprint()
		if err := m.writing(*v, before, 0); err != nil {
			return err
		}
		o, e := value.OwnMapIn(m, v)
		if e != nil {
			return value.AsError(e)
		}
		hint := int(s.Position.Load())
		p, at := o.RefHint(s.Name, hint)
		if p != nil {
			*p = x
			if at != hint {
				s.Position.Store(int32(at))
			}
			return m.changed(*v, before, x)
		}
		if err := m.Run.Limits.CheckMap(o.Len() + 1); err != nil {
			return value.AsError(err)
		}
		if err := m.writing(*v, before, 1); err != nil {
			return err
		}
		if err := o.GrowIn(m); err != nil {
			return value.AsError(err)
		}
		o.Set(s.Name, x)
		return m.changed(*v, before, x)
	}
	if err := m.setting(s.Setter, x, 1); err != nil {
		return err
	}
	args, constant := [2]value.Value{*v, x}, m.constant(s)
	if f := m.resolve(s, s.Setter, args[:]); f != nil {
		if constant {
			return value.SetConstant(s.Name)
		}
		_, err := m.accessor(f, v, x)
		return err
	}
	name := value.Str(s.Name)
	if v.Kind() == value.KindCustom && !constant {
		if f := m.registry.Resolve(value.IndexSet, []value.Value{*v, name, x}); f != nil {
			_, err := m.accessor(f, v, name, x)
			return err
		}
	}
	return value.NoSetter(s.Name, *v, x)
}

// back carries a property that may have changed back to where it was read from. What can't be written was read only.
func (m *Machine) back(v *value.Value, s *compile.Site, x value.Value) *value.Error {
	if v.Kind() == value.KindMap {
		if old, ok := v.Map().Get(s.Name); !ok || old.Identical(x) {
			return nil
		}
		return m.set(v, s, x)
	}
	if m.dirty == scripted {
		return nil // what a getter gave was a copy
	}
	err := m.set(v, s, x)
	m.dirty = written // not further, where this was a copy of a part of a text, an int or a blob
	if err != nil && err.Kind == value.ErrDotExpr {
		return nil
	}
	return err
}

// index reads an element without copying it.
func (m *Machine) index(v *value.Value, key value.Value) (value.Value, *value.Error) {
	switch v.Kind() {
	case value.KindArray:
		if !key.IsInt() {
			return value.Value{}, value.TypeMismatch("i64", key.RustName())
		}
		a := v.Array()
		i, ok := offset(key.Int(), len(a.Items))
		if !ok {
			return value.Value{}, value.ArrayBounds(len(a.Items), key.Int())
		}
		if a.Shared() {
			return a.Items[i].Share(), nil
		}
		return a.Items[i], nil
	case value.KindMap:
		if !key.IsString() {
			return value.Value{}, value.TypeMismatch("string", key.RustName())
		}
		o := v.Map()
		if err := m.key(key); err != nil {
			return value.Value{}, err
		}
		x, ok := o.Get(key.Text())
		if !ok {
			return x, m.noProperty(key.Text())
		}
		if o.Shared() {
			x.Share()
		}
		return x, nil
	case value.KindString:
		return m.indexString(v.Str(), key)
	case value.KindBlob:
		if !key.IsInt() {
			return value.Value{}, value.TypeMismatch("i64", key.RustName())
		}
		b := v.Blob().Bytes
		i, ok := offset(key.Int(), len(b))
		if !ok {
			return value.Value{}, value.ArrayBounds(len(b), key.Int())
		}
		return value.Int(int64(b[i])), nil
	case value.KindInt:
		return indexInt(v.Int(), key)
	}
	err := m.racing(value.IndexGet, key, 1)
	if f := m.registry.Resolve(value.IndexGet, []value.Value{*v, key}); f != nil && err == nil {
		return m.accessor(f, v, key)
	}
	if this, next := m.fn.Code[m.pc()-1], m.following(); this.Op == compile.OpIndexRef && next.A == this.A {
		switch race := m.setting(value.IndexSet, key, 1); next.Op { // the element of a compound assignment
		case compile.OpAssign, compile.OpAssignAdd, compile.OpAssignSub:
			return value.Value{}, cmp.Or(race, m.setting(value.IndexSet, m.get1(next.B), 2), m.alt(0, value.NoIndexSetter(*v, key, m.get1(next.B))))
		case compile.OpAssignAddInt, compile.OpAssignSubInt:
			return value.Value{}, cmp.Or(race, m.alt(0, value.NoIndexSetter(*v, key, value.Int(int64(next.ImmB())))))
		}
	}
	if err != nil {
		return value.Value{}, err
	}
	return value.Value{}, m.alt(0, value.NoIndexer(*v, key))
}

// key counts the work of finding a long key.
func (m *Machine) key(k value.Value) *value.Error {
	if n := len(k.Text()); n >= muchBytes {
		if err := m.Tick(n / bytesPerKeyTick); err != nil {
			return value.AsError(err)
		}
	}
	return nil
}

// bytesPerKeyTick is how many bytes of a key count as an operation.
const bytesPerKeyTick = 512

// offset is an index counted from the front; negative ones count from the end.
func offset(i int64, n int) (int, bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

// span is a range's part of a sequence of n items.
func span(r *value.Range, n int) (from, to int) {
	size := int64(n)
	lo, hi := r.From, r.To
	if lo < 0 {
		lo = max(lo+size, 0)
	}
	if hi < 0 {
		hi += size
	}
	if r.Inclusive() && hi < size {
		hi++
	}
	lo, hi = min(lo, size), min(hi, size)
	return int(lo), int(max(lo, hi))
}

// textSpan is span for a text of n characters, as the reference has it: a range that ends with the character that it
// begins with is an empty one, unless there is no other character.
func textSpan(r *value.Range, n int) (from, to int) {
	from, to = span(r, n)
	if !r.Inclusive() {
		return from, to
	}
	last := r.To
	if last < 0 {
		last = max(last+int64(n), 0)
	}
	switch {
	case n > 1 && last == int64(from):
		to = from
	case n == 1 && last == 0 && from == 0:
		to = 1
	}
	return from, to
}

// before is the error of a range that begins before a string that is not empty.
func before(r *value.Range, chars int) *value.Error {
	if chars > 0 && r.From < -int64(chars) {
		return value.StringBounds(chars, r.From)
	}
	return nil
}

func (m *Machine) indexString(s *value.String, key value.Value) (value.Value, *value.Error) {
	switch key.Kind() {
	case value.KindInt:
		r, n, err := m.charAt(s, key.Int())
		switch {
		case err != nil:
			return value.Value{}, err
		case n >= 0:
			return value.Value{}, value.StringBounds(n, key.Int())
		}
		return value.Char(r), nil
	case value.KindRange, value.KindRangeInclusive:
		n, err := s.CharsIn(m)
		if err != nil {
			return value.Value{}, value.AsError(err)
		}
		if err := before(key.Range(), n); err != nil {
			return value.Value{}, err
		}
		from, to := textSpan(key.Range(), n)
		part, err := s.Cut(m, from, to)
		if err == nil {
			part, err = s.Part(m, part)
		}
		if err != nil {
			return value.Value{}, value.AsError(err)
		}
		return value.Str(part), nil
	}
	return value.Value{}, value.TypeMismatch("i64", key.RustName())
}

// charAt is the character at an index, of which a negative one counts from the end. When there is none, n is how many
// there are, and otherwise it is -1.
func (m *Machine) charAt(s *value.String, index int64) (r rune, n int, _ *value.Error) {
	i := index
	if i < 0 {
		n, err := s.CharsIn(m)
		if err != nil {
			return 0, 0, value.AsError(err)
		}
		if i += int64(n); i < 0 {
			return 0, n, nil
		}
	}
	at, err := s.OffsetIn(m, int(i))
	if err == nil && at == len(s.Text()) {
		n, err = s.CharsIn(m)
		if err == nil {
			return 0, n, nil
		}
	}
	if err != nil {
		return 0, 0, value.AsError(err)
	}
	r, _ = utf8.DecodeRuneInString(s.Text()[at:])
	return r, -1, nil
}

// bits is the part of an int that a range of bits names.
func bits(r *value.Range) (shift uint, mask uint64, err *value.Error) {
	last := r.To
	if !r.Inclusive() {
		last--
	}
	switch {
	case r.From < 0 || r.From >= 64:
		return 0, 0, value.BitFieldBounds(r.From)
	case last >= 64 && r.To != math.MaxInt64 || r.To < 0: // a range without an end has the largest one
		return 0, 0, value.BitFieldBounds(r.To)
	}
	from, to := span(r, 64)
	if from == to {
		return uint(from), 0, nil
	}
	return uint(from), ^uint64(0) >> (64 - uint(to-from)), nil
}

func indexInt(n int64, key value.Value) (value.Value, *value.Error) {
	switch key.Kind() {
	case value.KindInt:
		i, ok := offset(key.Int(), 64)
		if !ok {
			return value.Value{}, value.BitFieldBounds(key.Int())
		}
		return value.Bool(n>>uint(i)&1 != 0), nil
	case value.KindRange, value.KindRangeInclusive:
		shift, mask, err := bits(key.Range())
		if err == nil && mask == ^uint64(0)>>shift { // up to the last bit, whose copies are beyond it
			return value.Int(n >> shift), nil
		}
		return value.Int(int64(uint64(n) >> (shift & 63) & mask)), err
	}
	return value.Value{}, value.TypeMismatch("i64", key.RustName())
}

// setIndex writes an element.
func (m *Machine) setIndex(v *value.Value, key, x value.Value) *value.Error {
	switch v.Kind() {
	case value.KindArray:
		if !key.IsInt() {
			return value.TypeMismatch("i64", key.RustName())
		}
		i, ok := offset(key.Int(), len(v.Array().Items))
		if !ok {
			return value.ArrayBounds(len(v.Array().Items), key.Int())
		}
		before := v.Footprint()
		if err := m.writing(*v, before, 0); err != nil {
			return err
		}
		a, err := value.OwnArrayIn(m, v)
		if err != nil {
			return value.AsError(err)
		}
		a.Items[i] = x
		return m.tookObject(*v, before)
	case value.KindMap:
		if !key.IsString() {
			return value.TypeMismatch("string", key.RustName())
		}
		if err := m.key(key); err != nil {
			return err
		}
		if o := v.Map(); !o.Shared() {
			if p := o.Ref(key.Text()); p != nil {
				*p = x
				return m.grown(*v, x)
			}
		}
		before := v.Footprint()
		if err := m.writing(*v, before, 0); err != nil {
			return err
		}
		o, e := value.OwnMapIn(m, v)
		if e != nil {
			return value.AsError(e)
		}
		if p := o.Ref(key.Text()); p != nil {
			*p = x
			return m.changed(*v, before, x)
		}
		if err := m.Run.Limits.CheckMap(o.Len() + 1); err != nil {
			return value.AsError(err)
		}
		if err := m.writing(*v, before, 1); err != nil {
			return err
		}
		name, e := key.Str().Part(m, key.Text())
		if e == nil {
			e = o.GrowIn(m)
		}
		if e != nil {
			return value.AsError(e)
		}
		o.Set(name, x)
		return m.changed(*v, before, x)
	case value.KindString:
		old := *v
		err := m.setString(v, key, x)
		v.KeepTag(old)
		return err
	case value.KindBlob:
		if !key.IsInt() {
			return value.TypeMismatch("i64", key.RustName())
		}
		i, ok := offset(key.Int(), len(v.Blob().Bytes))
		if !ok {
			return value.ArrayBounds(len(v.Blob().Bytes), key.Int())
		}
		if !x.IsInt() {
			return m.alt(1, value.TypeMismatch("INT", x.RustName()))
		}
		before := v.Footprint()
		if err := m.writing(*v, before, 0); err != nil {
			return err
		}
		b, err := value.OwnBlobIn(m, v)
		if err != nil {
			return value.AsError(err)
		}
		b.Bytes[i] = byte(x.Int())
		return m.tookObject(*v, before)
	case value.KindInt:
		old := *v
		err := m.setBits(v, key, x)
		v.KeepTag(old)
		return err
	}
	if err := m.setting(value.IndexSet, key, 1); err != nil {
		return err
	}
	if err := m.setting(value.IndexSet, x, 2); err != nil {
		return err
	}
	if f := m.registry.Resolve(value.IndexSet, []value.Value{*v, key, x}); f != nil {
		_, err := m.accessor(f, v, key, x)
		return err
	}
	return m.alt(0, value.NoIndexSetter(*v, key, x))
}

// writing makes sure of the memory that a write to a container takes: to copy it, when others hold it too, or to make
// room in it.
func (m *Machine) writing(v value.Value, now value.Footprint, more int) *value.Error {
	if now.Bytes() < muchBytes {
		return nil
	}
	if err := m.Reserve(value.Growing(v, more)); err != nil {
		return value.AsError(err)
	}
	return nil
}

// setString replaces a character, or the characters of a range by the text of any value.
func (m *Machine) setString(v *value.Value, key, x value.Value) *value.Error {
	s := v.Str()
	n, err := s.CharsIn(m)
	if err != nil {
		return value.AsError(err)
	}
	switch key.Kind() {
	case value.KindInt:
		if _, ok := offset(key.Int(), n); !ok {
			return value.StringBounds(n, key.Int())
		}
		if !x.IsChar() {
			return m.alt(1, value.TypeMismatch("char", x.RustName()))
		}
		// A negative index counts from the front here, as in the reference, which counts it from the end to read.
		i := int(key.Int())
		if i < 0 {
			i = -i
		}
		if i >= n {
			return nil
		}
		at, err := s.OffsetIn(m, i)
		if err == nil {
			err = m.Reserve(len(s.Text()) + utf8.UTFMax)
		}
		if err != nil {
			return value.AsError(err)
		}
		_, width := utf8.DecodeRuneInString(s.Text()[at:])
		return m.setText(v, s.Text()[:at], string(x.Char()), s.Text()[at+width:])
	case value.KindRange, value.KindRangeInclusive:
		r, n := key.Range(), int64(n)
		if err := before(r, int(n)); err != nil {
			return err
		}
		// A range that ends before it begins leaves what is between its ends on both sides.
		from, _ := span(r, int(n))
		to := r.To
		if to < 0 {
			to = max(to+n, 0)
		}
		if r.Inclusive() && to < n {
			to++
		}
		by, err := value.Text(m, x, value.FormQuoted)
		if err == nil {
			err = m.Reserve(len(s.Text()) + len(by))
		}
		if err != nil {
			return value.AsError(err)
		}
		begin, err := s.OffsetIn(m, from)
		if err != nil {
			return value.AsError(err)
		}
		end, err := s.OffsetIn(m, int(min(to, n)))
		if err != nil {
			return value.AsError(err)
		}
		return m.setText(v, s.Text()[:begin], by, s.Text()[end:])
	}
	return value.TypeMismatch("i64", key.RustName())
}

// setText makes a place a string that is joined from texts.
func (m *Machine) setText(place *value.Value, texts ...string) *value.Error {
	s, err := value.Concat(m, texts...)
	if err != nil {
		return value.AsError(err)
	}
	v := value.Str(s)
	if err := m.made(v); err != nil {
		return err
	}
	*place = v
	return nil
}

// alt gives an error the other position that the current instruction has: 0 for the bracket, 1 for the assignment.
func (m *Machine) alt(n int, err *value.Error) *value.Error {
	if p, ok := m.fn.Alt[m.pc()-1]; ok && p[n].IsValid() {
		err.Pos = p[n]
	}
	return err
}

func (m *Machine) setBits(v *value.Value, key, x value.Value) *value.Error {
	n := uint64(v.Int())
	switch key.Kind() {
	case value.KindInt:
		i, ok := offset(key.Int(), 64)
		if !ok {
			return value.BitFieldBounds(key.Int())
		}
		if !x.IsBool() {
			return m.alt(1, value.TypeMismatch("bool", x.RustName()))
		}
		n &^= 1 << uint(i)
		if x.Bool() {
			n |= 1 << uint(i)
		}
	case value.KindRange, value.KindRangeInclusive:
		shift, mask, err := bits(key.Range())
		if err != nil {
			return err
		}
		if !x.IsInt() {
			return m.alt(1, value.TypeMismatch("integer", x.RustName()))
		}
		n = n&^(mask<<shift) | (uint64(x.Int())&mask)<<shift
	default:
		return value.TypeMismatch("i64", key.RustName())
	}
	*v = value.Int(int64(n))
	return nil
}

// backIndex carries an element that may have changed back to where it was read from.
func (m *Machine) backIndex(v *value.Value, key, x value.Value) *value.Error {
	if v.Kind() == value.KindMap && key.IsString() {
		if _, ok := v.Map().Get(key.Text()); !ok {
			return nil
		}
	}
	switch v.Kind() {
	case value.KindArray, value.KindMap:
		old, err := m.index(v, key)
		if err != nil || old.Identical(x) {
			return err
		}
	case value.KindString, value.KindBlob, value.KindInt:
		if m.dirty != native || m.dirtied != m.depth {
			return nil // it was a copy, of which only what a native function does to it goes back
		}
		m.dirty = written // not from a copy of a copy
	}
	err := m.setIndex(v, key, x)
	if err != nil && err.Kind == value.ErrIndexingType {
		return nil
	}
	return err
}
