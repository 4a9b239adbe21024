package worker

import (
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/redistest"
)

const (
	manyCircles = 1000

	// mostConnections is what one worker may take of a standalone Redis, however
	// many circles it owns.
	mostConnections = 16
)

// ownMany has one worker own many circles. Its connections to Redis bear its
// name.
func ownMany(t testing.TB) (*redistest.Server, redis.UniversalClient, []circle.Key) {
	t.Helper()
	server := redistest.StartReal(t)
	keys := newCircles(t, manyCircles)
	cfg := config(t, server, "w", keys...)
	cfg.RedisURL += "?client_name=worker"
	w, err := New(cfg, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	running(t, w.Run)
	admin := server.Client()
	eventually(t, "the worker to own all circles", func() bool {
		owned, err := admin.Keys(within(t), "*:owner").Result()
		return err == nil && len(owned) == manyCircles
	})
	return server, admin, keys
}

func TestOneWorkerOwnsManyCirclesOnFewConnections(t *testing.T) {
	server, admin, keys := ownMany(t)
	connections := func() int {
		list, err := admin.ClientList(within(t)).Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(list, " name=worker ")
	}
	if n := connections(); n < 1 || n > mostConnections {
		t.Errorf("got %d connections while idle, want 1 to %d", n, mostConnections)
	}
	// Connections are kept for some time, so what was needed shows afterwards.
	d := dispatcher(t, server)
	var plays sync.WaitGroup
	for _, key := range keys {
		plays.Go(func() {
			if o, err := d.Play(within(t), key, queue.Play{Script: "state.n = 1; state.n", Deadline: time.Now().Add(time.Minute)}); err != nil || o.Output != "1" {
				t.Errorf("circle %v: got %+v, %v", key, o, err)
			}
		})
	}
	plays.Wait()
	if n := connections(); n > mostConnections {
		t.Errorf("got %d connections after a play in every circle, want at most %d", n, mostConnections)
	} else {
		t.Logf("%d connections after a play in every circle", n)
	}
}

// BenchmarkIdle says what a worker costs that owns many circles in which nothing
// is played: percent of a core, by this process's CPU time while it only waits.
// Run it for some seconds, -benchtime 20x is 20.
func BenchmarkIdle(b *testing.B) {
	ownMany(b)
	began, used := time.Now(), cpuTime(b)
	for b.Loop() {
		time.Sleep(time.Second)
	}
	spent := cpuTime(b) - used
	b.ReportMetric(100*spent.Seconds()/time.Since(began).Seconds(), "%core")
	b.ReportMetric(0, "ns/op")
}

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
