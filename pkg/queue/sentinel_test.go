package queue

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/redistest"
)

// The master goes away, a Sentinel makes its replica the master, and dispatcher
// and owner go on with it by themselves.
func TestSentinelFailover(t *testing.T) {
	master := redistest.StartReal(t)
	host, port, err := net.SplitHostPort(master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.StartReal(t, redistest.WithConfig("--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0"))
	sentinel := redistest.StartSentinel(t, master)
	await := func(what string, holds func() bool) {
		t.Helper()
		for ctx := within(t); !holds(); time.Sleep(5 * time.Millisecond) {
			if ctx.Err() != nil {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	watcher := redis.NewSentinelClient(&redis.Options{Addr: sentinel.Addr})
	t.Cleanup(func() { watcher.Close() })
	await("the sentinel to know the replica", func() bool {
		known, err := watcher.Replicas(within(t), redistest.MasterName).Result()
		return err == nil && len(known) == 1 && known[0]["master-link-status"] == "ok"
	})

	key := newCircle(t)
	d := startDispatcher(t, sentinel, DispatcherOptions{})
	c := startConsumer(t, sentinel, ConsumerOptions{WorkerID: "w", LeaseTTL: time.Second})
	running(t, echo(claim(t, c, key)))
	if o, err := d.Play(within(t), key, Play{Script: "before"}); err != nil || o.Output != "before" {
		t.Fatalf("got %+v, %v", o, err)
	}
	await("the replica to have it all", func() bool {
		info := master.Client().Info(within(t), "replication").Val()
		_, after, _ := strings.Cut(info, "master_repl_offset:")
		offset, _, _ := strings.Cut(after, "\r\n")
		return strings.Contains(replica.Client().Info(within(t), "replication").Val(), "slave_repl_offset:"+offset+"\r\n")
	})

	master.Stop()
	played := 0
	await("plays to be answered by the new master", func() bool {
		o, err := d.Play(within(t), key, Play{Script: strconv.Itoa(played), Deadline: time.Now().Add(time.Second)})
		if err != nil || o.Error != nil {
			return false // refused, or not answered in time: that is known
		}
		if o.Output != strconv.Itoa(played) {
			t.Fatalf("got %+v, want %d", o, played)
		}
		played++
		return played == 10
	})
	if role := replica.Client().Info(within(t), "replication").Val(); !strings.Contains(role, "role:master") {
		t.Errorf("the replica is no master: %s", role)
	}
	if n := len(c.held()); n != 1 {
		t.Errorf("the owner holds %d leases, want the one it had", n)
	}
}
