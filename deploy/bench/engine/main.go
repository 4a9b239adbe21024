// Command engine compares script engines: ours, the reference's two machines, gopher-lua, goja and starlark-go. They run
// equivalent programs, compiled beforehand where a row does not say otherwise, in turns: each round has every engine
// once, so that what else the machine does falls on all of them alike. Ours runs with its limits and can be cancelled.
//
// `make bench-engine` builds the reference and writes the table to pkg/rhai/BENCHMARKS.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	rounds := flag.Int("rounds", 11, "how often each engine does each row")
	only := flag.String("rows", "", "a regular expression for the names of the rows to measure; all without it")
	reference := flag.String("reference", "", "the program built from reference/; without it the reference is left out")
	out := flag.String("o", "", "the file to write the table to; standard output without it")
	flag.Parse()
	if err := run(*rounds, *only, *reference, *out); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

func run(rounds int, only, reference, out string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	engines := []engine{newCircles(ctx), newLua(), newGoja(), newStarlark(), floor{}}
	if reference != "" {
		ref, err := startReference(reference)
		if err != nil {
			return err
		}
		defer ref.close()
		engines = append(engines, evaluator{ref}, bytecode{ref})
	}
	table, err := measure(engines, rows(pattern), rounds, func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err != nil {
		return err
	}
	if table.memory, err = memory(reference); err != nil {
		return err
	}
	text := report(table, rounds)
	if out == "" {
		_, err = os.Stdout.WriteString(text)
		return err
	}
	return os.WriteFile(out, []byte(text), 0o644)
}
