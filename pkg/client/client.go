package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

// Client is a caller's connection to one circle. Its methods may be called
// from any goroutine.
type Client struct {
	target  target
	options options
	dialer  *http.Client
	ctx     context.Context // ends when Close begins; it is no caller's
	stop    context.CancelFunc
	running sync.WaitGroup // the goroutine that keeps the connection

	mu      sync.Mutex
	conn    *conn         // the present connection; nil while there is none
	changed chan struct{} // closed and replaced whenever conn or err changes
	err     error         // why there won't be another connection
	trouble error         // why the latest attempt to reconnect failed
	signer  *signer       // who authenticated last: signs in again after a break
}

// signer is an identity and how it signs.
type signer struct {
	secret circle.Secret
	scheme auth.Scheme
}

// Dial connects to a circle: ws or wss (http and https mean the same), the
// gateway's host, and the circle's key as the path. The context bounds the
// dialling only. The error is a *DialError.
func Dial(ctx context.Context, url string, opts ...Option) (*Client, error) {
	where, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	c := &Client{target: where, options: defaults(), changed: make(chan struct{})}
	for _, option := range opts {
		option(&c.options)
	}
	c.dialer = newDialer(c.options)
	c.conn, err = c.dial(ctx)
	if err != nil {
		c.dialer.CloseIdleConnections()
		return nil, err
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.running.Go(c.keep)
	return c, nil
}

// Circle is the circle that was dialled.
func (c *Client) Circle() circle.Key { return c.target.circle }

// Close ends the connection properly and waits for everything the client
// started. Calls under way get an error. It may be called more than once.
func (c *Client) Close() error {
	c.stop()
	c.mu.Lock()
	current := c.conn
	c.mu.Unlock()
	if current != nil {
		current.close(ErrClosed)
	}
	c.running.Wait()
	c.dialer.CloseIdleConnections()
	return nil
}

// keep replaces the connection for as long as that is wanted. It is the only
// one that sets conn.
func (c *Client) keep() {
	for current := c.conn; ; {
		current.wait()
		cause := current.cause()
		if c.ctx.Err() != nil {
			cause = ErrClosed
		}
		if c.ctx.Err() != nil || !c.options.reconnect {
			c.set(nil, cause)
			return
		}
		c.set(nil, nil)
		next, err := c.redial()
		if err != nil {
			c.set(nil, err)
			return
		}
		current = next
		if !c.set(current, nil) {
			current.close(ErrClosed)
		}
	}
}

// set publishes the connection, or the end of all connections. It reports
// whether the client is still open: a connection set after Close looked for
// one is the setter's to close.
func (c *Client) set(current *conn, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.err, c.trouble = current, err, nil
	close(c.changed)
	c.changed = make(chan struct{})
	return c.ctx.Err() == nil
}

// note keeps why an attempt to reconnect failed, for those who wait.
func (c *Client) note(trouble error) {
	c.mu.Lock()
	c.trouble = trouble
	c.mu.Unlock()
}

// acquire returns a connection that takes calls, waiting for one when the
// client reconnects.
func (c *Client) acquire(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		current, changed, err := c.conn, c.changed, c.err
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if current != nil {
			err := current.refuses()
			if err == nil || !c.options.reconnect {
				return current, err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.trouble != nil {
				return nil, fmt.Errorf("%w while reconnecting: %w", ctx.Err(), c.trouble)
			}
			return nil, ctx.Err()
		}
	}
}

// do makes a call. A call that is repeatable is sent again when its connection
// breaks and the client reconnects.
func (c *Client) do(ctx context.Context, method string, params json.RawMessage, repeatable bool) (json.RawMessage, error) {
	sent := false // whether the gateway may have got it
	fail := func(cause error) error {
		if sent {
			return &UnknownOutcomeError{Method: method, Err: cause}
		}
		return &ConnectionError{Method: method, Err: cause}
	}
	for {
		current, err := c.acquire(ctx)
		if err != nil {
			return nil, fail(err)
		}
		result, err := current.call(ctx, method, params)
		var (
			lost      *lostError
			abandoned *abandonedError
		)
		switch {
		case errors.As(err, &lost):
			sent = sent || lost.sent
			if !c.options.reconnect || lost.sent && !repeatable {
				return nil, fail(lost.cause)
			}
		case errors.As(err, &abandoned):
			sent = sent || abandoned.sent
			return nil, fail(abandoned.cause)
		case sent && err != nil && method == protocol.MethodPlay && !keptByKey(err):
			return nil, fail(err)
		default:
			return result, err
		}
	}
}

// keptByKey reports whether a call's failure is what its idempotency key keeps:
// what the script itself came to. Any other failure of a call that was sent again
// speaks of the last sending alone.
func keptByKey(err error) bool {
	code := CodeOf(err)
	return code == protocol.CodeScript || code == protocol.CodeLimit
}

// ask makes a call with typed params and result.
func ask[R any](ctx context.Context, c *Client, method string, params any, repeatable bool) (R, error) {
	var result R
	var text json.RawMessage
	if params != nil {
		encoded, err := json.Marshal(params)
		if err != nil {
			return result, fmt.Errorf("encode the params of %s: %w", method, err)
		}
		text = encoded
	}
	answer, err := c.do(ctx, method, text, repeatable)
	if err != nil {
		return result, err
	}
	return decode[R](method, answer)
}

func decode[R any](method string, text json.RawMessage) (R, error) {
	var result R
	if err := json.Unmarshal(text, &result); err != nil {
		return result, fmt.Errorf("%s succeeded, but its result can't be read: %w", method, err)
	}
	return result, nil
}
