package vm

import (
	"math"
	"strings"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/value"
)

// binary applies an operator, built in or registered.
func (m *Machine) binary(op value.Op, a, b value.Value) (value.Value, *value.Error) {
	if len(m.locks) > 0 && !unrelated(op, a, b) {
		if err := m.raced(op.String(), []value.Value{a, b}, 1); err != nil {
			return value.Value{}, err
		}
	}
	if op >= value.OpEq {
		v, ok, err := value.Compare(m, op, a, b)
		switch {
		case err != nil:
			return value.Value{}, value.AsError(err)
		case ok:
			return v, nil
		case unlike(a, b) && m.nativeFunc(op.String(), []value.Value{a, b}) == nil:
			return value.Bool(op == value.OpNe), nil
		}
		return m.operator(op.String(), a, b)
	}
	if op == value.OpAdd && a.IsString() {
		if v, ok := value.JoinShort([]value.Value{a, b}); ok {
			return v, m.text(v)
		}
	}
	if a.Kind() > value.KindChar || b.Kind() > value.KindChar {
		if err := m.joining(op, &a, &b); err != nil {
			return value.Value{}, err
		}
	}
	if op == value.OpSub && a.IsString() && (b.IsString() && a.Text() != "" || b.IsChar()) {
		s, err := value.Substitute(m, a.Text(), b.String(), "")
		if err != nil {
			return value.Value{}, value.AsError(err)
		}
		if s, err = a.Str().Part(m, s); err != nil {
			return value.Value{}, value.AsError(err)
		}
		v := value.Str(s)
		return v, m.joined(v, a)
	}
	v, ok, err := value.Binary(m, op, a, b)
	if err != nil {
		return v, value.AsError(err)
	}
	if ok {
		return v, m.joined(v, a)
	}
	return m.operator(op.String(), a, b)
}

// unrelated tells whether an operator compares values of types that have nothing to do with each other, which takes no
// function.
func unrelated(op value.Op, a, b value.Value) bool {
	ranges := func(v value.Value) bool { return v.Kind() == value.KindRange || v.Kind() == value.KindRangeInclusive }
	return op >= value.OpEq && !value.SameType(a, b) && !ranges(a) && !ranges(b)
}

// unlike tells whether one of two values of different types is the host's: they are different, if nobody knows better.
func unlike(a, b value.Value) bool {
	return (a.Kind() == value.KindCustom || b.Kind() == value.KindCustom) && !value.SameType(a, b)
}

// joining makes sure of the memory that an addition takes, and writes out a container that is added to a text.
func (m *Machine) joining(op value.Op, a, b *value.Value) *value.Error {
	if op != value.OpAdd {
		return nil
	}
	for _, pair := range [2][2]*value.Value{{a, b}, {b, a}} {
		if k := pair[1].Kind(); pair[0].IsString() && (k == value.KindArray || k == value.KindMap) {
			s, err := value.Text(m, *pair[1], value.FormPrint)
			if err != nil {
				return value.AsError(err)
			}
			*pair[1] = value.Str(s)
		}
	}
	if bytes := value.Joining(*a, *b); bytes >= muchBytes {
		if err := m.Reserve(bytes); err != nil {
			return value.AsError(err)
		}
	}
	return nil
}

// joined checks and accounts for what an operator made of two values, of which the first may share its buffer.
func (m *Machine) joined(v, first value.Value) *value.Error {
	if v.Kind() <= value.KindChar {
		return nil
	}
	if err := m.length(v); err != nil {
		return err
	}
	return m.tookObject(v, first.Footprint())
}

// text checks and accounts for a short text that was made.
func (m *Machine) text(v value.Value) *value.Error {
	n := len(v.Text())
	if err := m.Run.Limits.CheckString(n); err != nil {
		return value.AsError(err)
	}
	if m.room -= stringBytes + n; m.room < 0 {
		return m.count(0)
	}
	return nil
}

// operator calls an operator that somebody registered.
func (m *Machine) operator(name string, args ...value.Value) (value.Value, *value.Error) {
	f := m.nativeFunc(name, args)
	if f == nil {
		return value.Value{}, m.notFound(name, args)
	}
	at := m.base + m.fn.Regs
	copy(m.stack[at:], args)
	return m.native(f, name, at, len(args))
}

