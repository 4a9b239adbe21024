package rhai_test

import (
	"testing"
	"unsafe"
)

// floor is about the least that interpreting Fibonacci costs in Go: a loop over register code with nothing but what the
// program needs, on values that are tag and payload, with overflow checks, operations counted and an explicit stack.
func floor() int64 {
	type val struct {
		p unsafe.Pointer
		n int64
	}
	type ins struct{ op, a, b, c int16 }
	type call struct{ pc, base int }
	const (
		ret = iota
		unlessLt
		sub
		jsr
		add
	)
	code := []ins{
		{unlessLt, 0, 2, 1}, {ret, 0, 0, 0},
		{sub, 1, 0, 1}, {jsr, 1, 0, 0}, {sub, 2, 0, 2}, {jsr, 2, 0, 0}, {add, 1, 1, 2}, {ret, 1, 0, 0},
	}
	var tag byte
	isInt := unsafe.Pointer(&tag)
	stack := make([]val, 256)
	calls := make([]call, 64)
	var sum int64
	budget := 1 << 40
	for range 5 {
		stack[0] = val{isInt, 28}
		depth, pc, base := 0, 0, 0
		r := stack[base:]
	run:
		for {
			in := code[pc]
			pc++
			switch in.op {
			case unlessLt:
				if a := &r[in.a]; a.p == isInt && a.n >= int64(in.b) {
					pc += int(in.c)
				}
			case sub:
				if a := &r[in.b]; a.p == isInt {
					z := a.n - int64(in.c)
					if z > a.n {
						panic("overflow")
					}
					r[in.a] = val{isInt, z}
				}
			case jsr:
				if budget--; budget < 0 {
					panic("operations")
				}
				calls[depth] = call{pc, base}
				depth++
				base += int(in.a)
				pc = 0
				r = stack[base:]
			case add:
				a, b := &r[in.b], &r[in.c]
				if a.p == isInt && b.p == isInt {
					z := a.n + b.n
					if (z > a.n) != (b.n > 0) {
						panic("overflow")
					}
					r[in.a] = val{isInt, z}
				}
			case ret:
				r[0] = r[in.a]
				if depth == 0 {
					break run
				}
				depth--
				pc, base = calls[depth].pc, calls[depth].base
				r = stack[base:]
			}
		}
		sum += stack[0].n
	}
	return sum
}

func TestFloor(t *testing.T) {
	if got := floor(); got != 5*317811 {
		t.Fatalf("got %d", got)
	}
}
