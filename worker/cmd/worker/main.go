// The worker owns circles and runs their scripts. See `worker --help`.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"circles/pkg/settings"
	"circles/worker"
)

var version = "dev" // set by the linker

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	if len(args) > 1 || command != "" && command != "healthcheck" && command != "--help" && command != "-h" && command != "--version" {
		fmt.Fprintf(stderr, "worker: got %q, want no argument, healthcheck, --help or --version; settings come from the environment\n", args)
		return 2
	}
	var cfg worker.Config
	switch command {
	case "--version":
		fmt.Fprintln(stdout, version)
		return 0
	case "--help", "-h":
		fmt.Fprint(stdout, "worker runs the scripts of circles.\n\n  worker              serve until SIGTERM or SIGINT\n  worker healthcheck  exit with 0 when the worker here is well\n  worker --version\n\nSettings, from the environment:\n\n")
		return code(stderr, settings.Usage(stdout, cfg))
	}
	if err := settings.Load(&cfg); err != nil {
		return code(stderr, err)
	}
	if command == "healthcheck" {
		return code(stderr, worker.Healthcheck(context.Background(), cfg))
	}
	w, err := worker.New(cfg, worker.Options{Logger: cfg.Logger(stderr)})
	if err != nil {
		return code(stderr, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return code(stderr, w.Run(ctx))
}

func code(stderr io.Writer, err error) int {
	if err != nil {
		fmt.Fprintf(stderr, "worker: %v\n", err)
		return 1
	}
	return 0
}
