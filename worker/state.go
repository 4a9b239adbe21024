package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"circles/pkg/queue"
	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// stateLimits bound a circle's state.
type stateLimits struct {
	keyBytes, valueBytes, keys int
	bytes                      int64
	cacheBytes                 int // of what is remembered between plays
}

// kept is where a circle's state is; the lease of the circle.
type kept interface {
	State(ctx context.Context, key string) (value string, ok bool, err error)
	StateKeys(ctx context.Context) ([]string, error)
	StateSize(ctx context.Context) (keys int, bytes int64, err error)
}

// A store is a circle's state in three layers, each over the one below: what a
// running play changed, what the plays of the group changed that are not
// committed yet, and what Redis has, remembered as far as it was read. It is the
// loop's that owns the circle.
type store struct {
	kept   kept
	limits stateLimits
	scene  *scene // of the plays that are run on it; nil before the first

	cache      map[string]*string // nil: there is no such key
	cacheBytes int
	sized      bool // keys and bytes are known
	keys       int  // with the group's changes
	bytes      int64
	group      layer
}

// A layer is a set of changes.
type layer struct {
	cleared bool
	values  map[string]*string // nil: the key is gone
}

func (l *layer) set(key string, text *string) {
	if l.values == nil {
		l.values = make(map[string]*string)
	}
	l.values[key] = text
}

// over adds the changes of an upper layer.
func (l *layer) over(upper layer) {
	if upper.cleared {
		*l = layer{cleared: true}
	}
	for key, text := range upper.values {
		l.set(key, text)
	}
}

func newStore(k kept, limits stateLimits) *store {
	return &store{kept: k, limits: limits, cache: make(map[string]*string)}
}

// committed says that Redis has the group's changes.
func (s *store) committed() {
	if s.group.cleared {
		s.forgetCache()
	}
	for key, text := range s.group.values {
		s.remember(key, text)
	}
	s.group = layer{}
}

// forget drops everything that was not committed, and what is known of the rest:
// whether a commit that failed happened is not always known.
func (s *store) forget() {
	s.group, s.sized = layer{}, false
	s.forgetCache()
}

func (s *store) forgetCache() {
	clear(s.cache)
	s.cacheBytes = 0
}

func (s *store) remember(key string, text *string) {
	n := len(key)
	if text != nil {
		n += len(*text)
	}
	if s.cacheBytes += n; s.cacheBytes > s.limits.cacheBytes {
		s.forgetCache()
		return
	}
	s.cache[key] = text
}

// A transaction is the state as one play sees it and changes it.
type transaction struct {
	s   *store
	ctx context.Context

	changes layer
	keys    int // the play's difference to the store's
	bytes   int64

	// failed is set when the state could not be read: the play is to be given
	// back, whatever the script makes of the error.
	failed error
	fail   func()
}

// begin opens the state for a play. fail is called when it can't be read.
func (s *store) begin(ctx context.Context, fail func()) *transaction {
	return &transaction{s: s, ctx: ctx, fail: fail}
}

// done gives the changes to the group, and returns them as they are committed.
func (t *transaction) done() queue.Changes {
	if !t.changes.cleared && len(t.changes.values) == 0 {
		return queue.Changes{}
	}
	t.s.group.over(t.changes)
	t.s.keys += t.keys
	t.s.bytes += t.bytes
	return queue.Changes{Clear: t.changes.cleared, Values: t.changes.values, Bytes: t.s.bytes}
}

func (t *transaction) broken(err error) error {
	t.failed = err
	t.fail()
	return &rhai.Error{Kind: value.ErrTerminated, Message: "Script terminated", Cause: err}
}

// get returns what is under a key; nil when nothing is.
func (t *transaction) get(key string) (*string, error) {
	if text, ok := t.changes.values[key]; ok || t.changes.cleared {
		return text, nil
	}
	if text, ok := t.s.group.values[key]; ok || t.s.group.cleared {
		return text, nil
	}
	if text, ok := t.s.cache[key]; ok {
		return text, nil
	}
	text, ok, err := t.s.kept.State(t.ctx, key)
	if err != nil {
		return nil, t.broken(err)
	}
	found := &text
	if !ok {
		found = nil
	}
	t.s.remember(key, found)
	return found, nil
}

// put sets a key, or removes it when text is nil.
func (t *transaction) put(key string, text *string) error {
	if err := t.size(); err != nil {
		return err
	}
	before, err := t.get(key)
	if err != nil {
		return err
	}
	keys, bytes := t.keys, t.bytes
	if before != nil {
		keys--
		bytes -= int64(len(key) + len(*before))
	}
	if text != nil {
		keys++
		bytes += int64(len(key) + len(*text))
		switch {
		case t.s.keys+keys > t.s.limits.keys && keys > t.keys:
			return tooLarge(limitStateKeys, fmt.Sprintf("the circle's state would have more than %d keys", t.s.limits.keys))
		case t.s.bytes+bytes > t.s.limits.bytes && bytes > t.bytes:
			return tooLarge(limitStateBytes, fmt.Sprintf("the circle's state would have more than %d bytes", t.s.limits.bytes))
		}
	} else if before == nil {
		return nil
	}
	t.keys, t.bytes = keys, bytes
	t.changes.set(key, text)
	return nil
}

// size makes sure that the state's size is known.
func (t *transaction) size() error {
	if t.s.sized {
		return nil
	}
	keys, bytes, err := t.s.kept.StateSize(t.ctx)
	if err != nil {
		return t.broken(err)
	}
	// Until now nobody has changed anything: that takes the size.
	t.s.keys, t.s.bytes, t.s.sized = keys, bytes, true
	return nil
}

func (t *transaction) clear() error {
	if err := t.size(); err != nil {
		return err
	}
	t.changes = layer{cleared: true}
	t.keys, t.bytes = -t.s.keys, -t.s.bytes
	return nil
}

func (t *transaction) len() (int, error) {
	err := t.size()
	return t.s.keys + t.keys, err
}

// list returns the keys that begin with a prefix, in order.
func (t *transaction) list(prefix string) ([]string, error) {
	present := make(map[string]bool)
	if !t.changes.cleared && !t.s.group.cleared {
		keys, err := t.s.kept.StateKeys(t.ctx)
		if err != nil {
			return nil, t.broken(err)
		}
		for _, key := range keys {
			present[key] = true
		}
	}
	layers := []layer{t.s.group, t.changes}
	if t.changes.cleared {
		layers = layers[1:]
	}
	for _, l := range layers {
		for key, text := range l.values {
			present[key] = text != nil
		}
	}
	maps.DeleteFunc(present, func(key string, there bool) bool { return !there || !strings.HasPrefix(key, prefix) })
	return slices.Sorted(maps.Keys(present)), nil
}

func tooLarge(limit, message string) error {
	return &rhai.Error{Kind: value.ErrDataTooLarge, Message: message, Limit: rhai.Limit(limit)}
}

// checkKey is for keys that are written; others are just not there.
func (t *transaction) checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("state: the key is empty")
	case len(key) > t.s.limits.keyBytes:
		return tooLarge(limitStateKey, fmt.Sprintf("a key of the state has %d bytes, want at most %d", len(key), t.s.limits.keyBytes))
	}
	return nil
}