// assign applies a compound assignment to a register.
func (m *Machine) assign(op value.Op, place *value.Value, x value.Value) *value.Error {
	if op == value.OpAdd && place.IsString() && x.IsString() && value.Joining(*place, x) < muchBytes {
		return m.appended(place, x)
	}
	adds := op == value.OpAdd && place.Kind() == value.KindArray // which calls nothing
	if x.Kind() >= value.KindString && (len(m.fn.Races) > 0 || len(m.locks) > 0) && !adds {
		if err := m.racing(op.String()+"=", x, 1); err != nil {
			return err
		}
	}
	old, before := *place, place.Footprint()
	if before.Bytes() >= muchBytes || x.Kind() >= value.KindString {
		if err := m.assigning(op, place, &x); err != nil {
			return err
		}
	}
	ok, err := value.Assign(m, op, place, x)
	if err != nil {
		return value.AsError(err)
	}
	if ok {
		place.KeepTag(old)
		if place.Kind() <= value.KindChar {
			return nil
		}
		if err := m.length(*place); err != nil {
			return err.Finally()
		}
		return m.changed(*place, before, x)
	}
	args := [2]value.Value{*place, x}
	if f := m.registry.Resolve(op.String()+"=", args[:]); f != nil {
		_, err := m.accessor(f, place, x)
		return err
	}
	v, e := m.operator(op.String(), *place, x)
	if e == nil {
		*place = v
	}
	return e
}

// appended puts a string behind the one in a place, which takes little memory.
func (m *Machine) appended(place *value.Value, x value.Value) *value.Error {
	old, before := *place, place.Footprint()
	v := old.Str().Concat(x.Str())
	if err := m.Run.Limits.CheckString(len(v.Text())); err != nil {
		return value.AsError(err)
	}
	*place = v
	place.KeepTag(old)
	return m.tookObject(v, before)
}

// assigning makes sure of the memory that a compound assignment takes.
func (m *Machine) assigning(op value.Op, place, x *value.Value) *value.Error {
	if op != value.OpAdd {
		return nil
	}
	if place.IsString() {
		return m.joining(op, place, x)
	}
	if bytes := value.Assigning(*place, *x); bytes >= muchBytes {
		if err := m.Reserve(bytes); err != nil {
			return value.AsError(err)
		}
	}
	return nil
}

// unary applies a prefix operator.
func (m *Machine) unary(op compile.Op, a value.Value) (value.Value, *value.Error) {
	switch op {
	case compile.OpNeg:
		v, ok, err := value.Neg(a)
		if err != nil {
			return v, value.AsError(err)
		}
		if ok {
			return v, nil
		}
		return m.prefix("-", a)
	case compile.OpPlus:
		if a.IsInt() || a.IsFloat() {
			a.SetTag(0)
			return a, nil
		}
		return m.prefix("+", a)
	}
	if a.IsBool() {
		return value.Bool(!a.Bool()), nil
	}
	return m.prefix("!", a)
}

// prefix calls a prefix operator that somebody registered.
func (m *Machine) prefix(name string, a value.Value) (value.Value, *value.Error) {
	if err := m.raced(name, []value.Value{a}, 1); err != nil {
		return value.Value{}, err
	}
	return m.operator(name, a)
}

// compare is a comparison as a condition.
func (m *Machine) compare(op value.Op, a, b value.Value) (bool, *value.Error) {
	if a.IsFloat() || b.IsFloat() {
		x, ok := a.Number()
		y, also := b.Number()
		if ok && also {
			return value.CompareFloats(op, x, y), nil
		}
	}
	v, err := m.binary(op, a, b)
	if err == nil && !v.IsBool() {
		return false, value.TypeMismatch("bool", v.TypeName())
	}
	return v.Bool(), err
}

