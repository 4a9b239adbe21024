// Package lines holds what the batch runner and the oracle say to each other: JSON lines. It is apart from the runner so
// that the corpus can be recorded with any state of the engine.
package lines

import "encoding/json"

// Question is a line that comes in: a script to run.
type Question struct {
	ID     json.RawMessage `json:"id"` // any JSON value, echoed
	Script string          `json:"script"`

	// Settings of the host, for the scripts that need them. The names are those that the oracle has.
	Modules map[string]string `json:"modules,omitempty"` // what import finds: source text by name
	Limits  map[string]int    `json:"limits,omitempty"`  // by name
	Options []string          `json:"options,omitempty"` // by name
}

// Answer is a line that goes out: what became of the script. Every field is always present.
type Answer struct {
	ID        json.RawMessage `json:"id"`
	OK        bool            `json:"ok"`
	Type      string          `json:"type"`       // the language's type_of
	Value     string          `json:"value"`      // the value as to_debug shows it
	Display   string          `json:"display"`    // the value as print shows it
	ErrorKind string          `json:"error_kind"` // of the innermost error, or KindTimeout
	ParseKind string          `json:"parse_kind"` // the parse error's own kind when ErrorKind is ErrorParsing
	Error     string          `json:"error"`
	Line      int             `json:"line"` // 0 without a position
	Column    int             `json:"column"`
	Trace     []Frame         `json:"trace"`  // around the innermost error, innermost first
	Stdout    string          `json:"stdout"` // each text printed, with a newline behind it
	Scope     []Variable      `json:"scope"`  // what is left at the global level, oldest first
}

// Kinds of failure that are no errors of the language.
const (
	KindTimeout = "Timeout" // the time limit passed
	KindBadLine = "BadLine" // the line is no question
)

// Frame is a call, or the loading of a module, that an error passed through on its way out.
type Frame struct {
	Kind   string `json:"kind"` // ErrorInFunctionCall or ErrorInModule
	Name   string `json:"name"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Variable is a variable left in the scope.
type Variable struct {
	Name  string `json:"name"`
	Const bool   `json:"const"`
	Type  string `json:"type"`
	Value string `json:"value"` // as to_debug shows it
}
