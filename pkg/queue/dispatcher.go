package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
)

const (
	defaultQueueLimit = 10_000
	defaultMaxWaiting = 100_000
	defaultTimeout    = 10 * time.Second
	defaultKeyTTL     = 24 * time.Hour

	// defaultGrace is how long after its deadline a play that a worker has read
	// is left to it: the worker stops the script and says so itself.
	defaultGrace = 500 * time.Millisecond

	// retryAfter is what a busy answer advises when nothing was measured.
	retryAfter = 250 * time.Millisecond

	// sweep is how many due plays are looked after in one round trip, and
	// sweepTimeout how long that may take before their callers get an answer.
	sweep        = 256
	sweepTimeout = 3 * time.Second

	// clockMargin is how far the clock that is in a play's id and Redis's may be
	// apart for its outcome to be found.
	clockMargin = 5 * time.Minute
)

// DispatcherOptions are a Dispatcher's settings; zero values mean the defaults.
type DispatcherOptions struct {
	ID         string        // names the channel of replies; unique among live dispatchers. Default: random
	QueueLimit int           // most plays in a circle's queue (10000)
	MaxWaiting int           // most plays that are waited for (100000)
	Timeout    time.Duration // of plays without a deadline (10s)
	Grace      time.Duration // after the deadline, for the worker that has the play to answer (500ms)
	KeyTTL     time.Duration // how long an idempotency key keeps its outcome (24h)
	Logger     *slog.Logger  // default: none
}

// A Dispatcher submits plays to circles and gets their outcomes. Its methods
// may be called from any goroutine, also before Run; outcomes arrive while Run
// runs.
type Dispatcher struct {
	rdb     redis.UniversalClient
	opts    DispatcherOptions
	channel string
	waiting *waiting

	outgoing outgoing
	clock    clock
	log      *slog.Logger
}

// NewDispatcher returns a Dispatcher. The client is the caller's to close, after
// Run has returned; it must not retry by itself (see Open).
func NewDispatcher(rdb redis.UniversalClient, opts DispatcherOptions) *Dispatcher {
	opts.ID = cmp.Or(opts.ID, uuid.NewString())
	opts.QueueLimit = cmp.Or(opts.QueueLimit, defaultQueueLimit)
	opts.MaxWaiting = cmp.Or(opts.MaxWaiting, defaultMaxWaiting)
	opts.Timeout = cmp.Or(opts.Timeout, defaultTimeout)
	opts.Grace = cmp.Or(opts.Grace, defaultGrace)
	opts.KeyTTL = cmp.Or(opts.KeyTTL, defaultKeyTTL)
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Dispatcher{
		rdb:     rdb,
		opts:    opts,
		channel: repliesChannel(opts.ID),
		waiting: newWaiting(opts.MaxWaiting),
		log:     log,
	}
}

// Run receives outcomes and looks after deadlines until ctx ends. Plays that
// are still waited for then end with KindUnknown.
func (d *Dispatcher) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { d.receive(ctx) })
	loops.Go(func() { d.watch(ctx) })
	loops.Go(func() { d.sendLoop(ctx) })
	loops.Wait()
	for _, v := range d.waiting.close() {
		v.caller.Done(unknown(v.id, "the gateway stopped before the play's outcome arrived"))
	}
	for _, v := range d.outgoing.close() {
		if !d.waiting.wasRefused(v) {
			v.caller.Queued(nil)
		}
	}
	return nil
}

// Waiting is how many plays are waited for.
func (d *Dispatcher) Waiting() int { return d.waiting.len() }

// Play submits a play and waits for its outcome, at most until its deadline and
// a little longer. A play that failed is an outcome with an Error; err says
// that there is none: the play was refused, or ctx ended, which cancels the play.
func (d *Dispatcher) Play(ctx context.Context, c circle.Key, p Play) (Outcome, error) {
	if deadline, ok := ctx.Deadline(); ok && p.Deadline.IsZero() {
		p.Deadline = deadline
	}
	if p.ID == "" {
		p.ID = NewPlayID()
	}
	done := make(chan Outcome, 1)
	if err := d.Start(ctx, c, p, func(o Outcome) { done <- o }); err != nil {
		return Outcome{}, err
	}
	select {
	case o := <-done:
		return o, nil
	case <-ctx.Done():
		if _, err := d.Cancel(context.WithoutCancel(ctx), p.ID); err != nil {
			d.log.Warn("cancel a play whose caller left", "play", p.ID, "circle", c.String(), "error", err)
		}
		if d.waiting.take(p.ID) != nil {
			return Outcome{}, ctx.Err()
		}
		if o := <-done; o.Error == nil || o.Error.Kind != KindCancelled {
			return o, nil // it was decided before
		}
		return Outcome{}, ctx.Err()
	}
}

