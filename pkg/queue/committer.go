package queue

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// commitBytes bounds what is sent of commits at once.
const commitBytes = 1 << 20

// A committer sends the commits of an owner's circles. Those that come while others
// are on their way go together, in the next round: what a commit costs a worker
// and Redis beside the script is mostly system calls and wake-ups, which a round
// has once. A commit alone waits for nobody.
//
// There is no goroutine for it: of those that wait, the first sends for all.
type committer struct {
	rdb redis.UniversalClient

	// alone says that each goes alone. On a Cluster a round would be as slow as
	// its slowest server, and circles on others would wait for one that hangs.
	alone bool

	mu      sync.Mutex
	waiting []*commit
	sending bool // somebody sends a round, or has been told to
}

// A commit waits to be sent, or for its answer.
type commit struct {
	call
	bytes  int
	answer *redis.Cmd
	told   chan struct{} // capacity 1: there is the answer or, when there is none, it is this one's turn to send
}

func newCommitter(rdb redis.UniversalClient) *committer {
	_, cluster := rdb.(*redis.ClusterClient)
	return &committer{rdb: rdb, alone: cluster}
}

// run runs the script for a commit that has so many bytes. The answer is there
// also when ctx ends meanwhile.
func (s *committer) run(ctx context.Context, c call, bytes int) *redis.Cmd {
	ctx = context.WithoutCancel(ctx) // it may send those of others as well
	if s.alone {
		return runOnce(ctx, s.rdb, commitScript, commitSource, c)
	}
	own := &commit{call: c, bytes: bytes}
	s.mu.Lock()
	s.waiting = append(s.waiting, own)
	if s.sending {
		own.told = make(chan struct{}, 1)
		s.mu.Unlock()
		if <-own.told; own.answer != nil {
			return own.answer
		}
		s.mu.Lock()
	}
	s.sending = true
	round := s.takeRound()
	s.mu.Unlock()
	s.send(ctx, round)
	s.mu.Lock()
	if s.sending = len(s.waiting) > 0; s.sending {
		s.waiting[0].told <- struct{}{}
	}
	s.mu.Unlock()
	return own.answer
}

// takeRound takes what is sent at once, the oldest first. The caller holds mu.
func (s *committer) takeRound() []*commit {
	n, bytes := 0, 0
	for n < len(s.waiting) && (n == 0 || bytes < commitBytes) {
		bytes += s.waiting[n].bytes
		n++
	}
	round := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
	return round
}

// send sends a round, the first of which is the caller's, and tells the others.
func (s *committer) send(ctx context.Context, round []*commit) {
	if len(round) == 1 {
		round[0].answer = runOnce(ctx, s.rdb, commitScript, commitSource, round[0].call)
		return
	}
	calls := make([]call, len(round))
	for i, c := range round {
		calls[i] = c.call
	}
	for i, answer := range runAllOnce(ctx, s.rdb, commitScript, commitSource, calls) {
		round[i].answer = answer
		if i > 0 {
			round[i].told <- struct{}{}
		}
	}
}
