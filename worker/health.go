package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"circles/pkg/profiling"
)

const (
	// healthTimeout bounds a request to the HTTP port, and Healthcheck.
	healthTimeout = 2 * time.Second

	maxHeaderBytes = 8 << 10
)

// Listen opens the HTTP port and returns its address; nil when none is
// configured. Run calls it when it was not called before; only Run closes the
// port again.
func (w *Worker) Listen() (net.Addr, error) {
	if w.listener == nil && w.cfg.HTTPAddr != "" {
		listener, err := net.Listen("tcp", w.cfg.HTTPAddr)
		if err != nil {
			return nil, fmt.Errorf("WORKER_HTTP_ADDR: %w; choose another port, or an empty one for none", err)
		}
		w.listener = listener
	}
	if w.listener == nil {
		return nil, nil
	}
	return w.listener.Addr(), nil
}

// addr is where the HTTP port really is; empty without one.
func (w *Worker) addr() string {
	if w.listener == nil {
		return ""
	}
	return w.listener.Addr().String()
}

func (w *Worker) closeListener() error {
	if w.listener == nil {
		return nil
	}
	return w.listener.Close()
}

// serveHTTP answers on the HTTP port until ctx ends.
func (w *Worker) serveHTTP(ctx context.Context) error {
	if w.listener == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, nil) })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, w.Ready()) })
	server := &http.Server{
		Handler:        mux,
		ReadTimeout:    healthTimeout,
		WriteTimeout:   healthTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
	stopped := make(chan error, 1)
	unhook := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
		defer cancel()
		stopped <- server.Shutdown(bounded)
	})
	err := server.Serve(w.listener)
	if unhook() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", w.cfg.HTTPAddr, err)
	}
	if err := <-stopped; err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// showProfiles shows the process's profiles on a port of their own until ctx
// ends. A worker that can't do that works on.
func (w *Worker) showProfiles(ctx context.Context) error {
	err := profiling.Serve(ctx, w.cfg.PprofAddr, func(addr net.Addr) { w.log.Info("profiles are shown", "addr", addr.String()) })
	if err != nil {
		w.log.Error("profiles can't be shown", "error", err)
	}
	return err
}

// answer is 200, or 503 with what is wrong.
func answer(rw http.ResponseWriter, err error) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	text := "ok"
	if err != nil {
		rw.WriteHeader(http.StatusServiceUnavailable)
		text = err.Error()
	}
	fmt.Fprintln(rw, text)
}

// Healthcheck asks the worker that runs with these settings on this machine
// whether it is well: what a container's health check calls where there is no
// shell.
func Healthcheck(ctx context.Context, cfg Config) error {
	if cfg.HTTPAddr == "" {
		return errors.New("WORKER_HTTP_ADDR is empty: there is no port to ask")
	}
	host, port, err := net.SplitHostPort(cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("WORKER_HTTP_ADDR: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, cmp.Or(port, "80")) + "/healthz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: got %s, want 200 OK", url, response.Status)
	}
	return nil
}
