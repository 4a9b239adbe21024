package worker

import (
	"fmt"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

const (
	limitStateKey   = "state_key_bytes"
	limitStateValue = "state_value_bytes"
	limitStateKeys  = "state_keys"
	limitStateBytes = "state_bytes"
)

// newEngine is the engine that runs plays, and the type of the variable state:
// its properties and indices are the keys of the circle's state, whatever they
// are called. functions add to what scripts can call.
func newEngine(cfg Config, functions ...rhai.Option) (*rhai.Engine, *rhai.TypeBuilder[*transaction]) {
	var state *rhai.TypeBuilder[*transaction]
	options := []rhai.Option{rhai.WithLimits(cfg.limits()), rhai.WithCache(cfg.ScriptCacheBytes), rhai.With(func(r *rhai.Registry) {
		state = rhai.Type[*transaction](r, "State")
		state.Index(stateGet)
		state.SetIndex(stateSet)
		state.Method("contains", stateContains)
		state.Method("remove", stateRemove)
		state.Method("keys", func(c rhai.Context, t *transaction) (rhai.Value, error) { return stateKeys(c, t, "") })
		state.Method("keys", stateKeys)
		state.Method("len", (*transaction).len)
		state.Method("clear", (*transaction).clear)
	})}
	return rhai.New(append(options, functions...)...), state
}

// stateGet gives a key's value, and () for a key that is not there, as object
// maps do.
func stateGet(t *transaction, key string) (rhai.Value, error) {
	text, err := t.get(key)
	if err != nil || text == nil {
		return value.Unit(), err
	}
	v, err := decode(*text)
	if err != nil {
		return value.Unit(), fmt.Errorf("state: key %q can not be read: %w", key, err)
	}
	return v, nil
}

func stateSet(t *transaction, key string, v rhai.Value) error {
	most := t.s.limits.valueBytes
	if err := t.checkKey(key); err != nil {
		return err
	}
	large := func() error {
		return tooLarge(limitStateValue, fmt.Sprintf("state: the value of key %q would have more than %d bytes", key, most))
	}
	if oversized(v, most) {
		return large()
	}
	text, err := encode(v)
	if err != nil {
		return fmt.Errorf("state: key %q: %w", key, err)
	}
	if len(text) > most {
		return large()
	}
	return t.put(key, &text)
}

func stateContains(t *transaction, key string) (bool, error) {
	text, err := t.get(key)
	return text != nil, err
}

// stateRemove gives the value that was there.
func stateRemove(t *transaction, key string) (rhai.Value, error) {
	v, err := stateGet(t, key)
	if err != nil {
		return v, err
	}
	return v, t.put(key, nil)
}

// stateKeys gives the keys that have a prefix, in order.
func stateKeys(c rhai.Context, t *transaction, prefix string) (rhai.Value, error) {
	keys, err := t.list(prefix)
	if err != nil {
		return value.Unit(), err
	}
	if err := c.Limits().CheckArray(len(keys)); err != nil {
		return value.Unit(), err
	}
	if err := c.Tick(len(keys)); err != nil {
		return value.Unit(), err
	}
	items := make([]rhai.Value, len(keys))
	for i, key := range keys {
		items[i] = value.Str(key)
	}
	return value.NewArray(items), nil
}
