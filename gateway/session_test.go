package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"circles/pkg/protocol"
)

func TestPlay(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	reply := s.call("play", protocol.PlayParams{Script: "echo <hello>"})
	var result protocol.PlayResult
	if err := json.Unmarshal(reply.Result, &result); err != nil {
		t.Fatal(err)
	}
	if result.Output != "<hello>" || string(result.Value) != `"\u003chello\u003e"` || result.ElapsedUS != 5 || len(result.PlayID) != 36 {
		t.Errorf("got %s", reply.Result)
	}
	if got := output(t, s.call("play", []any{"args", map[string]any{"a": []int{1}}})); got != `{"a":[1]}` {
		t.Errorf("the script saw the arguments %s", got)
	}
	if reply := s.call("play", []any{"nothing"}); !strings.Contains(string(reply.Result), `"value":null`) {
		t.Errorf("a play without a value gave %s", reply.Result)
	}
}

func TestPlaysThatFail(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	script := `{"kind":"ErrorVariableNotFound","message":"variable not found: x","line":2,"column":5,"trace":["f @ 1:1"]}`
	for kind, want := range map[string]string{
		"script":    `-32010 the script failed: variable not found: x ` + script,
		"parse":     `-32010 the script failed: variable not found: x ` + script,
		"timeout":   `-32011 the script timed out; it had no effect {"effect":"none"}`,
		"unknown":   `-32011 timed out without an answer; the play may have taken effect {"effect":"unknown"}`,
		"limit":     `-32012 the script hit a limit: variable not found: x {"limit":"operations"}`,
		"cancelled": `-32013 cancelled `,
		"expired":   `-32022 no worker took the play in time; it will not run later `,
		"gave_up":   `-32023 the play was given up after its worker died repeatedly `,
		"internal":  `-32603 internal error `,
		"else":      `-32603 internal error `,
	} {
		reply := s.call("play", protocol.PlayParams{Script: "fail " + kind})
		if reply.Error == nil {
			t.Fatalf("%s: got %s", kind, reply.Result)
		}
		if got := fmt.Sprintf("%d %s %s", reply.Error.Code, reply.Error.Message, reply.Error.Data); got != want {
			t.Errorf("%s: got %s, want %s", kind, got, want)
		}
	}
}

