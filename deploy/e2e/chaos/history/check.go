package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is a sort of violation.
type Fault string

const (
	Lost      Fault = "lost"      // an acknowledged play had no effect
	Doubled   Fault = "doubled"   // a play took effect more than once
	Reordered Fault = "reordered" // a play that had ended comes after one that was sent later
	Foreign   Fault = "foreign"   // a caller was told another play's result
	Leaked    Fault = "leaked"    // a play that was said to have no effect had one
	Wrong     Fault = "wrong"     // a play was told what the order does not imply
	Torn      Fault = "torn"      // part of a play took effect, or was seen to
)

// Violation is one thing that must not have happened.
type Violation struct {
	Fault  Fault
	Circle string
	Token  string `json:",omitempty"`
	Detail string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: circle %s, play %q: %s", v.Fault, v.Circle, v.Token, v.Detail)
}

// Check returns everything in a history that contradicts the promise: effects
// exactly once for acknowledged plays, never for refused ones, at most once
// for the others, in an order that agrees with time, each caller told what
// that order implies.
//
// A rollback excuses the plays that were under way or acknowledged between its
// From and its Killed, and nothing else: they may be gone, or have been run
// again in another place, but a rollback takes away the end of an order and
// never something from its middle, and nothing may happen twice by it.
func Check(h History) []Violation {
	c := &checker{h: h, byToken: make(map[string]*Play, len(h.Plays))}
	for i := range h.Plays {
		c.byToken[h.Plays[i].Token] = &h.Plays[i]
	}
	c.replies()
	switch h.Workload {
	case Counter:
		c.count()
		c.agreesWithTime(c.toldOrder())
	case List, Bank:
		c.order()
		c.agreesWithTime(c.finalOrder())
		c.suffixes()
		if h.Workload == Bank {
			c.replay()
		}
	}
	c.reads()
	return c.found
}

type checker struct {
	h       History
	byToken map[string]*Play
	place   map[string]int // in the final order, from 1
	found   []Violation
}

func (c *checker) report(fault Fault, token, format string, args ...any) {
	c.found = append(c.found, Violation{fault, c.h.Circle, token, fmt.Sprintf(format, args...)})
}

// exposed reports whether a rollback may have undone what the play was told.
func (c *checker) exposed(p *Play) bool {
	return slices.ContainsFunc(c.h.Rollbacks, func(r Rollback) bool { return r.exposes(p) })
}

func (r Rollback) exposes(p *Play) bool { return p.Invoked < r.Killed && p.Returned > r.From }

// replies looks at each answer by itself.
func (c *checker) replies() {
	for i := range c.h.Plays {
		p := &c.h.Plays[i]
		switch {
		case p.Unexpected:
			c.report(Wrong, p.Token, "was answered: %s", p.Reason)
		case p.Failure != "" && !c.mayFail(p):
			if other := c.thrower(p.Failure); other != "" {
				c.report(Foreign, p.Token, "was told the failure of %q: %s", other, p.Failure)
			} else {
				c.report(Wrong, p.Token, "failed: %s", p.Failure)
			}
		case p.Status != Acked:
		case p.Told.Token != p.Token:
			c.report(Foreign, p.Token, "was told the result of %q", p.Told.Token)
		case p.Kind == Fail:
			c.report(Wrong, p.Token, "a play that throws was answered with the result %+v", p.Told)
		case p.Kind == Echo && p.Told.Place != p.N:
			c.report(Wrong, p.Token, "was told %d, want %d", p.Told.Place, p.N)
		}
	}
}

// mayFail reports whether a play is one that throws what it threw.
func (c *checker) mayFail(p *Play) bool {
	if p.Kind == Fail {
		return strings.Contains(p.Failure, p.Token)
	}
	return c.h.Workload == Bank && p.Kind == Effect && strings.Contains(p.Failure, Overdrawn)
}

// thrower is the play that a failure is of, by its token.
func (c *checker) thrower(failure string) string {
	for token, p := range c.byToken {
		if p.Kind == Fail && strings.Contains(failure, token) {
			return token
		}
	}
	return ""
}

