package queue

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"circles/pkg/circle"
)

// A waiter is a play whose outcome somebody waits for.
type waiter struct {
	circle circle.Key
	id     string
	entry  string // in the queue; empty until it is known
	since  time.Time
	due    time.Time // when the play is next looked after
	late   bool      // the deadline has passed and a worker had the play
	caller Caller

	// Of a play with an idempotency key: the key's name in Redis, what the play
	// does, and the play that has the key if it is another one. This one is not
	// in the queue then.
	once, what string
	leader     string

	index int // in the heap

	// Of a play that is to be sent, until that is over.
	play  Play
	ctx   context.Context // ends when the play is not to be sent any more
	state sendState

	refused bool          // its caller was told before it was sent
	round   chan struct{} // closed when the answer to the sending has come, or none will
}

// sendState is how far a waiter's play has come on its way to the queue.
type sendState int

const (
	unsent  sendState = iota // it has not left
	sending                  // it is on its way, or its answer
	sent                     // it is queued, or nobody knows
)

// waiting holds the waiters, by play and by when they are due. It decides who
// calls Done: whoever takes a waiter out, which happens once.
type waiting struct {
	most int

	mu       sync.Mutex
	byID     map[string]*waiter
	byLeader map[string][]*waiter // those that have one, which are in byID as well
	byDue    dueHeap
	closed   bool

	// nextLook is when the next look at those that are due is, and earlier is
	// signalled when one is due before that.
	nextLook time.Time
	earlier  chan struct{}
}

// seldom is how often those that are due are looked at when none is.
const seldom = time.Hour

func newWaiting(most int) *waiting {
	return &waiting{most: most, byID: make(map[string]*waiter), byLeader: make(map[string][]*waiter), earlier: make(chan struct{}, 1)}
}

// add reports false when the play's id is waited for already.
func (w *waiting) add(v *waiter) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return false, ErrClosed
	case len(w.byID) >= w.most:
		return false, &BusyError{What: "the table of waiting plays", RetryAfter: retryAfter}
	case w.byID[v.id] != nil:
		return false, nil
	}
	w.byID[v.id] = v
	w.push(v)
	return true, nil
}

func (w *waiting) push(v *waiter) {
	heap.Push(&w.byDue, v)
	if v.due.Before(w.nextLook) {
		signal(w.earlier)
	}
}

// take removes a play; nil when nobody waits for it.
func (w *waiting) take(id string) *waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.byID[id]
	if v != nil {
		w.remove(v)
	}
	return v
}

// takeAll removes a play, if somebody waits for it, and those that wait for its
// outcome because it has their idempotency key.
func (w *waiting) takeAll(id string) (v *waiter, followers []*waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v = w.byID[id]; v != nil {
		w.remove(v)
	}
	followers = slices.Clone(w.byLeader[id])
	for _, f := range followers {
		w.remove(f)
	}
	return v, followers
}

func (w *waiting) remove(v *waiter) {
	delete(w.byID, v.id)
	if v.index >= 0 {
		heap.Remove(&w.byDue, v.index)
	}
	w.leave(v)
}

func (w *waiting) leave(v *waiter) {
	if v.leader == "" {
		return
	}
	others := slices.DeleteFunc(w.byLeader[v.leader], func(other *waiter) bool { return other == v })
	if len(others) == 0 {
		delete(w.byLeader, v.leader)
	} else {
		w.byLeader[v.leader] = others
	}
	v.leader = ""
}

// follow has a waiter wait for the outcome of another play. It reports false
// when nobody waits for the play any more, as does unfollow.
func (w *waiting) follow(id, leader string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.byID[id]
	if v != nil {
		w.leave(v)
		v.leader = leader
		w.byLeader[leader] = append(w.byLeader[leader], v)
	}
	return v != nil
}

func (w *waiting) unfollow(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.byID[id]
	if v != nil {
		w.leave(v)
	}
	return v != nil
}

func (w *waiting) get(id string) (waiter, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.byID[id]
	if v == nil {
		return waiter{}, false
	}
	return *v, true
}

// takeUnsent removes a play that has not left yet, and will not then. One that is
// refused has a caller that is told so at once, and not when its turn to be sent
// comes.
func (w *waiting) takeUnsent(id string, refused bool) *waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.byID[id]
	if v == nil || v.state != unsent || v.leader != "" {
		return nil
	}
	v.refused = refused
	w.remove(v)
	return v
}

func (w *waiting) wasRefused(v *waiter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return v.refused
}

// sent waits until a play is not on its way any more.
func (w *waiting) sent(ctx context.Context, id string) error {
	w.mu.Lock()
	var round chan struct{}
	if v := w.byID[id]; v != nil && v.state == sending {
		round = v.round
	}
	w.mu.Unlock()
	if round == nil {
		return nil
	}
	select {
	case <-round:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaving marks plays that are sent now. It returns those that are, those that
// nobody waits for any more, and those whose contexts have ended, which it
// removes.
func (w *waiting) leaving(plays []*waiter, round chan struct{}) (leave, gone, ended []*waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	leave = plays[:0]
	for _, v := range plays {
		switch {
		case v.refused:
		case w.byID[v.id] != v:
			gone = append(gone, v)
		case v.ctx.Err() != nil:
			w.remove(v)
			ended = append(ended, v)
		default:
			v.state, v.round = sending, round
			leave = append(leave, v)
		}
	}
	return leave, gone, ended
}

// arrived notes what is known of plays that were sent: the entries of those that
// are queued, which are empty for the others.
func (w *waiting) arrived(plays []*waiter, entries []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range plays {
		v.state, v.entry = sent, entries[i]
		if v.entry != "" {
			v.play = Play{} // it may be large
		}
	}
}

// again marks a play that is to be sent once more.
func (w *waiting) again(v *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v.state = unsent
}

// snapshot returns copies of at most n waiters that are due, taken off the heap
// until later puts them back. When there are none it returns when to look next.
func (w *waiting) snapshot(now time.Time, n int) (due []waiter, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.byDue) > 0 && len(due) < n && !w.byDue[0].due.After(now) {
		due = append(due, *heap.Pop(&w.byDue).(*waiter))
	}
	if len(due) > 0 {
		w.nextLook = time.Time{} // again at once
		return due, w.nextLook
	}
	w.nextLook = now.Add(seldom)
	if len(w.byDue) > 0 && w.byDue[0].due.Before(w.nextLook) {
		w.nextLook = w.byDue[0].due
	}
	return nil, w.nextLook
}

// later has a waiter that was due looked after again.
func (w *waiting) later(id string, due time.Time, late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.byID[id]; v != nil {
		v.due, v.late = due, late
		w.push(v)
	}
}

// all returns copies of the waiters of each circle.
func (w *waiting) all() map[circle.Key][]waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	by := make(map[circle.Key][]waiter)
	for _, v := range w.byID {
		by[v.circle] = append(by[v.circle], *v)
	}
	return by
}

// close refuses further plays and returns those that wait.
func (w *waiting) close() []*waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	left := make([]*waiter, 0, len(w.byID))
	for _, v := range w.byID {
		left = append(left, v)
	}
	clear(w.byID)
	clear(w.byLeader)
	w.byDue = nil
	return left
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.byID)
}

// dueHeap is a heap.Interface, the next one due first.
type dueHeap []*waiter

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueHeap) Push(x any) {
	v := x.(*waiter)
	v.index = len(*h)
	*h = append(*h, v)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	v := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	v.index = -1
	return v
}
