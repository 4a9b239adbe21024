package syntax

// Node is a part of a syntax tree. Its position is that of its first token unless the type says otherwise.
type Node interface {
	Position() Pos
}

// Expr is a node that can stand where a value is wanted.
type Expr interface {
	Node
	expr()
}

// Stmt is a node that can stand in a list of statements. [Block], [If], [Switch] and the loops are statements and
// expressions alike.
type Stmt interface {
	Node
	stmt()
}

// Script is a parsed source.
type Script struct {
	Doc       string      // the text of the leading //! comments, markers included, one line each
	Functions []*Function // in the order of the source
	Body      []Stmt      // the global level
}

// Name is an identifier where it names something rather than standing for a value.
type Name struct {
	Pos
	Text string
}

// Function is a script function. Its position is that of `fn`.
type Function struct {
	Pos
	Name     Name
	ThisType string // the type of `this` that it is for: `fn int.name()`; empty for any
	Params   []Name
	Body     *Block
	Private  bool
	Doc      []string // doc comments, markers included; consecutive lines are one element
}

// Literals.
type (
	// Unit is `()`.
	Unit struct{ Pos }

	// Bool is `true` or `false`.
	Bool struct {
		Pos
		Value bool
	}

	// Int is an integer literal. A minus sign directly before the literal is part of it, and then the position is
	// that of the minus sign.
	Int struct {
		Pos
		Value int64
	}

	// Float is a floating-point literal, or an integer literal too large for an integer. Its sign is treated as in
	// [Int].
	Float struct {
		Pos
		Value float64
	}

	// Char is a character literal.
	Char struct {
		Pos
		Value rune
	}

	// String is a string literal of any kind, with its escapes resolved.
	String struct {
		Pos
		Value string
	}

	// Interpolated is a back-tick string with `${…}` parts. Each part is a *String (never empty) or a *Block.
	Interpolated struct {
		Pos
		Parts []Expr
	}

	// Array is `[a, b, c]`.
	Array struct {
		Pos
		Items []Expr
	}

	// Map is `#{a: 1, "b": 2}`. No key appears twice.
	Map struct {
		Pos
		Entries []MapEntry
	}

	// MapEntry is a key of a map literal and its value.
	MapEntry struct {
		Key   Name
		Value Expr
	}

	// Closure is `|a, b| body`.
	Closure struct {
		Pos
		Params   []Name
		Captures []Name // outer variables that the body uses, shared with it, each once, in the order of first use
		Body     Stmt
	}
)

// Expressions.
type (
	// Ident is a variable, `x`, or a variable of a module, `a::b::x`.
	Ident struct {
		Pos
		Name      string
		Namespace []Name // empty for a plain variable
		NamePos   Pos    // of the name behind the namespace; none for a plain variable
	}

	// This is `this`.
	This struct{ Pos }

	// Unary is a prefix operator: `-`, `+` or `!`.
	Unary struct {
		Pos
		Op      string
		Operand Expr
	}

	// Binary is an infix operator, including `&&`, `||`, `??`, `in`, `!in`, `..`, `..=` and the host's own
	// operators. Its position is that of the operator. The beginning that the source leaves out of a range is an *Int,
	// zero; the end is the largest integer behind an *Int, and a *Unit behind anything else.
	Binary struct {
		Pos
		Op          string
		Left, Right Expr
	}

	// Call is a function call, `f(x)` or `a::b::f(x)`. Its position is that of the function's own name.
	Call struct {
		Pos
		Name         string
		Namespace    []Name
		Args         []Expr
		CaptureScope bool // `f!(x)`: the function runs in the caller's scope
	}

	// Property is `base.name`, or `base?.name` when Safe. Its position is that of the dot; Name has its own.
	Property struct {
		Pos
		Base Expr
		Name Name
		Safe bool
	}

	// Method is `base.name(args)`, or `base?.name(args)` when Safe. Its position is that of the dot; Name has its
	// own.
	Method struct {
		Pos
		Base Expr
		Name Name
		Args []Expr
		Safe bool
	}

	// Index is `base[key]`, or `base?[key]` when Safe. Its position is that of the bracket.
	Index struct {
		Pos
		Base Expr
		Key  Expr
		Safe bool
	}

	// Custom is an instance of syntax that the host defined.
	Custom struct {
		Pos
		Syntax *CustomSyntax
		Inputs []Expr   // what $expr$, $block$, $ident$ and the literal markers matched, in order
		Tokens []string // every token or marker matched, in order: what the host's parse function saw
		State  any      // what that function has kept for the instance
	}
)

