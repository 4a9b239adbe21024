// Package compile turns syntax trees into register code.
//
// Every function becomes a [Func]: a list of [Instr] over a frame of registers. Variables have registers of their own
// for as long as their block lasts, temporaries are stacked above them, and a call's arguments are laid out where the
// callee's frame will begin, so that calling copies nothing. Names are resolved here: to a register, to a variable of
// the host's scope (which the machine loads into the first registers of the global level), to a function of the
// script, or, when only the run can tell, to a [Site] that remembers what it found.
//
// A variable that some closure of its function captures by name is held in a shared cell from the moment a closure is
// made, and its register is read through OpCellGet and the like; every other variable is used where it is. A path
// that is written to, such as a.b[i].c, is walked down by the Ref instructions, which copy nothing, and back up by the
// Back instructions, which write only what has changed.
package compile
