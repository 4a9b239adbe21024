package main

import (
	"encoding/json"
	"strings"
	"testing"

	"circles/pkg/rhai"
)

func TestMetadata(t *testing.T) {
	const source = "/// Adds one.\nfn next(n) { n + 1 }\nprivate fn hidden() { }\nfn int.twice() { this * 2 }"
	code, out, errs := execute(t.Context(), source, "metadata", "-")
	var m rhai.Metadata
	if err := json.Unmarshal([]byte(out), &m); code != exitDone || err != nil || len(m.Functions) != 3 {
		t.Fatalf("got %d, %v, %s\n%s", code, err, errs, out)
	}
	if f := m.Functions[0]; f.Name != "next" || f.Signature != "next(n)" || f.Doc[0] != "/// Adds one." || f.Kind != "script" {
		t.Errorf("got %+v", f)
	}
	code, out, _ = execute(t.Context(), source, "definitions", "-")
	if want := "module static;\n\n/// Adds one.\nfn next(n) -> ?;\n\nfn int.twice() -> ?;\n"; code != exitDone || out != want {
		t.Errorf("got %d\n%s\nwant\n%s", code, out, want)
	}
	if code, _, errs = execute(t.Context(), "let = ", "metadata", "-"); code != exitFailed || !strings.Contains(errs, "1:5") {
		t.Errorf("got %d, %s", code, errs)
	}
	code, out, _ = execute(t.Context(), "", "definitions")
	for _, want := range []string{"\nfn push(_: Array, _: ?)", "\nfn sub_string(_: String, _: int, _: int)", "\nfn get name(_: FnPtr)"} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("got %d, want %q in the standard library's definitions", code, want)
		}
	}
	if code, out, _ = execute(t.Context(), "", "metadata"); code != exitDone || json.Unmarshal([]byte(out), &m) != nil || len(m.Functions) < 300 {
		t.Errorf("got %d and %d functions", code, len(m.Functions))
	}
}
