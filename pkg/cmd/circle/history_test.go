package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"circles/pkg/queue"
	"circles/pkg/redistest"
)

func TestHistory(t *testing.T) {
	server := redistest.Start(t)
	key := newSecret(t).Public()
	env := map[string]string{"REDIS_URL": server.URL, "CIRCLE_URL": "wss://example.org:8443/" + key.String()}
	if got := execute(t, env, "", "history", "list", "--json"); got.code != exitDone || strings.TrimSpace(got.stdout) != "[]" {
		t.Fatalf("got %+v, want none", got)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rdb, err := queue.Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	d := queue.NewDispatcher(rdb, queue.DispatcherOptions{})
	for _, script := range []string{"6 * 7", "let \x1b = x"} {
		if _, err := d.Fire(ctx, key, queue.Play{Script: script, Args: json.RawMessage(`{"n":1}`), Caller: key.String(), Role: "owner"}); err != nil {
			t.Fatal(err)
		}
	}
	lease, err := queue.NewConsumer(rdb, queue.ConsumerOptions{WorkerID: "w", HistoryKept: 10}).Claim(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	plays, err := lease.Next(ctx)
	if err != nil || len(plays) != 2 {
		t.Fatalf("got %d plays, %v", len(plays), err)
	}
	err = lease.Commit(ctx, []queue.Done{
		{Delivery: plays[0], Outcome: queue.Outcome{PlayID: plays[0].Play.ID, Output: "42", Value: json.RawMessage("42")}},
		{Delivery: plays[1], Outcome: queue.Outcome{PlayID: plays[1].Play.ID, Error: &queue.PlayError{Kind: queue.KindParse, Message: "what?"}}},
	})
	if err != nil {
		t.Fatal(err)
	}

	var list []finishedSummary
	got := execute(t, env, "", "history", "list", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v, want two", got, err)
	}
	if list[0].Outcome != "parse" || list[1].Outcome != "value" || list[1].PlayID != plays[0].Play.ID {
		t.Errorf("got %+v", list)
	}
	if got := execute(t, env, "", "history", "list", "--most", "1"); !strings.Contains(got.stdout, list[0].ID) || strings.Contains(got.stdout, list[1].ID) {
		t.Errorf("got %+v, want the last one", got)
	}
	var whole finishedWhole
	got = execute(t, env, "", "history", "show", list[1].ID, "--json")
	if err := json.Unmarshal([]byte(got.stdout), &whole); err != nil || whole.Script != "6 * 7" || whole.Output != "42" || string(whole.Args) != `{"n":1}` {
		t.Errorf("got %+v, %v", got, err)
	}
	got = execute(t, env, "", "history", "show", list[0].ID)
	for _, part := range []string{"parse", "what?", key.String(), `let \x1b = x`} {
		if !strings.Contains(got.stdout, part) {
			t.Errorf("got %q, want %q in it", got.stdout, part)
		}
	}
	for _, args := range [][]string{{"show", "1-1"}, {"show"}, {"list", "--most", "0"}, {"drop"}} {
		if got := execute(t, env, "", append([]string{"history"}, args...)...); got.code != exitUsage {
			t.Errorf("%v: got %+v, want wrong usage", args, got)
		}
	}
}
