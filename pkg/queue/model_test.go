package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"circles/pkg/circle"
	"circles/pkg/redistest"
)

// The protocol as a model. The machine below does at random what gateways,
// workers and bad luck do to one circle, in every order that rapid comes up
// with, and compares each answer and what Redis holds with a model that is too
// simple to be wrong: a list of plays, a set of those that are settled, and the
// one lease that counts.
//
// Nothing runs in the background here: no lease is renewed, no reply received
// and no deadline watched unless the machine says so. That a lease expires is
// the deletion of the owner's key, that a worker is paused is that its lease is
// not used, and that it wakes is that it is used again.
const (
	modelWorkers = 3
	modelLimit   = 6 // of the queue
	modelBatch   = 3
	modelDeaths  = 2 // that a play may cause
)

// modelPlay is a play that was queued.
type modelPlay struct {
	id     string
	script string
	read   bool // by a worker
	deaths int  // of workers that had it
}

// modelLease is a lease whose worker has not crashed.
type modelLease struct {
	*Lease
	worker int
	hand   []Delivery // read and not committed
	upTo   int        // the sequence number of the last play that was handed out since rereading began
	had    map[string]bool

	// The circle's state counts the plays that ran and names each. A worker
	// remembers the count from one commit to the next, as long as all goes well.
	count int
	known bool

	commits int // that the circle had when the lease heard last; -1 before that
}

type model struct {
	rdb     redis.UniversalClient
	key     circle.Key
	d       *Dispatcher
	workers []*Consumer
	channel *redis.PubSub // that all workers hear

	queue     []*modelPlay
	handed    []*redis.Message // that no worker has heard yet
	committed []string         // ids in order
	fate      map[string]string
	waiting   map[string]chan Outcome // plays whose caller has no answer yet
	number    int

	leases []*modelLease
	latest *modelLease // the one that was claimed last; nil when it was released
	owned  bool        // nobody may claim

	commits   int    // that Redis has
	delivered int    // the sequence number of the last play that was read
	disk      *saved // what a crash of Redis would leave; nil: it would leave everything
	lossy     bool   // Redis has crashed: deliveries may be counted too low
}

// saved is everything that is in Redis, at some time.
type saved struct {
	keys      map[string]string // as DUMP has them
	queue     []*modelPlay
	committed []string
	fate      map[string]string
	latest    *modelLease
	owned     bool
	commits   int
	delivered int
}

func TestModel(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		rdb := connect(t, server)
		channel := rdb.PSubscribe(within(t), wakePrefix+"*")
		t.Cleanup(func() { channel.Close() })
		if _, err := channel.Receive(within(t)); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			m := newModel(t, rdb)
			m.channel = channel
			actions := map[string]func(*rapid.T){
				"":              m.check,
				"submit":        m.submit,
				"cancel":        m.cancel,
				"deadline":      m.deadline,
				"resubscribe":   m.resubscribe,
				"claim":         m.claim,
				"lease expires": m.expire,
				"renew":         m.renew,
				"hear":          m.hear,
				"read":          m.read,
				"commit":        m.commit,
				"commit more":   m.commit, // twice as often as the rest
				"read more":     m.read,
				"commit again":  m.commitAgain,
				"release":       m.release,
				"crash":         m.crash,
				"flush scripts": m.flush,
				"forget":        m.forget,
			}
			if server.Real { // the embedded one does not dump streams
				actions["redis syncs"], actions["redis crashes"] = m.sync, m.lose
			}
			rt.Repeat(actions)
			m.drain(rt)
		})
	})
}

func newModel(t *testing.T, rdb redis.UniversalClient) *model {
	m := &model{
		rdb: rdb, key: newCircle(t), d: NewDispatcher(rdb, DispatcherOptions{QueueLimit: modelLimit}),
		fate: make(map[string]string), waiting: make(map[string]chan Outcome),
	}
	for i := range modelWorkers {
		m.workers = append(m.workers, NewConsumer(rdb, ConsumerOptions{
			WorkerID: fmt.Sprintf("w%d", i), LeaseTTL: time.Hour, Batch: modelBatch, MaxDeliveries: modelDeaths,
		}))
	}
	return m
}

