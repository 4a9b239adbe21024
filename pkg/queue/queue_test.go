package queue

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"circles/pkg/circle"
	"circles/pkg/redistest"
)

func TestPlayRoundTripThroughRedis(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		running(t, echo(claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)))
		for i := range 20 {
			script := strconv.Itoa(i)
			o, err := d.Play(within(t), key, Play{Script: script})
			if err != nil || o.Error != nil || o.Output != script {
				t.Fatalf("got %+v, %v", o, err)
			}
		}
		if n := d.Waiting(); n != 0 {
			t.Errorf("%d plays are still waited for", n)
		}
	})
}

func TestManyPlaysInFlight(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		running(t, echo(claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)))
		const n = 200
		errs := make(chan error, n)
		for i := range n {
			go func() {
				script := strconv.Itoa(i)
				o, err := d.Play(within(t), key, Play{Script: script})
				if err == nil && o.Output != script {
					err = fmt.Errorf("play %d got %+v", i, o)
				}
				errs <- err
			}()
		}
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPlaysAreReadInTheOrderTheyWereQueued(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		var want []string
		for i := range 100 {
			want = append(want, strconv.Itoa(i))
			if _, err := d.Fire(within(t), key, Play{Script: want[i]}); err != nil {
				t.Fatal(err)
			}
		}
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w", Batch: 7}), key)
		var got []string
		for len(got) < len(want) {
			plays := next(t, l)
			got = append(got, scripts(plays)...)
			if err := l.Commit(within(t), answer(plays...)); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v", got)
		}
		if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != 0 {
			t.Errorf("%d entries are left in the queue", n)
		}
	})
}

func TestAFullQueueIsBusy(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{QueueLimit: 2})
		for range 2 {
			if _, err := d.Fire(within(t), key, Play{Script: "1"}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := d.Play(within(t), key, Play{Script: "1"})
		var busy *BusyError
		if !errors.As(err, &busy) || busy.RetryAfter <= 0 {
			t.Errorf("got %v, want a BusyError", err)
		}
		if n := d.Waiting(); n != 0 {
			t.Errorf("%d plays are waited for", n)
		}
	})
}

func TestTheTableOfWaitingPlaysIsBounded(t *testing.T) {
	server := redistest.Start(t)
	key := newCircle(t)
	d := startDispatcher(t, server, DispatcherOptions{MaxWaiting: 1})
	ended := make(chan Outcome, 1)
	if err := d.Start(within(t), key, Play{ID: "a"}, func(o Outcome) { ended <- o }); err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if err := d.Start(within(t), key, Play{ID: "b"}, func(Outcome) { t.Error("done was called") }); !errors.As(err, &busy) {
		t.Errorf("got %v, want a BusyError", err)
	}
	select {
	case o := <-ended:
		t.Errorf("got %+v before the deadline", o)
	default:
	}
}

func TestAPlayThatNoWorkerTakesExpires(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		o, err := d.Play(within(t), key, Play{Script: "1", Deadline: time.Now().Add(30 * time.Millisecond)})
		if err != nil || o.Error == nil || o.Error.Kind != KindExpired {
			t.Fatalf("got %+v, %v; want expired", o, err)
		}
		if n := server.Client().XLen(within(t), streamKey(key)).Val(); n != 0 {
			t.Error("the play is still in the queue and may run")
		}
	})
}

func TestAPlayWhoseWorkerHangsIsWithdrawn(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{Grace: 20 * time.Millisecond})
		outcome := make(chan Outcome, 1)
		start := func(script string, timeout time.Duration, done func(Outcome)) {
			t.Helper()
			if err := d.Start(within(t), key, Play{Script: script, Deadline: time.Now().Add(timeout)}, done); err != nil {
				t.Fatal(err)
			}
		}
		survivor := make(chan Outcome, 1)
		start("hangs", 500*time.Millisecond, func(o Outcome) { outcome <- o })
		start("survives", time.Minute, func(o Outcome) { survivor <- o })
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		plays := next(t, l)
		if o := <-outcome; o.Error == nil || o.Error.Kind != KindTimeout {
			t.Fatalf("got %+v, want a timeout", o)
		}
		// The worker wakes and commits what it ran: nothing of it happens.
		err := l.Commit(within(t), answer(plays...))
		var gone *WithdrawnError
		if !errors.As(err, &gone) || !reflect.DeepEqual(gone.Entries, []string{plays[0].Entry}) {
			t.Fatalf("got %v, want the first play withdrawn", err)
		}
		if _, err := d.Fetch(within(t), key, plays[0].Play.ID); !errors.Is(err, ErrNoOutcome) {
			t.Errorf("got %v, want no outcome", err)
		}
		// What is left is handed out again.
		plays = next(t, l)
		if got := scripts(plays); !reflect.DeepEqual(got, []string{"survives"}) || plays[0].Deliveries != 0 {
			t.Fatalf("got %+v", plays)
		}
		if err := l.Commit(within(t), answer(plays...)); err != nil {
			t.Fatal(err)
		}
		if o := <-survivor; o.Output != "survives" {
			t.Errorf("got %+v", o)
		}
	})
}

