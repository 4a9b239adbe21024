package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"circles/pkg/redistest"
)

func TestWithoutRedisAPlayIsRefusedInBoundedTime(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		server.Stop()
		_, err := d.Play(within(t), key, Play{Script: "1"})
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), server.Addr) {
			t.Errorf("got %v, want an UnavailableError that names the address", err)
		}
		if _, err := d.Fire(within(t), key, Play{Script: "1"}); !errors.As(err, &unavailable) {
			t.Errorf("got %v, want an UnavailableError", err)
		}
	})
}

func TestARefusalOfRedisIsCertain(t *testing.T) {
	server := redistest.StartReal(t, redistest.WithConfig("--maxmemory", "1mb", "--maxmemory-policy", "noeviction"))
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	_, err := d.Play(within(t), key, Play{Script: strings.Repeat("x", 1000)})
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("got %v, want an UnavailableError that says OOM", err)
	}
}

func TestAWaitingPlayEndsWhenRedisIsGone(t *testing.T) {
	server := redistest.Start(t)
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	got := make(chan Outcome, 1)
	p := Play{Script: "1", Deadline: time.Now().Add(300 * time.Millisecond)}
	if err := d.Start(within(t), key, p, func(o Outcome) { got <- o }); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	select {
	case o := <-got:
		if o.Error == nil || o.Error.Kind != KindUnknown || o.Error.Kind.Definite() {
			t.Errorf("got %+v, want unknown", o)
		}
	case <-within(t).Done():
		t.Error("no answer")
	}
}

func TestServiceResumesAfterARestart(t *testing.T) {
	server := redistest.StartReal(t, redistest.WithAppendOnly("always"))
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
	before := make(chan Outcome, 1)
	p := Play{Script: "before", Deadline: time.Now().Add(time.Minute)}
	if err := d.Start(within(t), key, p, func(o Outcome) { before <- o }); err != nil {
		t.Fatal(err)
	}
	plays := next(t, l) // running while Redis restarts
	server.Restart()
	for err := errors.New("not yet"); err != nil; {
		if err = l.Commit(within(t), answer(plays...)); err != nil {
			plays = next(t, l) // what is not committed comes again
		}
	}
	if o := <-before; o.Output != "before" {
		t.Errorf("got %+v", o)
	}
	running(t, echo(l))
	o, err := d.Play(within(t), key, Play{Script: "after"})
	if err != nil || o.Output != "after" {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestServiceResumesWhenRedisComesBackEmpty(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		c := startConsumer(t, server, ConsumerOptions{WorkerID: "w"})
		l := claim(t, c, key)
		server.Restart()
		if _, err := l.Next(within(t)); !errors.Is(err, ErrLost) && !server.Real {
			t.Logf("next: %v", err)
		}
		select {
		case <-l.Context().Done():
		case <-within(t).Done():
			t.Fatal("the lease does not notice that it is gone")
		}
		again := claim(t, c, key)
		if again.token <= l.token {
			t.Errorf("token %s after %s: the old worker would be taken for the owner", again.token, l.token)
		}
		running(t, echo(again))
		o, err := d.Play(within(t), key, Play{Script: "after"})
		if err != nil || o.Output != "after" {
			t.Errorf("got %+v, %v", o, err)
		}
	})
}

// Redis comes back without its last second, in which plays were read: it still has
// them, and does not know that they were.
func TestPlaysWhoseReadingWasLostAreReadAgain(t *testing.T) {
	server := redistest.StartReal(t) // the embedded one can't restore a stream
	key, rdb := newCircle(t), connect(t, server)
	d := startDispatcher(t, server, DispatcherOptions{})
	for _, script := range []string{"first", "second"} {
		if _, err := d.Fire(within(t), key, Play{Script: script}); err != nil {
			t.Fatal(err)
		}
	}
	l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
	disk := rdb.Dump(within(t), streamKey(key)).Val()
	plays := next(t, l)
	if err := rdb.RestoreReplace(within(t), streamKey(key), 0, disk).Err(); err != nil {
		t.Fatal(err)
	}
	err := l.Commit(within(t), answer(plays...))
	var gone *WithdrawnError
	if !errors.As(err, &gone) || len(gone.Entries) != 2 {
		t.Fatalf("got %v, want both plays not to be pending", err)
	}
	if pending := rdb.XPending(within(t), streamKey(key), group).Val(); pending.Count != 0 {
		t.Errorf("%d plays are pending that were not read", pending.Count)
	}
	plays = next(t, l)
	if got := scripts(plays); !slices.Equal(got, []string{"first", "second"}) {
		t.Fatalf("got %q", got)
	}
	if err := l.Commit(within(t), answer(plays...)); err != nil {
		t.Fatal(err)
	}
	if n := rdb.XLen(within(t), streamKey(key)).Val(); n != 0 {
		t.Errorf("%d plays are left", n)
	}
}

func TestServiceResumesWhenTheGroupIsRemoved(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		c := startConsumer(t, server, ConsumerOptions{WorkerID: "w", LeaseTTL: 300 * time.Millisecond})
		running(t, echo(claim(t, c, key)))
		rdb := server.Client()
		for _, remove := range []func() error{
			func() error { return rdb.XGroupDestroy(within(t), streamKey(key), group).Err() },
			func() error { return rdb.Del(within(t), streamKey(key)).Err() },
		} {
			if err := remove(); err != nil {
				t.Fatal(err)
			}
			o, err := d.Play(within(t), key, Play{Script: "after"})
			if err != nil || o.Output != "after" {
				t.Fatalf("got %+v, %v", o, err)
			}
		}
	})
}

func TestNextWaitsWhileRedisIsAway(t *testing.T) {
	server := redistest.StartReal(t, redistest.WithAppendOnly("always"))
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
	if _, err := d.Fire(within(t), key, Play{Script: "1"}); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	got := make(chan []Delivery, 1)
	running(t, func(ctx context.Context) error {
		plays, err := l.Next(ctx)
		got <- plays
		return err
	})
	server.Restart()
	if plays := <-got; len(plays) != 1 || plays[0].Play.Script != "1" {
		t.Errorf("got %+v", plays)
	}
}

func TestScriptsAreLoadedAgainAfterAFlush(t *testing.T) {
	server := redistest.StartReal(t)
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	running(t, echo(claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)))
	for i := range 3 {
		if err := server.Client().ScriptFlush(within(t)).Err(); err != nil {
			t.Fatal(err)
		}
		o, err := d.Play(within(t), key, Play{Script: strconv.Itoa(i)})
		if err != nil || o.Output != strconv.Itoa(i) {
			t.Fatalf("got %+v, %v", o, err)
		}
	}
}

func TestAWrongPasswordIsUnavailableAndNotShown(t *testing.T) {
	server := redistest.Start(t, redistest.WithPassword("right"))
	server.URL = strings.Replace(server.URL, "right", "wr0ng-secret", 1)
	d := startDispatcher(t, server, DispatcherOptions{})
	_, err := d.Play(within(t), newCircle(t), Play{Script: "1"})
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an UnavailableError without the password", err)
	}
}
