package queue

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"circles/pkg/redistest"
)

func TestInspectNamesDangerousSettings(t *testing.T) {
	for name, test := range map[string]struct {
		options []redistest.Option
		want    []string // settings
	}{
		"all is well":    {[]redistest.Option{redistest.WithAppendOnly("everysec")}, nil},
		"no persistence": {nil, []string{"appendonly"}},
		"eviction": {[]redistest.Option{redistest.WithAppendOnly("everysec"),
			redistest.WithConfig("--maxmemory-policy", "volatile-lru")}, []string{"maxmemory-policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			warnings, err := Inspect(within(t), connect(t, redistest.StartReal(t, test.options...)))
			if err != nil || len(warnings) != len(test.want) {
				t.Fatalf("got %v, %v, want warnings of %v", warnings, err, test.want)
			}
			for i, w := range warnings {
				if w.Setting != test.want[i] {
					t.Errorf("got a warning of %s, want of %s", w.Setting, test.want[i])
				}
			}
		})
	}
}

func TestClustersAreInspectedAndProbed(t *testing.T) {
	rdb := connect(t, startCluster(t))
	warnings, err := Inspect(within(t), rdb)
	if err != nil || len(warnings) != 1 || warnings[0].Setting != "appendonly" {
		t.Errorf("got %v, %v, want a warning of appendonly", warnings, err)
	}
	if err := Probe(within(t), rdb); err != nil {
		t.Error(err)
	}
}

func TestAdviceComesWhenRedisDoes(t *testing.T) {
	server := redistest.StartReal(t)
	server.Stop()
	var text bytes.Buffer
	advised := make(chan struct{})
	rdb := connect(t, server)
	ctx := within(t)
	go func() {
		defer close(advised)
		Advise(ctx, rdb, slog.New(slog.NewTextHandler(&text, nil)))
	}()
	server.Restart()
	<-advised
	if !strings.Contains(text.String(), "level=WARN") || !strings.Contains(text.String(), "appendonly") {
		t.Errorf("got %q, want a warning of appendonly", text.String())
	}
}

func TestNoAdviceAboutWhatRedisDoesNotSay(t *testing.T) {
	server := redistest.StartReal(t)
	user := []any{"acl", "setuser", "service", "on", ">secret", "allkeys", "allchannels", "+@all", "-info"}
	if err := server.Client().Do(within(t), user...).Err(); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{
		"refused":  "redis://service:secret@" + server.Addr,
		"embedded": redistest.StartEmbedded(t).URL,
	} {
		t.Run(name, func(t *testing.T) {
			rdb, err := Open(url)
			if err != nil {
				t.Fatal(err)
			}
			defer rdb.Close()
			var text bytes.Buffer
			Advise(within(t), rdb, slog.New(slog.NewTextHandler(&text, nil)))
			if text.Len() > 0 {
				t.Errorf("got %s, want nothing", text.String())
			}
		})
	}
}

func TestProbeIsRefusedAsPlaysAre(t *testing.T) {
	server := redistest.StartReal(t)
	rdb, admin := connect(t, server), server.Client()
	probe := func(want string) {
		t.Helper()
		err := Probe(within(t), rdb)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	set := func(command ...any) {
		t.Helper()
		if err := admin.Do(within(t), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	probe("")
	set("config", "set", "maxmemory", "1")
	probe("OOM")
	set("config", "set", "maxmemory", "0")
	probe("")
	set("replicaof", "127.0.0.1", "1")
	probe("READONLY")
	set("replicaof", "no", "one")
	probe("")
	if n := admin.DBSize(context.Background()).Val(); n != 0 {
		t.Errorf("got %d keys after probing, want none", n)
	}
}

func TestProbeWorksOnTheEmbeddedRedis(t *testing.T) {
	if err := Probe(within(t), connect(t, redistest.StartEmbedded(t))); err != nil {
		t.Error(err)
	}
}
