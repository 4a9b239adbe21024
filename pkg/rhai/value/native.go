package value

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"circles/pkg/rhai/syntax"
)

// Type is what overloads are chosen by: a built-in type, a type registered by the host, or Any.
type Type uint16

// The built-in types. Their numbers are those of the kinds.
const (
	TypeUnit           = Type(KindUnit)
	TypeBool           = Type(KindBool)
	TypeInt            = Type(KindInt)
	TypeFloat          = Type(KindFloat)
	TypeChar           = Type(KindChar)
	TypeString         = Type(KindString)
	TypeArray          = Type(KindArray)
	TypeBlob           = Type(KindBlob)
	TypeMap            = Type(KindMap)
	TypeTimestamp      = Type(KindTimestamp)
	TypeRange          = Type(KindRange)
	TypeRangeInclusive = Type(KindRangeInclusive)
	TypeFnPtr          = Type(KindFnPtr)

	firstCustomType = Type(64)
	// Any is a parameter that takes every type.
	Any = Type(0xffff)
)

// Type is the value's type. A shared variable has the type of what is in it.
func (v Value) Type() Type {
	k := v.Kind()
	switch k {
	case KindCustom:
		return v.Custom().Type.id
	case KindCell:
		return v.Cell().V.Type()
	}
	return Type(k)
}

// SameType tells whether two values are of the same type, also where the reference has several types of one name.
func SameType(a, b Value) bool {
	return a.Type() == b.Type() && (a.Kind() != KindCustom || a.RustName() == b.RustName())
}

// Native is the Go code of a function. See the package comment for what args are.
type Native func(c Context, args []Value) (Value, error)

// Func is one overload of a native function.
type Func struct {
	Name    string
	Params  []Type
	Mutates bool // writes through its first argument
	// GoesBack tells that a copy which the function is given as its first argument goes back to where it came from, as if
	// it was written to: by the functions that it calls with its items, or for all that the reference knows. It is not
	// refused on constants.
	GoesBack bool
	Global   bool // of a module: found without the module's name, where the module has been imported
	// Variadic functions take any number of arguments, none too, for their last parameter. They are chosen where no
	// other overload takes the arguments.
	Variadic bool
	Native   Native
	Traced   string // its name in the traces of errors that its callbacks make; empty for Name

	// For metadata: what it does, in lines; the names of its parameters; the name of its result's type.
	Doc    []string
	Names  []string
	Result string
	// Bind, when not nil, completes a function whose parameters or results are Go types that the host gives to scripts:
	// the engine that takes the function calls it on a copy, and tells what there is of a Go type, which may be nil.
	Bind func(f *Func, known func(reflect.Type) *CustomType) error
}

// Describe is the function with what it does, and what its parameters are called, for metadata and editors.
func (f Func) Describe(doc string, params ...string) Func {
	f.Names = params
	f.Doc = nil
	if doc != "" {
		f.Doc = strings.Split(doc, "\n")
	}
	return f
}

// Names of the functions that properties and indexing call for types that are not built in.
const (
	IndexGet = "index$get$"
	IndexSet = "index$set$"
)

// label is what a function is for, with its name.
func label(name string) string {
	if property, ok := strings.CutPrefix(name, Getter("")); ok {
		return "getter of '" + property + "'"
	}
	if property, ok := strings.CutPrefix(name, Setter("")); ok {
		return "setter of '" + property + "'"
	}
	switch name {
	case IndexGet:
		return "indexer"
	case IndexSet:
		return "setter of an index"
	}
	return "function '" + name + "'"
}

// Getter is the name of the function that reads a property.
func Getter(property string) string { return "get$" + property }

// Setter is the name of the function that writes a property.
func Setter(property string) string { return "set$" + property }