// find is where a play is in the queue; -1 when it is not.
func (m *model) find(id string) int {
	return slices.IndexFunc(m.queue, func(p *modelPlay) bool { return p.id == id })
}

func (m *model) remove(id, fate string) {
	i := m.find(id)
	m.queue = slices.Delete(m.queue, i, i+1)
	m.fate[id] = fate
}

func (m *model) submit(t *rapid.T) {
	for range rapid.IntRange(1, modelBatch).Draw(t, "plays") {
		m.submitOne(t)
	}
}

func (m *model) submitOne(t *rapid.T) {
	m.number++
	script := strconv.Itoa(m.number)
	p := Play{ID: NewPlayID(), Script: script, Deadline: time.Now().Add(time.Hour)}
	done := make(chan Outcome, 1)
	alone := len(m.queue) == 0 && m.owned
	err := m.d.Start(context.Background(), m.key, p, func(o Outcome) { done <- o })
	var busy *BusyError
	switch full := len(m.queue) >= modelLimit; {
	case full && errors.As(err, &busy):
	case full || err != nil:
		t.Fatalf("submit with %d in the queue: got %v", len(m.queue), err)
	default:
		m.queue = append(m.queue, &modelPlay{id: p.ID, script: script, read: alone})
		m.waiting[p.ID] = done
		if alone {
			m.latest.had[p.ID] = true
			m.delivered = m.number
			m.publishedOne(t, p.ID)
		}
	}
}

// publishedOne takes the message that hands a play over to its owner. Whether and
// when the owner hears it is chance.
func (m *model) publishedOne(t *rapid.T, id string) {
	for {
		message, err := m.channel.ReceiveMessage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(message.Payload, m.key.String()+" "+m.latest.token+" ") || !strings.Contains(message.Payload, id) {
			continue // plays that were taken back
		}
		m.handed = append(m.handed, message)
		if rapid.Bool().Draw(t, "heard at once") {
			m.hear(t)
		}
		return
	}
}

// hear is that the owner hears of the plays that were handed over so far: of the
// latest alone, or of an earlier one that comes late as well.
func (m *model) hear(t *rapid.T) {
	if len(m.handed) == 0 {
		t.Skip("all is heard")
	}
	for _, message := range m.handed[rapid.IntRange(0, len(m.handed)-1).Draw(t, "from"):] {
		for _, worker := range m.workers {
			if message.Channel == wakePrefix+worker.opts.WorkerID {
				worker.woken(message)
			}
		}
	}
	m.handed = nil
}

// waited draws a play whose caller waits.
func (m *model) waited(t *rapid.T) string {
	var ids []string
	for id := range m.waiting {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		t.Skip("nobody waits")
	}
	slices.Sort(ids)
	return rapid.SampledFrom(ids).Draw(t, "play")
}

func (m *model) cancel(t *rapid.T) {
	id := m.waited(t)
	cancelled, err := m.d.Cancel(context.Background(), id)
	if want := m.find(id) >= 0; err != nil || cancelled != want {
		t.Fatalf("cancel: got %v, %v, want %v", cancelled, err, want)
	}
	if cancelled {
		m.remove(id, "cancelled")
		m.answered(t, id, KindCancelled)
	}
}

// deadline is that a play's deadline has passed, or the time after it as well.
func (m *model) deadline(t *rapid.T) {
	id := m.waited(t)
	v, ok := m.d.waiting.get(id)
	if !ok {
		t.Fatalf("nobody waits for %s", id)
	}
	v.late = rapid.Bool().Draw(t, "late")
	m.d.expire(context.Background(), []waiter{v})
	switch i := m.find(id); {
	case i < 0 && m.fate[id] == "": // a crash of Redis took it away
		m.answered(t, id, KindUnknown)
	case i < 0:
		m.answered(t, id, "")
	case !m.queue[i].read:
		m.remove(id, "expired")
		m.answered(t, id, KindExpired)
	case v.late:
		m.remove(id, "timed out")
		m.answered(t, id, KindTimeout)
	default: // its worker may still commit it
	}
}

