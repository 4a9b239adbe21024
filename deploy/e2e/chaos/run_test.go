package chaos

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"circles/deploy/e2e/chaos/history"
	"circles/deploy/e2e/chaos/proxy"
	"circles/deploy/internal/process"
	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/queue"
)

const (
	// openPatience bounds the start of everything, resumePatience the time from
	// the end of the last fault until every circle serves again.
	openPatience   = 30 * time.Second
	resumePatience = 30 * time.Second

	// deadlineMargin is for what begins just before its deadline.
	deadlineMargin = 500 * time.Millisecond

	shutdownTimeout = 3 * time.Second
)

// A run is one schedule being carried out on real processes.
type run struct {
	t        *testing.T
	schedule schedule
	folder   string // for logs; removed when nothing was found
	began    time.Time
	opened   time.Duration // when the load began

	store    *store
	workers  []*node
	gateways []*node
	circles  []*circleRun
	callers  []*caller

	dispatcher *queue.Dispatcher // of this process
	direct     *proxy.Proxy      // between it and Redis

	pending   []step
	injected  map[faultKind]int
	rollbacks []history.Rollback
	problems  []string // besides what the checker finds
}

// step is something the injector does at a time.
type step struct {
	at time.Duration
	do func() error
}

func (r *run) clock() time.Duration { return time.Since(r.began) }

// execute carries a schedule out and returns what came of it.
func execute(t *testing.T, s schedule, bin process.Binaries, folder string) figures {
	t.Helper()
	r := &run{t: t, schedule: s, folder: folder, began: time.Now(), injected: make(map[faultKind]int)}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	r.store = startStore(t, s.Fsync, r.clock)
	r.startNodes(bin)
	r.open()

	stop, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for _, c := range r.callers {
		load.Go(func() { c.run(stop) })
	}
	resumed := r.harm()
	cancel()
	load.Wait()
	if resumed {
		r.conclude()
	}
	r.readLogs()
	return r.figures()
}

// startNodes makes the circles, the proxies and the processes.
func (r *run) startNodes(bin process.Binaries) {
	s := r.schedule
	var keys []string
	for i := range s.Circles {
		secret := r.secret(i)
		c := &circleRun{index: i, secret: secret, key: secret.Public(), workload: workload(i)}
		r.circles = append(r.circles, c)
		keys = append(keys, c.key.String())
	}
	both := []string{
		"PATH=" + os.Getenv("PATH"),
		"CIRCLE_KEYS=" + strings.Join(keys, ","),
		"LOG_FORMAT=text",
		"SHUTDOWN_TIMEOUT=" + shutdownTimeout.String(),
	}
	for i := range s.Workers {
		toRedis := r.proxy(r.store.server.Addr)
		r.add(&r.workers, &node{
			name: fmt.Sprintf("worker-%d", i), binary: bin.Worker, toRedis: toRedis,
			env: func(incarnation int) []string {
				id := fmt.Sprintf("w%d", i)
				if !s.FixedIDs {
					id = fmt.Sprintf("w%d.%d", i, incarnation)
				}
				return append(slices.Clone(both), "REDIS_URL=redis://"+toRedis.Addr(), "WORKER_ID="+id,
					"WORKER_HTTP_ADDR=", "LEASE_TTL="+s.Lease.String(), "RESULTS_KEPT="+strconv.Itoa(s.Results))
			},
		})
	}
	for i := range s.Gateways {
		toRedis, port := r.proxy(r.store.server.Addr), freePort(r.t)
		front := r.proxy("127.0.0.1:" + strconv.Itoa(port))
		r.add(&r.gateways, &node{
			name: fmt.Sprintf("gateway-%d", i), binary: bin.Gateway, toRedis: toRedis, front: front,
			env: func(int) []string {
				return append(slices.Clone(both), "REDIS_URL=redis://"+toRedis.Addr(),
					"GATEWAY_PORT="+strconv.Itoa(port), "AUTH_AUDIENCES="+front.Addr())
			},
		})
	}
	r.startDispatcher()
	for _, c := range r.circles {
		for i := range s.Clients + 1 {
			index := len(r.callers)
			one := &caller{
				name: fmt.Sprintf("c%d.%d", c.index, i), circle: c, urls: r.urls(c), clock: r.clock,
				rand: rand.New(rand.NewPCG(s.Seed, uint64(100+index))), at: index,
				reconnects: i%2 == 1,
			}
			if i == s.Clients {
				one.direct = r.dispatcher
			}
			r.callers = append(r.callers, one)
		}
	}
}

// startDispatcher makes this process one that submits plays without a gateway.
func (r *run) startDispatcher() {
	r.t.Helper()
	r.direct = r.proxy(r.store.server.Addr)
	rdb, err := queue.Open("redis://" + r.direct.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.dispatcher = queue.NewDispatcher(rdb, queue.DispatcherOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.dispatcher.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, rdb.Close(), r.direct.Close()); err != nil {
			r.t.Errorf("dispatcher: %v", err)
		}
	})
}

