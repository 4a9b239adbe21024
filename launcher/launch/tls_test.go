package launch_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"circles/launcher/launch"
	"circles/pkg/client"
)

// certify writes a certificate for this machine that signs itself, and its key.
func certify(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", certificate), write("key.pem", "PRIVATE KEY", private), roots
}

func TestTLSWithAuthentication(t *testing.T) {
	certFile, keyFile, roots := certify(t)
	handle := start(t, func(config *launch.Config) {
		config.Gateway.EnableAuth = true
		config.Gateway.TLSCert, config.Gateway.TLSKey = certFile, keyFile
	})
	key := handle.Circles()[0]
	url := handle.SocketURL(key)
	if !strings.HasPrefix(url, "wss://") || !strings.HasPrefix(handle.ConsoleURL(key), "https://") {
		t.Fatalf("got %s and %s, want wss and https", url, handle.ConsoleURL(key))
	}
	c := dial(t, url, client.WithTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if _, err := c.Authenticate(testContext(t), handle.Secret()); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Play(testContext(t), "6 * 7"); err != nil || got.Output != "42" {
		t.Errorf("got %+v and error %v, want 42", got, err)
	}
	if _, err := client.Dial(testContext(t), url); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("got %v, want that the certificate is not trusted", err)
	}
	if _, err := client.Dial(testContext(t), strings.Replace(url, "wss", "ws", 1)); err == nil || !strings.Contains(err.Error(), "wss://") {
		t.Errorf("got %v, want the advice to use wss", err)
	}
}
