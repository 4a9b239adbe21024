package syntax

import (
	"strings"
	"unicode/utf8"
)

// scanner cuts a source, which is valid UTF-8, into tokens. It counts columns in characters: wide is how many bytes of the line so far are
// continuation bytes, so that the column of an offset needs no walk through the line.
type scanner struct {
	src       string
	off       int
	lineStart int
	wide      int
	line      int32
	last      kind // of the token before
	opts      *Options
	docs      []string // the text of //! comments
	err       *Error   // behind a tError token
}

func (s *scanner) pos(off int) Pos {
	return Pos{s.line, int32(off - s.lineStart - s.wide + 1)}
}

func (s *scanner) here() Pos { return s.pos(s.off) }

// newline starts a line at the offset.
func (s *scanner) newline(off int) {
	s.line++
	s.lineStart, s.wide = off, 0
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isIdentStart(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

func isIdent(c byte) bool { return isIdentStart(c) || isDigit(c) }

// peek is the byte n places ahead, or zero behind the end.
func (s *scanner) peek(n int) byte {
	if s.off+n < len(s.src) {
		return s.src[s.off+n]
	}
	return 0
}

// next is the next token. Behind the end it is tEOF for ever.
func (s *scanner) next() token {
	t := s.scan()
	s.last = t.kind
	return t
}

func (s *scanner) scan() token {
	for s.off < len(s.src) {
		c := s.src[s.off]
		switch {
		case c == '\n':
			s.off++
			s.newline(s.off)
			continue
		case isSpace(c):
			s.off++
			continue
		case isIdentStart(c):
			return s.word()
		case isDigit(c):
			return s.number(s.off)
		case c == '/' && (s.peek(1) == '/' || s.peek(1) == '*'):
			if t, ok := s.comment(); ok {
				return t
			}
			continue
		case c == '"':
			return s.quoted()
		case c == '\'':
			return s.char()
		case c == '`':
			start := s.here()
			s.off++
			first := s.off
			if s.peek(0) == '\r' {
				s.off++
			}
			if s.peek(0) == '\n' {
				s.off++
			}
			if s.off > first {
				s.newline(s.off)
			}
			return s.text(start)
		case c == '#' && (s.peek(1) == '"' || s.peek(1) == '#'):
			return s.raw()
		}
		return s.symbol()
	}
	return token{kind: tEOF, pos: s.here()}
}

// fail makes a token of an error. The parser meets it where it would have met the token.
func (s *scanner) fail(err *Error) token {
	s.err = err
	return token{kind: tError, pos: err.Pos}
}

func (s *scanner) word() token {
	start := s.off
	i := start + 1
	for i < len(s.src) && isIdent(s.src[i]) {
		i++
	}
	s.off = i
	t := token{pos: s.pos(start), text: s.src[start:i]}
	t.kind = wordKind(t.text)
	if len(s.opts.Disabled) > 0 && s.opts.Disabled[t.text] && t.kind != tIdent {
		t.kind = tReserved
	}
	if t.kind == tIdent {
		if len(s.opts.Operators) > 0 && s.opts.Operators[t.text] != 0 {
			t.kind = tOperator
		} else if c := t.text[0]; c == '_' && !properName(t.text) {
			return s.fail(lexError(MalformedIdentifier, t.pos, "Variable name is not proper: '%s'", t.text))
		}
	}
	return t
}

// properName tells whether a name that begins with an underscore has a letter before any digit.
func properName(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] != '_' {
			return !isDigit(name[i])
		}
	}
	return false
}

