package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"circles/pkg/rhai"
)

// explain reports a script's error as file:line:column, with the line and a caret below its place where that is in the
// script itself, and the calls that it came through. It returns errFailed.
func explain(w io.Writer, name, source string, err error) error {
	var e *rhai.Error
	if !errors.As(err, &e) {
		fmt.Fprintf(w, "%s: %v\n", name, err)
		return errFailed
	}
	where := origin(e, 0, name)
	if !e.Pos.IsValid() {
		fmt.Fprintf(w, "%s: %s\n", where, e.Message)
	} else {
		line, column := int(e.Pos.Line), max(int(e.Pos.Column), 1)
		fmt.Fprintf(w, "%s:%d:%d: %s\n", where, line, column, e.Message)
		if text, ok := lineOf(source, line); ok && where == name {
			number := fmt.Sprintf("%5d", line)
			fmt.Fprintf(w, "%s | %s\n", number, text)
			fmt.Fprintf(w, "%s | %s^\n", strings.Repeat(" ", len(number)), indent(text, column-1))
		}
	}
	for i, frame := range e.Trace {
		what := "in the call of"
		if frame.Module {
			what = "in the module"
		}
		fmt.Fprintf(w, "%s:%d:%d: %s %s\n", origin(e, i+1, name), frame.Pos.Line, frame.Pos.Column, what, frame.Function)
	}
	return errFailed
}

// origin is what the place of an error, for n zero, or of the nth call that it came through is in: a module, the text of
// an eval, or the script of the name.
func origin(e *rhai.Error, n int, name string) string {
	if n == len(e.Trace) {
		return name
	}
	switch frame := e.Trace[n]; {
	case frame.Module:
		return frame.Function
	case frame.Function == "eval":
		return "eval"
	case frame.Source != "":
		return frame.Source
	}
	return name
}

// lineOf is a line of the source, counted from 1.
func lineOf(source string, n int) (string, bool) {
	lines := strings.Split(source, "\n")
	if n > len(lines) {
		return "", false
	}
	return strings.TrimRight(lines[n-1], "\r"), true
}

// indent is the blank text as wide as the first n characters of a line: its tabs stay tabs.
func indent(line string, n int) string {
	var b strings.Builder
	for _, r := range line {
		if b.Len() == n { // every character has given one byte
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString(strings.Repeat(" ", n-b.Len()))
	return b.String()
}
