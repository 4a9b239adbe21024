package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"circles/pkg/circle"
	"circles/pkg/protocol"
	"circles/pkg/queue"
)

// retryAfter is what a caller is advised when nothing better is known.
const retryAfter = time.Second

// dispatcher is what the hub needs of queue.Dispatcher.
type dispatcher interface {
	Submit(ctx context.Context, c circle.Key, p queue.Play, caller queue.Caller)
	Cancel(ctx context.Context, playID string) (bool, error)
}

// hub hands plays to the dispatcher and turns what becomes of them into
// answers.
type hub struct {
	dispatcher dispatcher
	timeout    time.Duration // of a play that names none
	timeoutMax time.Duration
	log        *slog.Logger
}

// answerFunc takes a call's answer: a result or an error. It is called once.
type answerFunc func(result any, err *protocol.Error)

// asked is a play that was asked for.
type asked struct {
	id     string
	circle circle.Key
	by     identity
	params protocol.PlayParams
	came   time.Time // the play's time runs from here
}

// play submits a play and does not wait. The caller is told what becomes of it on
// a goroutine of the dispatcher, or before play returns. A play that has not
// left for the queue when ctx ends is refused.
func (h *hub) play(ctx context.Context, a asked, caller queue.Caller) *protocol.Error {
	p := a.params
	timeout := h.timeout
	if p.TimeoutMS != 0 {
		if p.TimeoutMS < 1 || p.TimeoutMS > h.timeoutMax.Milliseconds() {
			return protocol.Errorf(protocol.CodeInvalidParams,
				"invalid params: timeout_ms is %d, want 1 to %d", p.TimeoutMS, h.timeoutMax.Milliseconds())
		}
		timeout = time.Duration(p.TimeoutMS) * time.Millisecond
	}
	h.dispatcher.Submit(ctx, a.circle, queue.Play{
		ID:       a.id,
		Script:   p.Script,
		Args:     p.Args,
		Caller:   a.by.key.String(),
		Role:     string(a.by.role),
		Deadline: a.came.Add(timeout),

		IdempotencyKey: p.IdempotencyKey,
	}, caller)
	return nil
}

// cancel cancels plays of a circle and answers whether any of them is certain to
// have no effect. Their own answers come as those of all plays do.
func (h *hub) cancel(ctx context.Context, in circle.Key, plays []string, answer answerFunc) {
	var result protocol.CancelResult
	for _, play := range plays {
		cancelled, err := h.dispatcher.Cancel(ctx, play)
		if err != nil {
			h.log.Warn("a play could not be cancelled", "circle", in.String(), "play", play, "error", err)
			answer(nil, busyError("busy: the queue can't be reached; the play may go on", retryAfter))
			return
		}
		result.Cancelled = result.Cancelled || cancelled
	}
	answer(result, nil)
}

// result is what a play is answered with.
func (h *hub) result(in circle.Key, o queue.Outcome) (json.RawMessage, *protocol.Error) {
	if o.Error != nil {
		return nil, h.failure(in, o)
	}
	result := protocol.PlayResult{
		PlayID:    o.PlayID,
		Output:    o.Output,
		Value:     o.Value,
		ElapsedUS: o.Elapsed.Microseconds(),
	}
	return result.AppendJSON(make([]byte, 0, resultBytes+len(o.Output)+len(o.Value))), nil
}

// resultBytes is what a play's result takes besides its value, at most.
const resultBytes = 128

// refusal is the error for a play that was not taken.
func (h *hub) refusal(in circle.Key, playID string, err error) *protocol.Error {
	var busy *queue.BusyError
	var unavailable *queue.UnavailableError
	switch {
	case errors.As(err, &busy):
		return busyError("busy: "+busy.What+" is full", busy.RetryAfter)
	case errors.Is(err, queue.ErrTooLarge), errors.Is(err, queue.ErrKeyTooLong), errors.Is(err, queue.ErrKeyReused):
		return protocol.Errorf(protocol.CodeInvalidParams, "invalid params: %v", err)
	case errors.As(err, &unavailable):
		h.log.Warn("a play could not be queued", "circle", in.String(), "play", playID, "error", err)
		return busyError("busy: the queue can't be reached; the play was not taken", retryAfter)
	case errors.Is(err, queue.ErrClosed):
		return closingError()
	}
	h.log.Error("a play was refused", "circle", in.String(), "play", playID, "error", err)
	return internalError()
}

// failure is the error for a play that failed.
func (h *hub) failure(in circle.Key, o queue.Outcome) *protocol.Error {
	e := o.Error
	switch e.Kind {
	case queue.KindScript, queue.KindParse:
		return protocol.Errorf(protocol.CodeScript, "the script failed: %s", e.Message).
			WithData(protocol.ScriptErrorData{
				Kind:    cmp.Or(e.ScriptKind, string(e.Kind)),
				Message: e.Message,
				Line:    e.Line,
				Column:  e.Column,
				Trace:   append([]string{}, e.Trace...),
			})
	case queue.KindTimeout:
		return protocol.Errorf(protocol.CodeTimeout, "the script timed out; it had no effect").
			WithData(protocol.TimeoutData{Effect: protocol.EffectNone})
	case queue.KindUnknown:
		h.log.Warn("the outcome of a play is not known", "circle", in.String(), "play", o.PlayID, "error", e.Message)
		return protocol.Errorf(protocol.CodeTimeout, "timed out without an answer; the play may have taken effect").
			WithData(protocol.TimeoutData{Effect: protocol.EffectUnknown})
	case queue.KindLimit:
		return protocol.Errorf(protocol.CodeLimit, "the script hit a limit: %s", e.Message).
			WithData(protocol.LimitData{Limit: e.Limit})
	case queue.KindCancelled:
		return protocol.Errorf(protocol.CodeCancelled, "cancelled")
	case queue.KindExpired:
		return protocol.Errorf(protocol.CodeExpired, "no worker took the play in time; it will not run later")
	case queue.KindGaveUp:
		return protocol.Errorf(protocol.CodeGaveUp, "the play was given up after its worker died repeatedly")
	}
	h.log.Error("a play failed by a fault of ours", "circle", in.String(), "play", o.PlayID, "kind", string(e.Kind), "error", e.Message)
	return internalError()
}

func busyError(message string, after time.Duration) *protocol.Error {
	return protocol.Errorf(protocol.CodeBusy, "%s", message).
		WithData(protocol.RetryData{RetryAfterMS: max(1, after.Milliseconds())})
}

func closingError() *protocol.Error {
	return busyError("busy: the gateway is closing; connect anew", retryAfter)
}

// internalError says nothing of what happened: that is in the log.
func internalError() *protocol.Error {
	return protocol.Errorf(protocol.CodeInternal, "internal error")
}