func TestFetchAfterFire(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		var ids []string
		for i := range 600 { // more than a page of the search
			id, err := d.Fire(within(t), key, Play{Script: strconv.Itoa(i)})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if _, err := d.Fetch(within(t), key, ids[0]); !errors.Is(err, ErrNoOutcome) {
			t.Errorf("got %v before it ran, want ErrNoOutcome", err)
		}
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		for left := len(ids); left > 0; {
			plays := next(t, l)
			if err := l.Commit(within(t), answer(plays...)); err != nil {
				t.Fatal(err)
			}
			left -= len(plays)
		}
		for _, i := range []int{0, 1, 299, 598, 599} {
			o, err := d.Fetch(within(t), key, ids[i])
			if err != nil || o.Output != strconv.Itoa(i) {
				t.Errorf("play %d: got %+v, %v", i, o, err)
			}
		}
	})
}

func TestALostPublicationIsRecoveredFromResults(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		rdb := connect(t, server)
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		play := func(d *Dispatcher, timeout time.Duration) chan Outcome {
			t.Helper()
			got := make(chan Outcome, 1)
			p := Play{Script: "x", Deadline: time.Now().Add(timeout)}
			if err := d.Start(within(t), key, p, func(o Outcome) { got <- o }); err != nil {
				t.Fatal(err)
			}
			if err := l.Commit(within(t), answer(next(t, l)...)); err != nil {
				t.Fatal(err)
			}
			return got
		}
		t.Run("when the subscription is made", func(t *testing.T) {
			d := NewDispatcher(rdb, DispatcherOptions{})
			got := play(d, time.Hour) // nobody listens yet
			running(t, d.Run)
			if o := <-got; o.Output != "x" {
				t.Errorf("got %+v", o)
			}
		})
		t.Run("when the deadline passes", func(t *testing.T) {
			d := NewDispatcher(rdb, DispatcherOptions{})
			got := play(d, time.Second)
			running(t, func(ctx context.Context) error { d.watch(ctx); return nil })
			if o := <-got; o.Output != "x" {
				t.Errorf("got %+v", o)
			}
		})
	})
}

func TestStoppingTheDispatcherAnswersEveryPlay(t *testing.T) {
	server := redistest.Start(t)
	key := newCircle(t)
	d := NewDispatcher(connect(t, server), DispatcherOptions{})
	stop := running(t, d.Run)
	got := make(chan Outcome, 1)
	if err := d.Start(within(t), key, Play{Script: "x"}, func(o Outcome) { got <- o }); err != nil {
		t.Fatal(err)
	}
	stop()
	if o := <-got; o.Error == nil || o.Error.Kind != KindUnknown {
		t.Errorf("got %+v, want unknown", o)
	}
	if err := d.Start(within(t), key, Play{}, func(Outcome) { t.Error("done was called") }); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestOneOwnerACircle(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		first := startConsumer(t, server, ConsumerOptions{WorkerID: "first"})
		second := startConsumer(t, server, ConsumerOptions{WorkerID: "second"})
		l := claim(t, first, key)
		if _, err := second.Claim(within(t), key); !errors.Is(err, ErrOwned) {
			t.Fatalf("got %v, want ErrOwned", err)
		}
		for len(second.changed) > 0 {
			<-second.changed
		}
		if err := l.Release(within(t)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-second.Changed():
		case <-within(t).Done():
			t.Fatal("the other worker was not told of the release")
		}
		claim(t, second, key)
	})
}

