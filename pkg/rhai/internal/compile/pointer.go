package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
)

// callEither compiles a call of a function pointer on a variable and more. Where the pointer has just a name, or not as
// many parameters, it is as if that name was called: the variable is passed by reference, and read last.
func (f *fn) callEither(args []syntax.Expr, dst int, pos syntax.Pos) {
	ordered := f.temp()
	w := f.window(len(args) + 1) // room for the result behind the variable
	late := f.allInert(args[2:])
	f.ordered(args, w, ordered, late)
	named := f.emitWide(OpJumpIfNot, ordered, 0, pos)
	if late {
		f.expr(args[1], w+1)
	}
	f.callPtr(w, false, args, pos)
	f.emit(OpMove, dst, w+1, 0, pos)
	end := f.emitWide(OpJump, 0, 0, pos)
	f.land(named)
	p := f.argument(args[1], w+1)
	site := &Site{Name: "call", Pointer: w + 1}
	site.receiver(p)
	f.goBackFrom(f.emit(OpCallRef, w+1, f.site(site), len(args)-1, pos), p)
	f.emit(OpMove, dst, w+2, 0, pos)
	f.land(end)
}

// ordered compiles a function pointer and arguments that begin with a variable into the window at w, but for the
// variable where it is not read before the others, which the register tells then, and where it is late.
func (f *fn) ordered(args []syntax.Expr, w, register int, late bool) {
	f.expr(args[0], w)
	f.emit(OpInOrder, register, w, len(args)-1, begin(args[0]))
	if _, this := args[1].(*syntax.This); this && !late {
		f.emit(OpThis, w+1, 0, 0, args[1].Position()) // it must be bound
	} else if !late {
		no := f.emitWide(OpJumpIfNot, register, 0, args[1].Position())
		f.expr(args[1], w+1)
		f.land(no)
	}
	for i, a := range args[2:] {
		f.expr(a, w+2+i)
	}
}

// callPtr calls what is in the window at w, by the method or the function `call`. The instruction's other position is
// that of its first argument.
func (f *fn) callPtr(w int, method bool, args []syntax.Expr, pos syntax.Pos) *Site {
	n := len(args)
	if !method {
		n--
	}
	site := &Site{Name: "call", Method: method}
	at := f.emit(OpCallPtr, w, f.site(site), n, pos)
	switch {
	case method && len(args) > 0:
		f.alt(at, firstStep(args[0]), syntax.Pos{})
	case len(args) > 0:
		f.alt(at, begin(args[0]), syntax.Pos{})
	}
	return site
}

// takesPointer tells whether a call is one of those whose first argument must be a function pointer.
func takesPointer(name string, args []syntax.Expr) bool {
	return name == "call" && len(args) > 0 || name == "curry" && len(args) > 1
}

// pointed compiles arguments into the window at w. The first one is found not to be a function pointer before the
// others are evaluated.
func (f *fn) pointed(args []syntax.Expr, w int) {
	for i, a := range args {
		f.expr(a, w+i)
		if i == 0 && slices.ContainsFunc(args[1:], func(e syntax.Expr) bool { return !f.inert(e) }) {
			f.emit(OpPointer, w, 0, 0, begin(a))
		}
	}
}
