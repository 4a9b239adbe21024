package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

// target is what a URL names.
type target struct {
	url      string // in ws or wss, without what doesn't belong
	audience string // the host as a challenge must name it
	circle   circle.Key
}

func parseTarget(text string) (target, error) {
	fail := func(reason string, cause error) (target, error) {
		return target{}, &DialError{URL: redact(text), Reason: reason, Err: cause}
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return fail("got something that is no URL, want ws://host:port/<circle key>", nil)
	}
	var plainPort string
	switch parsed.Scheme {
	case "ws", "http":
		parsed.Scheme, plainPort = "ws", "80"
	case "wss", "https":
		parsed.Scheme, plainPort = "wss", "443"
	default:
		return fail(fmt.Sprintf("got scheme %q, want ws or wss as in ws://host:port/<circle key>", parsed.Scheme), nil)
	}
	if parsed.Hostname() == "" {
		return fail("got no host, want ws://host:port/<circle key>", nil)
	}
	if parsed.User != nil {
		return fail("got a user or password in the URL, want none: authenticate with a private key", nil)
	}
	name := strings.Trim(parsed.Path, "/")
	if name == "" {
		return fail("got no circle, want its key as the path: ws://host:port/<circle key>", nil)
	}
	key, err := circle.Parse(name)
	if err != nil {
		return fail("the path is no circle key: "+err.Error(), err)
	}
	host := strings.ToLower(parsed.Host)
	if parsed.Port() == plainPort {
		host = strings.TrimSuffix(host, ":"+plainPort)
	}
	host = strings.TrimSuffix(host, ":")
	return target{
		url:      parsed.Scheme + "://" + host + "/" + key.String(),
		audience: host,
		circle:   key,
	}, nil
}

// redact keeps what identifies a URL in an error: no user, password or query.
func redact(text string) string {
	parsed, err := url.Parse(text)
	if err != nil {
		return "the URL given"
	}
	return (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path, Opaque: parsed.Opaque}).String()
}

// newDialer makes the HTTP client that does the handshakes. It follows no
// redirect: the host that was dialled is the one a challenge has to name.
func newDialer(o options) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: o.tls,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial makes one attempt.
func (c *Client) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.dialTimeout)
	defer cancel()
	ws, response, err := websocket.Dial(ctx, c.target.url, &websocket.DialOptions{
		HTTPClient: c.dialer,
		HTTPHeader: c.options.header,
	})
	if err != nil {
		return nil, c.target.explain(response, err)
	}
	ws.SetReadLimit(c.options.readLimit)
	return startConn(ws, c.options.keepAlive), nil
}

// redial attempts until it has a connection on which the caller is who it was
// on the last, or until that can't be had.
func (c *Client) redial() (*conn, error) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = c.options.backoff.First
	waits.MaxInterval = c.options.backoff.Longest
	attempt := func() (*conn, error) {
		next, err := c.dial(c.ctx)
		if err == nil {
			err = c.signInAgain(next)
			if err != nil {
				next.close(err)
			}
		}
		if err != nil && final(err) {
			err = backoff.Permanent(err)
		}
		return next, err
	}
	next, err := backoff.Retry(c.ctx, attempt, backoff.WithBackOff(waits), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) { c.note(err) }))
	if c.ctx.Err() != nil {
		if err == nil {
			next.close(ErrClosed)
		}
		return nil, ErrClosed
	}
	return next, err
}

// final reports whether trying again can't help.
func final(err error) bool {
	_, mismatch := errors.AsType[*auth.MismatchError](err)
	_, noChallenge := errors.AsType[*auth.ChallengeError](err)
	return mismatch || noChallenge || errors.Is(err, ErrCircleNotFound) || CodeOf(err) == protocol.CodeAuthFailed
}

// explain makes the words for a handshake that failed.
func (t target) explain(response *http.Response, cause error) *DialError {
	failed := &DialError{URL: t.url, Err: cause}
	if response != nil {
		failed.Status = response.StatusCode
	}
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		lookup    *net.DNSError
	)
	switch {
	case failed.Status == http.StatusNotFound:
		failed.Reason = "circle not found: " + serverMessage(response)
	case failed.Status == http.StatusUpgradeRequired:
		failed.Reason = "the gateway saw no WebSocket upgrade (426): a proxy on the way drops the Upgrade header"
	case failed.Status == http.StatusForbidden:
		failed.Reason = "the gateway refused the connection (403): " + serverMessage(response)
	case failed.Status >= 300 && failed.Status < 400:
		failed.Reason = fmt.Sprintf("got a redirect (%d) to %q, dial that if you trust it", failed.Status, response.Header.Get("Location"))
	case failed.Status != 0:
		failed.Reason = fmt.Sprintf("got HTTP status %d, want 101: %s", failed.Status, serverMessage(response))
	case errors.Is(cause, context.Canceled):
		failed.Reason = "given up before the gateway answered"
	case errors.Is(cause, context.DeadlineExceeded):
		failed.Reason = "the gateway did not answer in time"
	case errors.Is(cause, syscall.ECONNREFUSED):
		failed.Reason = "nothing listens at " + t.audience + ": is the gateway running?"
	case errors.As(cause, &lookup):
		failed.Reason = fmt.Sprintf("host %q can't be found", lookup.Name)
	case errors.Is(cause, io.EOF), errors.Is(cause, syscall.ECONNRESET), errors.Is(cause, syscall.EPIPE),
		// net/http's error, which it doesn't export, for a connection that closed before the request was sent.
		strings.Contains(cause.Error(), "server closed idle connection"):
		failed.Reason = "the connection was closed without an answer: if the gateway serves TLS, use wss:// instead of ws://"
	case errors.As(cause, &record), strings.Contains(cause.Error(), "server gave HTTP response to HTTPS client"):
		failed.Reason = "the gateway speaks no TLS there: use ws:// instead of wss://"
	case errors.As(cause, &authority):
		failed.Reason = "the gateway's certificate is signed by an authority that is not trusted here"
	case errors.As(cause, &name):
		failed.Reason = "the gateway's certificate is for another host: " + name.Error()
	default:
		failed.Reason = "no connection: " + rootCause(cause).Error()
	}
	return failed
}

// serverMessage is what the gateway says in the body of a refusal.
func serverMessage(response *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
	var said struct{ Error, Message string }
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		return said.Message
	}
	return http.StatusText(response.StatusCode)
}

func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