// dead is a consumer whose worker died: it does not renew.
func dead(t *testing.T, server *redistest.Server, ttl time.Duration) *Consumer {
	return NewConsumer(connect(t, server), ConsumerOptions{WorkerID: "dead", LeaseTTL: ttl})
}

func TestPendingPlaysAreTakenOverInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		for i := range 5 {
			if _, err := d.Fire(within(t), key, Play{Script: strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
		}
		old := claim(t, dead(t, server, 50*time.Millisecond), key)
		taken := next(t, old) // and the worker dies
		if _, err := d.Fire(within(t), key, Play{Script: "5"}); err != nil {
			t.Fatal(err)
		}

		heir := startConsumer(t, server, ConsumerOptions{WorkerID: "heir", Batch: 3})
		var l *Lease
		for l == nil {
			var err error
			if l, err = heir.Claim(within(t), key); err != nil && !errors.Is(err, ErrOwned) {
				t.Fatal(err)
			}
		}
		var got []string
		for len(got) < 6 {
			plays := next(t, l)
			got = append(got, scripts(plays)...)
			if err := l.Commit(within(t), answer(plays...)); err != nil {
				t.Fatal(err)
			}
		}
		if want := []string{"0", "1", "2", "3", "4", "5"}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}

		// The old owner wakes: it neither commits nor reads.
		if err := old.Commit(within(t), answer(taken...)); !errors.Is(err, ErrLost) {
			t.Errorf("got %v, want ErrLost", err)
		}
		if _, err := old.Next(within(t)); !errors.Is(err, ErrLost) {
			t.Errorf("got %v, want ErrLost", err)
		}
		select {
		case <-old.Context().Done():
		default:
			t.Error("the lease does not know that it is lost")
		}
	})
}

// inherit claims a circle whose owner died, when its lease has expired.
func inherit(t *testing.T, c *Consumer, key circle.Key) *Lease {
	t.Helper()
	for {
		l, err := c.Claim(within(t), key)
		if err == nil {
			return l
		}
		if !errors.Is(err, ErrOwned) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAPlayThatKillsItsWorkersIsGivenUp(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		outcome := make(chan Outcome, 1)
		if err := d.Start(within(t), key, Play{Script: "poison", Deadline: time.Now().Add(time.Hour)}, func(o Outcome) { outcome <- o }); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Fire(within(t), key, Play{Script: "innocent"}); err != nil {
			t.Fatal(err)
		}
		ttl := 20 * time.Millisecond
		for death := range 3 {
			plays := next(t, inherit(t, dead(t, server, ttl), key))
			if plays[0].Play.Script != "poison" || plays[0].Deliveries != death || plays[0].GaveUp {
				t.Fatalf("death %d: got %+v", death, plays)
			}
			if wantAlone := death > 0; wantAlone != (len(plays) == 1) {
				t.Fatalf("death %d: got %d plays", death, len(plays))
			}
		}
		l := inherit(t, startConsumer(t, server, ConsumerOptions{WorkerID: "heir"}), key)
		plays := next(t, l)
		if len(plays) != 1 || !plays[0].GaveUp || plays[0].Deliveries != 3 {
			t.Fatalf("got %+v, want the poison given up", plays)
		}
		gaveUp := []Done{{Delivery: plays[0], Outcome: failed(plays[0].Play.ID, KindGaveUp, "gave up")}}
		l.rewind() // as after a commit that failed
		if again := next(t, l); !reflect.DeepEqual(again, plays) {
			t.Fatalf("read again: got %+v, want %+v", again, plays)
		}
		if err := l.Commit(within(t), gaveUp); err != nil {
			t.Fatal(err)
		}
		if o := <-outcome; o.Error == nil || o.Error.Kind != KindGaveUp {
			t.Errorf("got %+v", o)
		}
		entries := server.Client().XRange(within(t), deadKey(key), "-", "+").Val()
		if len(entries) != 1 || entries[0].Values["why"] == "" {
			t.Fatalf("got %v, want one dead play", entries)
		}
		if p, err := DecodePlay(entries[0].Values["play"].(string)); err != nil || p.Script != "poison" {
			t.Errorf("got %+v, %v", p, err)
		}
		plays = next(t, l)
		if len(plays) != 1 || plays[0].Play.Script != "innocent" || plays[0].GaveUp {
			t.Fatalf("got %+v", plays)
		}
		if err := l.Commit(within(t), answer(plays...)); err != nil {
			t.Error(err)
		}
	})
}

