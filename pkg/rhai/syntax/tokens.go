package syntax

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Token is a token of a source, for display.
type Token struct {
	Pos  Pos
	Kind string // identifier, reserved, int, float, char, string, text, comment, symbol, keyword or error
	Text string // its name, spelling or value; of an error, its message
}

// Tokens cuts a source into tokens, without parsing it. Doc comments are tokens, other comments are not. After an
// error it ends, with a token that says what is wrong.
func Tokens(source string, opts Options) []Token {
	if !utf8.ValidString(source) {
		source = strings.ToValidUTF8(source, "\uFFFD")
	}
	s := &scanner{src: source, line: 1, opts: &opts}
	var out []Token
	var braces []int // open braces within each interpolation that the scanner is in
	for {
		t := s.next()
		for {
			if t.kind == tEOF {
				return out
			}
			out = append(out, s.display(t))
			if t.kind == tError {
				return out
			}
			inside := len(braces) - 1
			switch {
			case t.kind == tInterp:
				braces = append(braces, 0)
			case inside < 0:
			case t.kind == tLeftBrace || t.kind == tMapBrace:
				braces[inside]++
			case t.kind == tRightBrace:
				if braces[inside]--; braces[inside] == 0 {
					braces = braces[:inside]
					t = s.text(s.here())
					s.last = t.kind
					continue
				}
			}
			break
		}
	}
}

// IsName tells whether a text is a name that a function can have.
func IsName(text string) bool {
	tokens := Tokens(text, Options{})
	return len(tokens) == 1 && tokens[0].Kind == "identifier" && tokens[0].Text == text
}

func (s *scanner) display(t token) Token {
	d := Token{Pos: t.pos, Kind: "symbol", Text: spelling[t.kind]}
	switch t.kind {
	case tError:
		d.Kind, d.Text = "error", s.err.Message
	case tDoc:
		d.Kind, d.Text = "comment", t.text
	case tIdent:
		d.Kind, d.Text = "identifier", t.text
	case tReserved:
		d.Kind, d.Text = "reserved", t.text
	case tInt:
		d.Kind, d.Text = "int", strconv.FormatInt(int64(t.bits), 10)
	case tFloat:
		d.Kind, d.Text = "float", strconv.FormatFloat(math.Float64frombits(t.bits), 'g', -1, 64)
	case tChar:
		d.Kind, d.Text = "char", string(rune(t.bits))
	case tString:
		d.Kind, d.Text = "string", t.text
	case tInterp:
		d.Kind, d.Text = "text", t.text
	case tSymbol, tOperator:
		d.Text = t.text
	case tOpAssign:
		d.Text = t.text + "="
	case tTrue, tFalse:
		d.Kind = "keyword"
	default:
		if t.kind >= tLet {
			d.Kind = "keyword"
		}
	}
	return d
}
