package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
)

const (
	// roundPlays and roundBytes bound what is sent to Redis at once.
	roundPlays = 512
	roundBytes = 1 << 20

	// handOverBytes bounds the plays that the script which queues them hands to the
	// circle's owner: Redis keeps them for an owner that is slow to hear.
	handOverBytes = 64 << 10
)

// outgoing are plays that wait to be sent. While one round of them is on its
// way the next gathers, so that rounds are as large as the load asks for and a
// play alone waits for nobody. One goroutine sends: Run's, and outside of it one
// that lives as long as there is something to be sent.
type outgoing struct {
	mu      sync.Mutex
	plays   []*waiter
	running bool // somebody sends, or will look
	closed  bool
	spare   []*waiter     // an empty one, to gather the next round
	wake    chan struct{} // capacity 1; not nil while Run sends: there is something to be sent

	goroutines sync.WaitGroup
}

// A Caller is told what becomes of a play that it submitted. Its methods must not
// block.
type Caller interface {
	// Queued is called once: with nil when the play is queued, may be, or is over
	// already; or with the error why it was refused.
	Queued(err error)

	// Done is called once with the play's outcome, perhaps before Queued, and not
	// at all when the play was refused.
	Done(o Outcome)
}

// Submit hands a play over to be queued and returns at once. Plays of one circle
// are queued in the order in which they were submitted. A play that has not left
// for the queue when ctx ends is refused.
func (d *Dispatcher) Submit(ctx context.Context, c circle.Key, p Play, caller Caller) {
	p = d.complete(p)
	p.ReplyTo = d.opts.ID
	v := &waiter{circle: c, id: p.ID, since: time.Now(), due: p.Deadline, caller: caller, play: p, ctx: ctx}
	v.identify()
	// The play is waited for before it is queued: its outcome may be faster than
	// the answer to queueing it.
	switch fresh, err := d.waiting.add(v); {
	case err != nil:
		caller.Queued(err)
	case !fresh:
		caller.Queued(fmt.Errorf("play %q is waited for already; give each play an id of its own", p.ID))
	default:
		d.send(v)
	}
}

// identify notes what a play's idempotency key is in Redis.
func (v *waiter) identify() {
	if p := v.play; p.IdempotencyKey != "" && len(p.IdempotencyKey) <= MaxKeyBytes {
		v.once, v.what = onceKey(v.circle, p.Caller, p.IdempotencyKey), fingerprint(p)
	}
}

// send has a play sent after those that came before it.
func (d *Dispatcher) send(v *waiter) {
	o := &d.outgoing
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed { // Run has called Done
		v.caller.Queued(nil)
		return
	}
	o.plays = append(o.plays, v)
	if o.running {
		return
	}
	o.running = true
	if o.wake != nil {
		signal(o.wake)
	} else {
		o.goroutines.Go(d.sendAll)
	}
}

// sendLoop sends what there is to be sent until ctx ends.
func (d *Dispatcher) sendLoop(ctx context.Context) {
	o := &d.outgoing
	wake := make(chan struct{}, 1)
	o.mu.Lock()
	o.wake = wake
	o.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			o.mu.Lock()
			o.wake = nil
			o.mu.Unlock()
			select {
			case <-wake:
				d.sendAll()
			default:
			}
			return
		case <-wake:
			d.sendAll()
		}
	}
}

// aside runs something that is not to hold up the sending. It reports false when
// it is too late for that.
func (o *outgoing) aside(run func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.goroutines.Go(run)
	}
	return !o.closed
}

// close returns when nothing is sent any more, with the plays that never left.
func (o *outgoing) close() []*waiter {
	o.mu.Lock()
	left := o.plays
	o.closed, o.plays = true, nil
	o.mu.Unlock()
	o.goroutines.Wait()
	return left
}

