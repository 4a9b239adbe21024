package lib

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"circles/pkg/rhai/value"
)

// jsonReader parses a JSON text. Its errors tell where it stopped, as the reference's do: the line, and how many bytes
// of it are behind.
type jsonReader struct {
	c    value.Context
	src  string
	at   int
	open []value.Value // maps whose end has not come, and the items of such arrays
	keys [32]string    // of maps, where texts like them are to be looked for
	size int           // of the map that ended last: the next one is often like it

	stopped error // of the run: the source ends where it came
}

func (p *jsonReader) document() (value.Value, error) {
	v, err := p.value(0)
	if err != nil {
		return value.Value{}, err
	}
	if p.space(); p.at < len(p.src) {
		return value.Value{}, p.fail("trailing characters", p.at+1)
	}
	return v, p.stopped
}

// fail is an error behind the first end bytes.
func (p *jsonReader) fail(what string, end int) error {
	if p.stopped != nil {
		return p.stopped
	}
	read := p.src[:min(end, len(p.src))]
	line, column := 1+strings.Count(read, "\n"), len(read)-1-strings.LastIndexByte(read, '\n')
	return value.Runtime(what + " at line " + strconv.Itoa(line) + " column " + strconv.Itoa(column))
}

// skip goes on while there is what it is told of.
func (p *jsonReader) skip(while func(c byte) bool) {
	for start := p.at; p.at < len(p.src) && while(p.src[p.at]); p.at++ {
		if (p.at-start)%value.Searched == value.Searched-1 {
			if p.stopped = value.Interrupted(p.c); p.stopped != nil {
				p.src = p.src[:p.at]
			}
		}
	}
}

func (p *jsonReader) space() {
	if p.at < len(p.src) && p.src[p.at] <= ' ' {
		p.skip(func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' })
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
		if err := p.c.Limits().CheckString(len(s)); err != nil {
			return value.Value{}, err
		}
		return value.Copied(p.c, s)
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
		open, err := value.Grow(p.c, p.open, more)
		if err != nil {
			return err
		}
		p.open = open
	}
	p.open = append(p.open, x)
	return nil
}

// items makes an array of the items from an index on.
func (p *jsonReader) items(from int) (value.Value, error) {
	if err := p.c.Reserve(valueBytes * (len(p.open) - from)); err != nil {
		return value.Value{}, err
	}
	items, err := value.Clone(p.c, p.open[from:])
	if err == nil {
		err = value.Clear(p.c, p.open[from:])
	}
	p.open = p.open[:from]
	return value.NewArray(items), err
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
		key, err := p.key(text)
		if err != nil {
			return value.Value{}, err
		}
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
func (p *jsonReader) key(text string) (key string, err error) {
	if len(text) > value.Searched {
		return value.TextOf(p.c, value.BytesOf(text))
	}
	at := 0
	if n := len(text); n > 0 {
		at = (n + int(text[0]) + 7*int(text[n-1])) % len(p.keys)
	}
	if p.keys[at] != text {
		p.keys[at] = strings.Clone(text)
	}
	return p.keys[at], nil
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
	const longest = len("-9223372036854775808")
	if integer && text != "-0" && len(text) <= longest {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return value.Int(n), nil
		}
	}
	f := p.float(text)
	if p.stopped != nil {
		return value.Value{}, p.stopped
	}
	if math.IsInf(f, 0) {
		return value.Value{}, p.fail("number out of range", p.at)
	}
	return value.Float(f), nil
}

// float is the float of a number's text as the reference has it, whose last digit may be off: as many digits as fit
// an int, times a power of ten.
func (p *jsonReader) float(text string) float64 {
	mantissa, exponent := text, "0"
	for _, e := range []byte("eE") {
		if at := strings.IndexByte(text, e); at >= 0 {
			mantissa, exponent = text[:at], text[at+1:]
		}
	}
	power, err := strconv.Atoi(exponent)
	if power = min(max(power, -1<<40), 1<<40); len(text) < value.Searched && (err != nil || power < -1<<20 || power > 1<<20) {
		f, _ := strconv.ParseFloat(text, 64) // beyond what a float can have
		return f
	}
	var digits uint64
	full, fraction := false, false
	for i, c := range strings.TrimPrefix(mantissa, "-") {
		if i%value.Searched == value.Searched-1 {
			if p.stopped = value.Interrupted(p.c); p.stopped != nil {
				return 0
			}
		}
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
	p.skip(func(c byte) bool { return '0' <= c && c <= '9' })
	return p.at - start
}

// text parses a string, which may be a part of the source.
func (p *jsonReader) text() (string, error) {
	start := p.at
	from := start + 1 // of what is not in b yet
	var b []byte      // nil until there is an escape
	flush := func() (err error) {
		if b, err = value.Grow(p.c, b, p.at-from+utf8.UTFMax); err == nil {
			b = append(b, p.src[from:p.at]...)
			from = p.at
		}
		return err
	}
	for p.at++; p.at < len(p.src); p.at++ {
		if (p.at-start)%value.Searched == value.Searched-1 {
			if err := work(p.c, value.Searched); err != nil {
				return "", err
			}
			if b != nil {
				if err := flush(); err != nil {
					return "", err
				}
			}
		}
		switch c := p.src[p.at]; {
		case c == '"':
			if err := p.c.Reserve(2 * (p.at + 1 - start)); err != nil {
				return "", err
			}
			if b == nil {
				p.at++
				return p.src[start+1 : p.at-1], nil
			}
			err := flush()
			p.at++
			return value.TextIn(b), err
		case c < 0x20:
			return "", p.fail(`control character (\u0000-\u001F) found while parsing a string`, p.at+1)
		case c == '\\':
			if err := flush(); err != nil {
				return "", err
			}
			if err := p.escape(); err != nil {
				return "", err
			}
			b, from = appendEscape(b, p.src[from:p.at+1]), p.at+1
		}
	}
	return "", p.fail("EOF while parsing a string", p.at)
}

// appendEscape appends the character that an escape stands for.
func appendEscape(b []byte, escape string) []byte {
	unit := func(hex string) rune {
		n, _ := strconv.ParseUint(hex, 16, 16)
		return rune(n)
	}
	switch c := escape[1]; c {
	case 'b':
		return append(b, '\b')
	case 'f':
		return append(b, '\f')
	case 'n':
		return append(b, '\n')
	case 'r':
		return append(b, '\r')
	case 't':
		return append(b, '\t')
	case 'u':
		if len(escape) > len(`\u0000`) {
			return utf8.AppendRune(b, utf16.DecodeRune(unit(escape[2:6]), unit(escape[8:12])))
		}
		return utf8.AppendRune(b, unit(escape[2:6]))
	default:
		return append(b, c)
	}
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
