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

	// defaultGrace is how long after its deadline a play that a worker has read
	// is left to it: the worker stops the script and says so itself.
	defaultGrace = 500 * time.Millisecond

	// retryAfter is what a busy answer advises.
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
// nothing to cancel any more, and the outcome, if there is one, is on its way.
func (d *Dispatcher) Cancel(ctx context.Context, playID string) (bool, error) {
	v, ok := d.waiting.get(playID)
	if !ok {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	verdict, err := runAll(ctx, d.rdb, withdrawScript, []call{withdrawCall(v, true)})[0].Text()
	if err != nil {
		return false, fmt.Errorf("cancel: %w", err)
	}
	if verdict != withdrawnUnread && verdict != withdrawnRead {
		return false, nil
	}
	d.settle(failed(playID, KindCancelled, "the play was cancelled; it had no effect"))
	return true, nil
}

// What the script says of a play that was to be withdrawn.
const (
	withdrawnUnread = "unread" // withdrawn before a worker read it
	withdrawnRead   = "read"   // withdrawn from a worker
	withdrawnNot    = "kept"   // a worker has it, and that was not to be changed
)

func withdrawCall(v waiter, fromWorker bool) call {
	force := "0"
	if fromWorker {
		force = "1"
	}
	return call{
		[]string{streamKey(v.circle), ownerKey(v.circle)},
		[]any{group, v.entry, v.id, force, wakePrefix, v.circle.String()},
	}
}

// Start submits a play and returns when it is queued. If and only if the error
// is nil, done is called exactly once, perhaps before Start returns; it must
// not block. ctx bounds the queueing and not the play.
func (d *Dispatcher) Start(ctx context.Context, c circle.Key, p Play, done func(Outcome)) error {
	p = d.complete(p)
	p.ReplyTo = d.opts.ID
	v := &waiter{circle: c, id: p.ID, since: time.Now(), due: p.Deadline, done: done}
	// The play is waited for before it is queued: its outcome may be faster than
	// the answer to queueing it.
	if fresh, err := d.waiting.add(v); err != nil {
		return err
	} else if !fresh {
		return fmt.Errorf("play %q is waited for already; give each play an id of its own", p.ID)
	}
	entry, err := d.enqueue(ctx, c, p)
	switch {
	case err == nil:
		d.waiting.setEntry(p.ID, entry)
		return nil
	case !certain(err):
		// It may be in the queue. If it is, its outcome will come; if it is not,
		// that is certain once its deadline has passed.
		d.log.Warn("play may not have been queued", "play", p.ID, "circle", c.String(), "error", err)
		return nil
	case errors.Is(err, ErrExpired):
		d.settle(failed(p.ID, KindExpired, ErrExpired.Error()))
		return nil
	case d.waiting.take(p.ID) == nil:
		return nil // the dispatcher closed meanwhile and called done
	default:
		return err
	}
}

// Fire submits a play whose outcome nobody waits for; Fetch finds it later by
// the id. An error other than a *BusyError, an *UnavailableError, ErrTooLarge
// and ErrExpired leaves open whether the play was queued.
func (d *Dispatcher) Fire(ctx context.Context, c circle.Key, p Play) (string, error) {
	p = d.complete(p)
	p.ReplyTo = ""
	_, err := d.enqueue(ctx, c, p)
	return p.ID, err
}

// Fetch returns the outcome of a play that ended recently, whoever submitted
// it, and ErrNoOutcome when there is none.
func (d *Dispatcher) Fetch(ctx context.Context, c circle.Key, playID string) (Outcome, error) {
	found, err := d.find(ctx, c, []string{playID})
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

func (d *Dispatcher) enqueue(ctx context.Context, c circle.Key, p Play) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", &UnavailableError{err}
	}
	if d.clock.unknown() {
		if err := d.clock.ask(ctx, d.rdb); err != nil {
			return "", &UnavailableError{err}
		}
	}
	p.Deadline = d.clock.redis(p.Deadline)
	message := EncodePlay(p)
	if len(message) > MaxMessageBytes {
		return "", ErrTooLarge
	}
	sent := time.Now()
	cmd := runOnce(ctx, d.pipe, enqueueScript, enqueueSource, []string{streamKey(c), ownerKey(c)},
		d.opts.QueueLimit, p.ID, message, wakePrefix, c.String(), p.Deadline.UnixMilli())
	r, err := newReply(cmd)
	if err != nil {
		if notSent(err) {
			return "", &UnavailableError{err}
		}
		return "", fmt.Errorf("queue the play: %w", err)
	}
	entry, depth := r.text(), r.number()
	if err := r.err("enqueue"); err != nil {
		return "", err
	}
	switch {
	case entry != "":
		d.clock.observe(entryTime(entry), sent, time.Now())
		return entry, nil
	case depth < 0:
		return "", ErrExpired
	default:
		return "", &BusyError{What: "the circle's queue", RetryAfter: retryAfter}
	}
}

