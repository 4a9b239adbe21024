package queue

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// A Play is one script that a circle is asked to run.
type Play struct {
	ID     string // unique; see NewPlayID. Empty: the Dispatcher gives one
	Script string
	Args   json.RawMessage // any JSON value, or nil

	Caller string // canonical public key of who asked; empty when nobody was authenticated
	Role   string // what the caller is to the circle: owner, member, anonymous

	// Deadline ends the play wherever it is: one that has not been started is
	// not run, one that runs is stopped. It travels by Redis's clock, so the
	// clocks of gateway and worker need not agree.
	Deadline time.Time

	// IdempotencyKey names the play among those of its caller, of at most
	// MaxKeyBytes. A play that is submitted again under the key of one that
	// waits, runs or has ended gets that one's outcome. Empty: none.
	IdempotencyKey string

	Stream bool // the caller wants the lines that the script prints

	// ReplyTo names the gateway that waits for the outcome. The Dispatcher sets it.
	ReplyTo string
}

// An Outcome is what became of a play.
type Outcome struct {
	PlayID  string
	Output  string          // the value as Rhai prints it
	Value   json.RawMessage // the value as JSON; nil when it has no JSON form or the play failed
	Printed []string        // lines that a streaming play printed
	Elapsed time.Duration   // time the script ran
	Error   *PlayError      // nil when the play succeeded
}

// ErrorKind is the closed set of ways in which a play fails.
type ErrorKind string

const (
	KindScript    ErrorKind = "script"    // the script failed while it ran
	KindParse     ErrorKind = "parse"     // the script is no program
	KindTimeout   ErrorKind = "timeout"   // its deadline passed while it ran
	KindLimit     ErrorKind = "limit"     // it reached a limit, named by Limit
	KindCancelled ErrorKind = "cancelled" // its caller cancelled it
	KindExpired   ErrorKind = "expired"   // its deadline passed before it was started; it will not run
	KindGaveUp    ErrorKind = "gave_up"   // its worker died each time it was started
	KindInternal  ErrorKind = "internal"  // a fault of ours; what is known is in the logs
	KindUnknown   ErrorKind = "unknown"   // no outcome could be found in time; the play may have taken effect
)

// Definite reports whether a play that failed in this way certainly changed
// nothing.
func (k ErrorKind) Definite() bool { return k != KindUnknown }

// A PlayError says why a play failed.
type PlayError struct {
	Kind       ErrorKind
	ScriptKind string // the language's own name of the error, for KindScript and KindParse
	Message    string
	Line       int // 1-based; 0 when there is no position
	Column     int
	Trace      []string // calls that led there, innermost first
	Limit      string   // the limit that was reached, for KindLimit
}

func (e *PlayError) Error() string { return e.Message }

// NewPlayID returns a new id. Ids made later sort after those made before, and
// contain the time in milliseconds.
func NewPlayID() string { return uuid.Must(uuid.NewV7()).String() }