// Cancel ends a play that this Dispatcher waits for, queued or running. It
// reports true when the play is certain not to take effect: its outcome is
// KindCancelled then, and done is called with it. False means that there is
// nothing to cancel any more, and the outcome, if there is one, is on its way;
// or that the play is another's, which has its idempotency key, and goes on.
func (d *Dispatcher) Cancel(ctx context.Context, playID string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	cancelled := failed(playID, KindCancelled, "the play was cancelled; it had no effect")
	if v := d.waiting.takeUnsent(playID, false); v != nil {
		v.caller.Done(cancelled)
		return true, nil
	}
	if err := d.waiting.sent(ctx, playID); err != nil {
		return false, fmt.Errorf("cancel: %w", err)
	}
	v, ok := d.waiting.get(playID)
	if !ok || v.leader != "" {
		return false, nil
	}
	verdict, err := runAll(ctx, d.rdb, withdrawScript, []call{withdrawCall(v, true, cancelled, cancelled)})[0].Text()
	if err != nil {
		return false, fmt.Errorf("cancel: %w", err)
	}
	if verdict != withdrawnUnread && verdict != withdrawnRead {
		return false, nil
	}
	d.settle(cancelled)
	return true, nil
}

// What the script says of a play that was to be withdrawn.
const (
	withdrawnUnread = "unread" // withdrawn before a worker read it
	withdrawnRead   = "read"   // withdrawn from a worker
	withdrawnNot    = "kept"   // a worker has it, and that was not to be changed
)

// withdrawCall withdraws a play, one that a worker has read only if fromWorker.
// unread and read are what others who wait for it are told.
func withdrawCall(v waiter, fromWorker bool, unread, read Outcome) call {
	force := "0"
	if fromWorker {
		force = "1"
	}
	keys := []string{streamKey(v.circle), ownerKey(v.circle)}
	args := []any{group, v.entry, v.id, force, wakePrefix, v.circle.String()}
	if v.once != "" {
		keys = append(keys, v.once)
		args = append(args, EncodeOutcome(unread), EncodeOutcome(read))
	}
	return call{keys, args}
}

// Start submits a play and returns when it is queued. If and only if the error
// is nil, done is called exactly once, perhaps before Start returns; it must
// not block. ctx bounds the queueing and not the play.
func (d *Dispatcher) Start(ctx context.Context, c circle.Key, p Play, done func(Outcome)) error {
	if p.ID == "" {
		p.ID = NewPlayID()
	}
	w := &starting{id: p.ID, done: done, queued: make(chan error, 1)}
	d.Submit(ctx, c, p, w)
	select {
	case err := <-w.queued:
		return err
	case <-ctx.Done():
	}
	if v := d.waiting.takeUnsent(p.ID, false); v != nil {
		return &UnavailableError{ctx.Err()}
	}
	if !w.left.CompareAndSwap(false, true) {
		return <-w.queued
	}
	return nil // it may be in the queue; its outcome or its deadline will come
}

// starting is the caller of a play that Start submits.
type starting struct {
	id     string
	done   func(Outcome)
	queued chan error
	left   atomic.Bool // what Start returns is decided
}

func (w *starting) Queued(err error) {
	if w.left.CompareAndSwap(false, true) {
		w.queued <- err
	} else if err != nil {
		w.done(neverQueued(w.id))
	}
}

func (w *starting) Done(o Outcome) { w.done(o) }

// Fire submits a play whose outcome nobody waits for; Fetch finds it later by
// the id, which is another play's when that one has the idempotency key. An
// error other than a *BusyError, an *UnavailableError, ErrTooLarge, ErrExpired,
// ErrKeyTooLong and ErrKeyReused leaves open whether the play was queued.
func (d *Dispatcher) Fire(ctx context.Context, c circle.Key, p Play) (string, error) {
	p = d.complete(p)
	p.ReplyTo = ""
	if err := ctx.Err(); err != nil {
		return p.ID, &UnavailableError{err}
	}
	v := &waiter{circle: c, id: p.ID, play: p}
	v.identify()
	if err := d.readClock(ctx); err != nil {
		return p.ID, err
	}
	message, deadline, err := d.message(new([]byte), p)
	if err != nil {
		return p.ID, err
	}
	e := &enqueue{}
	e.add(v, message, deadline)
	cmd := runOnce(ctx, d.rdb, enqueueScript, enqueueSource, d.enqueueCall(e))
	verdicts, err := d.verdicts(e, cmd)
	if err != nil {
		return p.ID, err
	}
	switch verdict := verdicts[0]; {
	case verdict.leader != "":
		return verdict.leader, nil
	case verdict.outcome != nil:
		return verdict.outcome.PlayID, nil
	default:
		return p.ID, verdict.err
	}
}

