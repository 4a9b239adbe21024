package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"circles/pkg/queue"
)

const (
	// groupTime is how long the first play of a group waits, having been run,
	// for others that are at hand to be committed with it.
	groupTime = 2 * time.Millisecond

	// groupBytes is the size of outcomes from which on a group is committed.
	groupBytes = 256 << 10

	// redoPause is how long a circle rests when its state can not be read.
	redoPause = 200 * time.Millisecond

	// releaseTimeout bounds the last step of a loop; a circle that could not be
	// released is another's when the lease expires.
	releaseTimeout = 3 * time.Second
)

// A loop runs the plays of one circle, one at a time, as long as the worker owns
// it. Its goroutine ends by itself when the lease is lost.
type loop struct {
	lease  *queue.Lease
	runner *runner
	state  *store
	log    *slog.Logger

	taking   context.Context // ends when no more plays are to be started
	handOver context.CancelFunc
	running  context.Context // ends when also the running play is to be stopped
	kill     context.CancelFunc
	done     chan struct{} // closed when the circle is released
}

func startLoop(w *Worker, lease *queue.Lease) *loop {
	l := &loop{
		lease:  lease,
		runner: w.runner,
		state:  newStore(lease, w.cfg.stateLimits()),
		log:    w.log.With("circle", lease.Circle().String()),
		done:   make(chan struct{}),
	}
	l.running, l.kill = context.WithCancel(lease.Context())
	l.taking, l.handOver = context.WithCancel(l.running)
	go l.run()
	return l
}

func (l *loop) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

func (l *loop) run() {
	defer close(l.done)
	defer l.kill()
	for {
		plays, err := l.lease.Next(l.taking)
		if err != nil {
			break
		}
		l.serve(plays)
	}
	if errors.Is(context.Cause(l.lease.Context()), queue.ErrLost) {
		l.log.Warn("the circle is another worker's")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.running), releaseTimeout)
	defer cancel()
	if err := l.lease.Release(ctx); err != nil {
		l.log.Warn("release; the lease will expire", "error", err)
		return
	}
	l.log.Info("the circle was released")
}

// serve runs plays in order and commits them in groups. It stops early when a
// commit fails or no more are to be started: what is not committed is handed out
// again, here or to the next owner.
func (l *loop) serve(plays []queue.Delivery) {
	var (
		group []queue.Done
		bytes int
		first time.Time // when the first of the group had been run

		stopped bool // not all are run
	)
	for i, play := range plays {
		if l.taking.Err() != nil {
			stopped = true
			break
		}
		running := l.runner.span(l.running, play.Play)
		if !l.lease.Begin(play.Play.ID, running.withdraw) {
			running.stop()
			continue // withdrawn
		}
		result := l.runner.run(running, l.lease.Circle(), play, l.state)
		running.stop()
		if !l.lease.End() {
			continue // withdrawn while it ran
		}
		if result.redo {
			defer l.again()
			stopped = true
			break
		}
		if len(group) == 0 {
			first = time.Now()
		}
		done := queue.Done{Delivery: play, Outcome: result.outcome}
		if result.changes != nil {
			done.Changes = result.changes.done()
		}
		if group == nil {
			group = make([]queue.Done, 0, len(plays)-i)
		}
		group = append(group, done)
		bytes += len(result.outcome.Output) + len(result.outcome.Value)
		if time.Since(first) >= groupTime || bytes >= groupBytes {
			if !l.commit(group, i == len(plays)-1) {
				return
			}
			group, bytes = nil, 0
		}
	}
	l.commit(group, !stopped)
}

// again has plays handed out again that could not be run, a little later.
func (l *loop) again() {
	l.lease.Forget()
	select {
	case <-l.taking.Done():
	case <-time.After(redoPause):
	}
}

// commit commits a group and, when it is the last of what was handed out, reads
// on with the same round trip.
func (l *loop) commit(group []queue.Done, last bool) bool {
	commit := l.lease.Commit
	if last && l.taking.Err() == nil {
		commit = l.lease.CommitAndRead
	}
	// A play that has been run is committed also when the loop is to end.
	err := commit(context.WithoutCancel(l.running), group)
	if err != nil && !errors.Is(err, queue.ErrLost) {
		l.log.Warn("plays were not committed; they are run again unless they were withdrawn", "plays", len(group), "error", err)
	}
	if err != nil {
		l.state.forget()
		return false
	}
	l.state.committed()
	return true
}
