package gateway

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"circles/pkg/settings"
)

const someKey = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

func defaults(t *testing.T) Config {
	t.Helper()
	var cfg Config
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	cfg.CircleKeys = []string{someKey}
	return cfg
}

// clearEnv removes the gateway's settings from the environment for the test.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, s := range settings.Describe(Config{}) {
		if value, set := os.LookupEnv(s.Name); set {
			t.Setenv(s.Name, value)
			if err := os.Unsetenv(s.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDefaultsAreTheDesigns(t *testing.T) {
	cfg := defaults(t)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if cfg.address() != "127.0.0.1:8080" || !cfg.EnableAuth || cfg.PlayTimeout != 10*time.Second || cfg.PlayTimeoutMax != time.Minute ||
		cfg.QueueLimit != 10_000 || cfg.MaxMessageBytes != 256<<10 || cfg.MaxInFlight != 64 {
		t.Errorf("got %+v", cfg)
	}
	if got, want := cfg.audiences(8080), []string{"localhost:8080", "127.0.0.1:8080", "[::1]:8080"}; !slices.Equal(got, want) {
		t.Errorf("the audiences are %v, want %v", got, want)
	}
	if got := cfg.audiences(80)[0]; got != "localhost" {
		t.Errorf("at port 80 the audience is %s, want localhost", got)
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	for _, s := range settings.Describe(Config{}) {
		if s.Description == "" {
			t.Errorf("%s has no description", s.Name)
		}
	}
}

func TestFromEnvReportsEverything(t *testing.T) {
	clearEnv(t)
	for name, value := range map[string]string{
		"CIRCLE_KEYS":       someKey + "0",
		"REDIS_URL":         "http://user:hunter2@redis",
		"GATEWAY_HOST":      "0.0.0.0",
		"GATEWAY_PORT":      "99999",
		"PLAY_TIMEOUT":      "2m",
		"MAX_IN_FLIGHT":     "0",
		"MAX_MESSAGE_BYTES": "many",
		"TLS_CERT":          "cert.pem",
		"ALLOWED_ORIGINS":   "app.example",
		"PING_INTERVAL":     "60s",
	} {
		t.Setenv(name, value)
	}
	_, err := FromEnv()
	if err == nil {
		t.Fatal("no error")
	}
	got := err.Error()
	for _, want := range []string{
		`MAX_MESSAGE_BYTES: got "many", want an integer`,
		`67 hex digits, want 66`,
		`GATEWAY_PORT: got 99999, want at most 65535`,
		`MAX_IN_FLIGHT: got 0, want at least 1`,
		`AUTH_AUDIENCES: is not set, and the gateway would listen on 0.0.0.0:99999, beyond loopback, with authentication on: set it to`,
		`ALLOWED_ORIGINS: origin "app.example", want one such as https://app.example`,
		`TLS_KEY: is not set, but TLS_CERT is`,
		`PLAY_TIMEOUT: got 2m0s, want at most PLAY_TIMEOUT_MAX, which is 1m0s`,
		`PING_INTERVAL: got 1m0s, want less than IDLE_TIMEOUT, which is 1m0s`,
		`REDIS_URL: redis url: scheme "http"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if lines := strings.Count(got, "\n") + 1; lines != 10 {
		t.Errorf("%d problems, want 10:\n%s", lines, got)
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("the password is shown:\n%s", got)
	}
}

func TestFromEnv(t *testing.T) {
	clearEnv(t)
	if _, err := FromEnv(); err == nil || strings.Count(err.Error(), "CIRCLE_KEYS") != 1 {
		t.Errorf("without keys: %v", err)
	}
	t.Setenv("CIRCLE_KEYS", someKey)
	t.Setenv("GATEWAY_HOST", "0.0.0.0")
	t.Setenv("AUTH_AUDIENCES", "localhost:8080, Circles.example.org")
	cfg, err := FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.audiences(8080), []string{"localhost:8080", "circles.example.org"}; !slices.Equal(got, want) {
		t.Errorf("the audiences are %v, want %v", got, want)
	}
}

func TestBeyondLoopback(t *testing.T) {
	for host, beyond := range map[string]bool{
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "localhost": false, "LOCALHOST": false,
		"0.0.0.0": true, "": true, "::": true, "192.0.2.7": true, "gateway.example": true,
	} {
		cfg := defaults(t)
		cfg.Host = host
		err := cfg.Validate()
		if refused := err != nil && strings.Contains(err.Error(), "AUTH_AUDIENCES"); refused != beyond {
			t.Errorf("%q: %v", host, err)
		}
		cfg.AuthAudiences = []string{"circles.example.org"}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%q with audiences: %v", host, err)
		}
		cfg.AuthAudiences, cfg.EnableAuth = nil, false
		if err := cfg.Validate(); err != nil {
			t.Errorf("%q without authentication: %v", host, err)
		}
	}
	for _, audience := range []string{"", "two words", "http://host", "host/path"} {
		cfg := defaults(t)
		cfg.AuthAudiences = []string{audience}
		if err := cfg.Validate(); err == nil {
			t.Errorf("the audience %q is taken", audience)
		}
	}
}

func TestWarnsOfNoAuthenticationBeyondLoopback(t *testing.T) {
	r := newRig(t, func(cfg *Config) { withoutAuth(cfg); cfg.Host = "0.0.0.0" })
	r.dial(0) // it is up
	if log := r.log.String(); !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, "AUTHENTICATION IS OFF") {
		t.Errorf("no warning in %s", log)
	}
	quiet := newRig(t, withoutAuth)
	quiet.dial(0)
	if log := quiet.log.String(); strings.Contains(log, "AUTHENTICATION IS OFF") {
		t.Errorf("a warning on loopback in %s", log)
	}
}