// comment skips a comment. A doc comment is a token.
func (s *scanner) comment() (token, bool) {
	start := s.off
	pos := s.here()
	rest := s.src[start:]
	if rest[1] == '/' {
		n := strings.IndexAny(rest, "\r\n")
		if n < 0 {
			n = len(rest)
		}
		text := rest[:n]
		s.widen(text)
		s.off = start + n
		if s.peek(0) == '\r' { // here alone it ends a line by itself
			s.off++
			if s.peek(0) != '\n' {
				s.newline(s.off)
			}
		}
		switch {
		case strings.HasPrefix(text, "//!"):
			s.docs = append(s.docs, text)
		case strings.HasPrefix(text, "///") && !strings.HasPrefix(text, "////"):
			return token{kind: tDoc, pos: pos, text: text}, true
		}
		return token{}, false
	}
	isDoc := strings.HasPrefix(rest, "/**") && !strings.HasPrefix(rest, "/***")
	i, depth := 2, 1
	if isDoc {
		i = 3 // `/**/` is not a whole one
	}
	for i < len(rest) && depth > 0 {
		switch c := rest[i]; {
		case c == '*' && i+1 < len(rest) && rest[i+1] == '/':
			depth--
			i++
		case c == '/' && i+1 < len(rest) && rest[i+1] == '*':
			depth++
			i++
		case c == '\n':
			s.newline(start + i + 1)
		case c >= utf8.RuneSelf:
			_, n := utf8.DecodeRuneInString(rest[i:])
			s.wide += n - 1
			i += n - 1
		}
		i++
	}
	s.off = start + i
	if isDoc {
		return token{kind: tDoc, pos: pos, text: dedent(rest[:i], int(pos.Column)-1)}, true
	}
	return token{}, false
}

// dedent takes as much white space from the lines of a comment as there is before its first one.
func dedent(text string, n int) string {
	if n <= 0 || strings.IndexByte(text, '\n') < 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines[1:] {
		cut := 0
		for cut < len(line) && cut < n && isSpace(line[cut]) {
			cut++
		}
		lines[i+1] = line[cut:]
	}
	return strings.Join(lines, "\n")
}

// widen accounts for the characters of a piece of a line that are longer than a byte.
func (s *scanner) widen(text string) {
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			s.wide += len(text) - utf8.RuneCountInString(text)
			return
		}
	}
}

// Symbols, longest first among those that begin alike.
var symbols = []struct {
	text string
	kind kind
}{
	{"!==", tError}, {"!=", tNotEqual}, {"!.", tSymbol}, {"!", tBang},
	{"#!", tSymbol}, {"#{", tMapBrace}, {"#", tSymbol},
	{"$", tSymbol},
	{"%=", tOpAssign}, {"%", tPercent},
	{"&&", tAndAnd}, {"&=", tOpAssign}, {"&", tAnd},
	{"(*", tError}, {"()", tUnit}, {"(", tLeftParen}, {")", tRightParen},
	{"**=", tOpAssign}, {"**", tPower}, {"*=", tOpAssign}, {"*)", tError}, {"*", tStar},
	{"++", tSymbol}, {"+=", tOpAssign}, {"+", tPlus},
	{",", tComma},
	{"--", tSymbol}, {"-=", tOpAssign}, {"->", tError}, {"-", tMinus},
	{"...", tSymbol}, {"..=", tRangeInclusive}, {"..", tRange}, {".", tDot},
	{"/=", tOpAssign}, {"/", tSlash},
	{"::<", tError}, {"::", tColons}, {":=", tError}, {":;", tError}, {":", tColon},
	{";", tSemicolon},
	{"<<=", tOpAssign}, {"<<", tShiftLeft}, {"<=", tLessEqual}, {"<-", tError}, {"<|", tSymbol}, {"<", tLess},
	{"===", tError}, {"==", tEqual}, {"=>", tArrow}, {"=", tAssign},
	{">>=", tOpAssign}, {">>", tShiftRight}, {">=", tGreaterEqual}, {">", tGreater},
	{"?.", tSafeDot}, {"?[", tSafeBracket}, {"??", tCoalesce}, {"?", tSymbol},
	{"@", tSymbol},
	{"[", tLeftBracket}, {"]", tRightBracket},
	{"^=", tOpAssign}, {"^", tCaret},
	{"{", tLeftBrace},
	{"||", tOrOr}, {"|=", tOpAssign}, {"|>", tSymbol}, {"|", tPipe},
	{"}", tRightBrace},
	{"~", tSymbol},
}

