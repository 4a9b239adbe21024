package worker

import (
	"fmt"
	"slices"
	"testing"

	"circles/pkg/circle"
	"circles/pkg/redistest"
	"circles/pkg/settings"
)

func TestAssign(t *testing.T) {
	keys := newCircles(t, 100)
	owner := func(shares map[string][]circle.Key) map[circle.Key]string {
		by := make(map[circle.Key]string)
		for id, share := range shares {
			for _, key := range share {
				if by[key] != "" {
					t.Errorf("%v belongs to %s and %s", key, by[key], id)
				}
				by[key] = id
			}
		}
		return by
	}
	var before map[circle.Key]string
	for n := 1; n <= 120; n++ {
		var workers []string
		for i := range n {
			workers = append(workers, fmt.Sprintf("worker-%d", i))
		}
		shares := assign(keys, workers)
		by := owner(shares)
		if len(by) != len(keys) {
			t.Fatalf("%d workers: %d of %d circles are assigned", n, len(by), len(keys))
		}
		for _, id := range workers {
			if got := len(shares[id]); got < len(keys)/n || got > (len(keys)+n-1)/n {
				t.Errorf("%d workers: %s has %d circles", n, id, got)
			}
		}
		reversed := slices.Clone(workers)
		slices.Reverse(reversed)
		for key, id := range owner(assign(keys, reversed)) {
			if by[key] != id {
				t.Fatalf("%d workers: the order in which they are known matters", n)
			}
		}
		if n > 1 && n < 20 {
			moved := 0
			for key, id := range by {
				if before[key] != id {
					moved++
				}
			}
			if moved > len(keys)*3/4 {
				t.Errorf("%d workers: %d circles moved for one worker more", n, moved)
			}
		}
		before = by
	}
	if got := assign(keys, nil); len(got) != 0 {
		t.Errorf("without workers: got %v", got)
	}
}

func TestConfigListsEveryProblem(t *testing.T) {
	var cfg Config
	if err := settings.Defaults(&cfg); err != nil {
		t.Fatal(err)
	}
	cfg.ID = "two words"
	cfg.HTTPAddr = "nowhere"
	cfg.RedisURL = "http://:s3cret@host"
	cfg.LeaseTTL = 1
	cfg.ScriptMaxArrayItems = 0
	err := cfg.Validate()
	if err == nil || !mentions(err.Error(), "CIRCLE_KEYS", "WORKER_ID", "WORKER_HTTP_ADDR", "REDIS_URL", "LEASE_TTL", "SCRIPT_MAX_ARRAY_ITEMS") {
		t.Errorf("got %v", err)
	}
	if mentions(err.Error(), "s3cret") {
		t.Errorf("the password is shown: %v", err)
	}
	if _, err := New(cfg, Options{}); err == nil {
		t.Error("a worker is made of bad settings")
	}
}

func TestDefaultsAreValid(t *testing.T) {
	server := redistest.StartEmbedded(t)
	cfg := config(t, server, "", newCircles(t, 1)...)
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if cfg.id() == "" {
		t.Error("no id")
	}
}
