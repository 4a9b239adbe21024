package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"circles/pkg/protocol"
)

// writeTimeout bounds one frame's way into the socket: a peer that reads
// nothing for as long is gone.
const writeTimeout = 10 * time.Second

// errPeerSilent is the cause when a ping was not answered in time.
var errPeerSilent = errors.New("gateway stopped answering")

// pongTimeout bounds the wait for the answer to one ping.
const pongTimeout = 15 * time.Second

// conn is one WebSocket, from the handshake to its end. It never reconnects.
// Three goroutines belong to it, the reader, the writer and the pinger; wait
// joins them.
//
// Callers never write: a context that ended during a write would close the
// socket for everybody else.
type conn struct {
	ws      *websocket.Conn
	ctx     context.Context // ends when the goroutines should; it is no caller's
	stop    context.CancelFunc
	frames  chan []byte     // to the writer
	pings   chan chan error // to the pinger; each channel has room for the result
	done    chan struct{}   // closed when calls have no more to hope for
	running sync.WaitGroup

	mu       sync.Mutex
	calls    map[uint64]chan answer // waiting calls by id; each channel has room for its answer
	last     uint64                 // the last id given
	draining bool                   // the gateway said that it closes: nothing new is sent
	err      error                  // why done was closed
}

// answer is the gateway's reply to one call.
type answer struct {
	result json.RawMessage
	err    *protocol.Error
}

// lostError says that a connection ended before a call was answered.
type lostError struct {
	sent  bool // the gateway may have got the call
	cause error
}

func (e *lostError) Error() string { return e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

// abandonedError says that the caller's context ended before the answer came.
type abandonedError struct {
	sent  bool // the gateway may have got the call
	cause error
}

func (e *abandonedError) Error() string { return e.cause.Error() }
func (e *abandonedError) Unwrap() error { return e.cause }

func startConn(ws *websocket.Conn, keepAlive time.Duration) *conn {
	ctx, stop := context.WithCancel(context.Background())
	c := &conn{
		ws:     ws,
		ctx:    ctx,
		stop:   stop,
		frames: make(chan []byte),
		pings:  make(chan chan error),
		done:   make(chan struct{}),
		calls:  make(map[uint64]chan answer),
	}
	c.running.Go(func() { c.fail(c.read()) })
	c.running.Go(func() { c.fail(c.write()) })
	c.running.Go(func() { c.fail(c.ping(keepAlive)) })
	return c
}

// settle ends the waiting of calls; the first cause stays. It reports whether
// this one was the first.
func (c *conn) settle(cause error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.err = cause
	close(c.done)
	return true
}

// fail ends the connection without ceremony.
func (c *conn) fail(cause error) {
	c.settle(cause)
	c.stop()
}

// close ends the connection with the closing handshake, which takes up to ten
// seconds with a peer that doesn't answer, and waits for everything of it.
func (c *conn) close(cause error) {
	if c.settle(cause) {
		_ = c.ws.Close(websocket.StatusNormalClosure, "")
	}
	c.stop()
	c.wait()
}

// wait returns when the connection has ended and nothing of it is left.
func (c *conn) wait() {
	<-c.ctx.Done()
	_ = c.ws.CloseNow()
	c.running.Wait()
}

func (c *conn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// refuses says why nothing may be sent; nil when it may.
func (c *conn) refuses() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.draining {
		return ErrDraining
	}
	return c.err
}

// idle reports that the gateway closes and no call waits any more.
func (c *conn) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining && len(c.calls) == 0
}

func (c *conn) register() (uint64, chan answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return 0, nil, &lostError{cause: c.err}
	case c.draining:
		return 0, nil, &lostError{cause: ErrDraining}
	}
	c.last++
	answered := make(chan answer, 1)
	c.calls[c.last] = answered
	return c.last, answered, nil
}

func (c *conn) forget(id uint64) {
	c.mu.Lock()
	delete(c.calls, id)
	c.mu.Unlock()
}

