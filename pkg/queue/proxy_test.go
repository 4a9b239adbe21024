package queue

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/redistest"
)

// A proxy stands between a client and Redis. Once cut is set it lets the next
// request through and breaks the connection instead of bringing the answer. Once
// mute is set nothing comes on the connections of before.
type proxy struct {
	target string
	cut    atomic.Bool
	mute   atomic.Bool

	listener net.Listener
	running  sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, listener: listener}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		for _, conn := range p.conns {
			conn.Close()
		}
		p.mu.Unlock()
		p.running.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.running.Go(func() {
			_, _ = io.Copy(server, client)
			server.Close()
		})
		after := p.mute.Load()
		p.running.Go(func() {
			defer client.Close()
			buf := make([]byte, 64<<10)
			for {
				n, err := server.Read(buf)
				if err != nil || p.cut.CompareAndSwap(true, false) {
					return
				}
				if p.mute.Load() && !after {
					continue
				}
				if _, err := client.Write(buf[:n]); err != nil {
					return
				}
			}
		})
	}
}

// throughProxy starts a Redis with a proxy before it.
func throughProxy(t *testing.T) (server *redistest.Server, direct string, p *proxy) {
	t.Helper()
	server = redistest.Start(t)
	p = startProxy(t, server.Addr)
	return server, server.URL, p
}

func TestAPlayIsNotSentAgainWhenTheAnswerIsLost(t *testing.T) {
	server, direct, p := throughProxy(t)
	key := newCircle(t)
	server.URL = "redis://" + p.listener.Addr().String()
	d := NewDispatcher(connect(t, server), DispatcherOptions{Logger: testLogger(t)})
	server.URL = direct
	if _, err := d.Fire(within(t), newCircle(t), Play{Script: "to connect, and load the script"}); err != nil {
		t.Fatal(err)
	}
	p.cut.Store(true)
	got := make(chan Outcome, 1)
	play := Play{Script: "x", Deadline: time.Now().Add(time.Minute)}
	if err := d.Start(within(t), key, play, func(o Outcome) { got <- o }); err != nil {
		t.Fatal(err)
	}
	if p.cut.Load() {
		t.Fatal("the connection was not cut")
	}
	if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != 1 {
		t.Fatalf("the play is %d times in the queue, want once", n)
	}
	running(t, d.Run)
	running(t, echo(claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)))
	if o := <-got; o.Output != "x" {
		t.Errorf("got %+v", o)
	}

	// On connections of their own: an outcome that was found is published as well,
	// and may be what is cut.
	p = startProxy(t, server.Addr)
	server.URL = "redis://" + p.listener.Addr().String()
	d = NewDispatcher(connect(t, server), DispatcherOptions{})
	if _, err := d.Fire(within(t), newCircle(t), Play{Script: "to connect"}); err != nil {
		t.Fatal(err)
	}
	p.cut.Store(true)
	_, err := d.Fire(within(t), newCircle(t), Play{Script: "x"})
	var unavailable *UnavailableError
	if err == nil || errors.As(err, &unavailable) {
		t.Errorf("got %v, want an error that leaves open whether the play was queued", err)
	}
}

func TestAPlayOfWhichNothingIsKnownIsWithdrawnAtItsDeadline(t *testing.T) {
	server, direct, p := throughProxy(t)
	server.URL = "redis://" + p.listener.Addr().String()
	d := NewDispatcher(connect(t, server), DispatcherOptions{Logger: testLogger(t)})
	server.URL = direct
	key := newCircle(t)
	for range 300 { // more than a page of the search
		if _, err := d.Fire(within(t), key, Play{Script: "before"}); err != nil {
			t.Fatal(err)
		}
	}
	p.cut.Store(true)
	got := make(chan Outcome, 1)
	play := Play{Script: "x", Deadline: time.Now().Add(100 * time.Millisecond)}
	if err := d.Start(within(t), key, play, func(o Outcome) { got <- o }); err != nil {
		t.Fatal(err)
	}
	running(t, d.Run)
	if o := <-got; o.Error == nil || o.Error.Kind != KindExpired {
		t.Errorf("got %+v, want expired", o)
	}
	if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != 300 {
		t.Errorf("%d plays are in the queue, want the 300 of before", n)
	}
}

func TestNothingIsCertainBeyondTheResultsThatAreKept(t *testing.T) {
	server, direct, p := throughProxy(t)
	server.URL = "redis://" + p.listener.Addr().String()
	d := NewDispatcher(connect(t, server), DispatcherOptions{Logger: testLogger(t)})
	server.URL = direct
	key := newCircle(t)
	if _, err := d.Fire(within(t), newCircle(t), Play{Script: "to connect, and load the script"}); err != nil {
		t.Fatal(err)
	}
	p.cut.Store(true)
	got := make(chan Outcome, 1)
	play := Play{Script: "x", Deadline: time.Now().Add(3 * time.Second)}
	if err := d.Start(within(t), key, play, func(o Outcome) { got <- o }); err != nil {
		t.Fatal(err)
	}
	// It runs, and so many others after it that its outcome is not kept.
	running(t, echo(claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w", ResultsKept: 1}), key)))
	other := startDispatcher(t, server, DispatcherOptions{})
	for range 300 {
		if _, err := other.Play(within(t), key, Play{Script: "y"}); err != nil {
			t.Fatal(err)
		}
	}
	running(t, d.Run)
	if o := <-got; o.Error == nil || o.Error.Kind != KindUnknown {
		t.Errorf("got %+v, want unknown: the play ran", o)
	}
}

func TestACommitWhoseAnswerIsLostHappenedOnce(t *testing.T) {
	server, direct, p := throughProxy(t)
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	server.URL = "redis://" + p.listener.Addr().String()
	c := NewConsumer(connect(t, server), ConsumerOptions{WorkerID: "w", Logger: testLogger(t)})
	server.URL = direct
	l := claim(t, c, key)
	commit := func(script string) error {
		t.Helper()
		if _, err := d.Fire(within(t), key, Play{Script: script}); err != nil {
			t.Fatal(err)
		}
		l.poke()
		plays := next(t, l)
		if got := strings.Join(scripts(plays), " "); got != script {
			t.Fatalf("got %q, want %q", got, script)
		}
		if script == "second" {
			p.cut.Store(true)
		}
		return l.Commit(within(t), answer(plays...))
	}
	if err := commit("first"); err != nil {
		t.Fatal(err)
	}
	if err := commit("second"); err == nil {
		t.Fatal("no error although the answer was lost")
	}
	if err := commit("third"); err != nil { // the second one is not handed out again
		t.Fatal(err)
	}
	if settled, err := settledPlays(within(t), server.Client(), key); err != nil || len(settled) != 3 {
		t.Errorf("got the outcomes of %v and %v, want 3", settled, err)
	}
}

func TestASubscriptionOnWhichNothingComesIsMadeAgain(t *testing.T) {
	server, direct, p := throughProxy(t)
	server.URL = "redis://" + p.listener.Addr().String()
	heard := make(chan string, 1000)
	h := hearer{
		rdb: connect(t, server), log: testLogger(t), quiet: 50 * time.Millisecond,
		subscribed: func() {}, heard: func(m *redis.Message) { heard <- m.Payload },
	}
	running(t, func(ctx context.Context) error {
		h.hear(ctx, "news")
		return nil
	})
	rdb, err := Open(direct)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	for _, news := range []string{"before", "after"} {
		for told := false; !told; {
			if err := rdb.Publish(within(t), "news", news).Err(); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-heard:
				told = got == news
			case <-time.After(10 * time.Millisecond):
			}
		}
		p.mute.Store(true)
	}
}
