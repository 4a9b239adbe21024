package value

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"circles/pkg/rhai/syntax"
)

// ErrorKind is the reference's name for a kind of script error.
type ErrorKind string

// The kinds that scripts can meet.
const (
	ErrParsing              ErrorKind = "ErrorParsing"
	ErrVariableExists       ErrorKind = "ErrorVariableExists"
	ErrForbiddenVariable    ErrorKind = "ErrorForbiddenVariable"
	ErrVariableNotFound     ErrorKind = "ErrorVariableNotFound"
	ErrPropertyNotFound     ErrorKind = "ErrorPropertyNotFound"
	ErrIndexNotFound        ErrorKind = "ErrorIndexNotFound"
	ErrFunctionNotFound     ErrorKind = "ErrorFunctionNotFound"
	ErrModuleNotFound       ErrorKind = "ErrorModuleNotFound"
	ErrInFunctionCall       ErrorKind = "ErrorInFunctionCall"
	ErrInModule             ErrorKind = "ErrorInModule"
	ErrUnboundThis          ErrorKind = "ErrorUnboundThis"
	ErrMismatchDataType     ErrorKind = "ErrorMismatchDataType"
	ErrMismatchOutputType   ErrorKind = "ErrorMismatchOutputType"
	ErrIndexingType         ErrorKind = "ErrorIndexingType"
	ErrArrayBounds          ErrorKind = "ErrorArrayBounds"
	ErrStringBounds         ErrorKind = "ErrorStringBounds"
	ErrBitFieldBounds       ErrorKind = "ErrorBitFieldBounds"
	ErrFor                  ErrorKind = "ErrorFor"
	ErrDataRace             ErrorKind = "ErrorDataRace"
	ErrAssignmentToConstant ErrorKind = "ErrorAssignmentToConstant"
	ErrNonPureMethodCall    ErrorKind = "ErrorNonPureMethodCallOnConstant"
	ErrDotExpr              ErrorKind = "ErrorDotExpr"
	ErrArithmetic           ErrorKind = "ErrorArithmetic"
	ErrTooManyOperations    ErrorKind = "ErrorTooManyOperations"
	ErrTooManyVariables     ErrorKind = "ErrorTooManyVariables"
	ErrTooManyModules       ErrorKind = "ErrorTooManyModules"
	ErrStackOverflow        ErrorKind = "ErrorStackOverflow"
	ErrDataTooLarge         ErrorKind = "ErrorDataTooLarge"
	ErrTerminated           ErrorKind = "ErrorTerminated"
	ErrCustomSyntax         ErrorKind = "ErrorCustomSyntax"
	ErrRuntime              ErrorKind = "ErrorRuntime"
	ErrSystem               ErrorKind = "ErrorSystem"
	// ErrExit is no failure: it ends the run with a value. Where a native function has called the script function that
	// exits, it is an error like others.
	ErrExit ErrorKind = "Exit"
)

// Limit names the limit that a script hit.
type Limit string

// The limits.
const (
	LimitOperations Limit = "operations"
	LimitCallDepth  Limit = "call_depth"
	LimitString     Limit = "string_bytes"
	LimitArray      Limit = "array_items"
	LimitMap        Limit = "map_entries"
	LimitVariables  Limit = "variables"
	LimitFunctions  Limit = "functions"
	LimitModules    Limit = "modules"
	LimitExprDepth  Limit = "expression_depth"
	LimitMemory     Limit = "memory"
	LimitSource     Limit = "source_bytes"
	LimitTime       Limit = "time"
)

// Error is why a script failed: what happened innermost, and through which calls it came.
type Error struct {
	Kind    ErrorKind
	Message string // without the position
	Pos     syntax.Pos
	Trace   []Frame // the calls that the error passed through, innermost first
	Limit   Limit   // which limit, when it was one
	Value   Value   // what was thrown, for ErrRuntime
	// Subject is what the kind is about: the name of a variable, a function's signature, a message.
	Subject string
	// Size is the length that an index is out of.
	Size int
	// ParseKind is the kind of parse error, for ErrParsing.
	ParseKind syntax.ErrorKind
	// Cause is the Go error behind it, when there is one.
	Cause error

	final bool
}

