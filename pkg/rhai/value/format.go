package value

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var typeNames = [numKinds]string{"()", "bool", "i64", "f64", "char", "string", "array", "blob", "map", "timestamp",
	"range", "range=", "Fn", "custom", "shared", "absent"}

// TypeName is what type_of says.
func (v Value) TypeName() string {
	switch k := v.Kind(); k {
	case KindCustom:
		return v.Custom().Type.Name
	case KindCell:
		return v.Cell().V.TypeName()
	default:
		return typeNames[k]
	}
}

// SignatureName is the type's name in the signatures of error messages.
func (v Value) SignatureName() string {
	if v.Kind() == KindString {
		return "&str | ImmutableString | String"
	}
	return v.TypeName()
}

// String is the value as print shows it.
func (v Value) String() string {
	switch v.Kind() {
	case KindString:
		return v.Text()
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat:
		return string(AppendFloat(nil, v.Float()))
	case KindUnit:
		return ""
	case KindCustom:
		if c := v.Custom(); c.Type.Print != nil {
			return c.Type.Print(c.Data)
		}
	case KindCell:
		return v.Cell().V.String()
	}
	return v.Debug()
}

// Display is String under the name that the command-line protocol has for it.
func (v Value) Display() string { return v.String() }

// Interpolated is the value as a part of a back-tick string, where characters within containers have quotes.
func (v Value) Interpolated() string {
	switch v.Kind() {
	case KindArray, KindMap:
		return string(appendDebug(nil, v, quoteChars, 0))
	}
	return v.String()
}

// Debug is the value as debug shows it.
func (v Value) Debug() string { return string(AppendDebug(nil, v)) }

// AppendDebug appends the debug form.
func AppendDebug(b []byte, v Value) []byte { return appendDebug(b, v, bareChars, 0) }

// maxText is where formatting a container stops: values that hold the same arrays many times over can be far longer as
// text than in memory.
const maxText = 64 << 20

// How characters look in the debug form.
type charForm bool

const (
	bareChars  charForm = false
	quoteChars charForm = true
)

func appendDebug(b []byte, v Value, chars charForm, depth int) []byte {
	if depth > maxNesting || len(b) > maxText {
		return append(b, "..."...)
	}
	switch v.Kind() {
	case KindUnit:
		return append(b, "()"...)
	case KindBool:
		return strconv.AppendBool(b, v.Bool())
	case KindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case KindFloat:
		f := v.Float()
		abs := math.Abs(f)
		return appendFloat(b, f, abs == 0 || abs >= 1e-4 && abs < 1e16)
	case KindChar:
		if chars == bareChars {
			return utf8.AppendRune(b, v.Char())
		}
		b = append(b, '\'')
		b = appendEscaped(b, v.Char(), '\'')
		return append(b, '\'')
	case KindString:
		return appendQuoted(b, v.Text())
	case KindArray:
		b = append(b, '[')
		for i, x := range v.Array().Items {
			if i > 0 {
				b = append(b, ", "...)
			}
			if b = appendDebug(b, x, chars, depth+1); len(b) > maxText {
				break
			}
		}
		return append(b, ']')
	case KindMap:
		b = append(b, "#{"...)
		first := true
		for k, x := range v.Map().All() {
			if !first {
				b = append(b, ", "...)
			}
			first = false
			b = appendQuoted(b, k)
			b = append(b, ": "...)
			if b = appendDebug(b, *x, chars, depth+1); len(b) > maxText {
				break
			}
		}
		return append(b, '}')
	case KindBlob:
		const hex = "0123456789abcdef"
		b = append(b, '[')
		for i, x := range v.Blob().Bytes {
			if i > 0 && i%8 == 0 {
				b = append(b, ' ')
			}
			b = append(b, hex[x>>4], hex[x&15])
		}
		return append(b, ']')
	case KindTimestamp:
		return append(b, "<timestamp>"...)
	case KindRange, KindRangeInclusive:
		r := v.Range()
		b = strconv.AppendInt(b, r.From, 10)
		b = append(b, ".."...)
		if r.Inclusive() {
			b = append(b, '=')
		}
		if r.To == math.MaxInt64 {
			return b // a range without an end has this one
		}
		return strconv.AppendInt(b, r.To, 10)
	case KindFnPtr:
		b = append(b, "Fn("...)
		b = append(b, v.FnPtr().Name...)
		return append(b, ')')
	case KindCustom:
		switch c := v.Custom(); {
		case c.Type.Debug != nil:
			return append(b, c.Type.Debug(c.Data)...)
		case c.Type.Print != nil:
			return append(b, c.Type.Print(c.Data)...)
		default:
			return append(b, c.Type.Name...)
		}
	case KindCell:
		return appendDebug(b, v.Cell().V, chars, depth+1)
	}
	return b
}

