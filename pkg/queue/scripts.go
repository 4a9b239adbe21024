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

// command is the one that runs a script for a call, by its hash or, where Redis
// does not know that, by its source.
func (c call) command(ctx context.Context, name, script string) *redis.Cmd {
	full := make([]any, 0, 3+len(c.keys)+len(c.args))
	full = append(full, name, script, len(c.keys))
	for i := range c.keys {
		full = append(full, &c.keys[i])
	}
	cmd := redis.NewCmd(ctx, append(full, c.args...)...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// runOnce runs a script that must not be run twice.
func runOnce(ctx context.Context, rdb redis.UniversalClient, script *redis.Script, source string, c call) *redis.Cmd {
	cmd := c.command(ctx, "evalsha", script.Hash())
	_ = rdb.Process(ctx, onceCmd{cmd}) // cmd has the error
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd = c.command(ctx, "eval", source)
		_ = rdb.Process(ctx, onceCmd{cmd})
	}
	return cmd
}

// runAllOnce is runAll for a script that must not be run twice for a call.
func runAllOnce(ctx context.Context, rdb redis.UniversalClient, script *redis.Script, source string, calls []call) []*redis.Cmd {
	results := make([]*redis.Cmd, len(calls))
	run := func(name, script string, skip func(int) bool) {
		pipe := rdb.Pipeline()
		for i, c := range calls {
			if !skip(i) {
				results[i] = c.command(ctx, name, script)
				_ = pipe.Process(ctx, onceCmd{results[i]}) // it is sent by Exec
			}
		}
		if pipe.Len() > 0 {
			send(ctx, pipe, results)
		}
	}
	run("evalsha", script.Hash(), func(int) bool { return false })
	run("eval", source, func(i int) bool { return !redis.HasErrorPrefix(results[i].Err(), "NOSCRIPT") })
	return results
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
	send(ctx, pipe, results)
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
	send(ctx, pipe, results)
	return results
}

// send sends a pipeline, after which each command has its own error. The client leaves commands without an error, and
// without an answer, when it is Redis that refuses a new connection, for its password as an example.
func send(ctx context.Context, pipe redis.Pipeliner, commands []*redis.Cmd) {
	if _, err := pipe.Exec(ctx); err != nil {
		for _, cmd := range commands {
			if cmd.Err() == nil && cmd.Val() == nil {
				cmd.SetErr(err)
			}
		}
	}
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
