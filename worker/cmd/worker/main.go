// Command worker owns circles and runs their scripts. Its settings come from the
// environment; --help lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"circles/pkg/queue"
	"circles/pkg/settings"
	"circles/worker"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	switch {
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprint(stdout, "usage: worker [--help | --version | healthcheck]\n\nSettings, from the environment:\n\n")
		return settings.Usage(stdout, worker.Config{})
	case len(args) == 1 && args[0] == "--version":
		_, err := fmt.Fprintln(stdout, version)
		return err
	case len(args) > 1, len(args) == 1 && args[0] != "healthcheck":
		return errors.New("got unknown arguments, want none, --help, --version or healthcheck")
	}
	cfg, err := worker.FromEnv()
	if err != nil {
		return fmt.Errorf("settings:\n%w", err)
	}
	if len(args) == 1 {
		return worker.Healthcheck(ctx, cfg)
	}
	log := cfg.Logger(os.Stderr)
	queue.LogClient(log)
	w, err := worker.New(cfg, worker.Options{Logger: log, Advise: true})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}
