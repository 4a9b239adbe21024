package value

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"strings"
	"unsafe"

	"circles/pkg/rhai/internal/float"
)

// Op is a binary operator that built-in types may have.
type Op uint8

// The operators. Equality and order come last: they have a meaning between any two types.
const (
	OpAdd Op = iota
	OpSub
	OpMul
	OpDiv
	OpMod
	OpPow
	OpShl
	OpShr
	OpAnd
	OpOr
	OpXor
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	NumOps
)

var opNames = [NumOps]string{"+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">="}

// String is the operator as scripts write it.
func (op Op) String() string { return opNames[op] }

// OpByName is the operator of a token.
func OpByName(name string) (Op, bool) {
	for i, n := range opNames {
		if n == name {
			return Op(i), true
		}
	}
	return 0, false
}

// Binary applies an operator to values of built-in types. ok is false when they have no such operator, and then the
// operator may still be a function that somebody registered. The run, under whose limits it is done, may be nil.
func Binary(run Context, op Op, a, b Value) (v Value, ok bool, err error) {
	ak, bk := a.Kind(), b.Kind()
	switch {
	case ak == KindInt && bk == KindInt:
		v, err = IntOp(op, a.Int(), b.Int())
		return v, true, err
	case op == OpPow && ak == KindFloat && bk == KindInt:
		return Float(floatPow(a.Float(), b.Int())), true, nil
	case ak <= KindFloat && bk <= KindFloat && ak >= KindInt && bk >= KindInt:
		x, _ := a.Number()
		y, _ := b.Number()
		return floatOp(op, x, y)
	}
	if op >= OpEq {
		return compare(op, a, b, ak, bk)
	}
	if ak == KindBool && bk == KindBool {
		switch op {
		case OpAnd:
			return Bool(a.Bool() && b.Bool()), true, nil
		case OpOr:
			return Bool(a.Bool() || b.Bool()), true, nil
		case OpXor:
			return Bool(a.Bool() != b.Bool()), true, nil
		}
		return Value{}, false, nil
	}
	switch op {
	case OpAdd:
		return add(run, a, b, ak, bk)
	case OpSub:
		return sub(a, b, ak, bk)
	}
	return Value{}, false, nil
}

// IntOp applies an operator to two ints.
func IntOp(op Op, x, y int64) (Value, error) {
	switch op {
	case OpAdd:
		if z := x + y; (z > x) == (y > 0) {
			return Int(z), nil
		}
		return Value{}, Arithmetic("Addition overflow: %d + %d", x, y)
	case OpSub:
		if z := x - y; (z < x) == (y > 0) {
			return Int(z), nil
		}
		return Value{}, Arithmetic("Subtraction overflow: %d - %d", x, y)
	case OpMul:
		if z, ok := MulInt(x, y); ok {
			return Int(z), nil
		}
		return Value{}, Arithmetic("Multiplication overflow: %d * %d", x, y)
	case OpDiv:
		if y == 0 {
			return Value{}, Arithmetic("Division by zero: %d / %d", x, y)
		}
		if x == math.MinInt64 && y == -1 {
			return Value{}, Arithmetic("Division overflow: %d / %d", x, y)
		}
		return Int(x / y), nil
	case OpMod:
		if y == 0 || x == math.MinInt64 && y == -1 {
			return Value{}, Arithmetic("Modulo division by zero or overflow: %d %% %d", x, y)
		}
		return Int(x % y), nil
	case OpPow:
		return intPow(x, y)
	case OpShl:
		return Int(shift(x, y)), nil
	case OpShr:
		if y == math.MinInt64 {
			return Int(0), nil
		}
		return Int(shift(x, -y)), nil
	case OpAnd:
		return Int(x & y), nil
	case OpOr:
		return Int(x | y), nil
	case OpXor:
		return Int(x ^ y), nil
	case OpEq:
		return Bool(x == y), nil
	case OpNe:
		return Bool(x != y), nil
	case OpLt:
		return Bool(x < y), nil
	case OpLe:
		return Bool(x <= y), nil
	case OpGt:
		return Bool(x > y), nil
	}
	return Bool(x >= y), nil
}

// MulInt is the product, or ok false when it overflows.
func MulInt(x, y int64) (z int64, ok bool) {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	// From the unsigned product to the signed one.
	if x < 0 {
		hi -= uint64(y)
	}
	if y < 0 {
		hi -= uint64(x)
	}
	z = int64(lo)
	return z, int64(hi) == z>>63
}

func intPow(x, y int64) (Value, error) {
	switch {
	case y < 0:
		return Value{}, Arithmetic("Integer raised to a negative power: %d ** %d", x, y)
	case y > math.MaxUint32:
		return Value{}, Arithmetic("Exponential overflow: %d ** %d", x, y)
	}
	z, b, ok := int64(1), x, true
	for n := y; ; {
		if n&1 != 0 {
			if z, ok = MulInt(z, b); !ok {
				return Value{}, Arithmetic("Exponential overflow: %d ** %d", x, y)
			}
		}
		if n >>= 1; n == 0 {
			return Int(z), nil
		}
		if b, ok = MulInt(b, b); !ok {
			return Value{}, Arithmetic("Exponential overflow: %d ** %d", x, y)
		}
	}
}

// floatPow raises a float to a whole power by multiplying.
func floatPow(x float64, n int64) float64 {
	if n != int64(int32(n)) {
		return float.Pow(x, float64(n))
	}
	// Each number is the sum of two floats, so that the roundings of the steps stay below that of the result.
	z, zl, b, bl := 1.0, 0.0, x, 0.0
	for i := n; ; {
		if i&1 != 0 {
			z, zl = mulPairs(z, zl, b, bl)
		}
		if i /= 2; i == 0 {
			break
		}
		b, bl = mulPairs(b, bl, b, bl)
	}
	if n < 0 {
		q := 1 / z
		z = q + q*(math.FMA(-q, z, 1)-q*zl)
	}
	if math.IsNaN(z) || math.IsInf(z, 0) || math.Abs(z) < 1e-290 || math.IsNaN(zl) {
		return float.Pow(x, float64(n))
	}
	return z
}

// mulPairs multiplies two numbers, each the sum of two floats.
func mulPairs(a, al, b, bl float64) (hi, lo float64) {
	p := a * b
	e := math.FMA(a, b, -p) + (a*bl + al*b)
	hi = p + e
	return hi, e - (hi - p)
}

// shift shifts left, or right when n is negative.
func shift(x, n int64) int64 {
	switch {
	case n >= 64:
		return 0
	case n >= 0:
		return x << uint(n)
	case n > -64:
		return x >> uint(-n)
	case x < 0:
		return -1
	}
	return 0
}

// remainder is x modulo y. Where there is none it is what processors make of an invalid operation.
func remainder(x, y float64) float64 {
	r := math.Mod(x, y)
	if r != r {
		return math.Copysign(r, -1)
	}
	return r
}

func floatOp(op Op, x, y float64) (Value, bool, error) {
	switch op {
	case OpAdd:
		return Float(x + y), true, nil
	case OpSub:
		return Float(x - y), true, nil
	case OpMul:
		return Float(x * y), true, nil
	case OpDiv:
		return Float(x / y), true, nil
	case OpMod:
		return Float(remainder(x, y)), true, nil
	case OpPow:
		return Float(float.Pow(x, y)), true, nil
	case OpShl, OpShr, OpAnd, OpOr, OpXor:
		return Value{}, false, nil
	}
	return Bool(CompareFloats(op, x, y)), true, nil
}

const epsilon = 0x1p-52

// CompareFloats compares as the language does: numbers that differ by less than the precision of the larger (or than
// that of 1, near zero) are equal. With infinities and NaN the difference is NaN, and every comparison false, but for
// NaN and zero, which are equal.
func CompareFloats(op Op, x, y float64) bool {
	switch {
	case math.IsInf(x, 0) || math.IsInf(y, 0):
		return false
	case x == 0 && y != y || x != x && y == 0:
		return op == OpEq || op == OpLe || op == OpGe
	}
	scale := 1.0
	if x*y != 0 {
		scale = math.Max(math.Abs(x), math.Abs(y))
	}
	d, tolerance := x-y, scale*epsilon
	switch op {
	case OpEq:
		return math.Abs(d) <= tolerance
	case OpNe:
		return math.Abs(d) > tolerance
	case OpLt:
		return -d > tolerance
	case OpLe:
		return -d >= -tolerance
	case OpGt:
		return d > tolerance
	}
	return d >= -tolerance
}

func compare(op Op, a, b Value, ak, bk Kind) (Value, bool, error) {
	text := (ak == KindString || ak == KindChar) && (bk == KindString || bk == KindChar)
	if ak != bk && !text {
		if ak == KindCustom || bk == KindCustom || op != OpNe && isRange(ak) && isRange(bk) || ak == KindBlob && bk == KindChar {
			return Value{}, false, nil
		}
		return Bool(op == OpNe), true, nil
	}
	c := 0
	switch {
	case ak == KindUnit:
		if op != OpEq && op != OpNe {
			return Bool(false), true, nil
		}
	case ak == KindBool:
		c = int(a.n&1) - int(b.n&1)
	case ak == KindChar && bk == KindChar:
		c = int(a.Char()) - int(b.Char())
	case text && op <= OpNe: // texts of different lengths are not looked at
		if textOf(a) != textOf(b) {
			c = 1
		}
	case text:
		c = strings.Compare(textOf(a), textOf(b))
	case ak == KindTimestamp:
		c = a.Timestamp().Time.Compare(b.Timestamp().Time)
	case ak == KindCustom:
		var ok bool
		if c, ok = compareCustom(op, a.Custom(), b.Custom()); !ok {
			return Value{}, false, nil
		}
	case op > OpNe || ak == KindFnPtr:
		return Value{}, false, nil
	default:
		same, err := EqualItems(nil, a, b)
		if err != nil {
			return Value{}, true, err
		}
		if !same {
			c = 1
		}
	}
	switch op {
	case OpEq:
		return Bool(c == 0), true, nil
	case OpNe:
		return Bool(c != 0), true, nil
	case OpLt:
		return Bool(c < 0), true, nil
	case OpLe:
		return Bool(c <= 0), true, nil
	case OpGt:
		return Bool(c > 0), true, nil
	}
	return Bool(c >= 0), true, nil
}

// compareCustom compares by what the type has for it; ok is false when it has nothing.
func compareCustom(op Op, a, b *Custom) (c int, ok bool) {
	t := a.Type
	switch {
	case t != b.Type:
		return 0, false
	case t.Compare != nil:
		return t.Compare(a.Data, b.Data), true
	case t.Equal == nil || op > OpNe:
		return 0, false
	case t.Equal(a.Data, b.Data):
		return 0, true
	}
	return 1, true
}

// same tells whether both refer to one Go value.
func (x *Custom) same(y *Custom) bool {
	return x.Type.Copy == nil && x.Data != nil && reflect.TypeOf(x.Data).Comparable() && x.Data == y.Data
}

// unequal tells whether values of the type can't be compared, not even with themselves: those of the reference's own.
func (x *Custom) unequal() bool { return x.Type.Origin != nil }

// maxNesting bounds recursion over nested containers. Values nested deeper are equal to nothing.
const maxNesting = 1000

// Equal tells whether values of built-in types are equal, containers by their elements. What has no equality is
// equal to itself alone, or to nothing.
func Equal(a, b Value) bool {
	same, err := EqualItems(nil, a, b)
	return same && err == nil
}

// EqualItems is Equal, but for elements without equality it is the error of comparing them. The work counts for the
// run, when there is one.
func EqualItems(run Context, a, b Value) (bool, error) {
	c := comparison{left: maxCompared, run: run}
	same, err := c.same(a, b, 0)
	if err == nil && run != nil && c.left < maxCompared-comparedPerTick {
		err = run.Tick((maxCompared - c.left) % comparedAtOnce / comparedPerTick)
	}
	return same && err == nil, err
}

const (
	// maxCompared bounds the elements that one comparison looks at: values that hold the same arrays many times over
	// can have far more than there are in memory. Beyond it they count as different.
	maxCompared = 1 << 24
	// comparedAtOnce is how many elements are compared between two ticks, and comparedPerTick how many are one tick's.
	comparedAtOnce  = 1024
	comparedPerTick = 16
)

type comparison struct {
	left  int
	run   Context
	equal map[[2]unsafe.Pointer]bool // containers with many elements that have been found equal
}

func (c *comparison) same(a, b Value, depth int) (bool, error) {
	ak, bk := a.Kind(), b.Kind()
	if ak == KindCell || bk == KindCell {
		return c.same(a.Flat(), b.Flat(), depth)
	}
	if c.left--; depth > maxNesting || c.left < 0 {
		return false, nil
	}
	if c.run != nil && c.left%comparedAtOnce == 0 {
		if err := c.run.Tick(comparedAtOnce / comparedPerTick); err != nil {
			return false, err
		}
	}
	if ak == bk {
		switch ak {
		case KindArray, KindMap:
			pair := [2]unsafe.Pointer{a.p, b.p}
			if c.equal[pair] {
				return true, nil
			}
			left := c.left
			same, err := c.content(a, b, depth)
			if same && err == nil && left-c.left > comparedAtOnce {
				if c.equal == nil {
					c.equal = map[[2]unsafe.Pointer]bool{}
				}
				c.equal[pair] = true
			}
			return same, err
		case KindBlob:
			if err := lengthTick(c.run, a.Blob().Bytes, b.Blob().Bytes); err != nil {
				return false, err
			}
			return bytes.Equal(a.Blob().Bytes, b.Blob().Bytes), nil
		case KindString:
			if err := lengthTick(c.run, a.Text(), b.Text()); err != nil {
				return false, err
			}
			return a.Text() == b.Text(), nil
		case KindRange, KindRangeInclusive:
			return a.Range().From == b.Range().From && a.Range().To == b.Range().To, nil
		case KindCustom:
			if x, y := a.Custom(), b.Custom(); !x.unequal() && (x == y || x.Type == y.Type && x.same(y)) {
				return true, nil
			}
		}
	}
	v, ok, err := Binary(c.run, OpEq, a, b)
	if err == nil && !ok {
		switch {
		case depth == 0 && ak != KindFnPtr && !(ak == KindCustom && a.Custom().unequal() && SameType(a, b)):
			return a.p == b.p, nil
		case (ak == KindCustom || bk == KindCustom) && !SameType(a, b):
			return false, nil
		}
		err = FunctionNotFound(fmt.Sprintf("== (%s, %s)", a.SignatureName(), b.SignatureName()))
	}
	return v.Bool(), err
}

// content compares two arrays or two maps.
func (c *comparison) content(a, b Value, depth int) (bool, error) {
	if a.Kind() == KindArray {
		x, y := a.Array().Items, b.Array().Items
		if len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			same, err := c.same(x[i], y[i], depth+1)
			if k := x[i].Flat().Kind(); err != nil && (k == KindBlob || depth == 0 && (k == KindArray || k == KindMap)) && AsError(err).Catchable() {
				return false, nil // the reference holds containers that it can't compare within an array for different
			}
			if !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	x, y := a.Map(), b.Map()
	if x.Len() != y.Len() {
		return false, nil
	}
	if err := x.Sort(c.run); err != nil {
		return false, err
	}
	for k, v := range x.All() {
		w, ok := y.Get(k)
		if !ok {
			return false, nil
		}
		if same, err := c.same(*v, w, depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// bytesPerTick is how many bytes a comparison looks at for an operation.
const bytesPerTick = 512

func lengthTick[T string | []byte](run Context, x, y T) error {
	if len(x) != len(y) || len(x) < bytesPerTick || run == nil {
		return nil
	}
	return run.Tick(len(x) / bytesPerTick)
}

func isRange(k Kind) bool { return k == KindRange || k == KindRangeInclusive }

// textOf is the text of a string or a char.
func textOf(v Value) string {
	if v.IsChar() {
		return string(v.Char())
	}
	return v.Text()
}

func add(run Context, a, b Value, ak, bk Kind) (v Value, ok bool, err error) {
	switch ak {
	case KindString:
		switch bk {
		case KindString:
			v, err = a.Str().ConcatIn(run, b.Str())
			return v, true, err
		case KindUnit:
			return a, true, nil
		case KindCustom, KindFnPtr, KindTimestamp, KindBlob:
			return Value{}, false, nil
		}
		v, err = a.Str().AppendIn(run, b.String())
		return v, true, err
	case KindChar:
		switch bk {
		case KindChar, KindString:
			return Str(textOf(a) + textOf(b)), true, nil
		}
	case KindArray:
		if bk == KindArray {
			x, y := a.Array().Items, b.Array().Items
			items, err := Make[Value](run, 0, len(x)+len(y))
			if err == nil {
				items, err = AppendShared(run, items, x)
			}
			if err == nil {
				items, err = AppendShared(run, items, y)
			}
			return NewArray(items), true, err
		}
	case KindMap:
		if bk == KindMap {
			v := a.Share()
			err := mixin(run, &v, b.Map())
			return v, true, err
		}
	case KindBlob:
		if bk == KindBlob {
			x, y := a.Blob().Bytes, b.Blob().Bytes
			both, err := Make[byte](run, len(x)+len(y), len(x)+len(y))
			if err == nil {
				err = cmp.Or(Copy(run, both, x), Copy(run, both[len(x):], y))
			}
			return NewBlob(both), true, err
		}
	case KindTimestamp:
		if bk == KindInt || bk == KindFloat {
			v, err := a.Timestamp().Move(b, 1)
			return v, true, err
		}
	}
	if bk == KindString {
		switch ak {
		case KindUnit:
			return b, true, nil
		case KindBool, KindInt, KindFloat, KindArray, KindMap, KindRange, KindRangeInclusive:
			s, err := Concat(run, a.String(), b.Text())
			return Str(s), true, err
		}
	}
	return Value{}, false, nil
}

func sub(a, b Value, ak, bk Kind) (Value, bool, error) {
	switch ak {
	case KindString:
		if bk == KindString && a.Text() == "" {
			return b, true, nil // odd, but what the reference does
		}
		if bk == KindString || bk == KindChar {
			return Str(strings.ReplaceAll(a.Text(), textOf(b), "")), true, nil
		}
	case KindTimestamp:
		if bk == KindTimestamp {
			return Float(a.Timestamp().Since(b.Timestamp())), true, nil
		}
		if bk == KindInt || bk == KindFloat {
			v, err := a.Timestamp().Move(b, -1)
			return v, true, err
		}
	}
	return Value{}, false, nil
}

// mixin puts the entries of a map into the one in a place.
func mixin(run Context, place *Value, from *Map) error {
	m, err := OwnMapIn(run, place)
	if err == nil {
		err = from.Sort(run)
	}
	if err != nil {
		return err
	}
	done := 0
	for k, x := range from.All() {
		if done++; done%indexedAtOnce == 0 {
			if err := Interrupted(run); err != nil {
				return err
			}
		}
		if err := m.GrowIn(run); err != nil {
			return err
		}
		m.Set(k, x.Share())
	}
	return nil
}

// Assign applies a compound assignment of built-in types to a place. ok is false when there is none. The run, under
// whose limits it is done, may be nil.
func Assign(run Context, op Op, place *Value, b Value) (ok bool, err error) {
	if b.Kind() == KindString { // odd, but what the reference does
		switch {
		case op == OpSub && place.Kind() == KindString && place.Text() == "":
			*place = b
			return true, nil
		case op == OpAdd && place.Kind() == KindChar && b.Text() == "":
			return true, nil
		}
	}
	if op == OpAdd {
		switch place.Kind() {
		case KindArray:
			if b.Kind() == KindArray {
				items := b.Array().Items // read first: a += a
				a, err := OwnArrayIn(run, place)
				if err != nil {
					return true, err
				}
				items, err = AppendShared(run, a.Items, items)
				if err == nil {
					a.Items = items
				}
				return true, err
			}
			a, err := OwnArrayIn(run, place)
			if err != nil {
				return true, err
			}
			items, err := Grow(run, a.Items, 1)
			if err == nil {
				a.Items = append(items, b.Share())
			}
			return true, err
		case KindMap:
			if b.Kind() == KindMap {
				return true, mixin(run, place, b.Map())
			}
		case KindBlob:
			more, ok := appendable(b)
			if !ok {
				break
			}
			o, err := OwnBlobIn(run, place)
			if err != nil {
				return true, err
			}
			n := len(o.Bytes)
			grown, err := Grow(run, o.Bytes, len(more))
			if err == nil {
				o.Bytes = grown[:n+len(more)]
				err = Copy(run, o.Bytes[n:], more)
			}
			return true, err
		}
	}
	v, ok, err := Binary(run, op, *place, b)
	if ok && err == nil {
		*place = v
	}
	return ok, err
}

// appendable is the bytes that a value puts behind a blob; ok is false when it has none.
func appendable(v Value) (b []byte, ok bool) {
	switch v.Kind() {
	case KindInt:
		return []byte{byte(v.Int())}, true
	case KindChar, KindString:
		return BytesOf(textOf(v)), true
	case KindBlob:
		return v.Blob().Bytes, true
	}
	return nil, false
}

// Neg is the unary minus of built-in types.
func Neg(a Value) (v Value, ok bool, err error) {
	switch {
	case a.IsInt():
		if a.Int() == math.MinInt64 {
			return Value{}, true, NewError(ErrArithmetic, "integer overflow")
		}
		return Int(-a.Int()), true, nil
	case a.IsFloat():
		return Float(-a.Float()), true, nil
	}
	return Value{}, false, nil
}

// Compare is Binary for equality and order, under the limits of a run.
func Compare(run Context, op Op, a, b Value) (v Value, ok bool, err error) {
	if k := a.Kind(); k == b.Kind() && k >= KindString && k <= KindMap {
		switch {
		case k == KindString:
			if n := min(len(a.Text()), len(b.Text())); n >= bytesPerTick && run != nil && (op > OpNe || len(a.Text()) == len(b.Text())) {
				err = run.Tick(n / bytesPerTick)
			}
		case op == OpEq || op == OpNe:
			same, err := EqualItems(run, a, b)
			return Bool(same == (op == OpEq)), true, err
		}
	}
	if err != nil {
		return Value{}, true, err
	}
	return Binary(run, op, a, b)
}

// Key identifies a scalar or a string among the cases of a switch.
type Key struct {
	kind Kind
	n    uint64
	s    string
}

// Key is the value as a key; ok is false for values that no case can hold. The work counts for the run, when there is
// one.
func (v Value) Key(run Context) (k Key, ok bool, err error) {
	switch kind := v.Kind(); kind {
	case KindArray, KindMap, KindBlob:
		if run == nil {
			return Key{kind: kind, s: debugForm(v, quoteChars)}, true, nil
		}
		s, err := Text(run, v, FormQuoted) // ['1'] is not [1]
		return Key{kind: kind, s: s}, true, err
	case KindInt:
		return Key{kind: kind, n: v.n}, true, nil
	case KindUnit, KindBool, KindChar:
		return Key{kind: kind, n: v.n & math.MaxUint32}, true, nil
	case KindFloat:
		return Key{kind: kind, n: math.Float64bits(v.Float())}, true, nil
	case KindString:
		return Key{kind: kind, s: v.Text()}, true, nil
	case KindRange, KindRangeInclusive:
		return Key{kind: kind, s: v.Debug()}, true, nil
	case KindFnPtr:
		return Key{kind: kind, s: v.FnPtr().Name}, len(v.FnPtr().Curry) == 0, nil
	}
	return Key{}, false, nil
}
