package gateway

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"circles/gateway/console"
	"circles/pkg/protocol"
)

func TestTwoCirclesOnOnePortAndNoThird(t *testing.T) {
	r := startGateway(t, withoutAuth)
	for i := range 2 {
		if got := r.dial(i).play("echo hello"); got != "hello" {
			t.Errorf("circle %d answered %q", i, got)
		}
	}
	third := secret(t).Public().String()
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	for _, headers := range [][]string{nil, upgrade} {
		for path, shown := range map[string]string{
			"/" + third:             third,
			"/foo":                  "foo",
			"/foo/bar":              "foo/bar",
			"/" + third[:65]:        third[:65],
			"/" + r.circle(0) + "0": r.circle(0) + "0",
			"/%3Cscript%3E":         "%3Cscript%3E",
		} {
			response, body := r.get(path, headers...)
			want, _ := json.Marshal(map[string]string{
				"error":   "Circle not found",
				"message": "Circle '" + shown + "' is not available on this server",
			})
			if response.StatusCode != http.StatusNotFound || body != string(want) {
				t.Errorf("%s gave %d %s, want 404 %s", path, response.StatusCode, body, want)
			}
		}
	}
	response, body := r.get("/" + strings.Repeat("a", 2000))
	if response.StatusCode != http.StatusNotFound || len(body) > 400 {
		t.Errorf("a long path gave %d and %d bytes", response.StatusCode, len(body))
	}
}

func TestAddressesOfOtherForms(t *testing.T) {
	r := newRig(t, nil)
	if response, _ := r.get("/" + strings.ToUpper(r.circle(0))); response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("upper case gave %d, want 426", response.StatusCode)
	}
}

func TestACircleIsToBeUpgraded(t *testing.T) {
	r := newRig(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodDelete} {
		request, err := http.NewRequest(method, "http://"+r.host+"/"+r.circle(0), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, body := r.do(request)
		if response.StatusCode != http.StatusUpgradeRequired || response.Header.Get("Upgrade") != "websocket" {
			t.Errorf("%s gave %d %v %s", method, response.StatusCode, response.Header, body)
		}
	}
	// A handshake that is none.
	for _, headers := range [][]string{
		{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
		{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13"},
		{"Connection", "Upgrade", "Upgrade", "h2c"},
	} {
		response, body := r.get("/"+r.circle(0), headers...)
		if response.StatusCode != http.StatusUpgradeRequired || !json.Valid([]byte(body)) {
			t.Errorf("%v gave %d %s", headers, response.StatusCode, body)
		}
	}
	r.server.conns.mu.Lock()
	defer r.server.conns.mu.Unlock()
	if left := len(r.server.conns.places); left != 0 {
		t.Errorf("%d places were not given back", left)
	}
}

func TestHealthAndDocument(t *testing.T) {
	r := startGateway(t, withoutAuth)
	if response, body := r.get("/healthz"); response.StatusCode != 200 || body != `{"status":"ok"}` {
		t.Errorf("healthz gave %d %s", response.StatusCode, body)
	}
	if response, body := r.get("/readyz"); response.StatusCode != 200 || body != `{"status":"ready"}` {
		t.Errorf("readyz gave %d %s", response.StatusCode, body)
	}
	response, document := r.get("/openrpc.json")
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("openrpc.json gave %d %v", response.StatusCode, response.Header)
	}
	discovered := r.dial(0).call("rpc.discover", []any{})
	if string(discovered.Result) != document {
		t.Errorf("rpc.discover answered\n%s\nand openrpc.json\n%s", discovered.Result, document)
	}
	var got struct{ Methods []struct{ Name string } }
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range got.Methods {
		names = append(names, m.Name)
	}
	if want := "play cancel fetch_nonce authenticate whoami rpc.discover"; strings.Join(names, " ") != want {
		t.Errorf("the document has %v, want %s", names, want)
	}
	if response, _ := r.get("/"); response.StatusCode != http.StatusFound || response.Header.Get("Location") != console.Path {
		t.Errorf("/ gave %d %v", response.StatusCode, response.Header)
	}
	if response, body := r.get(console.Path); response.StatusCode != 200 || !strings.Contains(body, "<html") {
		t.Errorf("the console gave %d", response.StatusCode)
	}
	if server := response.Header.Get("Server"); server != "" {
		t.Errorf("the answers name the server %q", server)
	}
}

func TestNotReadyWithoutRedis(t *testing.T) {
	r := newRig(t, func(cfg *Config) { withoutAuth(cfg); cfg.RedisURL = "redis://" + closedPort(t) })
	response, body := r.get("/readyz")
	if response.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "127.0.0.1") {
		t.Errorf("readyz gave %d %s", response.StatusCode, body)
	}
	if response, _ := r.get("/healthz"); response.StatusCode != 200 {
		t.Errorf("healthz gave %d", response.StatusCode)
	}
	if got := r.dial(0).play("echo hello"); got != "-32020 busy: the queue can't be reached; the play was not taken" {
		t.Errorf("a play gave %q", got)
	}
}

func TestRedisGoesAndComes(t *testing.T) {
	r := newRig(t, withoutAuth)
	s := r.dial(0)
	awaitReady := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			response, body := r.get("/readyz")
			if response.StatusCode == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("readyz still gives %d %s, want %d", response.StatusCode, body, want)
			}
		}
	}
	awaitReady(http.StatusOK)
	r.redis.Stop()
	awaitReady(http.StatusServiceUnavailable)
	if got := s.play("echo hello"); got != "-32020 busy: the queue can't be reached; the play was not taken" {
		t.Errorf("without redis a play gave %q", got)
	}
	r.redis.Restart()
	awaitReady(http.StatusOK)
	r.work()
	if got := s.play("echo hello"); got != "hello" {
		t.Errorf("with redis back a play gave %q", got)
	}
}

func TestARedisThatDoesNotAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := newRig(t, func(cfg *Config) {
		withoutAuth(cfg)
		cfg.RedisURL = "redis://" + silent.Addr().String()
		cfg.ShutdownTimeout = 50 * time.Millisecond
	})
	s := r.dial(0)
	for i := range 5 {
		s.write(request(t, fmt.Sprint(i), "play", protocol.PlayParams{Script: "echo", TimeoutMS: 100}))
	}
	s.write(request(t, "5", "whoami", struct{}{}))
	if reply := s.reply(); string(reply.ID) != "5" {
		t.Errorf("the connection waits for redis: first came %s", reply.ID)
	}
	for range 5 {
		reply := s.reply()
		if reply.Error == nil || reply.Error.Code != protocol.CodeBusy && reply.Error.Code != protocol.CodeTimeout {
			t.Errorf("%s got %s %v", reply.ID, reply.Result, reply.Error)
		}
	}
	// One that is being queued does not hold up the end.
	s.write(request(t, "6", "play", protocol.PlayParams{Script: "echo", TimeoutMS: 60_000}))
	s.call("whoami", struct{}{})
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestOrigins(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.AllowedOrigins = []string{"https://app.example", "http://LOCALHOST:3000/"} })
	tests := []struct {
		origin, host string
		allowed      bool
	}{
		{"", "", true},
		{"http://" + r.host, "", true},
		{"https://" + r.host, "", true},
		{"https://app.example", "", true},
		{"https://app.example:443", "", true},
		{"https://APP.example", "", true},
		{"http://localhost:3000", "", true},
		{"http://app.example", "", false},
		{"https://app.example.evil.example", "", false},
		{"https://evil.example", "", false},
		{"http://localhost:3001", "", false},
		{"null", "", false},
		{"file://", "", false},
		{"not an origin", "", false},
		{"http://evil.example", "evil.example", false}, // a stranger's name for this machine
		{"http://127.0.0.1:1", "127.0.0.1:1", true},
	}
	for _, test := range tests {
		headers := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
		if test.origin != "" {
			headers = append(headers, "Origin", test.origin)
		}
		if test.host != "" {
			headers = append(headers, "Host", test.host)
		}
		if got := upgradeStatus(t, r, headers...); (got == http.StatusSwitchingProtocols) != test.allowed || !test.allowed && got != http.StatusForbidden {
			t.Errorf("origin %q, host %q: got %d, allowed is %t", test.origin, test.host, got, test.allowed)
		}
	}
	anyone := newRig(t, func(cfg *Config) { cfg.AllowedOrigins = []string{"*"} })
	anyone.dial(0, "Origin", "https://evil.example")
}

// upgradeStatus sends a handshake by hand and returns the status of the answer.
func upgradeStatus(t *testing.T, r *rig, headers ...string) int {
	t.Helper()
	conn, err := net.Dial("tcp", r.server.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	host := r.host
	var lines strings.Builder
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			host = headers[i+1]
			continue
		}
		fmt.Fprintf(&lines, "%s: %s\r\n", headers[i], headers[i+1])
	}
	fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", r.circle(0), host, lines.String())
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestConnectionsAreBounded(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.MaxConnections = 2 })
	first := r.dial(0)
	r.dial(1)
	headers := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	response, body := r.get("/"+r.circle(0), headers...)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || !strings.Contains(body, "too many connections") {
		t.Fatalf("the third got %d %s", response.StatusCode, body)
	}
	if response, _ := r.get("/healthz"); response.StatusCode != 200 {
		t.Errorf("healthz gave %d", response.StatusCode)
	}
	if err := first.conn.Close(1000, ""); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		if upgradeStatus(t, r, headers...) == http.StatusSwitchingProtocols {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a place that was given back is not given out")
		}
	}
}

func TestHTTPLimits(t *testing.T) {
	r := newRig(t, nil)
	if status, body := refusal(t, r, http.MethodGet, strings.Repeat("x", 20<<10), ""); status != http.StatusRequestHeaderFieldsTooLarge || !json.Valid([]byte(body)) {
		t.Errorf("a long header gave %d %s", status, body)
	}
	if status, _ := refusal(t, r, http.MethodPost, "", strings.Repeat("x", 10<<10)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long body gave %d", status)
	}
}

// refusal is the answer to a request that the gateway doesn't read to its end. It
// closes the connection, and that may break it before the answer is read: then
// it is asked again.
func refusal(t *testing.T, r *rig, method, header, body string) (status int, answer string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(patience); ; {
		request, err := http.NewRequest(method, "http://"+r.host+"/healthz", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Long", header)
		response, err := client.Do(request)
		if err == nil {
			read, _ := io.ReadAll(response.Body)
			response.Body.Close()
			return response.StatusCode, string(read)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
