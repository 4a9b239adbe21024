package syntax

// kind is what a token is.
type kind uint8

const (
	tEOF   kind = iota
	tError      // text is the message, lex its kind
	tDoc        // a doc comment, with its markers

	// Operands: what a minus sign behind them subtracts from.
	tIdent
	tReserved // a word that names a built-in function or that the language keeps for itself; `this` too
	tInt
	tFloat
	tChar
	tString
	tTrue
	tFalse
	tUnit // `()`, without space between
	tRightParen
	tRightBracket
	tRightBrace
	endOfOperands

	tInterp   // the text of a back-tick string up to `${`; the scanner stands at the brace
	tSymbol   // a reserved symbol
	tOperator // an operator of the host
	tMapBrace // `#{`
	tLeftParen
	tLeftBracket
	tLeftBrace
	tComma
	tSemicolon
	tColon
	tColons
	tArrow // `=>`
	tDot
	tSafeDot     // `?.`
	tSafeBracket // `?[`
	tUnderscore
	tBang
	tUnaryMinus // where no operand comes before it
	tUnaryPlus
	tAssign
	tOpAssign // text is the operator without its `=`

	// Infix operators, in groups of equal precedence.
	tOrOr
	tPipe
	tCaret
	tAndAnd
	tAnd
	tEqual
	tNotEqual
	tIn
	tNotIn
	tLess
	tLessEqual
	tGreater
	tGreaterEqual
	tCoalesce
	tRange
	tRangeInclusive
	tPlus
	tMinus
	tStar
	tSlash
	tPercent
	tPower
	tShiftLeft
	tShiftRight

	// Keywords.
	tLet
	tConst
	tIf
	tElse
	tSwitch
	tDo
	tWhile
	tUntil
	tLoop
	tFor
	tBreak
	tContinue
	tReturn
	tThrow
	tTry
	tCatch
	tFn
	tPrivate
	tImport
	tExport
	tAs

	numKinds
)

// token is a piece of source. bits is the value of a number or character.
type token struct {
	kind kind
	pos  Pos
	text string // of the identifier, symbol or keyword; the value of a string
	bits uint64
}

// spelling gives the tokens that are always written the same way.
var spelling = [numKinds]string{
	tTrue: "true", tFalse: "false", tUnit: "()", tRightParen: ")", tRightBracket: "]", tRightBrace: "}",
	tMapBrace: "#{", tLeftParen: "(", tLeftBracket: "[", tLeftBrace: "{", tComma: ",", tSemicolon: ";", tColon: ":",
	tColons: "::", tArrow: "=>", tDot: ".", tSafeDot: "?.", tSafeBracket: "?[", tUnderscore: "_", tBang: "!", tUnaryMinus: "-", tUnaryPlus: "+",
	tAssign: "=", tOrOr: "||", tPipe: "|", tCaret: "^", tAndAnd: "&&", tAnd: "&", tEqual: "==", tNotEqual: "!=",
	tIn: "in", tNotIn: "!in", tLess: "<", tLessEqual: "<=", tGreater: ">", tGreaterEqual: ">=", tCoalesce: "??",
	tRange: "..", tRangeInclusive: "..=", tPlus: "+", tMinus: "-", tStar: "*", tSlash: "/", tPercent: "%",
	tPower: "**", tShiftLeft: "<<", tShiftRight: ">>", tLet: "let", tConst: "const", tIf: "if", tElse: "else",
	tSwitch: "switch", tDo: "do", tWhile: "while", tUntil: "until", tLoop: "loop", tFor: "for", tBreak: "break",
	tContinue: "continue", tReturn: "return", tThrow: "throw", tTry: "try", tCatch: "catch", tFn: "fn",
	tPrivate: "private", tImport: "import", tExport: "export", tAs: "as",
}

// precedence of infix operators; zero for everything else. Higher binds tighter.
var precedence = [numKinds]uint8{
	tOrOr: 30, tPipe: 30, tCaret: 30,
	tAndAnd: 60, tAnd: 60,
	tEqual: 90, tNotEqual: 90,
	tIn: 110, tNotIn: 110,
	tLess: 130, tLessEqual: 130, tGreater: 130, tGreaterEqual: 130,
	tCoalesce: 135,
	tRange:    140, tRangeInclusive: 140,
	tPlus: 150, tMinus: 150,
	tStar: 180, tSlash: 180, tPercent: 180,
	tPower:     190,
	tShiftLeft: 210, tShiftRight: 210,
}

// wordKind classifies an identifier.
func wordKind(s string) kind {
	switch s {
	case "true":
		return tTrue
	case "false":
		return tFalse
	case "let":
		return tLet
	case "const":
		return tConst
	case "if":
		return tIf
	case "else":
		return tElse
	case "switch":
		return tSwitch
	case "do":
		return tDo
	case "while":
		return tWhile
	case "until":
		return tUntil
	case "loop":
		return tLoop
	case "for":
		return tFor
	case "in":
		return tIn
	case "break":
		return tBreak
	case "continue":
		return tContinue
	case "return":
		return tReturn
	case "throw":
		return tThrow
	case "try":
		return tTry
	case "catch":
		return tCatch
	case "fn":
		return tFn
	case "private":
		return tPrivate
	case "import":
		return tImport
	case "export":
		return tExport
	case "as":
		return tAs
	case "_":
		return tUnderscore
	case "this", "Fn", "call", "curry", "debug", "eval", "is_def_fn", "is_def_var", "is_shared", "print", "type_of",
		"async", "await", "case", "default", "go", "goto", "is", "match", "module", "new", "nil", "null", "package",
		"protected", "public", "shared", "spawn", "static", "super", "sync", "thread", "use", "var", "void", "with",
		"yield":
		return tReserved
	}
	return tIdent
}

// isBuiltinFunction tells of a reserved word whether it may be called.
func isBuiltinFunction(s string) bool {
	switch s {
	case "Fn", "call", "curry", "debug", "eval", "is_def_fn", "is_def_var", "is_shared", "print", "type_of":
		return true
	}
	return false
}

// isBuiltinMethod tells of a reserved word whether it may be called as a method.
func isBuiltinMethod(s string) bool {
	switch s {
	case "call", "curry", "is_shared", "type_of":
		return true
	}
	return false
}