// Context is what a native function knows of the run that calls it. It is valid during the call only, and used from
// the calling goroutine only.
type Context interface {
	// Tick counts n operations. Its error ends the script: return it unchanged. Call it in every loop.
	Tick(n int) error
	// Reserve tells of bytes that the function is about to allocate, be it for a moment. Its error, that the run would
	// take too much, ends the script: return it unchanged. Call it before whatever is large or comes in large numbers.
	Reserve(bytes int) error
	// Aside runs f on a goroutine of its own and waits for its end, for what takes long and can't look at the run's
	// context. When the run ends first it returns the error that ends the script: return it unchanged. f goes on, and so
	// must not touch what is the run's.
	Aside(f func()) error
	// Limits are the run's limits. They must not be changed.
	Limits() *Limits
	// Call calls a function pointer. this, when not nil, is what the function sees as `this`, and may be written
	// through. args are copied; an argument that the caller keeps must be Shared.
	Call(f *FnPtr, this *Value, args []Value) (Value, error)
	// Hold tells of a list of values that the running function makes while it calls scripts, so that they count as
	// memory of the run.
	Hold(list *[]Value)
	// Arity is how many arguments a function pointer takes beyond its curried ones: of the script function that it
	// names or holds; ok is false when only native functions have the name.
	Arity(f *FnPtr) (n int, ok bool)
	// HasFn tells whether the script defines a function of the name and arity; arity -1 stands for any.
	HasFn(name string, arity int) bool
	// Functions lists the script's functions.
	Functions() []FnInfo
	// Context is the run's context, for whatever waits. It may be kept.
	Context() context.Context
	// Host is what the host gave this run for its functions; nil if nothing.
	Host() any
	// Print and Debug write to the run's sinks.
	Print(text string)
	Debug(text string)
	// Name and Pos are the function's name as called, and where.
	Name() string
	Pos() syntax.Pos
	// Now is the host's clock.
	Now() time.Time
}

// FnInfo describes a script function.
type FnInfo struct {
	Name     string
	Params   []string
	ThisType string
	Private  bool
	Doc      []string
	Pos      syntax.Pos
}

// Limits bound what a script may use. Zero means no limit.
type Limits struct {
	Operations  uint64 // back edges, calls, and what native functions count
	CallDepth   int    // script functions inside one another; MaxCallDepth at most
	StringBytes int    // of one string
	ArrayItems  int    // of one array; blobs too
	MapEntries  int    // of one map
	Variables   int    // in scope at once
	Functions   int    // in a script, closures too
	Modules     int    // imported by one run
	Memory      int    // bytes that a run's values take at once; what the host gives is counted when the script holds it
	SourceBytes int    // of a script, of a module, and of what is passed to eval

	// ExprDepth and FunctionExprDepth are how deep expressions and statements nest in a source, at its global level and
	// in its functions. Zero stands for the language's own, 64 and 32.
	ExprDepth, FunctionExprDepth int
}

// MaxCallDepth bounds CallDepth, also where there is no limit.
const MaxCallDepth = 1 << 20

// Calls is CallDepth with its bound.
func (l *Limits) Calls() int {
	if l.CallDepth <= 0 || l.CallDepth > MaxCallDepth {
		return MaxCallDepth
	}
	return l.CallDepth
}

// CheckString is the limit's error when a string of n bytes is too long.
func (l *Limits) CheckString(n int) error {
	if l.StringBytes > 0 && n > l.StringBytes {
		return TooLarge("Length of string", LimitString)
	}
	return nil
}

// CheckArray is the limit's error when an array of n items is too long.
func (l *Limits) CheckArray(n int) error {
	if l.ArrayItems > 0 && n > l.ArrayItems {
		return TooLarge("Size of array/BLOB", LimitArray)
	}
	return nil
}

// CheckSource is the limit's error when a source of n bytes is too long.
func (l *Limits) CheckSource(n int) error {
	if l.SourceBytes > 0 && n > l.SourceBytes {
		return TooLarge("Length of source", LimitSource)
	}
	return nil
}

// CheckMap is the limit's error when a map of n entries is too large.
func (l *Limits) CheckMap(n int) error {
	if l.MapEntries > 0 && n > l.MapEntries {
		return TooLarge("Size of object map", LimitMap)
	}
	return nil
}

