package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
)

// ErrNotInHistory is returned for what is not in a circle's history: it never
// was, its worker keeps none, or others have taken its place.
var ErrNotInHistory = errors.New("no such play in the history")

// historyPage is how many plays are read in one round trip; each may be as large
// as MaxMessageBytes.
const historyPage = 50

// A Finished is a play that has ended, as a circle's history has it.
type Finished struct {
	Entry   string    // names it in the history
	At      time.Time // when it was committed, by Redis's clock
	PlayID  string
	Play    Play // as it was queued, its deadline by Redis's clock
	Outcome Outcome
	Err     error // Play or Outcome can't be read; wraps ErrMalformed
}

// A History has the plays of a circle that have ended, where workers keep them.
type History struct {
	rdb    redis.UniversalClient
	circle circle.Key
}

// NewHistory returns a circle's. The client is the caller's to close.
func NewHistory(rdb redis.UniversalClient, c circle.Key) *History { return &History{rdb, c} }

// List returns at most so many plays, the last to end first.
func (h *History) List(ctx context.Context, most int) ([]Finished, error) {
	var list []Finished
	to := "+"
	for len(list) < most {
		n := min(historyPage, most-len(list))
		page, err := h.rdb.XRevRangeN(ctx, historyKey(h.circle), to, "-", int64(n)).Result()
		if err != nil {
			return nil, &UnavailableError{err}
		}
		for _, message := range page {
			list = append(list, readFinished(message))
		}
		if len(page) < n {
			break
		}
		to = "(" + page[n-1].ID
	}
	return list, nil
}

// Show returns one of them, or ErrNotInHistory.
func (h *History) Show(ctx context.Context, entry string) (Finished, error) {
	if entryTime(entry).IsZero() {
		return Finished{}, ErrNotInHistory
	}
	found, err := h.rdb.XRangeN(ctx, historyKey(h.circle), entry, entry, 1).Result()
	switch {
	case err != nil:
		return Finished{}, &UnavailableError{err}
	case len(found) == 0:
		return Finished{}, ErrNotInHistory
	}
	return readFinished(found[0]), nil
}

func readFinished(message redis.XMessage) Finished {
	text := func(field string) string {
		s, _ := message.Values[field].(string)
		return s
	}
	f := Finished{Entry: message.ID, At: entryTime(message.ID), PlayID: text("id")}
	var unread, untold error
	f.Play, unread = DecodePlay(text("play"))
	f.Outcome, untold = DecodeOutcome(text("outcome"))
	f.Err = errors.Join(unread, untold)
	return f
}
