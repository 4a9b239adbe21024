// Package gateway takes plays from clients over WebSockets and brings back what
// came of them.
//
// The way of a play: a [session] reads a frame and dispatches it by the table in
// methods.go; hub hands it to queue.Dispatcher, which puts it into the circle's
// queue in Redis; the outcome comes back to the hub, and the session's outbox
// and writer put it on the socket. One port serves all circles, at /<key> each.
package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"

	"circles/pkg/circle"
	"circles/pkg/protocol"
	"circles/pkg/queue"
)

const (
	closingReason = "the gateway is closing; connect anew"

	// inFlightRetry is advised when a connection has too many plays in flight.
	inFlightRetry = 50 * time.Millisecond

	// killWait is how long connections get to close in order when the shutdown
	// timeout is over.
	killWait = 2 * time.Second
)

// Options are what a Server needs besides its settings; zero values mean the
// defaults.
type Options struct {
	Logger  *slog.Logger     // default: none
	Version string           // as the OpenRPC document shows it (dev)
	Now     func() time.Time // by which challenges expire (time.Now)
	Advise  bool             // warn of settings of Redis under which plays can be lost
}

// Server is a gateway.
type Server struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	advise  bool
	circles map[circle.Key]struct{}
	methods map[string]method
	openRPC json.RawMessage
	roleOf  roleOf
	conns   *connections

	messages sync.Pool // of *bytes.Buffer, for what clients send
	frames   sync.Pool // of *frame, for what they are sent

	tooMany *protocol.Error // for one who has as many plays in flight as may be

	// Since Listen.
	listener  net.Listener
	audiences []string
	origins   origins

	// Since Run.
	hub   *hub
	ready *readiness
}

// New prepares a gateway; nothing is opened yet. The error lists everything that
// is wrong with the settings.
func New(cfg Config, opts Options) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	keys, err := cfg.Keys()
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:     cfg,
		log:     opts.Logger,
		now:     opts.Now,
		advise:  opts.Advise,
		circles: make(map[circle.Key]struct{}, len(keys)),
		methods: make(map[string]method),
		roleOf:  ownerOnly,
		conns:   newConnections(cfg.MaxConnections),
	}
	s.messages.New = func() any { return new(bytes.Buffer) }
	s.frames.New = newFrame
	s.tooMany = protocol.Errorf(protocol.CodeBusy, "busy: %d plays of this connection are in flight, at most %[1]d may be", cfg.MaxInFlight).
		WithData(protocol.RetryData{RetryAfterMS: inFlightRetry.Milliseconds(), Limit: "MAX_IN_FLIGHT"})
	if !cfg.EnableAuth {
		s.roleOf = anyone
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, key := range keys {
		s.circles[key] = struct{}{}
	}
	var specs []protocol.Spec
	for _, m := range methods() {
		s.methods[m.spec.Name] = m
		specs = append(specs, m.spec)
	}
	version := opts.Version
	if version == "" {
		version = "dev"
	}
	document, err := protocol.OpenRPC(protocol.Info{
		Title:       "circles",
		Description: "JSON-RPC 2.0 over a WebSocket at /<circle key>",
		Version:     version,
	}, specs)
	if err == nil {
		s.openRPC, err = json.Marshal(document)
	}
	if err != nil {
		return nil, fmt.Errorf("make the OpenRPC document: %w", err)
	}
	return s, nil
}

// Listen opens the port and returns its address. Run calls it when it wasn't
// called before; only Run closes the port again.
func (s *Server) Listen() (net.Addr, error) {
	if s.listener != nil {
		return s.listener.Addr(), nil
	}
	listener, err := net.Listen("tcp", s.cfg.address())
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", s.cfg.address(), err)
	}
	port := s.cfg.Port
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
		port = tcp.Port
	}
	if s.cfg.tls() {
		certificate, err := tls.LoadX509KeyPair(s.cfg.TLSCert, s.cfg.TLSKey)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("TLS_CERT and TLS_KEY: %w", err), listener.Close())
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{certificate},
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"http/1.1"},
		})
	}
	s.listener = listener
	s.audiences = s.cfg.audiences(port)
	s.origins = newOrigins(s.cfg, s.audiences)
	return listener.Addr(), nil
}

