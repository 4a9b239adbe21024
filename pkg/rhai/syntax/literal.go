package syntax

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number scans a number that begins at start, which may be a minus sign.
func (s *scanner) number(start int) token {
	pos := s.pos(start)
	src := s.src
	i := start
	negative := src[i] == '-'
	if negative {
		i++
	}
	if src[i] == '0' {
		j := i + 1
		for j < len(src) && src[j] == '_' {
			j++
		}
		if j < len(src) && radixOf(src[j]) != 0 {
			return s.radixNumber(pos, start, j+1, radixOf(src[j]))
		}
	}
	digits := i
	// Up to 18 digits need no check for overflow.
	var n uint64
	for i < len(src) && isDigit(src[i]) {
		n = n*10 + uint64(src[i]-'0')
		i++
	}
	plain := i-digits <= 18
	if i < len(src) && src[i] == '_' {
		plain = false
		i = skipDigits(src, i)
	}
	float := false
	if i < len(src) && src[i] == '.' && i+1 < len(src) {
		switch c := src[i+1]; {
		case isDigit(c):
			float = true
			i = skipDigits(src, i+1)
		case c != '.' && !isIdentStart(c):
			// A trailing point makes a float of it.
			float = true
			i++
		}
	}
	if i < len(src) && src[i]|0x20 == 'e' && i+1 < len(src) {
		switch c := src[i+1]; {
		case isDigit(c):
			float = true
			i = skipDigits(src, i+1)
		case c == '+' || c == '-':
			float = true
			i = skipDigits(src, i+2)
			if !isDigit(src[i-1]) && src[i-1] != '_' {
				s.off = i
				return s.fail(lexError(MalformedNumber, pos, "Invalid number: '%s'",
					strings.ReplaceAll(src[start:i], "_", "")))
			}
		}
	}
	s.off = i
	t := token{kind: tInt, pos: pos, text: src[start:i]}
	if !float && plain {
		if negative {
			n = -n
		}
		t.bits = n
		return t
	}
	text := t.text
	if strings.IndexByte(text, '_') >= 0 {
		text = strings.ReplaceAll(text, "_", "")
	}
	if !float {
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			t.bits = uint64(v)
			return t
		}
	}
	t.kind = tFloat
	// The only error there can be is one of range, whose result is an infinity.
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return s.fail(lexError(MalformedNumber, pos, "Invalid number: '%s'", text))
	}
	t.bits = math.Float64bits(v)
	return t
}

func skipDigits(src string, i int) int {
	for i < len(src) && (isDigit(src[i]) || src[i] == '_') {
		i++
	}
	return i
}

func radixOf(c byte) int {
	switch c | 0x20 {
	case 'x':
		return 16
	case 'o':
		return 8
	case 'b':
		return 2
	}
	return 0
}

func digitValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}

// radixNumber scans the digits of a number after its prefix. All 64 bits may be used.
func (s *scanner) radixNumber(pos Pos, start, i, radix int) token {
	first := i
	for i < len(s.src) && (digitValue(s.src[i]) < radix || s.src[i] == '_') {
		i++
	}
	s.off = i
	text := strings.ReplaceAll(s.src[first:i], "_", "")
	n, err := strconv.ParseUint(text, radix, 64)
	if err == nil && s.src[start] != '-' {
		return token{kind: tInt, pos: pos, text: s.src[start:i], bits: n}
	}
	if s.src[start] == '-' {
		// The reference takes the sign for part of the prefix.
		text = s.src[first-1:first] + text
	}
	return s.fail(lexError(MalformedNumber, pos, "Invalid number: '%s'", text))
}

// quoted scans a string in double quotes.
func (s *scanner) quoted() token {
	start := s.off
	pos := s.here()
	// A string without escapes, and it is most of them, is a piece of the source.
	for i := start + 1; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			if i+1 < len(s.src) && s.src[i+1] == '"' {
				return s.escaped(pos, '"')
			}
			s.off = i + 1
			s.widen(s.src[start+1 : i])
			return s.literal(pos, s.src[start+1:i])
		case c == '\\' || c == '\n':
			return s.escaped(pos, '"')
		}
	}
	return s.escaped(pos, '"')
}

