package corpus

import (
	"os"
	"slices"
	"strings"
	"testing"

	"circles/pkg/rhai/internal/lines"
)

// Recording must change nothing but answers.
func TestFilesAreWrittenAsTheyWereRead(t *testing.T) {
	files, err := Load("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file.Path)
		if err != nil {
			t.Fatal(err)
		}
		if file.Text() != string(text) {
			t.Errorf("%s would be written otherwise: record it", file.Path)
		}
	}
}

func TestParse(t *testing.T) {
	const text = `# A heading.

> 1 + 1
--- value i64 2

=== with settings
+++ limit operations 5
+++ option strict_variables
+++ module m
export let x = 1;
+++ script
import "m" as m;
m::x
--- value i64 1

=== quoted
+++ quoted
"a\r\nb"
`
	file, err := Parse("some/topic.rhai", text)
	if err != nil {
		t.Fatal(err)
	}
	if file.Topic() != "topic" || len(file.Chunks) != 3 {
		t.Fatalf("got topic %q and %d chunks, want topic and 3", file.Topic(), len(file.Chunks))
	}
	one, settings, quoted := file.Chunks[0], file.Chunks[1], file.Chunks[2]
	if one.Name != "1 + 1" || one.Ask.Script != "1 + 1" || !slices.Equal(one.Answer, []string{"value i64 2"}) {
		t.Errorf("got %+v", one)
	}
	ask := settings.Ask
	if ask.Script != "import \"m\" as m;\nm::x" || ask.Limits["operations"] != 5 ||
		!slices.Equal(ask.Options, []string{"strict_variables"}) || ask.Modules["m"] != "export let x = 1;" {
		t.Errorf("got %+v", ask)
	}
	if quoted.Ask.Script != "a\r\nb" || quoted.Answer != nil {
		t.Errorf("got %+v", quoted)
	}
	if got := file.Text(); got != text {
		t.Errorf("got\n%s\nwant\n%s", got, text)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"> 1\n> 1\n":                   `x:2: chunk "1" is also at line 1`,
		"> 1\n--- value i64 1\nlost\n": `x:3: got "lost" after an answer`,
		"=== a\n+++ limit n many\n1\n": `limit "n": got "many", want a number`,
		"=== a\n+++ module m\n1\n":     `module "m": want "+++ script"`,
		"=== a\n+++ quoted\n1\n":       "want one Go string literal",
		"=== a\n+++ colour red\n1\n":   `unknown setting "colour"`,
	} {
		_, err := Parse("x", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestLinesAndDifferences(t *testing.T) {
	failed := lines.Answer{
		ErrorKind: "ErrorRuntime", Error: "a\nb ", Line: 1, Column: 2, Stdout: "x\n\n",
		Trace: []lines.Frame{{Kind: "ErrorInFunctionCall", Name: "f", Line: 3, Column: 4}, {Kind: "ErrorInModule", Name: "m"}},
	}
	want := []string{"print x", "print", "error ErrorRuntime 1:2 a␊b␠", "call f 3:4", "module m -"}
	if got := Lines(failed); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []struct {
		recorded, given []string
		differs         bool
	}{
		{[]string{"value i64 1"}, []string{"value i64 1"}, false},
		{[]string{"value i64 1"}, []string{"value i64 2"}, true},
		{[]string{"value i64 1"}, []string{"value i64 1", "scope x i64 1"}, true},
		{[]string{"error ErrorParsing/Reserved 1:1 one"}, []string{"error ErrorParsing/Reserved 1:1 two"}, false},
		{[]string{"error ErrorParsing/Reserved 1:1 one"}, []string{"error ErrorParsing/Reserved 1:2 one"}, true},
		{[]string{"error ErrorTooManyOperations 1:1 x", "call f 1:1"}, []string{"error ErrorTooManyOperations 9:9 x"}, false},
		{[]string{"error ErrorTooManyOperations 1:1 x"}, []string{"value i64 1"}, true},
	} {
		if got := Differences(c.recorded, c.given); (len(got) > 0) != c.differs {
			t.Errorf("%q and %q: got %q", c.recorded, c.given, got)
		}
	}
}
