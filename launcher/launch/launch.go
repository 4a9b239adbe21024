// Package launch runs a whole system in one process: the gateway and one worker
// for each circle, on a Redis that is there already or on an embedded one.
//
//	config, err := launch.Defaults()
//	if err != nil { ... }
//	config.Dev = true
//	handle, err := launch.Start(ctx, config)
//	if err != nil { ... }
//	defer handle.Stop(context.Background())
//	fmt.Println(handle.SocketURL(handle.Circles()[0]))
//
// It adds nothing of its own to what gateway and worker do: it starts them in
// order, and ends them in the opposite one.
package launch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"circles/gateway"
	"circles/gateway/console"
	"circles/pkg/circle"
	"circles/pkg/settings"
	"circles/worker"
)

// Config says what to run.
type Config struct {
	// Gateway are the gateway's settings. The circles, Redis and the time to
	// shut down are the workers' too.
	Gateway gateway.Config

	// Worker are what else the workers go by.
	Worker worker.Config

	// Dev embeds Redis in the process, in memory, and makes a key pair when no
	// circle is given. What is played is gone when the process is.
	Dev bool
}

// Options are what Start needs besides the settings; zero values mean the
// defaults.
type Options struct {
	Logger  *slog.Logger // default: none
	Version string       // as the OpenRPC document shows it (dev)
}

// Defaults are the settings' defaults. Unlike a gateway alone, this one does not
// ask for authentication: it listens to this machine only.
func Defaults() (Config, error) {
	var config Config
	err := errors.Join(settings.Defaults(&config.Gateway), settings.Defaults(&config.Worker))
	config.Gateway.EnableAuth = false
	return config, err
}

// PortError says that the gateway can't listen where it should.
type PortError struct {
	Addr string
	Busy bool // another program listens there
	Err  error
}

func (e *PortError) Error() string {
	if e.Busy {
		return "another program listens on " + e.Addr
	}
	return fmt.Sprintf("can't listen on %s: %v", e.Addr, e.Err)
}

func (e *PortError) Unwrap() error { return e.Err }

// Handle is a running system.
type Handle struct {
	addr    net.Addr
	config  Config
	circles []circle.Key
	secret  circle.Secret

	stop context.CancelFunc // asks for an orderly end
	done chan struct{}      // closed when everything has ended; err is set by then
	err  error
}

// Start starts the system and returns when its port is open. The context bounds
// the start only: the system runs until Stop, or until a part of it fails. The
// error lists everything that is wrong with the settings, or is a *PortError or
// a *RedisError.
func Start(ctx context.Context, config Config, opts Options) (*Handle, error) {
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	h := &Handle{config: config, done: make(chan struct{})}
	var err error
	if config.Dev && len(config.Gateway.CircleKeys) == 0 {
		if h.secret, err = h.config.makeCircle(); err != nil {
			return nil, err
		}
	}
	release := func() {}
	defer func() { release() }()
	if config.Dev {
		redis, err := startEmbedded()
		if err != nil {
			return nil, err
		}
		release = redis.close
		h.config.Gateway.RedisURL = redis.url()
	}
	h.config.settle()
	if h.circles, err = h.config.Gateway.Keys(); err != nil {
		return nil, err
	}
	if err := checkRedis(ctx, h.config.Gateway.RedisURL); err != nil {
		return nil, err
	}
	server, err := gateway.New(h.config.Gateway, gateway.Options{Logger: logger, Version: opts.Version, Advise: !config.Dev})
	if err != nil {
		return nil, err
	}
	workers, err := h.workers(logger)
	if err != nil {
		return nil, err
	}
	if h.addr, err = server.Listen(); err != nil {
		addr := net.JoinHostPort(h.config.Gateway.Host, strconv.Itoa(h.config.Gateway.Port))
		return nil, &PortError{Addr: addr, Busy: errors.Is(err, syscall.EADDRINUSE), Err: err}
	}

	running, stop := context.WithCancel(context.Background())
	h.stop = stop
	go h.run(running, server, workers, release)
	release = func() {} // It is run's by now.
	return h, nil
}

// Validate lists everything that is wrong with the settings. It opens nothing.
func (c Config) Validate() error {
	if c.Dev && len(c.Gateway.CircleKeys) == 0 {
		if _, err := c.makeCircle(); err != nil {
			return err
		}
	}
	c.settle()
	return joinOnce(c.Gateway.Validate(), c.Worker.Validate())
}

