package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	contrib "github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"

	"circles/gateway/console"
	"circles/pkg/circle"
)

const (
	// maxEchoedPath bounds how much of a path an answer repeats, in bytes.
	maxEchoedPath = 200

	// maxHeaderBytes bounds the head of an HTTP request, maxBodyBytes its body:
	// nothing is ever asked with one.
	maxHeaderBytes = 8 << 10
	maxBodyBytes   = 1 << 10

	// plainRequests is how many connections may be HTTP at the same time besides
	// those that become sockets: health is asked when there are no places left too.
	plainRequests = 256

	// readBytes and writeBytes are a socket's buffers: the first it has while it
	// lasts, the second is lent to it for a message. Larger messages do without.
	readBytes  = 512
	writeBytes = 4 << 10

	// workerIdle is how long the HTTP server keeps a goroutine for the next
	// request, and how long it takes to end after it was shut down.
	workerIdle = 100 * time.Millisecond
)

// Names under which the upgrade hands on what it knows.
const (
	localCircle  = "circle"
	localConn    = "conn"
	localHost    = "host"
	localRequest = "request"
)

// problem is the JSON of every answer that is an error.
type problem struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// app makes the HTTP side. ctx is that of the sessions.
func (s *Server) app(ctx context.Context) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:               "circles gateway",
		DisableStartupMessage: true,
		CaseSensitive:         true,
		ReadBufferSize:        maxHeaderBytes,
		BodyLimit:             maxBodyBytes,
		Concurrency:           s.cfg.MaxConnections + plainRequests,
		ReadTimeout:           s.cfg.HTTPTimeout,
		WriteTimeout:          s.cfg.HTTPTimeout,
		IdleTimeout:           s.cfg.HTTPTimeout,
		ReduceMemoryUsage:     true, // a socket would keep the request's buffer
		ErrorHandler:          s.httpError,
	})
	app.Server().Logger = printf{s.log}
	app.Server().MaxIdleWorkerDuration = workerIdle
	app.Server().ConnState = func(conn net.Conn, state fasthttp.ConnState) {
		if state == fasthttp.StateClosed {
			// It ended as HTTP: if it was upgraded, the answer didn't get through.
			s.conns.giveBack(conn)
		}
	}
	app.Use(fiberrecover.New(fiberrecover.Config{
		EnableStackTrace:  true,
		StackTraceHandler: func(_ *fiber.Ctx, cause any) { s.logPanic("panic in an HTTP request", cause) },
	}))
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) })
	app.Get("/readyz", func(c *fiber.Ctx) error { return s.readyz(ctx, c) })
	app.Get("/openrpc.json", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(s.openRPC)
	})
	app.Get("/", func(c *fiber.Ctx) error { return c.Redirect(console.Path) })
	console.Mount(app)
	app.All("/:circle", s.admit, s.upgrade(ctx))
	app.Use(func(c *fiber.Ctx) error { return circleNotFound(c) })
	return app
}

// admit decides who is upgraded: the answers are given while they can be HTTP.
func (s *Server) admit(c *fiber.Ctx) error {
	key, err := circle.Parse(c.Params("circle"))
	if _, ok := s.circles[key]; err != nil || !ok {
		return circleNotFound(c)
	}
	if !contrib.IsWebSocketUpgrade(c) {
		c.Set(fiber.HeaderUpgrade, "websocket")
		c.Set(fiber.HeaderConnection, "Upgrade")
		return fail(c, http.StatusUpgradeRequired, "this is the address of a circle; open it as a WebSocket")
	}
	if !s.origins.allow(c.Get(fiber.HeaderOrigin), c.Get(fiber.HeaderHost)) {
		return fail(c, http.StatusForbidden, "pages of this origin may not connect; ALLOWED_ORIGINS names those that may")
	}
	conn := c.Context().Conn()
	if err := s.conns.take(conn); err != nil {
		c.Set(fiber.HeaderRetryAfter, "1")
		return fail(c, http.StatusServiceUnavailable, err.Error())
	}
	c.Locals(localCircle, key)
	c.Locals(localConn, conn)
	c.Locals(localHost, strings.Clone(c.Get(fiber.HeaderHost)))
	c.Locals(localRequest, c.Context())
	return c.Next()
}