// Statements that are expressions too.
type (
	// Block is `{ … }`. It ends at End, the position of its closing brace. On the right of `??`, a block also stands
	// for a lone `break`, `continue`, `return` or `throw`.
	Block struct {
		Pos
		Body []Stmt
		End  Pos
	}

	// If is `if cond { … } else …`. Else is nil, a *Block or an *If.
	If struct {
		Pos
		Cond Expr
		Then *Block
		Else Stmt
	}

	// Switch is `switch subject { … }`.
	Switch struct {
		Pos
		Subject Expr
		Cases   []*Case
		Default Stmt // nil when there is no `_` case
	}

	// Case is a case of a switch other than `_`.
	Case struct {
		Pos
		Values []Expr // literals, Fn of a name, or integer ranges as *Binary of *Int, one of which may be a *Unit
		Guard  Expr   // the condition after `if`; nil when there is none
		Body   Stmt
	}

	// While is `while cond { … }`.
	While struct {
		Pos
		Cond Expr
		Body *Block
	}

	// Loop is `loop { … }`.
	Loop struct {
		Pos
		Body *Block
	}

	// Do is `do { … } while cond`, or `… until cond`.
	Do struct {
		Pos
		Body  *Block
		Cond  Expr
		Until bool
	}

	// For is `for name in iterable { … }` or `for (name, counter) in iterable { … }`.
	For struct {
		Pos
		Name     Name
		Counter  *Name // nil when there is none
		Iterable Expr
		Body     *Block
	}
)

// Other statements.
type (
	// ExprStmt is an expression in statement position. What is a statement by itself is one only in parentheses.
	ExprStmt struct {
		X Expr
	}

	// Let is `let name = value` or, when Const, `const name = value`, with `export` before it when Export.
	Let struct {
		Pos
		Name   Name
		Value  Expr // nil when the source gives none
		Const  bool
		Export bool
	}

	// Assign is `target = value` or `target op= value`. Its position is that of the operator.
	Assign struct {
		Pos
		Target Expr   // *Ident, *This, *Property or *Index
		Op     string // "" for plain assignment, otherwise the operator without its `=`: "+", "<<", …
		Value  Expr
	}

	// Break is `break` or `break value`.
	Break struct {
		Pos
		Value Expr // nil when there is none
	}

	// Continue is `continue`.
	Continue struct{ Pos }

	// Return is `return` or `return value`.
	Return struct {
		Pos
		Value Expr // nil when there is none
	}

	// Throw is `throw` or `throw value`.
	Throw struct {
		Pos
		Value Expr // nil when there is none
	}

	// Try is `try { … } catch (name) { … }`.
	Try struct {
		Pos
		Body  *Block
		Name  *Name // nil when the error is not named
		Catch *Block
	}

	// Import is `import path as alias`.
	Import struct {
		Pos
		Path  Expr
		Alias *Name // nil when the module is loaded for its effects only
	}

	// Export is `export name as alias`.
	Export struct {
		Pos
		Name  Name
		Alias *Name // nil when it is exported under its own name
	}
)

// Position returns the position of the expression.
func (s *ExprStmt) Position() Pos { return s.X.Position() }

func (*Unit) expr()         {}
func (*Bool) expr()         {}
func (*Int) expr()          {}
func (*Float) expr()        {}
func (*Char) expr()         {}
func (*String) expr()       {}
func (*Interpolated) expr() {}
func (*Array) expr()        {}
func (*Map) expr()          {}
func (*Closure) expr()      {}
func (*Ident) expr()        {}
func (*This) expr()         {}
func (*Unary) expr()        {}
func (*Binary) expr()       {}
func (*Call) expr()         {}
func (*Property) expr()     {}
func (*Method) expr()       {}
func (*Index) expr()        {}
func (*Custom) expr()       {}
func (*Block) expr()        {}
func (*If) expr()           {}
func (*Switch) expr()       {}
func (*While) expr()        {}
func (*Loop) expr()         {}
func (*Do) expr()           {}
func (*For) expr()          {}

func (*Block) stmt()    {}
func (*If) stmt()       {}
func (*Switch) stmt()   {}
func (*While) stmt()    {}
func (*Loop) stmt()     {}
func (*Do) stmt()       {}
func (*For) stmt()      {}
func (*ExprStmt) stmt() {}
func (*Let) stmt()      {}
func (*Assign) stmt()   {}
func (*Break) stmt()    {}
func (*Continue) stmt() {}
func (*Return) stmt()   {}
func (*Throw) stmt()    {}
func (*Try) stmt()      {}
func (*Import) stmt()   {}
func (*Export) stmt()   {}
