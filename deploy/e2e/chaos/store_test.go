package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/deploy/e2e/chaos/history"
	"circles/pkg/redistest"
)

const (
	sampleEvery = 20 * time.Millisecond

	// writeDelay is how long a Redis with appendfsync everysec answers commands
	// that it has not written to its file: for as long it puts writing off while
	// another fsync is under way.
	writeDelay = 2 * time.Second
)

// A store is the real Redis, on which it can be made to lose its last second.
// One goroutine uses it, the test's own, besides the one that watches the file.
type store struct {
	server *redistest.Server
	admin  redis.UniversalClient
	fsync  string
	dir    string // of the append-only file
	pid    int
	down   bool
	paused bool
	clock  func() time.Duration

	watching sync.WaitGroup
	quit     chan struct{}

	mu      sync.Mutex
	samples []sample // of the last seconds
	floor   int64    // of the file's size: what is before is never lost
}

// sample says that the file had a size, not before at.
type sample struct {
	at   time.Duration
	size int64
}

func startStore(t *testing.T, fsync string, clock func() time.Duration) *store {
	t.Helper()
	server := redistest.StartReal(t, redistest.WithAppendOnly(fsync))
	r := &store{server: server, admin: server.Client(), fsync: fsync, clock: clock, quit: make(chan struct{})}
	config, err := r.admin.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	r.dir = filepath.Join(config["dir"], "appendonlydir")
	r.look(t)
	r.watching.Go(r.watch)
	t.Cleanup(func() { close(r.quit); r.watching.Wait() })
	return r
}

// look finds out which process serves.
func (r *store) look(t *testing.T) {
	t.Helper()
	r.pid = r.info(t, "server", "process_id")
}

// keep makes what Redis has now safe from everything that is done to it.
func (r *store) keep(t *testing.T) {
	t.Helper()
	for r.info(t, "persistence", "aof_buffer_length") > 0 {
		time.Sleep(sampleEvery)
	}
	file, err := os.Stat(r.file())
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.floor = file.Size()
}

// info is a number that Redis tells of itself.
func (r *store) info(t *testing.T, section, name string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	info, err := r.admin.Info(ctx, section).Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(info, name+":")
	line, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r *store) watch() {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-r.quit:
			return
		case <-ticker.C:
			at := r.clock()
			info, err := os.Stat(r.file())
			if err != nil {
				continue
			}
			r.mu.Lock()
			r.samples = append(r.samples, sample{at, info.Size()})
			if most := int(3 * time.Second / sampleEvery); len(r.samples) > most {
				r.samples = r.samples[len(r.samples)-most:]
			}
			r.mu.Unlock()
		}
	}
}

// file is the part of the append-only file that grows. It has one such part as
// long as it is small.
func (r *store) file() string {
	parts, err := filepath.Glob(filepath.Join(r.dir, "*.incr.aof"))
	if err != nil || len(parts) == 0 {
		return ""
	}
	return parts[0]
}

// kill ends Redis as the operating system would, or with back above 0 as a power
// failure would: the file then ends where it did that much earlier. It returns
// what may be lost by it.
func (r *store) kill(back time.Duration) (history.Rollback, error) {
	before := r.clock()
	r.server.Stop()
	lost := history.Rollback{From: before - writeDelay, Killed: r.clock()}
	r.down, r.paused = true, false
	if back == 0 {
		return lost, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.samples) == 0 {
		return lost, nil
	}
	end := r.samples[0]
	for _, s := range r.samples {
		if s.at <= before-back {
			end = s
		}
	}
	r.samples = nil
	end.size = max(end.size, r.floor)
	lost.From = end.at - writeDelay
	if err := os.Truncate(r.file(), end.size); err != nil {
		return lost, fmt.Errorf("cut the append-only file: %w", err)
	}
	return lost, nil
}

func (r *store) start(t *testing.T) {
	t.Helper()
	r.server.Restart()
	r.look(t)
	r.down = false
}

func (r *store) pause() error {
	r.paused = true
	return syscall.Kill(r.pid, syscall.SIGSTOP)
}

func (r *store) wake() error {
	if !r.paused {
		return nil
	}
	r.paused = false
	return syscall.Kill(r.pid, syscall.SIGCONT)
}
