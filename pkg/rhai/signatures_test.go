package rhai_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"circles/pkg/rhai"
	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
	"circles/pkg/rhai/internal/lib"
	"circles/pkg/rhai/value"
)

// absent are functions of the reference's packages that the standard library lacks on purpose.
var absent = map[string]string{
	"sleep": "waiting is for the host to grant",
}

// builtIn are functions of the reference that are no part of its packages.
var builtIn = []string{"type_of", "Fn", "curry", "is_def_fn"}

// signature is a function with the types of its parameters. "?" stands for any type, "_" for one of the reference's that
// scripts have not.
type signature struct {
	name   string
	params []string
}

func (s signature) String() string { return s.name + "(" + strings.Join(s.params, ", ") + ")" }

// recorded are the functions of the reference's standard packages. Operators are left out: they are the machine's, and
// the corpus has them all.
func recorded(t *testing.T) (list []signature) {
	t.Helper()
	text, err := os.ReadFile("testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		name, rest, _ := strings.Cut(line, "(")
		s := signature{name: name}
		if rest = strings.TrimSuffix(rest, ")"); rest != "" {
			s.params = strings.Split(rest, ", ")
		}
		if unicode.IsLetter(rune(name[0])) && absent[name] == "" {
			list = append(list, s)
		}
	}
	return list
}

// TestSignatures compares the standard library with the reference's standard packages: every function of theirs has an
// overload whose parameters take what theirs take, and every overload has a function of theirs that takes what it takes.
func TestSignatures(t *testing.T) {
	registry := lib.Standard()
	var ours []signature
	for f := range registry.All() {
		s := signature{name: f.Name}
		for _, p := range f.Params {
			name := registry.TypeName(p)
			if p == value.TypeString {
				name = "string"
			}
			s.params = append(s.params, name)
		}
		if unicode.IsLetter(rune(f.Name[0])) && !slices.Contains(builtIn, f.Name) {
			ours = append(ours, s)
		}
	}
	theirs := recorded(t)
	for _, want := range theirs {
		if !slices.ContainsFunc(ours, func(have signature) bool { return want.takenBy(have, true) }) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, have := range ours {
		if !slices.ContainsFunc(theirs, func(known signature) bool { return have.takenBy(known, false) }) {
			t.Errorf("%s is no function of the reference", have)
		}
	}
}

// takenBy tells whether another function takes whatever this one takes. lenient: "_" is taken by any type.
func (s signature) takenBy(other signature, lenient bool) bool {
	return s.name == other.name && slices.EqualFunc(s.params, other.params, func(mine, its string) bool {
		return mine == its || its == "?" || its == "_" || lenient && mine == "_"
	})
}

// A use is what the corpus has called a function with.
type use struct {
	empty    bool // a container without anything in it
	negative []bool
	beyond   []bool // by parameter: an int larger than the container, or the number of bits
}

// TestCorpusHasTheLibrary runs the corpus and looks for every function of the reference's standard packages, by the types
// of its parameters: called, called on something empty, and with ints below zero and beyond the end. Each name must also
// have been called with types that it does not take.
func TestCorpusHasTheLibrary(t *testing.T) {
	files, err := corpus.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]*use{}
	called := map[string][]signature{} // by name
	watch := func(r *rhai.Registry) {
		for known := range lib.Standard().All() {
			f, native := *known, known.Native
			f.Native = func(c value.Context, args []value.Value) (value.Value, error) {
				s := signature{name: f.Name}
				for _, a := range args {
					s.params = append(s.params, a.Flat().TypeName())
				}
				mu.Lock()
				u := seen[s.String()]
				if u == nil {
					u = &use{negative: make([]bool, len(args)), beyond: make([]bool, len(args))}
					seen[s.String()] = u
					called[f.Name] = append(called[f.Name], s)
				}
				u.note(args)
				mu.Unlock()
				return native(c, args)
			}
			r.Add(f)
		}
	}
	refused := map[string]bool{}
	runner := batch.NewRunner(10*time.Second, rhai.With(watch))
	for _, file := range files {
		for _, chunk := range file.Chunks {
			runner.Answer(t.Context(), chunk.Ask)
			for _, answer := range chunk.Answer {
				if _, rest, ok := strings.Cut(answer, "Function not found: "); ok {
					name, _, _ := strings.Cut(rest, " (")
					refused[name] = true
				}
			}
		}
	}
	theirs := recorded(t)
	for _, s := range theirs {
		if len(s.params) > 0 && (s.params[0] == "?" || s.params[0] == "_") {
			refused[s.name] = true // there are no other types
		}
	}
	for _, want := range theirs {
		var all use
		all.negative, all.beyond = make([]bool, len(want.params)), make([]bool, len(want.params))
		found := false
		for _, have := range called[want.name] {
			if have.takenBy(want, false) {
				found = true
				all.add(seen[have.String()])
			}
		}
		if !found {
			t.Errorf("no chunk calls %s", want)
			continue
		}
		property := strings.Contains(want.name, "$")
		if len(want.params) == 0 || property {
			continue
		}
		if !refused[want.name] {
			t.Errorf("no chunk calls %s with other types", want.name)
		}
		switch want.params[0] {
		case "array", "blob", "map", "string":
			if !all.empty {
				t.Errorf("no chunk calls %s on something empty", want)
			}
		case "i64":
		default:
			continue
		}
		for i, p := range want.params {
			if p == "i64" && i > 0 && !all.negative[i] {
				t.Errorf("no chunk calls %s with argument %d below zero", want, i)
			}
			if p == "i64" && i > 0 && !all.beyond[i] {
				t.Errorf("no chunk calls %s with argument %d beyond the end", want, i)
			}
		}
	}
}

func (u *use) note(args []value.Value) {
	if len(args) == 0 {
		return
	}
	size := 64
	switch v := args[0].Flat(); v.Kind() {
	case value.KindArray:
		size = len(v.Array().Items)
	case value.KindBlob:
		size = len(v.Blob().Bytes)
	case value.KindMap:
		size = v.Map().Len()
	case value.KindString:
		size = v.Str().Chars()
	}
	u.empty = u.empty || size == 0
	for i, a := range args {
		if a.IsInt() && i > 0 {
			u.negative[i] = u.negative[i] || a.Int() < 0
			u.beyond[i] = u.beyond[i] || a.Int() > int64(size)
		}
	}
}

func (u *use) add(other *use) {
	u.empty = u.empty || other.empty
	for i := range u.negative {
		u.negative[i] = u.negative[i] || other.negative[i]
		u.beyond[i] = u.beyond[i] || other.beyond[i]
	}
}
