package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
)

//go:embed scripts/replay.lua
var replaySource string

var replayScript = redis.NewScript(replaySource)

// deadPage is how many given up plays are read in one round trip; each may be
// as large as MaxMessageBytes.
const deadPage = 50

// ErrNotDead is returned for what is not among the plays that were given up:
// it never was, or it was replayed or dropped, or others have taken its place.
var ErrNotDead = errors.New("no such play among those that were given up")

// A Dead is a play that was given up.
type Dead struct {
	Entry      string    // names it among the dead of its circle
	At         time.Time // when it was given up, by Redis's clock
	PlayID     string
	Why        string
	Deliveries int   // how often it was handed to a worker that died
	Play       Play  // as it was queued, its deadline by Redis's clock
	Err        error // Play can't be read; wraps ErrMalformed
}

// ScriptHash is the script's SHA-256 in hex, by which equal scripts are told
// without being shown; empty when the play can't be read.
func (d Dead) ScriptHash() string {
	if d.Err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(d.Play.Script))
	return hex.EncodeToString(sum[:])
}

// DeadLetters are the plays of a circle that were given up.
type DeadLetters struct {
	rdb    redis.UniversalClient
	circle circle.Key
}

// NewDeadLetters returns a circle's. The client is the caller's to close; it
// must not retry by itself (see Open).
func NewDeadLetters(rdb redis.UniversalClient, c circle.Key) *DeadLetters {
	return &DeadLetters{rdb, c}
}

// List returns at most so many of them, oldest first.
func (d *DeadLetters) List(ctx context.Context, most int) ([]Dead, error) {
	var dead []Dead
	from := "-"
	for len(dead) < most {
		n := min(deadPage, most-len(dead))
		page, err := d.rdb.XRangeN(ctx, deadKey(d.circle), from, "+", int64(n)).Result()
		if err != nil {
			return nil, &UnavailableError{err}
		}
		for _, message := range page {
			dead = append(dead, readDead(message))
		}
		if len(page) < n {
			break
		}
		from = nextID(page[n-1].ID)
	}
	return dead, nil
}

// Show returns one of them, or ErrNotDead.
func (d *DeadLetters) Show(ctx context.Context, entry string) (Dead, error) {
	if !isEntryID(entry) {
		return Dead{}, ErrNotDead
	}
	found, err := d.rdb.XRangeN(ctx, deadKey(d.circle), entry, entry, 1).Result()
	switch {
	case err != nil:
		return Dead{}, &UnavailableError{err}
	case len(found) == 0:
		return Dead{}, ErrNotDead
	}
	return readDead(found[0]), nil
}

// Drop forgets one of them, or returns ErrNotDead.
func (d *DeadLetters) Drop(ctx context.Context, entry string) error {
	if !isEntryID(entry) {
		return ErrNotDead
	}
	switch n, err := d.rdb.XDel(ctx, deadKey(d.circle), entry).Result(); {
	case err != nil:
		return &UnavailableError{err}
	case n == 0:
		return ErrNotDead
	}
	return nil
}

// ReplayOptions say how a play is replayed; zero values mean the defaults.
type ReplayOptions struct {
	Timeout    time.Duration // until its new deadline (10s)
	QueueLimit int           // most plays in the circle's queue (10000)
}

// Replay queues one of them again, as a new play with an id and a deadline of
// its own, and takes it out of the dead, both or neither. Nobody waits for its
// outcome; Fetch finds it by the id. An idempotency key is left behind: it
// stands for the first attempt. The error is ErrNotDead, ErrMalformed, a
// *BusyError, an *UnavailableError, or another one, which leaves open whether
// it was done.
func (d *DeadLetters) Replay(ctx context.Context, entry string, opts ReplayOptions) (playID string, err error) {
	dead, err := d.Show(ctx, entry)
	if err != nil {
		return "", err
	}
	if dead.Err != nil {
		return "", dead.Err
	}
	now, err := d.rdb.Time(ctx).Result()
	if err != nil {
		return "", &UnavailableError{err}
	}
	again := dead.Play
	again.ID = NewPlayID()
	again.Deadline = now.Add(cmp.Or(opts.Timeout, defaultTimeout))
	again.IdempotencyKey, again.ReplyTo = "", ""
	cmd := runOnce(ctx, d.rdb, replayScript, replaySource, call{
		[]string{streamKey(d.circle), ownerKey(d.circle), deadKey(d.circle)},
		[]any{entry, cmp.Or(opts.QueueLimit, defaultQueueLimit), again.ID, EncodePlay(again), wakePrefix, d.circle.String()},
	})
	verdict, err := cmd.Text()
	switch {
	case err != nil && notSent(err):
		return "", &UnavailableError{err}
	case err != nil:
		return "", fmt.Errorf("replay: %w", err)
	case verdict == "gone":
		return "", ErrNotDead
	case verdict == "full":
		return "", &BusyError{What: "the circle's queue", RetryAfter: retryAfter}
	}
	return again.ID, nil
}

func readDead(message redis.XMessage) Dead {
	text := func(field string) string {
		s, _ := message.Values[field].(string)
		return s
	}
	d := Dead{Entry: message.ID, At: entryTime(message.ID), PlayID: text("id"), Why: text("why")}
	d.Deliveries, _ = strconv.Atoi(text("deliveries"))
	d.Play, d.Err = DecodePlay(text("play"))
	return d
}

// isEntryID reports whether Redis takes a text for the whole id of an entry.
func isEntryID(text string) bool {
	ms, seq, _ := strings.Cut(text, "-")
	_, err1 := strconv.ParseUint(ms, 10, 64)
	_, err2 := strconv.ParseUint(seq, 10, 64)
	return err1 == nil && err2 == nil
}
