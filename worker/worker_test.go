package worker

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"circles/pkg/queue"
	"circles/pkg/redistest"
)

func TestAPlayIsRun(t *testing.T) {
	for name, server := range map[string]*redistest.Server{"redis": redistest.Start(t), "embedded": redistest.StartEmbedded(t)} {
		t.Run(name, func(t *testing.T) {
			key := newCircles(t, 1)[0]
			start(t, config(t, server, "w", key))
			d := dispatcher(t, server)
			o := play(t, d, key, queue.Play{Script: "args.n * 2 + 2", Args: json.RawMessage(`{"n":20}`)})
			if o.Error != nil || o.Output != "42" || string(o.Value) != "42" || o.Elapsed <= 0 {
				t.Errorf("got %+v", o)
			}
		})
	}
}

func TestWhatAScriptSees(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	start(t, config(t, server, "w", key))
	o := play(t, dispatcher(t, server), key, queue.Play{
		ID: "the-play", Caller: "02caller", Role: "member",
		Script: `fn inner() { PLAY_ID } [CIRCLE_PUBLIC_KEY, CALLER_PUBLIC_KEY, CALLER_ROLE, inner(), args]`,
	})
	want, _ := json.Marshal([]any{key.String(), "02caller", "member", "the-play", nil})
	if string(o.Value) != string(want) {
		t.Errorf("got %s (%v), want %s", o.Value, o.Error, want)
	}
}

func TestHowPlaysFail(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "w", key)
	cfg.ScriptMaxOperations = 1_000_000
	cfg.ScriptMaxMemoryBytes = 8 << 20 // reached in fewer operations
	cfg.ScriptMaxOutputBytes = 1024
	cfg.ScriptMaxPrintBytes = 1024
	start(t, cfg)
	d := dispatcher(t, server)
	for _, test := range []struct {
		name, script string
		kind         queue.ErrorKind
		scriptKind   string
		line, column int
		limit        string
	}{
		{"a runtime error", "let a = 1;\n  throw \"no\"", queue.KindScript, "ErrorRuntime", 2, 3, ""},
		{"a syntax error", "let = 1", queue.KindParse, "ErrorParsing", 1, 5, ""},
		{"too many operations", "let n = 0; loop { n += 1; }", queue.KindLimit, "ErrorTooManyOperations", 0, 0, "operations"},
		{"too deep", "fn f(n) { f(n + 1) } f(0)", queue.KindLimit, "ErrorStackOverflow", 0, 0, "call_depth"},
		{"too much memory", "let x = 1; loop { let y = x; x = || y; }", queue.KindLimit, "ErrorDataTooLarge", 0, 0, "memory"},
		{"too much output", `let s = "xxxxxxxxxx"; let a = [s, s, s, s]; a = [a, a, a, a]; a = [a, a, a, a]; [a, a, a, a]`, queue.KindLimit, "", 0, 0, "output_bytes"},
		{"a little too much output", `let s = "xxxxxxxx"; s += s; s += s; s += s; s += s; s += s; s += s; s += s; s + "x"`, queue.KindLimit, "", 0, 0, "output_bytes"},
		{"too much printed", `for i in 0..1000 { print("0123456789"); }`, queue.KindLimit, "", 0, 0, "print_bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := play(t, d, key, queue.Play{Script: test.script})
			e := o.Error
			if e == nil || e.Kind != test.kind || e.Message == "" || test.scriptKind != "" && e.ScriptKind != test.scriptKind || e.Limit != test.limit {
				t.Fatalf("got %+v, error %+v", o, e)
			}
			if test.line != 0 && (e.Line != test.line || e.Column != test.column) {
				t.Errorf("got line %d, column %d; want %d, %d", e.Line, e.Column, test.line, test.column)
			}
		})
	}
	if o := play(t, d, key, queue.Play{Script: "fn f(x) { throw x } fn g() { f(1) } g()"}); o.Error == nil || len(o.Error.Trace) != 2 {
		t.Errorf("got %+v, want a trace of two calls", o.Error)
	}
}

func TestATimeoutEndsTheScript(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "w", key)
	cfg.ScriptMaxOperations = 0
	start(t, cfg)
	d := dispatcher(t, server)
	o := play(t, d, key, queue.Play{Script: "loop {}", Deadline: time.Now().Add(300 * time.Millisecond)})
	if o.Error == nil || o.Error.Kind != queue.KindTimeout {
		t.Errorf("got %+v, %+v", o, o.Error)
	}
	if o := play(t, d, key, queue.Play{Script: "1"}); o.Output != "1" {
		t.Errorf("the next play got %+v", o)
	}
}