func TestAnOrderlyHandOverCountsForNoPlay(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		for range 3 {
			if _, err := d.Fire(within(t), key, Play{Script: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 6 {
			l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: strconv.Itoa(i)}), key)
			for _, p := range next(t, l) {
				if p.Deliveries != 0 || p.GaveUp {
					t.Fatalf("hand-over %d: got %+v", i, p)
				}
			}
			if err := l.Release(within(t)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAWorkerThatLostItsLeaseReadsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		old := claim(t, dead(t, server, time.Millisecond), key)
		heir := startConsumer(t, server, ConsumerOptions{WorkerID: "heir"})
		var l *Lease
		for l == nil {
			l, _ = heir.Claim(within(t), key)
		}
		if _, err := d.Fire(within(t), key, Play{Script: "1"}); err != nil {
			t.Fatal(err)
		}
		if _, err := old.Next(within(t)); !errors.Is(err, ErrLost) {
			t.Fatalf("got %v, want ErrLost", err)
		}
		if got := scripts(next(t, l)); !reflect.DeepEqual(got, []string{"1"}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestRenewalKeepsTheLease(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		keeper := startConsumer(t, server, ConsumerOptions{WorkerID: "keeper", LeaseTTL: 300 * time.Millisecond})
		l := claim(t, keeper, key)
		other := startConsumer(t, server, ConsumerOptions{WorkerID: "other"})
		for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if _, err := other.Claim(within(t), key); !errors.Is(err, ErrOwned) {
				t.Fatalf("got %v, want ErrOwned", err)
			}
		}
		select {
		case <-l.Context().Done():
			t.Error("the lease was lost")
		default:
		}
	})
}

func TestHeartbeatsTellWhoLives(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		a := startConsumer(t, server, ConsumerOptions{WorkerID: "a"})
		b := startConsumer(t, server, ConsumerOptions{WorkerID: "b"})
		gone := dead(t, server, time.Millisecond)
		for _, c := range []*Consumer{gone, b, a} {
			if _, err := c.Heartbeat(within(t)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Millisecond)
		live, err := a.Heartbeat(within(t))
		if err != nil || len(live) != 2 {
			t.Fatalf("got %v, %v; want a and b", live, err)
		}
		if err := b.Leave(within(t)); err != nil {
			t.Fatal(err)
		}
		if live, err = a.Heartbeat(within(t)); err != nil || !reflect.DeepEqual(live, []string{"a"}) {
			t.Errorf("got %v, %v; want a", live, err)
		}
	})
}

func TestAnUnreadablePlayIsHandedOutAsSuch(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w"}), key)
		server.Client().Do(within(t), "XADD", streamKey(key), "*", "id", "x", "play", "P\x09")
		server.Client().Do(within(t), "XADD", streamKey(key), "*", "foreign", "entry")
		l.poke()
		plays := next(t, l)
		if len(plays) != 2 || !errors.Is(plays[0].Err, ErrMalformed) || plays[0].Play.ID != "x" || plays[1].Err == nil {
			t.Fatalf("got %+v", plays)
		}
		if err := l.Commit(within(t), answer(plays...)); err != nil {
			t.Error(err)
		}
	})
}

func TestResultsAreCapped(t *testing.T) {
	const kept = 100
	for _, together := range []int{1, 50} { // plays in a commit
		t.Run(strconv.Itoa(together), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, server *redistest.Server) {
				key := newCircle(t)
				d := startDispatcher(t, server, DispatcherOptions{})
				l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w", ResultsKept: kept}), key)
				var all []string
				for len(all) < 1000 {
					for range together {
						if _, err := d.Fire(within(t), key, Play{Script: "x"}); err != nil {
							t.Fatal(err)
						}
					}
					plays := next(t, l)
					for _, p := range plays {
						all = append(all, p.Play.ID)
					}
					if err := l.Commit(within(t), answer(plays...)); err != nil {
						t.Fatal(err)
					}
				}
				settled, err := settledPlays(within(t), server.Client(), key)
				if err != nil {
					t.Fatal(err)
				}
				if len(settled) < kept || len(settled) > 2*kept+together || !slices.Equal(settled, all[len(all)-len(settled):]) {
					t.Errorf("%d results are kept, want at least the last %d and hardly more", len(settled), kept)
				}
			})
		})
	}
}
