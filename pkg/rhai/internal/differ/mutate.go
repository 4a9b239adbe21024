package main

import (
	"math/rand/v2"
	"slices"
	"strings"

	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
)

// makers makes scripts in several ways.
type makers struct {
	corpus  []batch.Question
	library []signature
}

func newMakers() (*makers, error) {
	m := &makers{}
	files, err := corpus.Load("rhai/testdata")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		for _, chunk := range file.Chunks {
			if q := chunk.Ask; len(q.Limits)+len(q.Options) == 0 && chunk.Differs == "" && len(q.Script) < 2000 {
				m.corpus = append(m.corpus, q)
			}
		}
	}
	m.library, err = loadLibrary("rhai/testdata/signatures.txt")
	return m, err
}

// question makes one script.
func (m *makers) question(r *rand.Rand) batch.Question {
	switch n := r.IntN(20); {
	case n < 10:
		return m.grammar(r)
	case n < 12:
		q := m.grammar(r)
		q.Script = mutate(r, q.Script, q.Script)
		return q
	case n < 16:
		q := m.corpus[r.IntN(len(m.corpus))]
		q.Script = mutate(r, q.Script, m.corpus[r.IntN(len(m.corpus))].Script)
		return q
	}
	q := m.corpus[r.IntN(len(m.corpus))]
	q.Script = splice(r, q.Script, m.corpus[r.IntN(len(m.corpus))].Script)
	return q
}

func (m *makers) grammar(r *rand.Rand) batch.Question {
	g := &generator{Rand: r, library: m.library}
	return g.question()
}

// stray are pieces that are put where they may not belong.
var stray = strings.Fields("( ) [ ] { } #{ , ; : :: . .. ..= ... => = == ! != !in < <= > >= + - * / % ** & && | || ^ << >> ?? ?. ?[ += -= " +
	"let const fn if else while loop do until for in switch case break continue return throw try catch import export as " +
	"private this true false is_shared eval Fn call curry print debug type_of global this super new match async public static " +
	"_ __ $ @ ~ # \\ \" ' ` ${ 0x 0b2 1e 1.e5 1..2 99999999999999999999 1_ '' 'ab' \"\\x\" // /* */ /// /** é 日 \u0000 <- -> <| |> :=  ++ -- === !== (* *) --> x.y()")

// mutate takes pieces away, doubles or swaps them, or puts in some of another source.
func mutate(r *rand.Rand, source, other string) string {
	parts, others := pieces(source), pieces(other)
	if len(parts) == 0 || len(others) == 0 {
		return source
	}
	for range 1 + r.IntN(3) {
		at := r.IntN(len(parts))
		switch r.IntN(7) {
		case 0:
			parts = slices.Delete(parts, at, at+1)
		case 1:
			parts = slices.Insert(parts, at, parts[at])
		case 2:
			to := r.IntN(len(parts))
			parts[at], parts[to] = parts[to], parts[at]
		case 3:
			parts[at] = others[r.IntN(len(others))]
		case 4:
			parts = slices.Insert(parts, at, others[r.IntN(len(others))])
		case 5:
			parts = slices.Insert(parts, at, stray[r.IntN(len(stray))])
		case 6:
			if r.IntN(3) == 0 {
				parts = parts[:at]
			} else {
				parts[at] = stray[r.IntN(len(stray))]
			}
		}
		if len(parts) == 0 {
			break
		}
	}
	return strings.Join(parts, "")
}

// splice puts a run of one source into another.
func splice(r *rand.Rand, source, other string) string {
	parts, others := pieces(source), pieces(other)
	if len(parts) == 0 || len(others) == 0 {
		return source + other
	}
	at, from := r.IntN(len(parts)), r.IntN(len(others))
	to := from + 1 + r.IntN(len(others)-from)
	end := min(len(parts), at+r.IntN(4))
	return strings.Join(slices.Concat(parts[:at], others[from:to], parts[end:]), "")
}
