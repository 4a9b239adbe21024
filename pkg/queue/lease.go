package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/redis/go-redis/v9"

	"circles/pkg/circle"
)

// How often a lease that cannot reach Redis tries again.
const (
	retryFirst = 20 * time.Millisecond
	retryMost  = time.Second
)

// A Lease is the ownership of one circle. One goroutine calls Next and Commit in
// turn: what Next returns is either committed, all of it, or forgotten before it
// is called again.
type Lease struct {
	c      *Consumer
	circle circle.Key
	token  string
	keys   leaseKeys
	clock  clock

	poked chan struct{} // capacity 1: there may be something to read

	ctx context.Context // ends when the lease does
	end context.CancelCauseFunc

	// reread says that plays may be pending: those of the former owner, those of
	// a commit that failed, or those whose delivery got lost on the way. They
	// come before any new ones. after is where that reading has come to.
	reread bool
	after  string

	// inherited is the last play that was pending when the circle was claimed.
	// Those up to it were a former owner's, who may have died of them: they are
	// handed out singly, each counted before, so that the one that kills its
	// worker is told from those that were only near. heir says that there may be
	// some left; counted is the last one.
	inherited string
	heir      bool
	counted   string

	// ahead is what the last commit has read, for Next; idle says that it found
	// the queue empty, so that there is nothing to read before a wake-up.
	ahead []Delivery
	idle  bool

	// commits is how many commits the circle had when the owner last heard, as
	// Redis has it: what the owner remembers of the circle is as of that one.
	// Empty while it remembers nothing.
	commits string

	results kept // what this lease's commits add to the circle's results

	// out is what was handed out and is not committed, with how often it had
	// been delivered before, and last the latest entry that ever was.
	out  map[string]int
	last string

	mu        sync.Mutex
	handed    handedOver
	running   string   // the id of the play that is run now
	stop      func()   // stops it
	withdrawn []string // ids of plays that were taken back since Next
}

// maxWithdrawn bounds what is remembered of plays that were taken back. Running
// one that is forgotten costs time and has no effect.
const maxWithdrawn = 256

// handedOver are the latest plays that were read in the owner's name when they
// were queued, as the script tells. It does that when nothing else is in the
// queue: all that was handed over before has been settled then.
type handedOver struct{ heads, plays string }

type leaseKeys struct{ stream, owner, fence, commits, results, dead, state, history, pace string }

// A Delivery is a play that a lease's holder is to run.
type Delivery struct {
	Play  Play  // with the deadline by the local clock
	Err   error // the play can't be read, only its id is known; wraps ErrMalformed
	Entry string

	// Deliveries is how often the play was handed to a worker that was not heard
	// of again. GaveUp says that this was too often: the play is not to be run,
	// its outcome is KindGaveUp.
	Deliveries int
	GaveUp     bool
}

// Done is a play that was run, what came of it, and what it makes of the
// circle's state.
type Done struct {
	Delivery Delivery
	Outcome  Outcome
	Changes  Changes
}

// Circle is the circle that is owned.
func (l *Lease) Circle() circle.Key { return l.circle }

// Context ends when the lease is released or found lost. What runs under a lease
// runs under its context.
func (l *Lease) Context() context.Context { return l.ctx }

func (l *Lease) lose() {
	l.c.forget(l)
	l.end(ErrLost)
}

func (l *Lease) poke() { signal(l.poked) }

// Begin says that a play that Next returned is to be run now, and reports false
// when it was withdrawn meanwhile: then it is to be left out. stop is called when
// it is withdrawn before End, and must not block.
func (l *Lease) Begin(playID string, stop func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.withdrawn, playID) {
		return false
	}
	l.running, l.stop = playID, stop
	return true
}

// End says that the play that was begun is not run any more, and reports false
// when it was withdrawn meanwhile: then it is not to be committed.
func (l *Lease) End() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := !slices.Contains(l.withdrawn, l.running)
	l.running, l.stop = "", nil
	return kept
}

func (l *Lease) withdraw(playID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.withdrawn) < maxWithdrawn {
		l.withdrawn = append(l.withdrawn, playID)
	}
	if l.running == playID {
		l.stop()
	}
}

