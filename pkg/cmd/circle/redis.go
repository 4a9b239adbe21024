package main

import (
	"cmp"
	"context"
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

	// redisTimeout bounds the time that Redis is asked for.
	redisTimeout = 10 * time.Second

	// shownHash is how much of a script's hash a list shows.
	shownHash = 12
)

// onRedisGroup is a command that is nothing but its subcommands, which ask Redis.
func (c *command) onRedisGroup(name, short, long string, subcommands ...*cobra.Command) *cobra.Command {
	names := make([]string, len(subcommands))
	for i, sub := range subcommands {
		names[i] = sub.Name()
	}
	want := strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Long: long + `

These commands need Redis, by --redis-url or REDIS_URL; a URL with a password
belongs into the latter. The circle is its key, or the one of CIRCLE_URL.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("got %q, want %s; see %s --help", args[0], want, cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(subcommands...)
	for _, sub := range subcommands {
		sub.Flags().StringVar(&c.redisURL, "redis-url", "", "the circle's Redis (default: REDIS_URL, or "+defaultRedisURL+")")
		sub.Flags().BoolVar(&c.json, "json", false, "print JSON, errors included")
	}
	return cmd
}

// listing is how a command lists the entries that Redis keeps for a circle.
type listing[T, J any] struct {
	short  string
	most   int    // listed without --most
	header string // apart by tabs, as the rows are
	find   func(ctx context.Context, on where, most int) ([]T, error)
	row    func(T) string
	json   func(T) J
}

// listOf is the command of a listing.
func listOf[T, J any](c *command, l listing[T, J]) *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "list [CIRCLE]",
		Short: l.short,
		Args:  cobra.ArbitraryArgs,
		RunE: c.onRedis(func(ctx context.Context, on where, ids []string) error {
			if len(ids) > 0 {
				return usagef("got %q, want the circle's key or nothing", ids[0])
			}
			if most < 1 {
				return usagef("got --most %d, want at least 1", most)
			}
			list, err := l.find(ctx, on, most)
			if err != nil {
				return err
			}
			if c.json {
				shown := make([]J, len(list))
				for i, entry := range list {
					shown[i] = l.json(entry)
				}
				return c.printJSON(shown)
			}
			table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, l.header)
			for _, entry := range list {
				_, _ = fmt.Fprintln(table, l.row(entry))
			}
			return table.Flush()
		}),
	}
	cmd.Flags().IntVar(&most, "most", l.most, "how many at most")
	return cmd
}

// printEntry prints one entry: rows of a name and a value, and below them its script, unless there is none to show.
func (c *command) printEntry(script string, rows ...[2]string) error {
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", row[0], printable(row[1]))
	}
	if err := table.Flush(); err != nil || script == "" {
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "\n%s\n", printable(strings.TrimSuffix(script, "\n")))
	return err
}

// callerAndRole names who played.
func callerAndRole(p queue.Play) string {
	return cmp.Or(p.Caller, "nobody") + " (" + cmp.Or(p.Role, "no role") + ")"
}

// where is the circle that a command is about, and its Redis.
type where struct {
	redis  redis.UniversalClient
	circle circle.Key
}

// onRedis runs a command with the arguments after the circle.
func (c *command) onRedis(run func(context.Context, where, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		key, ids, err := c.circleAndIDs(args)
		if err != nil {
			return err
		}
		rdb, err := queue.Open(cmp.Or(c.redisURL, c.getenv("REDIS_URL"), defaultRedisURL))
		if err != nil {
			return usagef("%v", err)
		}
		defer func() { _ = rdb.Close() }()
		ctx, cancel := context.WithTimeout(cmd.Context(), redisTimeout)
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

// circleAndIDs is the circle: the first argument, unless that is an entry's id,
// or the key of CIRCLE_URL.
func (c *command) circleAndIDs(args []string) (circle.Key, []string, error) {
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
