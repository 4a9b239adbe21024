package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/protocol"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// patience ends a test that hangs; no test waits for it.
const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// serve starts a gateway after change had its way with it.
func serve(t *testing.T, change func(*gateway)) (*gateway, circle.Secret) {
	t.Helper()
	g, secret := newGateway()
	if change != nil {
		change(g)
	}
	g.start()
	t.Cleanup(g.stop)
	return g, secret
}

func dial(t *testing.T, url string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.Dial(testContext(t), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// soon makes the client reconnect without long waits.
func soon() client.Option {
	return client.WithReconnect(client.Backoff{First: time.Millisecond, Longest: 5 * time.Millisecond})
}

func TestPlaySendsWhatWasAskedAndReturnsTheValue(t *testing.T) {
	sent := make(chan protocol.PlayParams, 1)
	g, _ := serve(t, func(g *gateway) {
		g.play = func(_ context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
			sent <- params
			return protocol.PlayResult{PlayID: "p", Output: "42", Value: json.RawMessage("42"), ElapsedUS: 7}, nil
		}
	})
	c := dial(t, g.url())
	got, err := c.Play(testContext(t), "args.n * 2", client.Args(map[string]int{"n": 21}),
		client.Timeout(2*time.Second), client.IdempotencyKey("once"))
	if err != nil {
		t.Fatal(err)
	}
	want := protocol.PlayParams{
		Script: "args.n * 2", Args: json.RawMessage(`{"n":21}`), TimeoutMS: 2000, IdempotencyKey: "once",
	}
	if params := <-sent; !reflect.DeepEqual(params, want) {
		t.Errorf("gateway got %+v, want %+v", params, want)
	}
	var value int
	if err := got.Decode(&value); err != nil || value != 42 {
		t.Errorf("got value %d and error %v, want 42", value, err)
	}
	if got.PlayID != "p" || got.Output != "42" || got.Elapsed != 7*time.Microsecond {
		t.Errorf("got %+v, want play p with output 42 after 7µs", got)
	}
}

func TestBadOptionsAreNotSent(t *testing.T) {
	g, _ := serve(t, nil)
	c := dial(t, g.url())
	for name, option := range map[string]client.PlayOption{
		"args without JSON": client.Args(func() {}),
		"no time":           client.Timeout(0),
	} {
		if _, err := c.Play(testContext(t), "1", option); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestCallsAreAnsweredAsTheyFinish(t *testing.T) {
	release := make(chan struct{})
	g, _ := serve(t, func(g *gateway) {
		g.play = func(ctx context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
			if params.Script == "slow" {
				select {
				case <-release:
				case <-ctx.Done():
				}
			}
			return result(params.Script), nil
		}
	})
	c := dial(t, g.url())
	slow := make(chan string, 1)
	go func() {
		got, err := c.Play(testContext(t), "slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		slow <- got.Output
	}()
	if got, err := c.Play(testContext(t), "fast"); err != nil || got.Output != "fast" {
		t.Fatalf("got %+v and error %v, want fast", got, err)
	}
	close(release)
	if got := <-slow; got != "slow" {
		t.Fatalf("got %q, want slow", got)
	}
	if got := g.connections(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestContextEndsOneCallOnly(t *testing.T) {
	began := make(chan struct{})
	g, _ := serve(t, func(g *gateway) {
		g.play = func(ctx context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
			if params.Script == "forever" {
				close(began)
				<-ctx.Done()
			}
			return result(params.Script), nil
		}
	})
	c := dial(t, g.url())
	ctx, cancel := context.WithCancel(testContext(t))
	go func() {
		<-began
		cancel()
	}()
	_, err := c.Play(ctx, "forever")
	if unknown, ok := errors.AsType[*client.UnknownOutcomeError](err); !ok || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v (%+v), want an unknown outcome because of the context", err, unknown)
	}
	if _, err := c.Play(ctx, "never"); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error", err)
	} else if _, ok := errors.AsType[*client.ConnectionError](err); !ok {
		t.Errorf("got %T, want a ConnectionError: the play was not sent", err)
	}
	if got, err := c.Play(testContext(t), "next"); err != nil || got.Output != "next" {
		t.Fatalf("got %+v and error %v, want next", got, err)
	}
	if got := g.connections(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestAuthenticate(t *testing.T) {
	for _, scheme := range auth.Schemes() {
		t.Run(string(scheme), func(t *testing.T) {
			g, secret := serve(t, nil)
			c := dial(t, g.url())
			before, err := c.Whoami(testContext(t))
			if err != nil || before != (client.Identity{Circle: g.circle}) {
				t.Fatalf("got %+v and error %v, want nobody", before, err)
			}
			who, err := c.Authenticate(testContext(t), secret, client.Scheme(scheme))
			want := client.Identity{Circle: g.circle, Authenticated: true, Key: g.circle, Role: protocol.RoleOwner}
			if err != nil || who != want {
				t.Fatalf("got %+v and error %v, want %+v", who, err, want)
			}
			if after, err := c.Whoami(testContext(t)); err != nil || after != want {
				t.Fatalf("got %+v and error %v, want %+v", after, err, want)
			}
		})
	}
}

func TestAuthenticateWithAnotherKeyIsRefused(t *testing.T) {
	g, _ := serve(t, nil)
	stranger, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	_, err = dial(t, g.url()).Authenticate(testContext(t), stranger)
	if client.CodeOf(err) != protocol.CodeAuthFailed {
		t.Fatalf("got %v, want code %d", err, protocol.CodeAuthFailed)
	}
	if _, err := dial(t, g.url()).Authenticate(testContext(t), circle.Secret{}); err == nil {
		t.Fatal("got no error, want one for no key")
	}
}

// A gateway may ask to sign anything; the client signs nothing but a challenge
// for what it dialled.
func TestNothingElseIsSigned(t *testing.T) {
	other, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	change := func(edit func(*auth.Challenge)) func(string) string {
		return func(text string) string {
			challenge, err := auth.ParseChallenge(text)
			if err != nil {
				t.Error(err)
			}
			edit(&challenge)
			return challenge.Text()
		}
	}
	cases := map[string]func(string) string{
		"another audience":   change(func(c *auth.Challenge) { c.Audience = "bank.example" }),
		"another circle":     change(func(c *auth.Challenge) { c.Circle = other.Public() }),
		"another signer":     change(func(c *auth.Challenge) { c.Signer = other.Public() }),
		"an expired one":     change(func(c *auth.Challenge) { c.Expires = time.Now().Add(-time.Second) }),
		"no challenge":       func(string) string { return "I owe you 1000" },
		"more than one":      func(text string) string { return text + "\nI owe you 1000" },
		"something in front": func(text string) string { return "I owe you 1000\n" + text },
	}
	for name, challenge := range cases {
		t.Run(name, func(t *testing.T) {
			g, secret := serve(t, func(g *gateway) { g.challenge = challenge })
			if _, err := dial(t, g.url()).Authenticate(testContext(t), secret); err == nil {
				t.Error("got no error, want a refusal to sign")
			}
			if got := g.signatures(); got != 0 {
				t.Errorf("gateway got %d signatures, want none", got)
			}
		})
	}
}

func TestErrorsCarryWhatTheGatewaySaid(t *testing.T) {
	answers := map[string]*protocol.Error{
		"script": protocol.Errorf(protocol.CodeScript, "the script failed").WithData(protocol.ScriptErrorData{
			Kind: "ErrorVariableNotFound", Message: "Variable not found: x", Line: 3, Column: 5,
		}),
		"limit": protocol.Errorf(protocol.CodeLimit, "the script hit a limit").WithData(protocol.LimitData{Limit: "operations"}),
		"busy":  protocol.Errorf(protocol.CodeBusy, "busy").WithData(protocol.RetryData{RetryAfterMS: 250}),
	}
	g, _ := serve(t, func(g *gateway) {
		g.play = func(_ context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
			return nil, answers[params.Script]
		}
	})
	c := dial(t, g.url())
	failure := func(script string) *client.Error {
		_, err := c.Play(testContext(t), script)
		answered, ok := errors.AsType[*client.Error](err)
		if !ok || answered.Code != answers[script].Code || answered.Method != "play" {
			t.Fatalf("%s: got %v, want a client.Error with code %d", script, err, answers[script].Code)
		}
		return answered
	}
	if script, ok := failure("script").Script(); !ok || script.Line != 3 || script.Column != 5 || script.Message != "Variable not found: x" {
		t.Errorf("got %+v, want the variable at 3:5", script)
	}
	if limit, ok := failure("limit").Limit(); !ok || limit != "operations" {
		t.Errorf("got limit %q, want operations", limit)
	}
	busy := failure("busy")
	if wait, ok := busy.RetryAfter(); !ok || wait != 250*time.Millisecond {
		t.Errorf("got %s, want 250ms", wait)
	}
	if _, ok := busy.Script(); ok {
		t.Error("a busy gateway is no script error")
	}
}

func TestTimeoutsTellWhetherThePlayMayHaveRun(t *testing.T) {
	g, _ := serve(t, func(g *gateway) {
		g.play = func(_ context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
			return nil, protocol.Errorf(protocol.CodeTimeout, "timed out").
				WithData(protocol.TimeoutData{Effect: protocol.Effect(params.Script)})
		}
	})
	c := dial(t, g.url())
	for effect, unknown := range map[protocol.Effect]bool{protocol.EffectNone: false, protocol.EffectUnknown: true} {
		_, err := c.Play(testContext(t), string(effect))
		if _, got := errors.AsType[*client.UnknownOutcomeError](err); got != unknown || client.CodeOf(err) != protocol.CodeTimeout {
			t.Errorf("effect %s: got %T %v, want an unknown outcome: %t", effect, err, err, unknown)
		}
	}
}

func TestDialErrorsSayWhatToDo(t *testing.T) {
	g, _ := newGateway()
	g.startTLS()
	t.Cleanup(g.stop)
	plain, _ := serve(t, func(g *gateway) {
		g.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			switch r.URL.RawQuery + r.Header.Get("X-Test") {
			case "upgrade":
				w.WriteHeader(http.StatusUpgradeRequired)
			case "redirect":
				http.Redirect(w, r, "ws://elsewhere.example/", http.StatusFound)
			case "down":
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				return false
			}
			return true
		}
	})
	with := func(value string) client.Option {
		return client.WithHeader(http.Header{"X-Test": {value}})
	}
	stranger, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := listener.Addr().String()
	_ = listener.Close()
	key := g.circle.String()
	cases := []struct {
		name, url string
		option    client.Option
		status    int
		want      string
	}{
		{name: "unknown circle", url: "ws://" + plain.host() + "/" + stranger.Public().String(), status: 404, want: "is not available on this server"},
		{name: "no upgrade", url: plain.url(), option: with("upgrade"), status: 426, want: "a proxy on the way drops"},
		{name: "redirect", url: plain.url(), option: with("redirect"), status: 302, want: `"ws://elsewhere.example/"`},
		{name: "another status", url: plain.url(), option: with("down"), status: 503, want: "Service Unavailable"},
		{name: "nobody there", url: "ws://" + free + "/" + key, want: "is the gateway running?"},
		{name: "no TLS there", url: "wss://" + plain.host() + "/" + plain.circle.String(), want: "use ws:// instead"},
		{name: "TLS there", url: strings.Replace(g.url(), "wss", "ws", 1), status: 400, want: "400"},
		{name: "closed without a word", url: "ws://" + mute(t) + "/" + key, want: "use wss:// instead"},
		{name: "untrusted", url: g.url(), want: "authority that is not trusted"},
		{name: "no scheme", url: "localhost:8080/" + key, want: "want ws or wss"},
		{name: "no circle", url: "ws://localhost:8080/", want: "want its key as the path"},
		{name: "no key", url: "ws://localhost:8080/abc", want: "the path is no circle key"},
		{name: "no host", url: "ws:///" + key, want: "got no host"},
		{name: "credentials", url: "ws://user:hunter2@localhost/" + key, want: "got a user or password"},
		{name: "no URL", url: "ws://[::1/" + key + "?hunter2", want: "no URL"},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			options := []client.Option{}
			if test.option != nil {
				options = append(options, test.option)
			}
			c, err := client.Dial(testContext(t), test.url, options...)
			if err == nil {
				_ = c.Close()
				t.Fatal("got a connection, want an error")
			}
			failed, ok := errors.AsType[*client.DialError](err)
			if !ok || failed.Status != test.status || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %T %q with status %d, want a DialError with %q and status %d", err, err, failed.Status, test.want, test.status)
			}
			if errors.Is(err, client.ErrCircleNotFound) != (test.status == 404) {
				t.Errorf("got ErrCircleNotFound wrong for status %d", test.status)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

// mute listens and closes every connection at once.
func mute(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
	})
	return listener.Addr().String()
}

func TestDialOverTLS(t *testing.T) {
	g, secret := newGateway()
	g.startTLS()
	t.Cleanup(g.stop)
	authorities := x509.NewCertPool()
	authorities.AddCert(g.server.Certificate())
	c := dial(t, g.url(), client.WithTLS(&tls.Config{RootCAs: authorities}))
	if who, err := c.Authenticate(testContext(t), secret); err != nil || !who.Authenticated {
		t.Fatalf("got %+v and error %v, want to be in", who, err)
	}
}

func TestDialTakesOtherFormsOfTheURL(t *testing.T) {
	g, _ := serve(t, nil)
	for _, url := range []string{
		"http://" + g.host() + "/" + strings.ToUpper(g.circle.String()) + "/",
		g.url() + "?ignored#too",
	} {
		c := dial(t, url)
		if c.Circle() != g.circle {
			t.Errorf("%s: got circle %s, want %s", url, c.Circle(), g.circle)
		}
	}
}

func TestAMessageThatIsTooLongEndsTheConnection(t *testing.T) {
	g, _ := serve(t, func(g *gateway) {
		g.play = func(context.Context, *session, protocol.PlayParams) (any, *protocol.Error) {
			return result(strings.Repeat("x", 10_000)), nil
		}
	})
	c := dial(t, g.url(), client.WithReadLimit(5_000))
	_, err := c.Play(testContext(t), "1")
	if _, ok := errors.AsType[*client.UnknownOutcomeError](err); !ok {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
}

func TestDiscoverAndPing(t *testing.T) {
	g, _ := serve(t, nil)
	c := dial(t, g.url(), client.WithKeepAlive(time.Millisecond))
	document, err := c.Discover(testContext(t))
	if err != nil || !json.Valid(document) || !strings.Contains(string(document), "openrpc") {
		t.Fatalf("got %s and error %v, want the document", document, err)
	}
	for range 3 {
		if took, err := c.Ping(testContext(t)); err != nil || took <= 0 {
			t.Fatalf("got %s and error %v, want a time", took, err)
		}
	}
}
