package compile

// Op is an opcode.
type Op uint16

// The opcodes. In the register pictures R is the frame's registers, K its constants, n an operand as a signed number;
// "copy" marks a container as shared, "move" does not. Jumps are relative to the next instruction, and backward ones
// count an operation. Calls use a window of registers that starts at A and becomes the callee's first registers.
const (
	OpNop Op = iota

	// Data.
	OpUnit       // R[A] = ()
	OpBool       // R[A] = B != 0
	OpInt        // R[A] = n(BC)
	OpConst      // R[A] = K[BC]
	OpCopy       // R[A] = copy R[B]
	OpMove       // R[A] = move R[B]
	OpAbsent     // R[A] = absent
	OpCellGet    // R[A] = copy of what R[B] holds or shares
	OpCellRef    // R[A] = move of what R[B] holds or shares
	OpCellSet    // what R[A] holds or shares = R[B]
	OpBareRef    // R[A] = move of what R[B] holds, or copy of what it shares
	OpBareSet    // R[A] = R[B], unless it shares what it has
	OpLock       // lock what R[A], or the variable of symbols C-1 by name K[B], shares, if it shares anything
	OpUnlock     // end the frame's lock
	OpRaced      // error when R[A] and the C-1 registers behind it, arguments of function K[B], hold a closure over a locked variable
	OpCheck      // error unless variable R[A] exists; name K[BC]
	OpWritable   // error unless scope variable R[A] exists and is no constant; name K[BC]
	OpThis       // R[A] = move R[0], error when this is not bound
	OpVary       // the constants that frames above this one have as this are no more; where the call before has not written, pc += n(BC)
	OpNamed      // R[A] = the host's variable K[BC]
	OpGlobal     // R[A] = global constant BC
	OpSetGlob    // global constant BC = R[A]
	OpLookup     // R[A] = variable of symbols C by name K[B], defined by an eval or not
	OpRedefine   // the variable at place C/2 of symbols B, or one that evals defined which has its place now, is another with the value R[A]: a constant if C is odd
	OpStore      // variable of symbols C by name K[B] = R[A]
	OpBackStore  // OpStore, unless it is a constant or a function
	OpBareLookup // OpLookup, but a copy of what the variable shares
	OpBareStore  // OpBackStore, unless the variable shares what it has
	OpIsConst    // R[A] = whether the variable of symbols C by name K[B] is a constant

	// Operators: R[A] = R[B] op R[C].
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMod
	OpPow
	OpShl
	OpShr
	OpAnd
	OpOr
	OpXor
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	// Operators with a small int: R[A] = R[B] op n(C).
	OpAddInt
	OpSubInt
	OpMulInt
	OpDivInt
	OpModInt
	OpIn      // R[A] = R[B] in R[C]
	OpNotIn   // R[A] = R[B] !in R[C]
	OpRange   // R[A] = R[B]..R[C]
	OpRangeEq // R[A] = R[B]..=R[C]
	OpNeg     // R[A] = -R[B]
	OpPlus    // R[A] = +R[B]
	OpNot     // R[A] = !R[B]

	// Compound assignments: R[A] op= R[B], C is the value.Op. Two have forms of their own.
	OpAssign
	OpAssignAdd
	OpAssignSub
	OpAssignAddInt // R[A] += n(B)
	OpAssignSubInt // R[A] -= n(B)

	// Jumps.
	OpJump        // pc += n(BC)
	OpLoop        // pc += n(BC), backwards: counts an operation
	OpJumpIf      // if R[A] pc += n(BC); R[A] must be a bool
	OpJumpIfNot   // if !R[A] pc += n(BC); R[A] must be a bool
	OpLoopIf      // OpJumpIf backwards
	OpLoopIfNot   // OpJumpIfNot backwards
	OpJumpUnit    // if R[A] is () pc += n(BC)
	OpJumpNotUnit // if R[A] is not () pc += n(BC)
	OpJumpFree    // if this is no constant pc += n(BC)
	OpJumpThrough // if scope variable R[A] is no constant, or a custom value, which leads to the host, pc += n(BC)
	// if not (R[A] op R[B]) pc += n(C)
	OpUnlessEq
	OpUnlessNe
	OpUnlessLt
	OpUnlessLe
	OpUnlessGt
	OpUnlessGe
	// if not (R[A] op n(B)) pc += n(C)
	OpUnlessEqInt
	OpUnlessNeInt
	OpUnlessLtInt
	OpUnlessLeInt
	OpUnlessGtInt
	OpUnlessGeInt
	// if R[A] op R[B] pc += n(C), backwards: counts an operation
	OpLoopEq
	OpLoopNe
	OpLoopLt
	OpLoopLe
	OpLoopGt
	OpLoopGe
	// if R[A] op n(B) pc += n(C), backwards: counts an operation
	OpLoopEqInt
	OpLoopNeInt
	OpLoopLtInt
	OpLoopLeInt
	OpLoopGtInt
	OpLoopGeInt
	OpInRange // R[A] = whether the number R[B] is in the range K[C]
	OpSwitch  // pc = the target that switch B has for R[A]

	// Calls.
	OpCall       // R[A] = function B of the unit (R[A] …), C registers; with this, R[A+1] is the result
	OpCallName   // R[A] = site B (R[A] …), C arguments
	OpCallRef    // R[A+1] = site B (R[A] by reference, …), C arguments with R[A]
	OpCallPtr    // R[A+1] = R[A].call(R[A+1] …) by site B, C arguments without R[A]
	OpPointer    // error unless R[A] is a function pointer
	OpInOrder    // R[A] = whether the C arguments of a call of the function pointer R[B] are evaluated in order
	OpReturn     // return R[A]
	OpReturnIs   // return R[A] to R[1]: the function has this in R[0]
	OpClosure    // R[A] = closure of proto B
	OpThrow      // throw R[A]
	OpRethrow    // throw the error R[A] again, but for a thrown unit when B is 1
	OpCaught     // R[A] = what a script sees of the error R[B]
	OpFail       // throw Errors[BC]
	OpEval       // R[A] = eval R[A] with symbols B, in a block when C is 1
	OpCallScoped // R[A] = site B (R[A] …) in the scope of symbols C
	OpIsShared   // R[A] = whether R[B], or the variable of symbols C-1 by name K[B], where there are some, is shared
	OpIsDefined  // R[A] = whether a variable named R[A] is defined, by symbols B or by an eval
	OpCallModule // R[A+1] = site B in its module (R[A] …), C arguments
	OpModuleGet  // R[A] = variable of site B in its module
	OpMark       // R[A] = how many variables evals have defined, and how many imports there are
	OpTrim       // forget those beyond R[A]
	OpImport     // import the module R[A] as K[BC], or under no name when BC is negative
	OpExport     // give variable R[A] to those who import the script, as K[BC]

	// Data structures.
	OpArray  // R[A] = [R[B] …], C items
	OpMap    // R[A] = #{…}, keys Maps[B], values R[C] …
	OpConcat // R[A] = text of R[B] …, C parts
	// Where the text is short and of scalars, these leave out the instructions behind them, which do the same one by one.
	OpSum     // R[A] = R[B] + …, C parts, of which the first is a text; leaves out C-1
	OpSumOnto // R[A] += R[B] + …, likewise, where R[A] is a text; leaves out C
	// A Ref form moves: what it yields is shared only if R[B] is. Written through, it must go Back.
	OpGet        // R[A] = copy R[B].site C
	OpGetRef     // R[A] = move R[B].site C
	OpSet        // R[A].site B = R[C]
	OpFixed      // error of a write to site B of R[A], if R[A] is a part of a constant that has it; an entry that it has not is added
	OpFixedIndex // likewise of R[A][R[C]], where site B tells what leads to R[A]
	OpBack       // R[A].site B = R[C], unless it is that already
	OpIndex      // R[A] = copy R[B][R[C]]
	OpIndexRef   // R[A] = move R[B][R[C]]
	OpSetIndex   // R[A][R[B]] = R[C]
	OpBackIndex  // R[A][R[B]] = R[C], unless it is that already

	// Loops.
	OpIter    // R[A] = iterator over R[B]
	OpNext    // R[A+1] = next of iterator R[A], or pc += n(BC); counts an operation
	OpForPrep // range R[A]..R[A+1] (inclusive when R[A+2] is true) begins: R[A+2] = first, or pc += n(BC) when empty
	OpForLoop // next int of the loop at R[A] into R[A+2], pc += n(BC), or go on; counts an operation

	// The host's.
	OpCustom     // R[A] = what the host makes of its syntax, instance B
	OpResolve    // R[A] = the variable K[BC] that the host gives, or absent
	OpJumpAbsent // if R[A] is absent pc += n(BC)
	OpStop       // a debugger may stop here, where it sees symbols B

	numOps
)

