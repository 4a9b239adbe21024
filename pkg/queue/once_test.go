package queue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"circles/pkg/circle"
	"circles/pkg/redistest"
)

// submit submits a play and returns where its outcome comes.
func submit(t *testing.T, d *Dispatcher, key circle.Key, p Play) <-chan Outcome {
	t.Helper()
	done := make(chan Outcome, 1)
	if err := d.Start(within(t), key, p, func(o Outcome) { done <- o }); err != nil {
		t.Fatal(err)
	}
	return done
}

func outcome(t *testing.T, done <-chan Outcome) Outcome {
	t.Helper()
	select {
	case o := <-done:
		return o
	case <-within(t).Done():
		t.Fatal("no outcome came")
		return Outcome{}
	}
}

func inQueue(t *testing.T, server *redistest.Server, key circle.Key, want int64) {
	t.Helper()
	if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != want {
		t.Fatalf("%d plays are in the queue, want %d", n, want)
	}
}

func commitAll(t *testing.T, l *Lease, done ...Done) {
	t.Helper()
	if err := l.Commit(within(t), done); err != nil {
		t.Fatal(err)
	}
}

// A play that is submitted again has the outcome of the first time, whether that
// waits, runs or has ended, from whichever gateway it comes.
func TestOncePlaysShareOneOutcome(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		here, there := startDispatcher(t, server, DispatcherOptions{}), startDispatcher(t, server, DispatcherOptions{})
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		p := Play{ID: "first", Script: "1", Caller: "me", IdempotencyKey: "k", Deadline: time.Now().Add(time.Minute)}
		again := func(id string) Play { p.ID = id; return p }
		waits := []<-chan Outcome{submit(t, here, key, p), submit(t, here, key, again("second")), submit(t, there, key, again("third"))}
		plays := next(t, l)
		waits = append(waits, submit(t, here, key, again("fourth")), submit(t, there, key, again("fifth")))
		inQueue(t, server, key, 1)
		commitAll(t, l, answer(plays...)...)
		waits = append(waits, submit(t, here, key, again("sixth")), submit(t, there, key, again("seventh")))
		for i, done := range waits {
			if o := outcome(t, done); o.PlayID != "first" || o.Output != "1" {
				t.Errorf("submission %d got %+v", i+1, o)
			}
		}
		inQueue(t, server, key, 0)
		if id, err := here.Fire(within(t), key, again("eighth")); err != nil || id != "first" {
			t.Errorf("fire: got %q, %v, want the first's id", id, err)
		}
		if n := here.Waiting() + there.Waiting(); n != 0 {
			t.Errorf("%d plays are still waited for", n)
		}
	})
}

func TestOnceIsForOneCallerAndOneScript(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		p := Play{Script: "1", Args: json.RawMessage(`{"a":[1,2]}`), Caller: "me", IdempotencyKey: "k", Deadline: time.Now().Add(time.Minute)}
		first := submit(t, d, key, p)
		refused := func(when string) {
			t.Helper()
			script, args := p, p
			script.Script, args.Args = "2", json.RawMessage(`{"a":[1,3]}`)
			for _, other := range []Play{script, args} {
				if err := d.Start(within(t), key, other, func(Outcome) { t.Error("done was called") }); !errors.Is(err, ErrKeyReused) {
					t.Errorf("%s: got %v, want ErrKeyReused", when, err)
				}
			}
		}
		refused("while it waits")
		spaced := p
		spaced.Args = json.RawMessage("{ \"a\": [1, 2] }\n")
		same := submit(t, d, key, spaced)
		inQueue(t, server, key, 1)
		other := p
		other.Caller, other.Script = "you", "3"
		theirs := submit(t, d, key, other)
		inQueue(t, server, key, 2)
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		commitAll(t, l, answer(next(t, l)...)...)
		refused("when it has ended")
		for _, done := range []<-chan Outcome{first, same} {
			if o := outcome(t, done); o.Output != "1" {
				t.Errorf("got %+v", o)
			}
		}
		if o := outcome(t, theirs); o.Output != "3" {
			t.Errorf("the other caller got %+v", o)
		}
		p.IdempotencyKey = strings.Repeat("k", MaxKeyBytes+1)
		if err := d.Start(within(t), key, p, nil); !errors.Is(err, ErrKeyTooLong) {
			t.Errorf("got %v, want ErrKeyTooLong", err)
		}
		if n := d.Waiting(); n != 0 {
			t.Errorf("%d plays are still waited for", n)
		}
	})
}