// count checks a Counter, whose plays cannot be told apart in the state.
func (c *checker) count() {
	var certain, possible int
	at := map[int]*Play{}
	for i := range c.h.Plays {
		p := &c.h.Plays[i]
		exposed := c.exposed(p)
		switch {
		case p.Kind != Effect:
		case p.Status == Unknown || exposed && (p.Status == Acked || p.Revoked):
			possible++
		case p.Status == Acked:
			certain++
			if other := at[p.Told.Place]; other != nil {
				c.report(Doubled, p.Token, "was told count %d, as %q was", p.Told.Place, other.Token)
			}
			at[p.Told.Place] = p
			if p.Told.Place < 1 || p.Told.Place > c.h.Final.Count {
				c.report(Lost, p.Token, "was told count %d, but the count at the end is %d", p.Told.Place, c.h.Final.Count)
			}
		}
	}
	switch final := c.h.Final.Count; {
	case final < certain:
		c.report(Lost, "", "the count is %d, want at least the %d plays that were acknowledged", final, certain)
	case final > certain+possible:
		c.report(Doubled, "", "the count is %d, want at most %d: %d plays acknowledged, %d unknown",
			final, certain+possible, certain, possible)
	}
}

// order checks that the state's own order has each play as often as it may.
func (c *checker) order() {
	c.place = make(map[string]int, len(c.h.Final.Order))
	for i, token := range c.h.Final.Order {
		p := c.byToken[token]
		switch {
		case p == nil:
			c.report(Leaked, token, "is in place %d, but no such play was sent", i+1)
			continue
		case c.place[token] != 0:
			c.report(Doubled, token, "is in the places %d and %d", c.place[token], i+1)
			continue
		case p.Kind != Effect:
			c.report(Leaked, token, "took place %d, but it is a play of kind %s", i+1, p.Kind)
		case p.Status == Refused && !(p.Revoked && c.exposed(p)):
			c.report(Leaked, token, "took place %d, but its caller was told that it had no effect: %s", i+1, p.Reason)
		}
		c.place[token] = i + 1
	}
	for i := range c.h.Plays {
		p := &c.h.Plays[i]
		if p.Kind != Effect || p.Status != Acked || c.exposed(p) {
			continue
		}
		switch place := c.place[p.Token]; {
		case place == 0:
			c.report(Lost, p.Token, "was told place %d, and is nowhere", p.Told.Place)
		case place != p.Told.Place:
			c.report(Wrong, p.Token, "was told place %d, and is in place %d", p.Told.Place, place)
		}
	}
}

// finalOrder is the plays in the order that the state has.
func (c *checker) finalOrder() []*Play {
	var plays []*Play
	for i, token := range c.h.Final.Order {
		if p := c.byToken[token]; p != nil && c.place[token] == i+1 {
			plays = append(plays, p)
		}
	}
	return plays
}

// toldOrder is the acknowledged plays in the order of what they were told.
func (c *checker) toldOrder() []*Play {
	var plays []*Play
	for i := range c.h.Plays {
		if p := &c.h.Plays[i]; p.Kind == Effect && p.Status == Acked && !c.exposed(p) {
			plays = append(plays, p)
		}
	}
	slices.SortFunc(plays, func(a, b *Play) int { return cmp.Compare(a.Told.Place, b.Told.Place) })
	return plays
}

// agreesWithTime checks that no play comes after one that was sent when it had
// been acknowledged already. One that was run again after a rollback may.
func (c *checker) agreesWithTime(plays []*Play) {
	var latest *Play // of those before, the one that was sent last
	for _, p := range plays {
		if latest != nil && p.Status == Acked && p.Returned < latest.Invoked && !c.exposed(p) {
			c.report(Reordered, p.Token, "ended at %v, and comes after %q, which was sent at %v",
				p.Returned, latest.Token, latest.Invoked)
		}
		if latest == nil || p.Invoked > latest.Invoked {
			latest = p
		}
	}
}

// suffixes checks that each rollback took the end of the order away: what was
// acknowledged before a play that is still where it was is still there too.
func (c *checker) suffixes() {
	for _, r := range c.h.Rollbacks {
		var undone *Play // the one with the first place
		var plays []*Play
		for i := range c.h.Plays {
			p := &c.h.Plays[i]
			if p.Kind == Effect && p.Status == Acked && r.exposes(p) && p.Returned < r.Killed && c.exposedOnce(p) {
				plays = append(plays, p)
				if c.place[p.Token] != p.Told.Place && (undone == nil || p.Told.Place < undone.Told.Place) {
					undone = p
				}
			}
		}
		if undone == nil {
			continue
		}
		anew := c.firstSentAfter(r)
		for _, p := range plays {
			// One that comes after a newer play was run again, and has its old
			// place by chance.
			if place := c.place[p.Token]; place == p.Told.Place && place > undone.Told.Place && place < anew {
				c.report(Lost, undone.Token, "was told place %d before Redis was killed at %v and is in place %d, "+
					"although %q, in place %d, was not undone", undone.Told.Place, r.Killed, c.place[undone.Token], p.Token, place)
				break
			}
		}
	}
}

