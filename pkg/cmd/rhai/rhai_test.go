package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func execute(ctx context.Context, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(ctx, args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "script.rhai")
	if err := os.WriteFile(file, []byte("print(\"hello\");\n40 + 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(filepath.Dir(file), "modules")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "m.rhai"), []byte("fn half(x) { 1 / x }"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, stdin    string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"a file", "", []string{"run", file}, exitDone, "hello\n42\n", ""},
		{"standard input", "1 + 1", []string{"run", "-"}, exitDone, "2\n", ""},
		{"no value", "let x = 1;", []string{"run", "-"}, exitDone, "", ""},
		{"a syntax error", "let x = 1;\nlet = 2;", []string{"run", "-"}, exitFailed, "",
			"-:2:5: Syntax error: Expecting name of a variable\n    2 | let = 2;\n      |     ^\n"},
		{"an error in a function", "fn f(x) {\n\tx + y\n}\nf(1)", []string{"run", "-"}, exitFailed, "",
			"-:2:6: Variable not found: y\n    2 | \tx + y\n      | \t    ^\n-:4:1: in the call of f\n"},
		{"modules of a folder", "import \"m\" as m; m::half(1)", []string{"run", "--modules", folder, "-"}, exitDone, "1\n", ""},
		{"an error in a module", "import \"m\" as m;\nm::half(0)", []string{"run", "--modules", folder, "-"}, exitFailed, "",
			"m:1:16: Division by zero: 1 / 0\n-:2:4: in the call of half\n"},
		{"an error in an eval", "let x = 1;\neval(\"x + y\")", []string{"run", "-"}, exitFailed, "",
			"eval:1:5: Variable not found: y\n-:2:6: in the call of eval\n"},
		{"no modules", "import \"m\" as m;", []string{"run", "-"}, exitFailed, "", "Module not found: m"},
		{"no folder", "1", []string{"run", "--modules", "/no/such/folder", "-"}, exitUsage, "", "no such file"},
		{"output before an error", "print(1); throw \"no\"", []string{"run", "-"}, exitFailed, "1\n",
			"-:1:11: Runtime error: no\n    1 | print(1); throw \"no\"\n      |           ^\n"},
		{"too many operations", "loop { }", []string{"run", "--max-operations", "1000", "-"}, exitFailed, "", "Too many operations"},
		{"too long", "loop { }", []string{"run", "--timeout", "20ms", "-"}, exitFailed, "", "Script terminated"},
		{"a missing file", "", []string{"run", "/no/such/file"}, exitUsage, "", "no such file"},
		{"no file", "", []string{"run"}, exitUsage, "", "accepts 1 arg(s), received 0"},
		{"no such command", "", []string{"walk"}, exitUsage, "", "unknown command"},
		{"a script that is right", "let x = 1;", []string{"check", "-"}, exitDone, "", ""},
		{"a script that is wrong", "let x = ;", []string{"check", file, "-"}, exitFailed, "", "-:1:9: "},
		{"an answer", `{"id":7,"script":"let x = 6; print(x); x * 7"}`, []string{"batch"}, exitDone,
			`{"id":7,"ok":true,"type":"i64","value":"42","display":"42","error_kind":"","parse_kind":"","error":"",` +
				`"line":0,"column":0,"trace":[],"stdout":"6\n","scope":[{"name":"x","const":false,"type":"i64","value":"6"}]}` + "\n", ""},
		{"a bad line", "[]", []string{"batch"}, exitDone, `"error_kind":"BadLine"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(t.Context(), c.stdin, c.args...)
			if code != c.code || !says(stdout, c.stdout) || !says(stderr, c.stderr) {
				t.Errorf("got %d\n%s%s\nwant %d\n%s%s", code, stdout, stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
}

// says tells whether a text is the one wanted, or has it as a part when it is no whole line.
func says(text, want string) bool {
	if want == "" || strings.HasSuffix(want, "\n") {
		return text == want
	}
	return strings.Contains(text, want)
}

func TestBatchKeepsTheOrder(t *testing.T) {
	var in strings.Builder
	for range 50 {
		in.WriteString(`{"id":"slow","script":"let n = 0; for i in 0..2000 { n += i; } n"}` + "\n" + `{"id":"quick","script":"1"}` + "\n")
	}
	code, out, errs := execute(t.Context(), in.String(), "batch", "--jobs", "4")
	if code != exitDone {
		t.Fatalf("got %d: %s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 100 {
		t.Fatalf("got %d lines, want 100", len(lines))
	}
	for i, line := range lines {
		want := `{"id":"slow","ok":true,"type":"i64","value":"1999000"`
		if i%2 == 1 {
			want = `{"id":"quick","ok":true,"type":"i64","value":"1"`
		}
		if !strings.HasPrefix(line, want) {
			t.Errorf("line %d: got %s, want %s…", i, line, want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, errs := execute(ctx, "loop { }", "run", "-"); code != exitInterrupted || !strings.Contains(errs, "interrupted") {
		t.Errorf("got %d: %s", code, errs)
	}
}

func TestDump(t *testing.T) {
	code, out, errs := execute(t.Context(), "let x = 1;\nx + 2", "dump", "-")
	if code != exitDone {
		t.Fatalf("got %d: %s", code, errs)
	}
	for _, want := range []string{"1:5      identifier   \"x\"", "Op: \"+\"", "Int 2:5"} {
		if !strings.Contains(out, want) {
			t.Errorf("got\n%s\nwant %q in it", out, want)
		}
	}
}
