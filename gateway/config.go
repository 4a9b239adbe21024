package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"circles/pkg/auth"
	"circles/pkg/queue"
	"circles/pkg/settings"
)

// Config are the gateway's settings.
type Config struct {
	settings.Common

	Host string `envconfig:"GATEWAY_HOST" default:"127.0.0.1" desc:"address to listen on; 0.0.0.0 is every one"`
	Port int    `envconfig:"GATEWAY_PORT" default:"8080" min:"0" max:"65535" desc:"port to listen on; 0 is any free one"`

	EnableAuth     bool          `envconfig:"ENABLE_AUTH" default:"true" desc:"only keys that the circle admits may play"`
	AuthAudiences  []string      `envconfig:"AUTH_AUDIENCES" desc:"hosts that clients dial, with the port, as challenges name them; needed beyond loopback (default: loopback names with the port)"`
	NonceTTL       time.Duration `envconfig:"NONCE_TTL" default:"60s" min:"1s" desc:"time to answer a challenge"`
	MaxNonces      int           `envconfig:"MAX_NONCES" default:"8" min:"1" desc:"challenges that a connection may have open"`
	TLSCert        string        `envconfig:"TLS_CERT" desc:"file of the certificate chain; with TLS_KEY serves wss"`
	TLSKey         string        `envconfig:"TLS_KEY" desc:"file of the certificate's private key"`
	AllowedOrigins []string      `envconfig:"ALLOWED_ORIGINS" desc:"web origins that may connect besides the gateway's own, such as https://app.example; * is any"`

	PlayTimeout    time.Duration `envconfig:"PLAY_TIMEOUT" default:"10s" min:"1ms" desc:"time of a play that names none"`
	PlayTimeoutMax time.Duration `envconfig:"PLAY_TIMEOUT_MAX" default:"60s" min:"1ms" desc:"longest time a play may name"`
	QueueLimit     int           `envconfig:"QUEUE_LIMIT" default:"10000" min:"1" desc:"plays that may wait in a circle's queue"`

	IdempotencyTTL time.Duration `envconfig:"IDEMPOTENCY_TTL" default:"24h" min:"1m" max:"720h" desc:"how long the outcome of a play with an idempotency key is kept for who sends it again"`

	MaxConnections   int   `envconfig:"MAX_CONNECTIONS" default:"10000" min:"1" desc:"connections in all"`
	MaxInFlight      int   `envconfig:"MAX_IN_FLIGHT" default:"64" min:"1" desc:"plays of one connection that run or wait"`
	MaxRefusals      int   `envconfig:"MAX_REFUSALS" default:"100" min:"1" desc:"plays of one connection that may be refused as busy in a second; beyond, it is read more slowly"`
	MaxMessageBytes  int64 `envconfig:"MAX_MESSAGE_BYTES" default:"262144" min:"1024" desc:"size of a message from a client"`
	MaxBatch         int   `envconfig:"MAX_BATCH" default:"64" min:"1" desc:"requests in one batch"`
	MaxOutgoingBytes int   `envconfig:"MAX_OUTGOING_BYTES" default:"4194304" min:"4096" desc:"answers that may wait for a client to read them; beyond, no more of its requests are read"`

	HTTPTimeout  time.Duration `envconfig:"HTTP_TIMEOUT" default:"10s" min:"1ms" desc:"time to send an HTTP request and to take the answer"`
	WriteTimeout time.Duration `envconfig:"WRITE_TIMEOUT" default:"10s" min:"1ms" desc:"time a client gets to take one message; a slower one is disconnected"`
	IdleTimeout  time.Duration `envconfig:"IDLE_TIMEOUT" default:"60s" min:"1ms" desc:"time without a sign of life after which a connection is closed"`
	PingInterval time.Duration `envconfig:"PING_INTERVAL" default:"20s" min:"1ms" desc:"time between pings; less than IDLE_TIMEOUT"`
}

// FromEnv reads the settings from the environment. The error lists everything
// that is wrong with them.
func FromEnv() (Config, error) {
	var cfg Config
	loaded := settings.Load(&cfg)
	if loaded != nil && len(cfg.CircleKeys) == 0 {
		// Load said so already.
		return cfg, errors.Join(loaded, cfg.validateOwn())
	}
	return cfg, errors.Join(loaded, cfg.Validate())
}

// Validate lists everything that is wrong with the settings. It changes nothing
// and asks nobody; of the files that are named it reads the certificate.
func (c Config) Validate() error { return errors.Join(c.Common.Validate(), c.validateOwn()) }

func (c Config) validateOwn() error {
	// The common settings' bounds are checked with those.
	own := c
	own.Common = settings.Common{}
	errs := []error{settings.CheckBounds(&own)}
	fail := func(name, format string, args ...any) {
		errs = append(errs, &settings.Error{Name: name, Reason: fmt.Sprintf(format, args...)})
	}

	if c.EnableAuth && !c.loopback() && len(c.AuthAudiences) == 0 {
		fail("AUTH_AUDIENCES", "is not set, and the gateway would listen on %s, beyond loopback, with authentication on: "+
			"set it to the hosts that clients dial, such as circles.example.org or 192.0.2.7:%d", c.address(), c.Port)
	}
	for _, audience := range c.AuthAudiences {
		if err := auth.CheckAudience(normalHost(audience)); err != nil {
			fail("AUTH_AUDIENCES", "%v", err)
		}
	}
	for _, origin := range c.AllowedOrigins {
		if _, err := normalOrigin(origin); err != nil && strings.TrimSpace(origin) != "*" {
			fail("ALLOWED_ORIGINS", "%v", err)
		}
	}
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		fail("TLS_KEY", "is not set, but TLS_CERT is; set both, or neither")
	case c.TLSCert == "" && c.TLSKey != "":
		fail("TLS_CERT", "is not set, but TLS_KEY is; set both, or neither")
	case c.TLSCert != "":
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			fail("TLS_CERT", "can't be used with TLS_KEY: %v", err)
		}
	}
	if c.PlayTimeout > c.PlayTimeoutMax {
		fail("PLAY_TIMEOUT", "got %s, want at most PLAY_TIMEOUT_MAX, which is %s", c.PlayTimeout, c.PlayTimeoutMax)
	}
	if c.PingInterval >= c.IdleTimeout {
		fail("PING_INTERVAL", "got %s, want less than IDLE_TIMEOUT, which is %s", c.PingInterval, c.IdleTimeout)
	}
	if c.RedisURL != "" {
		if client, err := queue.Open(c.RedisURL); err != nil {
			fail("REDIS_URL", "%v", err)
		} else if err := client.Close(); err != nil {
			fail("REDIS_URL", "%v", err)
		}
	}
	return errors.Join(errs...)
}

func (c Config) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

func (c Config) tls() bool { return c.TLSCert != "" }

// loopback reports whether only this machine can reach the gateway.
func (c Config) loopback() bool { return isLoopback(c.Host) }

// audiences are the hosts that challenges may name, the preferred one first.
// The port is the one that is really listened on.
func (c Config) audiences(port int) []string {
	var names []string
	for _, audience := range c.AuthAudiences {
		names = append(names, normalHost(audience))
	}
	if len(names) > 0 {
		return names
	}
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		// A client leaves the port out where it is the scheme's own.
		if c.tls() && port == 443 || !c.tls() && port == 80 {
			names = append(names, host)
		} else {
			names = append(names, host+":"+strconv.Itoa(port))
		}
	}
	return names
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
