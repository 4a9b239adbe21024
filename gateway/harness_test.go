package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
	"circles/pkg/queue"
	"circles/pkg/redistest"
	"circles/pkg/settings"
)

func TestMain(m *testing.M) {
	// The HTTP library's clock for the header Date: one a process, for good.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// patience is how long a test waits for what has to come. No test depends on
// how long anything takes.
const patience = 30 * time.Second

// rig is a running gateway with a Redis and a worker of its own.
type rig struct {
	t       testing.TB
	server  *Server
	host    string // as clients dial it
	secrets []circle.Secret
	log     *logBuffer
	redis   *redistest.Server

	// hold is what the script "hold" waits for; started counts those that wait.
	hold    chan struct{}
	holding chan struct{}

	stop func() error // shuts the gateway down and waits; the first result counts
}

// startGateway runs a gateway of two circles. configure changes its settings.
func startGateway(t testing.TB, configure func(*Config), options ...func(*Server)) *rig {
	t.Helper()
	r := newRig(t, configure, options...)
	r.work()
	return r
}

// newRig is startGateway without a worker.
func newRig(t testing.TB, configure func(*Config), options ...func(*Server)) *rig {
	t.Helper()
	r := &rig{t: t, log: &logBuffer{}, hold: make(chan struct{}), holding: make(chan struct{}, 1000)}
	var cfg Config
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		secret, err := circle.GenerateSecret()
		if err != nil {
			t.Fatal(err)
		}
		r.secrets = append(r.secrets, secret)
		cfg.CircleKeys = append(cfg.CircleKeys, secret.Public().String())
	}
	cfg.Port = 0
	r.redis = redistest.Start(t)
	cfg.RedisURL = r.redis.URL
	if configure != nil {
		configure(&cfg)
	}
	server, err := New(cfg, Options{Logger: slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range options {
		option(server)
	}
	r.server = server
	addr, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	r.host = "localhost:" + port

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	var once sync.Once
	var result error
	r.stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-ended:
			case <-time.After(patience):
				result = errors.New("the gateway did not end")
			}
		})
		return result
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the gateway ended with: %v", err)
		}
	})
	return r
}

// work runs a worker: the real consumer's side of the queue, with a language of
// a few words in the place of the engine.
func (r *rig) work() {
	r.t.Helper()
	rdb, err := queue.Open(r.server.cfg.RedisURL)
	if err != nil {
		r.t.Fatal(err)
	}
	consumer := queue.NewConsumer(rdb, queue.ConsumerOptions{WorkerID: "stand-in", LeaseTTL: time.Minute})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = consumer.Run(ctx) })
	for _, secret := range r.secrets {
		lease, err := consumer.Claim(ctx, secret.Public())
		if err != nil {
			r.t.Fatal(err)
		}
		running.Go(func() {
			for {
				plays, err := lease.Next(ctx)
				if err != nil {
					return
				}
				for _, delivery := range plays {
					outcome := r.play(ctx, delivery.Play)
					var withdrawn *queue.WithdrawnError
					err := lease.Commit(ctx, []queue.Done{{Delivery: delivery, Outcome: outcome}})
					if err != nil && !errors.As(err, &withdrawn) && ctx.Err() == nil {
						r.t.Errorf("commit: %v", err)
					}
				}
			}
		})
	}
	r.t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := rdb.Close(); err != nil {
			r.t.Error(err)
		}
	})
}

// play is the stand-in's language: a word, and for some an argument after a
// space.
func (r *rig) play(ctx context.Context, p queue.Play) queue.Outcome {
	o := queue.Outcome{PlayID: p.ID, Elapsed: 5 * time.Microsecond}
	give := func(text string) {
		o.Output = text
		o.Value, _ = json.Marshal(text)
	}
	word, argument, _ := strings.Cut(p.Script, " ")
	switch word {
	case "echo":
		give(argument)
	case "caller":
		give(p.Caller + " " + p.Role)
	case "args":
		o.Output, o.Value = string(p.Args), p.Args
	case "nothing":
	case "big":
		n, _ := strconv.Atoi(argument)
		give(strings.Repeat("x", n))
	case "hold":
		r.holding <- struct{}{}
		select {
		case <-r.hold:
		case <-ctx.Done():
		}
		give("released")
	case "fail":
		o.Error = &queue.PlayError{
			Kind: queue.ErrorKind(argument), ScriptKind: "ErrorVariableNotFound", Message: "variable not found: x",
			Line: 2, Column: 5, Trace: []string{"f @ 1:1"}, Limit: "operations",
		}
	default:
		o.Error = &queue.PlayError{Kind: queue.KindParse, ScriptKind: "ErrorParsing", Message: "what?", Line: 1, Column: 1}
	}
	return o
}

