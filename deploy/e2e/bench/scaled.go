package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"circles/deploy/e2e/bench/load"
)

// measureOpen plays at fixed rates.
func (r *measures) measureOpen(ctx context.Context) error {
	conns, err := r.ours.connect(ctx, connections, circles, answer42(), sum)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	r.table.head(fmt.Sprintf("Open loop over %d connections and %d circles: median / 99th / 99.9th percentile", connections, circles))
	for _, share := range []float64{0.25, 0.5, 0.75} {
		result, err := r.inOpen(conns, share*r.saturated)
		if err != nil {
			return err
		}
		r.table.add(fmt.Sprintf("at %.0f%% of saturation, %.0f/s", 100*share, share*r.saturated),
			quantiles(result)+" / "+round(result.Quantile(0.999)), "", nil)
		if share == 0.5 {
			r.table.atMost("99th percentile at half of saturation, of the unloaded median", ratio(result.Quantile(0.99), r.unloaded), 5)
		}
	}
	return nil
}

// inOpen repeats a measurement at a fixed rate.
func (r *measures) inOpen(conns []*load.Conn, rate float64) (load.Result, error) {
	var all []load.Result
	for range r.rounds {
		result, err := load.Open(conns, rate, r.plan())
		if err != nil {
			return load.Result{}, err
		}
		all = append(all, result)
	}
	return load.Add(all...), nil
}

// busyScript keeps a core of the worker busy for some milliseconds.
const busyScript = "let n = 0; for i in 0..200000 { n += i } n"

// floodFactor is how many times its capacity a circle is offered, floodRate how often the other one is played in.
const (
	floodFactor = 10
	floodRate   = 200
	flooders    = 16
	floodSlices = 3 // how many times as long a turn takes as others: so few plays have few that are slow
)

// measureFlood floods one circle and looks at another. Both sides of the comparison have the same rate of the other.
func (r *measures) measureFlood(ctx context.Context) error {
	others, err := r.ours.connect(ctx, 8, 1, answer42(), sum)
	if err != nil {
		return err
	}
	defer closeAll(others)
	elsewhere := *r.ours
	elsewhere.secrets = r.ours.secrets[1:]
	flood, err := elsewhere.connect(ctx, flooders, 1, jsonrpc(), busyScript)
	if err != nil {
		return err
	}
	defer closeAll(flood)
	capacity, err := load.Closed(flood, 4, r.plan())
	if err != nil {
		return err
	}
	var calm, flooded, refused []load.Result
	plan := r.plan()
	plan.Time *= floodSlices
	for range r.rounds {
		result, err := load.Open(others, floodRate, plan)
		if err != nil {
			return err
		}
		calm = append(calm, result)
		errs := make(chan error, 1)
		go func() {
			result, err := load.Open(flood, floodFactor*capacity.Rate(), load.Plan{Time: (floodSlices + 1) * r.slice})
			refused = append(refused, result)
			errs <- err
		}()
		time.Sleep(r.slice / 2) // until the flooded circle's queue is full of what its callers may have in flight
		result, err = load.Open(others, floodRate, plan)
		if e := <-errs; e != nil {
			return e
		}
		if err != nil {
			return err
		}
		flooded = append(flooded, result)
	}
	before, after, flooding := load.Add(calm...), load.Add(flooded...), load.Add(refused...)
	r.table.head(fmt.Sprintf("A circle flooded at %d times its capacity: median / 99th percentile of another's plays, %d/s", floodFactor, floodRate))
	r.table.add("before", quantiles(before), "", nil)
	r.table.add("during", quantiles(after), "", nil)
	r.table.add("the flooded circle", fmt.Sprintf("%.0f/s of %.0f/s offered, %.0f%% refused", flooding.Rate(), floodFactor*capacity.Rate(),
		100*float64(flooding.Refused)/float64(flooding.Refused+flooding.Done)), fmt.Sprintf("capacity %.0f/s", capacity.Rate()), nil)
	r.table.atMost("99th percentile during, of that before", ratio(after.Quantile(0.99), before.Quantile(0.99)), 2)
	return nil
}

// circleRate and circleConns are the load of measureCircles, whatever the number of circles.
const (
	circleRate  = 1000
	circleConns = 1000
)

