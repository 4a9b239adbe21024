package queue

import (
	"testing"
	"time"

	"circles/pkg/redistest"
)

// When memory is short a worker keeps its circles and goes on: committing plays
// is what frees memory.
func TestWorkGoesOnWithoutMemory(t *testing.T) {
	server := redistest.StartReal(t)
	admin := server.Client()
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	c := startConsumer(t, server, ConsumerOptions{WorkerID: "w", LeaseTTL: time.Hour})
	l := claim(t, c, key)
	id, err := d.Fire(within(t), key, Play{Script: "1"})
	if err != nil {
		t.Fatal(err)
	}
	admin.PExpire(within(t), ownerKey(key), time.Minute)
	if err := admin.ConfigSet(within(t), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	c.renewAll(within(t), time.Minute)
	if left := admin.PTTL(within(t), ownerKey(key)).Val(); left < 30*time.Minute {
		t.Errorf("the lease ends in %v, want it renewed", left)
	}
	if err := l.Commit(within(t), answer(next(t, l)...)); err != nil {
		t.Errorf("commit: %v", err)
	}
	if o, err := d.Fetch(within(t), key, id); err != nil || o.Output != "1" {
		t.Errorf("got %+v, %v", o, err)
	}
}
