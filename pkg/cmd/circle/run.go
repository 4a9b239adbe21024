package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

// command is one invocation and what it was given.
type command struct {
	getenv func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	url      string
	keyFile  string
	caFile   string
	redisURL string
	json     bool
}

// Run carries out one command line and returns the exit code.
func Run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &command{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:   "circle",
		Short: "Play Rhai scripts in a circle",
		Long: `Play Rhai scripts in a circle.

The circle is a WebSocket URL, ws://host:port/<circle key>, given by --url or
CIRCLE_URL. The private key that speaks for you comes from --key-file (- is the
standard input) or CIRCLE_SECRET_KEY, never from a flag's value. The commands of
circle dead and circle history ask the circle's Redis instead.

Exit codes: 0 done; 1 the script failed; 2 wrong usage; 3 no connection;
4 not let in; 5 busy, try again; 6 outcome unknown; 7 gateway failed;
130 interrupted.`,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		CompletionOptions:  cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(c.keygen(), c.play(), c.whoami(), c.ping(), c.dead(), c.history())
	// What cobra itself refuses is usage; what the commands return says what it is.
	executed, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	if executed == root {
		err = usagef("%v; see circle --help", err)
	}
	return c.report(ctx, err)
}

// exactly refuses the wrong number of arguments as wrong usage.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("got %d arguments, want %s; see %s --help", len(args), what, cmd.CommandPath())
		}
		return nil
	}
}
