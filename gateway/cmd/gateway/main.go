// Command gateway takes scripts over WebSockets and hands them to the circles'
// queues. Its settings come from the environment; --help lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"circles/gateway"
	"circles/pkg/queue"
	"circles/pkg/settings"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal drains; the next one ends the process as it would any.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	switch {
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprint(stdout, "usage: gateway [--help | --version | healthcheck]\n\nSettings, from the environment:\n\n")
		return settings.Usage(stdout, gateway.Config{})
	case len(args) == 1 && args[0] == "--version":
		_, err := fmt.Fprintln(stdout, version)
		return err
	case len(args) > 1, len(args) == 1 && args[0] != "healthcheck":
		return errors.New("got unknown arguments, want none, --help, --version or healthcheck")
	}
	cfg, err := gateway.FromEnv()
	if err != nil {
		return fmt.Errorf("settings:\n%w", err)
	}
	if len(args) == 1 {
		return gateway.Healthcheck(ctx, cfg)
	}
	log := cfg.Logger(os.Stderr)
	queue.LogClient(log)
	server, err := gateway.New(cfg, gateway.Options{Logger: log, Version: version, Advise: true})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