// Frame is a call, or the loading of a module, that an error passed through.
type Frame struct {
	Function string     // or the module's path
	Pos      syntax.Pos // of the call or the import
	Source   string     // the path of the module that the function is of; empty for the script
	Module   bool       // it is a module that was loading
}

// Error is the message with its position, and a line for each call it came through.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	pos := e.Pos
	for _, f := range e.Trace {
		if f.Source != "" {
			b.WriteString(" @ '" + f.Source + "'")
		}
		writePos(&b, pos)
		switch {
		case f.Module:
			b.WriteString("\nin module '" + f.Function + "'")
		case IsAnonymous(f.Function):
			b.WriteString("\nin closure call")
		default:
			b.WriteString("\nin call to function '" + f.Function + "'")
		}
		if f.Source != "" {
			b.WriteString(" (from '" + f.Source + "')")
		}
		pos = f.Pos
	}
	writePos(&b, pos)
	return b.String()
}

func writePos(b *strings.Builder, p syntax.Pos) {
	if !p.IsValid() {
		return
	}
	b.WriteString(" (line ")
	b.WriteString(strconv.Itoa(int(p.Line)))
	if p.Column > 0 {
		b.WriteString(", position ")
		b.WriteString(strconv.Itoa(int(p.Column)))
	}
	b.WriteByte(')')
}

// Unwrap is the Go error behind it.
func (e *Error) Unwrap() error { return e.Cause }

// Outer is the kind and the position as the reference reports them: an error that came through a call is first of all
// one in a function call.
func (e *Error) Outer() (ErrorKind, syntax.Pos) {
	if n := len(e.Trace); n > 0 {
		if e.Trace[n-1].Module {
			return ErrInModule, e.Trace[n-1].Pos
		}
		return ErrInFunctionCall, e.Trace[n-1].Pos
	}
	return e.Kind, e.Pos
}

// Passing tells whether the error goes through the calls of script functions without a trace, and past what would catch
// it: one of a limit, or of the text of an eval, is like any other once it has come through a native function.
func (e *Error) Passing() bool {
	switch e.Kind {
	case ErrTooManyOperations, ErrTerminated, ErrStackOverflow, ErrTooManyVariables, ErrTooManyModules,
		ErrDataTooLarge, ErrCustomSyntax, ErrExit, ErrParsing:
		return len(e.Trace) == 0
	}
	return false
}

// Final tells whether the error ends the run, whatever it came through: an interruption, the end of what a whole run may
// take, or what Finally has made so.
func (e *Error) Final() bool {
	if e.final {
		return true
	}
	switch e.Kind {
	case ErrTerminated, ErrTooManyOperations, ErrTooManyModules:
		return true
	}
	return e.Limit == LimitMemory
}

// Finally makes the error one that ends the run. A container that has become too large is still there: a script that
// could go on would make it larger and larger.
func (e *Error) Finally() *Error {
	e.final = true
	return e
}

// Catchable tells whether a script may catch the error.
func (e *Error) Catchable() bool { return !e.Passing() && !e.Final() }