func TestCancelStopsTheScriptAtOnce(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "w", key)
	cfg.ScriptMaxOperations = 0
	start(t, cfg)
	d := dispatcher(t, server)
	ended := make(chan queue.Outcome, 1)
	p := queue.Play{ID: "endless", Script: "loop {}", Deadline: time.Now().Add(time.Hour)}
	if err := d.Start(within(t), key, p, func(o queue.Outcome) { ended <- o }); err != nil {
		t.Fatal(err)
	}
	rdb := server.Client()
	eventually(t, "the play to be read", func() bool {
		pending, err := rdb.XPending(within(t), "rhai_tasks:"+key.String(), "workers").Result()
		return err == nil && pending.Count == 1
	})
	if ok, err := d.Cancel(within(t), "endless"); !ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	if o := <-ended; o.Error == nil || o.Error.Kind != queue.KindCancelled {
		t.Errorf("got %+v", o)
	}
	if o := play(t, d, key, queue.Play{Script: "1"}); o.Output != "1" { // else the worker would still be at it
		t.Errorf("got %+v", o)
	}
}

func TestPrintedLinesReachAStreamingCaller(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	start(t, config(t, server, "w", key))
	d := dispatcher(t, server)
	script := `print("a"); print(1 + 1);`
	if o := play(t, d, key, queue.Play{Script: script, Stream: true}); !reflect.DeepEqual(o.Printed, []string{"a", "2"}) {
		t.Errorf("got %q", o.Printed)
	}
	if o := play(t, d, key, queue.Play{Script: script}); o.Printed != nil {
		t.Errorf("got %q for a caller that does not listen", o.Printed)
	}
}