// call sends a call and awaits its answer. The error is the gateway's *Error, a
// *lostError or an *abandonedError.
func (c *conn) call(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, &abandonedError{cause: err}
	}
	id, answered, err := c.register()
	if err != nil {
		return nil, err
	}
	defer c.forget(id)

	request := protocol.Request{ID: strconv.AppendUint(nil, id, 10), Method: method, Params: params}
	select {
	case c.frames <- request.AppendJSON(nil):
	case <-c.done:
		return nil, &lostError{cause: c.cause()}
	case <-ctx.Done():
		return nil, &abandonedError{cause: ctx.Err()}
	}

	select {
	case got := <-answered:
		return got.unpack(method)
	case <-ctx.Done():
		if method == protocol.MethodPlay {
			c.cancelPlay(id)
		}
		return nil, &abandonedError{sent: true, cause: ctx.Err()}
	case <-c.done:
	}
	select {
	case got := <-answered: // It came just before the end.
		return got.unpack(method)
	default:
		return nil, &lostError{sent: true, cause: c.cause()}
	}
}

// cancelPlay asks the gateway to end a play that nobody waits for any more. It
// doesn't wait for the writer: a goroutine does, which the connection joins.
func (c *conn) cancelPlay(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	params := fmt.Appendf(nil, `{"id":%d}`, id)
	frame := protocol.Request{Method: protocol.MethodCancel, Params: params}.AppendJSON(nil)
	c.running.Go(func() {
		select {
		case c.frames <- frame:
		case <-c.ctx.Done():
		}
	})
}

func (a answer) unpack(method string) (json.RawMessage, error) {
	if a.err != nil {
		return nil, &Error{Method: method, Code: a.err.Code, Message: a.err.Message, Data: a.err.Data}
	}
	return a.result, nil
}

// pinged asks the pinger for a ping now and awaits the result.
func (c *conn) pinged(ctx context.Context) error {
	result := make(chan error, 1)
	select {
	case c.pings <- result:
	case <-c.done:
		return &lostError{cause: c.cause()}
	case <-ctx.Done():
		return &abandonedError{cause: ctx.Err()}
	}
	select {
	case err := <-result:
		return err
	case <-c.done:
		return &lostError{cause: c.cause()}
	case <-ctx.Done():
		return &abandonedError{cause: ctx.Err()}
	}
}

// read is the reader: it hands each answer to the call that waits for it.
func (c *conn) read() error {
	for {
		kind, data, err := c.ws.Read(c.ctx)
		if err != nil {
			return closedBy(err)
		}
		if kind != websocket.MessageText {
			return errors.New("gateway sent a binary message, want text")
		}
		replies, err := protocol.DecodeReplies(data)
		if err != nil {
			return fmt.Errorf("gateway sent something else than JSON-RPC: %w", err)
		}
		for _, reply := range replies {
			c.deliver(reply)
		}
		if c.idle() {
			_ = c.ws.Close(websocket.StatusNormalClosure, "")
			return ErrDraining
		}
	}
}

// deliver takes one message of the gateway. What nobody waits for is dropped:
// the answers to calls that were given up, and notifications of no use here.
func (c *conn) deliver(reply protocol.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if reply.Method != "" {
		c.draining = c.draining || reply.Method == protocol.NotifyClosing
		return
	}
	id, err := strconv.ParseUint(string(reply.ID), 10, 64)
	if err != nil {
		return
	}
	if answered, waiting := c.calls[id]; waiting {
		delete(c.calls, id)
		answered <- answer{result: reply.Result, err: reply.Error}
	}
}

// write is the writer.
func (c *conn) write() error {
	for {
		select {
		case frame := <-c.frames:
			ctx, cancel := context.WithTimeout(c.ctx, writeTimeout)
			err := c.ws.Write(ctx, websocket.MessageText, frame)
			cancel()
			if err != nil {
				return fmt.Errorf("write: %w", rootCause(err))
			}
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
}

// ping is the pinger: at each interval and whenever a caller asks. An interval
// of zero leaves the callers.
func (c *conn) ping(interval time.Duration) error {
	var ticks <-chan time.Time
	if interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		var result chan error
		select {
		case <-ticks:
		case result = <-c.pings:
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
		ctx, cancel := context.WithTimeout(c.ctx, pongTimeout)
		err := c.ws.Ping(ctx)
		cancel()
		if result != nil && err == nil {
			result <- nil
		}
		if err != nil {
			return errPeerSilent
		}
	}
}

// closedBy says in plain words why a read failed.
func closedBy(err error) error {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed) && closed.Code == websocket.StatusGoingAway:
		return ErrDraining
	case errors.As(err, &closed):
		return fmt.Errorf("gateway closed the connection: %w", closed)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("connection broke: %w", rootCause(err))
	}
	return err
}