// Caught is the error as a catch block sees it: the value that was thrown, or a map that describes it. The source is the
// path of the module that catches it; empty for the script.
func (e *Error) Caught(source string) Value {
	if e.Kind == ErrRuntime {
		return e.Value
	}
	m := NewMap(6)
	if source != "" {
		m.Set("source", Str(source))
	}
	kind, pos := e.Outer()
	m.Set("error", Str(string(kind)))
	if pos.IsValid() {
		m.Set("line", Int(int64(pos.Line)))
		m.Set("position", Int(int64(pos.Column)))
	}
	if n := len(e.Trace); n > 0 {
		text, last := *e, e.Trace[n-1]
		last.Pos = syntax.Pos{}
		text.Trace = append(e.Trace[:n-1:n-1], last)
		m.Set("message", Str(text.Error()))
		if last.Module {
			m.Set("module", Str(last.Function))
			return m.Value()
		}
		m.Set("function", Str(last.Function))
		m.Set("source", Str(last.Source))
		return m.Value()
	}
	m.Set("message", Str(e.Message))
	switch e.Kind {
	case ErrFunctionNotFound, ErrNonPureMethodCall:
		m.Set("function", Str(e.Subject))
	case ErrVariableExists, ErrForbiddenVariable, ErrVariableNotFound, ErrDataRace, ErrAssignmentToConstant:
		m.Set("variable", Str(e.Subject))
	case ErrDotExpr:
		m.Set("property", Str(e.Message))
	case ErrPropertyNotFound:
		m.Set("property", Str(e.Subject))
	case ErrModuleNotFound:
		m.Set("module", Str(e.Subject))
	case ErrIndexNotFound:
		m.Set("index", e.Value)
	case ErrArrayBounds, ErrStringBounds, ErrBitFieldBounds:
		m.Set("index", e.Value)
		m.Set("length", Int(int64(e.Size)))
	case ErrIndexingType, ErrDataTooLarge:
		m.Set("type", Str(e.Subject))
	case ErrMismatchDataType, ErrMismatchOutputType:
		m.Set("requested", Str(e.Subject))
		m.Set("actual", e.Value)
	}
	return m.Value()
}

// AsError is the script error in an error, or one that wraps it.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: ErrRuntime, Message: "Runtime error: " + err.Error(), Value: Str(err.Error()), Cause: err}
}

// NewError makes an error of a kind with a message of its own.
func NewError(kind ErrorKind, message string) *Error { return &Error{Kind: kind, Message: message} }

// Arithmetic is an arithmetic error.
func Arithmetic(format string, args ...any) *Error {
	return &Error{Kind: ErrArithmetic, Message: fmt.Sprintf(format, args...)}
}

// Runtime is what throwing a text makes.
func Runtime(text string) *Error { return Thrown(Str(text)) }

// maxMessage bounds what a message tells of a script's own values and names.
const maxMessage = 64 << 10

// shorten cuts a text that is too long for a message.
func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "..."
}

// Thrown is what `throw` makes. The message shows no more than the beginning of a long text.
func Thrown(v Value) *Error {
	message := "Runtime error"
	if text := v.brief(maxMessage); text != "" {
		message += ": " + shorten(text)
	}
	return &Error{Kind: ErrRuntime, Message: message, Value: v}
}

// Hold tells of the value that an error carries: a script that has caught the error holds it.
func (e *Error) Hold(add func(Value)) { add(e.Value) }

// Exit ends the run with a value, whatever called what.
func Exit(v Value) *Error {
	return &Error{Kind: ErrExit, Message: "NOT AN ERROR - exit value", Value: v}
}

// VariableNotFound is for a name that no variable has.
func VariableNotFound(name string) *Error {
	name = shorten(name)
	return &Error{Kind: ErrVariableNotFound, Message: "Variable not found: " + name, Subject: name}
}

// VariableExists is for a definition of a variable that there is, where none may hide another.
func VariableExists(name string) *Error {
	name = shorten(name)
	return &Error{Kind: ErrVariableExists, Message: "Variable already defined: " + name, Subject: name}
}

// FunctionNotFound is for a call that no function takes.
func FunctionNotFound(signature string) *Error {
	signature = shorten(signature)
	return &Error{Kind: ErrFunctionNotFound, Message: "Function not found: " + signature, Subject: signature}
}

