package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
)

const (
	defaultLeaseTTL    = 5 * time.Second
	defaultBatch       = 64
	defaultResultsKept = 10_000
	defaultDeadKept    = 1_000
	defaultDeliveries  = 3

	// peersMark stands between a worker's id and its Peers in a heartbeat.
	peersMark = " "

	// renewals is how often a lease is renewed before it would end.
	renewals = 3
)

// ConsumerOptions are a Consumer's settings; zero values mean the defaults.
type ConsumerOptions struct {
	WorkerID      string        // unique among live workers; required
	Peers         string        // what the workers that share circles have in common; see Heartbeat
	LeaseTTL      time.Duration // how long a circle stays owned by a worker that is gone (5s)
	Batch         int           // most plays read at once (64)
	MaxDeliveries int           // a play is given up when its worker has died of it so often (3)
	ResultsKept   int           // outcomes kept in a circle's results (10000)
	DeadKept      int           // plays kept that were given up, for each circle (1000)
	HistoryKept   int           // finished plays kept in a circle's history (none)
	Logger        *slog.Logger  // default: none
}

// A Consumer owns circles on behalf of one worker: it claims them, keeps their
// leases and wakes those that have work. All of them share one subscription and
// the client's few connections, however many there are.
//
// Reading is never left blocked in Redis: a blocking XREADGROUP cannot check
// the fencing token, so a worker that was paused would take plays away from the
// new owner, out of order, and it needs a connection for each circle. Instead
// the script that queues a play reads it for the owner when nothing else waits,
// and hands it over through the owner's subscription.
type Consumer struct {
	rdb  redis.UniversalClient
	opts ConsumerOptions
	log  *slog.Logger

	committer *committer

	changed chan struct{} // capacity 1; see Changed

	mu     sync.Mutex
	leases map[string]*Lease // by the circle's text, as wake-ups name it
}

// NewConsumer returns a Consumer. The client is the caller's to close, after Run
// has returned; it must not retry by itself (see Open).
func NewConsumer(rdb redis.UniversalClient, opts ConsumerOptions) *Consumer {
	opts.LeaseTTL = cmp.Or(opts.LeaseTTL, defaultLeaseTTL)
	opts.Batch = cmp.Or(opts.Batch, defaultBatch)
	opts.ResultsKept = cmp.Or(opts.ResultsKept, defaultResultsKept)
	opts.DeadKept = cmp.Or(opts.DeadKept, defaultDeadKept)
	opts.MaxDeliveries = cmp.Or(opts.MaxDeliveries, defaultDeliveries)
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Consumer{
		rdb:       rdb,
		opts:      opts,
		log:       log,
		committer: newCommitter(rdb),
		changed:   make(chan struct{}, 1),
		leases:    make(map[string]*Lease),
	}
}

// Run renews leases and wakes them until ctx ends. It releases nothing: end the
// loops that use the leases, release those, and end Run then.
func (c *Consumer) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { c.listen(ctx) })
	loops.Go(func() { c.renew(ctx) })
	loops.Wait()
	return nil
}

// Changed is signalled when workers came or went, or a circle was released: it
// is time to look at who should own what.
func (c *Consumer) Changed() <-chan struct{} { return c.changed }

// Heartbeat says that this worker lives, for as long as a lease lasts, and
// returns the ids of all live workers with the same Peers as its own.
func (c *Consumer) Heartbeat(ctx context.Context) ([]string, error) {
	return c.heartbeat(ctx, c.opts.LeaseTTL)
}

// Leave withdraws the heartbeat.
func (c *Consumer) Leave(ctx context.Context) error {
	_, err := c.heartbeat(ctx, 0)
	return err
}

func (c *Consumer) heartbeat(ctx context.Context, ttl time.Duration) ([]string, error) {
	live, err := heartbeatScript.Run(ctx, c.rdb, []string{workersKey},
		c.opts.WorkerID+peersMark+c.opts.Peers, ttl.Milliseconds(), wakeChannel).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("heartbeat: %w", err)
	}
	ids := make([]string, 0, len(live))
	for _, member := range live {
		if i := strings.LastIndex(member, peersMark); i >= 0 && member[i+len(peersMark):] == c.opts.Peers {
			ids = append(ids, member[:i])
		}
	}
	return ids, nil
}

