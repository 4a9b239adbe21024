package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"circles/launcher/launch"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// example is the script of the line to try.
const example = "fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } fib(20)"

// Run carries out one command line and returns the exit code. When the context
// ends, the system is ended in order.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, parsed := parseFlags(args)
	switch {
	case f.help:
		f.usage(stdout)
		return exitDone
	case f.version && parsed == nil:
		_, _ = fmt.Fprintln(stdout, version)
		return exitDone
	}
	config, configured := f.config()
	if err := errors.Join(parsed, configured); err != nil {
		report(stderr, err)
		_, _ = fmt.Fprintln(stderr, "see launcher --help")
		return exitUsage
	}
	handle, err := launch.Start(ctx, config, launch.Options{Logger: f.logger(stderr, config), Version: version})
	if err != nil {
		report(stderr, err)
		return codeFor(err)
	}
	greet(stdout, config, handle)
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(stdout, "\nending: running plays finish or time out; Ctrl-C again ends at once")
	case <-handle.Done():
	}
	if err := handle.Stop(context.WithoutCancel(ctx)); err != nil {
		report(stderr, err)
		return exitFailed
	}
	return exitDone
}

// report prints everything that is wrong, a line each, with the ways out that
// are the launcher's own.
func report(w io.Writer, err error) {
	said := make(map[string]bool)
	for _, problem := range unjoin(err) {
		if said[problem.Error()] {
			continue
		}
		said[problem.Error()] = true
		_, _ = fmt.Fprintf(w, "launcher: %v\n", problem)
		if _, ok := errors.AsType[*launch.RedisError](problem); ok {
			_, _ = fmt.Fprintln(w, "          start Redis there or name another by --redis-url; or use --dev, which brings its own")
		}
		if busy, ok := errors.AsType[*launch.PortError](problem); ok && busy.Busy {
			_, _ = fmt.Fprintln(w, "          end that program, or take another port by --port; --port 0 is any free one")
		}
	}
}

// codeFor tells wrong settings from things that failed.
func codeFor(err error) int {
	_, redis := errors.AsType[*launch.RedisError](err)
	_, port := errors.AsType[*launch.PortError](err)
	if redis || port || errors.Is(err, context.Canceled) {
		return exitFailed
	}
	return exitUsage
}

// greet prints where to find what was started, and how to try it.
func greet(w io.Writer, config launch.Config, handle *launch.Handle) {
	var out strings.Builder
	if config.Dev {
		out.WriteString("Development mode: Redis is embedded, in memory. What is played is gone when this ends.\n")
	}
	for _, key := range handle.Circles() {
		fmt.Fprintf(&out, "\nCircle   %s\n  socket   %s\n  console  %s\n", key, handle.SocketURL(key), handle.ConsoleURL(key))
	}
	secret := handle.Secret()
	if !secret.IsZero() {
		fmt.Fprintf(&out, "\nIts private key, made just now, kept nowhere and shown only this once, for development:\n  %s\n", secret.Reveal())
	}
	key := handle.Circles()[0]
	out.WriteString("\nTry it, from the root of the repository in another terminal:\n  ")
	if config.Gateway.EnableAuth {
		private := "<private key>"
		if !secret.IsZero() {
			private = secret.Reveal()
		}
		fmt.Fprintf(&out, "CIRCLE_SECRET_KEY=%s ", private)
	}
	fmt.Fprintf(&out, "go run ./pkg/cmd/circle play --url %s ", handle.SocketURL(key))
	if config.Gateway.TLSCert != "" {
		fmt.Fprintf(&out, "--ca '%s' ", config.Gateway.TLSCert)
	}
	fmt.Fprintf(&out, "-e '%s'\n\nCtrl-C ends it.\n", example)
	_, _ = io.WriteString(w, out.String())
}
