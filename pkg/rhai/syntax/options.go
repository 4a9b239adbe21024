package syntax

// Depth limits of [Options] where it gives none.
const (
	DefaultMaxExprDepth         = 64
	DefaultMaxFunctionExprDepth = 32
)

// Options are what a host may change about the language. The zero value is the language as it is documented.
type Options struct {
	// MaxExprDepth limits how deep expressions and statements nest at the global level, and MaxFunctionExprDepth
	// within functions. Zero stands for the default, and a negative number for as deep as the parser can go.
	MaxExprDepth         int
	MaxFunctionExprDepth int

	MaxStringBytes int // of a string literal; zero: no limit
	MaxArrayItems  int // of an array literal; zero: no limit
	MaxMapEntries  int // of an object map literal; zero: no limit
	MaxFunctions   int // in a script, closures too; zero: no limit

	// StrictVariables makes the use of a variable, or of a module, that is neither defined before in the source
	// nor named in Variables an error.
	StrictVariables bool
	Variables       []string // what the host's scope will define

	Disabled        map[string]bool          // keywords and operators that the script may not use
	Operators       map[string]int           // infix operators of the host, with their precedence; zero: a symbol of its syntax
	CustomSyntax    map[string]*CustomSyntax // by the keyword that each starts with
	AllowVariable   func(Definition) error   // asked about every variable the source defines; nil: all are allowed
	NoClosures      bool                     // closures are an error
	NoIf            bool                     // `if` is no expression
	NoSwitch        bool                     // `switch` is no expression
	NoStatementExpr bool                     // a block is no expression
	NoLoop          bool                     // there are no loops
	NoLoopExpr      bool                     // loops are no expressions
	NoShadowing     bool                     // a variable can't be defined twice in a scope

	// Interrupt is asked every few hundred tokens. Its error ends the parsing, as the result of it.
	Interrupt func() error
}

// Definition describes a variable that the source is about to define.
type Definition struct {
	Name    string
	Pos     Pos
	Const   bool
	Depth   int  // how many blocks it is inside of
	Shadows bool // another variable of the name is visible
}

// CustomSyntax is syntax that the host adds to the language.
type CustomSyntax struct {
	// Next says what must come next. It is given what has been matched so far, the text of the token ahead, and the
	// state that it kept for this instance. It returns one of the markers $ident$, $symbol$, $token$, $expr$, $block$,
	// $func$, $bool$, $int$, $float$ and $string$, or the text of a token, or an empty string at the end. A string that
	// begins with $$ is the end too, and the last input.
	Next func(matched []string, ahead string, state *any) (string, error)

	ChangesScope bool // its evaluation may define variables in the scope that it stands in
	Data         any  // the host's own
}
