package compile

import "testing"

// Every opcode has a name of its own, and the ones that dumps and the machine tell apart by range are in their ranges.
func TestOpcodesAreNamed(t *testing.T) {
	seen := map[string]Op{}
	for op := OpNop; op < numOps; op++ {
		name := op.String()
		if before, ok := seen[name]; ok || name == "" {
			t.Errorf("opcode %d is called %q, like %d", op, name, before)
		}
		seen[name] = op
	}
	for op, name := range map[Op]string{
		OpReturnIs: "return_this", OpTrim: "trim", OpForLoop: "for_loop", OpInRange: "in_range", OpSwitch: "switch",
		OpLoopGeInt: "loop_ge_int", OpUnlessEq: "unless_eq", OpModInt: "mod_int", OpWritable: "writable", OpCallPtr: "call_ptr",
		OpIsDefined: "is_defined", OpBackIndex: "back_index", OpThis: "this", OpCaught: "caught",
	} {
		if op.String() != name {
			t.Errorf("opcode %d is called %q, want %q", op, op, name)
		}
	}
}