// Run serves until ctx ends and then shuts down in this order: readiness turns
// off and the port closes; every client hears "closing" and no play is taken any
// more; connections close with 1001 as their plays are answered, all of them
// when SHUTDOWN_TIMEOUT is over; the dispatcher ends. Run returns when all of
// that is done, and is called once.
func (s *Server) Run(ctx context.Context) (err error) {
	addr, err := s.Listen()
	if err != nil {
		return err
	}
	rdb, err := queue.Open(s.cfg.RedisURL)
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	dispatcher := queue.NewDispatcher(rdb, queue.DispatcherOptions{
		QueueLimit: s.cfg.QueueLimit,
		Timeout:    s.cfg.PlayTimeout,
		KeyTTL:     s.cfg.IdempotencyTTL,
		Logger:     s.log,
	})
	s.hub = &hub{dispatcher: dispatcher, timeout: s.cfg.PlayTimeout, timeoutMax: s.cfg.PlayTimeoutMax, log: s.log}
	s.ready = &readiness{redis: rdb}

	// What runs outlives ctx: it is told to end when its turn comes.
	plays, stopPlays := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPlays()
	var running sync.WaitGroup
	defer running.Wait()

	var dispatched, served, shown error
	running.Go(func() { dispatched = dispatcher.Run(plays) })
	running.Go(func() { shown = s.showProfiles(plays) })
	if s.advise {
		running.Go(func() { queue.Advise(plays, rdb, s.log) })
	}
	app := s.app(plays)
	serving := make(chan struct{})
	running.Go(func() {
		defer close(serving)
		served = app.Listener(s.listener)
	})
	s.announce(addr)

	select {
	case <-ctx.Done():
	case <-serving:
	}
	s.shutdown(ctx, app)
	stopPlays()
	running.Wait()
	return errors.Join(served, dispatched, shown)
}

// announce logs where the gateway listens, and warns when anyone may play.
func (s *Server) announce(addr net.Addr) {
	s.log.Info("the gateway listens", "addr", addr.String(), "circles", len(s.circles), "auth", s.cfg.EnableAuth, "tls", s.cfg.tls())
	switch {
	case s.cfg.EnableAuth || s.cfg.loopback():
	default:
		s.log.Warn("AUTHENTICATION IS OFF and the gateway listens beyond loopback: anyone who reaches it may play in every circle; set ENABLE_AUTH=true",
			"addr", addr.String())
	}
}

// shutdown ends all connections. Its order is that of Run's comment.
func (s *Server) shutdown(ctx context.Context, app *fiber.App) {
	s.log.Info("the gateway closes", "timeout", s.cfg.ShutdownTimeout.String())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	sessions := s.conns.drain()

	var closed sync.WaitGroup
	closed.Go(func() {
		if err := app.ShutdownWithContext(ctx); err != nil {
			s.log.Warn("connections were left open", "error", err)
		}
		// If serving has not begun yet, the library stopped nothing. Else this is
		// closed already.
		_ = s.listener.Close()
	})
	for _, each := range sessions {
		each.drain()
	}
	select {
	case <-s.conns.empty:
	case <-ctx.Done():
		s.endSessions()
	}
	closed.Wait()
}

// endSessions closes what is still open when the shutdown timeout is over.
func (s *Server) endSessions() {
	for _, each := range s.conns.sessions() {
		each.close(websocket.CloseGoingAway, closingReason)
	}
	timer := time.NewTimer(killWait)
	defer timer.Stop()
	select {
	case <-s.conns.empty:
		return
	case <-timer.C:
	}
	for _, each := range s.conns.sessions() {
		each.kill("the shutdown timeout is over")
	}
	<-s.conns.empty
}

// audienceFor is the audience of the challenges for a client that dialled host:
// that host where it is configured, else the first that is. A client that
// dialled another sees that the challenge isn't for it.
func (s *Server) audienceFor(host string) string {
	if host = normalHost(host); slices.Contains(s.audiences, host) {
		return host
	}
	return s.audiences[0]
}
