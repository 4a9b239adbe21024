package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
)

// difference is what the comparison of a script has found.
type difference struct {
	lines   []string // how the answers differ; none where they are the same
	skipped bool     // there was nothing to compare
}

// looks is what differences of the same cause have in common most of the time: the kinds of the answers.
func (d difference) looks() string {
	var out []string
	for _, line := range strings.Split(d.lines[0], "\n") {
		words := strings.Fields(line)
		out = append(out, words[:min(3, len(words))]...)
	}
	return strings.Join(out, " ")
}

// comparer runs scripts with both.
type comparer struct {
	oracle *oracle
	engine *batch.Runner
	reason map[string]int // how many scripts were left out, by why
}

func newComparer() (*comparer, error) {
	oracle, err := startOracle()
	return &comparer{oracle, batch.NewRunner(10 * time.Second), map[string]int{}}, err
}

// maxOperations bounds a script. What counts as an operation is each engine's own, so that one that gets there is not
// compared.
const maxOperations = 100_000

// compare runs the scripts with both at once, and tells how each differs.
func (c *comparer) compare(questions []batch.Question) ([]difference, error) {
	for i := range questions {
		questions[i].Limits = map[string]int{"operations": maxOperations}
	}
	asked := make(chan error, 1)
	go func() { asked <- c.oracle.ask(questions) }() // ends with the last question, before compare does
	given := make([]batch.Answer, len(questions))
	for i, q := range questions {
		q.Limits = map[string]int{"operations": 10 * maxOperations}
		given[i] = c.engine.Answer(context.Background(), q)
	}
	out := make([]difference, len(questions))
	for i := range questions {
		want, err := c.oracle.answer()
		if err != nil {
			return nil, err
		}
		if why := incomparable(questions[i].Script, want, given[i]); why != "" {
			c.reason[why]++
			out[i].skipped = true
			continue
		}
		out[i].lines = corpus.Differences(corpus.Lines(want), corpus.Lines(given[i]))
		if why := erratic(questions[i].Script, want, given[i]); why != "" && len(out[i].lines) > 0 {
			c.reason[why]++
			out[i] = difference{skipped: true}
			continue
		}
		if len(out[i].lines) > 0 && c.named(questions[i], given[i]) {
			c.reason["names of closures"]++
			out[i] = difference{skipped: true}
		}
	}
	return out, <-asked
}

// named tells whether what a script does depends on the names that closures are given, each time others: whether it does
// something else a line further down, where they have other names.
func (c *comparer) named(q batch.Question, given batch.Answer) bool {
	if !strings.Contains(q.Script, "|") {
		return false
	}
	before := corpus.Lines(given)
	for range moves {
		q.Script = "\n" + q.Script
		after := corpus.Lines(c.engine.Answer(context.Background(), q))
		if !slices.EqualFunc(before, after, func(a, b string) bool {
			return place.ReplaceAllString(a, "") == place.ReplaceAllString(b, "")
		}) {
			return true
		}
	}
	return false
}

// moves is how often a script is moved: whether one character is in a name changes in about half of all moves.
// character in half of them.
const moves = 64

// place is what moves with a script.
var place = regexp.MustCompile(` \d+:\d+|"line": \d+|\(line \d+`)

// erratic tells what of a script may make the answers differ with neither being wrong; empty when there is nothing.
func erratic(script string, want, given batch.Answer) string {
	switch {
	case strings.Contains(script, "get_fn_metadata_list"):
		return "the order of functions" // by hash
	case strings.Contains(script, "blob") && strings.Contains(script, "for "):
		return "bytes"
	case strings.Contains(script, "blob") && bit.MatchString(script):
		return "bits of bytes" // what the reference writes to a bit of a blob's byte is lost
	case defining.MatchString(script):
		return "variables of cases" // behind a case that defines one, the reference reads other variables than are named
	case strings.Contains(given.Stdout+given.Error, "Stack overflow") && compares.MatchString(script):
		return "depth" // the reference's sorts go on after one
	case tagging.MatchString(script) && slices.Equal(without(integer, want), without(integer, given)):
		return "tags of texts" // the reference's let, and its assignment of an element, lose the tag of a text, and of nothing else
	case strings.Contains(want.Error+want.Stdout, "for type '()'") && slices.Equal(without(setter, want), without(setter, given)):
		return "types of copies" // the reference's getter takes the copy that the setter of a compound assignment is missed for
	case strings.Contains(script, ".pad(") && shortened(given) > shortened(want):
		return "long messages" // ours end at a bound, the reference's name what is not found in full
	case strings.Contains(script, "write_") && slices.Equal(without(noNumber, given), without(noNumber, want)):
		return "signs of NaN" // that of one differs from processor to processor, and is seen where its bytes are
	case (strings.Contains(script, "**") || strings.Contains(script, "tan")) && sameButLastDigits(given, want):
		return "last digits" // the reference's powers and tangents are not always the nearest float
	case readsNamesake(script):
		return "entries of modules" // of `m::a.x`, the reference reads the script's own constant map `a`
	case strings.Contains(want.Stdout+want.Error, "alloc::rc::Rc<"):
		return "types of shared values" // what the reference calls a variable's cell in an error is Rust's name for it
	case sorts.MatchString(script) && letters(want) == letters(given) && unordered(want, given):
		return "orders" // what a comparator says nothing about, the reference sorts by a number of the type; long lists its own way
	}
	return ""
}

