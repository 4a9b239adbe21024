package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"circles/pkg/queue"
)

// dead are the commands for plays that were given up. They ask Redis itself:
// what a script is and who played it is not for a gateway's clients.
func (c *command) dead() *cobra.Command {
	return c.onRedisGroup("dead", "Look after plays that were given up",
		`Look after plays that were given up: their worker died each time it ran them,
MAX_DELIVERIES times. They are kept in Redis, with the reason.`,
		c.deadList(), c.deadShow(), c.deadReplay(), c.deadDrop())
}

func (c *command) deadList() *cobra.Command {
	return listOf(c, listing[queue.Dead, deadSummary]{
		short:  "List them, oldest first",
		most:   1000,
		header: "ID\tGIVEN UP\tDELIVERIES\tSCRIPT\tWHY",
		find: func(ctx context.Context, on where, most int) ([]queue.Dead, error) {
			return queue.NewDeadLetters(on.redis, on.circle).List(ctx, most)
		},
		row: func(d queue.Dead) string {
			hash := d.ScriptHash()
			return fmt.Sprintf("%s\t%s\t%d\t%s\t%s", d.Entry, d.At.UTC().Format(time.RFC3339), d.Deliveries,
				cmp.Or(hash[:min(shownHash, len(hash))], "unreadable"), printable(d.Why))
		},
		json: summary,
	})
}

func (c *command) deadShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [CIRCLE] ID",
		Short: "Show one whole: the script, its arguments, who played it",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onDead(func(ctx context.Context, letters *queue.DeadLetters, ids []string) error {
			if len(ids) != 1 {
				return usagef("got %d IDs, want one as circle dead list prints it", len(ids))
			}
			d, err := letters.Show(ctx, ids[0])
			if err != nil {
				return about(ids[0], err)
			}
			if c.json {
				return c.printJSON(whole(d))
			}
			rows := [][2]string{
				{"id", d.Entry},
				{"play", d.PlayID},
				{"given up", d.At.UTC().Format(time.RFC3339Nano)},
				{"why", d.Why},
				{"deliveries", strconv.Itoa(d.Deliveries)},
			}
			if d.Err != nil {
				return c.printEntry("", append(rows, [2]string{"unreadable", d.Err.Error()})...)
			}
			return c.printEntry(d.Play.Script, append(rows,
				[2]string{"caller", callerAndRole(d.Play)},
				[2]string{"deadline", d.Play.Deadline.UTC().Format(time.RFC3339Nano)},
				[2]string{"args", cmp.Or(string(d.Play.Args), "none")},
				[2]string{"sha-256", d.ScriptHash()})...)
		}),
	}
}

func (c *command) deadReplay() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "replay [CIRCLE] ID",
		Short: "Queue one again as a new play, and take it out of the list",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onDead(func(ctx context.Context, letters *queue.DeadLetters, ids []string) error {
			if len(ids) != 1 {
				return usagef("got %d IDs, want one as circle dead list prints it", len(ids))
			}
			if timeout < time.Millisecond {
				return usagef("got --timeout %s, want at least 1ms", timeout)
			}
			playID, err := letters.Replay(ctx, ids[0], queue.ReplayOptions{Timeout: timeout})
			if err != nil {
				return about(ids[0], err)
			}
			if c.json {
				return c.printJSON(map[string]string{"id": ids[0], "play_id": playID})
			}
			_, _ = fmt.Fprintf(c.stdout, "queued as play %s\n", playID)
			return nil
		}),
	}
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "time until it must be done")
	return cmd
}

func (c *command) deadDrop() *cobra.Command {
	return &cobra.Command{
		Use:   "drop [CIRCLE] ID...",
		Short: "Forget one or more",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onDead(func(ctx context.Context, letters *queue.DeadLetters, ids []string) error {
			if len(ids) == 0 {
				return usagef("got no ID, want one or more as circle dead list prints them")
			}
			for _, id := range ids {
				if err := letters.Drop(ctx, id); err != nil {
					return about(id, err)
				}
			}
			if c.json {
				return c.printJSON(map[string][]string{"dropped": ids})
			}
			return nil
		}),
	}
}

// onDead runs one of the commands on a circle's dead, with the arguments after
// the circle.
func (c *command) onDead(run func(context.Context, *queue.DeadLetters, []string) error) func(*cobra.Command, []string) error {
	return c.onRedis(func(ctx context.Context, on where, ids []string) error {
		return run(ctx, queue.NewDeadLetters(on.redis, on.circle), ids)
	})
}

// about is the error for one entry.
func about(id string, err error) error {
	var busy *queue.BusyError
	var unavailable *queue.UnavailableError
	switch {
	case errors.Is(err, queue.ErrNotDead):
		return usagef("%s: %v; see circle dead list", id, err)
	case errors.Is(err, queue.ErrMalformed):
		return usagef("%s can't be read: %v", id, err)
	case errors.As(err, &busy), errors.As(err, &unavailable):
		return err
	}
	return &replayError{err}
}

// replayError leaves open whether a play was queued again.
type replayError struct{ err error }

func (e *replayError) Error() string {
	return e.err.Error() + "; see circle dead list: if the play is not there any more, it was queued"
}
func (e *replayError) Unwrap() error { return e.err }

// deadSummary is what a list says of a play that was given up, as JSON.
type deadSummary struct {
	ID         string    `json:"id"`
	PlayID     string    `json:"play_id"`
	GivenUp    time.Time `json:"given_up"`
	Why        string    `json:"why"`
	Deliveries int       `json:"deliveries"`
	ScriptHash string    `json:"script_sha256,omitempty"`
	Unreadable string    `json:"unreadable,omitempty"`
}

// deadWhole is all that is known of one.
type deadWhole struct {
	deadSummary
	Script   string          `json:"script"`
	Args     json.RawMessage `json:"args,omitempty"`
	Caller   string          `json:"caller,omitempty"`
	Role     string          `json:"role,omitempty"`
	Deadline *time.Time      `json:"deadline,omitempty"`
}

func summary(d queue.Dead) deadSummary {
	s := deadSummary{ID: d.Entry, PlayID: d.PlayID, GivenUp: d.At.UTC(), Why: d.Why, Deliveries: d.Deliveries, ScriptHash: d.ScriptHash()}
	if d.Err != nil {
		s.Unreadable = d.Err.Error()
	}
	return s
}

func whole(d queue.Dead) deadWhole {
	w := deadWhole{deadSummary: summary(d), Script: d.Play.Script, Args: d.Play.Args, Caller: d.Play.Caller, Role: d.Play.Role}
	if deadline := d.Play.Deadline.UTC(); d.Err == nil && !d.Play.Deadline.IsZero() {
		w.Deadline = &deadline
	}
	return w
}
