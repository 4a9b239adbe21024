package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/redis/go-redis/v9"

	"circles/deploy/e2e/bench/load"
)

// Our part in what is compared.
const (
	ourPlays   = "circles"
	ourSingle  = "circles, one circle"
	ourState   = "circles, a state key read and written"
	ourMany    = "circles, 16 in flight on each connection"
	listSingle = lists + ", one circle"
)

// measureUnloaded plays one at a time on one connection.
func (r *measures) measureUnloaded(ctx context.Context) error {
	var turns []*turn
	defer func() { closeTurns(turns) }()
	for _, c := range append([]*contender{own(ourPlays, r.ours, answer42(), sum)}, r.rivals...) {
		if err := thaw(c.frozen...); err != nil {
			return err
		}
		conns, err := c.connect(ctx, 1, 1)
		if err != nil {
			return err
		}
		turns = append(turns, &turn{&contender{name: c.name, frozen: c.frozen}, conns, 1})
		if err := freeze(c.frozen...); err != nil {
			return err
		}
	}
	if err := r.inTurn(turns); err != nil {
		return err
	}
	trip, err := r.redisTrip(ctx)
	if err != nil {
		return err
	}
	all := func(name string) load.Result { return load.Add(of(turns, name).results...) }
	ours, echo := all(ourPlays), all(floor)
	r.unloaded = ours.Quantile(0.5)
	r.table.head("One connection, one play at a time: median / 99th percentile; median, of the echo's")
	row := func(name string, result load.Result) {
		r.table.add(name, quantiles(result), figure(ratio(result.Quantile(0.5), echo.Quantile(0.5))), nil)
	}
	row(floor, echo)
	row("bare Redis round trip", trip)
	for _, name := range []string{ourPlays, lists, nats, asynqs} {
		row(name, all(name))
	}
	r.table.atMost("median of a play, of the echo's", ratio(ours.Quantile(0.5), echo.Quantile(0.5)), 4)
	r.table.atMost("99th percentile of a play, of its own median", ratio(ours.Quantile(0.99), ours.Quantile(0.5)), 4)
	return nil
}

// redisTrip is the time of a command that does nothing, by the client that the services use.
func (r *measures) redisTrip(ctx context.Context) (load.Result, error) {
	rdb := redis.NewClient(&redis.Options{Addr: strings.TrimPrefix(r.ours.redisURL, "redis://")})
	defer rdb.Close()
	latency := hdrhistogram.New(1000, int64(patience), 3)
	for begin := time.Now(); time.Since(begin) < r.slice; {
		sent := time.Now()
		if err := rdb.Ping(ctx).Err(); err != nil {
			return load.Result{}, err
		}
		_ = latency.RecordValue(int64(time.Since(sent))) // within the bounds
	}
	return load.Result{Latency: latency, Done: int(latency.TotalCount()), Time: r.slice}, nil
}

// measureSaturated has 64 connections play as fast as they are answered.
func (r *measures) measureSaturated(ctx context.Context) error {
	var turns []*turn
	defer func() { closeTurns(turns) }()
	add := func(c *contender, name string, circles, inFlight int) error {
		if err := thaw(c.frozen...); err != nil {
			return err
		}
		conns, err := c.connect(ctx, connections, circles)
		if err != nil {
			return err
		}
		turns = append(turns, &turn{&contender{name: name, frozen: c.frozen}, conns, inFlight})
		return freeze(c.frozen...)
	}
	plays := own(ourPlays, r.ours, answer42(), sum)
	for _, each := range []struct {
		*contender
		name              string
		circles, inFlight int
	}{
		{r.rivals[0], floor, circles, 1},
		{plays, ourPlays, circles, 1},
		{plays, ourSingle, 1, 1},
		{own(ourState, r.ours, jsonrpc(), counter), ourState, circles, 1},
		{plays, ourMany, circles, 16},
		{r.rivals[1], lists, circles, 1},
		{r.rivals[1], listSingle, 1, 1},
		{r.rivals[2], nats, circles, 1},
		{r.rivals[3], asynqs, circles, 1},
	} {
		if err := add(each.contender, each.name, each.circles, each.inFlight); err != nil {
			return err
		}
	}
	if err := r.inTurn(turns); err != nil {
		return err
	}
	gateway, worker, err := r.allocations(ctx, of(turns, ourPlays).conns)
	if err != nil {
		return err
	}
	echo, ours := of(turns, floor), of(turns, ourPlays)
	r.saturated = ours.rate()
	r.table.head(fmt.Sprintf("%d connections, one play in flight each, %d circles: plays a second, of the echo's", connections, circles))
	for _, t := range turns {
		r.table.add(t.name, fmt.Sprintf("%.0f/s", t.rate()), fmt.Sprintf("%.2f", over(t, echo)), nil)
	}
	r.table.atLeast("throughput, of the echo's", over(ours, echo), 0.5)
	r.table.atLeast("throughput with a single circle, of the echo's", over(of(turns, ourSingle), echo), 0.45)
	r.table.atLeast("throughput with a state key, of that without", over(of(turns, ourState), ours), 0.8)
	for _, name := range []string{lists, nats, asynqs} {
		r.table.atLeast("throughput, of "+name, over(ours, of(turns, name)), 1)
	}
	r.table.atLeast("throughput with a single circle, of "+listSingle, over(of(turns, ourSingle), of(turns, listSingle)), 1)
	r.table.atMost("allocations of the gateway, a play", gateway, 25)
	r.table.atMost("allocations of the worker, a play", worker, 25)
	return nil
}

func quantiles(r load.Result) string {
	return round(r.Quantile(0.5)) + " / " + round(r.Quantile(0.99))
}

// round shows a time in microseconds, or milliseconds when it is long.
func round(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.0f µs", d.Seconds()*1e6)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