// CustomType describes a Go type that the host gave to scripts. Its functions must not panic when they are called
// without a script, as Print is by whoever prints a value; a panic within a script is the script's error.
type CustomType struct {
	id   Type
	Name string
	Doc  []string // for metadata
	// Origin is the name of a value's type where the reference shows its own types under their full names; nil: Name.
	Origin func(data any) string
	// Copy makes values of the type copy as arrays do: nothing is copied until one of several places is written to,
	// and whoever writes calls OwnCustom first. nil: values are references, and all copies refer to the same Go value.
	Copy func(data any) any
	Size int // of a value, in bytes, as memory of a run; what it refers to is counted if the data is a Holder
	// Print and Debug format a value; nil: the type's name.
	Print func(data any) string
	Debug func(data any) string
	// Compare orders two values of the type for the operators: negative, zero or positive. Equal tells whether they
	// are equal, where there is no order. nil: scripts can not compare them, unless there are functions that do.
	Compare func(a, b any) int
	Equal   func(a, b any) bool
	// Iterate is what `for` walks over; nil: the type is not iterable. It returns a function that gives the next item,
	// and ok false after the last, and one that is called when no more is wanted, which may be nil.
	Iterate func(data any) (next func() (v Value, ok bool, err error), stop func())
}

// Custom is a Go value in a script.
type Custom struct {
	header
	Type *CustomType
	Data any
}

// New makes a value of the type. Any goroutine may use it.
func (t *CustomType) New(data any) Value {
	return Value{p: unsafe.Pointer(&Custom{header{kind: KindCustom, shared: true}, t, data})}
}

// IsReference tells whether all copies of the value are one Go value, so that a constant may lead to what changes.
func (v Value) IsReference() bool { return v.Kind() == KindCustom && v.Custom().Type.Copy == nil }

// OwnCustom makes the custom value in this place safe to write, if its type has copies, and returns it.
func OwnCustom(place *Value) *Custom {
	c := (*Custom)(place.p)
	if !c.shared || c.Type.Copy == nil {
		return c
	}
	c = &Custom{header{kind: KindCustom}, c.Type, c.Type.Copy(c.Data)}
	place.p = unsafe.Pointer(c) // the tag stays
	return c
}

// ID is the type as overloads name it.
func (t *CustomType) ID() Type { return t.id }

// Custom is the object of a custom value.
func (v Value) Custom() *Custom { return (*Custom)(v.p) }

// FnPtr is a function pointer: a name, arguments to put before those of the call, and for closures the code itself.
type FnPtr struct {
	header
	Name  string
	Curry []Value
	// Target is the machine's compiled function, or nil when the name decides at the call.
	Target any
}

// NewFnPtr makes a function pointer.
func NewFnPtr(name string, target any, curry []Value) Value {
	return Value{p: unsafe.Pointer(&FnPtr{header{kind: KindFnPtr}, name, curry, target})}
}

// FnPtr is the object of a function pointer.
func (v Value) FnPtr() *FnPtr { return (*FnPtr)(v.p) }

// IsAnonymous tells whether it points to a closure.
func (f *FnPtr) IsAnonymous() bool { return IsAnonymous(f.Name) }

// IsAnonymous tells whether a name is that of a closure.
func IsAnonymous(name string) bool { return len(name) > 5 && name[:5] == "anon$" }

// Registry holds native functions by name. One that is built and then only read serves many goroutines. A registry
// may stand on a base, whose functions it adds to and hides where types agree.
type Registry struct {
	base    *Registry
	funcs   map[string][]*Func
	types   []*CustomType
	unbound []*Func
}

// NewRegistry makes an empty registry on a base, which may be nil and must not change any more.
func NewRegistry(base *Registry) *Registry {
	return &Registry{base: base, funcs: map[string][]*Func{}}
}