// certain reports whether a play that could not be queued certainly was not.
func certain(err error) bool {
	var busy *BusyError
	var unavailable *UnavailableError
	return errors.As(err, &busy) || errors.As(err, &unavailable) ||
		errors.Is(err, ErrTooLarge) || errors.Is(err, ErrExpired)
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

// receive is the reply loop. go-redis makes the subscription again when its
// connection is lost.
func (d *Dispatcher) receive(ctx context.Context) {
	sub := d.rdb.Subscribe(ctx, d.channel)
	messages := sub.ChannelWithSubscriptions()
	defer func() {
		if err := sub.Close(); err != nil {
			d.log.Debug("close the subscription of replies", "error", err)
		}
		for range messages { // until its goroutine has ended
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case message, ok := <-messages:
			if !ok {
				return
			}
			switch m := message.(type) {
			case *redis.Subscription:
				d.recover(ctx)
			case *redis.Message:
				o, err := DecodeOutcome(m.Payload)
				if err != nil {
					d.log.Error("a reply can not be read", "error", err)
					continue
				}
				d.settle(o)
			}
		}
	}
}

// settle gives an outcome to whoever waits for it.
func (d *Dispatcher) settle(o Outcome) {
	if v := d.waiting.take(o.PlayID); v != nil {
		v.done(o)
	}
}

// recover looks for outcomes that were published while there was no
// subscription.
func (d *Dispatcher) recover(ctx context.Context) {
	for c, plays := range d.waiting.all() {
		ids := make([]string, len(plays))
		for i, v := range plays {
			ids[i] = v.id
		}
		for len(ids) > 0 {
			n := min(len(ids), sweep)
			found, err := d.find(ctx, c, ids[:n])
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

// find returns those outcomes that are among the recent results.
func (d *Dispatcher) find(ctx context.Context, c circle.Key, ids []string) ([]Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	found := runAll(ctx, d.rdb, findScript, []call{findCall(c, ids)})
	return readOutcomes(found[0])
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

func readOutcomes(cmd *redis.Cmd) ([]Outcome, error) {
	texts, err := cmd.StringSlice()
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, 0, len(texts))
	for _, text := range texts {
		o, err := DecodeOutcome(text)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// watch looks after plays whose deadline has passed.
func (d *Dispatcher) watch(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, next := d.waiting.snapshot(time.Now(), sweep)
		if len(due) > 0 {
			d.expire(ctx, due)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-d.waiting.earlier:
		case <-timer.C:
		}
	}
}

// expire ends plays whose deadline has passed: it withdraws those that no
// worker has read, those that one has read when the grace is over too, and looks
// for the outcomes of the others.
func (d *Dispatcher) expire(ctx context.Context, due []waiter) {
	bounded, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	calls := make([]call, len(due))
	for i, v := range due {
		calls[i] = withdrawCall(v, v.late)
	}
	gone := make(map[circle.Key][]string)
	neverQueued := make(map[string]bool) // if they have no outcome either
	for i, cmd := range runAll(bounded, d.rdb, withdrawScript, calls) {
		v := due[i]
		verdict, err := cmd.Text()
		switch {
		case err != nil:
			d.log.Warn("withdraw a play after its deadline", "play", v.id, "circle", v.circle.String(), "error", err)
			d.settle(unknown(v.id, "redis could not be asked what became of the play before its deadline passed"))
		case verdict == withdrawnUnread:
			d.settle(failed(v.id, KindExpired, "no worker took the play in time; it will not run"))
		case verdict == withdrawnRead:
			d.settle(failed(v.id, KindTimeout, "the play's deadline passed before its worker answered; it had no effect"))
		case verdict == withdrawnNot:
			d.waiting.later(v.id, time.Now().Add(d.opts.Grace), true)
		default:
			gone[v.circle] = append(gone[v.circle], v.id)
			neverQueued[v.id] = v.entry == ""
		}
	}
	for c, ids := range gone {
		found, err := d.find(ctx, c, ids)
		if err != nil {
			d.log.Warn("look for outcomes after the deadline", "circle", c.String(), "error", err)
		}
		for _, o := range found {
			d.settle(o)
		}
		for _, id := range ids { // those found are settled already
			if err == nil && neverQueued[id] {
				d.settle(failed(id, KindExpired, "the play could not be queued in time; it will not run"))
			} else {
				d.settle(unknown(id, "the play is neither in the queue nor among the recent results; it may have run"))
			}
		}
	}
}

func failed(playID string, kind ErrorKind, message string) Outcome {
	return Outcome{PlayID: playID, Error: &PlayError{Kind: kind, Message: message}}
}

func unknown(playID, message string) Outcome { return failed(playID, KindUnknown, message) }
