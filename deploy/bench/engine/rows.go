package main

import (
	"embed"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed programs
var programs embed.FS

// task is what is measured of a program.
type task string

const (
	taskRun     task = "run"     // a program that is compiled already
	taskCompile task = "compile" // source to what can be run
	taskEval    task = "eval"    // both
	taskStart   task = "start"   // an engine without a program
)

// row is one line of the table.
type row struct {
	name    string
	program string // the file in programs, without its ending
	task    task
	copies  int // how many numbered copies of the program the source is
}

// rows are the lines whose names match a pattern.
func rows(pattern *regexp.Regexp) []row {
	all := []row{
		{name: "Fibonacci", program: "fibonacci", task: taskRun},
		{name: "counting loop", program: "counting_loop", task: taskRun},
		{name: "primes", program: "primes", task: taskRun},
		{name: "matrix", program: "matrix", task: taskRun},
		{name: "nested arrays", program: "nested_arrays", task: taskRun},
		{name: "map updates", program: "maps", task: taskRun},
		{name: "string building", program: "strings", task: taskRun},
		{name: "closure pipeline", program: "pipeline", task: taskRun},
		{name: "calls", program: "calls", task: taskRun},
		{name: "properties", program: "properties", task: taskRun},
		{name: "methods", program: "methods", task: taskRun},
		{name: "switch", program: "switch", task: taskRun},
		{name: "sort", program: "sort", task: taskRun},
		{name: "JSON", program: "json", task: taskRun},
		{name: "run `40 + 2`", program: "tiny", task: taskRun},
		{name: "run `let x = 40; x + 2`", program: "tiny_variable", task: taskRun},
		{name: "compile and run `40 + 2`", program: "tiny", task: taskEval},
		{name: "compile and run `let x = 40; x + 2`", program: "tiny_variable", task: taskEval},
		{name: "compile a large source", program: "large", task: taskCompile, copies: 500},
		{name: "start an engine", task: taskStart},
	}
	var list []row
	for _, r := range all {
		if pattern.MatchString(r.name) {
			list = append(list, r)
		}
	}
	return list
}

// workload tells whether the row is a program that does some work, and not one of the small cases.
func (r row) workload() bool { return r.task == taskRun && !strings.HasPrefix(r.name, "run ") }

// source is the row's program in a language; ok is false where the language has no equivalent.
func (r row) source(ending string) (string, bool) {
	if r.program == "" {
		return "", true
	}
	text, err := programs.ReadFile("programs/" + r.program + ending)
	if err != nil {
		return "", false
	}
	if r.copies == 0 {
		return strings.TrimSpace(string(text)), true
	}
	var b strings.Builder
	for i := range r.copies {
		b.WriteString(strings.ReplaceAll(string(text), "@", strconv.Itoa(i)))
	}
	return b.String(), true
}

// engine is a column of the table.
type engine interface {
	name() string
	// ending is that of the files of its language.
	ending() string
	// prepare does everything of a row that is not measured. A nil job says that the engine can't do it.
	prepare(r row, source string) (job, error)
}

// job does a row's task a number of times, and gives what all of them took and the last result.
type job func(times int) (time.Duration, string, error)

// each is the job of doing something over and over.
func each(f func() error, result func() string) job {
	return func(times int) (time.Duration, string, error) {
		start := time.Now()
		for range times {
			if err := f(); err != nil {
				return 0, "", err
			}
		}
		took := time.Since(start)
		return took, result(), nil
	}
}

func noResult() string { return "" }