// makeCircle makes up the circle that there is when none was given.
func (c *Config) makeCircle() (circle.Secret, error) {
	secret, err := circle.GenerateSecret()
	if err != nil {
		return secret, fmt.Errorf("make a key pair: %w", err)
	}
	c.Gateway.CircleKeys = []string{secret.Public().String()}
	return secret, nil
}

// settle gives the workers what they share with the gateway. They have no ports
// of their own: the gateway's tell how the process is.
func (c *Config) settle() {
	c.Worker.Common = c.Gateway.Common
	c.Worker.HTTPAddr, c.Worker.PprofAddr = "", ""
}

// joinOnce joins errors, with each that is joined in them named once: gateway
// and workers share settings, and find the same faults in them.
func joinOnce(errs ...error) error {
	var all []error
	said := make(map[string]bool)
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, part := range joined.Unwrap() {
				walk(part)
			}
			return
		}
		if err != nil && !said[err.Error()] {
			said[err.Error()] = true
			all = append(all, err)
		}
	}
	for _, err := range errs {
		walk(err)
	}
	return errors.Join(all...)
}

// workers prepares one worker for each circle. Each is given all circles: live
// workers share them evenly, which with as many workers is one for each.
func (h *Handle) workers(logger *slog.Logger) ([]*worker.Worker, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "launcher"
	}
	workers := make([]*worker.Worker, len(h.circles))
	for i := range h.circles {
		config := h.config.Worker
		config.ID = fmt.Sprintf("%s-%d-%d", host, os.Getpid(), i+1)
		if workers[i], err = worker.New(config, worker.Options{Logger: logger}); err != nil {
			return nil, err
		}
	}
	return workers, nil
}

// run keeps everything going until it is asked to end or a part fails. The order
// of ending: the gateway takes no more plays and answers what runs, for which it
// needs the workers; the workers leave, for which they need Redis; the embedded
// Redis goes.
func (h *Handle) run(ctx context.Context, server *gateway.Server, workers []*worker.Worker, release func()) {
	defer close(h.done)
	defer h.stop()

	serving, stopServing := context.WithCancel(context.Background())
	defer stopServing()
	working, stopWorking := context.WithCancel(context.Background())
	defer stopWorking()
	failed := make(chan struct{})
	var fail sync.Once

	var served error
	var gatewayRuns sync.WaitGroup
	gatewayRuns.Go(func() {
		served = server.Run(serving)
		fail.Do(func() { close(failed) })
	})
	worked := make([]error, len(workers))
	var workersRun sync.WaitGroup
	for i, each := range workers {
		workersRun.Go(func() {
			worked[i] = each.Run(working)
			fail.Do(func() { close(failed) })
		})
	}

	select {
	case <-ctx.Done():
	case <-failed:
	}
	stopServing()
	gatewayRuns.Wait()
	stopWorking()
	workersRun.Wait()
	release()
	h.err = errors.Join(served, errors.Join(worked...))
}

// Stop ends the system in order: no new play is taken, running ones are answered
// or time out, sockets close with 1001. When the context ends first, Stop returns
// its error and the system goes on ending by itself.
func (h *Handle) Stop(ctx context.Context) error {
	h.stop()
	select {
	case <-h.done:
		return h.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when everything has ended, asked or not.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Wait returns when everything has ended, and why, unless it was asked to.
func (h *Handle) Wait() error {
	<-h.done
	return h.err
}

// Addr is where the gateway listens.
func (h *Handle) Addr() net.Addr { return h.addr }

// Circles are the circles that are served.
func (h *Handle) Circles() []circle.Key { return append([]circle.Key(nil), h.circles...) }

// Secret is the private key of the circle that Start made up; the zero Secret
// when circles were given.
func (h *Handle) Secret() circle.Secret { return h.secret }

// SocketURL is where a client dials a circle.
func (h *Handle) SocketURL(key circle.Key) string {
	return h.url("ws") + "/" + key.String()
}

// ConsoleURL is where a browser opens a circle.
func (h *Handle) ConsoleURL(key circle.Key) string {
	return h.url("http") + console.Path + "#" + key.String()
}

// url is the gateway's address as one on this machine dials it.
func (h *Handle) url(scheme string) string {
	if h.config.Gateway.TLSCert != "" {
		scheme += "s"
	}
	host, port, err := net.SplitHostPort(h.addr.String())
	if err != nil {
		return scheme + "://" + h.addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
