package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"circles/pkg/circle"
	"circles/pkg/queue"
)

const (
	defaultRedisURL = "redis://127.0.0.1:6379"

	// deadTimeout bounds what Redis is asked.
	deadTimeout = 10 * time.Second

	// shownHash is how much of a script's hash a list shows.
	shownHash = 12
)

// dead are the commands for plays that were given up. They ask Redis itself:
// what a script is and who played it is not for a gateway's clients.
func (c *command) dead() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "Look after plays that were given up",
		Long: `Look after plays that were given up: their worker died each time it ran them,
MAX_DELIVERIES times. They are kept in Redis, with the reason.

These commands need Redis, by --redis-url or REDIS_URL; a URL with a password
belongs into the latter. The circle is its key, or the one of CIRCLE_URL.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("got %q, want list, show, replay or drop; see %s --help", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.deadList(), c.deadShow(), c.deadReplay(), c.deadDrop())
	c.redisFlags(cmd)
	return cmd
}

// redisFlags adds the flags of commands that ask Redis.
func (c *command) redisFlags(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		sub.Flags().StringVar(&c.redisURL, "redis-url", "", "the circle's Redis (default: REDIS_URL, or "+defaultRedisURL+")")
		sub.Flags().BoolVar(&c.json, "json", false, "print JSON, errors included")
	}
}

func (c *command) deadList() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "list [CIRCLE]",
		Short: "List them, oldest first",
		Args:  cobra.ArbitraryArgs,
		RunE: c.onDead(func(ctx context.Context, letters *queue.DeadLetters, ids []string) error {
			if len(ids) > 0 {
				return usagef("got %q, want the circle's key or nothing", ids[0])
			}
			if most < 1 {
				return usagef("got --most %d, want at least 1", most)
			}
			list, err := letters.List(ctx, most)
			if err != nil {
				return err
			}
			if c.json {
				shown := make([]deadSummary, len(list))
				for i, d := range list {
					shown[i] = summary(d)
				}
				return c.printJSON(shown)
			}
			table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "ID\tGIVEN UP\tDELIVERIES\tSCRIPT\tWHY")
			for _, d := range list {
				hash := d.ScriptHash()
				_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", d.Entry, d.At.UTC().Format(time.RFC3339), d.Deliveries,
					cmp.Or(hash[:min(shownHash, len(hash))], "unreadable"), printable(d.Why))
			}
			return table.Flush()
		}),
	}
	cmd.Flags().IntVar(&most, "most", 1000, "how many at most")
	return cmd
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
			table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
			row := func(name, value string) { _, _ = fmt.Fprintf(table, "%s\t%s\n", name, printable(value)) }
			row("id", d.Entry)
			row("play", d.PlayID)
			row("given up", d.At.UTC().Format(time.RFC3339Nano))
			row("why", d.Why)
			row("deliveries", strconv.Itoa(d.Deliveries))
			if d.Err != nil {
				row("unreadable", d.Err.Error())
				return table.Flush()
			}
			row("caller", cmp.Or(d.Play.Caller, "nobody")+" ("+cmp.Or(d.Play.Role, "no role")+")")
			row("deadline", d.Play.Deadline.UTC().Format(time.RFC3339Nano))
			row("args", cmp.Or(string(d.Play.Args), "none"))
			row("sha-256", d.ScriptHash())
			if err := table.Flush(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.stdout, "\n%s\n", printable(strings.TrimSuffix(d.Play.Script, "\n")))
			return err
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

// where is the circle that a command is about, and its Redis.
type where struct {
	redis  redis.UniversalClient
	circle circle.Key
}

// onRedis runs a command with the arguments after the circle.
func (c *command) onRedis(run func(context.Context, where, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		key, ids, err := c.deadCircle(args)
		if err != nil {
			return err
		}
		rdb, err := queue.Open(cmp.Or(c.redisURL, c.getenv("REDIS_URL"), defaultRedisURL))
		if err != nil {
			return usagef("%v", err)
		}
		defer func() { _ = rdb.Close() }()
		ctx, cancel := context.WithTimeout(cmd.Context(), deadTimeout)
		defer cancel()
		err = run(ctx, where{rdb, key}, ids)
		if hint, ok := redisHint(rdb, err); ok {
			return fmt.Errorf("%w; %s", err, hint)
		}
		return err
	}
}

// redisHint says what to do about a Redis that could not be asked.
func redisHint(rdb redis.UniversalClient, err error) (string, bool) {
	var unavailable *queue.UnavailableError
	if !errors.As(err, &unavailable) {
		return "", false
	}
	if one, ok := rdb.(*redis.Client); ok {
		return fmt.Sprintf("asked %s: give another one by --redis-url or REDIS_URL", one.Options().Addr), true
	}
	return "give another one by --redis-url or REDIS_URL", true
}

// deadCircle is the circle: the first argument, unless that is an entry's id,
// or the key of CIRCLE_URL.
func (c *command) deadCircle(args []string) (circle.Key, []string, error) {
	if len(args) > 0 && !strings.Contains(args[0], "-") {
		key, err := circle.Parse(args[0])
		if err != nil {
			return circle.Key{}, nil, usagef("%q is neither a circle's key nor an ID: %v", args[0], err)
		}
		return key, args[1:], nil
	}
	where := c.getenv("CIRCLE_URL")
	if where == "" {
		return circle.Key{}, nil, usagef("got no circle, want its key as the first argument, or CIRCLE_URL")
	}
	// The parser's error would repeat the URL, which may contain a password.
	if u, err := url.Parse(where); err == nil {
		if key, err := circle.Parse(path.Base(u.Path)); err == nil {
			return key, args, nil
		}
	}
	return circle.Key{}, nil, usagef("CIRCLE_URL does not end in a circle's key, want ws://host:port/<circle key>")
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

// printable is a text of a stranger's for the terminal: what would steer the
// terminal is shown as an escape.
func printable(text string) string {
	var out strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) || r == '\n' || r == '\t' {
			out.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		out.WriteString(quoted[1 : len(quoted)-1])
	}
	return out.String()
}
