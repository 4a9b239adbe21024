// Command gateway takes scripts over WebSockets and hands them to the circles'
// queues. Its settings come from the environment; --help lists them.
package main

import (
	"context"
	"os"

	"circles/gateway"
	"circles/pkg/queue"
	"circles/pkg/settings"
)

// version is set when a release is built.
var version = "dev"

func main() { os.Exit(command().Main()) }

func command() settings.Command[gateway.Config] {
	return settings.Command[gateway.Config]{
		Name: "gateway", Version: version,
		Load: gateway.FromEnv, Serve: serve, Healthcheck: gateway.Healthcheck,
	}
}

func serve(ctx context.Context, cfg gateway.Config) error {
	log := cfg.Logger(os.Stderr)
	queue.LogClient(log)
	server, err := gateway.New(cfg, gateway.Options{Logger: log, Version: version, Advise: true})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
