package outage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/deploy/internal/process"
	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/protocol"
	"circles/pkg/redistest"
)

const (
	// patience bounds what is waited for; it never decides a result.
	patience = 60 * time.Second

	// playTimeout is each play's own. Answers may come this much later and not more: the gateway looks for the outcome
	// first, for which a Redis that does not answer gets some seconds.
	playTimeout = time.Second
	answerWait  = 20 * time.Second

	leaseTTL = time.Second
)

// A system is a Redis, a gateway and a worker, and a client of a circle.
type system struct {
	t       *testing.T
	redis   *redistest.Server
	addr    string // of Redis
	admin   redis.UniversalClient
	circle  circle.Key
	gateway *service
	worker  *service
	client  *client.Client

	mu    sync.Mutex
	tally tally
}

// A tally is what callers were told.
type tally struct{ done, refused, unknown int }

// A service is a process with its log and its health port.
type service struct {
	*process.Process
	name string
	log  string // file
	addr string // of its HTTP port
}

// start runs the services on a Redis that may be down. Services get what change makes of the Redis's URL.
func start(t *testing.T, bin process.Binaries, server *redistest.Server, change func(url string) string) *system {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	s := &system{t: t, redis: server, addr: server.Addr, admin: server.Client(), circle: secret.Public()}
	url := server.URL
	if change != nil {
		url = change(url)
	}
	env := []string{"CIRCLE_KEYS=" + s.circle.String(), "REDIS_URL=" + url, "SHUTDOWN_TIMEOUT=5s", "LOG_LEVEL=debug"}
	s.worker = s.service("worker", bin.Worker, append(env, "WORKER_HTTP_ADDR=127.0.0.1:0", "LEASE_TTL="+leaseTTL.String()), "the worker runs")
	s.gateway = s.service("gateway", bin.Gateway, append(env, "GATEWAY_PORT=0", "ENABLE_AUTH=false"), "the gateway listens")

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.client, err = client.Dial(ctx, "ws://"+s.gateway.addr+"/"+s.circle.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

// service starts a process and returns when it has logged where it can be reached.
func (s *system) service(name, binary string, env []string, listens string) *service {
	s.t.Helper()
	v := &service{name: name, log: filepath.Join(s.t.TempDir(), "log")}
	log, err := os.Create(v.log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close() // the process has its own descriptor
	if v.Process, err = process.Start(binary, env, log); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := v.Kill(); err != nil {
			s.t.Error(err)
		}
		if s.t.Failed() {
			s.t.Logf("the %s's log:\n%s", name, v.tail())
		}
	})
	s.await("the "+name+"'s port", func() bool {
		if !v.Running() {
			s.t.Fatalf("the %s ended at once: %s", name, v.tail())
		}
		for _, line := range v.lines(s.t) {
			if line.Msg == listens {
				v.addr = line.Addr
			}
		}
		return v.addr != ""
	})
	return v
}

// line is what a service logs, in part.
type line struct{ Level, Msg, Addr string }

// lines reads the log. Every line that is complete has to be of the service's own logger.
func (v *service) lines(t *testing.T) []line {
	t.Helper()
	text, err := os.ReadFile(v.log)
	if err != nil {
		t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	var lines []line
	for scanner := bufio.NewScanner(bytes.NewReader(text)); scanner.Scan(); {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil || l.Level == "" {
			t.Fatalf("the %s printed something else than its log: %s", v.name, scanner.Text())
		}
		lines = append(lines, l)
	}
	return lines
}

// warns reports whether the log has a warning with a word.
func (v *service) warns(t *testing.T, word string) bool {
	t.Helper()
	for _, l := range v.lines(t) {
		if l.Level == "WARN" && strings.Contains(l.Msg, word) {
			return true
		}
	}
	return false
}

func (v *service) tail() string {
	const most = 8 << 10
	text, err := os.ReadFile(v.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// await waits until a condition holds.
func (s *system) await(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// awaitReady waits until a service says that it is ready, or that it is not. It is alive all along.
func (s *system) awaitReady(v *service, want bool) {
	s.t.Helper()
	s.await(fmt.Sprintf("the %s to say ready: %v", v.name, want), func() bool {
		if status, body := s.get(v, "/healthz"); status != http.StatusOK {
			s.t.Fatalf("the %s's /healthz gives %d %s, want 200", v.name, status, body)
		}
		status, body := s.get(v, "/readyz")
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			s.t.Fatalf("the %s's /readyz gives %d %s, want 200 or 503", v.name, status, body)
		}
		s.checkWords(body)
		return want == (status == http.StatusOK)
	})
}

func (s *system) awaitAllReady() {
	s.t.Helper()
	s.awaitReady(s.worker, true)
	s.awaitReady(s.gateway, true)
}

func (s *system) get(v *service, path string) (int, string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), answerWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.addr+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		s.t.Fatalf("the %s does not answer: %v", v.name, err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, body.String()
}

// count adds one and returns the new count.
const count = `if !state.contains("n") { state.n = 0; } state.n += 1; state.n`

// play counts one and takes note of the answer, which has to come in time and be a count, busy with advice, a definite
// error, or plainly unknown.
func (s *system) play() (protocol.Code, error) {
	err := s.playFor(playTimeout)
	return client.CodeOf(err), err
}

func (s *system) playFor(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout+answerWait)
	defer cancel()
	_, err := s.client.Play(ctx, count, client.Timeout(timeout))
	s.mu.Lock()
	defer s.mu.Unlock()
	var unknown *client.UnknownOutcomeError
	var answered *client.Error
	switch {
	case err == nil:
		s.tally.done++
		return nil
	case ctx.Err() != nil:
		s.t.Errorf("a play of %v was not answered %v later", timeout, answerWait)
	case !errors.As(err, &answered):
		s.t.Errorf("got %v, want an answer of the gateway", err)
	case errors.As(err, &unknown):
		s.tally.unknown++
	default:
		s.tally.refused++
		switch answered.Code {
		case protocol.CodeBusy:
			if wait, ok := answered.RetryAfter(); !ok || wait <= 0 {
				s.t.Errorf("got %v without advice when to retry", err)
			}
		case protocol.CodeExpired, protocol.CodeTimeout:
		default:
			s.t.Errorf("got %v, want busy, expired or timeout", err)
		}
	}
	s.checkWords(err.Error())
	return err
}

// checkWords refuses texts for strangers that show what is behind the gateway.
func (s *system) checkWords(text string) {
	s.t.Helper()
	for _, word := range []string{s.addr, "dial", "EOF", "ERR", "OOM", "READONLY", "NOAUTH", "WRONGPASS", "NOGROUP", "NOSCRIPT", "secret", ".lua"} {
		if strings.Contains(text, word) {
			s.t.Errorf("the answer %q shows %q", text, word)
		}
	}
}

// awaitPlay plays until one is done.
func (s *system) awaitPlay() {
	s.t.Helper()
	s.await("a play to be done", func() bool { _, err := s.play(); return err == nil })
}

// refused plays a few times and wants each refused as busy.
func (s *system) refused() {
	s.t.Helper()
	for range 3 {
		if code, err := s.play(); code != protocol.CodeBusy {
			s.t.Errorf("got %v, want busy", err)
		}
	}
}

// load plays from several callers until stop is called, which waits for them.
func (s *system) load() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.play(); err != nil {
					select {
					case <-ctx.Done():
					case <-time.After(50 * time.Millisecond):
					}
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); callers.Wait() })
	s.t.Cleanup(stop)
	return stop
}

