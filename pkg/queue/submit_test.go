package queue

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// told is a caller that passes on what it is told.
type told struct {
	queued chan error
	done   chan Outcome
}

func newTold() told { return told{make(chan error, 2), make(chan Outcome, 2)} }

func (c told) Queued(err error) { c.queued <- err }
func (c told) Done(o Outcome)   { c.done <- o }

// While Redis does not answer, plays gather that have not left: what becomes of those is certain at once.
func TestPlaysThatHaveNotLeft(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	rdb, err := Open("redis://" + silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	d, key := NewDispatcher(rdb, DispatcherOptions{Logger: testLogger(t)}), newCircle(t)
	stop := running(t, d.Run)

	ctx := context.Background()
	d.Submit(ctx, key, Play{ID: "away", Deadline: time.Now().Add(time.Hour)}, newTold())
	for v, _ := d.waiting.get("away"); v.state != sending; v, _ = d.waiting.get("away") {
		time.Sleep(time.Millisecond)
	}
	cancelled, overdue := newTold(), newTold()
	d.Submit(ctx, key, Play{ID: "cancelled", Deadline: time.Now().Add(time.Hour)}, cancelled)
	d.Submit(ctx, key, Play{ID: "overdue", Deadline: time.Now().Add(time.Millisecond)}, overdue)

	if ok, err := d.Cancel(within(t), "cancelled"); err != nil || !ok {
		t.Errorf("cancel a play that has not left: got %v, %v, want true", ok, err)
	}
	if o := <-cancelled.done; o.Error == nil || o.Error.Kind != KindCancelled {
		t.Errorf("got %+v, want cancelled", o)
	}
	var unavailable *UnavailableError
	if err := <-overdue.queued; !errors.As(err, &unavailable) {
		t.Errorf("at its deadline a play that has not left got %v, want an UnavailableError", err)
	}
	stop()
	if err := <-cancelled.queued; err != nil {
		t.Errorf("a cancelled play was also told %v", err)
	}
	if len(overdue.queued)+len(overdue.done)+len(cancelled.done)+len(cancelled.queued) > 0 {
		t.Error("a caller was told twice")
	}
}
