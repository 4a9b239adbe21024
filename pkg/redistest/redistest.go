// Package redistest gives tests a Redis of their own, as net/http/httptest
// gives them an HTTP server.
//
// The server is a real redis-server process where the binary is installed, and
// an embedded miniredis where it is not. A test that needs what only the real
// one has (persistence, restarts that keep data, blocking on many clients)
// starts it with [StartReal], which skips without the binary. Setting
// CIRCLES_REQUIRE_REDIS=1 turns a missing binary into a failure.
package redistest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RequireEnv names the variable that makes a missing redis-server a failure.
const RequireEnv = "CIRCLES_REQUIRE_REDIS"

const (
	binary = "redis-server"

	// startTimeout bounds a start, loading an append-only file included.
	startTimeout = 20 * time.Second
	pollInterval = 5 * time.Millisecond
)

// A Server is one Redis on a loopback port of its own. It ends with the test.
type Server struct {
	URL  string // redis://127.0.0.1:port
	Addr string // 127.0.0.1:port
	Real bool   // a redis-server process rather than miniredis

	t       testing.TB
	backend backend
	clients []redis.UniversalClient
}

// backend is a way to run Redis. After stop, start serves on the same address.
type backend interface {
	start(ctx context.Context) (addr string, err error)
	stop() error
}

// An Option changes how a server is started.
type Option func(*options)

type options struct {
	args     []string
	password string
	watched  string // address of the master that a Sentinel watches
}

// WithAppendOnly makes the server keep its data in an append-only file, synced
// as fsync says ("always", "everysec" or "no"), so that Restart brings it back.
func WithAppendOnly(fsync string) Option {
	return WithConfig("--appendonly", "yes", "--appendfsync", fsync)
}

// WithConfig adds command-line arguments of redis-server. miniredis has none.
func WithConfig(args ...string) Option {
	return func(o *options) { o.args = append(o.args, args...) }
}

// WithPassword makes the server ask for a password; URL contains it.
func WithPassword(password string) Option {
	return func(o *options) { o.password = password }
}

// Start runs a real redis-server when there is one, else miniredis.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	if _, err := exec.LookPath(binary); err != nil {
		requireNothing(t)
		t.Logf("%s is not installed: this test runs on miniredis. Not covered: persistence, restarts that keep data, "+
			"memory limits, real expiry of keys, Redis's own Lua. Install Redis 7 to cover them.", binary)
		return start(t, newEmbedded(gather(opts)), false, opts)
	}
	return start(t, newProcess(t, gather(opts)), true, opts)
}

// StartReal runs a real redis-server and skips the test when there is none.
func StartReal(t testing.TB, opts ...Option) *Server {
	t.Helper()
	if _, err := exec.LookPath(binary); err != nil {
		requireNothing(t)
		t.Skipf("%s is not installed: this test needs a real Redis", binary)
	}
	return start(t, newProcess(t, gather(opts)), true, opts)
}

// MasterName is what Sentinels call the master that they watch.
const MasterName = "circles"

// StartSentinel runs a Sentinel that watches a master, alone, and makes one of
// its replicas the master soon after it went away. URL is for clients that ask
// the Sentinel where the master is. It skips the test without redis-server.
func StartSentinel(t testing.TB, master *Server) *Server {
	t.Helper()
	s := StartReal(t, func(o *options) { o.watched = master.Addr })
	s.URL = "redis+sentinel://" + s.Addr + "/0?master_name=" + MasterName
	return s
}

// StartEmbedded runs miniredis, for tests of what the embedded Redis must do.
func StartEmbedded(t testing.TB, opts ...Option) *Server {
	t.Helper()
	return start(t, newEmbedded(gather(opts)), false, opts)
}

func requireNothing(t testing.TB) {
	t.Helper()
	if os.Getenv(RequireEnv) == "1" {
		t.Fatalf("%s is not installed and %s=1 requires it", binary, RequireEnv)
	}
}

func gather(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

func start(t testing.TB, b backend, isReal bool, opts []Option) *Server {
	t.Helper()
	s := &Server{Real: isReal, t: t, backend: b}
	t.Cleanup(s.close)
	s.run()
	s.URL = "redis://" + s.Addr
	if password := gather(opts).password; password != "" {
		s.URL = "redis://:" + password + "@" + s.Addr
	}
	return s
}

// Client returns a new client of the server, closed with the test.
func (s *Server) Client() redis.UniversalClient {
	s.t.Helper()
	opts, err := redis.ParseURL(s.URL)
	if err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	client := redis.NewClient(opts)
	s.clients = append(s.clients, client)
	return client
}

// Stop ends the server as a crash would: no client is told, nothing is saved
// that was not saved already. Clients find the port closed.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.backend.stop(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
}

// Restart serves on the same port again, after a Stop or in place of it. Data
// comes back only WithAppendOnly.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.run()
}

// again tries to serve on a port that was ours before: while nobody listens, a
// client that dials it may be given it as its own end of the connection.
func again(ctx context.Context, serve func() error) error {
	for {
		err := serve()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pollInterval):
		}
	}
}

func (s *Server) run() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	addr, err := s.backend.start(ctx)
	if err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	s.Addr = addr
}

// close runs when the test is over; clients go first so that they do not
// notice the server's end.
func (s *Server) close() {
	for _, client := range s.clients {
		if err := client.Close(); err != nil {
			s.t.Logf("redistest: %v", err)
		}
	}
	if err := s.backend.stop(); err != nil {
		s.t.Logf("redistest: %v", err)
	}
}