// literal is a string token.
func (s *scanner) literal(pos Pos, text string) token {
	if limit := s.opts.MaxStringBytes; limit > 0 && len(text) > limit {
		return s.fail(tooLarge("Length of string", pos, limit))
	}
	return token{kind: tString, pos: pos, text: text}
}

// char scans a character literal.
func (s *scanner) char() token {
	pos := s.here()
	if s.peek(1) == '\'' {
		s.off += 2
		return s.fail(lexError(MalformedChar, pos, "Invalid character: ''"))
	}
	t := s.escaped(pos, '\'')
	if t.kind == tError {
		return t
	}
	r, n := utf8.DecodeRuneInString(t.text)
	if n == 0 || n != len(t.text) {
		return s.fail(lexError(MalformedChar, pos, "Invalid character: '%s'", t.text))
	}
	return token{kind: tChar, pos: pos, bits: uint64(r)}
}

// escaped scans a string that begins and ends with the quote and may hold escapes.
func (s *scanner) escaped(pos Pos, quote byte) token {
	var b strings.Builder
	s.off++
	for s.off < len(s.src) {
		run := s.off
		for s.off < len(s.src) {
			c := s.src[s.off]
			if c == quote || c == '\\' || c == '\n' || c == '\r' || c >= utf8.RuneSelf {
				break
			}
			s.off++
		}
		b.WriteString(s.src[run:s.off])
		if s.off == len(s.src) {
			break
		}
		switch c := s.src[s.off]; {
		case c == quote:
			s.off++
			if s.peek(0) == quote {
				b.WriteByte(quote)
				s.off++
				continue
			}
			if quote == '\'' {
				return token{kind: tString, pos: pos, text: b.String()}
			}
			return s.literal(pos, b.String())
		case c == '\\':
			if err := s.escape(&b, pos, quote); err != nil {
				return s.fail(err)
			}
		case c == '\n':
			return s.unterminated(pos)
		case c == '\r':
			// Before a line feed it belongs to the end of the line, and otherwise to the string.
			b.WriteByte(c)
			s.off++
		default:
			r, n := utf8.DecodeRuneInString(s.src[s.off:])
			b.WriteRune(r)
			s.off += n
			s.wide += n - 1
		}
	}
	return s.unterminated(pos)
}

func (s *scanner) unterminated(pos Pos) token {
	return s.fail(lexError(UnterminatedString, pos, "Open string is not terminated"))
}

// escape scans what follows a backslash.
func (s *scanner) escape(b *strings.Builder, pos Pos, quote byte) *Error {
	start := s.off
	s.off++
	if s.off == len(s.src) {
		return lexError(UnterminatedString, pos, "Open string is not terminated")
	}
	digits := 0
	switch s.src[s.off] {
	case '\\':
		b.WriteByte('\\')
	case 't':
		b.WriteByte('\t')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case quote:
		b.WriteByte(quote)
	case '\r', '\n':
		if quote != '"' {
			return lexError(UnterminatedString, pos, "Open string is not terminated")
		}
		if s.continueLine(pos) {
			return nil
		}
		fallthrough
	default:
		return s.badEscape(start)
	}
	s.off++
	if digits == 0 {
		return nil
	}
	var code rune
	for ; digits > 0; digits-- {
		if s.off >= len(s.src) {
			return lexError(MalformedEscapeSequence, s.pos(s.off-1), "Invalid escape sequence: '%s'", s.src[start:s.off])
		}
		v := digitValue(s.src[s.off])
		if v > 15 {
			return s.badEscape(start)
		}
		code = code<<4 | rune(v)
		s.off++
	}
	if !utf8.ValidRune(code) {
		return lexError(MalformedEscapeSequence, s.pos(s.off-1), "Invalid escape sequence: '%s'", s.src[start:s.off])
	}
	b.WriteRune(code)
	return nil
}

