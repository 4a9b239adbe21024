package launch_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"circles/launcher/launch"
	"circles/pkg/client"
	"circles/pkg/protocol"
)

// socket is a bare WebSocket: the client package would react to what a test
// wants to see.
type socket struct {
	t  *testing.T
	ws *websocket.Conn
}

func open(t *testing.T, url string) socket {
	t.Helper()
	ws, _, err := websocket.Dial(testContext(t), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return socket{t, ws}
}

func (s socket) call(id, method string, params any) {
	s.t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		s.t.Fatal(err)
	}
	frame := protocol.Request{ID: json.RawMessage(id), Method: method, Params: raw}.AppendJSON(nil)
	if err := s.ws.Write(testContext(s.t), websocket.MessageText, frame); err != nil {
		s.t.Fatal(err)
	}
}

func (s socket) read() (protocol.Reply, error) {
	s.t.Helper()
	_, data, err := s.ws.Read(testContext(s.t))
	if err != nil {
		return protocol.Reply{}, err
	}
	replies, err := protocol.DecodeReplies(data)
	if err != nil || len(replies) != 1 {
		s.t.Fatalf("got %s and error %v, want one message", data, err)
	}
	return replies[0], nil
}

// endless lets a script run for as long as its time lasts.
func endless(c *launch.Config) { c.Worker.ScriptMaxOperations = 0 }

// A gateway that stops answers what runs, takes nothing new, and closes with 1001.
func TestStopDrains(t *testing.T) {
	handle := start(t, endless)
	key := handle.Circles()[0]
	s := open(t, handle.SocketURL(key))
	s.call("1", protocol.MethodPlay, protocol.PlayParams{Script: "loop {}", TimeoutMS: 4000})
	s.call("2", protocol.MethodWhoami, protocol.WhoamiParams{})
	// Frames are taken in order: when whoami is answered, the play is under way.
	if reply, err := s.read(); err != nil || string(reply.ID) != "2" {
		t.Fatalf("got %+v and error %v, want the answer to whoami", reply, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- handle.Stop(testContext(t)) }()
	if reply, err := s.read(); err != nil || reply.Method != protocol.NotifyClosing {
		t.Fatalf("got %+v and error %v, want that the gateway is closing", reply, err)
	}
	s.call("3", protocol.MethodPlay, protocol.PlayParams{Script: "1"})
	answers := map[string]protocol.Code{}
	for range 2 {
		reply, err := s.read()
		if err != nil || reply.Error == nil {
			t.Fatalf("got %+v and error %v, want an error as the answer", reply, err)
		}
		answers[string(reply.ID)] = reply.Error.Code
	}
	if answers["1"] != protocol.CodeTimeout || answers["3"] != protocol.CodeBusy {
		t.Errorf("got %v, want that the running play timed out and the new one was refused", answers)
	}
	if _, err := s.read(); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("got %v, want close code 1001", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := client.Dial(testContext(t), handle.SocketURL(key)); err == nil {
		t.Error("got a connection to a gateway that ended")
	}
	if err := handle.Wait(); err != nil {
		t.Errorf("wait: got %v, want nothing", err)
	}
}

func TestStopWaitsNoLongerThanItsContext(t *testing.T) {
	handle := start(t, endless)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := open(t, handle.SocketURL(handle.Circles()[0]))
	s.call("1", protocol.MethodPlay, protocol.PlayParams{Script: "loop {}", TimeoutMS: 1000})
	s.call("2", protocol.MethodWhoami, protocol.WhoamiParams{})
	if _, err := s.read(); err != nil {
		t.Fatal(err)
	}
	if err := handle.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestStartSaysThatThePortIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("got address %v, want one of TCP", listener.Addr())
	}
	_, err = launch.Start(testContext(t), configure(t, func(config *launch.Config) { config.Gateway.Port = tcp.Port }), launch.Options{})
	if taken, ok := errors.AsType[*launch.PortError](err); !ok || !taken.Busy || taken.Addr != listener.Addr().String() {
		t.Fatalf("got %v, want a PortError for %s", err, listener.Addr())
	}
}

func TestStartSaysThatThereIsNoRedis(t *testing.T) {
	// One address refuses; the other takes connections and never says a word.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	for _, addr := range []string{free.Addr().String(), silent.Addr().String()} {
		begin := time.Now()
		_, err := launch.Start(testContext(t), configure(t, func(config *launch.Config) {
			config.Dev = false
			config.Gateway.CircleKeys = []string{newSecret(t).Public().String()}
			config.Gateway.RedisURL = "redis://user:hunter2@" + addr
		}), launch.Options{})
		missing, ok := errors.AsType[*launch.RedisError](err)
		if !ok || missing.Addr != addr || !strings.Contains(err.Error(), "no Redis answers at "+addr) {
			t.Errorf("got %v, want a RedisError for %s", err, addr)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
		if took := time.Since(begin); took > patience/2 {
			t.Errorf("%s: it took %s to say so", addr, took)
		}
	}
}

func TestStartListsEverythingThatIsWrong(t *testing.T) {
	_, err := launch.Start(testContext(t), configure(t, func(config *launch.Config) {
		config.Gateway.CircleKeys = []string{"abc", newSecret(t).Public().String(), "02"}
		config.Gateway.TLSCert = "cert.pem"
		config.Worker.ScriptMaxCallDepth = 0
	}), launch.Options{})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{`"abc"`, `"02"`, "TLS_KEY", "SCRIPT_MAX_CALL_DEPTH"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("got %q, want %s in it once", err, want)
		}
	}
}