var opNames = [numOps]string{
	"nop", "unit", "bool", "int", "const", "copy", "move", "absent", "cell_get", "cell_ref", "cell_set", "bare_ref", "bare_set", "lock", "unlock", "raced", "check", "writable", "this", "vary",
	"named", "global", "set_global", "lookup", "redefine", "store", "back_store", "bare_lookup", "bare_store", "is_const",
	"add", "sub", "mul", "div", "mod", "pow", "shl", "shr", "and", "or", "xor", "eq", "ne", "lt", "le", "gt", "ge",
	"add_int", "sub_int", "mul_int", "div_int", "mod_int", "in", "not_in", "range", "range_eq", "neg", "plus", "not",
	"assign", "assign_add", "assign_sub", "assign_add_int", "assign_sub_int",
	"jump", "loop", "jump_if", "jump_if_not", "loop_if", "loop_if_not", "jump_unit", "jump_not_unit", "jump_free", "jump_through",
	"unless_eq", "unless_ne", "unless_lt", "unless_le", "unless_gt", "unless_ge",
	"unless_eq_int", "unless_ne_int", "unless_lt_int", "unless_le_int", "unless_gt_int", "unless_ge_int",
	"loop_eq", "loop_ne", "loop_lt", "loop_le", "loop_gt", "loop_ge",
	"loop_eq_int", "loop_ne_int", "loop_lt_int", "loop_le_int", "loop_gt_int", "loop_ge_int", "in_range", "switch",
	"call", "call_name", "call_ref", "call_ptr", "pointer", "in_order", "return", "return_this", "closure", "throw", "rethrow", "caught", "fail", "eval", "call_scoped", "is_shared", "is_defined", "call_module", "module_get", "mark", "trim", "import", "export",
	"array", "map", "concat", "sum", "sum_onto", "get", "get_ref", "set", "fixed", "fixed_index", "back", "index", "index_ref", "set_index", "back_index",
	"iter", "next", "for_prep", "for_loop", "custom", "resolve", "jump_absent", "stop",
}

// String is the opcode's name.
func (op Op) String() string {
	if op < numOps {
		return opNames[op]
	}
	return "?"
}
