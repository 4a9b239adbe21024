package lib

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"circles/pkg/rhai/value"
)

// jsons adds the ways to JSON and back.
func jsons(r *value.Registry) {
	pure(r, "to_json", func(c value.Context, args []value.Value) (value.Value, error) {
		w := jsonWriter{c: c}
		if err := w.value(args[0], 0); err != nil {
			return value.Value{}, err
		}
		if err := c.Reserve(len(w.b)); err != nil {
			return value.Value{}, err
		}
		return newString(c, string(w.b))
	}, tMap)
	pure(r, "parse_json", func(c value.Context, args []value.Value) (value.Value, error) {
		p := jsonReader{c: c, src: args[0].Text()}
		c.Hold(&p.open)
		return p.document()
	}, tStr)
}

// emptyBytes is about the size of an array without items.
const emptyBytes = 48

// deepest is how far values nest at most.
const deepest = 128

// jsonWriter writes what the reference writes: blobs as arrays, a float with its fraction, what has no form in JSON as
// null, and values of other types as their names.
type jsonWriter struct {
	c value.Context
	b []byte
}

func (w *jsonWriter) value(v value.Value, depth int) error {
	if err := w.c.Tick(1); err != nil {
		return err
	}
	if err := w.grow(jsonRoom); err != nil {
		return err
	}
	if depth > deepest {
		return value.Runtime("value is nested too deep for JSON")
	}
	v = v.Flat()
	switch v.Kind() {
	case value.KindUnit:
		w.b = append(w.b, "null"...)
	case value.KindBool, value.KindInt:
		w.b = value.AppendDebug(w.b, v)
	case value.KindFloat:
		w.float(v.Float())
	case value.KindChar:
		return w.text(string(v.Char()))
	case value.KindString:
		return w.text(v.Text())
	case value.KindArray:
		return w.list('[', ']', len(v.Array().Items), func(i int) error { return w.value(v.Array().Items[i], depth+1) })
	case value.KindBlob:
		return w.list('[', ']', len(v.Blob().Bytes), func(i int) error {
			return w.value(value.Int(int64(v.Blob().Bytes[i])), depth+1)
		})
	case value.KindMap:
		m := v.Map()
		if err := m.Sort(w.c); err != nil {
			return err
		}
		return w.list('{', '}', m.Len(), func(i int) error {
			if err := w.text(m.At(i).Key); err != nil {
				return err
			}
			w.b = append(w.b, ':')
			return w.value(m.At(i).Val, depth+1)
		})
	case value.KindFnPtr:
		f := v.FnPtr()
		if len(f.Curry) == 0 {
			return w.text(f.Name)
		}
		list := append([]value.Value{value.Str(f.Name)}, f.Curry...)
		return w.value(value.NewArray(list), depth)
	default:
		return w.text(v.RustName())
	}
	return nil
}

// jsonRoom is how much may be appended without asking.
const jsonRoom = 64

// grow makes room for n bytes, if the text may be as long as it is.
func (w *jsonWriter) grow(n int) error {
	if err := w.c.Limits().CheckString(len(w.b)); err != nil {
		return err
	}
	if cap(w.b)-len(w.b) >= n {
		return nil
	}
	want := len(w.b) + n + len(w.b)/2
	if err := w.c.Reserve(want); err != nil {
		return err
	}
	b := make([]byte, len(w.b), want)
	copy(b, w.b)
	w.b = b
	return nil
}

func (w *jsonWriter) list(opens, closes byte, n int, item func(i int) error) error {
	w.b = append(w.b, opens)
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := item(i); err != nil {
			return err
		}
	}
	w.b = append(w.b, closes)
	return nil
}

func (w *jsonWriter) float(f float64) {
	switch a := math.Abs(f); {
	case math.IsInf(f, 0) || math.IsNaN(f):
		w.b = append(w.b, "null"...)
	case a != 0 && (a < 1e-5 || a >= 1e16):
		n := len(w.b)
		w.b = strconv.AppendFloat(w.b, f, 'e', -1, 64)
		// Exponents have no leading zero.
		if last := len(w.b) - 2; last > n && w.b[last] == '0' && w.b[last-1] < '0' {
			w.b = append(w.b[:last], w.b[last+1])
		}
	default:
		n := len(w.b)
		w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64)
		if !hasPoint(w.b[n:]) {
			w.b = append(w.b, ".0"...)
		}
	}
}

func hasPoint(digits []byte) bool {
	for _, c := range digits {
		if c == '.' {
			return true
		}
	}
	return false
}