func TestTimeouts(t *testing.T) {
	r := newRig(t, withoutAuth) // no worker takes anything
	s := r.dial(0)
	if got := output(t, s.call("play", protocol.PlayParams{Script: "echo", TimeoutMS: 50})); got != "-32022 no worker took the play in time; it will not run later" {
		t.Errorf("got %q", got)
	}
	for _, ms := range []int64{60_001, -1} {
		want := fmt.Sprintf("-32602 invalid params: timeout_ms is %d, want 1 to 60000", ms)
		if got := output(t, s.call("play", protocol.PlayParams{Script: "echo", TimeoutMS: ms})); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAPlayIsSentAgainUnderItsKey(t *testing.T) {
	r := startGateway(t, withoutAuth)
	params := protocol.PlayParams{Script: "hold", IdempotencyKey: "once"}
	first, second := r.dial(0), r.dial(0)
	first.write(request(t, "1", "play", params))
	r.await()
	second.write(request(t, "1", "play", params)) // while it runs
	second.write(request(t, "2", "whoami", struct{}{}))
	if reply := second.reply(); string(reply.ID) != "2" {
		t.Errorf("first came %s", reply.ID)
	}
	if err := first.conn.CloseNow(); err != nil { // the play goes on
		t.Fatal(err)
	}
	r.open()
	held := second.reply()
	if got := output(t, held); got != "released" {
		t.Errorf("got %q", got)
	}
	again := r.dial(0).call("play", params) // when it has ended
	if string(again.Result) != string(held.Result) {
		t.Errorf("got %s, want %s", again.Result, held.Result)
	}
	if n := len(r.holding); n != 0 {
		t.Errorf("the script ran %d times more", n)
	}
	other := r.dial(1).call("play", protocol.PlayParams{Script: "echo other circle", IdempotencyKey: "once"})
	if got := output(t, other); got != "other circle" {
		t.Errorf("got %q", got)
	}
}

func TestIdempotencyKeysThatAreRefused(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	for _, step := range []struct{ script, key, want string }{
		{"echo one", "k", "one"},
		{"echo two", "k", "-32602 invalid params: the idempotency key was used for another script or other arguments; use a new one for each play"},
		{"echo two", strings.Repeat("k", 257), "-32602 invalid params: the idempotency key is too long, want at most 256 bytes"},
		{"fail script", "f", "-32010 the script failed: variable not found: x"},
		{"fail script", "f", "-32010 the script failed: variable not found: x"},
	} {
		if got := output(t, s.call("play", protocol.PlayParams{Script: step.script, IdempotencyKey: step.key})); got != step.want {
			t.Errorf("%s under %.5s: got %q, want %q", step.script, step.key, got, step.want)
		}
	}
}

func TestQueueLimit(t *testing.T) {
	r := newRig(t, func(cfg *Config) { withoutAuth(cfg); cfg.QueueLimit = 2 })
	s := r.dial(0)
	for range 3 {
		s.write(request(t, "1", "play", protocol.PlayParams{Script: "echo"}))
	}
	reply := s.reply()
	var data protocol.RetryData
	if reply.Error == nil || reply.Error.Code != protocol.CodeBusy || json.Unmarshal(reply.Error.Data, &data) != nil || data.RetryAfterMS < 1 {
		t.Errorf("the third got %s %v", reply.Result, reply.Error)
	}
}

func TestPlaysInFlightAreAnsweredAsTheyFinish(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s, neighbour := r.dial(0), r.dial(1)
	s.write(request(t, "1", "play", protocol.PlayParams{Script: "hold"}))
	s.write(request(t, "2", "play", protocol.PlayParams{Script: "echo two"}))
	s.write(request(t, "3", "whoami", struct{}{}))
	r.await()
	if reply := s.reply(); string(reply.ID) != "3" {
		t.Errorf("first came %s", reply.ID)
	}
	if got := neighbour.play("echo hello"); got != "hello" {
		t.Errorf("the other circle answered %q", got)
	}
	r.open()
	for _, want := range []string{"1 released", "2 two"} {
		reply := s.reply()
		if got := string(reply.ID) + " " + output(t, reply); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPlaysOfAConnectionKeepTheirOrder(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	for i := range 50 {
		s.write(request(t, fmt.Sprint(i), "play", protocol.PlayParams{Script: fmt.Sprint("echo ", i)}))
	}
	for i := range 50 {
		reply := s.reply()
		if got := string(reply.ID) + " " + output(t, reply); got != fmt.Sprint(i, " ", i) {
			t.Fatalf("at %d came %s", i, got)
		}
	}
}

func TestInFlightLimit(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxInFlight = 2 })
	s, neighbour := r.dial(0), r.dial(0)
	s.write(request(t, "1", "play", protocol.PlayParams{Script: "hold"}))
	s.write(request(t, "", "play", protocol.PlayParams{Script: "echo unanswered"})) // counts as well
	s.write(request(t, "3", "play", protocol.PlayParams{Script: "echo three"}))
	reply := s.reply()
	if reply.Error == nil || reply.Error.Code != protocol.CodeBusy || string(reply.Error.Data) != `{"retry_after_ms":50,"limit":"MAX_IN_FLIGHT"}` {
		t.Fatalf("the third got %s %v", reply.Result, reply.Error)
	}
	neighbour.write(request(t, "4", "play", protocol.PlayParams{Script: "echo four"})) // nobody else notices
	r.open()
	if got := output(t, s.reply()); got != "released" {
		t.Errorf("got %q", got)
	}
	if got := output(t, neighbour.reply()); got != "four" {
		t.Errorf("got %q", got)
	}
	// The circle is in order: what was queued before four has ended too.
	if got := s.play("echo again"); got != "again" {
		t.Errorf("got %q", got)
	}
}

// A client that goes on although it is told to wait is read as slowly as it may be
// refused; others are not, and nothing that it sent is lost.
func TestRefusedClientIsSlowedDown(t *testing.T) {
	const rate, refused = 10, 16 // a second; rate of them are free
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxInFlight, cfg.MaxRefusals = 1, rate })
	s, neighbour := r.dial(0), r.dial(1)
	s.write(request(t, "0", "play", protocol.PlayParams{Script: "hold"}))
	begin := time.Now()
	for i := range refused {
		s.write(request(t, fmt.Sprint(i+1), "play", protocol.PlayParams{Script: "echo late"}))
	}
	if got := neighbour.play("echo at once"); got != "at once" {
		t.Errorf("the neighbour got %q", got)
	}
	for range refused {
		if reply := s.reply(); reply.Error == nil || reply.Error.Code != protocol.CodeBusy {
			t.Fatalf("got %s %v, want a refusal", reply.Result, reply.Error)
		}
	}
	// The last is answered before its own wait.
	if took, least := time.Since(begin), time.Second*(refused-rate-1)/rate; took < least {
		t.Errorf("%d refusals took %v, want at least %v", refused, took, least)
	}
	r.open()
	if got := output(t, s.reply()); got != "released" {
		t.Errorf("got %q", got)
	}
}

