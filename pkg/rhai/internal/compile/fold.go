package compile

import (
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// fold is the value of an expression that the source alone decides. What would fail is left to the run, which knows
// whether it is reached.
func fold(e syntax.Expr) (value.Value, bool) {
	switch e := e.(type) {
	case *syntax.Unit:
		return value.Unit(), true
	case *syntax.Bool:
		return value.Bool(e.Value), true
	case *syntax.Int:
		return value.Int(e.Value), true
	case *syntax.Float:
		return value.Float(e.Value), true
	case *syntax.Char:
		return value.Char(e.Value), true
	case *syntax.String:
		return value.Str(e.Value), true
	case *syntax.Unary:
		v, ok := fold(e.Operand)
		if !ok {
			return v, false
		}
		switch {
		case e.Op == "-":
			w, known, err := value.Neg(v)
			return w, known && err == nil
		case e.Op == "!" && v.IsBool():
			return value.Bool(!v.Bool()), true
		}
	case *syntax.Binary:
		op, ok := value.OpByName(e.Op)
		if !ok {
			return value.Value{}, false
		}
		if op >= value.OpEq && plain(e.Left) && plain(e.Right) {
			if v, ok := compared(op, e.Left, e.Right); ok {
				return v, true
			}
		}
		a, ok := fold(e.Left)
		if !ok {
			return a, false
		}
		b, ok := fold(e.Right)
		if !ok {
			return b, false
		}
		if !foldable(op, a, b) {
			return value.Value{}, false
		}
		v, known, err := value.Binary(nil, op, a, b)
		return v, known && err == nil
	case *syntax.Array:
		items := make([]value.Value, len(e.Items))
		for i, x := range e.Items {
			v, ok := fold(x)
			if !ok {
				return v, false
			}
			items[i] = v
		}
		return value.NewArray(items), true
	case *syntax.Map:
		m := value.NewMap(len(e.Entries))
		for _, x := range e.Entries {
			v, ok := fold(x.Value)
			if !ok {
				return v, false
			}
			m.Set(x.Key.Text, v)
		}
		return m.Value(), true
	}
	return value.Value{}, false
}

// compared is what a comparison of two constants says when they are of different types: it does not look at them; and
// whether two ranges are the same.
func compared(op value.Op, left, right syntax.Expr) (value.Value, bool) {
	isRange := func(v value.Value) bool { return v.Kind() == value.KindRange || v.Kind() == value.KindRangeInclusive }
	a, _ := constantValue(left)
	b, _ := constantValue(right)
	if isRange(a) && isRange(b) && (op == value.OpNe || op == value.OpEq && a.Kind() == b.Kind()) {
		x, y := a.Range(), b.Range()
		same := a.Kind() == b.Kind() && x.From == y.From && x.To == y.To
		return value.Bool(same == (op == value.OpEq)), true
	}
	if a.Kind() <= value.KindString && b.Kind() <= value.KindString || a.Kind() == b.Kind() || isRange(a) && isRange(b) {
		return value.Value{}, false
	}
	return value.Bool(op == value.OpNe), true
}

// foldable tells whether the reference computes an operation before it runs a script.
func foldable(op value.Op, a, b value.Value) bool {
	if a.Kind() > value.KindString || b.Kind() > value.KindString {
		return false
	}
	if op != value.OpAdd || !a.IsString() && !b.IsString() && !a.IsChar() && !b.IsChar() {
		return true
	}
	textual := func(v value.Value) bool { return v.IsString() || v.IsChar() || v.IsUnit() }
	return textual(a) && textual(b)
}

// small is an expression's value when it is an int that fits an operand.
func (f *fn) small(e syntax.Expr) (int, bool) {
	v, ok := f.fold(e)
	if !ok || !v.IsInt() || v.Int() != int64(int16(v.Int())) {
		return 0, false
	}
	return int(v.Int()), true
}
