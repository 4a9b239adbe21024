// Command launcher runs a whole system on one host, in one process: the gateway
// and one worker for each circle.
//
//	go run ./launcher --dev
//	go run ./launcher --port 8080 -k <public key> -k <public key>
//
// The exit code is 0 after an orderly end, 1 when something failed, 2 when the
// flags or settings were wrong.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"

	"circles/pkg/settings"
)

// version is set when a release is built.
var version = "dev"

func main() {
	redis.SetLogger(quiet{})
	interrupted, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.Background())
	// The first signal asks for an orderly end. By the time that begins, signals do
	// again what they do by themselves: a second one ends the process at once.
	context.AfterFunc(interrupted, func() {
		restore()
		end()
	})
	collectorRests := settings.RestCollector()
	code := Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	collectorRests()
	end()
	restore()
	os.Exit(code)
}

// quiet drops what the Redis library prints beside the errors that it returns.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