func TestFrames(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxBatch = 4 })
	s := r.dial(0)
	anonymous := `{"circle":"` + r.circle(0) + `","authenticated":false,"pubkey":null,"role":"anonymous"}`
	who := func(id string) string { return `{"jsonrpc":"2.0","id":` + id + `,"result":` + anonymous + `}` }
	const invalid = `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request: got a number, want an object"}}`
	for _, test := range []struct{ frame, want string }{
		{`{"jsonrpc":"2.0","method":"whoami","id":"a"}`, who(`"a"`)},
		{`{"jsonrpc":"2.0","method":"whoami","id":null}`, who(`null`)},
		{`{"jsonrpc":"2.0","method":"whoami","id":123456789012345678901234567890}`, who(`123456789012345678901234567890`)},
		{`{"jsonrpc":"2.0","method":"whoami","id":-1.50E+3}`, who(`-1.50E+3`)},
		{`{"jsonrpc":"2.0","method":"whoami","id":"\u00e9<\/é"}`, who(`"\u00e9<\/é"`)},
		{`{"jsonrpc":"2.0","method":"nope","id":1}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found"}}`},
		{`{"jsonrpc":"2.0","method":"subscribe","params":{"topics":[]},"id":1}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found"}}`},
		{`{"jsonrpc":"2.0","method":"whoami","params":{"x":1},"id":1}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid params: unknown parameter \"x\", want none"}}`},
		{`{"jsonrpc":"2.0","method":"whoami"`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error: unexpected end of JSON input at byte 34"}}`},
		{`[]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request: the batch is empty"}}`},
		{`[1]`, `[` + invalid + `]`},
		{`[1,{"jsonrpc":"2.0","method":"whoami","id":1},{"jsonrpc":"2.0","method":"whoami"},1]`, `[` + invalid + `,` + who("1") + `,` + invalid + `]`},
		{`[1,1,1,1,1]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request: the batch has 5 entries, at most 4 are taken"}}`},
	} {
		s.write(test.frame)
		if got := s.read(); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.frame, got, test.want)
		}
	}
}

func TestNotificationsAreNotAnswered(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	for _, frame := range []string{
		`{"jsonrpc":"2.0","method":"whoami"}`,
		`{"jsonrpc":"2.0","method":"nope"}`,
		`{"jsonrpc":"2.0","method":"play","params":{"script":"echo 1"}}`,
		`{"jsonrpc":"2.0","method":"play","params":{"script":1}}`,
		`[{"jsonrpc":"2.0","method":"whoami"},{"jsonrpc":"2.0","method":"play","params":{"script":"fail script"}}]`,
	} {
		s.write(frame)
	}
	if got := s.play("echo last"); got != "last" {
		t.Errorf("the first answer is %q", got)
	}
}

