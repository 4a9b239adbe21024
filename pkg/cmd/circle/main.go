// Command circle plays scripts in a circle from the command line, and makes
// keys.
//
//	circle keygen --out owner.key
//	circle play --url ws://localhost:8080/<circle key> --key-file owner.key -e '6 * 7'
//
// Operators look after plays that were given up, and at those that have ended, in
// Redis itself:
//
//	circle dead list|show|replay|drop
//	circle history list|show
//
// Private keys come from a file, standard input or the environment, never from
// a flag's value, which other users of the machine can read and shells remember.
//
// The exit code says what a script may do about a failure:
//
//	0    done
//	1    the script failed, timed out, hit a limit or was cancelled
//	2    the command was used wrongly
//	3    no connection, or the circle is not served there: nothing was played;
//	     of circle dead, Redis could not be asked and nothing was changed
//	4    not let in, or not permitted
//	5    busy, rate limited or without a worker: the play did not run, try again
//	6    the outcome is unknown: the play may have run, or may yet
//	7    the gateway failed otherwise
//	130  interrupted before anything was sent
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second interrupt does not wait for the farewell to the gateway.
	code := Run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
