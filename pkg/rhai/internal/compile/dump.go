package compile

import (
	"bufio"
	"fmt"
	"io"
)

// Dump writes a unit's code: for each instruction its index, its position in the source, its name and its operands.
func Dump(w io.Writer, u *Unit) error {
	b := bufio.NewWriter(w)
	dumpFunc(b, u.Main, "main")
	for i, f := range u.Funcs {
		dumpFunc(b, f, fmt.Sprintf("fn %d %s", i, f.Name))
	}
	return b.Flush()
}

func dumpFunc(w io.Writer, f *Func, title string) {
	fmt.Fprintf(w, "%s: params %d, captures %d, registers %d\n", title, f.Params, f.Captures, f.Regs)
	for i, in := range f.Code {
		fmt.Fprintf(w, "%5d  %-7s %s\n", i, f.Pos[i], f.Describe(i, in))
	}
	for _, h := range f.Handlers {
		fmt.Fprintf(w, "       try %d..%d catch %d in r%d\n", h.From, h.To, h.Target, h.Reg)
	}
}

// Describe is an instruction in words.
func (f *Func) Describe(at int, in Instr) string {
	name := in.Op.String()
	jump := func(n int) string { return fmt.Sprintf("-> %d", at+1+n) }
	switch {
	case in.Op == OpConst:
		return fmt.Sprintf("%-16s r%d = %s", name, in.A, f.Consts[in.Wide()].Debug())
	case in.Op == OpInt:
		return fmt.Sprintf("%-16s r%d = %d", name, in.A, in.Wide())
	case in.Op == OpJump || in.Op == OpLoop:
		return fmt.Sprintf("%-16s %s", name, jump(int(in.Wide())))
	case in.Op >= OpJumpIf && in.Op <= OpJumpThrough, in.Op == OpJumpAbsent, in.Op == OpNext, in.Op == OpForPrep, in.Op == OpForLoop:
		return fmt.Sprintf("%-16s r%d %s", name, in.A, jump(int(in.Wide())))
	case in.Op >= OpUnlessEqInt && in.Op <= OpUnlessGeInt, in.Op >= OpLoopEqInt && in.Op <= OpLoopGeInt:
		return fmt.Sprintf("%-16s r%d %d %s", name, in.A, in.ImmB(), jump(int(in.ImmC())))
	case shortJump(in.Op):
		return fmt.Sprintf("%-16s r%d r%d %s", name, in.A, in.B, jump(int(in.ImmC())))
	case in.Op >= OpAddInt && in.Op <= OpModInt:
		return fmt.Sprintf("%-16s r%d r%d %d", name, in.A, in.B, in.ImmC())
	case in.Op == OpAssignAddInt || in.Op == OpAssignSubInt:
		return fmt.Sprintf("%-16s r%d %d", name, in.A, in.ImmB())
	case in.Op == OpCall:
		return fmt.Sprintf("%-16s r%d = %s/%d", name, in.A, f.Unit.Funcs[in.B].Name, in.C)
	case in.Op == OpCallName || in.Op == OpCallRef || in.Op == OpCallPtr:
		return fmt.Sprintf("%-16s r%d %s/%d", name, in.A, f.Sites[in.B].Name, in.C)
	case in.Op == OpGet || in.Op == OpGetRef:
		return fmt.Sprintf("%-16s r%d = r%d.%s", name, in.A, in.B, f.Sites[in.C].Name)
	case in.Op == OpSet || in.Op == OpBack:
		return fmt.Sprintf("%-16s r%d.%s = r%d", name, in.A, f.Sites[in.B].Name, in.C)
	case in.Op == OpCheck || in.Op == OpWritable || in.Op == OpNamed || in.Op == OpResolve:
		return fmt.Sprintf("%-16s r%d %s", name, in.A, f.Consts[in.Wide()].Debug())
	case in.Op == OpReturn || in.Op == OpReturnIs || in.Op == OpUnit || in.Op == OpAbsent || in.Op == OpThis || in.Op == OpThrow:
		return fmt.Sprintf("%-16s r%d", name, in.A)
	case in.Op == OpBool:
		return fmt.Sprintf("%-16s r%d = %t", name, in.A, in.B != 0)
	}
	return fmt.Sprintf("%-16s r%d r%d r%d", name, in.A, in.B, in.C)
}
