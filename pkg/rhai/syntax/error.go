package syntax

// ErrorKind is the reference implementation's name for a kind of parse or lexical error.
type ErrorKind string

// Error is why a source can't be parsed.
type Error struct {
	Kind    ErrorKind
	Pos     Pos
	Message string
}

// Error returns the message and the position.
func (e *Error) Error() string {
	if !e.Pos.IsValid() {
		return e.Message
	}
	return e.Message + " (line " + itoa(e.Pos.Line) + ", position " + itoa(e.Pos.Column) + ")"
}
