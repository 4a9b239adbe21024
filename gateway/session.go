package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fasthttp/websocket"

	"circles/pkg/circle"
	"circles/pkg/protocol"
)

const (
	// closeWait is how long a client gets to answer a close frame.
	closeWait = time.Second

	// maxDiscarded bounds what is read and dropped of a client that still sends
	// while it is being disconnected, in bytes.
	maxDiscarded = 64 << 20
)

// session is one socket. The goroutine that calls run reads and dispatches; run
// starts and waits for one more that writes, and for one that cancels plays while
// there are any to be cancelled. Plays are answered from the dispatcher's goroutines,
// which only ever touch the outbox.
//
// conn is the inner connection: the wrapper that the handler is given goes back
// to a pool when the handler returns.
type session struct {
	server *Server
	conn   *websocket.Conn
	circle circle.Key
	log    *slog.Logger
	auth   authenticator // of the reader alone
	out    *outbox

	flights flights

	closing chan struct{} // closed by close and kill, once

	ctx       context.Context // of the queueing and cancelling of plays; ends when the session is killed
	cancel    context.CancelFunc
	submitter sync.WaitGroup

	mu       sync.Mutex
	ending   bool // closing is closed
	killed   bool // nothing more is read or written
	gone     bool // run is over: the connection is somebody else's
	code     int  // of the close frame
	reason   string
	inFlight int
	draining bool

	// Cancellations that aren't carried out yet, in the order they came; as many
	// as plays are in flight at most.
	pending    []func()
	submitting bool
}

func (s *Server) newSession(ctx context.Context, conn *websocket.Conn, in circle.Key, host string, remote string) *session {
	ctx, cancel := context.WithCancel(ctx)
	return &session{
		ctx:    ctx,
		cancel: cancel,
		server: s,
		conn:   conn,
		circle: in,
		log:    s.log.With("circle", in.String(), "remote", remote),
		out:    newOutbox(s.cfg.MaxOutgoingBytes),
		auth: authenticator{
			circle:   in,
			audience: s.audienceFor(host),
			roleOf:   s.roleOf,
			now:      s.now,
			ttl:      s.cfg.NonceTTL,
			max:      s.cfg.MaxNonces,
		},
		closing: make(chan struct{}),
	}
}

// run serves the socket until it ends. When it returns, even by a panic, nothing
// uses the connection any more.
func (s *session) run() {
	s.log.Debug("connection opened")
	var writer sync.WaitGroup
	writer.Go(s.write)
	ended := errPanic
	defer func() {
		code, reason := closeCode(ended)
		s.close(code, reason)
		writer.Wait()
		s.out.close()
		s.linger(ended)
		s.submitter.Wait()
		s.cancel()
		s.leave()
		s.log.Debug("connection closed", "code", s.code, "reason", s.reason, "error", ended)
	}()
	ended = s.read()
}

// Errors that end a connection for what the client sent.
var (
	errBinary  = errors.New("got a binary message, want text")
	errNotUTF8 = errors.New("got a text message that is not UTF-8")
	errPanic   = errors.New("internal error")
)

// closeCode is the close frame for what the reader ended with.
func closeCode(err error) (int, string) {
	var timeout net.Error
	switch {
	case errors.Is(err, errBinary):
		return websocket.CloseUnsupportedData, err.Error()
	case errors.Is(err, errNotUTF8):
		return websocket.CloseInvalidFramePayloadData, err.Error()
	case errors.Is(err, errPanic):
		return websocket.CloseInternalServerErr, err.Error()
	case errors.Is(err, websocket.ErrReadLimit):
		return websocket.CloseMessageTooBig, ""
	case errors.As(err, &timeout) && timeout.Timeout():
		return websocket.ClosePolicyViolation, "no sign of life"
	}
	return websocket.CloseNormalClosure, ""
}

// read takes frames and dispatches them until the connection ends.
func (s *session) read() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("panic in a connection", "panic", cause, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	s.conn.SetReadLimit(s.server.cfg.MaxMessageBytes)
	s.conn.SetPongHandler(func(string) error { return s.alive() })
	ping := s.conn.PingHandler()
	s.conn.SetPingHandler(func(data string) error {
		if err := s.alive(); err != nil {
			return err
		}
		return ping(data)
	})
	for {
		if err := s.alive(); err != nil {
			return err
		}
		kind, data, err := s.conn.ReadMessage()
		switch {
		case err != nil:
			return err
		case s.isEnding():
			continue // until the client answers the close frame
		case kind != websocket.TextMessage:
			return errBinary
		case !utf8.Valid(data):
			return errNotUTF8
		}
		s.handle(protocol.DecodeFrame(data, s.server.cfg.MaxBatch))
		s.out.waitForSpace(s.closing)
	}
}

// alive gives the client until the idle timeout to show up again, or, when the
// connection is ending, leaves the deadline that was set then.
func (s *session) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil
	}
	return s.conn.SetReadDeadline(time.Now().Add(s.server.cfg.IdleTimeout))
}

// handle carries out what a frame asks for.
func (s *session) handle(frame protocol.Frame) {
	x := newExchange(s, frame)
	for i, entry := range frame.Entries {
		if entry.Error != nil {
			x.calls[i].answer(nil, entry.Error)
			continue
		}
		s.dispatch(&x.calls[i])
	}
}

// dispatch looks a call up in the dispatch table and carries it out.
func (s *session) dispatch(c *call) {
	m, ok := s.server.methods[c.request.Method]
	if !ok {
		c.answer(nil, protocol.Errorf(protocol.CodeMethodNotFound, "method not found"))
		return
	}
	if _, ok := s.identity(); !ok && !m.public {
		c.answer(nil, protocol.Errorf(protocol.CodeAuthRequired, "authentication required: call fetch_nonce, then authenticate"))
		return
	}
	defer s.survive(c)
	m.call(s, c)
}

