package compile

import (
	"sync/atomic"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Instr is one instruction: an opcode and three operands of 16 bits, whose meaning is the opcode's.
type Instr struct {
	Op      Op
	A, B, C uint16
}

// Wide is B and C as one signed operand.
func (i Instr) Wide() int32 { return int32(uint32(i.B) | uint32(i.C)<<16) }

// ImmB and ImmC are operands as signed numbers.
func (i Instr) ImmB() int16 { return int16(i.B) }

// ImmC is C as a signed number.
func (i Instr) ImmC() int16 { return int16(i.C) }

func wide(op Op, a int, n int32) Instr {
	return Instr{op, uint16(a), uint16(uint32(n)), uint16(uint32(n) >> 16)}
}

// Unit is what one source compiles to. It never changes but for the caches of its sites, which are atomic.
type Unit struct {
	Main  *Func
	Funcs []*Func // the script's functions, then its closures
	// Names is how many functions of Funcs have names of their own.
	Names   int
	Globals []string // names reached through `global::`, by number
	Module  string   // the path of the module that it is; empty for others

	byName map[string][]*Func
	main   Func // what Main is

	constant   value.Value
	isConstant bool

	// The code of Main, when it is no more than this.
	code      [8]Instr
	positions [8]syntax.Pos
}

// Bytes is about how much memory the unit takes.
func (u *Unit) Bytes() int {
	n := 0
	for _, f := range append(u.Funcs[:len(u.Funcs):len(u.Funcs)], u.Main) {
		if n += f.bytes(); f.Scoped != nil {
			n += f.Scoped.bytes()
		}
	}
	return n
}

func (f *Func) bytes() int {
	const object, site, entry = 128, 256, 64
	n := 4*object + 8*cap(f.Code) + 8*cap(f.Pos) + object*(len(f.Protos)+len(f.Races)) + object*len(f.Errors) + object*len(f.Customs) + site*len(f.Sites)
	n += entry * (len(f.Alt) + len(f.Parts) + len(f.Consts) + len(f.External) + len(f.Defined))
	for _, v := range f.Consts {
		n += v.Footprint().Bytes()
	}
	for i := range f.Switches {
		n += object + 4*len(f.Switches[i].Dense) + entry*len(f.Switches[i].Keys)
	}
	for _, keys := range f.Maps {
		n += 16 * len(keys)
	}
	for _, symbols := range f.Symbols {
		n += entry * len(symbols)
	}
	return n
}

// Lookup lists the script's functions of a name.
func (u *Unit) Lookup(name string) []*Func { return u.byName[name] }

// Find is the function of a name and arity that is for any type of this; nil when there is none.
func (u *Unit) Find(name string, arity int) *Func {
	for _, f := range u.byName[name] {
		if f.Params == arity && f.ThisType == "" {
			return f
		}
	}
	return nil
}

// Pointer is what the bare name of a function stands for: a pointer to the function, or to the name where several have
// it, of which the number of arguments chooses one.
func (u *Unit) Pointer(name string) value.Value {
	var found *Func
	for _, f := range u.byName[name] {
		if f.ThisType != "" {
			continue
		} else if found != nil {
			return value.NewFnPtr(name, nil, nil)
		}
		found = f
	}
	if found == nil {
		return value.NewFnPtr(name, nil, nil)
	}
	return value.NewFnPtr(name, found, nil)
}

// Constant is the value of a unit that does nothing but give one.
func (u *Unit) Constant() (v value.Value, ok bool) { return u.constant, u.isConstant }

// Func is the code of one function, or of the global level.
//
// Registers begin with `this` when the function uses it, then come the captured variables and the parameters; or, for
// the global level, the variables that the host's scope may hold. Locals and temporaries follow.
type Func struct {
	Name   string
	Unit   *Unit
	Code   []Instr
	Pos    []syntax.Pos // of each instruction
	Consts []value.Value
	Sites  []*Site
	*Tables

	Regs     int // how many registers it needs
	Params   int // without captures and this
	Captures int
	UsesThis bool
	ThisType string
	Info     *value.FnInfo

	// Scoped is the function compiled to run in its caller's scope, when the unit has a call that may do so. Its
	// registers begin with this and the result, if it uses this, then come its External variables, then Args.
	Scoped *Func
	// Borrows tells that it is a Scoped one.
	Borrows bool

	// Of the global level and of scoped functions only.
	External []Symbol // variables that the script uses and does not define, in registers 0 and up
	Defined  []Symbol // variables that stay in scope after the run
}

// Tables are what the instructions of most functions need nothing of.
type Tables struct {
	Alt      map[int][2]syntax.Pos // other positions of an instruction: of the bracket and the assignment where it indexes, of an argument
	Backs    map[int]int           // of a call: where the instructions behind it end that carry its receiver's changes back
	Races    map[int]Race          // of an assignment or an index
	Parts    map[int][]syntax.Pos  // positions of what an instruction puts together
	Switches []Switch
	Protos   []Proto
	Maps     [][]string // keys of map literals
	Errors   []*value.Error
	Handlers []Handler
	Symbols  [][]Symbol // what an eval sees, by number
	Customs  []*Custom  // instances of the host's syntax
}

// noTables are those of all functions that need none.
var noTables Tables

func (t *Tables) empty() bool {
	n := len(t.Alt) + len(t.Backs) + len(t.Races) + len(t.Parts) + len(t.Switches) + len(t.Protos) + len(t.Maps)
	return n+len(t.Errors)+len(t.Handlers)+len(t.Symbols)+len(t.Customs) == 0
}

// reserved is how many registers there are before the External variables.
func (f *Func) reserved() int {
	if f.UsesThis {
		return 2
	}
	return 0
}

// FirstArg is the register of the first argument of a Scoped function.
func (f *Func) FirstArg() int { return f.reserved() + len(f.External) }

// IsExternal tells whether a register is that of an External variable.
func (f *Func) IsExternal(reg int) bool { return f.reserved() <= reg && reg < f.FirstArg() }

// Args is how many registers a caller fills, apart from this.
func (f *Func) Args() int { return f.Captures + f.Params }

// Symbol is a variable and its register.
type Symbol struct {
	Name  string
	Reg   int
	Const bool
	From  int   // of Defined: the first instruction that it exists at
	Flips []int // of Defined: the instructions at which Const became what it is from the opposite, and so on
	Mark  int   // the register of its OpMark, plus one: what evals defined before it does not hide it; zero: all does
}

// ConstAt tells whether a variable of Defined is a constant after an instruction.
func (s Symbol) ConstAt(pc int) bool {
	konst := s.Const
	for _, at := range s.Flips {
		konst = konst != (pc < at)
	}
	return konst
}

// Site is a call by name or an access to a property: what the machine looks up, and what it found last.
type Site struct {
	Name      string
	Path      []string // of the module that the name is looked for in
	First     bool     // the path begins with the frame's first import of the name, and not with the last in sight
	Script    *Func    // the script function of the name and arity, for any type of this
	Typed     []*Func  // those for particular types of this
	Args      int      // of a call in the caller's scope
	Root      *Root    // what the path to the receiver begins at, where that may be a constant
	Steps     *Step    // the last step of that path
	Pointer   int      // the register of the function pointer whose name is called, plus one
	Method    bool     // written x.f(y)
	Temporary bool     // the receiver of a function's call is a copy of a variable
	Fresh     bool     // the receiver is no part of anything
	Last      *Step    // the step that leads to the receiver of a method; nil for none
	Getter    string   // for a property
	Setter    string
	Found     atomic.Pointer[Found]
	Position  atomic.Int32 // where a map last had the property
}

// Root is what a path begins at, where that may be a constant.
type Root struct {
	Name    string // as errors have it
	Const   bool   // it is one
	This    bool   // it is this
	Scope   int    // the register of the host's variable that it is, plus one
	Unsure  int    // the register of the captured variable that it is, plus one, whose cell tells whether it is a constant
	ByName  bool   // it is the variable of the name, which an eval may have defined
	Symbols int    // of that variable
}

// Step is a step of a path from a root, of the value in the register Base to a property or an element.
type Step struct {
	Before    *Step // nil for the first
	Base, Key int
	Property  int // the site of a property; -1 for the element of the key
	Pos       syntax.Pos
}

// Found is an overload that a site resolved to, and the types that it was resolved for.
type Found struct {
	Types uint64
	Name  string
	Func  *value.Func
}

// Switch is a jump table: targets by value, and where to go when there is none.
type Switch struct {
	Dense   []int32 // targets of the ints Base and up, when they are close together; 0 for none
	Base    int64
	Texts   []TextCase // the strings, when they are few
	Keys    map[value.Key]int32
	Default int32
}

// TextCase is the target of a string.
type TextCase struct {
	Text   string
	Target int32
}

// Proto is a closure's function and the registers that it captures when it is made.
type Proto struct {
	Func     *Func
	Captures []Capture
}

// Capture is a register that is, or may be, captured. A constant is captured by value.
type Capture struct {
	Reg    int
	Copy   bool
	Name   string
	Pos    syntax.Pos
	ByName int // the symbols of the variable, plus one, where an eval may have defined another one or it is the host's; zero: neither
	Places int // the symbols that tell what has a place in the reference's scope, and the place of what is to be shared,
	Place  int // plus one; zero: the variable is
}

// Race is a path on which a closure may be met again: the variable that it begins at, which closures may share, and its
// last step, nil for none.
type Race struct {
	Capture
	Last *Step
}

// Handler is a try block: an error at From <= pc < To resumes at Target with the error in Reg.
type Handler struct {
	From, To, Target int
	Reg              int
}
