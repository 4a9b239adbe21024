package value

import (
	"math"
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
	case KindUnit:
		return ""
	case KindCustom:
		if c := v.Custom(); c.Type.Print != nil {
			return c.Type.Print(c.Data)
		}
	case KindCell:
		return v.Cell().V.String()
	}
	return string(AppendDebug(nil, v))
}

// Display is String under the name that the command-line protocol has for it.
func (v Value) Display() string { return v.String() }

// Debug is the value as debug shows it.
func (v Value) Debug() string { return string(AppendDebug(nil, v)) }

// AppendDebug appends the debug form.
func AppendDebug(b []byte, v Value) []byte { return appendDebug(b, v, 0) }

func appendDebug(b []byte, v Value, depth int) []byte {
	if depth > maxNesting {
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
		return AppendFloat(b, v.Float())
	case KindChar:
		return utf8.AppendRune(b, v.Char())
	case KindString:
		return appendQuoted(b, v.Text())
	case KindArray:
		b = append(b, '[')
		for i, x := range v.Array().Items {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendDebug(b, x, depth+1)
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
			b = appendDebug(b, *x, depth+1)
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
		return appendDebug(b, v.Cell().V, depth+1)
	}
	return b
}

// AppendFloat appends a float as the language prints it.
func AppendFloat(b []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	case abs == 0 || abs >= 1e-10 && abs < 1e16:
		n := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		if !strings.ContainsRune(string(b[n:]), '.') {
			b = append(b, ".0"...)
		}
		return b
	}
	n := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go writes e+20 and e-08 where the language has e20 and e-8.
	s := string(b[n:])
	mantissa, exp, _ := strings.Cut(s, "e")
	sign := ""
	if exp[0] == '-' {
		sign = "-"
	}
	exp = strings.TrimLeft(exp, "+-0")
	return append(append(append(append(b[:n], mantissa...), 'e'), sign...), exp...)
}

// appendQuoted writes a string in quotes with its special characters escaped.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b = append(b, '\\', byte(r))
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case 0:
			b = append(b, `\0`...)
		default:
			if r < utf8.RuneSelf && r >= 0x20 && r != 0x7f || r >= utf8.RuneSelf && (unicode.IsPrint(r) || unicode.IsMark(r)) {
				b = utf8.AppendRune(b, r)
				continue
			}
			b = append(b, `\u{`...)
			b = strconv.AppendInt(b, int64(r), 16)
			b = append(b, '}')
		}
	}
	return append(b, '"')
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
