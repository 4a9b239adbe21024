package protocol

import (
	"encoding/json"
	"fmt"
)

// Code is the code of an error.
type Code int

const (
	CodeParse          Code = -32700
	CodeInvalidRequest Code = -32600
	CodeMethodNotFound Code = -32601
	CodeInvalidParams  Code = -32602
	CodeInternal       Code = -32603 // never carries internals

	CodeAuthRequired Code = -32001
	CodeAuthFailed   Code = -32002 // one message whatever the cause
	CodeNotPermitted Code = -32003

	CodeScript    Code = -32010 // data: ScriptErrorData
	CodeTimeout   Code = -32011 // data: TimeoutData
	CodeLimit     Code = -32012 // data: LimitData
	CodeCancelled Code = -32013

	CodeBusy        Code = -32020 // data: RetryData
	CodeRateLimited Code = -32021 // data: RetryData
	CodeExpired     Code = -32022
	CodeGaveUp      Code = -32023
)

// Meaning says what the code stands for, in the words of the OpenRPC document.
func (c Code) Meaning() string {
	switch c {
	case CodeParse:
		return "the frame is not JSON"
	case CodeInvalidRequest:
		return "the request is not one of JSON-RPC 2.0"
	case CodeMethodNotFound:
		return "there is no such method"
	case CodeInvalidParams:
		return "the parameters are not those of the method"
	case CodeInternal:
		return "internal error"
	case CodeAuthRequired:
		return "authentication required"
	case CodeAuthFailed:
		return "authentication failed"
	case CodeNotPermitted:
		return "not permitted for this key"
	case CodeScript:
		return "the script failed"
	case CodeTimeout:
		return "the script timed out"
	case CodeLimit:
		return "the script hit a limit"
	case CodeCancelled:
		return "cancelled"
	case CodeBusy:
		return "busy"
	case CodeRateLimited:
		return "rate limited"
	case CodeExpired:
		return "no worker took the play in time; it will not run later"
	case CodeGaveUp:
		return "the play was given up after its worker died repeatedly"
	}
	return "unknown error"
}

// Error is the error of a response.
type Error struct {
	Code    Code            `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

func (e *Error) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, int(e.Code)) }

// Errorf makes an error without data.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithData returns a copy of e that carries data. Data that has no JSON is left
// out.
func (e *Error) WithData(data any) *Error {
	with := *e
	if raw, err := marshal(data); err == nil {
		with.Data = raw
	}
	return &with
}

// ScriptErrorData says what a script failed with, and where.
type ScriptErrorData struct {
	Kind    string   `json:"kind"`    // as the language names it
	Message string   `json:"message"` // without the position
	Line    int      `json:"line"`    // from 1; 0 where there is none
	Column  int      `json:"column"`  // in characters from 1; 0 where there is none
	Trace   []string `json:"trace"`   // the calls that led there, innermost first
}

// TimeoutData says whether a play that timed out took effect.
type TimeoutData struct {
	Effect Effect `json:"effect"`
}

// Effect is what is known of a failed play's effect.
type Effect string

const (
	EffectNone    Effect = "none"    // the play certainly changed nothing
	EffectUnknown Effect = "unknown" // there was no answer in time: it may have taken effect
)

// LimitData names the limit that was hit.
type LimitData struct {
	Limit string `json:"limit"`
}

// RetryData says when it is worth trying again.
type RetryData struct {
	RetryAfterMS int64  `json:"retry_after_ms"`
	Limit        string `json:"limit,omitempty"` // the setting that was reached, where it is the connection's own
}
