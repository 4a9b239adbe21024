package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"circles/deploy/e2e/bench/load"
)

// The scripts that are played, and what is in the answer to each.
const (
	sum     = "40 + 2"
	counter = "if !state.contains(\"n\") { state.n = 0 } state.n += 1; state.n"
)

// connections is how many connections saturate, circles how many circles they play in.
const (
	connections = 64
	circles     = 8
)

// measures is one run of the benchmark.
type measures struct {
	options
	*host
	table table
	taken []profile

	ours   *system
	rivals []*contender

	// What later measures compare with.
	unloaded  time.Duration // median of one play at a time
	saturated float64       // plays a second
}

// bench measures everything, prints the report and keeps it.
func bench(ctx context.Context, o options) (err error) {
	h, err := newHost()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	r := &measures{options: o, host: h}
	if r.ours, err = h.newSystem(ctx, circles); err != nil {
		return err
	}
	if r.rivals, err = h.newRivals(ctx, r.ours); err != nil {
		return err
	}
	begin := time.Now()
	for _, measure := range []struct {
		name    string
		needed  bool // by others
		measure func(context.Context) error
	}{
		{"unloaded", true, r.measureUnloaded},
		{"saturated", true, r.measureSaturated},
		{"open", false, r.measureOpen},
		{"flood", false, r.measureFlood},
		{"circles", false, r.measureCircles},
		{"idle", false, r.measureIdle},
		{"cores", false, r.measureCores},
		{"profiles", false, r.measureProfiles},
	} {
		if o.only != "" && o.only != measure.name && !(measure.needed && o.only == "open") {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", time.Since(begin).Round(time.Second), measure.name)
		if err := measure.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", measure.name, err)
		}
	}
	return r.report(time.Since(begin))
}

// plan is that of one turn.
func (r *measures) plan() load.Plan { return load.Plan{Warm: r.slice / 5, Time: r.slice} }

// median is the middle one, or the upper of the two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
