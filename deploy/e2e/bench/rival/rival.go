// Package rival has what the system is compared with: the floor, which is the gateway's own WebSocket stack answering at
// once, and other ways to get a script run and answered over a WebSocket. Each part is a process of its own.
package rival

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// What a part is told by its environment.
const (
	EnvRole    = "BENCH_ROLE"    // which part it is
	EnvCircles = "BENCH_CIRCLES" // comma-separated, for workers that have a loop for each
	EnvRedis   = "BENCH_REDIS"   // address of Redis, for those that use one
	EnvNATS    = "BENCH_NATS"    // URL of the NATS server, for its worker
)

// Listens is what a part logs, with its addr, when it can be reached.
const Listens = "the part listens"

// The parts.
const (
	Echo         = "echo"
	ListGateway  = "list-gateway"
	ListWorker   = "list-worker"
	NATSServer   = "nats-server"
	NATSWorker   = "nats-worker"
	AsynqGateway = "asynq-gateway"
	AsynqWorker  = "asynq-worker"
)

// Serve is a part until ctx ends.
func Serve(ctx context.Context, role string, getenv func(string) string, log *slog.Logger) error {
	redis, circles := getenv(EnvRedis), strings.Split(getenv(EnvCircles), ",")
	switch role {
	case Echo:
		return serveSockets(ctx, log, newEcho)
	case ListGateway:
		return serveListGateway(ctx, redis, log)
	case ListWorker:
		return serveListWorker(ctx, redis, circles, log)
	case NATSServer:
		return serveNATS(ctx, log)
	case NATSWorker:
		return serveNATSWorker(ctx, getenv(EnvNATS), circles, log)
	case AsynqGateway:
		return serveAsynqGateway(ctx, redis, log)
	case AsynqWorker:
		return serveAsynqWorker(ctx, redis, log)
	}
	return fmt.Errorf("%s is %q, which is no part", EnvRole, role)
}
