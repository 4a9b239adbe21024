// Command worker owns circles and runs their scripts. Its settings come from the
// environment; --help lists them.
package main

import (
	"context"
	"os"

	"circles/pkg/queue"
	"circles/pkg/settings"
	"circles/worker"
)

// version is set when a release is built.
var version = "dev"

func main() { os.Exit(command().Main()) }

func command() settings.Command[worker.Config] {
	return settings.Command[worker.Config]{
		Name: "worker", Version: version,
		Load: worker.FromEnv, Serve: serve, Healthcheck: worker.Healthcheck,
	}
}

func serve(ctx context.Context, cfg worker.Config) error {
	log := cfg.Logger(os.Stderr)
	queue.LogClient(log)
	w, err := worker.New(cfg, worker.Options{Logger: log, Advise: true})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}