// open lets go of the scripts that hold.
func (r *rig) open() { close(r.hold) }

// await waits until a script holds.
func (r *rig) await() {
	r.t.Helper()
	select {
	case <-r.holding:
	case <-time.After(patience):
		r.t.Fatal("no play started")
	}
}

func (r *rig) circle(i int) string { return r.secrets[i].Public().String() }

// get asks for a path over HTTP and returns the status and the body.
func (r *rig) get(path string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+r.host+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do(request, headers...)
}

func (r *rig) do(request *http.Request, headers ...string) (*http.Response, string) {
	r.t.Helper()
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(body)
}

// socket is a test's client.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
	rig  *rig
	in   int // circle
}

// dial opens a socket to one of the circles.
func (r *rig) dial(in int, headers ...string) *socket {
	r.t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			options.Host = headers[i+1]
		}
		options.HTTPHeader.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+r.host+"/"+r.circle(in), options)
	if err != nil {
		r.t.Fatal(err)
	}
	conn.SetReadLimit(64 << 20)
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t: r.t, conn: conn, rig: r, in: in}
}

func (s *socket) write(frame string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *socket) read() string {
	s.t.Helper()
	frame, err := s.tryRead()
	if err != nil {
		s.t.Fatal(err)
	}
	return frame
}

func (s *socket) tryRead() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := s.conn.Read(ctx)
	return string(data), err
}

// closed reads until the connection is closed and returns the close code.
func (s *socket) closed() (websocket.StatusCode, string) {
	s.t.Helper()
	for {
		if _, err := s.tryRead(); err != nil {
			var closed websocket.CloseError
			if !errors.As(err, &closed) {
				s.t.Fatalf("the connection ended with %v, want a close frame", err)
			}
			return closed.Code, closed.Reason
		}
	}
}

// call sends a request and returns the next answer.
func (s *socket) call(method string, params any) protocol.Reply {
	s.t.Helper()
	s.write(request(s.t, `1`, method, params))
	return s.reply()
}

func request(t testing.TB, id, method string, params any) string {
	t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	r := protocol.Request{Method: method, Params: raw}
	if id != "" {
		r.ID = protocol.ID(id)
	}
	return string(r.AppendJSON(nil))
}

func (s *socket) reply() protocol.Reply {
	s.t.Helper()
	replies, err := protocol.DecodeReplies([]byte(s.read()))
	if err != nil || len(replies) != 1 {
		s.t.Fatalf("got %d replies, %v", len(replies), err)
	}
	return replies[0]
}

// play plays a script and returns its output, or the error's code and message.
func (s *socket) play(script string) string {
	s.t.Helper()
	return output(s.t, s.call(protocol.MethodPlay, protocol.PlayParams{Script: script}))
}

func output(t testing.TB, reply protocol.Reply) string {
	t.Helper()
	if reply.Error != nil {
		return fmt.Sprintf("%d %s", reply.Error.Code, reply.Error.Message)
	}
	var result protocol.PlayResult
	if err := json.Unmarshal(reply.Result, &result); err != nil {
		t.Fatal(err)
	}
	return result.Output
}

// fetch fetches a challenge for a key.
func (s *socket) fetch(key circle.Key) string {
	s.t.Helper()
	reply := s.call(protocol.MethodFetchNonce, protocol.FetchNonceParams{PubKey: key})
	if reply.Error != nil {
		s.t.Fatal(reply.Error)
	}
	var result protocol.FetchNonceResult
	if err := json.Unmarshal(reply.Result, &result); err != nil {
		s.t.Fatal(err)
	}
	return result.Challenge
}

// sign signs a text and answers the challenge with it.
func (s *socket) sign(scheme auth.Scheme, secret circle.Secret, text string) protocol.Reply {
	s.t.Helper()
	signature, err := auth.Sign(scheme, secret, text)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.answer(secret.Public(), signature, scheme)
}

func (s *socket) answer(key circle.Key, signature string, scheme auth.Scheme) protocol.Reply {
	s.t.Helper()
	return s.call(protocol.MethodAuthenticate, protocol.AuthenticateParams{PubKey: key, Signature: signature, Scheme: scheme})
}

// owner authenticates as the circle's owner.
func (s *socket) owner() *socket {
	s.t.Helper()
	secret := s.rig.secrets[s.in]
	if reply := s.sign(auth.ECDSA, secret, s.fetch(secret.Public())); reply.Error != nil {
		s.t.Fatal(reply.Error)
	}
	return s
}

// clock is one that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// logBuffer keeps what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// withoutAuth turns authentication off.
func withoutAuth(cfg *Config) { cfg.EnableAuth = false }