// measureCircles offers the same load to a hundred circles and to a thousand.
func (r *measures) measureCircles(ctx context.Context) error {
	counts := []int{100, 1000}
	var systems []*system
	var conns [][]*load.Conn
	for _, count := range counts {
		s, err := r.newSystem(ctx, count)
		if err != nil {
			return err
		}
		defer s.stop()
		c, err := s.connect(ctx, circleConns, count, answer42(), sum)
		if err != nil {
			return err
		}
		defer closeAll(c)
		systems, conns = append(systems, s), append(conns, c)
	}
	used := make([]time.Duration, len(counts))
	results := make([][]load.Result, len(counts))
	for range 2 * r.rounds {
		for i, s := range systems {
			before, err := cpuTime(s.services()...)
			if err != nil {
				return err
			}
			result, err := load.Open(conns[i], circleRate, load.Plan{Time: r.slice})
			if err != nil {
				return err
			}
			after, err := cpuTime(s.services()...)
			if err != nil {
				return err
			}
			used[i] += after - before
			results[i] = append(results[i], result)
		}
	}
	r.table.head(fmt.Sprintf("%d plays a second over %d connections", circleRate, circleConns))
	for i, count := range counts {
		all := load.Add(results[i]...)
		r.table.add(fmt.Sprintf("%d circles", count), fmt.Sprintf("%.0f µs of CPU a play", used[i].Seconds()*1e6/float64(all.Done)), quantiles(all), nil)
	}
	r.table.atMost("CPU with ten times the circles", float64(used[1])/float64(used[0]), 1.3)
	return nil
}

// stop ends a system's processes.
func (s *system) stop() {
	for _, each := range s.services() {
		_ = each.end() // the host ends what is left
	}
}

// Idle connections.
const (
	fewIdle  = 500
	manyIdle = 5000
)

// measureIdle opens connections that do nothing.
func (r *measures) measureIdle(ctx context.Context) error {
	s, err := r.newSystem(ctx, circles)
	if err != nil {
		return err
	}
	defer s.stop()
	gateway := s.gateways[0]
	var conns []*load.Conn
	defer func() { closeAll(conns) }()
	var memory []int64
	var shares []float64
	for _, count := range []int{fewIdle, manyIdle} {
		more, err := s.connect(ctx, count-len(conns), circles, answer42(), sum)
		if err != nil {
			return err
		}
		conns = append(conns, more...)
		time.Sleep(2 * r.slice) // what opening them took is collected meanwhile
		before, err := cpuTime(s.services()...)
		if err != nil {
			return err
		}
		begin := time.Now()
		time.Sleep(5 * r.slice)
		after, err := cpuTime(s.services()...)
		if err != nil {
			return err
		}
		bytes, err := resident(gateway)
		if err != nil {
			return err
		}
		memory = append(memory, bytes)
		shares = append(shares, 100*(after-before).Seconds()/time.Since(begin).Seconds())
	}
	each := float64(memory[1]-memory[0]) / (manyIdle - fewIdle) / 1024
	r.table.head("Idle connections")
	r.table.add(fmt.Sprintf("CPU of all processes with %d / %d", fewIdle, manyIdle), fmt.Sprintf("%.1f%% / %.1f%% of a core", shares[0], shares[1]), "pings alone", nil)
	r.table.atMost("memory of a connection in the gateway, KiB", each, 16)
	return nil
}

// measureCores adds gateways and workers, each pair on one core; Redis and this program stay on the last core.
func (r *measures) measureCores(ctx context.Context) error {
	cores := runtime.NumCPU()
	last := strconv.Itoa(cores - 1)
	defer func() { _ = pin(os.Getpid(), "0-"+last) }() // all of them, as before
	if err := pin(os.Getpid(), last); err != nil {
		return err
	}
	s := &system{host: r.host, secrets: r.ours.secrets}
	var addr string
	var err error
	if s.redis, addr, err = r.redis(ctx); err != nil {
		return err
	}
	s.redisURL = "redis://" + addr
	defer s.stop()
	r.table.head("More gateways and workers on one Redis: each pair on a core of its own as long as there are any; Redis and the load on the last core")
	for pairs := range cores + 1 {
		core := strconv.Itoa(pairs % cores)
		if err := s.growOn(ctx, core); err != nil {
			return err
		}
		time.Sleep(r.slice) // until the circles are shared out anew
		conns, err := s.connect(ctx, connections, circles, answer42(), sum)
		if err != nil {
			return err
		}
		before, err := readCores()
		if err != nil {
			return err
		}
		result, err := load.Closed(conns, 1, load.Plan{Warm: r.slice / 5, Time: 3 * r.slice})
		closeAll(conns)
		if err != nil {
			return err
		}
		after, err := readCores()
		if err != nil {
			return err
		}
		var busy []string
		for _, share := range after.since(before) {
			busy = append(busy, fmt.Sprintf("%.0f%%", share))
		}
		r.table.add(fmt.Sprintf("%d gateway and worker, the last on core %s", pairs+1, core), fmt.Sprintf("%.0f/s", result.Rate()),
			"cores busy "+strings.Join(busy, ", "), nil)
	}
	return nil
}
