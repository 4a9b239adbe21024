package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"circles/pkg/client"
	"circles/pkg/protocol"
	"circles/pkg/queue"
)

// The exit codes; the package comment says what they mean.
const (
	exitDone        = 0
	exitScript      = 1
	exitUsage       = 2
	exitConnection  = 3
	exitAuth        = 4
	exitBusy        = 5
	exitUnknown     = 6
	exitGateway     = 7
	exitInterrupted = 130
)

// usageError is a mistake of the one who typed the command.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

// scriptError is a failed play together with the script, so that the place can
// be shown.
type scriptError struct {
	name, source string
	repeatable   bool // the play has an idempotency key
	err          error
}

func (e *scriptError) Error() string { return e.err.Error() }
func (e *scriptError) Unwrap() error { return e.err }

// report tells what went wrong and returns the exit code.
func (c *command) report(ctx context.Context, err error) int {
	code, kind := classify(ctx, err)
	if c.json {
		c.reportJSON(kind, err)
		return code
	}
	var failed *scriptError
	if errors.As(err, &failed) && code == exitScript {
		_, _ = fmt.Fprint(c.stderr, failed.show())
		return code
	}
	_, _ = fmt.Fprintf(c.stderr, "circle: %s\n", message(err))
	if hint := hintFor(err); hint != "" {
		_, _ = fmt.Fprintf(c.stderr, "        %s\n", hint)
	}
	return code
}

func (c *command) reportJSON(kind string, err error) {
	failure := map[string]any{"kind": kind, "message": message(err)}
	if answered, ok := errors.AsType[*client.Error](err); ok {
		failure["code"] = answered.Code
		if len(answered.Data) > 0 {
			failure["data"] = answered.Data
		}
	}
	_ = c.printJSON(map[string]any{"error": failure})
}

func (c *command) printJSON(value any) error {
	encoder := json.NewEncoder(c.stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// classify gives the exit code and its name.
func classify(ctx context.Context, err error) (code int, kind string) {
	var (
		usage    *usageError
		unknown  *client.UnknownOutcomeError
		dialling *client.DialError
		lost     *client.ConnectionError
		answered *client.Error
		replayed *replayError
		full     *queue.BusyError
		redis    *queue.UnavailableError
	)
	switch {
	case errors.As(err, &usage):
		return exitUsage, "usage"
	case errors.As(err, &unknown), errors.As(err, &replayed):
		return exitUnknown, "unknown_outcome"
	case errors.As(err, &answered):
		return classifyCode(answered.Code)
	case ctx.Err() != nil:
		return exitInterrupted, "interrupted"
	case errors.As(err, &full):
		return exitBusy, "busy"
	case errors.As(err, &dialling), errors.As(err, &lost), errors.As(err, &redis):
		return exitConnection, "connection"
	case isAuth(err):
		return exitAuth, "authentication"
	}
	return exitGateway, "gateway"
}

func classifyCode(code protocol.Code) (int, string) {
	switch code {
	case protocol.CodeScript, protocol.CodeTimeout, protocol.CodeLimit, protocol.CodeCancelled:
		return exitScript, "script"
	case protocol.CodeAuthRequired, protocol.CodeAuthFailed, protocol.CodeNotPermitted:
		return exitAuth, "authentication"
	case protocol.CodeBusy, protocol.CodeRateLimited, protocol.CodeExpired:
		return exitBusy, "busy"
	case protocol.CodeInvalidParams:
		return exitUsage, "usage"
	}
	return exitGateway, "gateway"
}

// message is the error in the words of one who typed a command.
func message(err error) string {
	if answered, ok := errors.AsType[*client.Error](err); ok {
		return answered.Message
	}
	return err.Error()
}

// hintFor says what to do about an error, where that is known.
func hintFor(err error) string {
	answered, _ := errors.AsType[*client.Error](err)
	switch client.CodeOf(err) {
	case protocol.CodeAuthRequired:
		return "give your private key by --key-file FILE or CIRCLE_SECRET_KEY"
	case protocol.CodeAuthFailed:
		return "the circle does not admit this key"
	case protocol.CodeBusy, protocol.CodeRateLimited:
		if wait, ok := answered.RetryAfter(); ok && wait > 0 {
			return fmt.Sprintf("try again in %s", wait)
		}
	case protocol.CodeExpired:
		return "is a worker running for this circle?"
	}
	if _, untrusted := errors.AsType[x509.UnknownAuthorityError](err); untrusted {
		return "if you trust it, give its authority's certificate by --ca FILE"
	}
	_, unknown := errors.AsType[*client.UnknownOutcomeError](err)
	if played, ok := errors.AsType[*scriptError](err); ok && played.repeatable && unknown {
		return "play again with the same --idempotency-key to learn the outcome without a second effect"
	}
	return ""
}

// show is the failure as a compiler would show it: file, line and column, the
// line, and a caret below the place.
func (e *scriptError) show() string {
	var out strings.Builder
	answered, _ := errors.AsType[*client.Error](e.err)
	script, ok := answered.Script()
	if !ok || script.Line <= 0 {
		what := answered.Message
		if ok && script.Message != "" {
			what = script.Message
		}
		if limit, ok := answered.Limit(); ok && !strings.Contains(what, limit) {
			what += " (" + limit + ")"
		}
		fmt.Fprintf(&out, "%s: %s\n", e.name, what)
	} else {
		fmt.Fprintf(&out, "%s:%d:%d: %s\n", e.name, script.Line, script.Column, script.Message)
		out.WriteString(excerpt(e.source, script.Line, script.Column))
	}
	for _, call := range script.Trace {
		fmt.Fprintf(&out, "  in %s\n", call)
	}
	return out.String()
}

// excerpt is a line of the source with a caret below a column, both counted
// from 1, the column in characters. Without such a line it is empty.
func excerpt(source string, line, column int) string {
	lines := strings.Split(source, "\n")
	if line > len(lines) {
		return ""
	}
	text := []rune(strings.TrimSuffix(lines[line-1], "\r"))
	if column < 1 || column > len(text)+1 {
		return fmt.Sprintf("    %s\n", string(text))
	}
	lead := make([]rune, column-1)
	for i := range lead {
		lead[i] = ' '
		if text[i] == '\t' {
			lead[i] = '\t'
		}
	}
	return fmt.Sprintf("    %s\n    %s^\n", string(text), string(lead))
}
