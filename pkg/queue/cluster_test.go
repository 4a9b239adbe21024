package queue

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/redistest"
)

// startCluster starts a Cluster of one node: it refuses commands and scripts
// whose keys are in different slots, as a larger one does.
func startCluster(t *testing.T) *redistest.Server {
	t.Helper()
	server := redistest.StartReal(t, redistest.WithConfig("--cluster-enabled", "yes"))
	admin := server.Client().(*redis.Client)
	if err := admin.ClusterAddSlotsRange(within(t), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(admin.ClusterInfo(within(t)).Val(), "cluster_state:ok") {
		time.Sleep(time.Millisecond)
	}
	server.URL = "redis+cluster://" + server.Addr
	return server
}

func TestCluster(t *testing.T) {
	server := startCluster(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	c := startConsumer(t, server, ConsumerOptions{WorkerID: "w", LeaseTTL: 300 * time.Millisecond})
	for i := range 5 {
		key := newCircle(t)
		l := claim(t, c, key)
		id, err := d.Fire(within(t), key, Play{Script: "fired"})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(within(t), answer(next(t, l)...)); err != nil {
			t.Fatal(err)
		}
		if o, err := d.Fetch(within(t), key, id); err != nil || o.Output != "fired" {
			t.Fatalf("got %+v, %v", o, err)
		}
		script := strconv.Itoa(i)
		o, err := d.Play(within(t), key, Play{Script: script, Deadline: time.Now().Add(10 * time.Millisecond)})
		if err != nil || o.Error == nil {
			t.Fatalf("got %+v, %v; want expired", o, err)
		}
		running(t, echo(l))
		if o, err := d.Play(within(t), key, Play{Script: script}); err != nil || o.Output != script {
			t.Fatalf("got %+v, %v", o, err)
		}
	}
	if _, err := c.Heartbeat(within(t)); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second / 2) // longer than a lease
	if n := len(c.held()); n != 5 {
		t.Errorf("%d leases were renewed, want 5", n)
	}
}
