package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"circles/deploy/e2e/chaos/history"
	"circles/pkg/client"
	"circles/pkg/protocol"
	"circles/pkg/queue"
)

// A call is a play on its way.
type call struct {
	play    history.Play
	timeout time.Duration
	cancel  time.Duration // after this long it is cancelled; 0: never
	keyed   bool          // it has an idempotency key, and is sent until something certain is known

	// Afterwards:
	sent time.Duration // when the last attempt was
	good bool          // the connection is still good
}

// mostAttempts is how often a keyed play is sent at most.
const mostAttempts = 5

// insist makes attempts until one is answered with something certain. A refusal
// says for certain only that the attempt it answers had no effect, so after one
// of which nothing is known it leaves the play unknown.
func (c *call) insist(attempt func(number int)) {
	attempt(1)
	for c.keyed && c.play.Status == history.Unknown && c.play.Attempts < mostAttempts {
		invoked, reason, attempts := c.play.Invoked, c.play.Reason, c.play.Attempts+1
		time.Sleep(time.Duration(attempts) * 50 * time.Millisecond)
		attempt(attempts)
		c.play.Invoked, c.play.Attempts = invoked, attempts
		if c.play.Status == history.Refused {
			c.play.Status = history.Unknown
			c.play.Reason = fmt.Sprintf("%s; attempt %d: %s", reason, attempts, c.play.Reason)
		}
	}
}

func (c *call) key() string {
	if !c.keyed {
		return ""
	}
	return c.play.Token
}

// send plays through a gateway and takes note of what came of it. A caller that
// cancels so does not wait for the answer, and knows nothing.
func (c *call) send(on *client.Client, in *circleRun, clock func() time.Duration) {
	text, args := script(in.workload, c.play)
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout+answerPatience)
	defer cancel()
	if c.cancel > 0 {
		timer := time.AfterFunc(c.cancel, cancel)
		defer timer.Stop()
	}
	c.play.Attempts = 1
	c.play.Invoked = clock()
	c.sent = c.play.Invoked
	result, err := on.Play(ctx, text, client.Args(args), client.Timeout(c.timeout), client.IdempotencyKey(c.key()))
	c.play.Returned = clock()
	c.good = c.judge(result, err) || errors.Is(err, context.Canceled)
}

// judge says what a caller knows from an answer. Definite are all of the
// gateway's errors but a timeout that says that the effect is unknown, and a call
// that was not sent. A script's own failure, a limit, a timeout, and a refusal to
// queue are certain however Redis fares; that a play was cancelled or given up
// is kept in Redis, and Redis may lose it.
func (c *call) judge(result *client.Result, err error) (good bool) {
	var (
		p        = &c.play
		unknown  *client.UnknownOutcomeError
		answered *client.Error
		notSent  *client.ConnectionError
	)
	switch {
	case err == nil:
		c.told(result.Value)
		return true
	case errors.As(err, &unknown):
		p.Status, p.Reason = history.Unknown, err.Error()
		return client.CodeOf(err) == protocol.CodeTimeout
	case errors.As(err, &answered):
		p.Status, p.Reason = history.Refused, answered.Code.Meaning()
		switch answered.Code {
		case protocol.CodeScript:
			failure, _ := answered.Script()
			p.Failure = failure.Kind + ": " + failure.Message
		case protocol.CodeCancelled, protocol.CodeGaveUp:
			p.Revoked = true
		case protocol.CodeTimeout, protocol.CodeExpired:
		case protocol.CodeBusy:
			return false // another gateway may take it
		default:
			p.Unexpected = true
			p.Reason += ": " + answered.Message
		}
		return true
	case errors.As(err, &notSent):
		p.Status, p.Reason = history.Refused, "not sent"
		return false
	default:
		p.Status, p.Reason = history.Unknown, err.Error()
		return false
	}
}

func (c *call) told(value json.RawMessage) {
	c.play.Status = history.Acked
	if err := json.Unmarshal(value, &c.play.Told); err != nil {
		c.play.Told = history.Told{Token: "?"}
		c.play.Reason = fmt.Sprintf("the value is %s: %v", value, err)
	}
}

// submit plays as a program that has access to Redis.
func (c *call) submit(to *queue.Dispatcher, in *circleRun, clock func() time.Duration) {
	text, args := script(in.workload, c.play)
	encoded, err := json.Marshal(args)
	if err != nil {
		panic(err) // texts and numbers have a JSON form
	}
	c.good = true
	c.play.Attempts = 1
	c.play.Invoked = clock()
	c.sent = c.play.Invoked
	p := queue.Play{
		ID: queue.NewPlayID(), Script: text, Args: encoded, Caller: in.key.String(), Role: string(protocol.RoleOwner),
		Deadline: time.Now().Add(c.timeout), IdempotencyKey: c.key(),
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	done := make(chan queue.Outcome, 1)
	if err := to.Start(ctx, in.key, p, func(o queue.Outcome) { done <- o }); err != nil {
		c.play.Returned = clock()
		var busy *queue.BusyError
		var unavailable *queue.UnavailableError
		c.play.Status, c.play.Reason = history.Refused, "not queued"
		if !errors.As(err, &busy) && !errors.As(err, &unavailable) && !errors.Is(err, queue.ErrExpired) {
			c.play.Unexpected, c.play.Reason = true, err.Error()
		}
		return
	}
	var late <-chan time.Time
	if c.cancel > 0 {
		late = time.After(c.cancel)
	}
	cancelled := false
	for {
		select {
		case <-late:
			if cancelled, err = to.Cancel(ctx, p.ID); err != nil {
				cancelled = false // it may be
			}
		case o := <-done:
			c.play.Returned = clock()
			c.judgeOutcome(o)
			if kind := outcomeKind(o); cancelled && kind != queue.KindCancelled {
				c.play.Unexpected = true
				c.play.Reason = fmt.Sprintf("it was cancelled for certain, and its outcome is %q", kind)
			}
			return
		}
	}
}

func outcomeKind(o queue.Outcome) queue.ErrorKind {
	if o.Error == nil {
		return ""
	}
	return o.Error.Kind
}

func (c *call) judgeOutcome(o queue.Outcome) {
	p, kind := &c.play, outcomeKind(o)
	switch {
	case kind == "":
		c.told(o.Value)
	case !kind.Definite():
		p.Status, p.Reason = history.Unknown, o.Error.Message
	default:
		p.Status, p.Reason = history.Refused, "outcome: "+string(kind)
		switch kind {
		case queue.KindScript:
			p.Failure = o.Error.ScriptKind + ": " + o.Error.Message
		case queue.KindCancelled, queue.KindGaveUp:
			p.Revoked = true
		case queue.KindTimeout, queue.KindExpired:
		default:
			p.Unexpected = true
			p.Reason += ": " + o.Error.Message
		}
	}
}
