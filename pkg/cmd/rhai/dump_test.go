package main

import (
	"strings"
	"testing"
)

// Each flag shows its part alone; without one, all three are shown, in the order of the pipeline.
func TestDumpParts(t *testing.T) {
	const source = "fn twice(n) { n * 2 }\ntwice(21)"
	parts := map[string]string{
		"--tokens": `2:1      identifier   "twice"`,
		"--ast":    "Function 1:1",
		"--code":   "mul_int          r1 r0 2",
	}
	for flag := range parts {
		code, out, errs := execute(t.Context(), source, "dump", flag, "-")
		if code != exitDone {
			t.Fatalf("%s: got %d: %s", flag, code, errs)
		}
		for other, text := range parts {
			if strings.Contains(out, text) != (other == flag) {
				t.Errorf("%s: got\n%s\nwant %q in it only for %s", flag, out, text, other)
			}
		}
	}
	code, out, errs := execute(t.Context(), source, "dump", "-")
	at := []int{strings.Index(out, parts["--tokens"]), strings.Index(out, parts["--ast"]), strings.Index(out, parts["--code"])}
	if code != exitDone || at[0] < 0 || at[1] < at[0] || at[2] < at[1] {
		t.Errorf("got %d, the parts at %v: %s\n%s", code, at, errs, out)
	}
}

// What does not compile shows its tokens, then the error.
func TestDumpOfAnError(t *testing.T) {
	code, out, errs := execute(t.Context(), "let x = ;", "dump", "-")
	if code != exitFailed || !strings.Contains(out, `1:5      identifier   "x"`) || !strings.Contains(errs, "1:9") {
		t.Errorf("got %d, %s\n%s", code, out, errs)
	}
}
