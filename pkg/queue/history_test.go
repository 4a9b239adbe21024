package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"circles/pkg/redistest"
)

func TestHistoryKeepsPlaysAndOutcomes(t *testing.T) {
	onEach(t, func(t *testing.T, server *redistest.Server) {
		key := newCircle(t)
		d := startDispatcher(t, server, DispatcherOptions{})
		l := claim(t, startConsumer(t, server, ConsumerOptions{WorkerID: "w", HistoryKept: 1000, Batch: 7}), key)
		const n = 120 // more than two pages
		for i := range n {
			p := Play{ID: fmt.Sprint("play ", i), Script: fmt.Sprint(i), Args: json.RawMessage(`[1]`), Caller: "me", Role: "owner", Deadline: time.Now().Add(time.Minute)}
			if _, err := d.Fire(within(t), key, p); err != nil {
				t.Fatal(err)
			}
		}
		for committed := 0; committed < n; {
			plays := next(t, l)
			done := answer(plays...)
			if committed == 0 {
				done[0].Outcome = failed(plays[0].Play.ID, KindScript, "no")
			}
			commitAll(t, l, done...)
			committed += len(plays)
		}
		h := NewHistory(connect(t, server), key)
		list, err := h.List(within(t), n+1)
		if err != nil || len(list) != n {
			t.Fatalf("got %d plays, %v, want %d", len(list), err, n)
		}
		for i, f := range list {
			want := n - 1 - i
			if f.Err != nil || f.PlayID != fmt.Sprint("play ", want) || f.Play.Script != fmt.Sprint(want) || f.Outcome.PlayID != f.PlayID {
				t.Fatalf("got %+v in place %d, want play %d", f, i, want)
			}
		}
		oldest, err := h.Show(within(t), list[n-1].Entry)
		if err != nil || oldest.Outcome.Error == nil || oldest.Outcome.Error.Message != "no" || string(oldest.Play.Args) != "[1]" || oldest.Play.Caller != "me" {
			t.Errorf("got %+v, %v", oldest, err)
		}
		if few, err := h.List(within(t), 60); err != nil || len(few) != 60 {
			t.Errorf("got %d plays, %v, want 60", len(few), err)
		}
		for _, entry := range []string{"1-1", "x", ""} {
			if _, err := h.Show(within(t), entry); !errors.Is(err, ErrNotInHistory) {
				t.Errorf("%q: got %v, want ErrNotInHistory", entry, err)
			}
		}
	})
}

func TestHistoryIsCappedAndByDefaultEmpty(t *testing.T) {
	server := redistest.Start(t)
	d := startDispatcher(t, server, DispatcherOptions{})
	for kept, c := range map[int]*Consumer{
		0:   startConsumer(t, server, ConsumerOptions{WorkerID: "none"}),
		100: startConsumer(t, server, ConsumerOptions{WorkerID: "some", HistoryKept: 100}),
	} {
		key := newCircle(t)
		l := claim(t, c, key)
		for range 10 {
			for range 64 {
				if _, err := d.Fire(within(t), key, Play{Script: strings.Repeat("x", 100)}); err != nil {
					t.Fatal(err)
				}
			}
			commitAll(t, l, answer(next(t, l)...)...)
		}
		// Redis trims whole nodes of a hundred entries.
		if n := int(server.Client().XLen(within(t), historyKey(key)).Val()); n < kept || n > kept+100 || kept == 0 && n != 0 {
			t.Errorf("%d plays are in the history, want about %d", n, kept)
		}
	}
}
