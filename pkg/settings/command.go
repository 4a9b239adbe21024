package settings

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Command is the command line of a server that is set by its environment: it
// serves, describes its settings (--help), tells its version (--version) or asks
// the server of the same settings whether it is well (healthcheck).
type Command[C any] struct {
	Name, Version string
	Load          func() (C, error) // from the environment
	Serve         func(ctx context.Context, cfg C) error
	Healthcheck   func(ctx context.Context, cfg C) error
}

// Main runs the command of the process and returns its exit code: 0 after an
// orderly end, which SIGINT and SIGTERM ask for, and 1 after an error, which it
// prints.
func (c Command[C]) Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal drains; the next one ends the process as it would any.
	context.AfterFunc(ctx, stop)
	err := c.Run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, err)
		return 1
	}
	return 0
}

// Run does what the arguments ask for.
func (c Command[C]) Run(ctx context.Context, args []string, stdout io.Writer) error {
	switch {
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprintf(stdout, "usage: %s [--help | --version | healthcheck]\n\nSettings, from the environment:\n\n", c.Name)
		return Usage(stdout, *new(C))
	case len(args) == 1 && args[0] == "--version":
		_, err := fmt.Fprintln(stdout, c.Version)
		return err
	case len(args) > 1, len(args) == 1 && args[0] != "healthcheck":
		return errors.New("got unknown arguments, want none, --help, --version or healthcheck")
	}
	cfg, err := c.Load()
	if err != nil {
		return fmt.Errorf("settings:\n%w", err)
	}
	if len(args) == 1 {
		return c.Healthcheck(ctx, cfg)
	}
	defer RestCollector()()
	return c.Serve(ctx, cfg)
}
