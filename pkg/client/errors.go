package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"circles/pkg/protocol"
)

// ErrCircleNotFound matches a *DialError when the gateway answered that it
// doesn't serve the circle.
var ErrCircleNotFound = errors.New("circle not found")

// ErrClosed is the cause once Close was called.
var ErrClosed = errors.New("client is closed")

// ErrDraining is the cause when the gateway announced that it stops, and the
// client does not reconnect.
var ErrDraining = errors.New("gateway is shutting down")

// DialError says why there is no connection. Nothing was sent.
type DialError struct {
	URL    string // what was dialled
	Status int    // the gateway's HTTP status; 0 when there was no answer
	Reason string // what it means, and what to do where that is known
	Err    error  // the cause; may be nil
}

func (e *DialError) Error() string { return fmt.Sprintf("dial %s: %s", e.URL, e.Reason) }

func (e *DialError) Unwrap() error { return e.Err }

// Is makes a 404 match ErrCircleNotFound.
func (e *DialError) Is(target error) bool {
	return target == ErrCircleNotFound && e.Status == http.StatusNotFound
}

// ConnectionError says that a call could not be sent: it had no effect.
type ConnectionError struct {
	Method string
	Err    error
}

func (e *ConnectionError) Error() string {
	return fmt.Sprintf("%s was not sent: %v", e.Method, e.Err)
}

func (e *ConnectionError) Unwrap() error { return e.Err }

// UnknownOutcomeError says that a call was sent and what came of it can't be
// told: the connection broke, the caller's context ended (then Err is the
// context's), or the gateway itself got no answer in time (then Err is its
// *Error). It may have taken effect, or may yet. A play that has an
// idempotency key can be played again under it, to learn the outcome without a
// second effect.
type UnknownOutcomeError struct {
	Method string
	Err    error
}

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("%s was sent but its outcome is unknown: %v", e.Method, e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Error is the gateway's answer that a call failed.
type Error struct {
	Method  string
	Code    protocol.Code
	Message string
	Data    json.RawMessage // as it was sent; see Script, Limit and RetryAfter
}

func (e *Error) Error() string {
	if script, ok := e.Script(); ok && script.Line > 0 {
		return fmt.Sprintf("%s: %s at %d:%d (code %d)", e.Method, e.Message, script.Line, script.Column, e.Code)
	}
	return fmt.Sprintf("%s: %s (code %d)", e.Method, e.Message, e.Code)
}

// Script says where and how the script failed, when that is what happened.
func (e *Error) Script() (protocol.ScriptErrorData, bool) {
	return data[protocol.ScriptErrorData](e, protocol.CodeScript)
}

// Limit names the limit that the script hit, when that is what happened.
func (e *Error) Limit() (string, bool) {
	found, ok := data[protocol.LimitData](e, protocol.CodeLimit)
	return found.Limit, ok
}

// RetryAfter says when to try again, where the gateway was too busy for the call.
func (e *Error) RetryAfter() (time.Duration, bool) {
	found, ok := data[protocol.RetryData](e, protocol.CodeBusy, protocol.CodeRateLimited)
	return time.Duration(found.RetryAfterMS) * time.Millisecond, ok
}

// mayHaveRun reports that the gateway doesn't know what became of the play.
func (e *Error) mayHaveRun() bool {
	found, ok := data[protocol.TimeoutData](e, protocol.CodeTimeout)
	return ok && found.Effect == protocol.EffectUnknown
}

// CodeOf is the code of the *Error in err's chain; 0 when there is none.
func CodeOf(err error) protocol.Code {
	var answered *Error
	if errors.As(err, &answered) {
		return answered.Code
	}
	return 0
}

// data decodes an error's data where its code is one that carries this kind.
func data[T any](e *Error, codes ...protocol.Code) (T, bool) {
	var decoded T
	if !slices.Contains(codes, e.Code) || json.Unmarshal(e.Data, &decoded) != nil {
		return decoded, false
	}
	return decoded, true
}
