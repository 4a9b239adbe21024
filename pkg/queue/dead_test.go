package queue

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"circles/pkg/circle"
	"circles/pkg/redistest"
)

// giveUp queues plays, has a lease give them up and releases it.
func giveUp(t *testing.T, server *redistest.Server, key circle.Key, plays ...Play) {
	t.Helper()
	d := startDispatcher(t, server, DispatcherOptions{})
	for _, p := range plays {
		if _, err := d.Fire(within(t), key, p); err != nil {
			t.Fatal(err)
		}
	}
	l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
	given := next(t, l)
	for i := range given {
		given[i].GaveUp, given[i].Deliveries = true, 3
	}
	if err := l.Commit(within(t), answer(given...)); err != nil {
		t.Fatal(err)
	}
	if err := l.Release(within(t)); err != nil {
		t.Fatal(err)
	}
}

func TestTheDeadAreListedAndShown(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		dead := NewDeadLetters(connect(t, server), key)
		if list, err := dead.List(within(t), 10); err != nil || len(list) != 0 {
			t.Fatalf("got %v, %v, want none", list, err)
		}
		var plays []Play
		for range deadPage + 2 {
			plays = append(plays, Play{ID: NewPlayID(), Script: "1", Args: json.RawMessage(`[2]`), Caller: key.String(), Role: "owner"})
		}
		giveUp(t, server, key, plays...)
		list, err := dead.List(within(t), 1000)
		if err != nil || len(list) != len(plays) {
			t.Fatalf("got %d, %v, want %d", len(list), err, len(plays))
		}
		if some, err := dead.List(within(t), deadPage+1); err != nil || len(some) != deadPage+1 {
			t.Errorf("got %d, %v, want %d", len(some), err, deadPage+1)
		}
		for i, got := range list {
			p := got.Play
			if got.PlayID != plays[i].ID || p.ID != plays[i].ID || p.Script != "1" || string(p.Args) != "[2]" || p.Caller != key.String() || p.Role != "owner" {
				t.Errorf("got %+v, want the play as it was queued", got)
			}
			if !strings.Contains(got.Why, "3 times") || got.Deliveries != 3 || got.At.IsZero() {
				t.Errorf("got %+v, want why, when and the deliveries", got)
			}
		}
		// Of the text "1".
		if got := list[0].ScriptHash(); got != "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b" {
			t.Errorf("got hash %s", got)
		}
		if one, err := dead.Show(within(t), list[7].Entry); err != nil || one.PlayID != list[7].PlayID {
			t.Errorf("got %+v, %v, want %+v", one, err, list[7])
		}
	})
}

func TestADeadPlayIsReplayedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		rdb := connect(t, server)
		dead := NewDeadLetters(rdb, key)
		giveUp(t, server, key, Play{Script: "again", Args: json.RawMessage(`[2]`), Caller: key.String(), Role: "owner", IdempotencyKey: "k"})
		list, err := dead.List(within(t), 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("got %v, %v, want one", list, err)
		}
		entry := list[0].Entry

		d := startDispatcher(t, server, DispatcherOptions{})
		if _, err := d.Fire(within(t), key, Play{Script: "other"}); err != nil {
			t.Fatal(err)
		}
		var busy *BusyError
		if _, err := dead.Replay(within(t), entry, ReplayOptions{QueueLimit: 1}); !errors.As(err, &busy) {
			t.Errorf("got %v, want busy", err)
		}
		if _, err := dead.Show(within(t), entry); err != nil {
			t.Errorf("got %v, want the play to be dead still", err)
		}

		id, err := dead.Replay(within(t), entry, ReplayOptions{Timeout: time.Minute})
		if err != nil || id == list[0].PlayID {
			t.Fatalf("got %s, %v, want a new id", id, err)
		}
		for _, try := range []string{entry, "1-1", "1", "1-1x", "nothing", ""} {
			if _, err := dead.Replay(within(t), try, ReplayOptions{}); !errors.Is(err, ErrNotDead) {
				t.Errorf("%q: got %v, want ErrNotDead", try, err)
			}
		}
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "heir"}), key)
		plays := next(t, l)
		if len(plays) != 2 {
			t.Fatalf("got %v, want the other play and the one again", scripts(plays))
		}
		p := plays[1].Play
		if p.ID != id || p.Script != "again" || string(p.Args) != "[2]" || p.Caller != key.String() || p.Role != "owner" ||
			p.IdempotencyKey != "" || p.ReplyTo != "" || plays[1].Deliveries != 0 || time.Until(p.Deadline) < 30*time.Second {
			t.Errorf("got %+v, want the play as it was, but new", plays[1])
		}
		if err := l.Commit(within(t), answer(plays...)); err != nil {
			t.Fatal(err)
		}
		if o, err := d.Fetch(within(t), key, id); err != nil || o.Output != "again" {
			t.Errorf("got %+v, %v", o, err)
		}
	})
}

func TestTheDeadOfAClusterAreReplayed(t *testing.T) {
	server, key := startCluster(t), newCircle(t)
	dead := NewDeadLetters(connect(t, server), key)
	giveUp(t, server, key, Play{Script: "again"}, Play{Script: "not again"})
	list, err := dead.List(within(t), 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("got %v, %v, want two", list, err)
	}
	if _, err := dead.Replay(within(t), list[0].Entry, ReplayOptions{}); err != nil {
		t.Error(err)
	}
	if err := dead.Drop(within(t), list[1].Entry); err != nil {
		t.Error(err)
	}
	plays := next(t, claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "heir"}), key))
	if len(plays) != 1 || plays[0].Play.Script != "again" {
		t.Errorf("got %v, want the one again", scripts(plays))
	}
}

func TestAReplayedPlayWakesTheOwner(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		dead := NewDeadLetters(connect(t, server), key)
		giveUp(t, server, key, Play{Script: "again"})
		// Nothing but the wake-up can tell: leases are renewed too seldom.
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w", LeaseTTL: time.Hour}), key)
		running(t, echo(l))
		list, err := dead.List(within(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		id, err := dead.Replay(within(t), list[0].Entry, ReplayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d := startDispatcher(t, server, DispatcherOptions{})
		for ctx := within(t); ; time.Sleep(time.Millisecond) {
			if o, err := d.Fetch(ctx, key, id); err == nil && o.Output == "again" {
				return
			} else if !errors.Is(err, ErrNoOutcome) {
				t.Fatal(err)
			}
		}
	})
}

func TestADeadPlayIsDropped(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		dead := NewDeadLetters(connect(t, server), key)
		giveUp(t, server, key, Play{Script: "1"}, Play{Script: "2"})
		list, err := dead.List(within(t), 10)
		if err != nil || len(list) != 2 {
			t.Fatalf("got %v, %v, want two", list, err)
		}
		if err := dead.Drop(within(t), list[0].Entry); err != nil {
			t.Error(err)
		}
		for _, entry := range []string{list[0].Entry, "1-1", "1", "1-1x", "nothing", ""} {
			if err := dead.Drop(within(t), entry); !errors.Is(err, ErrNotDead) {
				t.Errorf("%q: got %v, want ErrNotDead", entry, err)
			}
			if _, err := dead.Show(within(t), entry); !errors.Is(err, ErrNotDead) {
				t.Errorf("%q: got %v, want ErrNotDead", entry, err)
			}
		}
		if left, err := dead.List(within(t), 10); err != nil || len(left) != 1 || left[0].Play.Script != "2" {
			t.Errorf("got %v, %v, want the other one", left, err)
		}
	})
}
