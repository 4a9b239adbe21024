package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/fasthttp/websocket"
	"golang.org/x/time/rate"

	"circles/pkg/circle"
	"circles/pkg/protocol"
)

const (
	// closeWait is how long a client gets to answer a close frame.
	closeWait = time.Second

	// keptMessage is the size of the largest buffer that is kept for the next
	// message, in bytes.
	keptMessage = 16 << 10

	// slack is the part of a timeout by which a deadline is set later than it has
	// to be: so it need not be set anew for each message.
	slack = 8

	// maxDiscarded bounds what is read and dropped of a client that still sends
	// while it is being disconnected, in bytes.
	maxDiscarded = 64 << 20
)

// session is one socket. The goroutine that calls run reads and dispatches; run
// waits for one more that writes while there is something that can't be written
// at once, and for one that cancels plays while there are any to be cancelled.
// Plays are answered from the dispatcher's goroutines, which never wait for the
// socket.
//
// All but the library's answers to a breach of the protocol is written by one at
// a time: frames do not mix.
//
// conn is the inner connection: the wrapper that the handler is given goes back
// to a pool when the handler returns.
type session struct {
	server *Server
	conn   *websocket.Conn
	raw    syscall.RawConn // of conn; nil when only the library may write
	circle circle.Key
	remote string
	auth   authenticator // of the reader alone
	out    *outbox

	refusals *rate.Limiter // of the reader alone; nil until there is one

	flights flights

	writeUntil time.Time   // the writer's deadline
	pings      *time.Timer // of run and the writer

	closing chan struct{} // closed by close and kill, once

	ctx       context.Context // of the queueing and cancelling of plays; ends when the session is killed
	cancel    context.CancelFunc
	submitter sync.WaitGroup
	writer    sync.WaitGroup

	mu        sync.Mutex
	readUntil time.Time // the reader's deadline, unless the session is ending
	ending    bool      // closing is closed
	ping      bool      // one is due
	pong      []byte    // the answer to one that is due; nil when none is
	rest      []byte    // of a frame that was begun: it comes before all else
	writing   bool      // there is a writer
	more      bool      // it is to look again before it ends
	written   bool      // there is none any more, and won't be
	killed    bool      // nothing more is read or written
	gone      bool      // run is over: the connection is somebody else's
	code      int       // of the close frame
	reason    string
	inFlight  int
	refused   int // plays since the reader looked
	draining  bool

	// Cancellations that aren't carried out yet, in the order they came; as many
	// as plays are in flight at most.
	pending    []func()
	submitting bool
}

func (s *Server) newSession(ctx context.Context, conn *websocket.Conn, raw syscall.RawConn, in circle.Key, host string, remote string) *session {
	ctx, cancel := context.WithCancel(ctx)
	return &session{
		ctx:    ctx,
		cancel: cancel,
		server: s,
		conn:   conn,
		raw:    raw,
		circle: in,
		remote: remote,
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
	s.debug("connection opened")
	s.mu.Lock()
	s.pings = time.AfterFunc(s.server.cfg.PingInterval, s.pingDue)
	s.mu.Unlock()
	ended := errPanic
	defer func() {
		code, reason := closeCode(ended)
		s.close(code, reason)
		s.writer.Wait()
		s.pings.Stop()
		s.out.close()
		s.linger(ended)
		s.submitter.Wait()
		s.cancel()
		s.leave()
		s.debug("connection closed", "code", s.code, "reason", s.reason, "error", ended)
	}()
	ended = s.read()
}

// log is made when it is needed: an idle connection keeps none.
func (s *session) log() *slog.Logger {
	return s.server.log.With("circle", s.circle.String(), "remote", s.remote)
}

// debug logs, where that is wanted: making a log line takes a deep stack.
func (s *session) debug(message string, args ...any) {
	if s.server.log.Enabled(s.ctx, slog.LevelDebug) {
		aside(func() { s.log().Debug(message, args...) })
	}
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
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return closed.Code, "" // as the client said
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
			s.log().Error("panic in a connection", "panic", cause, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	s.conn.SetReadLimit(s.server.cfg.MaxMessageBytes)
	s.conn.SetPongHandler(func(string) error { return s.alive() })
	s.conn.SetPingHandler(func(data string) error {
		s.pongDue(data)
		return s.alive()
	})
	s.conn.SetCloseHandler(func(int, string) error { return nil }) // run answers it
	for {
		if err := s.alive(); err != nil {
			return err
		}
		if err := s.readMessage(); err != nil {
			return err
		}
		s.out.waitForSpace(s.closing)
		s.slowDown()
	}
}

// slowDown has a client wait that goes on with plays although they are refused:
// what refusing takes is taken from other circles. What it sends meanwhile waits
// in its socket.
func (s *session) slowDown() {
	s.mu.Lock()
	refused := s.refused
	s.refused = 0
	s.mu.Unlock()
	if refused == 0 {
		return
	}
	most := s.server.cfg.MaxRefusals
	if s.refusals == nil {
		s.refusals = rate.NewLimiter(rate.Limit(most), most)
	}
	wait := s.refusals.ReserveN(time.Now(), min(refused, most)).Delay()
	if wait == 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}

// readMessage takes one message. While there is none it holds no memory for it.
func (s *session) readMessage() error {
	kind, reader, err := s.conn.NextReader()
	if err != nil {
		return err
	}
	message := s.server.messages.Get().(*bytes.Buffer)
	defer func() {
		if message.Cap() <= keptMessage {
			message.Reset()
			s.server.messages.Put(message)
		}
	}()
	if _, err := message.ReadFrom(reader); err != nil {
		return err
	}
	switch data := message.Bytes(); {
	case s.isEnding(): // until the client answers the close frame
	case kind != websocket.TextMessage:
		return errBinary
	case !utf8.Valid(data):
		return errNotUTF8
	default:
		if _, ok := s.identity(); ok {
			s.message(data)
		} else {
			aside(func() { s.message(data) })
		}
	}
	return nil
}

// aside runs f on a goroutine of its own and waits for it. A reader's stack keeps
// the size that it once took, as long as the connection lasts, and to sign in
// takes twice as much as to wait for plays. A panic is the caller's.
func aside(f func()) {
	var cause any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { cause = recover() }()
		f()
	}()
	<-done
	if cause != nil {
		panic(cause)
	}
}

// message carries out what a message asks for.
func (s *session) message(data []byte) { s.handle(protocol.DecodeFrame(data, s.server.cfg.MaxBatch)) }

// alive gives the client until the idle timeout to show up again, or, when the
// connection is ending, leaves the deadline that was set then.
func (s *session) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil
	}
	now, timeout := time.Now(), s.server.cfg.IdleTimeout
	if s.readUntil.Sub(now) >= timeout {
		return nil
	}
	s.readUntil = now.Add(timeout + timeout/slack)
	return s.conn.SetReadDeadline(s.readUntil)
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
		s.log().Error("panic in a method", "method", c.request.Method, "panic", cause, "stack", string(debug.Stack()))
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
	if s.inFlight >= s.server.cfg.MaxInFlight {
		s.refused++
		return s.server.tooMany
	}
	s.inFlight++
	return nil
}

// noteRefusal counts a play that was refused after it had got its place.
func (s *session) noteRefusal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
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
		f := s.server.newFrame()
		f.buffer = append(f.buffer, notification...)
		s.send(f)
		s.server.freeFrame(f)
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
	s.wakeWriter()
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