// answered takes the answer that a caller must have by now. An empty kind means
// the outcome that was committed.
func (m *model) answered(t *rapid.T, id string, kind ErrorKind) {
	select {
	case o := <-m.waiting[id]:
		delete(m.waiting, id)
		if o.PlayID != id {
			t.Fatalf("the caller of %s got the outcome of %s", id, o.PlayID)
		}
		var got ErrorKind
		if o.Error != nil {
			got = o.Error.Kind
		}
		if kind == "" {
			kind = m.outcomeKind(id)
		}
		if got != kind {
			t.Fatalf("play %s, %s: its caller was told %q, want %q", id, m.fate[id], got, kind)
		}
		if got == "" && o.Output != "ran "+id {
			t.Fatalf("the caller of %s got %q", id, o.Output)
		}
	default:
		t.Fatalf("the caller of %s has no answer", id)
	}
}

func (m *model) outcomeKind(id string) ErrorKind {
	if m.fate[id] == "given up" {
		return KindGaveUp
	}
	return ""
}

// resubscribe is that replies may have been lost: all that were committed are
// found, and no other caller gets an answer.
func (m *model) resubscribe(t *rapid.T) {
	m.d.recover(context.Background())
	for id, done := range m.waiting {
		if m.find(id) < 0 && m.fate[id] != "" {
			m.answered(t, id, "")
		} else if len(done) > 0 {
			t.Fatalf("the caller of %s, which has not ended, was told %+v", id, <-done)
		}
	}
}

func (m *model) claim(t *rapid.T) {
	w := rapid.IntRange(0, modelWorkers-1).Draw(t, "worker")
	l, err := m.workers[w].Claim(context.Background(), m.key)
	switch {
	case m.owned && errors.Is(err, ErrOwned):
	case m.owned || err != nil:
		t.Fatalf("claim, owned %v: got %v", m.owned, err)
	default:
		for _, p := range m.queue {
			if m.latest != nil && m.latest.had[p.id] {
				p.deaths++
			}
		}
		m.owned = true
		m.latest = &modelLease{Lease: l, worker: w, had: make(map[string]bool), commits: -1}
		m.leases = append(m.leases, m.latest)
	}
}

// expire is that the owner was not heard of for as long as a lease lasts.
func (m *model) expire(t *rapid.T) {
	if err := m.rdb.Del(context.Background(), ownerKey(m.key)).Err(); err != nil {
		t.Fatal(err)
	}
	m.owned = false
}

func (m *model) renew(t *rapid.T) {
	w := rapid.IntRange(0, modelWorkers-1).Draw(t, "worker")
	m.workers[w].renewAll(context.Background(), time.Minute)
	for _, l := range m.leases {
		if l.worker != w || m.workers[w].lease(m.key.String()) != l.Lease && l == m.latest {
			continue
		}
		switch {
		case l == m.latest:
			m.owned = true
		case m.workers[w].lease(m.key.String()) == l.Lease:
			t.Fatal("a lease that is not the latest was renewed")
		}
	}
}

// lease draws one that some worker believes in.
func (m *model) lease(t *rapid.T) *modelLease {
	if len(m.leases) == 0 {
		t.Skip("no lease")
	}
	return rapid.SampledFrom(m.leases).Draw(t, "lease")
}

func (l *modelLease) String() string { return fmt.Sprintf("w%d with token %s", l.worker, l.token) }

