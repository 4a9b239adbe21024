package queue

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNoOutcome is returned by Fetch while no outcome of the play is known:
	// it waits, it runs, it never was, or it is too long ago.
	ErrNoOutcome = errors.New("no outcome of this play is known")

	// ErrClosed is returned for a play that is submitted to a Dispatcher that
	// has ended, and ends those that wait when it does.
	ErrClosed = errors.New("the dispatcher is closed")

	// ErrTooLarge is returned for a play of more than MaxMessageBytes.
	ErrTooLarge = fmt.Errorf("the play is too large, want at most %d bytes with its arguments", MaxMessageBytes)

	// ErrExpired is returned for a play whose deadline passed before it was
	// queued.
	ErrExpired = errors.New("the play's deadline passed before it was queued")

	// ErrKeyTooLong is returned for a play whose idempotency key has more than
	// MaxKeyBytes.
	ErrKeyTooLong = fmt.Errorf("the idempotency key is too long, want at most %d bytes", MaxKeyBytes)

	// ErrKeyReused is returned for a play whose idempotency key its caller has
	// used for another script or other arguments.
	ErrKeyReused = errors.New("the idempotency key was used for another script or other arguments; use a new one for each play")

	// ErrOwned is returned by Claim for a circle that another worker owns.
	ErrOwned = errors.New("another worker owns the circle")

	// ErrLost is returned by a Lease that is not the latest: another worker has
	// claimed the circle since, and nothing that was run under this lease and
	// not committed ever happened.
	ErrLost = errors.New("the circle's lease was lost to another worker")
)

// BusyError says that a play was refused because too much waits already.
type BusyError struct {
	What       string        // what is full
	RetryAfter time.Duration // when trying again is worth it
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s is full; try again in %v", e.What, e.RetryAfter)
}

// UnavailableError says that Redis could not be asked, so that the play was
// certainly not queued.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string { return "redis is not available: " + e.Err.Error() }
func (e *UnavailableError) Unwrap() error { return e.Err }

// WithdrawnError is returned by Commit when plays were withdrawn by their
// gateway after their deadline. Nothing was committed: the other plays are to
// be run again without these.
type WithdrawnError struct{ Entries []string }

func (e *WithdrawnError) Error() string {
	return fmt.Sprintf("%d plays were withdrawn after their deadline", len(e.Entries))
}
