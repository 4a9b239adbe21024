package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"circles/pkg/client"
)

// maxScriptBytes bounds what is read as a script; gateways take much less.
const maxScriptBytes = 16 << 20

// playing is what the flags of play say.
type playing struct {
	script         string
	args           string
	timeout        time.Duration
	idempotencyKey string
}

func (c *command) play() *cobra.Command {
	var given playing
	cmd := &cobra.Command{
		Use:   "play FILE | -e SCRIPT | -",
		Short: "Play a script and print its value",
		Example: `  circle play fib.rhai --args '{"n": 20}'
  circle play -e '6 * 7' --url ws://localhost:8080/<circle key>
  echo '6 * 7' | circle play -`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, source, err := c.source(given.script, cmd.Flags().Changed("eval"), args)
			if err != nil {
				return err
			}
			options, err := given.options(cmd)
			if err != nil {
				return err
			}
			dialled, err := c.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { _ = dialled.Close() }()
			result, err := dialled.Play(cmd.Context(), source, options...)
			if err != nil {
				return &scriptError{name: name, source: source, repeatable: given.idempotencyKey != "", err: err}
			}
			if c.json {
				return c.printJSON(map[string]any{
					"play_id": result.PlayID, "output": result.Output, "value": result.Value,
					"elapsed_us": result.Elapsed.Microseconds(),
				})
			}
			_, _ = fmt.Fprintln(c.stdout, result.Output)
			return nil
		},
	}
	c.connectFlags(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&given.script, "eval", "e", "", "the script itself")
	flags.StringVar(&given.args, "args", "", "JSON that the script sees as args")
	flags.DurationVar(&given.timeout, "timeout", 0, "most time the play may take, as 5s or 300ms (default: the gateway's)")
	flags.StringVar(&given.idempotencyKey, "idempotency-key", "", "plays with the same key take effect once")
	return cmd
}

// source reads the script from where the command line says.
func (c *command) source(script string, inline bool, args []string) (name, source string, err error) {
	switch {
	case inline && len(args) > 0:
		return "", "", usagef("got both -e and %q, want one script", args[0])
	case inline:
		return "<script>", script, nil
	case len(args) != 1:
		return "", "", usagef("got %d scripts, want one: a FILE, -e SCRIPT, or - for standard input", len(args))
	case args[0] == "-" && c.keyFile == "-":
		return "", "", usagef("got standard input for both the script and the private key, want a file for one of them")
	case args[0] == "-":
		source, err = readScript(c.stdin)
		name = "<stdin>"
	default:
		name = args[0]
		source, err = readScriptFile(name)
	}
	if err != nil {
		return "", "", usagef("read the script: %v", err)
	}
	return name, source, nil
}

func readScriptFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	return readScript(file)
}

func readScript(from io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxScriptBytes+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxScriptBytes {
		return "", fmt.Errorf("got more than %d bytes", maxScriptBytes)
	}
	return string(data), nil
}

// options are the play's options, checked before anything is dialled.
func (p playing) options(cmd *cobra.Command) ([]client.PlayOption, error) {
	var options []client.PlayOption
	if cmd.Flags().Changed("args") {
		var value any
		if err := json.Unmarshal([]byte(p.args), &value); err != nil {
			return nil, usagef("--args is not JSON: %v", err)
		}
		options = append(options, client.Args(json.RawMessage(p.args)))
	}
	if cmd.Flags().Changed("timeout") {
		if p.timeout < time.Millisecond {
			return nil, usagef("got --timeout %s, want at least 1ms", p.timeout)
		}
		options = append(options, client.Timeout(p.timeout))
	}
	if p.idempotencyKey != "" {
		options = append(options, client.IdempotencyKey(p.idempotencyKey))
	}
	return options, nil
}
