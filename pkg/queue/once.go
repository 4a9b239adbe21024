package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"

	"github.com/redis/go-redis/v9"
)

// MaxKeyBytes bounds an idempotency key.
const MaxKeyBytes = 256

// kept reports whether an idempotency key keeps this outcome: it does what the
// script itself came to, which it would come to again. What circumstances did to
// the play leaves the key free for another attempt.
func (o Outcome) kept() bool {
	if o.Error == nil {
		return true
	}
	switch o.Error.Kind {
	case KindScript, KindParse, KindLimit:
		return true
	default:
		return false
	}
}

// fingerprint is the same for plays that do the same: that have the same script
// and the same arguments, however these are spaced.
func fingerprint(p Play) string {
	args := bytes.NewBuffer(nil)
	if len(p.Args) == 0 {
		args.WriteString("null") // as the script sees it
	} else if err := json.Compact(args, p.Args); err != nil {
		args.Reset()
		args.Write(p.Args)
	}
	sum := sha256.New()
	sum.Write(binary.AppendUvarint(nil, uint64(len(p.Script))))
	sum.Write([]byte(p.Script))
	sum.Write(args.Bytes())
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

// What the scripts say of an idempotency key.
const (
	onceShared   = -2 // by enqueue: a play that does the same has it
	onceOver     = -3 // and has ended
	onceConflict = -4 // a play that does something else has it

	recallFree = 0 // no play that does this has the key
	recallOver = 1 // it has ended
	recallHeld = 2 // it waits or runs
)

func recallCall(v waiter) call {
	return call{[]string{v.once, streamKey(v.circle)}, []any{v.what}}
}

// readRecall returns the outcome for recallOver.
func readRecall(cmd *redis.Cmd) (verdict int64, o Outcome, err error) {
	r, err := newReply(cmd)
	if err != nil {
		return 0, Outcome{}, err
	}
	verdict = r.number()
	if verdict == recallOver {
		text := r.text()
		if !r.bad {
			o, err = DecodeOutcome(text)
		}
	}
	return verdict, o, errors.Join(err, r.err("recall"))
}

// share has a waiter wait for the outcome of the play that has its idempotency
// key, and reports false when that play has gone meanwhile and left the key free.
func (d *Dispatcher) share(ctx context.Context, v waiter, leader string) bool {
	if !d.waiting.follow(v.id, leader) {
		return true // it is over
	}
	// From here on the outcome is heard of. It may have come just before.
	verdict, o, err := readRecall(runAll(ctx, d.rdb, recallScript, []call{recallCall(v)})[0])
	switch {
	case err != nil:
		d.log.Warn("look for the outcome of a play that was submitted before", "play", leader, "circle", v.circle.String(), "error", err)
	case verdict == recallOver:
		d.give(v.id, o)
	case verdict == recallFree:
		return !d.waiting.unfollow(v.id)
	}
	return true
}
