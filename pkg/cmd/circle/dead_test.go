package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/redistest"
)

// bury has a circle's plays given up, with these scripts.
func bury(t *testing.T, server *redistest.Server, key circle.Key, scripts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rdb, err := queue.Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	d := queue.NewDispatcher(rdb, queue.DispatcherOptions{})
	for _, script := range scripts {
		play := queue.Play{Script: script, Args: json.RawMessage(`{"n":1}`), Caller: key.String(), Role: "owner"}
		if _, err := d.Fire(ctx, key, play); err != nil {
			t.Fatal(err)
		}
	}
	lease, err := queue.NewConsumer(rdb, queue.ConsumerOptions{WorkerID: "w"}).Claim(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	plays, err := lease.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	done := make([]queue.Done, len(plays))
	for i, p := range plays {
		p.GaveUp, p.Deliveries = true, 3
		done[i] = queue.Done{Delivery: p, Outcome: queue.Outcome{PlayID: p.Play.ID}}
	}
	if err := lease.Commit(ctx, done); err != nil {
		t.Fatal(err)
	}
	if err := lease.Release(ctx); err != nil {
		t.Fatal(err)
	}
}

// listDead returns the ids that circle dead list prints as JSON.
func listDead(t *testing.T, env map[string]string) []string {
	t.Helper()
	got := execute(t, env, "", "dead", "list", "--json")
	var list []struct {
		ID   string `json:"id"`
		Why  string `json:"why"`
		Hash string `json:"script_sha256"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || got.code != exitDone {
		t.Fatalf("got %+v, want a list", got)
	}
	ids := make([]string, len(list))
	for i, each := range list {
		ids[i] = each.ID
		if !strings.Contains(each.Why, "died") || len(each.Hash) != 64 {
			t.Errorf("got %+v, want the reason and the script's hash", each)
		}
	}
	return ids
}

func TestDead(t *testing.T) {
	server := redistest.StartReal(t)
	key := newSecret(t).Public()
	env := map[string]string{"REDIS_URL": server.URL, "CIRCLE_URL": "wss://example.org:8443/" + key.String()}
	if ids := listDead(t, env); len(ids) != 0 {
		t.Fatalf("got %v, want none", ids)
	}
	bury(t, server, key, "let first = 1;", "print(\"\x1b[31mred\")", "third", "fourth")
	ids := listDead(t, env)
	if len(ids) != 4 {
		t.Fatalf("got %v, want four", ids)
	}

	got := execute(t, map[string]string{"REDIS_URL": server.URL}, "", "dead", "list", key.String(), "--most", "2")
	if lines := strings.Split(strings.TrimSpace(got.stdout), "\n"); got.code != exitDone || len(lines) != 3 ||
		!strings.HasPrefix(lines[1], ids[0]) || !strings.Contains(lines[1], "its worker died of it 3 times") {
		t.Errorf("got %+v, want the first two with the reason", got)
	}

	got = execute(t, nil, "", "dead", "show", key.String(), ids[0], "--redis-url", server.URL)
	for _, want := range []string{ids[0], "let first = 1;\n", `{"n":1}`, key.String() + " (owner)", "its worker died of it 3 times"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("got %+v, want %q in it", got, want)
		}
	}
	got = execute(t, env, "", "dead", "show", ids[1])
	if strings.Contains(got.stdout, "\x1b") || !strings.Contains(got.stdout, `print("\x1b[31mred")`) {
		t.Errorf("got %q, want what would steer the terminal escaped", got.stdout)
	}
	got = execute(t, env, "", "dead", "show", ids[1], "--json")
	var shown deadWhole
	if err := json.Unmarshal([]byte(got.stdout), &shown); err != nil || shown.Script != "print(\"\x1b[31mred\")" || shown.Role != "owner" {
		t.Errorf("got %+v, want the play as JSON", got)
	}

	got = execute(t, env, "", "dead", "replay", ids[0])
	if got.code != exitDone || !strings.HasPrefix(got.stdout, "queued as play ") {
		t.Errorf("got %+v, want the new play's id", got)
	}
	if n := server.Client().XLen(context.Background(), "rhai_tasks:"+key.String()).Val(); n != 1 {
		t.Errorf("got %d plays in the queue, want the replayed one", n)
	}
	got = execute(t, env, "", "dead", "drop", ids[1], ids[2])
	if got.code != exitDone || got.stderr != "" {
		t.Errorf("got %+v", got)
	}
	if left := listDead(t, env); len(left) != 1 || left[0] != ids[3] {
		t.Errorf("got %v, want only %s", left, ids[3])
	}
	for _, verb := range []string{"show", "replay", "drop"} {
		got := execute(t, env, "", "dead", verb, ids[0])
		if got.code != exitUsage || !strings.Contains(got.stderr, "no such play among those that were given up") {
			t.Errorf("%s: got %+v, want that there is none", verb, got)
		}
	}
}

func TestDeadExitCodes(t *testing.T) {
	server := redistest.StartReal(t, redistest.WithPassword("right"))
	key := newSecret(t).Public().String()
	wrong := strings.Replace(server.URL, "right", "s3cret", 1)
	down := redistest.StartReal(t)
	down.Stop()
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no command", []string{"dead", "dance"}, exitUsage, "want list, show, replay or drop"},
		{"no circle", []string{"dead", "list"}, exitUsage, "CIRCLE_URL"},
		{"bad circle", []string{"dead", "list", "02ab"}, exitUsage, "neither a circle's key nor an ID"},
		{"no id", []string{"dead", "show", key}, exitUsage, "got 0 IDs"},
		{"no id to drop", []string{"dead", "drop", key}, exitUsage, "got no ID"},
		{"two ids", []string{"dead", "replay", key, "1-1", "1-2"}, exitUsage, "got 2 IDs"},
		{"bad timeout", []string{"dead", "replay", key, "1-1", "--timeout", "0s"}, exitUsage, "at least 1ms"},
		{"bad redis URL", []string{"dead", "list", key, "--redis-url", "http://x"}, exitUsage, "scheme"},
		{"unknown flag", []string{"dead", "list", key, "--all"}, exitUsage, "unknown flag"},
		{"redis is down", []string{"dead", "list", key, "--redis-url", down.URL}, exitConnection, "asked " + down.Addr},
		{"wrong password", []string{"dead", "replay", key, "1-1", "--redis-url", wrong}, exitConnection, "redis is not available"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := execute(t, nil, "", test.args...)
			if got.code != test.code || !strings.Contains(got.stderr, test.want) || strings.Contains(got.stderr, "s3cret") {
				t.Errorf("got %+v, want %d and %q", got, test.code, test.want)
			}
		})
	}
}