// sendAll sends until there is nothing to be sent.
func (d *Dispatcher) sendAll() {
	o := &d.outgoing
	for {
		// Whoever has a play at hand that came at the same time submits it first.
		runtime.Gosched()
		o.mu.Lock()
		if len(o.plays) == 0 {
			o.running = false
			o.mu.Unlock()
			return
		}
		plays := o.plays
		o.plays, o.spare = o.spare, nil
		o.mu.Unlock()
		for rest := plays; len(rest) > 0; {
			n, bytes := 0, 0
			for n < len(rest) && n < roundPlays && bytes < roundBytes {
				bytes += len(rest[n].play.Script) + len(rest[n].play.Args)
				n++
			}
			d.sendRound(rest[:n])
			rest = rest[n:]
		}
		clear(plays)
		o.mu.Lock()
		o.spare = plays[:0]
		o.mu.Unlock()
	}
}

// sendRound sends plays in one round trip.
func (d *Dispatcher) sendRound(plays []*waiter) {
	round := make(chan struct{})
	defer close(round)
	plays, gone, ended := d.waiting.leaving(plays, round)
	for _, v := range gone {
		v.caller.Queued(nil)
	}
	for _, v := range ended {
		v.caller.Queued(&UnavailableError{v.ctx.Err()})
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout+ioTimeout)
	defer cancel()
	if err := d.readClock(ctx); err != nil {
		for _, v := range plays {
			d.refuse(v, err)
		}
		return
	}
	var all []*enqueue
	var calls []call
	scratch := make([]byte, 0, 512)
	open := make(map[circle.Key]*enqueue, 8)
	for _, v := range plays {
		message, deadline, err := d.message(&scratch, v.play)
		if err != nil {
			d.refuse(v, err)
			continue
		}
		e := open[v.circle]
		if e == nil || v.once != "" {
			e = &enqueue{}
			all = append(all, e)
			open[v.circle] = e
		}
		if v.once != "" {
			delete(open, v.circle) // it goes alone
		}
		e.add(v, message, deadline)
	}
	for _, e := range all {
		calls = append(calls, d.enqueueCall(e))
	}
	sent := time.Now()
	results := runAllOnce(ctx, d.rdb, enqueueScript, enqueueSource, calls)
	received := time.Now()
	for i, e := range all {
		e.sent, e.received = sent, received
		d.arrived(e, results[i])
	}
}

// enqueue is one run of the script that queues plays.
type enqueue struct {
	plays          []*waiter // of one circle; one alone if it has an idempotency key
	messages       []string  // of each
	deadlines      []int64   // of each, in milliseconds of Redis's clock
	sent, received time.Time
}

func (e *enqueue) add(v *waiter, message string, deadline int64) {
	e.plays = append(e.plays, v)
	e.messages = append(e.messages, message)
	e.deadlines = append(e.deadlines, deadline)
}

// verdict is what became of a play that was sent: one of these is set.
type verdict struct {
	entry   string   // its own, in the queue
	leader  string   // the play that has its idempotency key
	outcome *Outcome // that play's
	err     error    // it was refused
}

// readClock makes sure that something is known of Redis's clock.
func (d *Dispatcher) readClock(ctx context.Context) error {
	if !d.clock.unknown() {
		return nil
	}
	if err := d.clock.ask(ctx, d.rdb); err != nil {
		return &UnavailableError{err}
	}
	return nil
}

// message is a play as it is queued, and its deadline in milliseconds of Redis's
// clock. The error says why it can't be queued. scratch is used, and may grow.
func (d *Dispatcher) message(scratch *[]byte, p Play) (string, int64, error) {
	p.Deadline = d.clock.redis(p.Deadline)
	message := appendPlay((*scratch)[:0], p)
	*scratch = message
	switch {
	case len(message) > MaxMessageBytes:
		return "", 0, ErrTooLarge
	case len(p.IdempotencyKey) > MaxKeyBytes:
		return "", 0, ErrKeyTooLong
	}
	return string(message), p.Deadline.UnixMilli(), nil
}

func (d *Dispatcher) enqueueCall(e *enqueue) call {
	key := e.plays[0].circle
	c := call{keys: []string{streamKey(key), ownerKey(key), paceKey(key)}}
	c.args = make([]any, 0, 10+3*len(e.plays))
	c.args = append(c.args, d.opts.QueueLimit, wakePrefix, key.String(), group, consumer, handOverBytes, len(e.plays))
	for i, v := range e.plays {
		c.args = append(c.args, &v.id, &e.messages[i], &e.deadlines[i])
	}
	if v := e.plays[0]; v.once != "" {
		reply := ""
		if v.play.ReplyTo != "" {
			reply = repliesChannel(v.play.ReplyTo)
		}
		c.keys = append(c.keys, v.once)
		c.args = append(c.args, v.what, d.opts.KeyTTL.Milliseconds(), reply)
	}
	return c
}

