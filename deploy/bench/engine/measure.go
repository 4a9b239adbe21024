package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// sampleTime is how long one measurement should last at least: what is shorter is done several times over.
const sampleTime = 10 * time.Millisecond

// cell is what was measured of one engine in one row.
type cell struct {
	samples []float64 // nanoseconds for one time, ascending
	bytes   int       // of the source
}

func (c cell) at(part float64) float64 { return c.samples[int(part*float64(len(c.samples)-1)+0.5)] }

func (c cell) median() float64 { return c.at(0.5) }

// spread is half of the distance between the quartiles, as a part of the median.
func (c cell) spread() float64 { return (c.at(0.75) - c.at(0.25)) / 2 / c.median() }

// table is everything that was measured.
type table struct {
	engines []string
	rows    []row
	cells   map[string]map[string]cell // by row and engine
	memory  []memoryRow
}

// contestant is an engine in a row.
type contestant struct {
	engine string
	job    job
	times  int
	cell   cell
}

// measure has every engine do every row, and checks that all come to the same result.
func measure(engines []engine, rows []row, rounds int, say func(string)) (*table, error) {
	t := &table{rows: rows, cells: map[string]map[string]cell{}}
	for _, e := range engines {
		t.engines = append(t.engines, e.name())
	}
	for _, r := range rows {
		field, err := enter(engines, r)
		if err != nil {
			return nil, err
		}
		for round := range rounds {
			for i := range field {
				c := field[(i+round)%len(field)]
				runtime.GC() // the garbage of others is not its
				took, _, err := c.job(c.times)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", r.name, c.engine, err)
				}
				c.cell.samples = append(c.cell.samples, float64(took)/float64(c.times))
			}
		}
		t.cells[r.name] = map[string]cell{}
		line := r.name + ":"
		for _, c := range field {
			slices.Sort(c.cell.samples)
			t.cells[r.name][c.engine] = c.cell
			line += fmt.Sprintf("  %s %s", c.engine, duration(c.cell.median()))
		}
		say(line)
	}
	return t, nil
}

// enter prepares the engines that can do a row, tries each, and compares their results.
func enter(engines []engine, r row) ([]*contestant, error) {
	var field []*contestant
	first := ""
	for _, e := range engines {
		source, ok := r.source(e.ending())
		if !ok {
			continue
		}
		j, err := e.prepare(r, source)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.name, e.name(), err)
		}
		if j == nil {
			continue
		}
		c := &contestant{engine: e.name(), job: j, times: 1, cell: cell{bytes: len(source)}}
		for {
			took, result, err := j(c.times)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", r.name, e.name(), err)
			}
			result = strings.TrimSpace(result)
			if len(field) == 0 {
				first = result
			}
			if result != first {
				return nil, fmt.Errorf("%s: %s: got %q, want %q as of %s", r.name, e.name(), result, first, field[0].engine)
			}
			if took >= sampleTime || c.times >= 1<<24 {
				break
			}
			c.times *= 2
			if took < sampleTime/16 {
				c.times *= 4
			}
		}
		field = append(field, c)
	}
	return field, nil
}
