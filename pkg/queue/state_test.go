package queue

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"circles/pkg/redistest"
)

func changing(changes Changes, plays ...Delivery) []Done {
	done := answer(plays...)
	done[0].Changes = changes
	return done
}

func TestChangesOfOneGroupFollowEachOther(t *testing.T) {
	text := func(s string) *string { return &s }
	one := Changes{Values: map[string]*string{"a": text("1"), "b": text("1")}, Bytes: 4}
	two := Changes{Values: map[string]*string{"b": nil, "c": text("2")}, Bytes: 4}
	wipe := Changes{Clear: true, Values: map[string]*string{"d": text("3")}, Bytes: 2}
	got := merge([]Done{{Changes: one}, {}, {Changes: two}})
	want := Changes{Values: map[string]*string{"a": one.Values["a"], "b": nil, "c": two.Values["c"]}, Bytes: 4}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := merge([]Done{{Changes: one}, {Changes: wipe}}); !reflect.DeepEqual(got, wipe) {
		t.Errorf("got %+v, want %+v", got, wipe)
	}
	if got := merge([]Done{{}, {}}); !got.none() {
		t.Errorf("got %+v, want none", got)
	}
}

func TestStateIsCommittedWithThePlay(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		old := claim(t, dead(t, server, 20*time.Millisecond), key)
		text := func(s string) *string { return &s }
		run := func(l *Lease, changes Changes) error {
			t.Helper()
			if _, err := d.Fire(within(t), key, Play{Script: "x"}); err != nil {
				t.Fatal(err)
			}
			l.poke()
			return l.Commit(within(t), changing(changes, next(t, l)...))
		}
		holds := func(l *Lease, bytes int64, want map[string]string) {
			t.Helper()
			got := make(map[string]string)
			keys, err := l.StateKeys(within(t))
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(keys)
			for _, k := range keys {
				v, ok, err := l.State(within(t), k)
				if err != nil || !ok {
					t.Fatalf("%q: %v, %v", k, ok, err)
				}
				got[k] = v
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			n, size, err := l.StateSize(within(t))
			if err != nil || n != len(want) || size != bytes {
				t.Errorf("got %d keys, %d bytes, %v", n, size, err)
			}
		}
		holds(old, 0, map[string]string{})
		if err := run(old, Changes{Values: map[string]*string{"a": text("1"), "b": text("2")}, Bytes: 4}); err != nil {
			t.Fatal(err)
		}
		holds(old, 4, map[string]string{"a": "1", "b": "2"})
		if _, ok, err := old.State(within(t), "c"); ok || err != nil {
			t.Errorf("got %v, %v for a key that is not there", ok, err)
		}
		if err := run(old, Changes{Values: map[string]*string{"a": nil, "c": text("")}, Bytes: 3}); err != nil {
			t.Fatal(err)
		}
		holds(old, 3, map[string]string{"b": "2", "c": ""})

		// Who has lost the circle changes nothing.
		if _, err := d.Fire(within(t), key, Play{Script: "x"}); err != nil {
			t.Fatal(err)
		}
		old.poke()
		plays := next(t, old)
		l := inherit(t, startConsumer(t, server, ConsumerOptions{WorkerID: "heir"}), key)
		if err := old.Commit(within(t), changing(Changes{Clear: true}, plays...)); !errors.Is(err, ErrLost) {
			t.Errorf("got %v, want ErrLost", err)
		}
		holds(l, 3, map[string]string{"b": "2", "c": ""})
		if err := l.Commit(within(t), answer(next(t, l)...)); err != nil {
			t.Fatal(err)
		}
		if err := run(l, Changes{Clear: true, Values: map[string]*string{"d": text("x")}, Bytes: 2}); err != nil {
			t.Fatal(err)
		}
		holds(l, 2, map[string]string{"d": "x"})
		if err := run(l, Changes{Clear: true}); err != nil {
			t.Fatal(err)
		}
		holds(l, 0, map[string]string{})
	})
}