// read is what Next does when it does not wait.
func (m *model) read(t *rapid.T) {
	l := m.lease(t)
	if l == m.latest && slices.ContainsFunc(l.hand, func(d Delivery) bool { return m.find(d.Play.ID) >= 0 }) {
		t.Skip("what was read before is not committed")
	}
	if l.ctx.Err() != nil { // it was found lost, perhaps to one that a crash of Redis has made undone
		if _, err := l.Lease.read(context.Background()); !errors.Is(err, ErrLost) {
			t.Fatalf("read under a lease that has ended: got %v", err)
		}
		m.drop(l)
		return
	}
	if plays := l.takeHanded(); len(plays) > 0 {
		l.hand = plays
		live := slices.DeleteFunc(slices.Clone(plays), func(d Delivery) bool { return m.find(d.Play.ID) < 0 })
		if len(live) > 0 && m.counts(l) {
			m.handedOut(t, l, live)
		}
		return
	}
	plays, err := l.Lease.read(context.Background())
	if !m.counts(l) {
		if !errors.Is(err, ErrLost) {
			t.Fatalf("read under a lease that does not count: got %d plays, %v", len(plays), err)
		}
		m.givenUp(l)
		return
	}
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	l.hand, l.commits = plays, m.commits
	m.handedOut(t, l, plays)
}

// counts reports whether what is done under a lease has an effect: it is the
// latest, and Redis has the commits that it knows of.
func (m *model) counts(l *modelLease) bool {
	return l == m.latest && (l.commits < 0 || l.commits == m.commits)
}

// givenUp is what becomes of a lease that found out that it does not count. If
// it was the latest, its circle is anybody's now.
func (m *model) givenUp(l *modelLease) {
	if l == m.latest && m.owned {
		m.latest, m.owned = nil, false
	}
	m.drop(l)
}

// drop is that a lease is not used any more.
func (m *model) drop(l *modelLease) {
	m.leases = slices.DeleteFunc(m.leases, func(other *modelLease) bool { return other == l })
}

// handedOut checks that plays are the next ones, in order and without a gap.
func (m *model) handedOut(t *rapid.T, l *modelLease, plays []Delivery) {
	rest := slices.DeleteFunc(slices.Clone(m.queue), func(p *modelPlay) bool { return number(p.script) <= l.upTo })
	if len(plays) > modelBatch || len(plays) > len(rest) || len(plays) == 0 && len(rest) > 0 {
		t.Fatalf("got %d plays, %d wait", len(plays), len(rest))
	}
	for i, d := range plays {
		p := rest[i]
		if d.Err != nil || d.Play.ID != p.id || d.Play.Script != p.script {
			t.Fatalf("got play %s (%v) in place %d, want %s", d.Play.Script, d.Err, i, p.script)
		}
		if !m.lossy && (d.Deliveries != min(p.deaths, modelDeaths) || d.GaveUp != (p.deaths >= modelDeaths)) {
			t.Fatalf("play %s: got %d deliveries, given up %v, want %d", p.script, d.Deliveries, d.GaveUp, p.deaths)
		}
		p.read = true
		l.had[p.id] = true
		l.upTo = number(p.script)
		m.delivered = max(m.delivered, l.upTo)
	}
}

func number(script string) int {
	n, err := strconv.Atoi(script)
	if err != nil {
		panic(err) // the machine makes these texts
	}
	return n
}

const countKey = "count"

// ran is what a worker makes of plays.
func (l *modelLease) ran(t *rapid.T, plays []Delivery) []Done {
	if !l.known {
		text, ok, err := l.State(context.Background(), countKey)
		if err != nil {
			t.Fatal(err)
		}
		if l.count, l.known = 0, true; ok {
			l.count = number(text)
		}
	}
	done := make([]Done, len(plays))
	for i, d := range plays {
		done[i] = Done{Delivery: d, Outcome: Outcome{PlayID: d.Play.ID, Output: "ran " + d.Play.ID}}
		if d.GaveUp {
			done[i].Outcome = failed(d.Play.ID, KindGaveUp, "gave up")
			continue
		}
		l.count++
		count, id := strconv.Itoa(l.count), d.Play.ID
		done[i].Changes = Changes{Values: map[string]*string{countKey: &count, "play " + count: &id}, Bytes: int64(l.count)}
	}
	return done
}

// forget drops what a lease's worker has in memory, as it does when a commit
// fails.
func (l *modelLease) forget() { l.hand, l.upTo, l.known = nil, 0, false }

// commit commits the first plays of what a lease has read, some or all.
func (m *model) commit(t *rapid.T) {
	l := m.lease(t)
	if len(l.hand) == 0 {
		t.Skip("nothing was read")
	}
	m.commitOn(t, l)
}

