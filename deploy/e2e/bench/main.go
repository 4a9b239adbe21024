// Command bench measures the whole system: Redis, gateway and worker as processes of their own, driven over WebSockets,
// against the floor of the same WebSocket stack and against other designs, all in one run. `make bench-system` runs it
// from the root of the repository and keeps its report in deploy/e2e/BENCHMARKS.md.
//
// The parts of its rivals are processes of this same program; see package rival.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"circles/deploy/e2e/bench/rival"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if role := os.Getenv(rival.EnvRole); role != "" {
		return rival.Serve(ctx, role, os.Getenv, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	}
	var o options
	flag.StringVar(&o.out, "out", "", "file of the report; empty: standard output alone")
	flag.StringVar(&o.profiles, "profiles", "", "folder of the profiles; empty: a temporary one")
	flag.StringVar(&o.only, "only", "", "measure this alone: unloaded, saturated, open, circles, idle, flood, cores or profiles")
	flag.IntVar(&o.rounds, "rounds", 5, "how often what is compared is measured in turn")
	flag.DurationVar(&o.slice, "slice", time.Second, "how long each turn takes")
	flag.Parse()
	if len(flag.Args()) > 0 || o.rounds < 1 || o.slice < 100*time.Millisecond {
		return errors.New("got other arguments than flags, no rounds or a slice below 100ms; see -help")
	}
	o.command = cmp.Or(os.Getenv("BENCH_COMMAND"), "go run ./deploy/e2e/bench")
	return bench(ctx, o)
}

// options are the command line.
type options struct {
	out, profiles, only string
	rounds              int
	slice               time.Duration
	command             string
}
