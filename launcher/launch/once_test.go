package launch_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"circles/launcher/launch"
	"circles/pkg/client"
)

// A relay passes connections on to the gateway. Armed, it cuts the connection
// instead of passing on what the gateway sends next.
type relay struct {
	listener net.Listener
	armed    atomic.Bool
	cuts     atomic.Int32
	copying  sync.WaitGroup
}

func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener}
	r.copying.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			closeBoth := sync.OnceFunc(func() { _ = in.Close(); _ = out.Close() })
			r.copying.Go(func() {
				defer closeBoth()
				_, _ = io.Copy(out, in)
			})
			r.copying.Go(func() {
				defer closeBoth()
				_, _ = io.Copy(cutter{r, in}, out)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		r.copying.Wait() // the client and the gateway have ended by now
	})
	return r
}

type cutter struct {
	*relay
	to net.Conn
}

func (c cutter) Write(p []byte) (int, error) {
	if c.armed.CompareAndSwap(true, false) {
		c.cuts.Add(1)
		return 0, net.ErrClosed
	}
	return c.to.Write(p)
}

// A client whose connection breaks before the answer sends a play with an
// idempotency key again, and learns what the first one came to.
func TestAPlayThatIsSentAgainTakesEffectOnce(t *testing.T) {
	onEachRedis(t, func(t *testing.T, change func(*launch.Config)) {
		secret := newSecret(t)
		handle := start(t, func(config *launch.Config) {
			change(config)
			config.Gateway.CircleKeys = []string{secret.Public().String()}
		})
		r := startRelay(t, handle.Addr().String())
		via, err := url.Parse(handle.SocketURL(secret.Public()))
		if err != nil {
			t.Fatal(err)
		}
		via.Host = r.listener.Addr().String()
		c := dial(t, via.String(), client.WithReconnect(client.Backoff{First: time.Millisecond, Longest: 10 * time.Millisecond}))
		const script = `if state.contains("n") { state.n += 1; } else { state.n = 1; } state.n`
		for i, want := range []string{"1", "1"} { // cut, and sent again by the caller
			r.armed.Store(i == 0)
			got, err := c.Play(testContext(t), script, client.IdempotencyKey("once"))
			if err != nil || got.Output != want {
				t.Fatalf("got %+v and error %v, want %s", got, err, want)
			}
		}
		if n := r.cuts.Load(); n != 1 {
			t.Errorf("the connection was cut %d times, want 1", n)
		}
		if got, err := c.Play(testContext(t), "state.n"); err != nil || got.Output != "1" {
			t.Errorf("got %+v and error %v, want one effect", got, err)
		}
	})
}
