package main

import (
	"fmt"
	"strings"
)

// A table is what was measured, in the form of Markdown.
type table struct{ rows [][4]string }

// head begins a part of the table.
func (t *table) head(what string) { t.rows = append(t.rows, [4]string{"**" + what + "**"}) }

// add adds a figure, what it is of something else, its target, and whether it is met.
func (t *table) add(what, figure, target string, met *bool) {
	verdict := ""
	if met != nil {
		verdict = "missed"
		if *met {
			verdict = "met"
		}
	}
	t.rows = append(t.rows, [4]string{what, figure, target, verdict})
}

func (t *table) atMost(what string, got, most float64) {
	met := got <= most
	t.add(what, figure(got), "at most "+figure(most), &met)
}

func (t *table) atLeast(what string, got, least float64) {
	met := got >= least
	t.add(what, figure(got), "at least "+figure(least), &met)
}

func figure(v float64) string {
	if v >= 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (t *table) String() string {
	var out strings.Builder
	out.WriteString("| what | measured | of it, or target | |\n| --- | --- | --- | --- |\n")
	for _, row := range t.rows {
		fmt.Fprintf(&out, "| %s |\n", strings.Join(row[:], " | "))
	}
	return out.String()
}
