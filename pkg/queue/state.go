package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// Changes are what a play makes of the circle's state.
type Changes struct {
	Clear  bool               // everything goes first
	Values map[string]*string // by key, which is not empty; nil: the key goes
	Bytes  int64              // size of all keys and values afterwards
}

func (c Changes) none() bool { return !c.Clear && len(c.Values) == 0 }

// merge is what plays make of the state one after another.
func merge(plays []Done) Changes {
	var all Changes
	for _, p := range plays {
		if p.Changes.none() {
			continue
		}
		if p.Changes.Clear {
			all = Changes{Clear: true}
		}
		if all.Values == nil {
			all.Values = make(map[string]*string, len(p.Changes.Values))
		}
		maps.Copy(all.Values, p.Changes.Values)
		all.Bytes = p.Changes.Bytes
	}
	return all
}

// size is the bytes of the keys and values that change.
func (c Changes) size() int {
	bytes := 0
	for key, value := range c.Values {
		bytes += len(key)
		if value != nil {
			bytes += len(*value)
		}
	}
	return bytes
}

// append adds the changes as the script takes them.
func (c Changes) append(args []any) []any {
	n := len(c.Values)
	if c.Clear {
		n++
	}
	args = append(args, n)
	if n == 0 {
		return args
	}
	clear := "0"
	if c.Clear {
		clear = "1"
	}
	args = append(args, clear, c.Bytes)
	for key, value := range c.Values {
		if value == nil {
			args = append(args, key, "0", "")
		} else {
			args = append(args, key, "1", *value)
		}
	}
	return args
}

// State returns what the circle's state has under a key. Only the owner writes,
// so it stays true until the owner commits something else.
func (l *Lease) State(ctx context.Context, key string) (value string, ok bool, err error) {
	value, err = l.c.rdb.HGet(ctx, l.keys.state, key).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read state: %w", err)
	}
	return value, true, nil
}

// StateKeys returns the keys of the circle's state, in no order.
func (l *Lease) StateKeys(ctx context.Context) ([]string, error) {
	keys, err := l.c.rdb.HKeys(ctx, l.keys.state).Result()
	if err != nil {
		return nil, fmt.Errorf("read the keys of the state: %w", err)
	}
	for i, key := range keys {
		if key == stateSizeField {
			keys[i] = keys[len(keys)-1]
			return keys[:len(keys)-1], nil
		}
	}
	return keys, nil
}

// StateSize returns how many keys the circle's state has, and the size of all
// keys and values in bytes.
func (l *Lease) StateSize(ctx context.Context) (keys int, bytes int64, err error) {
	pipe := l.c.rdb.Pipeline()
	count, size := pipe.HLen(ctx, l.keys.state), pipe.HGet(ctx, l.keys.state, stateSizeField)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return 0, 0, fmt.Errorf("read the size of the state: %w", err)
	}
	if size.Val() == "" {
		return int(count.Val()), 0, nil
	}
	bytes, err = strconv.ParseInt(size.Val(), 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("the size of the state is %q, want a number", size.Val())
	}
	return int(count.Val()) - 1, bytes, nil
}
