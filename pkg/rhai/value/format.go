package value

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var typeNames = [numKinds]string{"()", "bool", "i64", "f64", "char", "string", "array", "blob", "map", "custom",
	"timestamp", "range", "range=", "Fn", "shared", "absent"}

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
		return debugForm(v, quoteChars)
	}
	return v.String()
}

// Debug is the value as debug shows it.
func (v Value) Debug() string { return debugForm(v, bareChars) }

func debugForm(v Value, chars charForm) string {
	p := printer{chars: chars}
	_ = p.value(v, 0) // it has no limit to meet
	return string(p.b)
}

// AppendDebug appends the debug form.
func AppendDebug(b []byte, v Value) []byte {
	p := printer{b: b}
	_ = p.value(v, 0)
	return p.b
}

// Form is one of the texts that a value has.
type Form uint8

// The forms.
const (
	FormPrint  Form = iota // what print shows
	FormDebug              // what debug shows
	FormQuoted             // what print shows, but with quotes around characters within containers
)

// Text is the text of a value, made within the limits of a run: it counts operations, memory and the text's length
// while it is written. Values that hold the same arrays many times over can be far longer as text than in memory.
func Text(c Context, v Value, form Form) (string, error) {
	switch v.Kind() {
	case KindArray, KindMap, KindBlob, KindCell:
	case KindString:
		if form != FormDebug {
			return v.Text(), nil
		}
	default:
		s := v.String()
		if form == FormDebug {
			s = v.Debug()
		}
		return s, c.Limits().CheckString(len(s))
	}
	if v.IsCell() {
		return Text(c, v.Flat(), form)
	}
	p := printer{c: c}
	if form == FormQuoted {
		p.chars = quoteChars
	}
	if err := p.value(v, 0); err != nil {
		return "", err
	}
	if err := p.check(); err != nil {
		return "", err
	}
	return TextOf(c, p.b)
}

// maxText is where formatting a container without a run's limits stops.
const maxText = 64 << 20

// brief is String, but of a container not much more than a number of bytes.
func (v Value) brief(most int) string {
	switch v.Kind() {
	case KindArray, KindMap, KindBlob, KindCell:
		p := printer{most: most, chars: quoteChars, origins: true}
		_ = p.value(v, 0) // it has no limit to meet
		return string(p.b)
	case KindCustom:
		if v.Custom().Type.Origin != nil {
			return v.RustName()
		}
	}
	return v.String()
}

// How characters and function pointers look in the debug form.
type charForm bool

const (
	bareChars  charForm = false
	quoteChars charForm = true
)

// printer writes the debug form.
type printer struct {
	b       []byte
	chars   charForm
	origins bool    // values of the reference's own types are shown as the types' full names
	c       Context // nil: there are no limits but most
	most    int     // bytes, without a run's limits; zero: maxText
	steps   int
	seen    int     // bytes that have been counted
	cells   []*Cell // those that are being printed, within each other
}

// printedPerTick is how many bytes, or values, count as one operation.
const printedPerTick = 32

// printerRoom is how much may be appended to a text without asking.
const printerRoom = 512

// check counts what is written, every so often, and makes room for more.
func (p *printer) check() error {
	if p.c == nil {
		return nil
	}
	if err := p.c.Limits().CheckString(len(p.b)); err != nil {
		return err
	}
	if p.steps++; len(p.b)-p.seen+p.steps > 1024 {
		if err := p.c.Tick(1024 / printedPerTick); err != nil {
			return err
		}
		p.seen, p.steps = len(p.b), 0
	}
	return p.grow(printerRoom)
}

// grow makes room for n bytes.
func (p *printer) grow(n int) error {
	if p.c == nil || cap(p.b)-len(p.b) >= n {
		return nil
	}
	want := len(p.b) + n + len(p.b)/2
	if err := p.c.Reserve(want); err != nil {
		return err
	}
	b, err := Make[byte](p.c, len(p.b), want)
	if err != nil {
		return err
	}
	err = Copy(p.c, b, p.b)
	p.b = b
	return err
}

// over tells whether the text is to end here.
func (p *printer) over(depth int) bool {
	return depth > maxNesting || p.c == nil && len(p.b) > cmp.Or(p.most, maxText)
}