func TestBatchesOfPlays(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	s.write(`[{"jsonrpc":"2.0","method":"play","params":["echo a"],"id":"a"},{"jsonrpc":"2.0","method":"play","params":["hold"]},` +
		`{"jsonrpc":"2.0","method":"play","params":["echo c"],"id":"c"},{"jsonrpc":"2.0","method":"nope","id":"d"}]`)
	r.await()
	r.open()
	replies, err := protocol.DecodeReplies([]byte(s.read()))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, reply := range replies {
		got = append(got, string(reply.ID)+" "+output(t, reply))
	}
	sort.Strings(got)
	if want := `"a" a, "c" c, "d" -32601 method not found`; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMessageSize(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxMessageBytes = 64 << 10 })
	s, neighbour := r.dial(0), r.dial(0)
	text := strings.Repeat("x", 60<<10)
	if got := s.play("echo " + text); got != text {
		t.Errorf("a message within the limit gave %d bytes", len(got))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// The gateway may close before all of it is written.
	_ = s.conn.Write(ctx, websocket.MessageText, bytes.Repeat([]byte(" "), 3<<20))
	if code, _ := s.closed(); code != websocket.StatusMessageTooBig {
		t.Errorf("got close code %d, want 1009", code)
	}
	if got := neighbour.play("echo hello"); got != "hello" {
		t.Errorf("a neighbour got %q", got)
	}
}

func TestOnlyTextInUTF8(t *testing.T) {
	r := newRig(t, withoutAuth)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := r.dial(0)
	if err := s.conn.Write(ctx, websocket.MessageBinary, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.closed(); code != websocket.StatusUnsupportedData {
		t.Errorf("binary: got close code %d, want 1003", code)
	}
	s = r.dial(0)
	if err := s.conn.Write(ctx, websocket.MessageText, []byte("\"\xff\"")); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.closed(); code != websocket.StatusInvalidFramePayloadData {
		t.Errorf("not UTF-8: got close code %d, want 1007", code)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.IdleTimeout, cfg.PingInterval = 20*time.Millisecond, 10*time.Millisecond })
	conn, _ := rawSocket(t, r) // answers no ping
	frames := readFrames(t, conn)
	if len(frames) == 0 {
		t.Fatal("the connection ended without a close frame")
	}
	if last := frames[len(frames)-1]; last.opcode != 8 || last.code() != 1008 {
		t.Errorf("the last frame is %+v, want a close frame with 1008", last)
	}
}

func TestPingsKeepAConnection(t *testing.T) {
	r := startGateway(t, func(cfg *Config) {
		withoutAuth(cfg)
		cfg.IdleTimeout, cfg.PingInterval = 1500*time.Millisecond, 50*time.Millisecond
	})
	s := r.dial(0)
	s.write(request(t, "1", "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	time.AfterFunc(1600*time.Millisecond, r.open) // longer than the idle timeout: only answers to pings keep it
	if got := output(t, s.reply()); got != "released" {
		t.Errorf("got %q", got)
	}
}

// awaitLog waits until something is logged.
func (r *rig) awaitLog(text string) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(r.log.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%q is not in the log: %s", text, r.log.String())
		}
	}
}

func TestSlowReadersHarmNobody(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.WriteTimeout = 300 * time.Millisecond })
	_, write := rawSocket(t, r) // reads nothing
	for i := range 40 {
		write(request(t, fmt.Sprint(i), "play", protocol.PlayParams{Script: "big 1000000"}))
	}
	neighbour := r.dial(0)
	for i := range 20 {
		if got := neighbour.play(fmt.Sprint("echo ", i)); got != fmt.Sprint(i) {
			t.Fatalf("a neighbour got %q", got)
		}
	}
	r.awaitLog("a message could not be written")
}

func TestOneWhoReadsNoAnswersIsNotReadEither(t *testing.T) {
	r := newRig(t, func(cfg *Config) {
		withoutAuth(cfg)
		cfg.MaxOutgoingBytes, cfg.WriteTimeout = 64<<10, 300*time.Millisecond
	})
	conn, _ := rawSocket(t, r)
	frame := maskedText(`{"jsonrpc":"2.0","method":"rpc.discover","id":1}`)
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := conn.Write(frame); err != nil {
			break // the gateway hung up
		}
	}
	r.awaitLog("a message could not be written")
}

