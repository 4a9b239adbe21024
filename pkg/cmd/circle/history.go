package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"circles/pkg/queue"
)

// history are the commands for plays that have ended. Like those for dead ones
// they ask Redis itself.
func (c *command) history() *cobra.Command {
	return c.onRedisGroup("history", "Look at plays that have ended",
		`Look at plays that have ended, with what came of them. Workers keep them in Redis
when PRESERVE_TASKS is true, the last HISTORY_KEPT of each circle.`,
		c.historyList(), c.historyShow())
}

func (c *command) historyList() *cobra.Command {
	return listOf(c, listing[queue.Finished, finishedSummary]{
		short:  "List them, the last to end first",
		most:   100,
		header: "ID\tENDED\tELAPSED\tCALLER\tOUTCOME",
		find: func(ctx context.Context, on where, most int) ([]queue.Finished, error) {
			return queue.NewHistory(on.redis, on.circle).List(ctx, most)
		},
		row: func(f queue.Finished) string {
			caller := cmp.Or(f.Play.Caller, "nobody")
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s", f.Entry, f.At.UTC().Format(time.RFC3339),
				f.Outcome.Elapsed, printable(caller[:min(shownHash, len(caller))]), finished(f).Outcome)
		},
		json: finished,
	})
}

func (c *command) historyShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [CIRCLE] ID",
		Short: "Show one whole: the script, its arguments, who played it, what came of it",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onRedis(func(ctx context.Context, on where, ids []string) error {
			if len(ids) != 1 {
				return usagef("got %d IDs, want one as circle history list prints it", len(ids))
			}
			f, err := queue.NewHistory(on.redis, on.circle).Show(ctx, ids[0])
			if errors.Is(err, queue.ErrNotInHistory) {
				return usagef("%s: %v; see circle history list", ids[0], err)
			}
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(finishedAll(f))
			}
			rows := [][2]string{
				{"id", f.Entry},
				{"play", f.PlayID},
				{"ended", f.At.UTC().Format(time.RFC3339Nano)},
				{"outcome", finished(f).Outcome},
			}
			if f.Err != nil {
				return c.printEntry("", append(rows, [2]string{"unreadable", f.Err.Error()})...)
			}
			outcome := [2]string{"value", f.Outcome.Output}
			if f.Outcome.Error != nil {
				outcome = [2]string{"error", f.Outcome.Error.Message}
			}
			return c.printEntry(f.Play.Script, append(rows, outcome,
				[2]string{"elapsed", f.Outcome.Elapsed.String()},
				[2]string{"caller", callerAndRole(f.Play)},
				[2]string{"args", cmp.Or(string(f.Play.Args), "none")})...)
		}),
	}
}

// finishedSummary is what a list says of a play that has ended, as JSON.
type finishedSummary struct {
	ID         string    `json:"id"`
	PlayID     string    `json:"play_id"`
	Ended      time.Time `json:"ended"`
	Outcome    string    `json:"outcome"` // value, or the kind of error
	ElapsedUS  int64     `json:"elapsed_us"`
	Caller     string    `json:"caller,omitempty"`
	Unreadable string    `json:"unreadable,omitempty"`
}

// finishedWhole is all that is known of one.
type finishedWhole struct {
	finishedSummary
	Script string          `json:"script"`
	Args   json.RawMessage `json:"args,omitempty"`
	Role   string          `json:"role,omitempty"`
	Output string          `json:"output,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func finished(f queue.Finished) finishedSummary {
	s := finishedSummary{
		ID: f.Entry, PlayID: f.PlayID, Ended: f.At.UTC(), Outcome: "value",
		ElapsedUS: f.Outcome.Elapsed.Microseconds(), Caller: f.Play.Caller,
	}
	switch {
	case f.Err != nil:
		s.Outcome, s.Unreadable = "unreadable", f.Err.Error()
	case f.Outcome.Error != nil:
		s.Outcome = string(f.Outcome.Error.Kind)
	}
	return s
}

func finishedAll(f queue.Finished) finishedWhole {
	w := finishedWhole{
		finishedSummary: finished(f), Script: f.Play.Script, Args: f.Play.Args, Role: f.Play.Role,
		Output: f.Outcome.Output, Value: f.Outcome.Value,
	}
	if f.Outcome.Error != nil {
		w.Error = f.Outcome.Error.Message
	}
	return w
}
