package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	client "github.com/fasthttp/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers frames on sockets; what answer returns is sent in turn.
func serve(t *testing.T, answer func(id uint64) []string) func() *Conn {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		for {
			_, frame, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			id, ok := ID(frame)
			if !ok {
				t.Errorf("got %s, want a number as id", frame)
			}
			for _, text := range answer(id) {
				if err := ws.Write(r.Context(), websocket.MessageText, []byte(text)); err != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	return func() *Conn {
		ws, _, err := client.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		c := New(ws, JSONRPC{Want: `"value":42`}, "40 + 2")
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

func done(id uint64) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"value":42}}`, id)
}

func busyAnswer(id uint64) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"error":{"code":-32020,"message":"busy"}}`, id)
}

func TestClosed(t *testing.T) {
	connect := serve(t, func(id uint64) []string {
		if id%2 == 0 {
			return []string{busyAnswer(id)}
		}
		return []string{done(id)}
	})
	result, err := Closed([]*Conn{connect(), connect()}, 4, Plan{Time: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if result.Done == 0 || result.Refused == 0 || int64(result.Done) != result.Latency.TotalCount() {
		t.Errorf("got %d done, %d refused and %d latencies, want some, and a latency for each that was done",
			result.Done, result.Refused, result.Latency.TotalCount())
	}
}

// TestOpenCountsFromWhenARequestWasDue has a server hold back its first answers: that is in the latencies of all that it
// held back, and not in that of the first alone.
func TestOpenCountsFromWhenARequestWasDue(t *testing.T) {
	const held, rate = 50, 1000
	var waiting []string
	connect := serve(t, func(id uint64) []string {
		waiting = append(waiting, done(id))
		if id < held {
			return nil
		}
		answers := waiting
		waiting = nil
		return answers
	})
	result, err := Open([]*Conn{connect()}, rate, Plan{Time: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if result.Done != 100 {
		t.Errorf("got %d answers, want 100", result.Done)
	}
	// The first of those held back was due 49 ms before the last, the tenth 40 ms.
	if slow := result.Quantile(0.91); slow < 39*time.Millisecond {
		t.Errorf("got a tenth of the latencies above %v, want them above 39ms", slow)
	}
}

func TestWrongAnswersFail(t *testing.T) {
	for name, answer := range map[string]func(uint64) []string{
		"another value":   func(id uint64) []string { return []string{strings.Replace(done(id), "42", "41", 1)} },
		"another id":      func(id uint64) []string { return []string{done(id + 1)} },
		"no id":           func(uint64) []string { return []string{`{"jsonrpc":"2.0","result":{"value":42}}`} },
		"the same answer": func(id uint64) []string { return []string{done(id), done(id)} },
	} {
		connect := serve(t, answer)
		if _, err := Closed([]*Conn{connect()}, 1, Plan{Time: time.Minute}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestNATSFrames(t *testing.T) {
	p := NATS{JSONRPC: JSONRPC{Want: `"value":42`}, Subject: "s", Inbox: "in.1"}
	if got, want := string(p.Append(nil, 7, "1")), "PUB s in.1.7 64\r\n"+string(JSONRPC{}.Append(nil, 7, "1"))+"\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	message := fmt.Sprintf("MSG in.1.7 1 %d\r\n%s\r\n", len(done(7)), done(7))
	var ids []uint64
	err := p.Answers([]byte("PING\r\n"+message+"PONG\r\n"+message), func(id uint64, verdict Verdict) { ids = append(ids, id) })
	if err != nil || len(ids) != 2 || ids[0] != 7 {
		t.Errorf("got %v, %v, want 7 twice", ids, err)
	}
	for _, bad := range []string{"-ERR 'x'\r\n", message[:len(message)-4], "MSG in.1.7 1 x\r\n"} {
		if err := p.Answers([]byte(bad), func(uint64, Verdict) {}); err == nil {
			t.Errorf("%q gives no error", bad)
		}
	}
}