// commitOn reports whether plays were committed.
func (m *model) commitOn(t *rapid.T, l *modelLease) bool {
	group := l.hand[:rapid.IntRange(1, len(l.hand)).Draw(t, "plays")]
	commit, reads := l.Commit, len(group) == len(l.hand) && rapid.Bool().Draw(t, "read on")
	if reads {
		commit, reads = l.CommitAndRead, !l.reread
	}
	err := commit(context.Background(), l.ran(t, group))
	var gone []string
	for _, d := range group {
		if i := m.find(d.Play.ID); i < 0 || !m.queue[i].read {
			gone = append(gone, d.Entry)
		}
	}
	var withdrawn *WithdrawnError
	switch {
	case !m.counts(l):
		if !errors.Is(err, ErrLost) {
			t.Fatalf("commit under a lease that does not count: got %v", err)
		}
		m.givenUp(l)
	case len(gone) > 0:
		if !errors.As(err, &withdrawn) || !slices.Equal(withdrawn.Entries, gone) {
			t.Fatalf("commit of plays of which %v were withdrawn: got %v", gone, err)
		}
		l.forget()
	case err != nil:
		t.Fatalf("commit: %v", err)
	default:
		l.hand = l.hand[len(group):]
		m.settle(group)
		l.commits = m.commits
		if reads {
			l.hand, l.ahead = l.ahead, nil // as Next does
			m.handedOut(t, l, l.hand)
		}
		return true
	}
	return false
}

// settle is what a commit does.
func (m *model) settle(plays []Delivery) {
	for _, d := range plays {
		fate := "committed"
		if d.GaveUp {
			fate = "given up"
		}
		m.remove(d.Play.ID, fate)
		m.committed = append(m.committed, d.Play.ID)
	}
	m.commits++
}

// commitAgain is a commit whose answer was lost, so that its worker believes
// that it failed, or a copy of it that comes late.
func (m *model) commitAgain(t *rapid.T) {
	l := m.lease(t)
	if !m.counts(l) || len(l.hand) == 0 {
		t.Skip("nothing was read")
	}
	again := l.hand[:1]
	if !m.commitOn(t, l) {
		return
	}
	if err := l.Commit(context.Background(), l.ran(t, again)); err == nil {
		t.Fatal("the same play was committed twice")
	}
	l.forget()
}

func (m *model) release(t *rapid.T) {
	l := m.lease(t)
	if err := l.Release(context.Background()); err != nil {
		t.Fatalf("release: %v", err)
	}
	m.drop(l)
	if l == m.latest && m.owned { // else it came too late, and is as if its worker had died
		m.latest, m.owned = nil, false
	}
}

// crash is that a worker is killed: its lease is not used any more.
func (m *model) crash(t *rapid.T) {
	l := m.lease(t)
	m.workers[l.worker].forget(l.Lease)
	m.drop(l)
}

// forget is that a worker drops what it has read, to be handed it again.
func (m *model) forget(t *rapid.T) {
	l := m.lease(t)
	l.Forget()
	l.forget()
}

// sync is that Redis's disk has all that Redis has. From then on a crash loses
// what came after it.
func (m *model) sync(t *rapid.T) {
	m.disk = &saved{
		keys: make(map[string]string), committed: slices.Clone(m.committed), fate: maps.Clone(m.fate),
		latest: m.latest, owned: m.owned, commits: m.commits, delivered: m.delivered,
	}
	for _, p := range m.queue {
		copied := *p
		m.disk.queue = append(m.disk.queue, &copied)
	}
	for _, key := range m.keys() {
		text, err := m.rdb.Dump(context.Background(), key).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		m.disk.keys[key] = text
	}
}

func (m *model) keys() []string {
	return []string{streamKey(m.key), ownerKey(m.key), fenceKey(m.key), commitsKey(m.key), stateKey(m.key), resultsKey(m.key), deadKey(m.key)}
}

