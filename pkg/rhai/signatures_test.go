package rhai_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"circles/pkg/rhai/internal/corpus"
	"circles/pkg/rhai/internal/lib"
	"circles/pkg/rhai/value"
)

// absent are functions of the reference that the standard library lacks on purpose.
var absent = map[string]string{
	"sleep":     "waiting is for the host to grant",
	"exit":      "the machine's",
	"is_shared": "the machine's",
	"tag":       "values have no tags",
	"set_tag":   "values have no tags",
	"get$tag":   "values have no tags",
	"set$tag":   "values have no tags",
}

// builtIn are functions of the reference that are no part of its packages.
var builtIn = []string{"type_of", "Fn", "curry", "is_def_fn"}

// TestSignatures looks for every function of the reference's standard packages in the standard library: an overload
// whose parameters take what the reference's take; and it looks for functions that the reference lacks. Operators are the machine's: the corpus has them all.
func TestSignatures(t *testing.T) {
	text, err := os.ReadFile("testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	registry := lib.Standard()
	overloads := map[string][][]string{}
	for f := range registry.All() {
		types := make([]string, len(f.Params))
		for i, p := range f.Params {
			types[i] = registry.TypeName(p)
			if p == value.TypeString {
				types[i] = "string"
			}
		}
		overloads[f.Name] = append(overloads[f.Name], types)
	}
	known := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		name, rest, _ := strings.Cut(line, "(")
		known[name] = true
		if !unicode.IsLetter(rune(name[0])) || absent[name] != "" {
			continue
		}
		var params []string
		if rest = strings.TrimSuffix(rest, ")"); rest != "" {
			params = strings.Split(rest, ", ")
		}
		found := slices.ContainsFunc(overloads[name], func(types []string) bool {
			return slices.EqualFunc(types, params, func(ours, theirs string) bool {
				return ours == theirs || ours == "?" || theirs == "_"
			})
		})
		if !found {
			t.Errorf("%s is missing", line)
		}
	}
	for name := range overloads {
		if !known[name] && !slices.Contains(builtIn, name) {
			t.Errorf("%s is no function of the reference", name)
		}
	}
}

// TestCorpusHasTheLibrary looks for every function of the reference's standard packages in the scripts of the corpus.
func TestCorpusHasTheLibrary(t *testing.T) {
	text, err := os.ReadFile("testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	files, err := corpus.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, file := range files {
		for _, chunk := range file.Chunks {
			for _, word := range strings.FieldsFunc(chunk.Ask.Script, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				words[word] = true
			}
		}
	}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, "(")
		if unicode.IsLetter(rune(name[0])) && !strings.Contains(name, "$") && !words[name] {
			t.Errorf("no chunk has %s", name)
		}
	}
}