// Claim takes ownership of a circle, or returns ErrOwned.
func (c *Consumer) Claim(ctx context.Context, key circle.Key) (*Lease, error) {
	sent := time.Now()
	cmd := claimScript.Run(ctx, c.rdb, []string{streamKey(key), ownerKey(key), fenceKey(key)},
		c.opts.WorkerID, c.opts.LeaseTTL.Milliseconds(), group)
	r, err := newReply(cmd)
	if err != nil {
		return nil, fmt.Errorf("claim circle %v: %w", key, err)
	}
	token, rest := r.text(), r.text()
	if token == "" && !r.bad {
		return nil, ErrOwned
	}
	inherited := r.text()
	if err := r.err("claim"); err != nil {
		return nil, err
	}
	l := &Lease{
		c:      c,
		circle: key,
		token:  token,
		keys:   leaseKeys{stream: streamKey(key), owner: ownerKey(key), fence: fenceKey(key), commits: commitsKey(key), results: resultsKey(key), dead: deadKey(key), state: stateKey(key), history: historyKey(key), pace: paceKey(key)},
		poked:  make(chan struct{}, 1),
		reread: true,
		heir:   inherited != "",
		out:    make(map[string]int),

		results: kept{most: c.opts.ResultsKept},

		inherited: inherited,
	}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	l.clock.observe(entryTime(rest), sent, time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leases[key.String()] = l
	return l, nil
}

func (c *Consumer) lease(key string) *Lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leases[key]
}

func (c *Consumer) held() []*Lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := make([]*Lease, 0, len(c.leases))
	for _, l := range c.leases {
		held = append(held, l)
	}
	return held
}

func (c *Consumer) forget(l *Lease) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key := l.circle.String(); c.leases[key] == l {
		delete(c.leases, key)
	}
}

// listen hears which circles have work.
func (c *Consumer) listen(ctx context.Context) {
	subscribed := func() {
		for _, l := range c.held() {
			l.poke()
		}
		signal(c.changed)
	}
	hearer{c.rdb, c.log, quietTime, subscribed, c.woken}.hear(ctx, wakeChannel, wakePrefix+c.opts.WorkerID)
}

func (c *Consumer) woken(m *redis.Message) {
	if m.Channel == wakeChannel {
		signal(c.changed)
		return
	}
	key, rest, _ := strings.Cut(m.Payload, " ")
	l := c.lease(key)
	if l == nil {
		return
	}
	heads, plays, handed := strings.Cut(rest, "\n")
	switch token, heads, _ := strings.Cut(heads, " "); {
	case rest == "":
		l.poke()
	case !handed:
		l.withdraw(rest)
	case token == l.token:
		l.handOver(handedOver{heads, plays})
	}
}

// renew renews all leases in one round trip, a few times in a lease's life.
func (c *Consumer) renew(ctx context.Context) {
	every := c.opts.LeaseTTL / renewals
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.renewAll(ctx, every)
		}
	}
}

func (c *Consumer) renewAll(ctx context.Context, timeout time.Duration) {
	held := c.held()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	calls := make([]call, len(held))
	for i, l := range held {
		calls[i] = call{
			[]string{l.keys.stream, l.keys.owner, l.keys.fence},
			[]any{l.token, c.opts.WorkerID, c.opts.LeaseTTL.Milliseconds(), group},
		}
	}
	sent := time.Now()
	var failed error
	for i, cmd := range runAll(ctx, c.rdb, renewScript, calls) {
		l := held[i]
		r, err := newReply(cmd)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if r.number() == 0 {
			l.lose()
			continue
		}
		now, entries := r.text(), r.number()
		if err := r.err("renew"); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		l.clock.observe(entryTime(now), sent, time.Now())
		if entries > 0 {
			l.poke() // in case a wake-up was lost
		}
	}
	if failed != nil && ctx.Err() == nil {
		c.log.Warn("renew leases", "error", failed)
	}
}

// signal sends to a channel of capacity 1 unless it is signalled already.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
