package syntax

import (
	"fmt"
	"strconv"
)

// ErrorKind is the reference implementation's name for a kind of parse error.
type ErrorKind string

// The kinds of parse errors. A BadInput comes from the scanner, and [Error.Lex] tells more.
const (
	BadInput                 ErrorKind = "BadInput"
	UnexpectedEOF            ErrorKind = "UnexpectedEOF"
	UnknownOperator          ErrorKind = "UnknownOperator"
	MissingToken             ErrorKind = "MissingToken"
	MissingSymbol            ErrorKind = "MissingSymbol"
	MalformedIndexExpr       ErrorKind = "MalformedIndexExpr"
	MalformedCapture         ErrorKind = "MalformedCapture"
	DuplicatedProperty       ErrorKind = "DuplicatedProperty"
	DuplicatedVariable       ErrorKind = "DuplicatedVariable"
	WrongSwitchIntegerCase   ErrorKind = "WrongSwitchIntegerCase"
	WrongSwitchDefaultCase   ErrorKind = "WrongSwitchDefaultCase"
	WrongSwitchCaseCondition ErrorKind = "WrongSwitchCaseCondition"
	VariableExpected         ErrorKind = "VariableExpected"
	ForbiddenVariable        ErrorKind = "ForbiddenVariable"
	PropertyExpected         ErrorKind = "PropertyExpected"
	ExprExpected             ErrorKind = "ExprExpected"
	WrongDocComment          ErrorKind = "WrongDocComment"
	WrongFnDefinition        ErrorKind = "WrongFnDefinition"
	WrongExport              ErrorKind = "WrongExport"
	FnDuplicatedDefinition   ErrorKind = "FnDuplicatedDefinition"
	FnMissingName            ErrorKind = "FnMissingName"
	FnMissingParams          ErrorKind = "FnMissingParams"
	FnDuplicatedParam        ErrorKind = "FnDuplicatedParam"
	FnMissingBody            ErrorKind = "FnMissingBody"
	AssignmentToConstant     ErrorKind = "AssignmentToConstant"
	AssignmentToInvalidLHS   ErrorKind = "AssignmentToInvalidLHS"
	VariableExists           ErrorKind = "VariableExists"
	VariableUndefined        ErrorKind = "VariableUndefined"
	ModuleUndefined          ErrorKind = "ModuleUndefined"
	MismatchedType           ErrorKind = "MismatchedType"
	ExprTooDeep              ErrorKind = "ExprTooDeep"
	TooManyFunctions         ErrorKind = "TooManyFunctions"
	LiteralTooLarge          ErrorKind = "LiteralTooLarge"
	Reserved                 ErrorKind = "Reserved"
	LoopBreak                ErrorKind = "LoopBreak"
)

// LexKind is the reference implementation's name for a kind of lexical error.
type LexKind string

// The kinds of lexical errors.
const (
	UnexpectedInput         LexKind = "UnexpectedInput"
	UnterminatedString      LexKind = "UnterminatedString"
	MalformedEscapeSequence LexKind = "MalformedEscapeSequence"
	MalformedNumber         LexKind = "MalformedNumber"
	MalformedChar           LexKind = "MalformedChar"
	MalformedIdentifier     LexKind = "MalformedIdentifier"
	ImproperSymbol          LexKind = "ImproperSymbol"
)

// Error is why a source can't be parsed.
type Error struct {
	Kind    ErrorKind
	Lex     LexKind // of a BadInput; otherwise empty
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

// fail makes an error whose message needs no more than its place.
func fail(kind ErrorKind, pos Pos, format string, args ...any) *Error {
	return &Error{Kind: kind, Pos: pos, Message: fmt.Sprintf(format, args...)}
}

func lexError(kind LexKind, pos Pos, format string, args ...any) *Error {
	return &Error{Kind: BadInput, Lex: kind, Pos: pos, Message: fmt.Sprintf(format, args...)}
}

func missing(tok string, pos Pos, why string) *Error {
	return fail(MissingToken, pos, "Expecting '%s' %s", tok, why)
}

func unexpected(text string, pos Pos) *Error {
	return lexError(UnexpectedInput, pos, "Unexpected '%s'", text)
}

func reserved(word string, pos Pos) *Error {
	what := "symbol"
	if isIdentStart(word[0]) {
		what = "keyword"
	}
	return fail(Reserved, pos, "'%s' is a reserved %s", word, what)
}

func eof(pos Pos) *Error { return fail(UnexpectedEOF, pos, "Script is incomplete") }

func duplicateFunction(name string, arity int, pos Pos) *Error {
	params := "no parameters"
	switch {
	case arity == 1:
		params = "1 parameter"
	case arity > 1:
		params = strconv.Itoa(arity) + " parameters"
	}
	return fail(FnDuplicatedDefinition, pos, "Function %s with %s already exists", name, params)
}