// What the script came to is kept. What circumstances did to the play is told to
// all who wait, and leaves the key to the next attempt.
func TestOnceKeepsWhatTheScriptCameTo(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		here, there := startDispatcher(t, server, DispatcherOptions{}), startDispatcher(t, server, DispatcherOptions{})
		c := startConsumer(t, server, ConsumerOptions{WorkerID: "w"})
		for kind, kept := range map[ErrorKind]bool{
			KindScript: true, KindParse: true, KindLimit: true,
			KindTimeout: false, KindExpired: false, KindGaveUp: false, KindInternal: false,
		} {
			key := newCircle(t)
			l := claim(t, c, key)
			p := Play{Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(time.Minute)}
			waits := []<-chan Outcome{submit(t, here, key, p), submit(t, there, key, p)}
			plays := next(t, l)
			commitAll(t, l, Done{Delivery: plays[0], Outcome: failed(plays[0].Play.ID, kind, "no")})
			for _, done := range waits {
				if o := outcome(t, done); o.Error == nil || o.Error.Kind != kind || o.PlayID != plays[0].Play.ID {
					t.Errorf("%s: got %+v, %+v", kind, o, o.Error)
				}
			}
			third := submit(t, there, key, p)
			if kept {
				inQueue(t, server, key, 0)
				if o := outcome(t, third); o.Error == nil || o.Error.Kind != kind {
					t.Errorf("%s: got %+v the third time", kind, o)
				}
				continue
			}
			commitAll(t, l, answer(next(t, l)...)...)
			if o := outcome(t, third); o.Error != nil || o.Output != "1" {
				t.Errorf("%s: got %+v, %+v the third time, want it to run", kind, o, o.Error)
			}
		}
	})
}

func TestOnceIsFreeAfterAWithdrawal(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		here, there := startDispatcher(t, server, DispatcherOptions{}), startDispatcher(t, server, DispatcherOptions{})
		p := Play{ID: "first", Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(time.Minute)}
		again := p
		again.ID = "second"
		first, second := submit(t, here, key, p), submit(t, there, key, again)
		again.ID = "third"
		third := submit(t, here, key, again)
		if cancelled, err := there.Cancel(within(t), "second"); err != nil || cancelled {
			t.Errorf("cancel by who asked later: got %v, %v, want false", cancelled, err)
		}
		if cancelled, err := here.Cancel(within(t), "first"); err != nil || !cancelled {
			t.Fatalf("cancel: got %v, %v", cancelled, err)
		}
		for _, done := range []<-chan Outcome{first, second, third} {
			if o := outcome(t, done); o.Error == nil || o.Error.Kind != KindCancelled {
				t.Errorf("got %+v, want cancelled", o)
			}
		}
		if n := server.Client().Exists(within(t), onceKey(key, "", "k")).Val(); n != 0 {
			t.Error("the key is not free")
		}
		p.ID, p.Deadline = "fourth", time.Now().Add(20*time.Millisecond)
		fourth := submit(t, here, key, p)
		if o := outcome(t, fourth); o.Error == nil || o.Error.Kind != KindExpired {
			t.Errorf("got %+v, want expired", o)
		}
		running(t, echo(claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)))
		p.ID, p.Deadline = "fifth", time.Time{}
		if o := outcome(t, submit(t, there, key, p)); o.Output != "1" || o.PlayID != "fifth" {
			t.Errorf("got %+v, %+v", o, o.Error)
		}
	})
}

// The gateway of the first submission is gone, so that nobody withdraws it: it
// does not stand in the way once its deadline has passed.
func TestOnceOutlivesItsGateway(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		gone := NewDispatcher(connect(t, server), DispatcherOptions{})
		p := Play{ID: "first", Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(30 * time.Millisecond)}
		submit(t, gone, key, p)
		due := gone.clock.redis(p.Deadline)
		for {
			now, err := server.Client().Time(within(t)).Result()
			if err != nil {
				t.Fatal(err)
			}
			if now.After(due.Add(5 * time.Millisecond)) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		d := startDispatcher(t, server, DispatcherOptions{})
		p.ID, p.Deadline = "second", time.Now().Add(time.Minute)
		done := submit(t, d, key, p)
		inQueue(t, server, key, 1)
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		commitAll(t, l, answer(next(t, l)...)...)
		if o := outcome(t, done); o.PlayID != "second" || o.Output != "1" {
			t.Errorf("got %+v, %+v", o, o.Error)
		}
	})
}