// handOver takes plays that were read in the owner's name.
func (l *Lease) handOver(h handedOver) {
	l.mu.Lock()
	l.handed = h
	l.mu.Unlock()
	l.poke()
}

// takeHanded returns plays that were handed over, those that there are.
func (l *Lease) takeHanded() []Delivery {
	l.mu.Lock()
	h := l.handed
	l.handed = handedOver{}
	l.withdrawn = slices.DeleteFunc(l.withdrawn, func(id string) bool { return !strings.Contains(h.plays, id) })
	l.mu.Unlock()
	if h.heads == "" || l.reread { // those that are pending come first, and these are among them
		return nil
	}
	select {
	case <-l.poked: // by handOver. It is read again before a rest if these turn out to be settled
		l.idle = false
	default:
	}
	plays, err := l.delivered(h.heads, h.plays)
	if err != nil {
		l.reread = true
		return nil
	}
	if !after(plays[0].Entry, l.last) { // they were found pending before this was heard
		return nil
	}
	l.idle = false
	l.handOut(plays)
	return plays
}

// Next waits for plays and returns them in order. While Redis cannot be reached
// it goes on trying. The error is ctx's, or ErrLost.
func (l *Lease) Next(ctx context.Context) ([]Delivery, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err // what was handed out and not run goes back with Release
	}
	if plays := l.ahead; len(plays) > 0 {
		l.ahead = nil
		return plays, nil
	}
	if !l.reread {
		clear(l.out) // what was not committed has been withdrawn
	}
	for {
		if plays := l.takeHanded(); len(plays) > 0 {
			return plays, nil
		}
		if !l.idle || l.reread {
			plays, err := l.read(ctx)
			if err != nil || len(plays) > 0 {
				return plays, err
			}
		}
		l.idle = false
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.ctx.Done():
			return nil, ErrLost
		case <-l.poked:
		}
	}
}

// read returns what there is now, trying until Redis has answered.
func (l *Lease) read(ctx context.Context) ([]Delivery, error) {
	plays, err := l.tryRead(ctx)
	if err == nil || errors.Is(err, ErrLost) || ctx.Err() != nil {
		return plays, err
	}
	every := backoff.NewExponentialBackOff()
	every.InitialInterval, every.MaxInterval = retryFirst, retryMost
	return backoff.Retry(ctx, func() ([]Delivery, error) {
		plays, err := l.tryRead(ctx)
		if errors.Is(err, ErrLost) || err != nil && ctx.Err() != nil {
			err = backoff.Permanent(err)
		}
		return plays, err
	}, backoff.WithBackOff(every), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		l.c.log.Warn("read plays", "circle", l.circle.String(), "error", err)
	}))
}

func (l *Lease) tryRead(ctx context.Context) ([]Delivery, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	plays, err := l.readOnce(ctx)
	if err != nil {
		if !errors.Is(err, ErrLost) {
			// The plays may have been handed out, and the answer been lost.
			l.rewind()
		}
		return nil, err
	}
	l.handOut(plays)
	return plays, nil
}

func (l *Lease) usable(ctx context.Context) error {
	if l.ctx.Err() != nil {
		return ErrLost
	}
	return ctx.Err()
}

// Forget says that what Next returned and is not committed has been forgotten,
// and is to be returned again.
func (l *Lease) Forget() { l.rewind() }

func (l *Lease) rewind() { l.reread, l.after, l.ahead = true, "", nil }

// forgetWithdrawn forgets what was withdrawn of what was handed out before.
func (l *Lease) forgetWithdrawn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.withdrawn = l.withdrawn[:0]
}

func (l *Lease) readOnce(ctx context.Context) ([]Delivery, error) {
	for {
		for l.reread {
			heir := l.heir // then there may be some of this lease's own after those
			plays, err := l.readPending(ctx)
			if err != nil || len(plays) > 0 {
				return plays, err
			}
			l.reread, l.heir = heir, false
		}
		cmd := takeScript.Run(ctx, l.c.rdb, []string{l.keys.stream, l.keys.fence, l.keys.commits},
			l.token, l.commits, group, consumer, l.c.opts.Batch)
		plays, err := l.deliveries(ctx, cmd, "take")
		if !errors.Is(err, errPending) {
			return plays, err
		}
		l.rewind()
	}
}