// bit is an assignment to an element of an element, sorts and compares a call that a comparator is passed to, and defining
// a case that is a definition.
var (
	bit      = regexp.MustCompile(`\]\??\[[^\]]*\]\s*(\*\*|<<|>>|[-+*/%&|^])?=[^=]`)
	defining = regexp.MustCompile(`=>\s*(let|const)\b`)
	compares = regexp.MustCompile(`\b(sort|sort_by|order|order_by|dedup)\b`)
	sorts    = regexp.MustCompile(`\b(sort|sort_by|order|order_by)\([^)]`)
)

// readsNamesake tells whether a script reads an entry of a module's variable whose name a constant map of its own has.
func readsNamesake(script string) bool {
	return slices.ContainsFunc(entries.FindAllStringSubmatch(script, -1), func(found []string) bool {
		return regexp.MustCompile(`\bconst\s+` + found[1] + `\s*=\s*#\{`).MatchString(script)
	})
}

// entries are those of modules' variables that are read.
var entries = regexp.MustCompile(`::\s*(\w+)\s*\??[.\[]`)

// shortened is how many texts in an answer end as a message does that is too long.
func shortened(a batch.Answer) int { return strings.Count(strings.Join(corpus.Lines(a), "\n"), `..."`) }

// without is an answer with all that matches the same.
func without(pattern *regexp.Regexp, a batch.Answer) []string {
	lines := corpus.Lines(a)
	for i := range lines {
		lines[i] = pattern.ReplaceAllString(lines[i], "…")
	}
	return lines
}

// tagging is what sets a tag, integer what a tag is, and setter what is told of one that there is not.
var (
	tagging = regexp.MustCompile(`\btag\b.*=|set_tag`)
	integer = regexp.MustCompile(`-?\d+`)
	setter  = regexp.MustCompile(`setter is not registered for type '[^']*'`) // that is missed
)

// noNumber begins the bytes of what is no number, or ends them.
var noNumber = regexp.MustCompile("[7f]ff8|f8[7f]f")

// sameButLastDigits tells whether answers differ in nothing but floats that are each other's neighbours.
func sameButLastDigits(a, b batch.Answer) bool {
	one, other := strings.Join(corpus.Lines(a), "\n"), strings.Join(corpus.Lines(b), "\n")
	floats, others := decimal.FindAllString(one, -1), decimal.FindAllString(other, -1)
	if len(floats) != len(others) || decimal.ReplaceAllString(one, "") != decimal.ReplaceAllString(other, "") {
		return false
	}
	for i := range floats {
		x, _ := strconv.ParseFloat(floats[i], 64)
		y, _ := strconv.ParseFloat(others[i], 64)
		if x != y && math.Nextafter(x, y) != y {
			return false
		}
	}
	return true
}

// decimal is a float as a script's answer has it.
var decimal = regexp.MustCompile(`\d+\.\d+(e-?\d+)?`)

// unordered tells whether the lines in which answers differ show items of several types, or more items than are sorted by
// insertion.
func unordered(a, b batch.Answer) bool {
	one, other := corpus.Lines(a), corpus.Lines(b)
	var shown strings.Builder
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			shown.WriteString(one[i])
		}
	}
	types := 0
	for _, item := range items {
		if item.MatchString(shown.String()) {
			types++
		}
	}
	return types > 1 || strings.Count(shown.String(), ",") >= 20
}

// items tell the types of what a line shows by how they look.
var items = []*regexp.Regexp{
	regexp.MustCompile(`[[ ]-?\d+[],]`), regexp.MustCompile(`\d\.\d`), regexp.MustCompile(`"`), regexp.MustCompile(`\[\[|, \[`),
	regexp.MustCompile(`#\{`), regexp.MustCompile(`\(\)`), regexp.MustCompile(`true|false`), regexp.MustCompile(`Fn`),
	regexp.MustCompile(`[[ ].[],]`), regexp.MustCompile(`\d\.\.`), regexp.MustCompile(`range`),
}

// letters is what is in an answer, in no order. Digits are left out: scripts count how often a comparator was called.
func letters(a batch.Answer) string {
	all := []rune(strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, strings.Join(corpus.Lines(a), "")))
	slices.Sort(all)
	return string(all)
}

// incomparable tells why the answers to a script say nothing; empty when they do.
func incomparable(script string, want, given batch.Answer) string {
	switch want.ErrorKind {
	case batch.KindTimeout, "Crash", "Panic":
		return "the reference dies or hangs"
	case "ErrorTooManyOperations":
		return "too many operations"
	}
	switch given.ErrorKind {
	case "ErrorTooManyOperations":
		return "too many operations"
	case "ErrorDataTooLarge":
		return "too much data" // the reference has no limit by default, and none on all memory
	}
	if strings.Contains(want.Error+want.Stdout, "u8") {
		return "bytes" // the items of a blob in a for are of a type that no script can use; ours are ints
	}
	if strings.Contains(script, "timestamp") || strings.Contains(script, "elapsed") || strings.Contains(script, "sleep") {
		return "time" // it is never the same, and to sleep is the host's to grant
	}
	return ""
}

// skipped lists how many scripts were left out and why.
func (c *comparer) skipped() string {
	var out []string
	for why, n := range c.reason {
		out = append(out, fmt.Sprintf("%d: %s", n, why))
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