// upgrade turns the request into a session. The origin is checked in admit, by
// rules that the library's list can't express, so all pass here.
func (s *Server) upgrade(ctx context.Context) fiber.Handler {
	handler := contrib.New(func(wrapper *contrib.Conn) {
		conn, _ := wrapper.Locals(localConn).(net.Conn)
		key, _ := wrapper.Locals(localCircle).(circle.Key)
		host, _ := wrapper.Locals(localHost).(string)
		if request, ok := wrapper.Locals(localRequest).(*fasthttp.RequestCtx); ok {
			// The HTTP server keeps it as long as the socket lasts; its buffers
			// are of no more use.
			request.Request, request.Response = fasthttp.Request{}, fasthttp.Response{}
		}
		defer s.conns.giveBack(conn)
		each := s.newSession(ctx, wrapper.Conn, directTo(conn), key, host, conn.RemoteAddr().String())
		if !s.conns.begin(conn, each) {
			each.drain() // it ends as soon as it runs
		}
		each.run()
	}, contrib.Config{
		Origins:         []string{"*"},
		ReadBufferSize:  readBytes,
		WriteBufferSize: writeBytes,
		WriteBufferPool: new(sync.Pool),
		RecoverHandler: func(*contrib.Conn) {
			if cause := recover(); cause != nil {
				s.logPanic("panic in a session", cause)
			}
		},
	})
	return func(c *fiber.Ctx) error {
		err := handler(c)
		if err != nil {
			if conn, ok := c.Locals(localConn).(net.Conn); ok {
				s.conns.giveBack(conn)
			}
			return fail(c, http.StatusUpgradeRequired, "the WebSocket handshake is not one of version 13")
		}
		return nil
	}
}

func (s *Server) readyz(ctx context.Context, c *fiber.Ctx) error {
	if s.conns.isDraining() {
		return fail(c, http.StatusServiceUnavailable, "the gateway is closing")
	}
	if err := s.ready.check(ctx); err != nil {
		s.log.Warn("not ready: redis can't be reached or takes no plays", "error", err)
		return fail(c, http.StatusServiceUnavailable, "redis can't be reached or takes no plays")
	}
	return c.JSON(fiber.Map{"status": "ready"})
}

func circleNotFound(c *fiber.Ctx) error {
	path := strings.ToValidUTF8(strings.TrimPrefix(c.Path(), "/"), "\ufffd")
	if len(path) > maxEchoedPath {
		path = strings.ToValidUTF8(path[:maxEchoedPath], "") + "…"
	}
	return c.Status(http.StatusNotFound).JSON(problem{
		Error:   "Circle not found",
		Message: fmt.Sprintf("Circle '%s' is not available on this server", path),
	})
}

func fail(c *fiber.Ctx, status int, message string) error {
	return c.Status(status).JSON(problem{Error: http.StatusText(status), Message: message})
}

// httpError answers what no handler did. It shows nothing of the cause.
func (s *Server) httpError(c *fiber.Ctx, err error) error {
	status := http.StatusInternalServerError
	var known *fiber.Error
	if errors.As(err, &known) {
		status = known.Code
	}
	if status == http.StatusNotFound {
		return circleNotFound(c)
	}
	if status >= http.StatusInternalServerError {
		s.log.Error("an HTTP request failed", "error", err)
	}
	return fail(c, status, strings.ToLower(http.StatusText(status)))
}

func (s *Server) logPanic(what string, cause any) {
	s.log.Error(what, "panic", cause, "stack", string(debug.Stack()))
}

// printf is the HTTP server's logger.
type printf struct{ log *slog.Logger }

func (p printf) Printf(format string, args ...any) {
	p.log.Debug("http: " + fmt.Sprintf(format, args...))
}
