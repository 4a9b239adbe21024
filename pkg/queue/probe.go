package queue

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Probe asks whether Redis takes writes now. It is refused just as queueing a
// play would be: by a Redis that is out of memory, is a replica, lacks replicas
// that it must have, can not write to its disk, or does not know the password.
// Nothing is written.
func Probe(ctx context.Context, rdb redis.UniversalClient) error {
	// Writing no bytes is a write command that leaves everything as it was.
	return rdb.SetRange(ctx, probeKey, 0, "").Err()
}
