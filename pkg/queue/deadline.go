package queue

import (
	"cmp"
	"context"
	"time"

	"circles/pkg/circle"
)

// watch looks after plays whose deadline has passed.
func (d *Dispatcher) watch(ctx context.Context) {
	timer := time.NewTimer(seldom)
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
		timer.Reset(time.Until(next))
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
	var gone, ours []waiter
	var calls []call
	for _, v := range due {
		if v.leader != "" {
			gone = append(gone, v)
			continue
		}
		if v := d.waiting.takeUnsent(v.id, true); v != nil {
			v.caller.Queued(&UnavailableError{context.DeadlineExceeded})
			continue
		}
		ours = append(ours, v)
		calls = append(calls, withdrawCall(v, v.late, expired(v.id), timedOut(v.id)))
	}
	for i, cmd := range runAll(bounded, d.rdb, withdrawScript, calls) {
		v := ours[i]
		verdict, err := cmd.Text()
		switch {
		case err != nil:
			d.log.Warn("withdraw a play after its deadline", "play", v.id, "circle", v.circle.String(), "error", err)
			d.give(v.id, unknown(v.id, "redis could not be asked what became of the play before its deadline passed"))
		case verdict == withdrawnUnread:
			d.settle(expired(v.id))
		case verdict == withdrawnRead:
			d.settle(timedOut(v.id))
		case verdict == withdrawnNot:
			d.waiting.later(v.id, time.Now().Add(d.opts.Grace), true)
		default:
			gone = append(gone, v)
		}
	}
	d.account(ctx, gone)
}

// account says what became of plays whose deadline has passed and that are not
// in the queue: those that have a leader, and those that were committed or never
// queued.
func (d *Dispatcher) account(ctx context.Context, gone []waiter) {
	by := make(map[circle.Key][]waiter)
	for _, v := range gone {
		by[v.circle] = append(by[v.circle], v)
	}
	for c, plays := range by {
		ids := make([]string, len(plays))
		for i, v := range plays {
			ids[i] = cmp.Or(v.leader, v.id)
		}
		found, whole, err := d.find(ctx, c, ids)
		if err != nil {
			d.log.Warn("look for outcomes after the deadline", "circle", c.String(), "error", err)
		}
		for _, o := range found {
			d.settle(o)
		}
		var keyed []waiter
		for _, v := range plays { // those found are settled already
			switch {
			case err == nil && v.once != "":
				keyed = append(keyed, v)
			case err == nil && whole && v.entry == "":
				d.give(v.id, neverQueued(v.id))
			default:
				d.give(v.id, unknown(v.id, "the play is neither in the queue nor among the recent results; it may have run"))
			}
		}
		d.accountKeyed(ctx, keyed)
	}
}

// accountKeyed says what became of plays by what their idempotency keys have. An
// answer that was lost may have said that another play has the key.
func (d *Dispatcher) accountKeyed(ctx context.Context, plays []waiter) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	var calls []call
	var left []waiter
	for _, v := range plays {
		if _, waits := d.waiting.get(v.id); waits {
			left = append(left, v)
			calls = append(calls, recallCall(v))
		}
	}
	for i, cmd := range runAll(ctx, d.rdb, recallScript, calls) {
		v := left[i]
		switch verdict, o, err := readRecall(cmd); {
		case err != nil:
			d.log.Warn("look for the outcome that a key keeps", "play", v.id, "circle", v.circle.String(), "error", err)
			d.give(v.id, unknown(v.id, "redis could not be asked what became of the play before its deadline passed"))
		case verdict == recallOver:
			d.give(v.id, o)
		case verdict == recallHeld:
			d.give(v.id, unknown(v.id, "the play was submitted before under its idempotency key, and still waits or runs"))
		case v.entry == "":
			d.give(v.id, neverQueued(v.id))
		default:
			d.give(v.id, unknown(v.id, "the play is neither in the queue nor among the recent results; it may have run"))
		}
	}
}

func expired(playID string) Outcome {
	return failed(playID, KindExpired, "no worker took the play in time; it will not run")
}

func timedOut(playID string) Outcome {
	return failed(playID, KindTimeout, "the play's deadline passed before its worker answered; it had no effect")
}

func neverQueued(playID string) Outcome {
	return failed(playID, KindExpired, "the play could not be queued in time; it will not run")
}
