package profiling

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnlyLoopback(t *testing.T) {
	for addr, ok := range map[string]bool{
		"":               true,
		"127.0.0.1:0":    true,
		"[::1]:6060":     true,
		"localhost:6060": true,
		":6060":          false,
		"0.0.0.0:6060":   false,
		"192.0.2.1:6060": false,
		"example.org:80": false,
		"127.0.0.1":      false,
	} {
		if err := CheckAddr(addr); (err == nil) != ok {
			t.Errorf("CheckAddr(%q) gives %v, want an error: %v", addr, err, !ok)
		}
		if !ok {
			if err := Serve(t.Context(), addr, func(net.Addr) { t.Errorf("%q was listened on", addr) }); err == nil {
				t.Errorf("Serve(%q) gives no error", addr)
			}
		}
	}
}

func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	listening := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, "127.0.0.1:0", func(a net.Addr) { listening <- a }) }()
	address := <-listening
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/allocs", "/debug/pprof/goroutine?debug=1", "/debug/pprof/profile?seconds=1"} {
		response, err := client.Get("http://" + address.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("%s: got %s, %d bytes, %v; want a profile", path, response.Status, len(body), err)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
