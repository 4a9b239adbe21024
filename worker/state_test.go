package worker

import (
	"strings"
	"testing"
	"time"

	"circles/pkg/queue"
	"circles/pkg/redistest"
)

// stateful starts a worker and returns a function that plays a script and
// returns its output, or the error's kind and message.
func stateful(t *testing.T, change func(*Config)) func(script string) string {
	t.Helper()
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "w", key)
	if change != nil {
		change(&cfg)
	}
	start(t, cfg)
	d := dispatcher(t, server)
	return func(script string) string {
		t.Helper()
		o := play(t, d, key, queue.Play{Script: script})
		if o.Error != nil {
			return string(o.Error.Kind) + " " + o.Error.Limit + " " + o.Error.Message
		}
		return o.Output
	}
}

func TestStateOutlivesThePlay(t *testing.T) {
	run := stateful(t, nil)
	for _, step := range []struct{ script, want string }{
		{`state.count`, ``},
		{`state.count = 1; state.count += 1; state.count`, `2`},
		{`state.count += 1; state["count"]`, `3`},
		{`fn bump() { state.count += 1; } bump(); bump(); state.count`, `5`},
		{`state.user = #{name: "ada", tags: []}; state.user.name`, `ada`},
		{`state.user.name = "eve"; state.user.tags += "x"; state.user.name`, `eve`},
		{`state.user`, `#{"name": "eve", "tags": ["x"]}`},
		{`[state.len(), state.contains("user"), state.contains("nobody"), "count" in state]`, `[2, true, false, true]`},
		{`state["a/1"] = 1; state["a/2"] = 2; state.keys("a/")`, `["a/1", "a/2"]`},
		{`state.keys()`, `["a/1", "a/2", "count", "user"]`},
		{`state.remove("a/1")`, `1`},
		{`state.remove("a/1")`, ``},
		{`[state.keys("a/"), state.len()]`, `[["a/2"], 3]`},
		{`state.clear(); state.x = 1; [state.len(), state.keys(), state.count]`, `[1, ["x"], ()]`},
		{`[state.len(), state.keys(), state.count, state.x]`, `[1, ["x"], (), 1]`},
	} {
		if got := run(step.script); got != step.want {
			t.Errorf("%s: got %q, want %q", step.script, got, step.want)
		}
	}
}

func TestAFailedPlayWritesNothing(t *testing.T) {
	run := stateful(t, nil)
	run(`state.a = 1`)
	if got := run(`state.a = 2; state.b = 1; state.remove("a"); throw "no"`); !strings.HasPrefix(got, "script") {
		t.Fatalf("got %q", got)
	}
	if got := run(`[state.a, state.b, state.len()]`); got != "[1, (), 1]" {
		t.Errorf("got %q", got)
	}
	if got := run(`state.clear(); throw "no"`); !strings.HasPrefix(got, "script") {
		t.Fatalf("got %q", got)
	}
	if got := run(`[state.a, state.len()]`); got != "[1, 1]" {
		t.Errorf("got %q", got)
	}
}

func TestStateKeepsTypes(t *testing.T) {
	run := stateful(t, nil)
	for _, v := range []string{`1`, `1.0`, `-0.5`, `9223372036854775807`, `true`, `()`, `'x'`, `"x"`, `""`, `[1, 2.0, 'c']`,
		`#{"a": 1.0, "b": #{}}`, `#{"$char": "x"}`, `#{"$map": 1}`, `#{"$own": 'x'}`, `[#{"$blob": 'x'}]`} {
		run(`state.v = ` + v)
		want := run(`let v = ` + v + `; [type_of(v), v]`)
		if got := run(`[type_of(state.v), state.v]`); got != want {
			t.Errorf("%s: got %q, want %q", v, got, want)
		}
	}
	if got := run(`state.handler = |x| x`); !mentions(got, "script", `"handler"`, "Fn") {
		t.Errorf("got %q, want an error that names the key and the type", got)
	}
}

func TestStateIsBounded(t *testing.T) {
	run := stateful(t, func(cfg *Config) {
		cfg.StateMaxKeyBytes, cfg.StateMaxValueBytes, cfg.StateMaxKeys, cfg.StateMaxBytes = 8, 100, 3, 150
	})
	for _, step := range []struct{ script, want string }{
		{`state["123456789"] = 1`, "limit " + limitStateKey},
		{`state[""] = 1`, "script  "},
		{`let s = "0123456789"; s += s; s += s; s += s; s += s; state.big = s`, "limit " + limitStateValue},
		{`state.a = 1; state.b = 1; state.c = 1; state.d = 1`, "limit " + limitStateKeys},
		{`state.a = 1; state.b = 1; state.c = 1; state.len()`, "3"},
		{`state.d = 1`, "limit " + limitStateKeys},
		{`state.remove("a"); state.d = 1; state.len()`, "3"},
		{`let s = "0123456789"; s += s; s += s; s += s; state.b = s; state.c = s`, "limit " + limitStateBytes},
		{`let s = "0123456789"; s += s; s += s; s += s; state.b = s; state.b = 0; state.c = s; state.len()`, "3"},
		{`state.clear(); state.a = 1; state.len()`, "1"},
		{`state.len()`, "1"},
	} {
		if got := run(step.script); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s: got %q, want %q", step.script, got, step.want)
		}
	}
}

func TestPlaysOfOneGroupSeeEachOther(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	d := dispatcher(t, server)
	const n = 300
	outcomes := make(chan queue.Outcome, n)
	for range n { // queued before there is a worker, so that it reads many at once
		p := queue.Play{Script: `if state.n == () { state.n = 0; } state.n += 1; if state.n % 7 == 0 { throw "every seventh" } state.n`, Deadline: time.Now().Add(time.Minute)}
		if err := d.Start(within(t), key, p, func(o queue.Outcome) { outcomes <- o }); err != nil {
			t.Fatal(err)
		}
	}
	// The seventh fails, so that n stays 6 and all that follow fail too.
	cfg := config(t, server, "w", key)
	start(t, cfg)
	failed := 0
	for range n {
		if o := <-outcomes; o.Error != nil {
			failed++
		}
	}
	if failed != n-6 {
		t.Errorf("%d plays failed, want %d", failed, n-6)
	}
	if o := play(t, d, key, queue.Play{Script: "state.n"}); o.Output != "6" {
		t.Errorf("got %q, want 6", o.Output)
	}
}

func TestStateSurvivesAHandOverAndAnOutage(t *testing.T) {
	server := redistest.StartReal(t, redistest.WithAppendOnly("always"))
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "first", key)
	cfg.LeaseTTL = time.Second
	_, stop := start(t, cfg)
	d := dispatcher(t, server)
	count := func() string {
		t.Helper()
		return play(t, d, key, queue.Play{Script: `if state.n == () { state.n = 0; } state.n += 1; state.n`}).Output
	}
	if got := count(); got != "1" {
		t.Fatalf("got %q", got)
	}
	stop()
	cfg.ID = "second"
	start(t, cfg)
	if got := count(); got != "2" {
		t.Errorf("after a hand-over: got %q, want 2", got)
	}
	server.Restart()
	if got := count(); got != "3" {
		t.Errorf("after a restart: got %q, want 3", got)
	}
}