func TestOnePlayAtATimeInOrder(t *testing.T) {
	server := redistest.Start(t)
	keys := newCircles(t, 2)
	start(t, config(t, server, "w", keys...))
	d := dispatcher(t, server)
	var (
		mu    sync.Mutex
		ended = make(map[string][]string)
		all   sync.WaitGroup
	)
	const n = 50
	for i := range n {
		for _, key := range keys {
			all.Add(1)
			err := d.Start(within(t), key, queue.Play{Script: strconv.Itoa(i)}, func(o queue.Outcome) {
				defer all.Done()
				mu.Lock()
				defer mu.Unlock()
				ended[key.String()] = append(ended[key.String()], o.Output)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	all.Wait()
	for _, key := range keys {
		for i, got := range ended[key.String()] {
			if got != strconv.Itoa(i) {
				t.Fatalf("circle %v: got %q in place %d", key, got, i)
			}
		}
	}
}

func TestTheRunningPlayEndsOnShutdown(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "first", key)
	h := newHold()
	w, stop := startHolding(t, cfg, h)
	d := dispatcher(t, server)
	outcomes := make(chan queue.Outcome, 2)
	submit := func(script string) {
		t.Helper()
		p := queue.Play{Script: script, Deadline: time.Now().Add(time.Minute)}
		if err := d.Start(within(t), key, p, func(o queue.Outcome) { outcomes <- o }); err != nil {
			t.Fatal(err)
		}
	}
	submit("hold()")
	<-h.began
	submit("2")
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	eventually(t, "the worker to leave", func() bool { return w.Ready() != nil })
	h.release()
	<-stopped
	if o := <-outcomes; o.Output != "held" {
		t.Errorf("got %+v, %+v", o, o.Error)
	}
	if owner := server.Client().Get(within(t), "{rhai_tasks:"+key.String()+"}:owner").Val(); owner != "" {
		t.Errorf("the circle is still owned: %q", owner)
	}
	cfg.ID = "second" // it has what the first did not come to
	start(t, cfg)
	if o := <-outcomes; o.Output != "2" {
		t.Errorf("got %+v, %+v", o, o.Error)
	}
}

// A loop that is to hand its circle over ends the running play and takes none
// after it.
func TestAHandOverLeavesTheRestToTheNextOwner(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "first", key)
	h := newHold()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	w, err := New(cfg, Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	w.runner = newRunner(cfg, log, h.option())
	rdb, err := queue.Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	consumer := queue.NewConsumer(rdb, queue.ConsumerOptions{WorkerID: "first"})
	running(t, consumer.Run)
	d := dispatcher(t, server)
	var ids []string
	for _, script := range []string{"hold()", "2"} {
		id, err := d.Fire(within(t), key, queue.Play{Script: script, Deadline: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	lease, err := consumer.Claim(within(t), key)
	if err != nil {
		t.Fatal(err)
	}
	l := startLoop(w, lease)
	<-h.began
	l.handOver()
	h.release()
	<-l.done
	if o, err := d.Fetch(within(t), key, ids[0]); err != nil || o.Output != "held" {
		t.Errorf("the running play: got %+v, %v", o, err)
	}
	if _, err := d.Fetch(within(t), key, ids[1]); !errors.Is(err, queue.ErrNoOutcome) {
		t.Errorf("the play after it: got %v, want no outcome", err)
	}
	if lease, err = consumer.Claim(within(t), key); err != nil {
		t.Fatal(err) // it was not released
	}
	plays, err := lease.Next(within(t))
	if err != nil || len(plays) != 1 || plays[0].Play.ID != ids[1] || plays[0].Deliveries != 0 {
		t.Errorf("the next owner got %+v, %v, want the second play, which nobody died of", plays, err)
	}
}

func TestAPlayThatOutlastsTheShutdownIsRunByAnotherWorker(t *testing.T) {
	server := redistest.Start(t)
	key := newCircles(t, 1)[0]
	cfg := config(t, server, "first", key)
	cfg.ShutdownTimeout = 10 * time.Millisecond
	first, second := newHold(), newHold()
	_, stop := startHolding(t, cfg, first)
	d := dispatcher(t, server)
	outcome := make(chan queue.Outcome, 1)
	p := queue.Play{Script: "hold()", Deadline: time.Now().Add(time.Minute)}
	if err := d.Start(within(t), key, p, func(o queue.Outcome) { outcome <- o }); err != nil {
		t.Fatal(err)
	}
	<-first.began
	stop()
	second.release()
	cfg.ID = "second"
	startHolding(t, cfg, second)
	if o := <-outcome; o.Output != "held" {
		t.Errorf("got %+v, %+v", o, o.Error)
	}
}

func TestCirclesAreSharedEvenly(t *testing.T) {
	server := redistest.Start(t)
	keys := newCircles(t, 6)
	owned := func() map[string]int {
		count := make(map[string]int)
		for _, key := range keys {
			owner := server.Client().Get(within(t), "{rhai_tasks:"+key.String()+"}:owner").Val()
			for _, id := range []string{"a", "b", "c"} {
				if len(owner) > 0 && owner[len(owner)-1:] == id {
					count[id]++
				}
			}
		}
		return count
	}
	shared := func(want map[string]int) {
		t.Helper()
		eventually(t, "an even share", func() bool { return reflect.DeepEqual(owned(), want) })
	}
	start(t, config(t, server, "a", keys...))
	shared(map[string]int{"a": 6})
	_, stop := start(t, config(t, server, "b", keys...))
	shared(map[string]int{"a": 3, "b": 3})
	start(t, config(t, server, "c", keys...))
	shared(map[string]int{"a": 2, "b": 2, "c": 2})
	stop()
	shared(map[string]int{"a": 3, "c": 3})
	d := dispatcher(t, server)
	for _, key := range keys {
		if o := play(t, d, key, queue.Play{Script: "1"}); o.Output != "1" {
			t.Errorf("got %+v", o)
		}
	}
}

func TestHealth(t *testing.T) {
	server := redistest.Start(t)
	cfg := config(t, server, "w", newCircles(t, 1)...)
	cfg.LeaseTTL = 300 * time.Millisecond
	w, _ := start(t, cfg)
	addr, err := w.Listen()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, string) {
		t.Helper()
		response, err := client.Get("http://" + addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	ready := func(want int) {
		t.Helper()
		eventually(t, "readiness to be "+strconv.Itoa(want), func() bool { code, _ := get("/readyz"); return code == want })
	}
	ready(http.StatusOK)
	cfg.HTTPAddr = addr.String()
	if err := Healthcheck(within(t), cfg); err != nil {
		t.Error(err)
	}
	server.Stop()
	ready(http.StatusServiceUnavailable)
	if code, _ := get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: got %d without redis, want 200", code)
	}
	server.Restart()
	ready(http.StatusOK)
}

func TestHealthcheckFails(t *testing.T) {
	cfg := Config{HTTPAddr: "0.0.0.0:1"}
	if err := Healthcheck(within(t), cfg); err == nil || !mentions(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v, want an error that names 127.0.0.1:1", err)
	}
	if err := Healthcheck(within(t), Config{}); err == nil {
		t.Error("no error without an address")
	}
}
