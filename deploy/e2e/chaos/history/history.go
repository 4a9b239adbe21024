// Package history is what callers sent to circles and what they were told,
// and the judgement whether a circle's final state can be explained by it.
//
// It knows three workloads, one a circle:
//
//   - Counter: a play adds one and is told the new count.
//   - List: a play appends its own token and is told how long the list now is.
//   - Bank: a play moves an amount from one account to another, appends its
//     token to a journal, and is told the journal's length and both balances.
//
// So what a play is told says which place it took in the order of its circle's
// plays, and List and Bank keep that order in the state itself.
package history

import (
	"encoding/json"
	"fmt"
	"time"
)

// Overdrawn is what a Bank's play throws rather than leave less than nothing in
// an account. It does so after it has changed the state.
const Overdrawn = "overdrawn"

// Workload is what a circle's plays do.
type Workload string

const (
	Counter Workload = "counter"
	List    Workload = "list"
	Bank    Workload = "bank"
)

// Kind is one sort of play.
type Kind string

const (
	Effect Kind = "effect" // changes the state as the workload has it
	Fail   Kind = "fail"   // changes the state, then throws its token: must change nothing
	Read   Kind = "read"   // tells the count, the list's length, or the journal's length and the sum of the accounts
	Echo   Kind = "echo"   // touches no state; told place is N
)

// Status is what the caller knows afterwards.
type Status string

const (
	Acked   Status = "acked"   // was told a result
	Refused Status = "refused" // was told that it certainly had no effect
	Unknown Status = "unknown" // was told nothing certain
)

// Play is one play as its caller saw it. Times are since the run's beginning,
// by one clock for all callers.
type Play struct {
	Token    string
	Caller   string // the connection it was sent on
	Kind     Kind
	From, To int `json:",omitempty"` // Bank's accounts
	Amount   int `json:",omitempty"`
	N        int `json:",omitempty"` // Echo's number
	Spin     int `json:",omitempty"` // rounds that an effect runs before it does anything

	Invoked  time.Duration
	Returned time.Duration
	Status   Status
	Revoked  bool   `json:",omitempty"` // refused by a decision that Redis holds: cancelled, given up
	Attempts int    `json:",omitempty"` // above 1: sent again under its idempotency key
	Reason   string `json:",omitempty"`
	Failure  string `json:",omitempty"` // refused because the script failed: how
	Told     Told   `json:",omitzero"`  // of an acked play

	// Unexpected is an answer that no fault explains: an internal error, or
	// that the request was not one.
	Unexpected bool `json:",omitempty"`
}

// Told is a play's result.
type Told struct {
	Token    string
	Place    int   // after the play, from 1; what an Echo was told
	Balances []int `json:",omitempty"` // Bank: of both accounts; of a Read: their sum
}

// UnmarshalJSON reads the value of a play: [token, place, balance...].
func (t *Told) UnmarshalJSON(text []byte) error {
	var values []json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	if len(values) < 2 {
		return fmt.Errorf("got %s, want [token, place, balance...]", text)
	}
	if err := json.Unmarshal(values[0], &t.Token); err != nil {
		return err
	}
	if err := json.Unmarshal(values[1], &t.Place); err != nil {
		return err
	}
	t.Balances = nil
	for _, value := range values[2:] {
		var n int
		if err := json.Unmarshal(value, &n); err != nil {
			return err
		}
		t.Balances = append(t.Balances, n)
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (t Told) MarshalJSON() ([]byte, error) {
	values := []any{t.Token, t.Place}
	for _, n := range t.Balances {
		values = append(values, n)
	}
	return json.Marshal(values)
}

// Final is a circle's state after the run, when nothing is under way any more.
type Final struct {
	Count    int      // Counter
	Order    []string // tokens: the list, or Bank's journal
	Accounts []int    // Bank
}

// Rollback is a crash of Redis that may have lost what it wrote last. Nothing
// from before From may be lost by it; Killed is when it happened.
type Rollback struct{ From, Killed time.Duration }

// History is one circle's run.
type History struct {
	Circle    string
	Workload  Workload
	Opening   []int // Bank: the accounts at the beginning
	Plays     []Play
	Rollbacks []Rollback
	Final     Final
}