// A submission whose answer is lost is found by its key, and one that waits for
// another's outcome is told what is known of it when its own deadline passes.
func TestOnceAtTheDeadline(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		first, d := NewDispatcher(connect(t, server), DispatcherOptions{}), NewDispatcher(connect(t, server), DispatcherOptions{})
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		p := Play{ID: "first", Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(time.Hour)}
		submit(t, first, key, p)
		follower := func(id string, knows bool) (<-chan Outcome, waiter) {
			t.Helper()
			again := p
			again.ID = id
			done := submit(t, d, key, again)
			if !knows {
				d.waiting.unfollow(id)
			}
			v, ok := d.waiting.get(id)
			if !ok {
				t.Fatalf("%s is not waited for", id)
			}
			v.late = true
			return done, v
		}
		expect := func(done <-chan Outcome, kind ErrorKind) {
			t.Helper()
			o := outcome(t, done)
			if kind == "" && o.Error == nil && o.PlayID == "first" && o.Output == "1" {
				return
			}
			if o.Error == nil || o.Error.Kind != kind {
				t.Errorf("got %+v, %+v, want %q", o, o.Error, kind)
			}
		}
		for _, knows := range []bool{true, false} { // that another play has the key
			done, v := follower("waits", knows)
			d.expire(context.Background(), []waiter{v})
			expect(done, KindUnknown)
			inQueue(t, server, key, 1)
		}
		known, v := follower("known", true)
		lost, w := follower("lost", false)
		commitAll(t, l, answer(next(t, l)...)...)
		server.Client().Del(within(t), resultsKey(key)) // only the key still has it
		d.expire(context.Background(), []waiter{v, w})
		expect(known, "")
		expect(lost, "")

		p.IdempotencyKey = "other"
		p.ID = "leader"
		submit(t, first, key, p)
		known, v = follower("known", true)
		lost, w = follower("lost", false)
		if _, err := first.Cancel(within(t), "leader"); err != nil {
			t.Fatal(err)
		}
		d.expire(context.Background(), []waiter{v, w}) // the publication got lost: nobody listens here
		expect(known, KindExpired)
		expect(lost, KindExpired)
	})
}

// A reply that was lost is found when the subscription is made again.
func TestOnceRecovers(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		first, d := NewDispatcher(connect(t, server), DispatcherOptions{}), NewDispatcher(connect(t, server), DispatcherOptions{})
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		p := Play{ID: "first", Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(time.Hour)}
		submit(t, first, key, p)
		p.ID = "second"
		done := submit(t, d, key, p)
		commitAll(t, l, answer(next(t, l)...)...)
		d.recover(context.Background())
		if o := outcome(t, done); o.PlayID != "first" || o.Output != "1" {
			t.Errorf("got %+v", o)
		}
	})
}

func TestOnceExpires(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{KeyTTL: time.Hour})
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		done := submit(t, d, key, Play{Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(2 * time.Hour)})
		ttl := func() time.Duration {
			return server.Client().PTTL(within(t), onceKey(key, "", "k")).Val()
		}
		if got := ttl(); got <= 2*time.Hour || got > 3*time.Hour {
			t.Errorf("while it waits the key expires in %v, want an hour after the deadline", got)
		}
		commitAll(t, l, answer(next(t, l)...)...)
		outcome(t, done)
		if got := ttl(); got <= 59*time.Minute || got > time.Hour {
			t.Errorf("the outcome is kept for %v, want an hour", got)
		}
	})
}

// What was not committed did not end the play, whoever waits for it.
func TestOnceSurvivesItsWorker(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		c := startConsumer(t, server, ConsumerOptions{WorkerID: "w"})
		l := claim(t, c, key)
		p := Play{Script: "1", IdempotencyKey: "k", Deadline: time.Now().Add(time.Minute)}
		first := submit(t, d, key, p)
		plays := next(t, l)
		server.Client().Del(within(t), ownerKey(key)) // the lease expires
		heir := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "heir"}), key)
		if err := l.Commit(within(t), answer(plays...)); !errors.Is(err, ErrLost) {
			t.Fatalf("got %v, want ErrLost", err)
		}
		second := submit(t, d, key, p)
		inQueue(t, server, key, 1)
		commitAll(t, heir, answer(next(t, heir)...)...)
		for _, done := range []<-chan Outcome{first, second} {
			if o := outcome(t, done); o.Output != "1" {
				t.Errorf("got %+v", o)
			}
		}
	})
}
