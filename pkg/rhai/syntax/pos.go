package syntax

import "strconv"

// Pos is a place in a source. Lines and columns count from 1, and columns count characters, not bytes. Column 0 is
// the beginning of a line, before its first character. The zero Pos means that there is no position.
type Pos struct {
	Line   int32
	Column int32
}

// Position returns p. A node that embeds its Pos is thereby a [Node].
func (p Pos) Position() Pos { return p }

// IsValid reports whether p is a position at all.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String returns "line:column", or "none".
func (p Pos) String() string {
	if !p.IsValid() {
		return "none"
	}
	return itoa(p.Line) + ":" + itoa(p.Column)
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