func (l *Lease) readPending(ctx context.Context) ([]Delivery, error) {
	from, to, most, count := "-", "+", l.c.opts.Batch, 0
	if l.after != "" {
		from = nextID(l.after)
	}
	if l.heir {
		to, most, count = l.inherited, 1, l.c.opts.MaxDeliveries
	}
	cmd := pendingScript.Run(ctx, l.c.rdb, []string{l.keys.stream, l.keys.fence, l.keys.commits},
		l.token, l.commits, group, consumer, from, to, most, count, l.counted)
	plays, err := l.deliveries(ctx, cmd, "pending")
	for i, p := range plays {
		l.after = p.Entry
		switch before, known := l.out[p.Entry]; {
		case l.heir && p.Deliveries >= count:
			plays[i].GaveUp = true
		case l.heir:
			l.counted = p.Entry
		case known:
			plays[i].Deliveries = before
		default: // it was handed to this lease, and got lost on the way
			plays[i].Deliveries = max(0, p.Deliveries-1)
		}
	}
	if err == nil && !l.heir {
		l.reread = false // if there are more, the scripts say so when new ones are to be read
	}
	return plays, err
}

func (l *Lease) deliveries(ctx context.Context, cmd *redis.Cmd, script string) ([]Delivery, error) {
	r, err := newReply(cmd)
	if err != nil {
		return nil, err
	}
	if verdict := r.number(); verdict != verdictDone {
		if err := r.err(script); err != nil {
			return nil, err
		}
		if verdict == verdictPending {
			return nil, errPending
		}
		return nil, l.refused(ctx, verdict)
	}
	l.commits = r.text()
	plays, err := l.delivered(r.text(), r.text())
	return plays, errors.Join(err, r.err(script))
}

// errPending is that plays are pending, which come before new ones.
var errPending = errors.New("plays are pending")

// delivered reads plays as the scripts give them.
func (l *Lease) delivered(heads, texts string) ([]Delivery, error) {
	if heads == "" {
		return nil, nil
	}
	plays := make([]Delivery, 0, (strings.Count(heads, " ")+1)/4)
	for heads != "" {
		var d Delivery
		var id, play int
		d.Entry, heads, _ = strings.Cut(heads, " ")
		id, heads = cutNumber(heads)
		play, heads = cutNumber(heads)
		d.Deliveries, heads = cutNumber(heads)
		if id < 0 || play < 0 || d.Deliveries < 0 || id+play > len(texts) {
			return nil, &replyError{"take"}
		}
		if d.Play, d.Err = DecodePlay(texts[id : id+play]); d.Err != nil {
			d.Play = Play{ID: texts[:id]}
		}
		texts = texts[id+play:]
		if !d.Play.Deadline.IsZero() {
			d.Play.Deadline = l.clock.local(d.Play.Deadline)
		}
		plays = append(plays, d)
	}
	return plays, nil
}

// cutNumber takes a number off the front of a text of numbers; -1 when there is
// none.
func cutNumber(text string) (int, string) {
	first, rest, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(first)
	if err != nil {
		return -1, rest
	}
	return n, rest
}

// Commit makes plays happen: what they changed, their outcomes, acknowledgement
// and replies, all of it or nothing. After an error the plays did not happen, or
// it is not known: Next returns those that are still to be run.
func (l *Lease) Commit(ctx context.Context, plays []Done) error { return l.commit(ctx, plays, 0) }

// CommitAndRead is Commit, and reads on in the same step: the next call of Next
// returns what was read. plays are all that Next returned last.
func (l *Lease) CommitAndRead(ctx context.Context, plays []Done) error {
	l.forgetWithdrawn()
	return l.commit(ctx, plays, l.c.opts.Batch)
}