// lose is that Redis crashes and comes back with what it had when it synced
// last. No worker and no gateway notices.
func (m *model) lose(t *rapid.T) {
	if m.disk == nil {
		t.Skip("it has lost nothing")
	}
	for _, key := range m.keys() {
		var err error
		if text := m.disk.keys[key]; text != "" {
			err = m.rdb.RestoreReplace(context.Background(), key, 0, text).Err()
		} else {
			err = m.rdb.Del(context.Background(), key).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	m.queue, m.committed, m.fate = m.disk.queue, m.disk.committed, m.disk.fate
	m.latest, m.owned = m.disk.latest, m.disk.owned
	m.commits, m.delivered = m.disk.commits, m.disk.delivered
	m.disk, m.lossy = nil, true
	for _, l := range m.leases {
		l.upTo = min(l.upTo, m.delivered)
		// What is pending again, and not what the lease has at hand, comes again.
		for _, p := range m.queue {
			had := slices.ContainsFunc(l.hand, func(d Delivery) bool { return d.Play.ID == p.id })
			if n := number(p.script); p.read && !had && n <= l.upTo {
				l.upTo = n - 1
			}
		}
	}
	// It takes a restart longer than this; entries and tokens are by the clock.
	time.Sleep(20 * time.Millisecond)
}

func (m *model) flush(t *rapid.T) {
	if err := m.rdb.ScriptFlush(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
}

// check compares what Redis holds with the model.
func (m *model) check(t *rapid.T) {
	ctx := context.Background()
	entries, err := m.rdb.XRange(ctx, streamKey(m.key), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	var got, want, read, wantRead []string
	for _, entry := range entries {
		got = append(got, entry.Values["id"].(string))
	}
	for _, p := range m.queue {
		want = append(want, p.id)
		if p.read {
			wantRead = append(wantRead, p.id)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the queue is %v, want %v", got, want)
	}
	pending, err := m.rdb.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: streamKey(m.key), Group: group, Start: "-", End: "+", Count: 100}).Result()
	if err != nil && !redis.HasErrorPrefix(err, "NOGROUP") {
		t.Fatal(err)
	}
	for _, p := range pending {
		if i := slices.IndexFunc(entries, func(e redis.XMessage) bool { return e.ID == p.ID }); i >= 0 {
			read = append(read, got[i])
		}
	}
	if !slices.Equal(read, wantRead) {
		t.Fatalf("pending are %v, want %v", read, wantRead)
	}
	settled, err := settledPlays(ctx, m.rdb, m.key)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(settled, m.committed) {
		t.Fatalf("the results are %v, want %v", settled, m.committed)
	}
	state, err := m.rdb.HGetAll(ctx, stateKey(m.key)).Result()
	if err != nil {
		t.Fatal(err)
	}
	var effects, wantEffects []string
	for i := range number(cmp.Or(state[countKey], "0")) {
		effects = append(effects, state["play "+strconv.Itoa(i+1)])
	}
	for _, id := range m.committed {
		if m.fate[id] == "committed" {
			wantEffects = append(wantEffects, id)
		}
	}
	if !slices.Equal(effects, wantEffects) {
		t.Fatalf("the state has the effects of %v, want %v", effects, wantEffects)
	}
}

// drain ends every run well: a worker that works takes all that is left, and
// every caller gets its answer.
func (m *model) drain(t *rapid.T) {
	m.expire(t)
	m.claim(t)
	for len(m.queue) > 0 {
		plays, err := m.latest.Lease.read(context.Background())
		if err != nil || len(plays) == 0 {
			t.Fatalf("%d plays wait; read: got %d, %v", len(m.queue), len(plays), err)
		}
		m.latest.hand = plays
		m.handedOut(t, m.latest, plays)
		if err := m.latest.Commit(context.Background(), m.latest.ran(t, plays)); err != nil {
			t.Fatal(err)
		}
		m.settle(plays)
	}
	m.check(t)
	m.resubscribe(t)
	for id := range m.waiting {
		if !m.lossy || m.fate[id] != "" {
			t.Fatalf("the caller of %s has no answer", id)
		}
	}
}