func (s *system) queue() string { return "rhai_tasks:" + s.circle.String() }

func (s *system) signal(v *service, number syscall.Signal) {
	s.t.Helper()
	if err := v.Signal(number); err != nil {
		s.t.Fatal(err)
	}
}

// redisProcess is the process that serves now. It is redistest's to end.
func (s *system) redisProcess() *os.Process {
	s.t.Helper()
	info, err := s.admin.Info(s.t.Context(), "server").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(info, "process_id:")
	line, _, _ := strings.Cut(rest, "\r\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		s.t.Fatal(err)
	}
	found, err := os.FindProcess(pid)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = found.Release() })
	return found
}

// do has the administrator send a command.
func (s *system) do(command ...any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.admin.Do(ctx, command...).Err(); err != nil {
		s.t.Fatalf("%v: %v", command[0], err)
	}
}

// forget begins the tally anew: what was done is lost with Redis.
func (s *system) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally = tally{}
}

// conclude checks that every play took effect as its caller was told, and that the services are well and end in order.
func (s *system) conclude() {
	s.t.Helper()
	s.awaitAllReady()
	s.awaitPlay()
	ctx, cancel := context.WithTimeout(s.t.Context(), answerWait)
	defer cancel()
	result, err := s.client.Play(ctx, "state.n", client.Timeout(answerWait))
	if err != nil {
		s.t.Fatal(err)
	}
	var n int
	if err := result.Decode(&n); err != nil {
		s.t.Fatal(err)
	}
	if n < s.tally.done || n > s.tally.done+s.tally.unknown {
		s.t.Errorf("the state counts %d plays, the callers %+v", n, s.tally)
	}
	if err := s.client.Close(); err != nil {
		s.t.Errorf("the socket closed with %v", err)
	}
	for _, v := range []*service{s.gateway, s.worker} {
		if !v.Running() {
			s.t.Fatalf("the %s has ended", v.name)
		}
		s.signal(v, syscall.SIGTERM)
		if code := v.ExitCode(); code != 0 {
			s.t.Errorf("the %s ended with %d, want 0", v.name, code)
		}
		v.lines(s.t)
		if text, err := os.ReadFile(v.log); err != nil || strings.Contains(string(text), "secret") {
			s.t.Errorf("the %s's log shows a password (%v)", v.name, err)
		}
	}
	s.t.Logf("callers were told: %+v", s.tally)
}