func TestAnswersInABurstAreAllDelivered(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxOutgoingBytes = 4 << 10 })
	s := r.dial(0)
	for i := range 50 {
		s.write(request(t, fmt.Sprint(i), "play", protocol.PlayParams{Script: "big 200000"}))
	}
	if got := r.dial(0).play("echo last"); got != "last" { // all of them have run
		t.Fatal(got)
	}
	for i := range 50 {
		if reply := s.reply(); string(reply.ID) != fmt.Sprint(i) || len(output(t, reply)) != 200_000 {
			t.Fatalf("at %d came %s, %v", i, reply.ID, reply.Error)
		}
	}
}

func TestShutdownLetsPlaysFinish(t *testing.T) {
	r := startGateway(t, withoutAuth)
	busy, idle := r.dial(0), r.dial(1)
	if got := idle.play("echo hello"); got != "hello" {
		t.Fatal(got)
	}
	busy.write(request(t, "1", "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()

	const closing = `{"jsonrpc":"2.0","method":"closing","params":{"reason":"the gateway is closing; connect anew"}}`
	if got := idle.read(); got != closing {
		t.Errorf("an idle client got %s", got)
	}
	if code, _ := idle.closed(); code != websocket.StatusGoingAway {
		t.Errorf("an idle client got the close code %d", code)
	}
	if got := busy.read(); got != closing {
		t.Errorf("a busy client got %s", got)
	}
	reply := busy.call("play", protocol.PlayParams{Script: "echo late"})
	if reply.Error == nil || reply.Error.Code != protocol.CodeBusy {
		t.Errorf("a late play got %s %v", reply.Result, reply.Error)
	}
	r.open()
	if got := output(t, busy.reply()); got != "released" {
		t.Errorf("the running play gave %q", got)
	}
	if code, _ := busy.closed(); code != websocket.StatusGoingAway {
		t.Errorf("a busy client got the close code %d", code)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdownTimeout(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.ShutdownTimeout = 50 * time.Millisecond })
	s := r.dial(0)
	conn, _ := rawSocket(t, r) // does not answer the close frame either
	s.write(request(t, "1", "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	defer r.open()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if code, _ := s.closed(); code != websocket.StatusGoingAway {
		t.Errorf("got the close code %d, want 1001", code)
	}
	_ = conn.Close()
}

func TestPanicsLeakNothing(t *testing.T) {
	const word = "secret-cause"
	r := newRig(t, withoutAuth, func(s *Server) {
		s.methods["boom"] = method{spec: protocol.Spec{Name: "boom"}, public: true, call: func(*session, *call) { panic(word) }}
		s.methods["late"] = method{spec: protocol.Spec{Name: "late"}, public: true, call: func(_ *session, c *call) {
			c.answer("answered", nil)
			panic(word)
		}}
	})
	s := r.dial(0)
	s.write(`{"jsonrpc":"2.0","method":"boom","id":1}`)
	if got := s.read(); got != `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error"}}` {
		t.Errorf("got %s", got)
	}
	s.write(`{"jsonrpc":"2.0","method":"late","id":2}`)
	if got := s.read(); got != `{"jsonrpc":"2.0","id":2,"result":"answered"}` {
		t.Errorf("got %s", got)
	}
	if reply := s.call("whoami", struct{}{}); reply.Error != nil {
		t.Errorf("afterwards whoami gave %v", reply.Error)
	}
	if log := r.log.String(); strings.Count(log, word) != 2 {
		t.Errorf("the log does not show the panics: %s", log)
	}
}

// trap is a log handler that panics at some messages: the shortest way to have
// a panic where nothing else panics.
type trap struct {
	slog.Handler
	messages []string
}

func (h trap) Handle(ctx context.Context, record slog.Record) error {
	if slices.Contains(h.messages, record.Message) {
		panic("secret-cause")
	}
	return h.Handler.Handle(ctx, record)
}

func (h trap) WithAttrs(attrs []slog.Attr) slog.Handler {
	return trap{h.Handler.WithAttrs(attrs), h.messages}
}

func TestPanicsOutsideOfMethodsEndTheConnection(t *testing.T) {
	for _, messages := range [][]string{
		{"panic in a method"},
		{"panic in a method", "panic in a connection"},
	} {
		r := newRig(t, withoutAuth, func(s *Server) {
			s.methods["boom"] = method{public: true, call: func(*session, *call) { panic("boom") }}
			s.log = slog.New(trap{s.log.Handler(), messages})
		})
		s := r.dial(0)
		s.write(`{"jsonrpc":"2.0","method":"boom","id":1}`)
		code, reason := s.closed()
		if code != websocket.StatusInternalError || reason != "internal error" {
			t.Errorf("got %d %q, want 1011", code, reason)
		}
		if reply := r.dial(0).call("whoami", struct{}{}); reply.Error != nil {
			t.Errorf("the next connection got %v", reply.Error)
		}
	}
}

// TestClientsComeAndGo has clients of every kind at work when the gateway is
// shut down: it has to end in order, and the race detector sees how.
func TestClientsComeAndGo(t *testing.T) {
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxOutgoingBytes = 64 << 10 })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url := "ws://" + r.host + "/" + r.circle(0)
	var clients sync.WaitGroup
	var answered atomic.Int64
	for i := range 12 {
		clients.Go(func() {
			for {
				conn, _, err := websocket.Dial(ctx, url, nil)
				if err != nil {
					return // the gateway is gone
				}
				conn.SetReadLimit(1 << 20)
				for j := range 5 {
					frame := request(t, fmt.Sprint(j), "play", protocol.PlayParams{Script: "big 30000"})
					if conn.Write(ctx, websocket.MessageText, []byte(frame)) != nil {
						break
					}
				}
				reads := 5
				if i%3 == 0 {
					reads = 1 // and leaves the others
				}
				for range reads {
					if _, _, err := conn.Read(ctx); err != nil {
						break
					}
					answered.Add(1)
				}
				if i%2 == 0 {
					_ = conn.CloseNow()
				} else {
					_ = conn.Close(websocket.StatusNormalClosure, "")
				}
			}
		})
	}
	for answered.Load() < 100 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	clients.Wait()
	if ctx.Err() != nil {
		t.Error("the clients were not let go")
	}
}

func TestADisconnectedClientsPlaysGoOn(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	s.write(request(t, "1", "play", protocol.PlayParams{Script: "hold"}))
	r.await()
	if err := s.conn.CloseNow(); err != nil {
		t.Fatal(err)
	}
	other := r.dial(0)
	other.write(request(t, "2", "play", protocol.PlayParams{Script: "echo next"}))
	r.open()
	if got := output(t, other.reply()); got != "next" {
		t.Errorf("got %q", got)
	}
}

// TestAFrameThatIsBegunIsEnded has the socket take a part of a frame and no more: what comes after it, pongs too, comes
// whole, and after the rest.
func TestAFrameThatIsBegunIsEnded(t *testing.T) {
	const plays, size = 4000, 3000
	r := startGateway(t, func(cfg *Config) { withoutAuth(cfg); cfg.MaxInFlight, cfg.MaxOutgoingBytes = plays, 64<<10 })
	s := r.dial(0)
	written := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for i := range plays {
			text := request(t, fmt.Sprint(i), "play", protocol.PlayParams{Script: fmt.Sprint("big ", size)})
			if err := s.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				written <- err
				return
			}
		}
		written <- s.conn.Ping(ctx) // answered when the replies are read
	}()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if served := r.server.conns.sessions(); len(served) > 0 && served[0].out.crowded() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the socket takes everything")
		}
	}
	for range plays {
		if reply := s.reply(); len(output(t, reply)) != size {
			t.Fatalf("got %s, %v", reply.ID, reply.Error)
		}
	}
	go s.conn.Reader(context.Background()) // it reads the answer to the ping
	if err := <-written; err != nil {
		t.Error(err)
	}
}
