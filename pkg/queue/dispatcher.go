package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
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
	pipe    redis.UniversalClient // sends what concurrent callers have in batches
	opts    DispatcherOptions
	channel string
	waiting *waiting
	clock   clock
	log     *slog.Logger
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
		pipe:    batched(rdb),
		opts:    opts,
		channel: repliesChannel(opts.ID),
		waiting: newWaiting(opts.MaxWaiting),
		log:     log,
	}
}

// batched is rdb's own batching where it has one.
func batched(rdb redis.UniversalClient) redis.UniversalClient {
	if pipe, err := rdb.AutoPipeline(); err == nil {
		return pipe
	}
	return rdb
}

// Run receives outcomes and looks after deadlines until ctx ends. Plays that
// are still waited for then end with KindUnknown.
func (d *Dispatcher) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { d.receive(ctx) })
	loops.Go(func() { d.watch(ctx) })
	loops.Wait()
	for _, v := range d.waiting.close() {
		v.done(unknown(v.id, "the gateway stopped before the play's outcome arrived"))
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
	v, ok := d.waiting.get(playID)
	if !ok || v.leader != "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	cancelled := failed(playID, KindCancelled, "the play was cancelled; it had no effect")
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
	p = d.complete(p)
	p.ReplyTo = d.opts.ID
	v := &waiter{circle: c, id: p.ID, since: time.Now(), due: p.Deadline, done: done}
	if p.IdempotencyKey != "" {
		v.once, v.what = onceKey(c, p.Caller, p.IdempotencyKey), fingerprint(p)
	}
	shared := *v // v is the table's from here on
	// The play is waited for before it is queued: its outcome may be faster than
	// the answer to queueing it.
	if fresh, err := d.waiting.add(v); err != nil {
		return err
	} else if !fresh {
		return fmt.Errorf("play %q is waited for already; give each play an id of its own", p.ID)
	}
	for {
		q, err := d.enqueue(ctx, c, p)
		switch {
		case err == nil && q.leader != "":
			if !d.share(ctx, shared, q.leader) {
				continue // until it is queued itself, or ctx or its deadline ends
			}
		case err == nil && q.outcome != nil:
			d.give(p.ID, *q.outcome)
		case err == nil:
			d.waiting.setEntry(p.ID, q.entry)
		case !certain(err):
			// It may be in the queue. If it is, its outcome will come; if it is not,
			// that is certain once its deadline has passed.
			d.log.Warn("play may not have been queued", "play", p.ID, "circle", c.String(), "error", err)
		case errors.Is(err, ErrExpired):
			d.settle(failed(p.ID, KindExpired, ErrExpired.Error()))
		case d.waiting.take(p.ID) == nil: // the dispatcher closed meanwhile and called done
		default:
			return err
		}
		return nil
	}
}

// Fire submits a play whose outcome nobody waits for; Fetch finds it later by
// the id, which is another play's when that one has the idempotency key. An
// error other than a *BusyError, an *UnavailableError, ErrTooLarge, ErrExpired,
// ErrKeyTooLong and ErrKeyReused leaves open whether the play was queued.
func (d *Dispatcher) Fire(ctx context.Context, c circle.Key, p Play) (string, error) {
	p = d.complete(p)
	p.ReplyTo = ""
	q, err := d.enqueue(ctx, c, p)
	switch {
	case q.leader != "":
		return q.leader, err
	case q.outcome != nil:
		return q.outcome.PlayID, err
	default:
		return p.ID, err
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

// queued is what became of a play that was submitted: one of these is set.
type queued struct {
	entry   string   // its own, in the queue
	leader  string   // the play that has its idempotency key
	outcome *Outcome // that play's
}

func (d *Dispatcher) enqueue(ctx context.Context, c circle.Key, p Play) (queued, error) {
	if err := ctx.Err(); err != nil {
		return queued{}, &UnavailableError{err}
	}
	if d.clock.unknown() {
		if err := d.clock.ask(ctx, d.rdb); err != nil {
			return queued{}, &UnavailableError{err}
		}
	}
	p.Deadline = d.clock.redis(p.Deadline)
	message := EncodePlay(p)
	if len(message) > MaxMessageBytes {
		return queued{}, ErrTooLarge
	}
	keys := []string{streamKey(c), ownerKey(c), paceKey(c)}
	args := []any{d.opts.QueueLimit, p.ID, message, wakePrefix, c.String(), p.Deadline.UnixMilli()}
	if p.IdempotencyKey != "" {
		if len(p.IdempotencyKey) > MaxKeyBytes {
			return queued{}, ErrKeyTooLong
		}
		reply := ""
		if p.ReplyTo != "" {
			reply = repliesChannel(p.ReplyTo)
		}
		keys = append(keys, onceKey(c, p.Caller, p.IdempotencyKey))
		args = append(args, fingerprint(p), d.opts.KeyTTL.Milliseconds(), reply, group)
	}
	sent := time.Now()
	cmd := runOnce(ctx, d.pipe, enqueueScript, enqueueSource, keys, args...)
	r, err := newReply(cmd)
	if err != nil {
		if notSent(err) {
			return queued{}, &UnavailableError{err}
		}
		return queued{}, fmt.Errorf("queue the play: %w", err)
	}
	entry, depth := r.text(), r.number()
	var q queued
	switch {
	case entry != "":
		q.entry = entry
		d.clock.observe(entryTime(entry), sent, time.Now())
	case depth == onceShared:
		q.leader = r.text()
	case depth == onceOver:
		text := r.text()
		if r.bad {
			break
		}
		o, err := DecodeOutcome(text)
		if err != nil {
			return queued{}, err
		}
		q.outcome = &o
	case depth == onceConflict:
		return queued{}, ErrKeyReused
	case depth < 0:
		return queued{}, ErrExpired
	default:
		pace, now := r.text(), r.number()
		return queued{}, &BusyError{What: "the circle's queue", RetryAfter: parsePace(pace).retryAfter(depth, now)}
	}
	return q, r.err("enqueue")
}

// certain reports whether a play that could not be queued certainly was not.
func certain(err error) bool {
	var busy *BusyError
	var unavailable *UnavailableError
	return errors.As(err, &busy) || errors.As(err, &unavailable) ||
		errors.Is(err, ErrTooLarge) || errors.Is(err, ErrExpired) ||
		errors.Is(err, ErrKeyTooLong) || errors.Is(err, ErrKeyReused)
}

// notSent reports whether a command that failed certainly had no effect: it was
// not sent, or Redis answered it with an error, which scripts do only before
// their first write.
func notSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	var answered redis.Error
	return errors.As(err, &answered) || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed)
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
	hear(ctx, d.rdb, d.log, func() { d.recover(ctx) }, reply, d.channel)
}

// settle gives an outcome to all who wait for it.
func (d *Dispatcher) settle(o Outcome) {
	v, followers := d.waiting.takeAll(o.PlayID)
	if v != nil {
		v.done(o)
	}
	for _, f := range followers {
		f.done(o)
	}
}

// give gives an outcome to one who waits.
func (d *Dispatcher) give(id string, o Outcome) {
	if v := d.waiting.take(id); v != nil {
		v.done(o)
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
