package client

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"circles/pkg/auth"
)

// Option changes how Dial connects.
type Option func(*options)

type options struct {
	tls         *tls.Config
	header      http.Header
	readLimit   int64
	dialTimeout time.Duration
	keepAlive   time.Duration
	reconnect   bool
	backoff     Backoff
	now         func() time.Time
}

func defaults() options {
	return options{
		readLimit:   16 << 20,
		dialTimeout: 10 * time.Second,
		keepAlive:   30 * time.Second,
		backoff:     Backoff{First: 250 * time.Millisecond, Longest: 15 * time.Second},
		now:         time.Now,
	}
}

// WithTLS sets how wss connections are secured: private authorities, client
// certificates.
func WithTLS(config *tls.Config) Option {
	return func(o *options) { o.tls = config.Clone() }
}

// WithHeader adds headers to the handshake, as a proxy on the way may want.
func WithHeader(header http.Header) Option {
	return func(o *options) { o.header = maps.Clone(header) }
}

// WithReadLimit bounds a message from the gateway, in bytes; 16 MiB otherwise.
// A longer one ends the connection.
func WithReadLimit(bytes int64) Option {
	return func(o *options) { o.readLimit = bytes }
}

// WithDialTimeout bounds one attempt to connect; 10 seconds otherwise.
func WithDialTimeout(timeout time.Duration) Option {
	return func(o *options) { o.dialTimeout = timeout }
}

// WithKeepAlive sets how often the gateway is pinged; 30 seconds otherwise. One
// that doesn't answer within 15 seconds counts as gone. Zero pings never.
func WithKeepAlive(interval time.Duration) Option {
	return func(o *options) { o.keepAlive = interval }
}

// Backoff says how attempts to reconnect are spaced: the first wait, growing
// by half each time up to the longest, each varied at random by up to half.
type Backoff struct {
	First, Longest time.Duration
}

// WithReconnect has the client connect again when the connection breaks, until
// it is closed or the gateway answers that it is no use: the circle is not
// served, or the key is no longer let in. A zero in the backoff keeps the
// default: 250 milliseconds first, 15 seconds at the longest.
func WithReconnect(backoff Backoff) Option {
	return func(o *options) {
		o.reconnect = true
		if backoff.First > 0 {
			o.backoff.First = backoff.First
		}
		if backoff.Longest > 0 {
			o.backoff.Longest = backoff.Longest
		}
	}
}

// WithClock sets the clock by which a challenge's age is judged.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.now = now }
}

// AuthOption changes how Authenticate signs.
type AuthOption func(*auth.Scheme)

// Scheme sets the signature scheme; auth.ECDSA otherwise.
func Scheme(scheme auth.Scheme) AuthOption {
	return func(s *auth.Scheme) { *s = scheme }
}

// PlayOption changes one play.
type PlayOption func(*play) error

// Args gives the script its args: any value that encoding/json encodes.
func Args(value any) PlayOption {
	return func(p *play) error {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode args: %w", err)
		}
		p.params.Args = text
		return nil
	}
}

// Timeout bounds the play at the gateway and the worker, from when the gateway
// took it; to the millisecond. Otherwise the gateway's own default holds. The
// context bounds only the caller's wait.
func Timeout(timeout time.Duration) PlayOption {
	return func(p *play) error {
		if timeout < time.Millisecond {
			return fmt.Errorf("got play timeout %s, want at least 1ms", timeout)
		}
		p.params.TimeoutMS = timeout.Milliseconds()
		return nil
	}
}

// IdempotencyKey names the play: the same key by the same caller in the same
// circle means the same play, however often it is sent, and it takes effect
// once. A client that reconnects sends such a play again by itself. The
// gateway keeps what the script came to, for 24 hours unless it is set otherwise;
// a play that had no effect because it expired, timed out or was cancelled leaves
// the key to the next attempt. Another script or other arguments under the same
// key are refused. A key has at most 256 bytes.
func IdempotencyKey(key string) PlayOption {
	return func(p *play) error {
		p.params.IdempotencyKey = key
		return nil
	}
}
