package rhai_test

import (
	"strings"
	"testing"

	"circles/pkg/rhai"
)

// The code of the program that everybody measures, so that a change of the compiler shows.
func TestDump(t *testing.T) {
	p := compile(t, rhai.New(), `fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }`)
	var b strings.Builder
	if err := p.Dump(&b); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(b.String(), "\n") {
		if fields := strings.Fields(line); len(fields) > 2 && !strings.HasSuffix(fields[0], ":") {
			got = append(got, strings.Join(fields[2:], " "))
		}
	}
	want := `unit r0
return r0
nop r0 r0 r0
fib: params 1, captures 0, registers 6
unless_lt_int r0 2 -> 2
return r0
sub_int r2 r0 1
call r2 = fib/1
sub_int r3 r0 2
call r3 = fib/1
add r1 r2 r3
return r1
nop r0 r0 r0`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
