package queue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"circles/pkg/redistest"
)

// TestCommitsThatGoTogetherHaveAnAnswerEach holds one commit up until those of other circles wait to go together. One of
// them has been lost by its owner, one has a play that was withdrawn.
func TestCommitsThatGoTogetherHaveAnAnswerEach(t *testing.T) {
	server := redistest.StartReal(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	c := startConsumer(t, server, ConsumerOptions{WorkerID: "w", LeaseTTL: time.Minute})
	const circles, lost, withdrawn = 6, 2, 4
	var leases []*Lease
	var plays [][]Delivery
	for i := range circles {
		l := claim(t, c, newCircle(t))
		if err := d.Start(within(t), l.Circle(), Play{Script: fmt.Sprint("play ", i), Deadline: time.Now().Add(time.Minute)}, func(Outcome) {}); err != nil {
			t.Fatal(err)
		}
		leases, plays = append(leases, l), append(plays, next(t, l))
	}
	rdb := server.Client()
	if err := rdb.Incr(within(t), fenceKey(leases[lost].Circle())).Err(); err != nil {
		t.Fatal(err)
	}
	if gone, err := d.Cancel(within(t), plays[withdrawn][0].Play.ID); err != nil || !gone {
		t.Fatalf("got %v, %v, want the play to be withdrawn", gone, err)
	}

	if err := rdb.Do(within(t), "CLIENT", "PAUSE", 60_000, "WRITE").Err(); err != nil {
		t.Fatal(err)
	}
	errs := make([]chan error, circles)
	for i, l := range leases {
		errs[i] = make(chan error, 1)
		go func() { errs[i] <- l.Commit(context.Background(), answer(plays[i]...)) }()
	}
	for waiting := 0; waiting < circles-1; time.Sleep(time.Millisecond) {
		c.committer.mu.Lock()
		waiting = len(c.committer.waiting)
		c.committer.mu.Unlock()
	}
	if err := rdb.Do(within(t), "CLIENT", "UNPAUSE").Err(); err != nil {
		t.Fatal(err)
	}
	for i, l := range leases {
		err := <-errs[i]
		var gone *WithdrawnError
		switch {
		case i == lost && !errors.Is(err, ErrLost), i == withdrawn && !errors.As(err, &gone), i != lost && i != withdrawn && err != nil:
			t.Errorf("circle %d: got %v", i, err)
		}
		settled, read := settledPlays(within(t), rdb, l.Circle())
		switch {
		case read != nil:
			t.Error(read)
		case err != nil && len(settled) > 0:
			t.Errorf("circle %d: got the results of %v, want none", i, settled)
		case err == nil && (len(settled) != 1 || settled[0] != plays[i][0].Play.ID):
			t.Errorf("circle %d: got the results of %v, want that of play %s", i, settled, plays[i][0].Play.ID)
		}
	}
}

// TestCommitsOfManyCirclesAtOnceAllHappen has more circles than the client has connections commit again and again.
func TestCommitsOfManyCirclesAtOnceAllHappen(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		d := startDispatcher(t, server, DispatcherOptions{})
		c := startConsumer(t, server, ConsumerOptions{WorkerID: "w"})
		const circles, each = 30, 20
		errs := make(chan error, circles)
		for range circles {
			l := claim(t, c, newCircle(t))
			running(t, echo(l))
			go func() {
				for i := range each {
					o, err := d.Play(within(t), l.Circle(), Play{Script: fmt.Sprint(l.Circle(), i)})
					if err == nil && o.Output != fmt.Sprint(l.Circle(), i) {
						err = fmt.Errorf("got %+v", o)
					}
					if err != nil {
						errs <- err
						return
					}
				}
				errs <- nil
			}()
		}
		for range circles {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