// AppendFloat appends a float as print shows it. The debug form differs in when it has an exponent, and in showing the
// sign of a zero.
func AppendFloat(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, "0.0"...)
	}
	// The bounds are those of the reference, which has them in single precision.
	const least, most = 9.9999998245167e-14, 9999999827968.0
	abs := math.Abs(f)
	return appendFloat(b, f, abs >= least && abs <= most)
}

func appendFloat(b []byte, f float64, plain bool) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	case plain:
		n := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		bumpTie(b[n:], f, 0)
		if bytes.IndexByte(b[n:], '.') < 0 {
			b = append(b, ".0"...)
		}
		return b
	}
	n := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go writes e+20 and e-08 where the language has e20 and e-8.
	mantissa, exp, _ := strings.Cut(string(b[n:]), "e")
	sign := ""
	if exp[0] == '-' {
		sign = "-"
	}
	exp = strings.TrimLeft(exp, "+-0")
	b = append(b[:n], mantissa...)
	if power, err := strconv.Atoi(sign + exp); err == nil {
		bumpTie(b[n:], f, power)
	}
	return append(append(append(b, 'e'), sign...), exp...)
}

// bumpTie corrects the last of the fewest digits that tell a float from its neighbours, times a power of ten: where the
// float is half way between two such numbers, Go has the even one and the language the larger one.
func bumpTie(digits []byte, f float64, power int) {
	point := bytes.IndexByte(digits, '.')
	if point < 0 {
		return
	}
	places := len(digits) - point - 1 - power
	// A number with so many binary places has as many decimal ones, of which the last is a 5.
	fraction, exponent := math.Frexp(f)
	binary := 53 - exponent - bits.TrailingZeros64(uint64(math.Abs(fraction)*(1<<53)))
	if binary != places+1 {
		return
	}
	exact := strconv.AppendFloat(nil, f, 'f', binary, 64)
	if last := &digits[len(digits)-1]; *last == exact[len(exact)-2] {
		*last++ // never a 9: the next number would have fewer digits
	}
}

// appendQuoted writes a string in quotes with its special characters escaped.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		b = appendEscaped(b, r, '"')
	}
	return append(b, '"')
}

func appendEscaped(b []byte, r, quote rune) []byte {
	switch r {
	case quote, '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	case 0:
		return append(b, `\0`...)
	}
	if r < utf8.RuneSelf && r >= 0x20 && r != 0x7f || r >= utf8.RuneSelf && unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) {
		return utf8.AppendRune(b, r)
	}
	b = append(b, `\u{`...)
	b = strconv.AppendInt(b, int64(r), 16)
	return append(b, '}')
}

// RustName is the type's name where the reference shows the name that Rust has for it.
func (v Value) RustName() string {
	switch v.Kind() {
	case KindRange:
		return "core::ops::range::Range<i64>"
	case KindRangeInclusive:
		return "core::ops::range::RangeInclusive<i64>"
	}
	return v.TypeName()
}
