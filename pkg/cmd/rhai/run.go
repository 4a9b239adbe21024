package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"circles/pkg/rhai"
	"circles/pkg/rhai/batch"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// errFailed is returned for scripts whose errors are reported already.
var errFailed = errors.New("a script failed")

// Run carries out one command line and returns the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "rhai",
		Short: "Run and inspect Rhai scripts",
		Long: `Run and inspect Rhai scripts.

Exit codes: 0 done; 1 a script failed; 2 wrong usage, or a file that can't be
read; 130 interrupted.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(runCommand(), checkCommand(), batchCommand(), dumpCommand(), metadataCommand(), definitionsCommand())
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "rhai: interrupted")
		return exitInterrupted
	case errors.Is(err, errFailed):
		return exitFailed
	}
	fmt.Fprintf(stderr, "rhai: %v; see rhai --help\n", err)
	return exitUsage
}

func runCommand() *cobra.Command {
	var timeout time.Duration
	var operations uint64
	var modules string
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a script (- is the standard input) and print its value",
		Long: `Run a script (- is the standard input) and print its value, unless that is ().
What the script prints goes to the standard output; its error, with the place and
the calls that it came through, to the standard error.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := read(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			limits := rhai.DefaultLimits()
			limits.Operations = operations
			// Flushed as the run ends, and by itself when there is much.
			out := bufio.NewWriter(cmd.OutOrStdout())
			print := func(line string) { _, _ = out.WriteString(line + "\n") }
			options := []rhai.Option{rhai.WithLimits(limits)}
			if modules != "" {
				folder, err := rhai.OpenDirectory(modules)
				if err != nil {
					return err
				}
				defer folder.Close()
				options = append(options, rhai.WithModules(folder))
			}
			engine := rhai.New(options...)
			program, err := engine.Compile(source)
			if err != nil {
				return explain(cmd.ErrOrStderr(), args[0], source, err)
			}
			value, err := program.Run(ctx, nil, rhai.WithPrint(print), rhai.WithDebug(print))
			if err == nil && !value.IsUnit() {
				print(value.Display())
			}
			if flushed := out.Flush(); flushed != nil {
				return flushed
			}
			if err != nil {
				return explain(cmd.ErrOrStderr(), args[0], source, err)
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "stop the script after this time; 0: never")
	cmd.Flags().Uint64Var(&operations, "max-operations", 0, "stop the script after this many operations; 0: never")
	cmd.Flags().StringVar(&modules, "modules", "", "import modules from the .rhai files of this folder; none without it")
	return cmd
}

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Compile scripts without running them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			engine := rhai.New()
			var failed error
			for _, name := range args {
				source, err := read(name, cmd.InOrStdin())
				if err != nil {
					return err
				}
				if _, err := engine.Compile(source); err != nil {
					failed = explain(cmd.ErrOrStderr(), name, source, err)
				}
			}
			return failed
		},
	}
}

func batchCommand() *cobra.Command {
	var timeout time.Duration
	var jobs int
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Answer scripts given as JSON lines with JSON lines",
		Long: `Read lines like {"id":1,"script":"40 + 2"} and write a line for each, in the
same order: {"id","ok","type","value","display","error_kind","error","line",
"column","stdout"}, with parse_kind, trace and scope besides. An answer whose
script could not be run has the error_kind Timeout or BadLine.

A line may have settings for its script:
  "modules"  what import finds: an object of sources by their paths
  "limits"   an object of numbers: operations, call_levels, expr_depth,
             function_expr_depth, variables, functions, modules, string_size,
             array_size, map_size
  "options"  an array of names: strict_variables, no_shadowing, no_looping,
             no_anonymous_fn, no_if_expression, no_switch_expression,
             no_loop_expression, no_statement_expression, optimize_none,
             optimize_full, fail_on_invalid_map_property, debugger`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return batch.NewRunner(timeout).Run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), jobs)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "stop each script after this time")
	cmd.Flags().IntVar(&jobs, "jobs", runtime.GOMAXPROCS(0), "run this many scripts at a time")
	return cmd
}

// read reads a file, or the standard input for -.
func read(name string, stdin io.Reader) (string, error) {
	if name == "-" {
		text, err := io.ReadAll(stdin)
		return string(text), err
	}
	text, err := os.ReadFile(name)
	return string(text), err
}
