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
func newEngine(cfg Config, functions ...rhai.Option) (*rhai.Engine, *rhai.CustomType) {
	var stateType *rhai.CustomType
	options := []rhai.Option{rhai.WithLimits(cfg.limits()), rhai.WithCache(cfg.ScriptCacheBytes), rhai.With(func(r *rhai.Registry) {
		stateType = r.AddType(rhai.CustomType{Name: "State"})
		method := func(name string, run func(rhai.Context, *transaction, []rhai.Value) (rhai.Value, error), params ...value.Type) {
			r.Add(rhai.Func{
				Name:   name,
				Params: append([]value.Type{stateType.ID()}, params...),
				Native: func(c rhai.Context, args []rhai.Value) (rhai.Value, error) {
					return run(c, args[0].Custom().Data.(*transaction), args[1:])
				},
			})
		}
		method(value.IndexGet, stateGet, value.TypeString)
		method(value.IndexSet, stateSet, value.TypeString, value.Any)
		method("contains", stateContains, value.TypeString)
		method("remove", stateRemove, value.TypeString)
		method("keys", stateKeys)
		method("keys", stateKeys, value.TypeString)
		method("len", func(_ rhai.Context, t *transaction, _ []rhai.Value) (rhai.Value, error) {
			n, err := t.len()
			return value.Int(int64(n)), err
		})
		method("clear", func(_ rhai.Context, t *transaction, _ []rhai.Value) (rhai.Value, error) {
			return value.Unit(), t.clear()
		})
	})}
	return rhai.New(append(options, functions...)...), stateType
}

// stateGet gives a key's value, and () for a key that is not there, as object
// maps do.
func stateGet(_ rhai.Context, t *transaction, args []rhai.Value) (rhai.Value, error) {
	key := args[0].Text()
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

func stateSet(_ rhai.Context, t *transaction, args []rhai.Value) (rhai.Value, error) {
	key, v, most := args[0].Text(), args[1], t.s.limits.valueBytes
	if err := t.checkKey(key); err != nil {
		return value.Unit(), err
	}
	large := func() error {
		return tooLarge(limitStateValue, fmt.Sprintf("state: the value of key %q would have more than %d bytes", key, most))
	}
	if oversized(v, most) {
		return value.Unit(), large()
	}
	text, err := encode(v)
	if err != nil {
		return value.Unit(), fmt.Errorf("state: key %q: %w", key, err)
	}
	if len(text) > most {
		return value.Unit(), large()
	}
	return value.Unit(), t.put(key, &text)
}

func stateContains(_ rhai.Context, t *transaction, args []rhai.Value) (rhai.Value, error) {
	text, err := t.get(args[0].Text())
	return value.Bool(text != nil), err
}

// stateRemove gives the value that was there.
func stateRemove(c rhai.Context, t *transaction, args []rhai.Value) (rhai.Value, error) {
	v, err := stateGet(c, t, args)
	if err != nil {
		return v, err
	}
	return v, t.put(args[0].Text(), nil)
}

// stateKeys gives the keys in order, those with a prefix when one is given.
func stateKeys(c rhai.Context, t *transaction, args []rhai.Value) (rhai.Value, error) {
	prefix := ""
	if len(args) > 0 {
		prefix = args[0].Text()
	}
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
