package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/redis/go-redis/v9"
)

// A Warning names a setting of Redis under which plays or outcomes can be lost.
type Warning struct {
	Setting string // as redis.conf names it
	Got     string
	Want    string
	Why     string // what may happen as it is
}

func (w Warning) String() string {
	return fmt.Sprintf("redis has %s %s, want %s: %s", w.Setting, w.Got, w.Want, w.Why)
}

// Inspect asks Redis, of a Cluster every master, how it is set up, and returns
// what is dangerous. It goes by INFO, which users are refused more seldom than
// CONFIG; what INFO does not mention is not warned of.
func Inspect(ctx context.Context, rdb redis.UniversalClient) ([]Warning, error) {
	var (
		mu       sync.Mutex
		warnings []Warning
	)
	ask := func(ctx context.Context, node redis.Cmdable) error {
		info, err := node.Info(ctx, "memory", "persistence").Result()
		if err != nil {
			return fmt.Errorf("ask redis how it is set up: %w", err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, w := range judge(info) {
			if !slices.Contains(warnings, w) { // of several masters
				warnings = append(warnings, w)
			}
		}
		return nil
	}
	var err error
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return ask(ctx, node) })
	} else {
		err = ask(ctx, rdb)
	}
	return warnings, err
}

// judge reads an answer to INFO.
func judge(info string) []Warning {
	var warnings []Warning
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case name == "maxmemory_policy" && value != "noeviction":
			warnings = append(warnings, Warning{"maxmemory-policy", value, "noeviction",
				"when memory is short it throws away queues, outcomes and state"})
		case name == "aof_enabled" && value == "0":
			warnings = append(warnings, Warning{"appendonly", "no", "yes",
				"when it ends, plays that wait and state since its last snapshot, if it makes any, are lost"})
		}
	}
	return warnings
}

const (
	adviseTimeout = 3 * time.Second
	adviseMost    = 10 * time.Second // between attempts
)

// Advise logs what Inspect finds as soon as Redis can be reached, and returns
// then, or when ctx ends. A Redis that does not say how it is set up is left
// alone.
func Advise(ctx context.Context, rdb redis.UniversalClient, log *slog.Logger) {
	every := backoff.NewExponentialBackOff()
	every.MaxInterval = adviseMost
	warnings, err := backoff.Retry(ctx, func() ([]Warning, error) {
		bounded, cancel := context.WithTimeout(ctx, adviseTimeout)
		defer cancel()
		found, err := Inspect(bounded, rdb)
		if refused(err) {
			return nil, backoff.Permanent(err)
		}
		return found, err
	}, backoff.WithBackOff(every), backoff.WithMaxElapsedTime(0))
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Debug("redis does not say how it is set up", "error", err)
	}
	for _, w := range warnings {
		log.Warn(w.String())
	}
}

// refused reports whether Redis knows the caller and does not answer such a
// question.
func refused(err error) bool {
	var answered redis.Error
	return errors.As(err, &answered) &&
		(strings.HasPrefix(answered.Error(), "NOPERM ") || strings.HasPrefix(answered.Error(), "ERR "))
}
