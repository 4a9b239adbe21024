package launch_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/launcher/launch"
	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/protocol"
	"circles/pkg/redistest"
)

func TestMain(m *testing.M) {
	// fasthttp keeps the Date header's text current for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// patience ends a test that hangs; no test waits for it.
const patience = time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// configure makes the settings of a system on a free port.
func configure(t *testing.T, change func(*launch.Config)) launch.Config {
	t.Helper()
	config, err := launch.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	config.Gateway.Port = 0
	config.Dev = true
	if change != nil {
		change(&config)
	}
	return config
}

func start(t *testing.T, change func(*launch.Config)) *launch.Handle {
	t.Helper()
	handle, err := launch.Start(testContext(t), configure(t, change), launch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := handle.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return handle
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

func newSecret(t *testing.T) circle.Secret {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// onEachRedis runs a test on the embedded Redis and on a real one.
func onEachRedis(t *testing.T, test func(t *testing.T, change func(*launch.Config))) {
	t.Run("embedded Redis", func(t *testing.T) { test(t, func(*launch.Config) {}) })
	t.Run("real Redis", func(t *testing.T) {
		server := redistest.StartReal(t)
		test(t, func(config *launch.Config) {
			config.Dev = false
			config.Gateway.RedisURL = server.URL
		})
	})
}

func TestScriptsComeBackAsValues(t *testing.T) {
	programs := []struct {
		name, script, args, want string
	}{
		{"recursive Fibonacci", `fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } fib(args.n)`, `{"n": 20}`, `6765`},
		{"prime sieve", `
			const MAX = 50;
			let composite = [];
			composite.pad(MAX, false);
			let primes = [];
			for n in 2..MAX {
				if composite[n] { continue; }
				primes.push(n);
				let multiple = n * n;
				while multiple < MAX { composite[multiple] = true; multiple += n; }
			}
			primes`, ``, `[2,3,5,7,11,13,17,19,23,29,31,37,41,43,47]`},
		{"matrix multiplication", `
			fn multiply(a, b) {
				let out = [];
				for row in a {
					let line = [];
					for j in 0..b[0].len() {
						let sum = 0;
						for k in 0..b.len() { sum += row[k] * b[k][j]; }
						line.push(sum);
					}
					out.push(line);
				}
				out
			}
			multiply([[1, 2], [3, 4]], [[5, 6], [7, 8]])`, ``, `[[19,22],[43,50]]`},
		{"string building", "let s = \"\"; for i in 0..5 { s += `${i},`; } s", ``, `"0,1,2,3,4,"`},
		{"map counting", `
			let counts = #{};
			for c in "banana" { let k = c.to_string(); if k in counts { counts[k] += 1; } else { counts[k] = 1; } }
			counts`, ``, `{"a":3,"b":1,"n":2}`},
		{"closures", `let step = 3; [1, 2, 3].map(|x| x * step)`, ``, `[3,6,9]`},
		{"nothing", `let x = 1;`, ``, `null`},
	}
	onEachRedis(t, func(t *testing.T, change func(*launch.Config)) {
		secret := newSecret(t)
		handle := start(t, func(config *launch.Config) {
			change(config)
			config.Gateway.CircleKeys = []string{secret.Public().String()}
		})
		c := dial(t, handle.SocketURL(secret.Public()))
		for _, program := range programs {
			t.Run(program.name, func(t *testing.T) {
				var options []client.PlayOption
				if program.args != "" {
					options = append(options, client.Args(json.RawMessage(program.args)))
				}
				got, err := c.Play(testContext(t), program.script, options...)
				if err != nil {
					t.Fatal(err)
				}
				if string(got.Value) != program.want {
					t.Errorf("got %s, want %s", got.Value, program.want)
				}
			})
		}
		t.Run("a script's error", func(t *testing.T) {
			_, err := c.Play(testContext(t), "let x = 1;\nlet y = x + z;")
			answered, _ := errors.AsType[*client.Error](err)
			script, ok := answered.Script()
			if !ok || script.Line != 2 || script.Column != 13 {
				t.Errorf("got %v with %+v, want a script error at 2:13", err, script)
			}
		})
		t.Run("what a script knows", func(t *testing.T) {
			got, err := c.Play(testContext(t), "CIRCLE_PUBLIC_KEY")
			if err != nil || got.Output != secret.Public().String() {
				t.Errorf("got %+v and error %v, want the circle's key", got, err)
			}
		})
	})
}

func TestCirclesShareAPort(t *testing.T) {
	first, second, third := newSecret(t).Public(), newSecret(t).Public(), newSecret(t).Public()
	handle := start(t, func(config *launch.Config) {
		config.Gateway.CircleKeys = []string{first.String(), strings.ToUpper(second.String())}
	})
	for _, key := range []circle.Key{first, second} {
		got, err := dial(t, handle.SocketURL(key)).Play(testContext(t), "CIRCLE_PUBLIC_KEY")
		if err != nil || got.Output != key.String() {
			t.Errorf("got %+v and error %v, want %s", got, err, key)
		}
	}
	if _, err := client.Dial(testContext(t), handle.SocketURL(third)); !errors.Is(err, client.ErrCircleNotFound) {
		t.Errorf("got %v, want that the third circle is not found", err)
	}
	for path, want := range map[string]int{
		"/" + third.String(): http.StatusNotFound,
		"/" + first.String(): http.StatusUpgradeRequired,
		"/console/":          http.StatusOK,
	} {
		status, body := get(t, "http://"+handle.Addr().String()+path)
		if status != want {
			t.Errorf("%s: got status %d, want %d", path, status, want)
		}
		if want != http.StatusNotFound {
			continue
		}
		var problem struct{ Error, Message string }
		if json.Unmarshal([]byte(body), &problem) != nil || problem.Error != "Circle not found" ||
			problem.Message != "Circle '"+third.String()+"' is not available on this server" {
			t.Errorf("%s: got %s, want the JSON of an unknown circle", path, body)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(testContext(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := response.Body.Read(buffer)
		body.Write(buffer[:n])
		if err != nil {
			return response.StatusCode, body.String()
		}
	}
}

func TestAuthenticationIsAskedForWhenEnabled(t *testing.T) {
	handle := start(t, func(config *launch.Config) { config.Gateway.EnableAuth = true })
	secret := handle.Secret()
	url := handle.SocketURL(secret.Public())

	stranger := dial(t, url)
	if _, err := stranger.Play(testContext(t), "1"); client.CodeOf(err) != protocol.CodeAuthRequired {
		t.Errorf("nobody: got %v, want code %d", err, protocol.CodeAuthRequired)
	}
	if _, err := stranger.Authenticate(testContext(t), newSecret(t)); client.CodeOf(err) != protocol.CodeAuthFailed {
		t.Errorf("a stranger: got %v, want code %d", err, protocol.CodeAuthFailed)
	}
	for _, scheme := range auth.Schemes() {
		c := dial(t, url)
		who, err := c.Authenticate(testContext(t), secret, client.Scheme(scheme))
		if err != nil || who.Role != protocol.RoleOwner {
			t.Fatalf("%s: got %+v and error %v, want the owner", scheme, who, err)
		}
		got, err := c.Play(testContext(t), "CALLER_PUBLIC_KEY")
		if err != nil || got.Output != secret.Public().String() {
			t.Errorf("%s: got %+v and error %v, want the caller's key", scheme, got, err)
		}
	}
	// The same address under another name is another audience, and known here.
	if _, err := dial(t, strings.Replace(url, "127.0.0.1", "localhost", 1)).Authenticate(testContext(t), secret); err != nil {
		t.Errorf("localhost: got %v, want to be let in", err)
	}
}

func TestManyCallsOnOneSocket(t *testing.T) {
	handle := start(t, nil)
	c := dial(t, handle.SocketURL(handle.Circles()[0]))
	const calls = 50
	type answer struct {
		n    int
		text string
		err  error
	}
	answers := make(chan answer, calls)
	for n := range calls {
		go func() {
			got, err := c.Play(testContext(t), "args * args", client.Args(n))
			if err != nil {
				answers <- answer{n, "", err}
				return
			}
			answers <- answer{n, string(got.Value), nil}
		}()
	}
	for range calls {
		got := <-answers
		want, _ := json.Marshal(got.n * got.n)
		if got.err != nil || got.text != string(want) {
			t.Errorf("play %d: got %q and error %v, want %s", got.n, got.text, got.err, want)
		}
	}
}

func TestAPlayEndsWithItsContext(t *testing.T) {
	handle := start(t, func(c *launch.Config) {
		c.Gateway.PlayTimeout, c.Gateway.PlayTimeoutMax = 2*patience, 2*patience
		c.Worker.ScriptMaxTime, c.Worker.ScriptMaxOperations = 2*patience, 0
	})
	c := dial(t, handle.SocketURL(handle.Circles()[0]))
	ctx, cancel := context.WithTimeout(testContext(t), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Play(ctx, "loop {}"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got the error %v", err)
	}
	// A circle runs one play at a time, and nothing else ends the first in time.
	if got, err := c.Play(testContext(t), "40 + 2"); err != nil || got.Output != "42" {
		t.Errorf("the next play: got %v and error %v", got, err)
	}
}

func TestClientReconnectsToARestartedGateway(t *testing.T) {
	server := redistest.Start(t)
	secret := newSecret(t)
	change := func(config *launch.Config) {
		config.Dev = false
		config.Gateway.RedisURL = server.URL
		config.Gateway.EnableAuth = true
		config.Gateway.CircleKeys = []string{secret.Public().String()}
	}
	first, err := launch.Start(testContext(t), configure(t, change), launch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, first.SocketURL(secret.Public()), client.WithReconnect(client.Backoff{First: 10 * time.Millisecond, Longest: 100 * time.Millisecond}))
	if _, err := c.Authenticate(testContext(t), secret); err != nil {
		t.Error(err)
	}
	if err := first.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	tcp, ok := first.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("got address %v, want one of TCP", first.Addr())
	}
	start(t, func(config *launch.Config) {
		change(config)
		config.Gateway.Port = tcp.Port
	})
	if got, err := c.Play(testContext(t), "6 * 7"); err != nil || got.Output != "42" {
		t.Errorf("got %+v and error %v, want 42", got, err)
	}
}
