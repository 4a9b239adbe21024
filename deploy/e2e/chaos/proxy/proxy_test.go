package proxy_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/deploy/e2e/chaos/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// an echo server counts the bytes that it got.
type echo struct {
	listener net.Listener
	running  sync.WaitGroup
	got      chan string
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{listener: listener, got: make(chan string, 16)}
	e.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			e.running.Go(func() {
				defer conn.Close()
				buffer := make([]byte, 64)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					e.got <- string(buffer[:n])
					if _, err := conn.Write(buffer[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); e.running.Wait() })
	return e
}

func start(t *testing.T) (*proxy.Proxy, *echo) {
	t.Helper()
	server := startEcho(t)
	p, err := proxy.Listen(server.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, server
}

func dial(t *testing.T, p *proxy.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %d bytes, %v, want silence", n, err)
	}
}

func TestCarries(t *testing.T) {
	p, _ := start(t)
	conn := dial(t, p)
	send(t, conn, "hello")
	receive(t, conn, "hello")
}

func TestDelays(t *testing.T) {
	p, _ := start(t)
	conn := dial(t, p)
	p.Set(proxy.Mode{Delay: 20 * time.Millisecond})
	begin := time.Now()
	send(t, conn, "hello")
	receive(t, conn, "hello")
	if took := time.Since(begin); took < 40*time.Millisecond {
		t.Errorf("took %v, want 20ms each way", took)
	}
}

func TestStallsAndGoesOn(t *testing.T) {
	p, server := start(t)
	conn := dial(t, p)
	p.Set(proxy.Mode{Stall: true})
	send(t, conn, "hello")
	silent(t, conn)
	if len(server.got) != 0 {
		t.Error("the server got what was to be held back")
	}
	p.Set(proxy.Mode{})
	receive(t, conn, "hello")
}

func TestIsDeafToAnswersOnly(t *testing.T) {
	p, server := start(t)
	conn := dial(t, p)
	p.Set(proxy.Mode{Deaf: true})
	send(t, conn, "hello")
	if got := <-server.got; got != "hello" {
		t.Errorf("the server got %q", got)
	}
	silent(t, conn)
	p.Set(proxy.Mode{})
	receive(t, conn, "hello")
}

func TestIsDownAndComesBack(t *testing.T) {
	p, _ := start(t)
	conn := dial(t, p)
	send(t, conn, "hello")
	receive(t, conn, "hello")
	p.Set(proxy.Mode{Down: true})
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
	// The reset may come while the caller still connects, or right after.
	if again, err := net.Dial("tcp", p.Addr()); err == nil {
		if _, err := again.Read(make([]byte, 1)); err == nil {
			t.Error("a new connection is carried")
		}
		again.Close()
	}
	p.Set(proxy.Mode{})
	third := dial(t, p)
	send(t, third, "hello")
	receive(t, third, "hello")
}

func TestCutLeavesNewConnectionsAlone(t *testing.T) {
	p, _ := start(t)
	conn := dial(t, p)
	send(t, conn, "hello")
	receive(t, conn, "hello")
	p.Cut()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
	again := dial(t, p)
	send(t, again, "hello")
	receive(t, again, "hello")
}

func TestClosesWhileStalled(t *testing.T) {
	p, _ := start(t)
	conn := dial(t, p)
	p.Set(proxy.Mode{Stall: true})
	send(t, conn, "hello")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
