//go:build !race

package gateway

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/settings"
)

// What an idle connection and a play may cost. Raise one only for a good reason. The race detector takes memory of its
// own and makes pools forget: these tests are not for it.
const (
	// A third of it is the reader's stack, which doubles with the first play, and a tenth the upgrade's request, which the
	// HTTP server keeps as long as the connection lasts.
	idleBytes = 14 << 10

	playAllocs = 10 // without the queue's part
)

// TestIdleConnectionsCostLittle counts the heap and the stacks of connections that have been opened and do nothing.
func TestIdleConnectionsCostLittle(t *testing.T) {
	const connections = 400
	r := newRig(t, nil)
	var files []*os.File // the clients' ends: descriptors and nothing else
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	open := func() {
		conn, _ := rawSocket(t, r)
		f, err := conn.Conn.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		_ = conn.Close()
		conn.Conn, conn.buffered = nil, nil
	}
	open() // what the first needs, all have
	before := memory()
	for range connections {
		open()
	}
	each := (memory() - before) / connections
	t.Logf("%d bytes a connection", each)
	if each > idleBytes {
		t.Errorf("got %d bytes a connection, want at most %d", each, idleBytes)
	}
}

// memory is what is in use after a collection.
func memory() int64 {
	runtime.GC()
	runtime.GC() // what pools held goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// atOnce is a queue that answers each play before it is asked for the next.
type atOnce struct{}

func (atOnce) Submit(_ context.Context, _ circle.Key, p queue.Play, caller queue.Caller) {
	caller.Queued(nil)
	caller.Done(queue.Outcome{PlayID: p.ID, Output: "42", Value: []byte("42")})
}

func (atOnce) Cancel(context.Context, string) (bool, error) { return false, nil }

// TestAPlayCostsFewAllocations takes a frame apart, hands the play over and makes the frame that answers it, which is all
// that a gateway does for a play besides the socket and the queue.
func TestAPlayCostsFewAllocations(t *testing.T) {
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	var cfg Config
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	cfg.CircleKeys, cfg.EnableAuth = []string{secret.Public().String()}, false
	server, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	server.audiences = []string{"localhost"}
	server.hub = &hub{dispatcher: atOnce{}, timeout: cfg.PlayTimeout, timeoutMax: cfg.PlayTimeoutMax, log: server.log}
	s := server.newSession(context.Background(), nil, nil, secret.Public(), "localhost", "test")
	defer s.cancel()
	s.written = true // nobody writes
	message := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":123,"method":"play","params":{"script":"40 + 2"}}`)
	allocs := testing.AllocsPerRun(1000, func() {
		s.message(message)
		if frame := s.out.take(); len(frame) == 0 {
			t.Fatal("the play is not answered")
		}
	})
	t.Logf("%v allocations a play", allocs)
	if allocs > playAllocs {
		t.Errorf("got %v allocations a play, want at most %d", allocs, playAllocs)
	}
}
