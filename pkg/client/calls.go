package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

// Result is what a script came to.
type Result struct {
	PlayID  string
	Output  string          // the value as Rhai prints it
	Value   json.RawMessage // the value as JSON
	Elapsed time.Duration   // how long the script ran
}

// Decode stores the value in what the pointer points to, as encoding/json does.
func (r *Result) Decode(into any) error {
	if err := json.Unmarshal(r.Value, into); err != nil {
		return fmt.Errorf("decode the value of play %s: %w", r.PlayID, err)
	}
	return nil
}

// play is one play while its options are applied.
type play struct {
	params protocol.PlayParams
}

// Play runs a script in the circle and returns its value. The error is an *Error
// when the script failed or was refused; see the package comment for the rest.
// When the context ends Play returns at once, and the gateway is asked to cancel
// the play; whether that came in time is not known.
func (c *Client) Play(ctx context.Context, script string, opts ...PlayOption) (*Result, error) {
	play := play{params: protocol.PlayParams{Script: script}}
	for _, option := range opts {
		if err := option(&play); err != nil {
			return nil, err
		}
	}
	repeatable := play.params.IdempotencyKey != ""
	got, err := ask[protocol.PlayResult](ctx, c, protocol.MethodPlay, play.params, repeatable)
	if answered, ok := errors.AsType[*Error](err); ok && answered.mayHaveRun() {
		err = &UnknownOutcomeError{Method: protocol.MethodPlay, Err: answered}
	}
	if err != nil {
		return nil, err
	}
	return &Result{
		PlayID:  got.PlayID,
		Output:  got.Output,
		Value:   got.Value,
		Elapsed: time.Duration(got.ElapsedUS) * time.Microsecond,
	}, nil
}

// Identity is who the gateway takes a connection for.
type Identity struct {
	Circle        circle.Key
	Authenticated bool
	Key           circle.Key    // the zero Key unless authenticated
	Role          protocol.Role // empty when one has to authenticate first
}

// Whoami asks who the gateway takes this connection for.
func (c *Client) Whoami(ctx context.Context) (Identity, error) {
	got, err := ask[protocol.WhoamiResult](ctx, c, protocol.MethodWhoami, nil, true)
	if err != nil {
		return Identity{}, err
	}
	who := Identity{Circle: got.Circle, Authenticated: got.Authenticated}
	if got.PubKey != nil {
		who.Key = *got.PubKey
	}
	if got.Role != nil {
		who.Role = *got.Role
	}
	return who, nil
}

// Discover returns the gateway's OpenRPC document.
func (c *Client) Discover(ctx context.Context) (json.RawMessage, error) {
	return c.do(ctx, protocol.MethodDiscover, nil, true)
}

// Ping returns how long a WebSocket ping took to the gateway and back.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	for {
		current, err := c.acquire(ctx)
		if err != nil {
			return 0, &ConnectionError{Method: "ping", Err: err}
		}
		begin := time.Now()
		err = current.pinged(ctx)
		if err == nil {
			return time.Since(begin), nil
		}
		if _, lost := errors.AsType[*lostError](err); !lost || !c.options.reconnect {
			return 0, &ConnectionError{Method: "ping", Err: errors.Unwrap(err)}
		}
	}
}

// Authenticate proves to the gateway that the caller holds the private key. It
// signs only a challenge that names the host that was dialled, this circle and
// this key. A client that reconnects keeps the key and authenticates again.
//
// The error is an *Error with protocol.CodeAuthFailed when the gateway refused,
// and an *auth.MismatchError or *auth.ChallengeError in the chain when the
// client refused to sign.
func (c *Client) Authenticate(ctx context.Context, secret circle.Secret, opts ...AuthOption) (Identity, error) {
	by := &signer{secret: secret, scheme: auth.ECDSA}
	for _, option := range opts {
		option(&by.scheme)
	}
	if secret.IsZero() {
		return Identity{}, errors.New("authenticate: got no private key")
	}
	for {
		current, err := c.acquire(ctx)
		if err != nil {
			return Identity{}, &ConnectionError{Method: protocol.MethodAuthenticate, Err: err}
		}
		who, err := c.signIn(ctx, current, by)
		if err == nil {
			c.mu.Lock()
			c.signer = by
			c.mu.Unlock()
			return who, nil
		}
		if lost, ok := errors.AsType[*lostError](err); ok {
			if c.options.reconnect {
				continue // The next connection is nobody's either: begin again.
			}
			return Identity{}, &ConnectionError{Method: protocol.MethodAuthenticate, Err: lost.cause}
		}
		if abandoned, ok := errors.AsType[*abandonedError](err); ok {
			err = fmt.Errorf("authenticate: %w", abandoned.cause)
		}
		return Identity{}, err
	}
}

// signInAgain makes a new connection speak for whom the last one did.
func (c *Client) signInAgain(on *conn) error {
	c.mu.Lock()
	by := c.signer
	c.mu.Unlock()
	if by == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.options.dialTimeout)
	defer cancel()
	_, err := c.signIn(ctx, on, by)
	return err
}

// signIn authenticates one connection.
func (c *Client) signIn(ctx context.Context, on *conn, by *signer) (Identity, error) {
	key := by.secret.Public()
	params, err := json.Marshal(protocol.FetchNonceParams{PubKey: key})
	if err != nil {
		return Identity{}, fmt.Errorf("authenticate: %w", err)
	}
	answer, err := on.call(ctx, protocol.MethodFetchNonce, params)
	if err != nil {
		return Identity{}, err
	}
	offered, err := decode[protocol.FetchNonceResult](protocol.MethodFetchNonce, answer)
	if err != nil {
		return Identity{}, err
	}
	signature, err := c.sign(offered.Challenge, by)
	if err != nil {
		return Identity{}, fmt.Errorf("authenticate: nothing was signed: %w", err)
	}
	params, err = json.Marshal(protocol.AuthenticateParams{PubKey: key, Signature: signature, Scheme: by.scheme})
	if err != nil {
		return Identity{}, fmt.Errorf("authenticate: %w", err)
	}
	answer, err = on.call(ctx, protocol.MethodAuthenticate, params)
	if err != nil {
		return Identity{}, err
	}
	got, err := decode[protocol.AuthenticateResult](protocol.MethodAuthenticate, answer)
	if err != nil {
		return Identity{}, err
	}
	return Identity{Circle: c.target.circle, Authenticated: got.Authenticated, Key: got.PubKey, Role: got.Role}, nil
}

// sign signs a challenge that is what this client asked for, and nothing else.
func (c *Client) sign(text string, by *signer) (string, error) {
	challenge, err := auth.ParseChallenge(text)
	if err != nil {
		return "", err
	}
	if err := challenge.Matches(c.target.audience, c.target.circle, by.secret.Public(), c.options.now()); err != nil {
		return "", err
	}
	return auth.Sign(by.scheme, by.secret, text)
}