func (r *run) add(list *[]*node, n *node) {
	r.t.Helper()
	n.log = filepath.Join(r.folder, n.name+".log")
	r.t.Cleanup(func() {
		if err := n.close(); err != nil {
			r.t.Errorf("%s: %v", n.name, err)
		}
	})
	*list = append(*list, n)
	if err := n.start(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) proxy(upstream string) *proxy.Proxy {
	r.t.Helper()
	p, err := proxy.Listen(upstream)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// secret is a circle's; which worker a circle prefers depends on its key, so it
// is a function of the seed as well.
func (r *run) secret(index int) circle.Secret {
	r.t.Helper()
	digest := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("circle"), r.schedule.Seed<<8|uint64(index)))
	secret, err := circle.ParseSecret(hex.EncodeToString(digest[:]))
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

func (r *run) urls(c *circleRun) []string {
	var urls []string
	for _, g := range r.gateways {
		urls = append(urls, "ws://"+g.front.Addr()+"/"+c.key.String())
	}
	return urls
}

// open gives each circle its first state.
func (r *run) open() {
	r.t.Helper()
	args := map[string]any{"accounts": accounts, "opening": opening}
	for _, c := range r.circles {
		if _, err := r.insist(c, scriptsOf(c.workload).open, args, openPatience); err != nil {
			r.t.Fatalf("%s circle %d can not be opened: %v; logs in %s", c.workload, c.index, err, r.folder)
		}
	}
	r.store.keep(r.t)
	r.opened = r.clock()
}

// insist plays a script that may be played more than once, until it has been.
func (r *run) insist(c *circleRun, script string, args any, patience time.Duration) (*client.Result, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for at := 0; ; at++ {
		result, err := r.once(ctx, c, at, script, args)
		if err == nil {
			return result, nil
		}
		var answered *client.Error
		if errors.As(err, &answered) {
			if _, failed := answered.Script(); failed {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *run) once(ctx context.Context, c *circleRun, at int, script string, args any) (*client.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	urls := r.urls(c)
	conn, err := client.Dial(ctx, urls[at%len(urls)], client.WithDialTimeout(dialPatience))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Authenticate(ctx, c.secret); err != nil {
		return nil, err
	}
	return conn.Play(ctx, script, client.Args(args), client.Timeout(3*time.Second))
}

// harm carries the faults out and mends everything, and reports whether every
// circle serves again after that.
func (r *run) harm() bool {
	r.t.Helper()
	for _, f := range r.schedule.Faults {
		f.At += r.opened
		r.later(f.At, func() error { return r.inject(f) })
	}
	r.later(r.opened+r.schedule.Length, func() error { return nil })
	for len(r.pending) > 0 {
		next := r.pending[0]
		r.pending = r.pending[1:]
		time.Sleep(next.at - r.clock())
		if err := next.do(); err != nil {
			r.t.Fatal(err)
		}
		r.lookForDead()
	}
	for _, c := range r.circles {
		if _, err := r.insist(c, `1`, nil, resumePatience); err != nil {
			r.problem("circle %d does not serve again %v after the last fault: %v", c.index, resumePatience, err)
			return false
		}
	}
	return true
}

func (r *run) later(at time.Duration, do func() error) {
	i, _ := slices.BinarySearchFunc(r.pending, at, func(s step, at time.Duration) int {
		return cmp.Or(cmp.Compare(s.at, at), -1) // behind those at the same time
	})
	r.pending = slices.Insert(r.pending, i, step{at, do})
}

func (r *run) lookForDead() {
	for _, n := range slices.Concat(r.workers, r.gateways) {
		if n.died() {
			r.problem("%s ended by itself; its log is %s", n.name, n.log)
			n.asked = true
			if err := n.start(); err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

// readLogs looks for what no log should have, whatever the level.
func (r *run) readLogs() {
	for _, n := range slices.Concat(r.workers, r.gateways) {
		text, err := os.ReadFile(n.log)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, bad := range []string{"WARNING: DATA RACE", "panic: ", "goroutine "} {
			if bytes.Contains(text, []byte(bad)) {
				r.problem("%s: %q", n.log, bad)
			}
		}
	}
}

func (r *run) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// conclude starts the workers anew, so that what is read is what Redis has, and
// reads every circle's state when nothing can be under way any more.
func (r *run) conclude() {
	r.t.Helper()
	for _, w := range r.workers {
		if err := w.end(); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, w := range r.workers {
		select {
		case <-w.process.Exited():
		case <-time.After(endPatience):
			r.problem("%s does not end %v after SIGTERM", w.name, endPatience)
			if err := w.kill(); err != nil {
				r.t.Fatal(err)
			}
		}
		if err := w.start(); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, c := range r.circles {
		time.Sleep(c.lastDue + deadlineMargin - r.clock())
	}
	for _, c := range r.circles {
		if !r.judge(c) {
			continue
		}
		// What was played last was the last of the queue.
		if left, err := r.store.admin.XLen(r.t.Context(), "rhai_tasks:"+c.key.String()).Result(); err != nil || left > 0 {
			r.problem("circle %d has %d plays left in its queue, %v", c.index, left, err)
		}
	}
	r.lookForDead()
}
