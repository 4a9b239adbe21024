package settings

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"circles/pkg/circle"
	"circles/pkg/profiling"
)

// Common are the settings that every service has.
type Common struct {
	CircleKeys      []string      `envconfig:"CIRCLE_KEYS" required:"true" desc:"public keys of the circles served, comma-separated hex"`
	RedisURL        string        `envconfig:"REDIS_URL" default:"redis://127.0.0.1:6379" desc:"where Redis is"`
	LogLevel        slog.Level    `envconfig:"LOG_LEVEL" default:"info" type:"debug, info, warn or error" desc:"the least severe records that are logged"`
	LogFormat       string        `envconfig:"LOG_FORMAT" default:"json" type:"json or text" desc:"form of the log records"`
	ShutdownTimeout time.Duration `envconfig:"SHUTDOWN_TIMEOUT" default:"20s" min:"0s" desc:"time that what is running gets to finish after SIGTERM"`
	PprofAddr       string        `envconfig:"PPROF_ADDR" desc:"address on loopback of /debug/pprof, the service's profiles; empty: none"`
}

// Keys are the circles' keys in canonical form.
func (c Common) Keys() ([]circle.Key, error) {
	if len(c.CircleKeys) == 0 {
		return nil, &Error{"CIRCLE_KEYS", "is empty, want the public key of at least one circle"}
	}
	keys, err := circle.ParseList(c.CircleKeys)
	if err != nil {
		return nil, fmt.Errorf("CIRCLE_KEYS: %w", err)
	}
	return keys, nil
}

// Validate reports everything that is wrong with the common settings.
func (c Common) Validate() error {
	_, err := c.Keys()
	errs := []error{err}
	if c.RedisURL == "" {
		errs = append(errs, &Error{"REDIS_URL", "is empty, want a URL such as redis://127.0.0.1:6379"})
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		errs = append(errs, &Error{"LOG_FORMAT", fmt.Sprintf("got %q, want json or text", shorten(c.LogFormat))})
	}
	if err := profiling.CheckAddr(c.PprofAddr); err != nil {
		errs = append(errs, &Error{"PPROF_ADDR", err.Error()})
	}
	return errors.Join(append(errs, CheckBounds(&c))...)
}

// Logger writes records as the settings say. Of an unknown format it makes JSON.
func (c Common) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