func (p *printer) value(v Value, depth int) error {
	if p.over(depth) {
		p.b = append(p.b, "..."...)
		return nil
	}
	if err := p.check(); err != nil {
		return err
	}
	switch v.Kind() {
	case KindUnit:
		p.b = append(p.b, "()"...)
	case KindBool:
		p.b = strconv.AppendBool(p.b, v.Bool())
	case KindInt:
		p.b = strconv.AppendInt(p.b, v.Int(), 10)
	case KindFloat:
		f := v.Float()
		abs := math.Abs(f)
		p.b = appendFloat(p.b, f, abs == 0 || abs >= 1e-4 && abs < 1e16)
	case KindChar:
		if p.chars == bareChars {
			p.b = utf8.AppendRune(p.b, v.Char())
			break
		}
		p.b = append(p.b, '\'')
		p.b = appendEscaped(p.b, v.Char(), '\'')
		p.b = append(p.b, '\'')
	case KindString:
		return p.quoted(v.Text())
	case KindArray:
		p.b = append(p.b, '[')
		for i, x := range v.Array().Items {
			if i > 0 {
				p.b = append(p.b, ", "...)
			}
			if err := p.value(x, depth+1); err != nil {
				return err
			}
			if p.over(0) {
				break
			}
		}
		p.b = append(p.b, ']')
	case KindMap:
		return p.object(v.Map(), depth)
	case KindBlob:
		const hex = "0123456789abcdef"
		p.b = append(p.b, '[')
		for i, x := range v.Blob().Bytes {
			if i > 0 && i%8 == 0 {
				p.b = append(p.b, ' ')
				if err := p.check(); err != nil {
					return err
				}
				if p.over(0) {
					break
				}
			}
			p.b = append(p.b, hex[x>>4], hex[x&15])
		}
		p.b = append(p.b, ']')
	case KindTimestamp:
		p.b = append(p.b, "<timestamp>"...)
	case KindRange, KindRangeInclusive:
		r := v.Range()
		p.b = strconv.AppendInt(p.b, r.From, 10)
		p.b = append(p.b, ".."...)
		if r.Inclusive() {
			p.b = append(p.b, '=')
		}
		if r.To != math.MaxInt64 { // a range without an end has this one
			p.b = strconv.AppendInt(p.b, r.To, 10)
		}
	case KindFnPtr:
		return p.pointer(v.FnPtr(), depth)
	case KindCustom:
		switch c := v.Custom(); {
		case p.origins && c.Type.Origin != nil:
			p.b = append(p.b, v.RustName()...)
		case c.Type.Debug != nil:
			p.b = append(p.b, c.Type.Debug(c.Data)...)
		case c.Type.Print != nil:
			p.b = append(p.b, c.Type.Print(c.Data)...)
		default:
			p.b = append(p.b, c.Type.Name...)
		}
	case KindCell:
		return p.cell(v.Cell(), depth)
	}
	return nil
}

func (p *printer) pointer(f *FnPtr, depth int) error {
	if p.chars == bareChars {
		p.b = append(append(append(p.b, "Fn("...), f.Name...), ')')
		return nil
	}
	p.b = append(p.b, "Fn"...)
	if f.IsAnonymous() {
		p.b = append(p.b, '*')
	}
	p.b = append(p.b, '(')
	if err := p.quoted(f.Name); err != nil {
		return err
	}
	for _, x := range f.Curry {
		p.b = append(p.b, ", "...)
		if err := p.value(x, depth+1); err != nil {
			return err
		}
	}
	p.b = append(p.b, ')')
	return nil
}

// cell prints a variable that closures share. As in the reference, one that is in itself is printed once more than once.
func (p *printer) cell(c *Cell, depth int) error {
	if slices.Contains(p.cells, c) {
		p.b = append(p.b, "<shared>"...)
		return nil
	}
	if len(p.cells) == 0 {
		p.cells = append(p.cells, nil) // the outermost is not known by itself
	} else {
		p.cells = append(p.cells, c)
	}
	err := p.value(c.V, depth+1)
	p.cells = p.cells[:len(p.cells)-1]
	p.b = append(p.b, " (shared)"...)
	return err
}

func (p *printer) object(m *Map, depth int) error {
	if err := m.Sort(p.c); err != nil {
		return err
	}
	p.b = append(p.b, "#{"...)
	first := true
	for k, x := range m.All() {
		if !first {
			p.b = append(p.b, ", "...)
		}
		first = false
		if err := p.quoted(k); err != nil {
			return err
		}
		p.b = append(p.b, ": "...)
		if err := p.value(*x, depth+1); err != nil {
			return err
		}
		if p.over(0) {
			break
		}
	}
	p.b = append(p.b, '}')
	return nil
}

// quoted writes a string in quotes with its special characters escaped.
func (p *printer) quoted(s string) error {
	if err := p.grow(len(s) + printerRoom); err != nil {
		return err
	}
	p.b = append(p.b, '"')
	for i, r := range s {
		p.b = appendEscaped(p.b, r, '"')
		if i&0xff == 0xff || i > 0 && cap(p.b)-len(p.b) < 16 {
			if err := p.check(); err != nil {
				return err
			}
		}
	}
	p.b = append(p.b, '"')
	return nil
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
	case KindCustom:
		if c := v.Custom(); c.Type.Origin != nil {
			return c.Type.Origin(c.Data)
		}
	}
	return v.TypeName()
}
