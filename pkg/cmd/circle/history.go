package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"circles/pkg/queue"
)

// history are the commands for plays that have ended. Like those for dead ones
// they ask Redis itself.
func (c *command) history() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Look at plays that have ended",
		Long: `Look at plays that have ended, with what came of them. Workers keep them in Redis
when PRESERVE_TASKS is true, the last HISTORY_KEPT of each circle.

These commands need Redis, by --redis-url or REDIS_URL; a URL with a password
belongs into the latter. The circle is its key, or the one of CIRCLE_URL.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("got %q, want list or show; see %s --help", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.historyList(), c.historyShow())
	c.redisFlags(cmd)
	return cmd
}

func (c *command) historyList() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "list [CIRCLE]",
		Short: "List them, the last to end first",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onHistory(func(ctx context.Context, history *queue.History, ids []string) error {
			if len(ids) > 0 {
				return usagef("got %q, want the circle's key or nothing", ids[0])
			}
			if most < 1 {
				return usagef("got --most %d, want at least 1", most)
			}
			list, err := history.List(ctx, most)
			if err != nil {
				return err
			}
			if c.json {
				shown := make([]finishedSummary, len(list))
				for i, f := range list {
					shown[i] = finished(f)
				}
				return c.printJSON(shown)
			}
			table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "ID\tENDED\tELAPSED\tCALLER\tOUTCOME")
			for _, f := range list {
				caller := cmp.Or(f.Play.Caller, "nobody")
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", f.Entry, f.At.UTC().Format(time.RFC3339),
					f.Outcome.Elapsed, printable(caller[:min(shownHash, len(caller))]), finished(f).Outcome)
			}
			return table.Flush()
		}),
	}
	cmd.Flags().IntVar(&most, "most", 100, "how many at most")
	return cmd
}

func (c *command) historyShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [CIRCLE] ID",
		Short: "Show one whole: the script, its arguments, who played it, what came of it",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onHistory(func(ctx context.Context, history *queue.History, ids []string) error {
			if len(ids) != 1 {
				return usagef("got %d IDs, want one as circle history list prints it", len(ids))
			}
			f, err := history.Show(ctx, ids[0])
			if errors.Is(err, queue.ErrNotInHistory) {
				return usagef("%s: %v; see circle history list", ids[0], err)
			}
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(finishedAll(f))
			}
			table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
			row := func(name, value string) { _, _ = fmt.Fprintf(table, "%s\t%s\n", name, printable(value)) }
			row("id", f.Entry)
			row("play", f.PlayID)
			row("ended", f.At.UTC().Format(time.RFC3339Nano))
			row("outcome", finished(f).Outcome)
			if f.Err != nil {
				row("unreadable", f.Err.Error())
				return table.Flush()
			}
			if f.Outcome.Error != nil {
				row("error", f.Outcome.Error.Message)
			} else {
				row("value", f.Outcome.Output)
			}
			row("elapsed", f.Outcome.Elapsed.String())
			row("caller", cmp.Or(f.Play.Caller, "nobody")+" ("+cmp.Or(f.Play.Role, "no role")+")")
			row("args", cmp.Or(string(f.Play.Args), "none"))
			if err := table.Flush(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.stdout, "\n%s\n", printable(strings.TrimSuffix(f.Play.Script, "\n")))
			return err
		}),
	}
}

// onHistory runs one of the commands on a circle's history, with the arguments
// after the circle.
func (c *command) onHistory(run func(context.Context, *queue.History, []string) error) func(*cobra.Command, []string) error {
	return c.onRedis(func(ctx context.Context, on where, ids []string) error {
		return run(ctx, queue.NewHistory(on.redis, on.circle), ids)
	})
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
