package queue

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"circles/pkg/redistest"
)

func TestCancelAQueuedPlay(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		got := make(chan Outcome, 1)
		if err := d.Start(within(t), key, Play{ID: "a"}, func(o Outcome) { got <- o }); err != nil {
			t.Fatal(err)
		}
		if ok, err := d.Cancel(within(t), "a"); !ok || err != nil {
			t.Fatalf("got %v, %v", ok, err)
		}
		if o := <-got; o.Error == nil || o.Error.Kind != KindCancelled {
			t.Errorf("got %+v", o)
		}
		if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != 0 {
			t.Error("the play is still in the queue")
		}
		if ok, err := d.Cancel(within(t), "a"); ok || err != nil {
			t.Errorf("a second time: got %v, %v", ok, err)
		}
	})
}

func TestCancelARunningPlay(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		c := startConsumer(t, server, ConsumerOptions{WorkerID: "w"})
		<-c.Changed() // it listens
		outcomes := make(chan Outcome, 3)
		for _, id := range []string{"a", "b", "c"} {
			if err := d.Start(within(t), key, Play{ID: id, Script: id}, func(o Outcome) { outcomes <- o }); err != nil {
				t.Fatal(err)
			}
		}
		l := claim(t, c, key)
		plays := next(t, l)
		stopped := make(chan struct{})
		if !l.Begin("a", func() { close(stopped) }) {
			t.Fatal("the play can not be begun")
		}
		for _, id := range []string{"b", "a"} {
			if ok, err := d.Cancel(within(t), id); !ok || err != nil {
				t.Fatalf("got %v, %v", ok, err)
			}
			if o := <-outcomes; o.PlayID != id || o.Error == nil || o.Error.Kind != KindCancelled {
				t.Errorf("got %+v", o)
			}
		}
		select {
		case <-stopped:
		case <-within(t).Done():
			t.Fatal("the running play was not stopped")
		}
		if l.End() {
			t.Error("a play that was withdrawn is to be committed")
		}
		if l.Begin("b", nil) {
			t.Error("a play that was withdrawn is to be run")
		}
		if !l.Begin("c", nil) || !l.End() {
			t.Error("a play that was not withdrawn is left out")
		}
		if err := l.Commit(within(t), answer(plays[2])); err != nil {
			t.Error(err)
		}
		if o := <-outcomes; o.Output != "c" {
			t.Errorf("got %+v", o)
		}
	})
}

func TestCancelAfterTheCommitComesTooLate(t *testing.T) {
	server := redistest.Start(t)
	key := newCircle(t)
	d := NewDispatcher(connect(t, server), DispatcherOptions{}) // hears no outcomes
	got := make(chan Outcome, 1)
	if err := d.Start(within(t), key, Play{ID: "a", Script: "x"}, func(o Outcome) { got <- o }); err != nil {
		t.Fatal(err)
	}
	l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
	if err := l.Commit(within(t), answer(next(t, l)...)); err != nil {
		t.Fatal(err)
	}
	if ok, err := d.Cancel(within(t), "a"); ok || err != nil {
		t.Errorf("got %v, %v; want that it is too late", ok, err)
	}
	running(t, d.Run)
	if o := <-got; !reflect.DeepEqual(o, Outcome{PlayID: "a", Output: "x"}) {
		t.Errorf("got %+v", o)
	}
}

func TestACallerThatLeavesCancels(t *testing.T) {
	server := redistest.Start(t)
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	rdb, bounded := server.Client(), within(t)
	go func() {
		defer cancel()
		for bounded.Err() == nil && rdb.XLen(bounded, streamKey(key)).Val() == 0 {
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := d.Play(ctx, key, Play{Script: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the context ended", err)
	}
	if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != 0 {
		t.Error("the play is still in the queue")
	}
}
