package settings_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"circles/pkg/settings"
)

const (
	keyA = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	keyB = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
)

type config struct {
	settings.Common
	Timeout time.Duration `envconfig:"TEST_TIMEOUT" default:"10s" min:"1ms" max:"1m" desc:"time it gets"`
	Limit   int           `envconfig:"TEST_LIMIT" default:"64" min:"1" desc:"how many"`
	On      bool          `envconfig:"TEST_ON" default:"true" desc:"whether"`
	Names   []string      `envconfig:"TEST_NAMES" default:"a,b" desc:"who"`
	Addr    string        `envconfig:"TEST_ADDR" default:"127.0.0.1:1" desc:"where"`
	unread  int
}

// clean removes the test's variables, whatever the machine has set.
func clean(t *testing.T) {
	t.Helper()
	for _, s := range settings.Describe(config{}) {
		if value, set := os.LookupEnv(s.Name); set {
			t.Setenv(s.Name, value) // restores it afterwards
			if err := os.Unsetenv(s.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	clean(t)
	t.Setenv("CIRCLE_KEYS", strings.ToUpper(keyA)+", "+keyB)
	t.Setenv("TEST_TIMEOUT", "3s")
	t.Setenv("TEST_LIMIT", "") // as not set
	t.Setenv("TEST_NAMES", "") // empty
	t.Setenv("TEST_ADDR", "")  // empty
	t.Setenv("LOG_LEVEL", "debug")
	var cfg config
	if err := settings.Load(&cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Timeout != 3*time.Second || cfg.Limit != 64 || !cfg.On || len(cfg.Names) != 0 || cfg.Addr != "" ||
		cfg.LogLevel != slog.LevelDebug || cfg.RedisURL != "redis://127.0.0.1:6379" || cfg.ShutdownTimeout != 20*time.Second {
		t.Fatalf("got %+v", cfg)
	}
	keys, err := cfg.Keys()
	if err != nil || len(keys) != 2 || keys[0].String() != keyA || keys[1].String() != keyB {
		t.Fatalf("got %v, %v", keys, err)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if cfg.unread != 0 {
		t.Fatal("a field that is no setting was set")
	}
}

// messages splits a joined error.
func messages(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	return strings.Split(err.Error(), "\n")
}

func TestLoadReportsEverything(t *testing.T) {
	clean(t)
	t.Setenv("TEST_TIMEOUT", "ten")
	t.Setenv("TEST_LIMIT", "many")
	t.Setenv("TEST_ON", strings.Repeat("y", 1000))
	t.Setenv("LOG_LEVEL", "loud")
	var cfg config
	got := messages(t, settings.Load(&cfg))
	want := []string{
		"CIRCLE_KEYS: is not set; public keys of the circles served, comma-separated hex",
		`LOG_LEVEL: got "loud", want debug, info, warn or error`,
		`TEST_TIMEOUT: got "ten", want a duration such as 10s`,
		`TEST_LIMIT: got "many", want an integer`,
		`TEST_ON: got "` + strings.Repeat("y", 100) + `…", want true or false`,
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if cfg.Timeout != 10*time.Second || cfg.Limit != 64 || !cfg.On {
		t.Fatalf("bad settings are not at their defaults: %+v", cfg)
	}
}

func TestDefaultsIgnoreTheEnvironment(t *testing.T) {
	clean(t)
	t.Setenv("TEST_LIMIT", "7")
	t.Setenv("CIRCLE_KEYS", keyA)
	cfg := config{Limit: 9}
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Limit != 64 || cfg.Addr != "127.0.0.1:1" || !slices.Equal(cfg.Names, []string{"a", "b"}) || len(cfg.CircleKeys) != 0 {
		t.Fatalf("got %+v", cfg)
	}
}

func TestCheckBounds(t *testing.T) {
	cfg := config{Timeout: time.Hour, Limit: 0}
	got := messages(t, settings.CheckBounds(&cfg))
	want := []string{"TEST_TIMEOUT: got 1h0m0s, want at most 1m", "TEST_LIMIT: got 0, want at least 1"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	var bad *settings.Error
	if !errors.As(settings.CheckBounds(&cfg), &bad) || bad.Name != "TEST_TIMEOUT" {
		t.Fatalf("got %+v", bad)
	}
	cfg = config{Timeout: time.Minute, Limit: 1}
	if err := settings.CheckBounds(&cfg); err != nil {
		t.Fatal(err)
	}
}

func TestCommonValidateReportsEverything(t *testing.T) {
	c := settings.Common{CircleKeys: []string{keyA + "0", "x"}, LogFormat: "xml", ShutdownTimeout: -1}
	got := messages(t, c.Validate())
	want := []string{
		`CIRCLE_KEYS: circle key 1 ("` + keyA + `0"): 67 hex digits, want 66 (or 130 for an uncompressed key)`,
		`circle key 2 ("x"): 'x' at position 1 is no hex digit`,
		`REDIS_URL: is empty, want a URL such as redis://127.0.0.1:6379`,
		`LOG_FORMAT: got "xml", want json or text`,
		`SHUTDOWN_TIMEOUT: got -1ns, want at least 0s`,
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := (settings.Common{}).Keys(); err == nil || !strings.Contains(err.Error(), "CIRCLE_KEYS: is empty") {
		t.Fatalf("without keys: %v", err)
	}
}

func TestUsage(t *testing.T) {
	var out bytes.Buffer
	if err := settings.Usage(&out, config{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range map[int][]string{
		0: {"NAME", "TYPE", "DEFAULT", "DESCRIPTION"},
		1: {"CIRCLE_KEYS", "comma-separated list", "(required)", "public keys of the circles served, comma-separated hex"},
		7: {"TEST_TIMEOUT", "duration", "10s", "time it gets"},
		9: {"TEST_ON", "true or false", "true", "whether"},
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != strings.Join(want, " ") {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	settings.Common{LogFormat: "json", LogLevel: slog.LevelWarn}.Logger(&out).Info("quiet")
	if out.Len() != 0 {
		t.Fatalf("logged below its level: %s", out.String())
	}
	settings.Common{LogFormat: "json"}.Logger(&out).Info("hello", "n", 1)
	settings.Common{LogFormat: "text"}.Logger(&out).Info("hello", "n", 1)
	lines := strings.Split(out.String(), "\n")
	if !strings.HasPrefix(lines[0], "{") || !strings.Contains(lines[0], `"n":1`) || !strings.Contains(lines[1], "msg=hello n=1") {
		t.Fatalf("got %s", out.String())
	}
}

func TestProfilesOnlyOnLoopback(t *testing.T) {
	c := settings.Common{CircleKeys: []string{strings.Repeat("0", 66)}, RedisURL: "redis://h", LogFormat: "json", PprofAddr: "0.0.0.0:6060"}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "PPROF_ADDR: ") {
		t.Errorf("got %v, want an error of PPROF_ADDR", err)
	}
}