// Add adds overloads. One with the name and types of an earlier one replaces it. Those that are to be bound are there
// after Bind.
func (r *Registry) Add(fs ...Func) {
	for i := range fs {
		f := fs[i]
		if f.Bind != nil {
			r.unbound = append(r.unbound, &f)
			continue
		}
		r.put(&f)
	}
}

func (r *Registry) put(f *Func) {
	list := r.funcs[f.Name]
	at := slices.IndexFunc(list, func(g *Func) bool {
		return g.Variadic == f.Variadic && slices.Equal(g.Params, f.Params)
	})
	if at >= 0 {
		list[at] = f
		return
	}
	r.funcs[f.Name] = append(list, f)
}

// Bind completes the functions that wait for it. The error tells of all that can not be.
func (r *Registry) Bind(known func(reflect.Type) *CustomType) error {
	var failed []error
	for _, f := range r.unbound {
		bind := f.Bind
		f.Bind = nil
		if err := bind(f, known); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", label(f.Name), err))
			continue
		}
		r.put(f)
	}
	r.unbound = nil
	return errors.Join(failed...)
}

// AddType makes a custom type of the description and gives it its number.
func (r *Registry) AddType(t CustomType) *CustomType {
	t.id = r.nextType()
	r.types = append(r.types, &t)
	return &t
}

// Types lists the registry's own custom types.
func (r *Registry) Types() []*CustomType { return slices.Clone(r.types) }

func (r *Registry) nextType() Type {
	n := firstCustomType + Type(len(r.types))
	if r.base != nil {
		n += r.base.nextType() - firstCustomType
	}
	return n
}

// TypeName is the name of a type in signatures.
func (r *Registry) TypeName(t Type) string {
	if t == Any {
		return "?"
	}
	if t < firstCustomType {
		return typeNames[t]
	}
	for ; r != nil; r = r.base {
		for _, c := range r.types {
			if c.id == t {
				return c.Name
			}
		}
	}
	return fmt.Sprintf("type#%d", t)
}

// Has tells whether there is any function of the name.
func (r *Registry) Has(name string) bool {
	for ; r != nil; r = r.base {
		if len(r.funcs[name]) > 0 {
			return true
		}
	}
	return false
}

// All iterates over every overload, the registry's own before its base's, in no particular order of names.
func (r *Registry) All() func(yield func(*Func) bool) {
	return func(yield func(*Func) bool) {
		for r := r; r != nil; r = r.base {
			for f := range r.Own() {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// Own iterates over the overloads that the registry adds to its base.
func (r *Registry) Own() func(yield func(*Func) bool) {
	return func(yield func(*Func) bool) {
		for _, list := range r.funcs {
			for _, f := range list {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// Resolve is the overload for the arguments: the one with exact types, otherwise the one with the fewest Any and the
// leftmost exact types, otherwise a variadic one; nil when there is none.
func (r *Registry) Resolve(name string, args []Value) *Func {
	var best, spread *Func
	bestScore, leastAny := -1, 0
	for ; r != nil; r = r.base {
	next:
		for _, f := range r.funcs[name] {
			if f.Variadic {
				if n, ok := f.spread(args); ok && (spread == nil || n < leastAny) {
					spread, leastAny = f, n
				}
				continue
			}
			if len(f.Params) != len(args) {
				continue
			}
			score := 0
			for i, p := range f.Params {
				score <<= 1
				if p == args[i].Type() {
					score |= 1
				} else if p != Any {
					continue next
				}
			}
			if score == 1<<len(args)-1 {
				return f
			}
			if score > bestScore {
				best, bestScore = f, score
			}
		}
	}
	if best == nil {
		return spread
	}
	return best
}

// spread tells whether a variadic function takes the arguments, and how many of them it takes as Any.
func (f *Func) spread(args []Value) (loose int, ok bool) {
	last := len(f.Params) - 1
	if len(args) < last {
		return 0, false
	}
	for i := range args {
		switch p := f.Params[min(i, last)]; p {
		case Any:
			loose++
		case args[i].Type():
		default:
			return 0, false
		}
	}
	return loose, true
}
