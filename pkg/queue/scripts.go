package queue

import (
	"context"
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// The scripts run on Redis 7 and on miniredis. Each is headed by its keys, its
// arguments and its result.
var (
	//go:embed scripts/enqueue.lua
	enqueueSource string
	//go:embed scripts/withdraw.lua
	withdrawSource string
	//go:embed scripts/find.lua
	findSource string
	//go:embed scripts/recall.lua
	recallSource string
	//go:embed scripts/claim.lua
	claimSource string
	//go:embed scripts/renew.lua
	renewSource string
	//go:embed scripts/release.lua
	releaseSource string
	//go:embed scripts/take.lua
	takeSource string
	//go:embed scripts/pending.lua
	pendingSource string
	//go:embed scripts/commit.lua
	commitSource string
	//go:embed scripts/heartbeat.lua
	heartbeatSource string

	enqueueScript   = redis.NewScript(enqueueSource)
	withdrawScript  = redis.NewScript(withdrawSource)
	findScript      = redis.NewScript(findSource)
	recallScript    = redis.NewScript(recallSource)
	claimScript     = redis.NewScript(claimSource)
	renewScript     = redis.NewScript(renewSource)
	releaseScript   = redis.NewScript(releaseSource)
	takeScript      = redis.NewScript(takeSource)
	pendingScript   = redis.NewScript(pendingSource)
	commitScript    = redis.NewScript(commitSource)
	heartbeatScript = redis.NewScript(heartbeatSource)
)

// onceCmd is a command that go-redis must not send twice. Its Cluster client
// would otherwise do that when a connection breaks.
type onceCmd struct{ *redis.Cmd }

func (onceCmd) NoRetry() bool { return true }

// runOnce runs a script that must not be run twice.
func runOnce(ctx context.Context, rdb redis.UniversalClient, script *redis.Script, source string, keys []string, args ...any) *redis.Cmd {
	run := func(command, what string) *redis.Cmd {
		full := make([]any, 0, 3+len(keys)+len(args))
		full = append(full, command, what, len(keys))
		for _, key := range keys {
			full = append(full, key)
		}
		cmd := redis.NewCmd(ctx, append(full, args...)...)
		cmd.SetFirstKeyPos(3)
		_ = rdb.Process(ctx, onceCmd{cmd}) // cmd has the error
		return cmd
	}
	cmd := run("evalsha", script.Hash())
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd = run("eval", source)
	}
	return cmd
}

// A call is one run of a script.
type call struct {
	keys []string
	args []any
}

// runAll runs a script once for each call, in one round trip where the keys are
// on one server. Each result has its own error.
func runAll(ctx context.Context, rdb redis.UniversalClient, script *redis.Script, calls []call) []*redis.Cmd {
	results := make([]*redis.Cmd, len(calls))
	pipe := rdb.Pipeline()
	for i, c := range calls {
		results[i] = script.EvalSha(ctx, pipe, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	var again []int
	for i, result := range results {
		if redis.HasErrorPrefix(result.Err(), "NOSCRIPT") {
			again = append(again, i)
		}
	}
	if len(again) == 0 {
		return results
	}
	pipe = rdb.Pipeline()
	for _, i := range again {
		results[i] = script.Eval(ctx, pipe, calls[i].keys, calls[i].args...)
	}
	_, _ = pipe.Exec(ctx)
	return results
}

// reply reads a script's result, an array of texts and numbers, in order. After
// the first value that is not what was asked for it gives zero values.
type reply struct {
	rest []any
	bad  bool
}

func newReply(cmd *redis.Cmd) (*reply, error) {
	rest, err := cmd.Slice()
	if err != nil {
		return nil, err
	}
	return &reply{rest: rest}, nil
}

func (r *reply) more() bool { return len(r.rest) > 0 && !r.bad }

func (r *reply) next() any {
	if len(r.rest) == 0 {
		r.bad = true
		return nil
	}
	value := r.rest[0]
	r.rest = r.rest[1:]
	return value
}

func (r *reply) text() string {
	s, ok := r.next().(string)
	r.bad = r.bad || !ok
	return s
}

func (r *reply) number() int64 {
	n, ok := r.next().(int64)
	r.bad = r.bad || !ok
	return n
}

func (r *reply) err(script string) error {
	if r.bad {
		return &replyError{script}
	}
	return nil
}

type replyError struct{ script string }

func (e *replyError) Error() string {
	return "unexpected result of the script " + e.script + "; another release may have written it"
}