// symbolsBy gives, for each first byte, where in symbols its group is.
var symbolsBy = func() (by [128][2]uint8) {
	for i, sym := range symbols {
		c := sym.text[0]
		if by[c][1] == 0 {
			by[c][0] = uint8(i)
		}
		by[c][1] = uint8(i + 1)
	}
	return by
}()

// improper explains the symbols of other languages.
var improper = map[string]string{
	"!==": "'!==' is not a valid operator. This is not JavaScript! Should it be '!='?",
	"===": "'===' is not a valid operator. This is not JavaScript! Should it be '=='?",
	"->":  "'->' is not a valid symbol. This is not C or C++!",
	"<-":  "'<-' is not a valid symbol. This is not Go! Should it be '<='?",
	":=":  "':=' is not a valid assignment operator. This is not Go or Pascal! Should it be simply '='?",
	":;":  "':;' is not a valid symbol. Should it be '::'?",
	"::<": "'::<>' is not a valid symbol. This is not Rust! Should it be '::'?",
	"(*":  "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?",
	"*)":  "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?",
}

func (s *scanner) symbol() token {
	pos := s.here()
	c := s.src[s.off]
	if c >= utf8.RuneSelf || symbolsBy[c][1] == 0 {
		_, n := utf8.DecodeRuneInString(s.src[s.off:])
		text := s.src[s.off : s.off+n]
		s.off += n
		s.wide += n - 1
		return s.fail(unexpected(text, pos))
	}
	if c == '-' && isDigit(s.peek(1)) && !s.afterOperand() {
		return s.number(s.off)
	}
	rest := s.src[s.off:]
	if strings.HasPrefix(rest, "# {") {
		s.off += len("# {")
		return s.fail(lexError(ImproperSymbol, pos, "'#' is not a valid symbol. Should it be '#{'?"))
	}
	if c == '!' && strings.HasPrefix(rest, "!in") && (len(rest) == 3 || !isIdent(rest[3])) {
		s.off += 3
		return s.enabled(token{kind: tNotIn, pos: pos, text: "!in"})
	}
	for _, sym := range symbols[symbolsBy[c][0]:symbolsBy[c][1]] {
		if !strings.HasPrefix(rest, sym.text) {
			continue
		}
		s.off += len(sym.text)
		switch sym.kind {
		case tError:
			if _, ok := s.opts.Operators[sym.text]; ok {
				return token{kind: tOperator, pos: pos, text: sym.text}
			}
			return s.fail(lexError(ImproperSymbol, pos, "%s", improper[sym.text]))
		case tOpAssign:
			t := s.enabled(token{kind: tOpAssign, pos: pos, text: sym.text})
			if t.kind == tOpAssign {
				t.text = sym.text[:len(sym.text)-1]
			}
			return t
		}
		t := token{kind: sym.kind, pos: pos, text: sym.text}
		if (c == '-' || c == '+') && !s.afterOperand() {
			switch t.kind {
			case tMinus:
				t.kind = tUnaryMinus
			case tPlus:
				t.kind = tUnaryPlus
			}
		}
		return s.enabled(t)
	}
	panic("syntax: a symbol's first byte always is a symbol by itself")
}

// enabled makes a symbol what the host's options say that it is.
func (s *scanner) enabled(t token) token {
	if t.kind == tSymbol || t.kind == tReserved {
		if _, ok := s.opts.Operators[t.text]; ok {
			t.kind = tOperator
		}
	}
	if len(s.opts.Disabled) > 0 && s.opts.Disabled[t.text] {
		t.kind = tSymbol
	}
	return t
}

// afterOperand tells whether a minus sign here can't belong to a literal.
func (s *scanner) afterOperand() bool {
	switch s.last {
	case tSwitch, tArrow, tBreak, tContinue, tImport, tExport, tLoop, tDo, tElse, tAs, tFor, tLet, tConst, tFn, tTry,
		tCatch, tPrivate, tDot, tSafeDot, tColons, tUnderscore, tSymbol, tMapBrace, tDoc:
		return true
	}
	return tDoc < s.last && s.last < endOfOperands
}
