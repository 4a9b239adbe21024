// Command differ makes scripts at random, runs each with the engine and with the reference implementation, and prints
// those on which the two differ, made as short as they can be. It needs cargo; run it in the folder of the module.
//
//	go run ./rhai/internal/differ -n 100000 -seed 1
//
// Half of the scripts come from a grammar of the language, some of them with an error put in; the others are made of
// the corpus's. A script that it prints belongs into the corpus, once it is understood.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"circles/pkg/rhai/batch"
)

func main() {
	count := flag.Int("n", 10000, "how many scripts")
	seed := flag.Uint64("seed", 1, "where the random numbers start")
	most := flag.Int("most", 20, "stop after this many differences")
	limit := flag.Duration("for", 0, "stop after this long")
	show := flag.Bool("show", false, "print the scripts and compare nothing")
	flag.Parse()
	r := &run{count: *count, seed: *seed, most: *most, out: os.Stdout, seen: map[string]int{}}
	if *limit > 0 {
		r.deadline = time.Now().Add(*limit)
	}
	err := r.all(*show)
	if err != nil {
		fmt.Fprintln(os.Stderr, "differ:", err)
		os.Exit(2)
	}
	if r.differences > 0 {
		os.Exit(1)
	}
}

// batchSize is how many scripts are under way at once.
const batchSize = 200

// run is one run of the command.
type run struct {
	count    int
	seed     uint64
	most     int
	deadline time.Time
	out      io.Writer

	compared    int
	differences int
	seen        map[string]int // differences that look the same, by their looks
}

// alike is how many differences that look the same are printed.
const alike = 2

func (r *run) all(show bool) (err error) {
	makers, err := newMakers()
	if err != nil {
		return err
	}
	question := func(i int) batch.Question { return makers.question(rand.New(rand.NewPCG(r.seed, uint64(i)))) }
	if show {
		for i := range r.count {
			fmt.Fprintf(r.out, "=== script %d\n%s\n", i, question(i).Script)
		}
		return nil
	}
	c, err := newComparer()
	if err != nil {
		return err
	}
	defer func() {
		if stopped := c.oracle.stop(); err == nil {
			err = stopped
		}
	}()
	for from := 0; from < r.count && r.differences < r.most; from += batchSize {
		if !r.deadline.IsZero() && time.Now().After(r.deadline) {
			break
		}
		questions := make([]batch.Question, min(batchSize, r.count-from))
		for i := range questions {
			questions[i] = question(from + i)
		}
		results, err := c.compare(questions)
		if err != nil {
			return err
		}
		for i, found := range results {
			if err := r.report(c, from+i, questions[i], found); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(r.out, "%d differences among %d scripts compared; not compared: %s\n", r.differences, r.compared, c.skipped())
	return nil
}

// report counts a script, and prints how it differs unless much the same has been printed.
func (r *run) report(c *comparer, number int, q batch.Question, found difference) error {
	if found.skipped {
		return nil
	}
	r.compared++
	if len(found.lines) == 0 || r.differences == r.most {
		return nil
	}
	if r.seen[found.looks()]++; r.seen[found.looks()] > alike {
		return nil
	}
	q, found, err := c.shorten(q, found)
	if err != nil {
		return err
	}
	r.differences++
	_, err = fmt.Fprintf(r.out, "=== seed %d, script %d\n%s\n%s\n\n", r.seed, number, q.Script, strings.Join(found.lines, "\n"))
	return err
}