// NotANumber is for a text that is none; what is "integer" or "floating-point".
func NotANumber(what, text, why string) *Error {
	return Arithmetic("Error parsing %s number '%s': %s", what, shorten(text), why)
}

// PropertyNotFound is for reading what an object map has not, where the host has it be an error.
func PropertyNotFound(name string) *Error {
	return &Error{Kind: ErrPropertyNotFound, Message: "Property not found: " + name, Subject: name}
}

// ModuleNotFound is for a path that no resolver knows.
func ModuleNotFound(path string) *Error {
	path = shorten(path)
	return &Error{Kind: ErrModuleNotFound, Message: "Module not found: " + path, Subject: path}
}

// AssignToConstant is for writing to a constant.
func AssignToConstant(name string) *Error {
	return &Error{Kind: ErrAssignmentToConstant, Message: "Cannot modify constant " + name, Subject: name}
}

// MutateConstant is for calling a function that writes through its first argument on a constant.
func MutateConstant(function string) *Error {
	return &Error{Kind: ErrNonPureMethodCall,
		Message: "Non-pure method '" + function + "' cannot be called on constant", Subject: function}
}

// SetConstant is for writing to a property of a constant.
func SetConstant(property string) *Error {
	return &Error{Kind: ErrNonPureMethodCall, Message: "Cannot modify property '" + property + "' of constant", Subject: Setter(property)}
}

// DataRace is for touching a shared variable while a method of it runs. It has no position.
func DataRace() *Error { return &Error{Kind: ErrDataRace, Message: "Data race detected"} }

// DataRaceOn is for passing on a closure over such a variable as the argument of a number.
func DataRaceOn(function string, number int) *Error {
	what := fmt.Sprintf("argument #%d of function '%s'", number, function)
	return &Error{Kind: ErrDataRace, Message: "Data race detected on " + what, Subject: what}
}

// Placeless tells whether the reference gives the error no position.
func (e *Error) Placeless() bool {
	return e.Kind == ErrDataRace || e.ParseKind == syntax.WrongFnDefinition
}

// UnboundThis is for `this` in a function that was not called as a method.
func UnboundThis() *Error { return &Error{Kind: ErrUnboundThis, Message: "'this' not bound"} }

// NoGetter is for reading a property that a type does not have.
func NoGetter(property string, of Value) *Error {
	return &Error{Kind: ErrDotExpr,
		Message: fmt.Sprintf("Unknown property '%s' - a getter is not registered for type '%s'", property, of.TypeName())}
}

// NoSetter is for writing a property that a type does not have.
func NoSetter(property string, of, v Value) *Error {
	return &Error{Kind: ErrDotExpr,
		Message: fmt.Sprintf("No writable property '%s' - a setter is not registered for type '%s' to handle '%s'",
			property, of.TypeName(), v.TypeName())}
}

// NoIndexer is for indexing a type that can't be, or by a type that it can't be.
func NoIndexer(of, index Value) *Error {
	s := fmt.Sprintf("%s [%s]", of.TypeName(), index.TypeName())
	return &Error{Kind: ErrIndexingType, Message: "Indexer unavailable: " + s, Subject: s}
}

// NoIndexSetter is for writing to an element of a type that has none to write to.
func NoIndexSetter(of, index, v Value) *Error {
	s := fmt.Sprintf("%s [%s] = %s", of.TypeName(), index.TypeName(), v.TypeName())
	return &Error{Kind: ErrIndexingType, Message: "Indexer unavailable: " + s, Subject: s}
}

// TypeMismatch is for a value of one type where another is needed.
func TypeMismatch(want, got string) *Error {
	return &Error{Kind: ErrMismatchDataType,
		Message: fmt.Sprintf("Data type incorrect: %s (expecting %s)", got, want), Subject: want, Value: Str(got)}
}

// ArrayBounds is for an index outside an array.
func ArrayBounds(size int, index int64) *Error {
	return &Error{Kind: ErrArrayBounds, Value: Int(index), Size: size,
		Message: bounds("Array index %d out of bounds: ", "array is empty", "element", "in array", size, index)}
}