// contained does OpIn and OpNotIn. The source of an eval is compiled without knowing what functions the script has.
func (m *Machine) contained(in compile.Instr) (value.Value, *value.Error) {
	item, container := m.get1(in.B), m.get1(in.C)
	if err := m.raced("contains", []value.Value{item}, 2); err != nil {
		return value.Value{}, err
	}
	if m.fn.Unit != m.unit {
		if f := m.find("contains", 2); f != nil {
			v, err := m.callFunc(f, nil, nil, []value.Value{container, item})
			if err == nil && in.Op == compile.OpNotIn {
				return m.unary(compile.OpNot, v)
			}
			return v, err
		}
	}
	ok, err := m.in(item, container)
	return value.Bool(ok == (in.Op == compile.OpIn)), err
}

// in is `x in list`.
func (m *Machine) in(x, list value.Value) (bool, *value.Error) {
	switch list.Kind() {
	case value.KindArray:
		for i, y := range list.Array().Items {
			if i&1023 == 1023 {
				if err := m.Tick(1024); err != nil {
					return false, value.AsError(err)
				}
			}
			same, err := value.EqualItems(m, x, y)
			if err != nil {
				return false, value.AsError(err)
			}
			if same {
				return true, nil
			}
		}
		return false, nil
	case value.KindMap:
		if x.IsString() {
			_, ok := list.Map().Get(x.Text())
			if err := m.key(x); err != nil {
				return false, err
			}
			return ok, nil
		}
	case value.KindString:
		switch x.Kind() {
		case value.KindString:
			if len(list.Text()) < value.Searched {
				return strings.Contains(list.Text(), x.Text()), nil
			}
			at, err := value.Search(m, list.Text(), x.Text())
			if err != nil {
				return false, value.AsError(err)
			}
			return at >= 0, nil
		case value.KindChar:
			return strings.ContainsRune(list.Text(), x.Char()), nil
		}
	case value.KindRange, value.KindRangeInclusive:
		if x.IsInt() {
			r := list.Range()
			return x.Int() >= r.From && (x.Int() < r.To || x.Int() == r.To && r.Inclusive()), nil
		}
	}
	v, err := m.operator("contains", list, x)
	if err == nil && !v.IsBool() {
		return false, value.TypeMismatch("bool", v.TypeName())
	}
	return v.Bool(), err
}

// inRange tells whether a switch's subject is in the range of a case.
func inRange(x, r value.Value) bool {
	o := r.Range()
	switch {
	case x.IsInt():
		return x.Int() >= o.From && (x.Int() < o.To || x.Int() == o.To && o.Inclusive())
	case x.IsFloat():
		f := x.Float()
		return f >= float64(o.From) && (f < float64(o.To) || f == float64(o.To) && o.Inclusive())
	}
	return false
}

// ends are the ends of a range, of which one may be nothing: then it is open there.
func ends(a, b value.Value) (from, to value.Value) {
	switch {
	case a.IsUnit() && b.IsInt():
		return value.Int(0), b
	case a.IsInt() && b.IsUnit():
		return a, value.Int(math.MaxInt64)
	}
	return a, b
}

// makeRange makes a range of two ints.
func (m *Machine) makeRange(op compile.Op, a, b value.Value) (value.Value, *value.Error) {
	a, b = ends(a, b)
	switch {
	case !a.IsInt() || !b.IsInt():
		name := ".."
		if op == compile.OpRangeEq {
			name = "..="
		}
		if err := m.raced(name, []value.Value{a, b}, 1); err != nil {
			return value.Value{}, err
		}
		return m.operator(name, a, b)
	case op == compile.OpRangeEq:
		return value.NewRangeInclusive(a.Int(), b.Int()), nil
	}
	return value.NewRange(a.Int(), b.Int()), nil
}