// commit also reads so many plays.
func (l *Lease) commit(ctx context.Context, plays []Done, more int) error {
	if len(plays) == 0 {
		return nil
	}
	if l.reread {
		more = 0 // what is pending comes first
	}
	args := make([]any, 0, 19+3*len(plays))
	args = append(args, l.token, l.commits, group)
	args = l.results.appendTrim(args)
	args = append(args, l.c.opts.DeadKept, l.c.opts.HistoryKept, consumer, more, len(plays))
	outcomes := encodeOutcomes(plays)
	for i := range plays {
		args = append(args, &plays[i].Delivery.Entry) // a pointer: a text in an interface would be an allocation
	}
	for i := range plays {
		args = append(args, &plays[i].Delivery.Play.ID, &outcomes.each[i])
	}
	args = appendDelivered(args, plays)
	args = outcomes.appendPublished(args, plays)
	keys := []string{l.keys.stream, l.keys.fence, l.keys.commits, l.keys.results, l.keys.dead, l.keys.state, l.keys.history, l.keys.pace}
	keys, args = l.appendOnce(keys, args, plays)
	changes := merge(plays)
	cmd := l.c.committer.run(ctx, call{keys, changes.append(args)}, 2*len(outcomes.framed)+changes.size())
	ahead, waiting, err := l.committed(ctx, cmd, len(plays))
	if err != nil {
		l.rewind()
		return err
	}
	for _, p := range plays {
		delete(l.out, p.Delivery.Entry)
	}
	if more > 0 {
		l.ahead, l.idle = ahead, waiting == 0
		l.handOut(ahead)
	}
	return nil
}

func (l *Lease) handOut(plays []Delivery) {
	for _, p := range plays {
		l.out[p.Entry] = p.Deliveries
		if after(p.Entry, l.last) {
			l.last = p.Entry
		}
	}
}

// encoded are the wire forms of the outcomes of plays.
type encoded struct {
	framed string   // all of them, each after its length and a colon, as they are published
	each   []string // in the same memory
}

func encodeOutcomes(plays []Done) encoded {
	spans := make([][2]int, len(plays))
	buffer := make([]byte, 0, 128*len(plays))
	var outcome []byte
	for i, p := range plays {
		outcome = appendOutcome(outcome[:0], p.Outcome)
		buffer = append(strconv.AppendInt(buffer, int64(len(outcome)), 10), ':')
		spans[i][0] = len(buffer)
		buffer = append(buffer, outcome...)
		spans[i][1] = len(buffer)
	}
	all := encoded{string(buffer), make([]string, len(plays))}
	for i, span := range spans {
		all.each[i] = all.framed[span[0]:span[1]]
	}
	return all
}

// appendPublished adds what is published where, as the script takes it: to each
// gateway the outcomes of its plays.
func (e encoded) appendPublished(args []any, plays []Done) []any {
	count := len(args)
	args = append(args, 0)
	n := 0
	for i, p := range plays {
		gateway := p.Delivery.Play.ReplyTo
		same := func(p Done) bool { return p.Delivery.Play.ReplyTo == gateway }
		if gateway == "" || slices.ContainsFunc(plays[:i], same) {
			continue
		}
		message := e.framed // most of the time all are for one
		if slices.ContainsFunc(plays, func(p Done) bool { return !same(p) }) {
			var own strings.Builder
			for j, p := range plays {
				if same(p) {
					fmt.Fprintf(&own, "%d:%s", len(e.each[j]), e.each[j])
				}
			}
			message = own.String()
		}
		args = append(args, repliesChannel(gateway), message)
		n++
	}
	args[count] = n
	return args
}

// appendDelivered adds how often plays were delivered before and why they are
// given up, as the script takes it.
func appendDelivered(args []any, plays []Done) []any {
	count := len(args)
	args = append(args, 0)
	n := 0
	for i, p := range plays {
		d := p.Delivery
		if d.Deliveries == 0 {
			continue
		}
		why := ""
		if d.GaveUp {
			why = fmt.Sprintf("its worker died of it %d times", d.Deliveries)
		}
		args = append(args, i+1, d.Deliveries, why)
		n++
	}
	args[count] = n
	return args
}