// StringBounds is for an index outside a string.
func StringBounds(size int, index int64) *Error {
	return &Error{Kind: ErrStringBounds, Value: Int(index), Size: size,
		Message: bounds("String index %d out of bounds: ", "string is empty", "character", "in string", size, index)}
}

// BitFieldBounds is for a bit outside an int.
func BitFieldBounds(index int64) *Error {
	return &Error{Kind: ErrBitFieldBounds, Value: Int(index), Size: 64,
		Message: fmt.Sprintf("Bit-field index %d out of bounds: only 64 bits in bit-field", index)}
}

func bounds(prefix, empty, noun, where string, size int, index int64) string {
	s := fmt.Sprintf(prefix, index)
	switch size {
	case 0:
		return s + empty
	case 1:
		return s + "only 1 " + noun + " " + where
	}
	return s + fmt.Sprintf("only %d %ss %s", size, noun, where)
}

// NotIterable is for a loop over something that has no items.
func NotIterable() *Error {
	return &Error{Kind: ErrFor, Message: "For loop expects iterable type"}
}

// TooLarge is for a value that outgrows a limit; what is, for example, "Length of string".
func TooLarge(what string, limit Limit) *Error {
	return &Error{Kind: ErrDataTooLarge, Message: what + " too large", Limit: limit, Subject: what}
}

// TooManyOperations is for a script that hit the limit on operations.
func TooManyOperations() *Error {
	return &Error{Kind: ErrTooManyOperations, Message: "Too many operations", Limit: LimitOperations}
}

// TooManyVariables is for a script that hit the limit on variables.
func TooManyVariables() *Error {
	return &Error{Kind: ErrTooManyVariables, Message: "Too many variables defined", Limit: LimitVariables}
}

// StackOverflow is for a script that hit the limit on call depth.
func StackOverflow() *Error {
	return &Error{Kind: ErrStackOverflow, Message: "Stack overflow", Limit: LimitCallDepth}
}

// Terminated is for a script that its host stopped: cause is the context's error.
func Terminated(cause error) *Error {
	return &Error{Kind: ErrTerminated, Message: "Script terminated", Cause: cause, Limit: LimitTime}
}

// Parsing is a syntax error as a script error.
func Parsing(err *syntax.Error) *Error {
	e := &Error{Kind: ErrParsing, Message: "Syntax error: " + err.Message, Pos: err.Pos, ParseKind: err.Kind, Cause: err}
	switch err.Kind {
	case syntax.TooManyFunctions:
		e.Limit = LimitFunctions
	case syntax.ExprTooDeep:
		e.Limit = LimitExprDepth
	case syntax.LiteralTooLarge:
		switch {
		case strings.Contains(err.Message, "string"):
			e.Limit = LimitString
		case strings.Contains(err.Message, "array"):
			e.Limit = LimitArray
		default:
			e.Limit = LimitMap
		}
	}
	return e
}

// Panicked is for a native function that panicked. Its Cause is a *PanicError.
func Panicked(function string, what any) *Error {
	if p, ok := what.(*PanicError); ok { // it was given a name where it was closer
		function, what = p.Function, p.Value
	}
	return &Error{Kind: ErrSystem, Message: fmt.Sprintf("function '%s' panicked: %v", function, what), Subject: function,
		Cause: &PanicError{function, what, debug.Stack()}}
}

// PanicError is a panic of a function of the host, as the cause of a script's error.
type PanicError struct {
	Function string // as scripts call it
	Value    any    // what it panicked with
	Stack    []byte // of the goroutine, as debug.Stack gives it
}

// Error is what it panicked with.
func (e *PanicError) Error() string {
	return fmt.Sprintf("function '%s' panicked: %v", e.Function, e.Value)
}

// Unwrap is what it panicked with, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
