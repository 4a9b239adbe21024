// Package outage takes Redis away from a running gateway and worker in every way that it can go, and checks that they
// stay up, say that they are not ready, answer callers clearly and in time, and serve again by themselves when it is
// back.
//
// OUTAGE=30s makes the outage longer that is three seconds otherwise.
package outage

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/deploy/internal/process"
	"circles/pkg/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An outage is a way in which Redis goes and comes.
type outage struct {
	options []redistest.Option
	change  func(url string) string // of the URL that the services get
	down    bool                    // at their start
	warned  bool                    // there is something to warn of
	happen  func(*system)
}

func TestRedisGoesAndComes(t *testing.T) {
	length := 3 * time.Second
	if text := os.Getenv("OUTAGE"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("OUTAGE: %v", err)
		}
	}
	redistest.StartReal(t).Stop() // skips the test where there is none
	bin, err := process.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	kept := []redistest.Option{redistest.WithAppendOnly("always")}
	for name, o := range map[string]outage{
		"down at start": {options: kept, down: true, happen: func(s *system) {
			s.awaitReady(s.gateway, false)
			s.awaitReady(s.worker, false)
			s.refused()
			s.redis.Restart()
		}},
		"down for a while": {options: kept, happen: func(s *system) {
			stop := s.load()
			s.redis.Stop()
			s.awaitReady(s.gateway, false)
			s.awaitReady(s.worker, false)
			s.refused()
			time.Sleep(length)
			s.refused()
			s.redis.Restart()
			s.awaitAllReady()
			s.awaitPlay()
			stop()
		}},
		"hanging": {options: kept, happen: func(s *system) {
			stop := s.load()
			redis := s.redisProcess()
			if err := redis.Signal(syscall.SIGSTOP); err != nil {
				s.t.Fatal(err)
			}
			s.awaitReady(s.gateway, false)
			s.awaitReady(s.worker, false)
			if _, err := s.play(); err == nil {
				s.t.Error("a play was done without Redis")
			}
			if err := redis.Signal(syscall.SIGCONT); err != nil {
				s.t.Fatal(err)
			}
			s.awaitAllReady()
			s.awaitPlay()
			stop()
		}},
		"restarted with its append-only file": {options: kept, happen: func(s *system) {
			stop := s.load()
			for range 3 {
				s.awaitPlay()
				s.redis.Restart()
			}
			s.awaitPlay()
			stop()
		}},
		"restarted empty": {warned: true, happen: func(s *system) {
			s.awaitPlay()
			s.redis.Restart()
			s.forget()
		}},
		"out of memory": {options: kept, happen: func(s *system) {
			// What was queued before is still done: the worker needs no memory for it, and frees some.
			s.signal(s.worker, syscall.SIGSTOP)
			answered := make(chan error, 1)
			go func() { answered <- s.playFor(answerWait) }()
			s.await("the play to be queued", func() bool { return s.admin.XLen(s.t.Context(), s.queue()).Val() == 1 })
			s.do("config", "set", "maxmemory", "1")
			s.signal(s.worker, syscall.SIGCONT)
			if err := <-answered; err != nil {
				s.t.Errorf("a play that was queued before got %v", err)
			}
			s.awaitReady(s.gateway, false)
			s.refused()
			s.do("config", "set", "maxmemory", "0")
		}},
		"wrong password at start": {
			options: append(kept, redistest.WithPassword("right-secret")),
			change:  func(url string) string { return strings.Replace(url, "right-secret", "other-secret", 1) },
			down:    true,
			happen: func(s *system) {
				s.awaitReady(s.gateway, false)
				s.awaitReady(s.worker, false)
				s.refused()
				s.do("config", "set", "requirepass", "other-secret")
			}},
		"password changed at runtime": {options: append(kept, redistest.WithPassword("right-secret")), happen: func(s *system) {
			s.do("config", "set", "requirepass", "other-secret")
			s.do("client", "kill", "type", "normal", "skipme", "yes")
			s.do("client", "kill", "type", "pubsub")
			s.awaitReady(s.gateway, false)
			s.awaitReady(s.worker, false)
			s.refused()
			s.do("config", "set", "requirepass", "right-secret")
		}},
		"read-only after a failover": {options: kept, happen: func(s *system) {
			stop := s.load()
			s.do("replicaof", "127.0.0.1", "1") // where nobody listens
			s.awaitReady(s.gateway, false)
			s.awaitReady(s.worker, false)
			s.refused()
			s.do("replicaof", "no", "one")
			s.awaitAllReady()
			s.awaitPlay()
			stop()
		}},
		"group destroyed": {options: kept, happen: func(s *system) {
			stop := s.load()
			for range 3 {
				s.awaitPlay()
				s.do("xgroup", "destroy", s.queue(), "workers")
			}
			s.awaitPlay()
			stop()
		}},
		"queue deleted": {options: kept, happen: func(s *system) {
			for range 3 {
				s.awaitPlay()
				s.do("del", s.queue())
			}
		}},
		"scripts flushed": {options: kept, happen: func(s *system) {
			stop := s.load()
			for range 10 {
				s.awaitPlay()
				s.do("script", "flush")
			}
			s.awaitPlay()
			stop()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.StartReal(t, o.options...)
			if o.down && o.change == nil {
				server.Stop()
			}
			s := start(t, bin, server, o.change)
			if !o.down {
				s.awaitAllReady()
				s.awaitPlay()
			}
			o.happen(s)
			s.conclude()
			for _, v := range []*service{s.gateway, s.worker} {
				if got := v.warns(t, "appendonly"); got != o.warned {
					t.Errorf("the %s warns of a missing append-only file: %v, want %v", v.name, got, o.warned)
				}
			}
		})
	}
}