// appendOnce adds what becomes of the plays' idempotency keys, as the script
// takes it.
func (l *Lease) appendOnce(keys []string, args []any, plays []Done) ([]string, []any) {
	count := len(args)
	args = append(args, 0)
	n := 0
	for i, p := range plays {
		play := p.Delivery.Play
		if play.IdempotencyKey == "" {
			continue
		}
		keep := "0"
		if p.Outcome.kept() {
			keep = "1"
		}
		keys = append(keys, onceKey(l.circle, play.Caller, play.IdempotencyKey))
		args = append(args, i+1, keep)
		n++
	}
	args[count] = n
	return keys, args
}

// committed reads what commit says of so many plays: those that it has read, and
// how many waited before that.
func (l *Lease) committed(ctx context.Context, cmd *redis.Cmd, plays int) (ahead []Delivery, waiting int64, err error) {
	before := l.commits
	l.commits = "" // until it is known whether there is one more
	r, err := newReply(cmd)
	if err != nil {
		return nil, 0, fmt.Errorf("commit: %w", err)
	}
	switch verdict := r.number(); verdict {
	case verdictDone:
		commits, settled := r.number(), r.text()
		ahead, err := l.delivered(r.text(), r.text())
		waiting := r.number()
		if err := errors.Join(err, r.err("commit")); err != nil {
			return nil, 0, err
		}
		l.commits = strconv.FormatInt(commits, 10)
		l.results.added(plays, settled)
		return ahead, waiting, nil
	case verdictWithdrawn:
		l.commits = before
		var gone WithdrawnError
		for r.more() {
			gone.Entries = append(gone.Entries, r.text())
		}
		return nil, 0, &gone
	default:
		if err := r.err("commit"); err != nil {
			return nil, 0, err
		}
		return nil, 0, l.refused(ctx, verdict)
	}
}

// What the scripts that act for an owner say first.
const (
	verdictBehind    = -1 // the circle has other commits than the owner knows of
	verdictStale     = 0  // the token is not the latest
	verdictDone      = 1
	verdictWithdrawn = 2 // by commit only
	verdictPending   = 3 // by take only: plays are pending
)

// refused ends the lease. One whose circle is not as its owner remembers it is
// given up, so that the circle is claimed anew at once, with nothing remembered.
func (l *Lease) refused(ctx context.Context, verdict int64) error {
	if verdict == verdictBehind {
		l.c.log.Warn("redis came back without what was committed last; the circle is claimed anew", "circle", l.circle.String())
		if err := l.Release(ctx); err != nil {
			l.c.log.Warn("release; the lease will expire", "circle", l.circle.String(), "error", err)
		}
	}
	l.lose()
	return ErrLost
}

// Release gives the circle up. Plays that were handed out and not committed are
// the next owner's.
func (l *Lease) Release(ctx context.Context) error {
	l.c.forget(l)
	l.end(ErrLost)
	first := "-"
	if l.inherited != "" {
		first = nextID(l.inherited)
	}
	args := []any{l.token, l.c.opts.WorkerID, wakeChannel, l.circle.String(), group, consumer, first}
	for entry, deliveries := range l.out {
		if !after(entry, l.inherited) {
			args = append(args, entry, deliveries)
		}
	}
	return releaseScript.Run(ctx, l.c.rdb, []string{l.keys.owner, l.keys.stream}, args...).Err()
}

// nextID is the smallest entry id above id.
func nextID(id string) string {
	ms, seq, ok := parseEntry(id)
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%d-%d", ms, seq+1)
}

// after reports whether an entry comes after another, which is empty when there
// is none.
func after(id, other string) bool {
	ms, seq, _ := parseEntry(id)
	otherMS, otherSeq, ok := parseEntry(other)
	return !ok || ms > otherMS || ms == otherMS && seq > otherSeq
}

func parseEntry(id string) (ms, seq uint64, ok bool) {
	first, second, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseUint(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	seq, err = strconv.ParseUint(second, 10, 64)
	return ms, seq, err == nil
}
