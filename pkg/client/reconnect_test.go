package client_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/protocol"
)

// cutFirst answers plays, but ends the first connection instead.
func cutFirst(g *gateway) {
	g.play = func(_ context.Context, s *session, params protocol.PlayParams) (any, *protocol.Error) {
		if s.number == 1 {
			s.cut()
		}
		return result(params.Script), nil
	}
}

func TestBrokenConnectionLeavesTheOutcomeUnknown(t *testing.T) {
	g, _ := serve(t, cutFirst)
	c := dial(t, g.url())
	_, err := c.Play(testContext(t), "1", client.IdempotencyKey("k"))
	if _, ok := errors.AsType[*client.UnknownOutcomeError](err); !ok {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	_, err = c.Play(testContext(t), "2")
	if _, ok := errors.AsType[*client.ConnectionError](err); !ok {
		t.Fatalf("got %v, want a ConnectionError: nothing was sent", err)
	}
	if _, err := c.Ping(testContext(t)); err == nil {
		t.Error("ping: got no error")
	}
	if _, err := c.Authenticate(testContext(t), mustSecret(t)); err == nil {
		t.Error("authenticate: got no error")
	}
}

func TestReconnectSendsOnlyWhatMayBeRepeated(t *testing.T) {
	g, _ := serve(t, cutFirst)
	c := dial(t, g.url(), soon())
	_, err := c.Play(testContext(t), "plain")
	if _, ok := errors.AsType[*client.UnknownOutcomeError](err); !ok {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	if got, err := c.Play(testContext(t), "next"); err != nil || got.Output != "next" {
		t.Fatalf("got %+v and error %v, want next", got, err)
	}
	if got := g.connections(); got != 2 {
		t.Errorf("got %d connections, want 2", got)
	}
}

func TestReconnectSendsAPlayWithAnIdempotencyKeyAgain(t *testing.T) {
	g, _ := serve(t, cutFirst)
	c := dial(t, g.url(), soon())
	got, err := c.Play(testContext(t), "again", client.IdempotencyKey("k"))
	if err != nil || got.Output != "again" {
		t.Fatalf("got %+v and error %v, want again", got, err)
	}
}

func TestRefusalOfAPlaySentAgainLeavesTheFirstSendingUnknown(t *testing.T) {
	for code, unknown := range map[protocol.Code]bool{
		protocol.CodeBusy: true, protocol.CodeExpired: true, protocol.CodeTimeout: true, protocol.CodeCancelled: true,
		protocol.CodeScript: false, protocol.CodeLimit: false, // the key keeps what the script came to
	} {
		g, _ := serve(t, func(g *gateway) {
			g.play = func(_ context.Context, s *session, _ protocol.PlayParams) (any, *protocol.Error) {
				if s.number == 1 {
					s.cut()
				}
				return nil, protocol.Errorf(code, "refused")
			}
		})
		c := dial(t, g.url(), soon())
		_, err := c.Play(testContext(t), "1", client.IdempotencyKey("k"))
		if _, got := errors.AsType[*client.UnknownOutcomeError](err); got != unknown || client.CodeOf(err) != code {
			t.Errorf("%d: got %T %v, want an unknown outcome: %t", code, err, err, unknown)
		}
	}
}

func TestReconnectAuthenticatesAgain(t *testing.T) {
	g, secret := serve(t, func(g *gateway) {
		g.play = func(_ context.Context, s *session, params protocol.PlayParams) (any, *protocol.Error) {
			if s.number < 3 {
				s.cut()
			}
			if s.who() != s.gateway.circle {
				return nil, protocol.Errorf(protocol.CodeAuthRequired, "authentication required")
			}
			return result(params.Script), nil
		}
	})
	c := dial(t, g.url(), soon())
	if _, err := c.Authenticate(testContext(t), secret); err != nil {
		t.Fatal(err)
	}
	got, err := c.Play(testContext(t), "mine", client.IdempotencyKey("k"))
	if err != nil || got.Output != "mine" {
		t.Fatalf("got %+v and error %v, want mine", got, err)
	}
	if got := g.signatures(); got != 3 {
		t.Errorf("got %d signatures, want one a connection", got)
	}
}

func TestReconnectGoesOnWhileTheGatewayIsDown(t *testing.T) {
	var attempts atomic.Int32
	g, _ := serve(t, func(g *gateway) {
		cutFirst(g)
		g.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
			down := attempts.Add(1) > 1 && attempts.Load() < 5
			if down {
				w.WriteHeader(http.StatusBadGateway)
			}
			return down
		}
	})
	c := dial(t, g.url(), soon())
	if got, err := c.Play(testContext(t), "late", client.IdempotencyKey("k")); err != nil || got.Output != "late" {
		t.Fatalf("got %+v and error %v, want late", got, err)
	}
}

func TestReconnectEndsWhenTheCircleIsGone(t *testing.T) {
	var gone atomic.Bool
	g, _ := serve(t, func(g *gateway) {
		cutFirst(g)
		g.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			if gone.Load() {
				notFound(w, r)
			}
			return gone.Load()
		}
	})
	c := dial(t, g.url(), soon())
	gone.Store(true)
	_, err := c.Play(testContext(t), "1", client.IdempotencyKey("k"))
	if _, unknown := errors.AsType[*client.UnknownOutcomeError](err); !unknown || !errors.Is(err, client.ErrCircleNotFound) {
		t.Fatalf("got %v, want an unknown outcome because the circle is not found", err)
	}
	if _, err := c.Play(testContext(t), "2"); !errors.Is(err, client.ErrCircleNotFound) {
		t.Fatalf("got %v, want that the circle is not found", err)
	}
}

