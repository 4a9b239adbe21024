package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"circles/pkg/auth"
)

// selfSigned makes a certificate for this machine and returns its files and a
// pool that trusts it.
func selfSigned(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", privateDER), pool
}

func TestTLS(t *testing.T) {
	cert, key, pool := selfSigned(t)
	r := startGateway(t, func(cfg *Config) { cfg.TLSCert, cfg.TLSKey = cert, key })
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "wss://"+r.host+"/"+r.circle(0), &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	s := (&socket{t: t, conn: conn, rig: r}).owner()
	if got := s.play("echo hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	challenge, err := auth.ParseChallenge(s.fetch(r.secrets[0].Public()))
	if err != nil || challenge.Audience != r.host {
		t.Errorf("got the challenge %+v, %v", challenge, err)
	}
	cfg := r.server.cfg
	cfg.Port = r.server.listener.Addr().(*net.TCPAddr).Port
	if err := Healthcheck(ctx, cfg); err != nil {
		t.Error(err)
	}
	if _, _, err := websocket.Dial(ctx, "ws://"+r.host+"/"+r.circle(0), nil); err == nil {
		t.Error("the port takes plain text too")
	}
}

func TestBadCertificates(t *testing.T) {
	cert, _, _ := selfSigned(t)
	_, otherKey, _ := selfSigned(t)
	for _, files := range [][2]string{{cert, otherKey}, {"missing.pem", otherKey}, {otherKey, cert}} {
		cfg := defaults(t)
		cfg.TLSCert, cfg.TLSKey = files[0], files[1]
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "TLS_CERT: can't be used with TLS_KEY") {
			t.Errorf("got %v", err)
		}
	}
}

func TestHealthcheck(t *testing.T) {
	r := newRig(t, nil)
	cfg := r.server.cfg
	cfg.Port = r.server.listener.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "0.0.0.0", ""} {
		cfg.Host = host
		if err := Healthcheck(context.Background(), cfg); err != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := Healthcheck(context.Background(), cfg); err == nil {
		t.Error("a gateway that is gone is healthy")
	}
}

func TestListenSaysWhatFailed(t *testing.T) {
	r := newRig(t, nil)
	cfg := r.server.cfg
	cfg.Port = r.server.listener.Addr().(*net.TCPAddr).Port
	second, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "listen on 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
}

func TestRunThatIsOverBeforeItBegan(t *testing.T) {
	for range 20 {
		cfg := defaults(t)
		cfg.Port = 0
		cfg.RedisURL = "redis://" + closedPort(t)
		server, err := New(cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := server.Run(ctx); err != nil {
			t.Error(err)
		}
	}
}