func (c *checker) exposedOnce(p *Play) bool {
	times := 0
	for _, r := range c.h.Rollbacks {
		if r.exposes(p) {
			times++
		}
	}
	return times == 1
}

// firstSentAfter is the first place of a play that was sent after a rollback.
func (c *checker) firstSentAfter(r Rollback) int {
	for i, token := range c.h.Final.Order {
		if p := c.byToken[token]; p != nil && p.Invoked > r.Killed {
			return i + 1
		}
	}
	return len(c.h.Final.Order) + 1
}

// replay runs a Bank's journal anew.
func (c *checker) replay() {
	accounts := slices.Clone(c.h.Opening)
	for i, token := range c.h.Final.Order {
		p := c.byToken[token]
		if p == nil || p.Kind != Effect {
			return // reported already; what follows would be noise
		}
		accounts[p.From] -= p.Amount
		accounts[p.To] += p.Amount
		if accounts[p.From] < 0 {
			c.report(Wrong, token, "in place %d, overdraws account %d: a play that throws took effect", i+1, p.From)
		}
		want := []int{accounts[p.From], accounts[p.To]}
		if p.Status == Acked && !c.exposed(p) && p.Told.Place == i+1 && !slices.Equal(p.Told.Balances, want) {
			c.report(Wrong, token, "was told balances %v, the order implies %v", p.Told.Balances, want)
		}
	}
	if !slices.Equal(accounts, c.h.Final.Accounts) {
		c.report(Torn, "", "the accounts are %v, the journal implies %v", c.h.Final.Accounts, accounts)
	}
	if got, want := sum(c.h.Final.Accounts), sum(c.h.Opening); got != want {
		c.report(Torn, "", "the accounts add up to %d, want %d", got, want)
	}
}

// reads checks what plays saw that change nothing.
func (c *checker) reads() {
	final := len(c.h.Final.Order)
	if c.h.Workload == Counter {
		final = c.h.Final.Count
	}
	for i := range c.h.Plays {
		p := &c.h.Plays[i]
		if p.Kind != Read || p.Status != Acked {
			continue
		}
		if c.h.Workload == Bank {
			if got, want := sum(p.Told.Balances), sum(c.h.Opening); got != want {
				c.report(Torn, p.Token, "saw accounts that add up to %d, want %d", got, want)
			}
		}
		if c.exposed(p) {
			continue
		}
		if p.Told.Place > final {
			c.report(Lost, p.Token, "saw %d plays, at the end there are %d", p.Told.Place, final)
		}
	}
	c.readsAgreeWithTime()
}

// readsAgreeWithTime checks that a read saw every play that had ended when it
// was sent, and none that was sent when it had ended.
func (c *checker) readsAgreeWithTime() {
	type event struct {
		at, place int64
		play      *Play
	}
	var ended, sent []event // acknowledged plays that say their place
	for i := range c.h.Plays {
		p := &c.h.Plays[i]
		if (p.Kind == Effect || p.Kind == Read) && p.Status == Acked && !c.exposed(p) {
			ended = append(ended, event{int64(p.Returned), int64(p.Told.Place), p})
			sent = append(sent, event{int64(p.Invoked), int64(p.Told.Place), p})
		}
	}
	byTime := func(a, b event) int { return cmp.Compare(a.at, b.at) }
	slices.SortFunc(ended, byTime)
	slices.SortFunc(sent, byTime)
	var highest event // of those that have ended
	next := 0
	for _, s := range sent {
		for next < len(ended) && ended[next].at < s.at {
			if ended[next].place > highest.place {
				highest = ended[next]
			}
			next++
		}
		if s.play.Kind == Read && s.place < highest.place {
			c.report(Reordered, s.play.Token, "saw %d plays, though place %d was acknowledged to %q before",
				s.place, highest.place, highest.play.Token)
		}
		if s.play.Kind == Effect && highest.play != nil && highest.play.Kind == Read && s.place <= highest.place {
			c.report(Reordered, s.play.Token, "took place %d, though %q had seen %d plays before",
				s.place, highest.play.Token, highest.place)
		}
	}
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}