// verdicts reads what the script says of each play. An error that is not an
// *UnavailableError leaves open whether the plays were queued.
func (d *Dispatcher) verdicts(e *enqueue, cmd *redis.Cmd) ([]verdict, error) {
	r, err := newReply(cmd)
	switch {
	case err != nil && notSent(err):
		return nil, &UnavailableError{err}
	case err != nil:
		return nil, fmt.Errorf("queue the play: %w", err)
	}
	depth := r.number()
	if depth < 0 {
		v, err := keyVerdict(depth, r)
		return []verdict{v}, errors.Join(err, r.err("enqueue"))
	}
	now, pace, texts := r.number(), r.text(), r.text()
	all := make([]verdict, 0, len(e.plays))
	for range e.plays {
		var v verdict
		v.entry, texts, _ = strings.Cut(texts, " ")
		switch v.entry {
		case "":
			r.bad = true
		case "late":
			v = verdict{err: ErrExpired}
		case "full":
			v = verdict{err: &BusyError{What: "the circle's queue", RetryAfter: parsePace(pace).retryAfter(depth, now)}}
		}
		all = append(all, v)
	}
	return all, r.err("enqueue")
}

// keyVerdict is that of a play whose idempotency key another one has.
func keyVerdict(code int64, r *reply) (verdict, error) {
	switch code {
	case onceShared:
		return verdict{leader: r.text()}, nil
	case onceOver:
		text := r.text()
		if r.bad {
			return verdict{}, nil // the caller sees that
		}
		o, err := DecodeOutcome(text)
		return verdict{outcome: &o}, err
	default:
		return verdict{err: ErrKeyReused}, nil
	}
}

// arrived tells the callers what became of their plays.
func (d *Dispatcher) arrived(e *enqueue, cmd *redis.Cmd) {
	all, err := d.verdicts(e, cmd)
	var unavailable *UnavailableError
	entries := make([]string, len(e.plays))
	for i, v := range all {
		entries[i] = v.entry
	}
	d.waiting.arrived(e.plays, entries)
	switch {
	case errors.As(err, &unavailable):
		for _, v := range e.plays {
			d.refuse(v, err)
		}
		return
	case err != nil:
		// They may be in the queue. If they are, their outcomes will come; if they
		// are not, that is certain once their deadlines have passed.
		for _, v := range e.plays {
			d.log.Warn("play may not have been queued", "play", v.id, "circle", v.circle.String(), "error", err)
			v.caller.Queued(nil)
		}
		return
	}
	for i, v := range e.plays {
		switch verdict := all[i]; {
		case verdict.entry != "":
			if i == 0 {
				d.clock.observe(entryTime(verdict.entry), e.sent, e.received)
			}
			v.caller.Queued(nil)
		case verdict.leader != "":
			if !d.outgoing.aside(func() { d.lead(v, verdict.leader) }) {
				v.caller.Queued(nil)
			}
		case verdict.outcome != nil:
			d.give(v.id, *verdict.outcome)
			v.caller.Queued(nil)
		case errors.Is(verdict.err, ErrExpired):
			d.settle(failed(v.id, KindExpired, ErrExpired.Error()))
			v.caller.Queued(nil)
		default:
			d.refuse(v, verdict.err)
		}
	}
}

// lead has a play wait for the outcome of the one that has its idempotency key,
// or sends it once more when that one has gone.
func (d *Dispatcher) lead(v *waiter, leader string) {
	if d.share(v.ctx, *v, leader) {
		v.caller.Queued(nil)
		return
	}
	d.waiting.again(v)
	d.send(v)
}

// refuse gives the error to a play's caller, unless the play is over already.
func (d *Dispatcher) refuse(v *waiter, err error) {
	if d.waiting.take(v.id) == nil {
		err = nil
	}
	v.caller.Queued(err)
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
