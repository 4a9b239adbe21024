package redistest_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/pkg/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServers(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...redistest.Option) *redistest.Server{
		"first choice": redistest.Start,
		"real":         redistest.StartReal,
		"embedded":     redistest.StartEmbedded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			server := start(t, redistest.WithPassword("s3cret"))
			client := server.Client()
			if err := client.Set(ctx, "k", "v", 20*time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			for client.Exists(ctx, "k").Val() != 0 {
				time.Sleep(time.Millisecond)
			}

			client.Set(ctx, "k", "v", 0)
			addr := server.Addr
			server.Stop()
			if err := client.Ping(ctx).Err(); err == nil {
				t.Error("a stopped server answers")
			}
			server.Restart()
			if server.Addr != addr {
				t.Errorf("restarted on %s, want %s", server.Addr, addr)
			}
			if n := client.Exists(ctx, "k").Val(); n != 0 {
				t.Error("data came back without an append-only file")
			}
		})
	}
}

func TestAppendOnlyFileSurvivesARestart(t *testing.T) {
	ctx := context.Background()
	server := redistest.StartReal(t, redistest.WithAppendOnly("always"))
	client := server.Client()
	if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	if got := client.Get(ctx, "k").Val(); got != "v" {
		t.Errorf("got %q after the restart, want v", got)
	}
}