func (w *jsonWriter) text(s string) error {
	const hex = "0123456789abcdef"
	if err := w.grow(len(s) + jsonRoom); err != nil {
		return err
	}
	w.b = append(w.b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		if i%value.Searched == value.Searched-1 {
			if err := work(w.c, value.Searched); err != nil {
				return err
			}
		}
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		if err := w.grow(i - start + jsonRoom); err != nil {
			return err
		}
		w.b = append(w.b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		case '\n':
			w.b = append(w.b, '\\', 'n')
		case '\r':
			w.b = append(w.b, '\\', 'r')
		case '\t':
			w.b = append(w.b, '\\', 't')
		case '\b':
			w.b = append(w.b, '\\', 'b')
		case '\f':
			w.b = append(w.b, '\\', 'f')
		default:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	if err := w.grow(len(s) - start + jsonRoom); err != nil {
		return err
	}
	w.b = append(append(w.b, s[start:]...), '"')
	return nil
}

// jsonReader parses a JSON text. Its errors tell where it stopped, as the reference's do: the line, and how many bytes
// of it are behind.
type jsonReader struct {
	c    value.Context
	src  string
	at   int
	open []value.Value // maps whose end has not come, and the items of such arrays
	keys [32]string    // of maps, where texts like them are to be looked for
	size int           // of the map that ended last: the next one is often like it
}

func (p *jsonReader) document() (value.Value, error) {
	v, err := p.value(0)
	if err != nil {
		return value.Value{}, err
	}
	if p.space(); p.at < len(p.src) {
		return value.Value{}, p.fail("trailing characters", p.at+1)
	}
	return v, nil
}

// fail is an error behind the first end bytes.
func (p *jsonReader) fail(what string, end int) error {
	line, column := 1, 0
	for i := 0; i < min(end, len(p.src)); i++ {
		if column++; p.src[i] == '\n' {
			line, column = line+1, 0
		}
	}
	return value.Runtime(what + " at line " + strconv.Itoa(line) + " column " + strconv.Itoa(column))
}

func (p *jsonReader) space() {
	for p.at < len(p.src) {
		switch p.src[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next is the next byte that is no space; zero at the end.
func (p *jsonReader) next() byte {
	p.space()
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

func (p *jsonReader) value(depth int) (value.Value, error) {
	if err := p.c.Tick(1); err != nil {
		return value.Value{}, err
	}
	if depth >= deepest {
		return value.Value{}, p.fail("recursion limit exceeded", p.at+1)
	}
	c := p.next()
	switch {
	case p.at >= len(p.src):
		return value.Value{}, p.fail("EOF while parsing a value", p.at)
	case c == 'n':
		return value.Unit(), p.word("null")
	case c == 't':
		return value.Bool(true), p.word("true")
	case c == 'f':
		return value.Bool(false), p.word("false")
	case c == '"':
		s, err := p.text()
		if err != nil {
			return value.Value{}, err
		}
		if err := p.c.Reserve(keyBytes); err != nil {
			return value.Value{}, err
		}
		return value.Copied(s), p.c.Limits().CheckString(len(s))
	case c == '[':
		return p.array(depth)
	case c == '{':
		return p.object(depth)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	return value.Value{}, p.fail("expected value", p.at+1)
}

func (p *jsonReader) word(word string) error {
	for i := range len(word) {
		if p.at >= len(p.src) {
			return p.fail("EOF while parsing a value", p.at)
		}
		if p.at++; p.src[p.at-1] != word[i] {
			return p.fail("expected ident", p.at)
		}
	}
	return nil
}

func (p *jsonReader) array(depth int) (value.Value, error) {
	if err := p.c.Reserve(emptyBytes); err != nil {
		return value.Value{}, err
	}
	from := len(p.open)
	p.at++
	if p.next() == ']' {
		p.at++
		return value.NewArray(nil), nil
	}
	for {
		if p.next(); p.at >= len(p.src) && len(p.open) == from {
			return value.Value{}, p.fail("EOF while parsing a list", p.at)
		}
		x, err := p.value(depth + 1)
		if err != nil {
			return value.Value{}, err
		}
		if err := p.push(x); err != nil {
			return value.Value{}, err
		}
		if err := p.c.Limits().CheckArray(len(p.open) - from); err != nil {
			return value.Value{}, err
		}
		more, err := p.separator(']', "list", "expected `,` or `]`")
		if err != nil {
			return value.Value{}, err
		}
		if !more {
			return p.items(from)
		}
	}
}

// push puts a value on those whose end has not come.
func (p *jsonReader) push(x value.Value) error {
	if len(p.open) == cap(p.open) {
		more := max(16, len(p.open)/2)
		if err := p.c.Reserve(valueBytes * (len(p.open) + more)); err != nil {
			return err
		}
		p.open = slices.Grow(p.open, more)
	}
	p.open = append(p.open, x)
	return nil
}

// items makes an array of the items from an index on.
func (p *jsonReader) items(from int) (value.Value, error) {
	if err := p.c.Reserve(valueBytes * (len(p.open) - from)); err != nil {
		return value.Value{}, err
	}
	list := value.NewArray(slices.Clone(p.open[from:]))
	clear(p.open[from:])
	p.open = p.open[:from]
	return list, nil
}

// separator consumes a comma or the end of a list.
func (p *jsonReader) separator(end byte, what, expected string) (more bool, err error) {
	switch c := p.next(); {
	case p.at >= len(p.src):
		article := "a "
		if what == "object" {
			article = "an "
		}
		return false, p.fail("EOF while parsing "+article+what, p.at)
	case c == end:
		p.at++
		return false, nil
	case c != ',':
		return false, p.fail(expected, p.at+1)
	}
	p.at++
	if p.next() == end {
		return false, p.fail("trailing comma", p.at+1)
	}
	return true, nil
}

func (p *jsonReader) object(depth int) (value.Value, error) {
	p.at++
	if p.next() == '}' {
		p.at++
		return value.NewMap(0).Value(), p.c.Reserve(2 * emptyBytes)
	}
	room := min(p.size, 8)
	if err := p.c.Reserve(2*emptyBytes + entryBytes*room); err != nil {
		return value.Value{}, err
	}
	m := value.NewMap(room)
	from := len(p.open)
	if err := p.push(m.Value()); err != nil {
		return value.Value{}, err
	}
	for {
		switch c := p.next(); {
		case p.at >= len(p.src) && m.Len() == 0:
			return value.Value{}, p.fail("EOF while parsing an object", p.at)
		case p.at >= len(p.src):
			return value.Value{}, p.fail("EOF while parsing a value", p.at)
		case c != '"':
			return value.Value{}, p.fail("key must be a string", p.at+1)
		}
		text, err := p.text()
		if err != nil {
			return value.Value{}, err
		}
		key := p.key(text)
		switch c := p.next(); {
		case p.at >= len(p.src):
			return value.Value{}, p.fail("EOF while parsing an object", p.at)
		case c != ':':
			return value.Value{}, p.fail("expected `:`", p.at+1)
		}
		p.at++
		x, err := p.value(depth + 1)
		if err != nil {
			return value.Value{}, err
		}
		if err := put(p.c, m, key, x); err != nil {
			return value.Value{}, err
		}
		more, err := p.separator('}', "object", "expected `,` or `}`")
		if err != nil {
			return value.Value{}, err
		}
		if !more {
			p.open, p.size = p.open[:from], m.Len()
			return m.Value(), nil
		}
	}
}

// key is a text of its own for a key, one for keys that are alike.
func (p *jsonReader) key(text string) string {
	at := 0
	if n := len(text); n > 0 {
		at = (n + int(text[0]) + 7*int(text[n-1])) % len(p.keys)
	}
	if p.keys[at] != text {
		p.keys[at] = strings.Clone(text)
	}
	return p.keys[at]
}

// number parses an int if it is written as one and fits, and otherwise a float.
func (p *jsonReader) number() (value.Value, error) {
	start := p.at
	if p.src[p.at] == '-' {
		p.at++
	}
	integer := true
	switch first := p.at; {
	case p.digits() == 0:
		return value.Value{}, p.badNumber()
	case p.src[first] == '0' && p.at > first+1:
		return value.Value{}, p.fail("invalid number", first+2)
	}
	if p.at < len(p.src) && p.src[p.at] == '.' {
		p.at++
		if integer = false; p.digits() == 0 {
			return value.Value{}, p.badNumber()
		}
	}
	if p.at < len(p.src) && p.src[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.src) && (p.src[p.at] == '+' || p.src[p.at] == '-') {
			p.at++
		}
		if integer = false; p.digits() == 0 {
			return value.Value{}, p.badNumber()
		}
	}
	text := p.src[start:p.at]
	if integer && text != "-0" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return value.Int(n), nil
		}
	}
	f := jsonFloat(text)
	if math.IsInf(f, 0) {
		return value.Value{}, p.fail("number out of range", p.at)
	}
	return value.Float(f), nil
}

// jsonFloat is the float of a number's text as the reference has it, whose last digit may be off: as many digits as fit
// an int, times a power of ten.
func jsonFloat(text string) float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	power, err := strconv.Atoi(cmp.Or(exponent, "0"))
	if err != nil || power < -1<<20 || power > 1<<20 { // beyond what a float can have
		f, _ := strconv.ParseFloat(text, 64)
		return f
	}
	var digits uint64
	full, fraction := false, false
	for _, c := range strings.TrimPrefix(mantissa, "-") {
		if c == '.' {
			fraction = true
			continue
		}
		d := uint64(c - '0')
		if full = full || digits > (math.MaxUint64-d)/10; !full {
			digits = digits*10 + d
		}
		switch {
		case full && !fraction:
			power++
		case !full && fraction:
			power--
		}
	}
	f := float64(digits)
	for ; power < -308 && f != 0; power += 308 {
		f /= 1e308
	}
	switch {
	case f == 0:
	case power > 308:
		f = math.Inf(1)
	case power >= 0:
		f *= powerOfTen(power)
	default:
		f /= powerOfTen(-power)
	}
	if text[0] == '-' {
		f = -f
	}
	return f
}

// powerOfTen is the nearest float, as math.Pow10 is not for all.
func powerOfTen(n int) float64 {
	f, _ := strconv.ParseFloat("1e"+strconv.Itoa(n), 64)
	return f
}

func (p *jsonReader) badNumber() error {
	if p.at >= len(p.src) {
		return p.fail("EOF while parsing a value", p.at)
	}
	return p.fail("invalid number", p.at+1)
}

func (p *jsonReader) digits() int {
	start := p.at
	for p.at < len(p.src) && '0' <= p.src[p.at] && p.src[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

// text parses a string, which may be a part of the source. What has escapes between its quotes is left to the standard
// library once it is known to be good.
func (p *jsonReader) text() (string, error) {
	start := p.at
	escaped := false
	for p.at++; p.at < len(p.src); p.at++ {
		if (p.at-start)%value.Searched == value.Searched-1 {
			if err := work(p.c, value.Searched); err != nil {
				return "", err
			}
		}
		switch c := p.src[p.at]; {
		case c == '"':
			p.at++
			if err := p.c.Reserve(2 * (p.at - start)); err != nil {
				return "", err
			}
			if !escaped {
				return p.src[start+1 : p.at-1], nil
			}
			var s string
			if err := json.Unmarshal([]byte(p.src[start:p.at]), &s); err != nil {
				return "", p.fail("invalid escape", p.at)
			}
			return s, nil
		case c < 0x20:
			return "", p.fail(`control character (\u0000-\u001F) found while parsing a string`, p.at+1)
		case c == '\\':
			escaped = true
			if err := p.escape(); err != nil {
				return "", err
			}
		}
	}
	return "", p.fail("EOF while parsing a string", p.at)
}

// escape makes sure that an escape is one, and stops at its last byte.
func (p *jsonReader) escape() error {
	p.at++
	if p.at >= len(p.src) {
		return p.fail("EOF while parsing a string", p.at)
	}
	switch p.src[p.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		if p.at+4 >= len(p.src) {
			return p.fail("EOF while parsing a string", len(p.src))
		}
		code, err := strconv.ParseUint(p.src[p.at+1:p.at+5], 16, 32)
		if err != nil {
			return p.fail("invalid escape", p.at+5)
		}
		p.at += 4
		switch {
		case code >= 0xdc00 && code <= 0xdfff:
			return p.fail("lone leading surrogate in hex escape", p.at+1)
		case code >= 0xd800 && code <= 0xdbff:
			return p.lowSurrogate()
		}
		return nil
	}
	return p.fail("invalid escape", p.at+1)
}

// lowSurrogate makes sure that the second half of a pair follows, and stops at its last byte.
func (p *jsonReader) lowSurrogate() error {
	for i, c := range []byte("\\u") {
		switch at := p.at + 1 + i; {
		case at >= len(p.src):
			return p.fail("EOF while parsing a string", len(p.src))
		case p.src[at] != c:
			return p.fail("unexpected end of hex escape", at+1)
		}
	}
	if p.at+6 >= len(p.src) {
		return p.fail("EOF while parsing a string", len(p.src))
	}
	code, err := strconv.ParseUint(p.src[p.at+3:p.at+7], 16, 32)
	switch p.at += 6; {
	case err != nil:
		return p.fail("invalid escape", p.at+1)
	case code < 0xdc00 || code > 0xdfff:
		return p.fail("lone leading surrogate in hex escape", p.at+1)
	}
	return nil
}
