// Package worker owns circles and runs their plays.
//
// A worker says by heartbeats that it lives, works out from those of the others
// which circles are its own, and claims them. One loop for each circle reads its
// plays in order, runs them one at a time and commits what came of them; run.go
// is one play.
package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"circles/pkg/circle"
	"circles/pkg/queue"
)

// Options are what a Worker needs besides its settings; zero values mean the
// defaults.
type Options struct {
	Logger *slog.Logger // default: none
	Advise bool         // warn of settings of Redis under which plays can be lost
}

// Worker runs the plays of the circles that it owns.
type Worker struct {
	cfg      Config
	id       string
	keys     []circle.Key
	log      *slog.Logger
	advise   bool
	runner   *runner
	listener net.Listener // since Listen; nil without an address

	// heard is when Redis last answered a heartbeat, in nanoseconds since 1970;
	// 0 while the worker is not to be sent work.
	heard atomic.Int64

	// Of Run's goroutine.
	consumer *queue.Consumer
	loops    map[circle.Key]*loop
}

// New prepares a worker; nothing is opened yet. The error lists everything that
// is wrong with the settings.
func New(cfg Config, opts Options) (*Worker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	keys, err := cfg.Keys()
	if err != nil {
		return nil, err
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("worker", cfg.id())
	return &Worker{
		cfg:    cfg,
		id:     cfg.id(),
		keys:   keys,
		log:    log,
		advise: opts.Advise,
		runner: newRunner(cfg, log),
		loops:  make(map[circle.Key]*loop),
	}, nil
}

// Run serves until ctx ends and then shuts down in this order: readiness turns
// off; the others learn that this worker leaves; the play that runs in each
// circle ends, or is stopped when SHUTDOWN_TIMEOUT is over, and the circle is
// released at once; the HTTP port and the connections to Redis close. Run
// returns when all of that is done, and is called once.
func (w *Worker) Run(ctx context.Context) (err error) {
	if _, err := w.Listen(); err != nil {
		return err
	}
	rdb, err := queue.Open(w.cfg.RedisURL)
	if err != nil {
		return errors.Join(err, w.closeListener())
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	w.consumer = queue.NewConsumer(rdb, queue.ConsumerOptions{
		WorkerID:      w.id,
		Peers:         fingerprint(w.keys),
		LeaseTTL:      w.cfg.LeaseTTL,
		MaxDeliveries: w.cfg.MaxDeliveries,
		ResultsKept:   w.cfg.ResultsKept,
		HistoryKept:   w.cfg.historyKept(),
		Logger:        w.log,
	})

	// What runs outlives ctx: it is told to end when its turn comes.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	var consumed, served, shown error
	background.Go(func() { consumed = w.consumer.Run(serving) })
	background.Go(func() { served = w.serveHTTP(serving) })
	background.Go(func() { shown = w.showProfiles(serving) })
	if w.advise {
		background.Go(func() { queue.Advise(serving, rdb, w.log) })
	}
	w.log.Info("the worker runs", "circles", len(w.keys), "addr", w.addr())

	w.balance(ctx)

	w.log.Info("the worker leaves", "timeout", w.cfg.ShutdownTimeout)
	w.heard.Store(0)
	w.leave(context.WithoutCancel(ctx))
	stop()
	background.Wait()
	return errors.Join(consumed, served, shown)
}

// balance keeps the worker's circles in line with who lives, until ctx ends.
func (w *Worker) balance(ctx context.Context) {
	ticker := time.NewTicker(w.cfg.LeaseTTL / heartbeats)
	defer ticker.Stop()
	for {
		w.rebalance(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-w.consumer.Changed():
		}
	}
}

// heartbeats is how often a worker says that it lives before it would be taken
// for dead.
const heartbeats = 3

// rebalance claims the circles that are this worker's and stops the loops of
// those that are not; they release theirs when the running play has ended.
func (w *Worker) rebalance(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, w.cfg.LeaseTTL)
	defer cancel()
	live, err := w.consumer.Heartbeat(bounded)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Warn("redis does not answer; the worker goes on trying", "error", err)
		}
		return
	}
	share := assign(w.keys, live)[w.id]
	ours := make(map[circle.Key]bool, len(share))
	for _, key := range share {
		ours[key] = true
	}
	for key, l := range w.loops {
		if !ours[key] {
			l.handOver()
		}
		if l.ended() {
			delete(w.loops, key)
		}
	}
	for _, key := range share {
		if w.loops[key] != nil {
			continue
		}
		lease, err := w.consumer.Claim(bounded, key)
		switch {
		case errors.Is(err, queue.ErrOwned):
			continue // until it is released, or its owner's lease expires
		case err != nil:
			if ctx.Err() == nil {
				w.log.Warn("claim", "circle", key.String(), "error", err)
			}
			return
		}
		w.log.Info("the circle is ours", "circle", key.String())
		w.loops[key] = startLoop(w, lease)
	}
	w.heard.Store(time.Now().UnixNano())
}

// leave ends all loops and releases their circles.
func (w *Worker) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.ShutdownTimeout)
	defer cancel()
	bounded, done := context.WithTimeout(ctx, w.cfg.LeaseTTL)
	if err := w.consumer.Leave(bounded); err != nil {
		w.log.Warn("leave; the others will notice when the heartbeat expires", "error", err)
	}
	done()
	for _, l := range w.loops {
		l.handOver()
	}
	for key, l := range w.loops {
		select {
		case <-l.done:
		case <-ctx.Done():
			w.log.Warn("the running play was stopped; another worker runs it again", "circle", key.String())
			l.kill()
			<-l.done
		}
	}
}

// Ready returns nil while the worker takes plays: Redis has answered within a
// lease's time, and the worker is not leaving.
func (w *Worker) Ready() error {
	heard := w.heard.Load()
	switch {
	case heard == 0:
		return errors.New("not serving")
	case time.Since(time.Unix(0, heard)) > w.cfg.LeaseTTL:
		return fmt.Errorf("redis has not answered for %v", w.cfg.LeaseTTL)
	}
	return nil
}

// fingerprint is the same for workers that were given the same circles.
func fingerprint(keys []circle.Key) string {
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = key.String()
	}
	slices.Sort(texts)
	sum := sha256.New()
	for _, text := range texts {
		sum.Write([]byte(text))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