// survive is deferred where calls are carried out: a panic is that call's error
// and nothing more.
func (s *session) survive(c *call) {
	if cause := recover(); cause != nil {
		s.log.Error("panic in a method", "method", c.request.Method, "panic", cause, "stack", string(debug.Stack()))
		c.answer(nil, internalError())
	}
}

// submit has a cancellation carried out after those that came before it. It
// doesn't wait: that takes a round trip to Redis, or much longer when Redis
// doesn't answer, and the reader has other things to do.
func (s *session) submit(cancellation func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, cancellation)
	if !s.submitting {
		s.submitting = true
		s.submitter.Go(s.submitPending)
	}
}

// submitPending is the goroutine that carries out cancellations. It ends when
// there are none.
func (s *session) submitPending() {
	for {
		s.mu.Lock()
		if len(s.pending) == 0 {
			s.pending, s.submitting = nil, false
			s.mu.Unlock()
			return
		}
		cancellation := s.pending[0]
		s.pending = s.pending[1:]
		s.mu.Unlock()
		cancellation()
	}
}

// identity is whom the connection speaks for; false when it may not play.
func (s *session) identity() (identity, bool) {
	if s.auth.authenticated() {
		return s.auth.who, true
	}
	return identity{role: protocol.RoleAnonymous}, !s.server.cfg.EnableAuth
}

// reserve takes a place for a play in flight.
func (s *session) reserve() *protocol.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining || s.ending {
		return closingError()
	}
	if most := s.server.cfg.MaxInFlight; s.inFlight >= most {
		return protocol.Errorf(protocol.CodeBusy, "busy: %d plays of this connection are in flight, at most %d may be", s.inFlight, most).
			WithData(protocol.RetryData{RetryAfterMS: inFlightRetry.Milliseconds(), Limit: "MAX_IN_FLIGHT"})
	}
	s.inFlight++
	return nil
}

// release gives places of plays in flight back.
func (s *session) release(slots int) {
	s.mu.Lock()
	s.inFlight -= slots
	drained := s.draining && s.inFlight == 0
	s.mu.Unlock()
	if drained {
		s.close(websocket.CloseGoingAway, closingReason)
	}
}

// drain tells the client that the gateway closes, takes no more plays, and
// closes the connection when those in flight are answered.
func (s *session) drain() {
	if notification, err := protocol.Notify(protocol.NotifyClosing, protocol.ClosingParams{Reason: closingReason}); err == nil {
		s.out.put(notification)
	}
	s.mu.Lock()
	s.draining = true
	drained := s.inFlight == 0
	s.mu.Unlock()
	if drained {
		s.close(websocket.CloseGoingAway, closingReason)
	}
}

// close ends the connection in order: what is queued is written, then a close
// frame. It doesn't wait.
func (s *session) close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	s.ending, s.code, s.reason = true, code, reason
	close(s.closing)
}

// kill ends the connection at once. It doesn't wait, and may be called when the
// connection is long gone.
func (s *session) kill(reason string) {
	s.close(websocket.ClosePolicyViolation, reason)
	s.out.close()
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killed = true
	if !s.gone {
		// Whoever reads or writes fails now. Closing is left to the HTTP server.
		_ = s.conn.NetConn().SetDeadline(time.Now())
	}
}

// leave marks that the connection isn't the session's any more.
func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

func (s *session) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// write is the writer: it writes frames as they come and pings, and at the end
// what is left and the close frame, within one write timeout.
func (s *session) write() {
	ping := time.NewTicker(s.server.cfg.PingInterval)
	defer ping.Stop()
	for {
		select {
		case <-s.out.ready:
			if !s.flush(s.writeDeadline) {
				return
			}
		case <-ping.C:
			if err := s.conn.WriteControl(websocket.PingMessage, nil, s.writeDeadline()); err != nil && !errors.Is(err, websocket.ErrCloseSent) {
				s.kill("a ping could not be written")
				return
			}
		case <-s.closing:
			last := s.writeDeadline()
			if s.flush(func() time.Time { return last }) {
				s.writeClose(last)
			}
			return
		}
	}
}

// flush writes what is queued. It reports false when the connection is lost.
func (s *session) flush(deadline func() time.Time) bool {
	for frame := s.out.take(); frame != nil; frame = s.out.take() {
		err := s.conn.SetWriteDeadline(deadline())
		if err == nil {
			err = s.conn.WriteMessage(websocket.TextMessage, frame)
		}
		switch {
		case errors.Is(err, websocket.ErrCloseSent):
			// The library answered the client's close frame, or a breach of the
			// protocol, with one of its own.
			s.out.close()
		case err != nil:
			s.kill("a message could not be written")
			return false
		}
	}
	return true
}

// writeClose writes the close frame and gives the client a while to answer it.
func (s *session) writeClose(deadline time.Time) {
	s.mu.Lock()
	frame, killed := websocket.FormatCloseMessage(s.code, s.reason), s.killed
	s.mu.Unlock()
	if killed {
		return
	}
	// It fails when a close frame was written before.
	_ = s.conn.WriteControl(websocket.CloseMessage, frame, deadline)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.killed {
		_ = s.conn.SetReadDeadline(time.Now().Add(closeWait))
	}
}

func (s *session) writeDeadline() time.Time { return time.Now().Add(s.server.cfg.WriteTimeout) }

// linger reads and drops what a client still sends after it was told why it is
// disconnected: to close a connection with unread data resets it, and the
// client might not get to read the close frame.
func (s *session) linger(err error) {
	var closed *websocket.CloseError
	if errors.As(err, &closed) || errors.Is(err, io.EOF) {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(s.conn.NetConn(), maxDiscarded))
}