// Fetch returns the outcome of a play that ended recently, whoever submitted
// it, and ErrNoOutcome when there is none.
func (d *Dispatcher) Fetch(ctx context.Context, c circle.Key, playID string) (Outcome, error) {
	found, _, err := d.find(ctx, c, []string{playID})
	if err != nil {
		return Outcome{}, err
	}
	for _, o := range found {
		if o.PlayID == playID {
			return o, nil
		}
	}
	return Outcome{}, ErrNoOutcome
}

func (d *Dispatcher) complete(p Play) Play {
	if p.ID == "" {
		p.ID = NewPlayID()
	}
	if p.Deadline.IsZero() {
		p.Deadline = time.Now().Add(d.opts.Timeout)
	}
	return p
}

// receive is the reply loop.
func (d *Dispatcher) receive(ctx context.Context) {
	reply := func(m *redis.Message) {
		for rest := m.Payload; rest != ""; {
			var text string
			var ok bool
			if text, rest, ok = cutReply(rest); !ok {
				d.log.Error("replies can not be read")
				return
			}
			o, err := DecodeOutcome(text)
			if err != nil {
				d.log.Error("a reply can not be read", "error", err)
				continue
			}
			d.settle(o)
		}
	}
	hearer{d.rdb, d.log, quietTime, func() { d.recover(ctx) }, reply}.hear(ctx, d.channel)
}

// settle gives an outcome to all who wait for it.
func (d *Dispatcher) settle(o Outcome) {
	v, followers := d.waiting.takeAll(o.PlayID)
	if v != nil {
		v.caller.Done(o)
	}
	for _, f := range followers {
		f.caller.Done(o)
	}
}

// give gives an outcome to one who waits.
func (d *Dispatcher) give(id string, o Outcome) {
	if v := d.waiting.take(id); v != nil {
		v.caller.Done(o)
	}
}

// recover looks for outcomes that were published while there was no
// subscription.
func (d *Dispatcher) recover(ctx context.Context) {
	for c, plays := range d.waiting.all() {
		ids := make([]string, len(plays))
		for i, v := range plays {
			ids[i] = cmp.Or(v.leader, v.id)
		}
		for len(ids) > 0 {
			n := min(len(ids), sweep)
			found, _, err := d.find(ctx, c, ids[:n])
			if err != nil {
				d.log.Warn("look for missed replies", "circle", c.String(), "error", err)
				return // deadlines will find what is there
			}
			for _, o := range found {
				d.settle(o)
			}
			ids = ids[n:]
		}
	}
}

// find returns those outcomes that are among the recent results. whole says that
// the others are not missing because only so many results are kept.
func (d *Dispatcher) find(ctx context.Context, c circle.Key, ids []string) (found []Outcome, whole bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	r, err := newReply(runAll(ctx, d.rdb, findScript, []call{findCall(c, ids)})[0])
	if err != nil {
		return nil, false, err
	}
	whole = r.number() == 1
	for r.more() {
		o, err := DecodeOutcome(r.text())
		if err != nil {
			return nil, false, err
		}
		found = append(found, o)
	}
	return found, whole, r.err("find")
}

func findCall(c circle.Key, ids []string) call {
	args := make([]any, 1, 1+len(ids))
	args[0] = firstResult(ids)
	for _, id := range ids {
		args = append(args, id)
	}
	return call{[]string{resultsKey(c)}, args}
}

// firstResult is the entry of results from which on the plays' outcomes are.
func firstResult(ids []string) string {
	var first int64
	for i, id := range ids {
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 7 {
			return "-"
		}
		sec, nsec := u.Time().UnixTime()
		if ms := sec*1000 + nsec/1e6; i == 0 || ms < first {
			first = ms
		}
	}
	return fmt.Sprint(max(0, first-clockMargin.Milliseconds()))
}

func failed(playID string, kind ErrorKind, message string) Outcome {
	return Outcome{PlayID: playID, Error: &PlayError{Kind: kind, Message: message}}
}

func unknown(playID, message string) Outcome { return failed(playID, KindUnknown, message) }
