// Command rhai runs Rhai scripts, checks them, and shows what the engine makes of them.
//
//	rhai run FILE       run a script, or the standard input for -
//	rhai check FILE...  compile only
//	rhai batch          scripts in, answers out, as JSON lines
//	rhai dump FILE      tokens, syntax tree and code
//	rhai metadata       functions as JSON: of a FILE, or of the standard library
//	rhai definitions    the same as a .d.rhai file for editors
//
// The exit code is 0 when all went well, 1 when a script failed, 2 when the command was used wrongly or a file can't
// be read, and 130 when it was interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