// badEscape blames the escape from start to the character at the offset.
func (s *scanner) badEscape(start int) *Error {
	pos := s.here()
	_, n := utf8.DecodeRuneInString(s.src[s.off:])
	s.off += n
	s.wide += n - 1
	return lexError(MalformedEscapeSequence, pos, "Invalid escape sequence: '%s'", s.src[start:s.off])
}

// continueLine skips the end of the line and the white space of the next one up to the column of the string's quote.
func (s *scanner) continueLine(pos Pos) bool {
	i := s.off
	if s.src[i] == '\r' {
		i++
	}
	if i >= len(s.src) || s.src[i] != '\n' {
		return false
	}
	s.off = i + 1
	s.newline(s.off)
	for s.off < len(s.src) && s.src[s.off] != '\n' && isSpace(s.src[s.off]) && s.here().Column <= pos.Column {
		s.off++
	}
	return true
}

// text scans the text of a back-tick string up to its end or to `${`. pos is where that text begins.
func (s *scanner) text(pos Pos) token {
	start := s.off
	var b []byte // the text before start, where it differs from the source
	for s.off < len(s.src) {
		switch c := s.src[s.off]; {
		case c == '`':
			if s.peek(1) == '`' {
				b = append(append(b, s.src[start:s.off]...), '`')
				s.off += 2
				start = s.off
				continue
			}
			t := s.literal(pos, join(b, s.src[start:s.off]))
			s.off++
			return t
		case c == '\\' && s.peek(1) == '$' && s.peek(2) == '{':
			// An escape, whose backslash the reference does not count as a column.
			b = append(b, s.src[start:s.off]...)
			start = s.off + 1
			s.off += 3
			s.wide++
		case c == '$' && s.peek(1) == '{':
			t := s.literal(pos, join(b, s.src[start:s.off]))
			if t.kind != tError {
				t.kind = tInterp
			}
			s.off++
			return t
		case c == '\r' && s.peek(1) == '\n':
			// A line ends in a line feed alone.
			b = append(b, s.src[start:s.off]...)
			s.off++
			start = s.off
		case c == '\n':
			s.off++
			s.newline(s.off)
		case c >= utf8.RuneSelf:
			_, n := utf8.DecodeRuneInString(s.src[s.off:])
			s.off += n
			s.wide += n - 1
		default:
			s.off++
		}
	}
	return s.unterminated(pos)
}

func join(b []byte, rest string) string {
	if b == nil {
		return rest
	}
	return string(append(b, rest...))
}

// raw scans `#"…"#`, with as many hashes at the end as at the beginning.
func (s *scanner) raw() token {
	start := s.off
	pos := s.here()
	i := start
	for i < len(s.src) && s.src[i] == '#' {
		i++
	}
	hashes := s.src[start:i]
	if i == len(s.src) {
		s.off = i
		return s.unterminated(pos)
	}
	if s.src[i] != '"' {
		_, n := utf8.DecodeRuneInString(s.src[i:])
		text := s.src[i : i+n]
		s.off = i + n
		s.wide += n - 1
		return s.fail(unexpected(text, pos))
	}
	i++
	end := strings.Index(s.src[i:], `"`+hashes)
	if end < 0 {
		s.off = len(s.src)
		return s.unterminated(pos)
	}
	text := s.src[i : i+end]
	s.off = i + end + 1 + len(hashes)
	last := 0 // behind the last new line
	for at := range len(text) {
		if text[at] == '\n' && !hidden(text[:at], len(hashes)) {
			s.line++
			last = at + 1
		}
	}
	if last > 0 {
		s.lineStart, s.wide = i+last, 0
	}
	s.widen(text[last:])
	return s.literal(pos, text)
}

// hidden tells whether the reference overlooks a new line behind a part of a raw string, as it does where it comes
// instead of the hash that it looks for behind a quote.
func hidden(before string, hashes int) bool {
	for n := 0; n < hashes && strings.HasSuffix(before, "#"); n++ {
		before = before[:len(before)-1]
	}
	return strings.HasSuffix(before, `"`)
}
