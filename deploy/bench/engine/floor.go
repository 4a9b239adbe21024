package main

import (
	"fmt"
	"unsafe"
)

// floor is about the least that interpretation costs in Go: a loop over register code with nothing but what the one
// program needs, on values that are tag and payload, with overflow checks, operations counted and an explicit stack.
type floor struct{}

func (floor) name() string   { return "floor" }
func (floor) ending() string { return ".rhai" }

func (floor) prepare(r row, _ string) (job, error) {
	var n int64
	shown := func() string { return fmt.Sprint(n) }
	switch r.name {
	case "Fibonacci":
		return each(func() error {
			for range 5 {
				n = interpret(fibonacci(), 28)
			}
			return nil
		}, shown), nil
	case "counting loop":
		return each(func() error { n = interpret(counting(), 0); return nil }, shown), nil
	}
	return nil, nil
}

type val struct {
	p unsafe.Pointer
	n int64
}

type instr struct{ op, a, b, c int16 }

type call struct{ pc, base int }

const (
	opReturn   = iota // return R[A]
	opUnlessLt        // if not R[A] < B, pc += C
	opSubInt          // R[A] = R[B] - C
	opCall            // R[A] = itself(R[A])
	opAdd             // R[A] = R[B] + R[C]
	opAddInt          // R[A] = R[B] + C
	opLoopLt          // if R[A] < R[B], pc += C
)

func fibonacci() []instr {
	return []instr{
		{opUnlessLt, 0, 2, 1}, {opReturn, 0, 0, 0},
		{opSubInt, 1, 0, 1}, {opCall, 1, 0, 0}, {opSubInt, 2, 0, 2}, {opCall, 2, 0, 0}, {opAdd, 1, 1, 2}, {opReturn, 1, 0, 0},
	}
}

// counting expects the bound in register 1.
func counting() []instr {
	return []instr{{opAddInt, 0, 0, 1}, {opLoopLt, 0, 1, -2}, {opReturn, 0, 0, 0}}
}

func interpret(code []instr, argument int64) int64 {
	var tag byte
	isInt := unsafe.Pointer(&tag)
	stack := make([]val, 256)
	calls := make([]call, 64)
	budget := 1 << 40
	stack[0], stack[1] = val{isInt, argument}, val{isInt, 1000000}
	depth, pc, base := 0, 0, 0
	r := stack[base:]
	for {
		in := code[pc]
		pc++
		switch in.op {
		case opUnlessLt:
			if a := &r[in.a]; a.p == isInt && a.n >= int64(in.b) {
				pc += int(in.c)
			}
		case opSubInt:
			if a := &r[in.b]; a.p == isInt {
				z := a.n - int64(in.c)
				if z > a.n {
					panic("overflow")
				}
				r[in.a] = val{isInt, z}
			}
		case opAddInt:
			if a := &r[in.b]; a.p == isInt {
				z := a.n + int64(in.c)
				if z < a.n {
					panic("overflow")
				}
				r[in.a].n = z
			}
		case opLoopLt:
			if a, b := &r[in.a], &r[in.b]; a.p == isInt && b.p == isInt && a.n < b.n {
				if budget--; budget < 0 {
					panic("operations")
				}
				pc += int(in.c)
			}
		case opCall:
			if budget--; budget < 0 {
				panic("operations")
			}
			calls[depth] = call{pc, base}
			depth++
			base += int(in.a)
			pc = 0
			r = stack[base:]
		case opAdd:
			a, b := &r[in.b], &r[in.c]
			if a.p == isInt && b.p == isInt {
				z := a.n + b.n
				if (z > a.n) != (b.n > 0) {
					panic("overflow")
				}
				r[in.a] = val{isInt, z}
			}
		case opReturn:
			r[0] = r[in.a]
			if depth == 0 {
				return stack[0].n
			}
			depth--
			pc, base = calls[depth].pc, calls[depth].base
			r = stack[base:]
		}
	}
}
