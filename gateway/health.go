package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/profiling"
	"circles/pkg/queue"
)

const (
	// probeTimeout is how long Redis gets to answer before it counts as gone.
	probeTimeout = time.Second

	// probeAge is how long an answer counts: readiness may be asked by anyone,
	// and Redis isn't to be bothered each time.
	probeAge = 250 * time.Millisecond
)

// readiness knows whether Redis takes plays.
type readiness struct {
	redis redis.UniversalClient

	mu    sync.Mutex
	asked time.Time
	err   error
}

func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.asked) < probeAge {
		return r.err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	r.err = queue.Probe(ctx, r.redis)
	r.asked = time.Now()
	return r.err
}

// showProfiles shows the process's profiles on a port of their own until ctx
// ends. A gateway that can't do that serves on.
func (s *Server) showProfiles(ctx context.Context) error {
	err := profiling.Serve(ctx, s.cfg.PprofAddr, func(addr net.Addr) { s.log.Info("profiles are shown", "addr", addr.String()) })
	if err != nil {
		s.log.Error("profiles can't be shown", "error", err)
	}
	return err
}

// Healthcheck asks the gateway that runs with these settings on this machine
// whether it is alive. Container images without a shell call it.
func Healthcheck(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	host := cfg.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	transport := &http.Transport{DisableKeepAlives: true}
	if cfg.tls() {
		scheme = "https"
		// The certificate names the host that clients dial, not this address, and
		// nothing secret is said.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	url := fmt.Sprintf("%s://%s/healthz", scheme, net.JoinHostPort(host, strconv.Itoa(cfg.Port)))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<10))
	err = errors.Join(err, response.Body.Close())
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s answered %s, want 200", url, response.Status)
	}
	return err
}
