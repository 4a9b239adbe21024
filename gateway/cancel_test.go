package gateway

import (
	"fmt"
	"strings"
	"testing"

	"circles/pkg/protocol"
)

const cancelled = "-32013 cancelled"

// answers reads n answers and returns them by the request's id.
func (s *socket) answers(n int) map[string]string {
	s.t.Helper()
	got := make(map[string]string, n)
	for range n {
		reply := s.reply()
		if reply.Result != nil && strings.HasPrefix(string(reply.Result), `{"cancelled"`) {
			got[string(reply.ID)] = string(reply.Result)
			continue
		}
		got[string(reply.ID)] = output(s.t, reply)
	}
	return got
}

func TestCancelByTheRequestsID(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	s.write(request(t, `"one"`, "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	s.write(request(t, `"waits"`, "play", protocol.PlayParams{Script: "echo never"}))
	s.write(`{"jsonrpc":"2.0","id":1,"method":"cancel","params":{"id":"waits"}}`)
	s.write(`{"jsonrpc":"2.0","id":2,"method":"cancel","params":{"id":"one"}}`)
	want := map[string]string{`"one"`: cancelled, `"waits"`: cancelled, `1`: `{"cancelled":true}`, `2`: `{"cancelled":true}`}
	if got := s.answers(4); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r.open()
	if got := output(t, s.call("play", protocol.PlayParams{Script: "echo on"})); got != "on" {
		t.Errorf("the next play gave %q", got)
	}
}

func TestCancelByThePlaysID(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	s.write(request(t, `7`, "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	inFlight := &r.server.conns.sessions()[0].flights
	inFlight.mu.Lock()
	var id string
	for id = range inFlight.plays {
	}
	inFlight.mu.Unlock()
	s.write(request(t, `8`, "cancel", protocol.CancelParams{PlayID: id}))
	if got := s.answers(2); got["7"] != cancelled || got["8"] != `{"cancelled":true}` {
		t.Errorf("got %v", got)
	}
	r.open()
}

func TestCancelReachesTheOwnConnectionOnly(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s, other := r.dial(0), r.dial(0)
	s.write(request(t, `7`, "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	other.write(`{"jsonrpc":"2.0","id":1,"method":"cancel","params":{"id":7}}`)
	if got := other.answers(1)["1"]; got != `{"cancelled":false}` {
		t.Errorf("got %s", got)
	}
	r.open()
	if got := output(t, s.reply()); got != "released" {
		t.Errorf("the play gave %q", got)
	}
	s.write(`{"jsonrpc":"2.0","id":1,"method":"cancel","params":{"id":7}}`)
	if got := s.answers(1)["1"]; got != `{"cancelled":false}` {
		t.Errorf("a play that is over: got %s", got)
	}
}

func TestCancelWantsOneID(t *testing.T) {
	r := newRig(t, withoutAuth)
	s := r.dial(0)
	for _, params := range []string{`{}`, `{"id":1,"play_id":"x"}`} {
		s.write(`{"jsonrpc":"2.0","id":1,"method":"cancel","params":` + params + `}`)
		if got := output(t, s.reply()); got != "-32602 invalid params: want play_id, or the id of the request that asked for the play" {
			t.Errorf("%s: got %q", params, got)
		}
	}
	locked := newRig(t, nil).dial(0)
	locked.write(`{"jsonrpc":"2.0","id":1,"method":"cancel","params":{"id":1}}`)
	if got := output(t, locked.reply()); !strings.HasPrefix(got, "-32001 ") {
		t.Errorf("without authentication: got %q", got)
	}
}