// concat joins the parts of an interpolated string.
func (m *Machine) concat(parts []value.Value) (value.Value, *value.Error) {
	limit := m.Run.Limits.StringBytes
	if v, ok := value.JoinShort(parts); ok && (limit <= 0 || len(v.Text()) <= limit) {
		return v, m.text(v)
	}
	texts := make([]string, len(parts))
	total := 0
	for i, p := range parts {
		var err error
		if texts[i], err = value.Text(m, p, value.FormPrint); err != nil {
			e := value.AsError(err)
			if e.Limit == value.LimitString {
				e.Pos = m.fn.Parts[m.pc()-1][i]
			}
			return value.Value{}, e
		}
		if total += len(texts[i]); limit > 0 && total > limit {
			err := value.AsError(m.Run.Limits.CheckString(total))
			err.Pos = m.fn.Parts[m.pc()-1][i]
			return value.Value{}, err
		}
	}
	if total >= muchBytes {
		if err := m.Reserve(total); err != nil {
			return value.Value{}, value.AsError(err)
		}
	}
	s, err := value.Concat(m, texts...)
	if err != nil {
		return value.Value{}, value.AsError(err)
	}
	v := value.Str(s)
	return v, m.made(v)
}

// sum does the additions behind an OpSum or OpSumOnto at once, if their result is nothing but a short text more.
func (m *Machine) sum(in compile.Instr) *value.Error {
	at, limit := m.base+int(in.B), m.Run.Limits.StringBytes
	parts := m.stack[at : at+int(in.C)]
	if in.Op == compile.OpSum {
		v, ok := value.JoinShort(parts)
		if !ok || limit > 0 && len(v.Text()) > limit {
			return nil
		}
		*m.at(in.A) = v
		m.ip = skip(m.ip, int(in.C)-1)
		return m.text(v)
	}
	place := m.at(in.A)
	if !place.IsString() || len(place.Text()) >= muchBytes && !place.Str().HasRoom() {
		return nil
	}
	old, before := *place, place.Footprint()
	v, ok := old.Str().AppendShort(parts)
	if !ok || limit > 0 && len(v.Text()) > limit {
		return nil
	}
	v.KeepTag(old)
	*place = v
	m.ip = skip(m.ip, int(in.C))
	return m.tookObject(v, before)
}

// switchTo is where a switch goes for a subject.
func (m *Machine) switchTo(s *compile.Switch, v value.Value) (int, *value.Error) {
	if target, ok := switchAt(s, &v); ok {
		return target, nil
	}
	if len(s.Keys) == 0 {
		return int(s.Default), nil
	}
	if v.IsString() && len(v.Text()) >= muchBytes { // to find it takes a walk through it
		if err := m.Tick(len(v.Text()) / muchBytes); err != nil {
			return 0, value.AsError(err)
		}
	}
	k, ok, err := v.Key(m)
	if err != nil {
		return 0, value.AsError(err)
	}
	if ok {
		if target, ok := s.Keys[k]; ok {
			return int(target), nil
		}
	}
	return int(s.Default), nil
}

// switchAt is where a switch goes for an int or a string; ok is false when only its keys tell.
func switchAt(s *compile.Switch, v *value.Value) (target int, ok bool) {
	switch {
	case v.IsInt() && s.Dense != nil:
		if i := uint64(v.Int() - s.Base); i < uint64(len(s.Dense)) && s.Dense[i] > 0 {
			return int(s.Dense[i]), true
		}
		return int(s.Default), true
	case v.IsString() && s.Texts != nil:
		text := v.Text()
		for i := range s.Texts {
			if s.Texts[i].Text == text {
				return int(s.Texts[i].Target), true
			}
		}
		return int(s.Default), true
	}
	return 0, false
}

// forPrep begins a counted loop: the register after the two ends gets the first int, and the second end becomes how
// many are left. It reports whether there is any.
func (m *Machine) forPrep(r []value.Value) (bool, *value.Error) {
	a, b := ends(r[0], r[1])
	inclusive := r[2].Bool()
	if !a.IsInt() || !b.IsInt() {
		op := compile.OpRange
		if inclusive {
			op = compile.OpRangeEq
		}
		_, err := m.makeRange(op, a, b)
		if err == nil {
			err = value.NotIterable()
		}
		return false, err
	}
	from, to := a.Int(), b.Int()
	if from > to || from == to && !inclusive {
		return false, nil
	}
	left := uint64(to) - uint64(from)
	if !inclusive {
		left--
	}
	if left > math.MaxInt64 {
		left = math.MaxInt64 // nobody counts that far
	}
	r[1] = value.Int(int64(left))
	r[2] = a
	return true, nil
}