func TestCallThatWaitsForAConnectionSaysWhyThereIsNone(t *testing.T) {
	var down atomic.Bool
	tried := make(chan struct{}, 1000)
	g, _ := serve(t, func(g *gateway) {
		cutFirst(g)
		g.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
			if down.Load() {
				w.WriteHeader(http.StatusBadGateway)
				tried <- struct{}{}
			}
			return down.Load()
		}
	})
	c := dial(t, g.url(), soon())
	down.Store(true)
	_, _ = c.Play(testContext(t), "1")
	<-tried
	<-tried // The first attempt's failure is known by now.
	ctx, cancel := context.WithCancel(testContext(t))
	go func() {
		<-tried
		cancel()
	}()
	_, err := c.Play(ctx, "2")
	if failed, ok := errors.AsType[*client.DialError](err); !ok || failed.Status != http.StatusBadGateway || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error and the failed dial", err)
	}
}

func TestClosingGatewayAnswersWhatRunsAndGetsNothingNew(t *testing.T) {
	var (
		held      = make(chan struct{})
		announced = make(chan struct{})
		release   = make(chan struct{})
	)
	g, _ := serve(t, func(g *gateway) {
		g.play = func(_ context.Context, s *session, params protocol.PlayParams) (any, *protocol.Error) {
			switch params.Script {
			case "marker": // Its answer comes after the announcement, on the same socket.
				close(held)
				<-announced
			case "running":
				s.notify(protocol.NotifyClosing, protocol.ClosingParams{Reason: "shutdown"})
				close(announced)
				<-release
			}
			return result(strconv.Itoa(s.number)), nil
		}
	})
	c := dial(t, g.url(), soon())
	play := func(script string) <-chan string {
		connection := make(chan string, 1)
		go func() {
			got, err := c.Play(testContext(t), script)
			if err != nil {
				connection <- err.Error()
				return
			}
			connection <- got.Output
		}()
		return connection
	}
	marker := play("marker")
	<-held
	running := play("running")
	if got := <-marker; got != "1" {
		t.Fatalf("marker: got %q, want an answer from connection 1", got)
	}
	next := play("new")
	close(release)
	if got := <-running; got != "1" {
		t.Errorf("running play: got %q, want an answer from connection 1", got)
	}
	if got := <-next; got != "2" {
		t.Errorf("new play: got %q, want an answer from connection 2", got)
	}
}

func TestCloseEndsCallsAndEverythingElse(t *testing.T) {
	began := make(chan struct{})
	g, _ := serve(t, func(g *gateway) {
		g.play = func(ctx context.Context, _ *session, _ protocol.PlayParams) (any, *protocol.Error) {
			close(began)
			<-ctx.Done()
			return nil, protocol.Errorf(protocol.CodeInternal, "internal error")
		}
	})
	c := dial(t, g.url(), soon())
	ended := make(chan error, 1)
	go func() {
		_, err := c.Play(testContext(t), "1", client.IdempotencyKey("k"))
		ended <- err
	}()
	<-began
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, client.ErrClosed) {
		t.Errorf("running play: got %v, want that the client is closed", err)
	}
	if _, err := c.Play(testContext(t), "2"); !errors.Is(err, client.ErrClosed) {
		t.Errorf("new play: got %v, want that the client is closed", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second close: got %v", err)
	}
}

func TestCloseWhileReconnecting(t *testing.T) {
	var down atomic.Bool
	tried := make(chan struct{}, 1000)
	g, _ := serve(t, func(g *gateway) {
		cutFirst(g)
		g.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
			if down.Load() {
				w.WriteHeader(http.StatusBadGateway)
				tried <- struct{}{}
			}
			return down.Load()
		}
	})
	c := dial(t, g.url(), soon())
	down.Store(true)
	_, _ = c.Play(testContext(t), "1")
	<-tried
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Whoami(testContext(t)); !errors.Is(err, client.ErrClosed) {
		t.Errorf("got %v, want that the client is closed", err)
	}
}

func mustSecret(t *testing.T) circle.Secret {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
