// Command differ makes scripts at random, runs each with the engine and with the reference implementation, and prints
// those on which the two differ, made as short as they can be. It needs cargo; run it in the folder of the module.
//
//	go run ./rhai/internal/differ -n 10000 -seed 1
//
// A script that it prints belongs into the corpus, once it is understood.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
)

func main() {
	count := flag.Int("n", 10000, "how many scripts")
	seed := flag.Uint64("seed", 1, "where the random numbers start")
	most := flag.Int("most", 20, "stop after this many differences")
	flag.Parse()
	differences, err := run(*count, *seed, *most, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "differ:", err)
		os.Exit(2)
	}
	if differences > 0 {
		os.Exit(1)
	}
}

func run(count int, seed uint64, most int, out io.Writer) (differences int, err error) {
	oracle, err := startOracle()
	if err != nil {
		return 0, err
	}
	defer func() {
		if stopped := oracle.stop(); err == nil {
			err = stopped
		}
	}()
	engine := batch.NewRunner(5 * time.Second)
	seen := map[string]bool{}
	for i := range count {
		source := script(rand.New(rand.NewPCG(seed, uint64(i))))
		found, err := compare(engine, oracle, source)
		if err != nil {
			return differences, err
		}
		if len(found) == 0 {
			continue
		}
		source, found = shorten(engine, oracle, source, found)
		if seen[found[0]] {
			continue // another script with the same difference
		}
		seen[found[0]] = true
		differences++
		fmt.Fprintf(out, "=== seed %d, script %d\n%s\n%s\n\n", seed, i, source, strings.Join(found, "\n"))
		if differences == most {
			break
		}
	}
	fmt.Fprintf(out, "%d differences among %d scripts\n", differences, count)
	return differences, nil
}

// compare tells the differences in words; none where the reference has no answer to give.
func compare(engine *batch.Runner, oracle *oracle, source string) ([]string, error) {
	want, err := oracle.answer(source)
	if err != nil {
		return nil, err
	}
	switch want.ErrorKind {
	case batch.KindTimeout, "Crash", "Panic":
		return nil, nil
	}
	got := engine.Answer(context.Background(), batch.Question{Script: source})
	return corpus.Differences(corpus.Lines(want), corpus.Lines(got)), nil
}

// shorten takes lines off a script for as long as it still makes a difference.
func shorten(engine *batch.Runner, oracle *oracle, source string, found []string) (string, []string) {
	lines := strings.Split(source, "\n")
	for i := 0; i < len(lines); {
		fewer := append(append([]string(nil), lines[:i]...), lines[i+1:]...)
		still, err := compare(engine, oracle, strings.Join(fewer, "\n"))
		if err != nil || len(still) == 0 {
			i++
			continue
		}
		lines, found = fewer, still
	}
	return strings.Join(lines, "\n"), found
}

// oracle is the reference as a running program.
type oracle struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startOracle() (*oracle, error) {
	manifest := filepath.Join("rhai", "testdata", "oracle", "Cargo.toml")
	o := &oracle{process: exec.Command("cargo", "run", "--release", "--quiet", "--locked", "--manifest-path", manifest)}
	o.process.Stderr = os.Stderr
	var err error
	if o.in, err = o.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewReader(out)
	if err := o.process.Start(); err != nil {
		return nil, fmt.Errorf("start the oracle: %w", err)
	}
	return o, nil
}

func (o *oracle) answer(source string) (a batch.Answer, err error) {
	if err := json.NewEncoder(o.in).Encode(batch.Question{Script: source}); err != nil {
		return a, fmt.Errorf("ask the oracle: %w", err)
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the oracle gave no answer: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("the oracle answered %q: %w", line, err)
	}
	return a, nil
}

func (o *oracle) stop() error {
	if err := o.in.Close(); err != nil {
		return err
	}
	return o.process.Wait()
}
