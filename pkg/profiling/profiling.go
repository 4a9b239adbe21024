// Package profiling shows a running service's profiles to whoever is on its own
// machine: what net/http/pprof has, on a port apart from everything that is
// public.
package profiling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"
)

// headTimeout bounds the time to send a request. Answers have no bound: a profile
// takes as long as was asked for.
const headTimeout = 2 * time.Second

// CheckAddr reports what is wrong with an address: only loopback will do, because
// a profile shows what the service works on. Empty is none and right.
func CheckAddr(addr string) error {
	if addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("got %q, want host:port, or nothing for none", addr)
	}
	if ip := net.ParseIP(host); !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("got %q, want an address of loopback, such as 127.0.0.1:6060", addr)
	}
	return nil
}

// Serve shows profiles at /debug/pprof/ on addr until ctx ends; requests that are
// under way end with it. With an empty addr it does nothing. started is told the
// address.
func Serve(ctx context.Context, addr string, started func(net.Addr)) error {
	if addr == "" {
		return nil
	}
	if err := CheckAddr(addr); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for profiles: %w", err)
	}
	started(listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	closed := make(chan error, 1)
	unhook := context.AfterFunc(ctx, func() { closed <- server.Close() })
	err = server.Serve(listener)
	if unhook() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve profiles on %s: %w", addr, err)
	}
	return <-closed
}
