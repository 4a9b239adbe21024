package chaos

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"circles/deploy/e2e/chaos/history"
	"circles/deploy/internal/process"
)

// The harness has to be able to fail: here are two builds that break the
// promise, and schedules under which that shows. They are carried out until it
// does, a few times at most.

// attempts is how often a sabotaged build may get away with it.
const attempts = 8

// pauses has each worker in turn paused for longer than its lease, so that it
// wakes when another owns its circles.
func pauses(seed uint64) schedule {
	s := newSchedule(seed)
	s.Fsync, s.Workers, s.FixedIDs, s.Lease, s.Length = "always", 2, false, 500*time.Millisecond, 5*time.Second
	s.Faults = nil
	for i := range 4 {
		s.Faults = append(s.Faults, fault{
			At: time.Duration(300+1100*i) * time.Millisecond, Kind: workerPause, Target: i % 2, For: 900 * time.Millisecond,
		})
	}
	return s
}

// deaths has workers killed again and again.
func deaths(seed uint64) schedule {
	s := newSchedule(seed)
	s.Fsync, s.Workers, s.FixedIDs, s.Lease, s.Length = "always", 2, false, 300*time.Millisecond, 5*time.Second
	s.Faults = nil
	for i := range 10 {
		s.Faults = append(s.Faults, fault{
			At: time.Duration(300+400*i) * time.Millisecond, Kind: workerKill, Target: i % 2, For: 200 * time.Millisecond,
		})
	}
	return s
}

// withoutFencing takes a worker's word for it that it owns a circle. The counter
// of commits goes too: it keeps a former owner out as well, once there is a newer
// commit.
func withoutFencing() []change {
	const (
		token   = "if %s ~= ARGV[1] then\n  return {0}\nend\n"
		commits = "commits ~= ARGV[2] then"
	)
	known := fmt.Sprintf(token, "known[1]")
	return []change{
		{"pkg/queue/scripts/commit.lua", known, ""},
		{"pkg/queue/scripts/commit.lua", "(known[2] or '0') ~= ARGV[2] then", "false then"},
		{"pkg/queue/scripts/take.lua", known, ""},
		{"pkg/queue/scripts/take.lua", "if " + commits, "if false then"},
		{"pkg/queue/scripts/pending.lua", known, ""},
		{"pkg/queue/scripts/pending.lua", "if ARGV[2] ~= '' and " + commits, "if false then"},
		{"pkg/queue/scripts/renew.lua", fmt.Sprintf(token, "redis.call('GET', KEYS[3])"), ""},
	}
}

// acknowledgesFirst settles plays and tells their callers, and writes what they
// changed a moment later.
func acknowledgesFirst() []change {
	return []change{
		{"pkg/queue/lease.go", "call{keys, changes.append(args)}", "call{keys, Changes{}.append(args)}"},
		{"pkg/queue/lease.go", "	for _, p := range plays {\n		delete(l.out, p.Delivery.Entry)\n	}\n", `
			time.Sleep(20 * time.Millisecond)
			if changes.Clear {
				l.c.rdb.Del(ctx, l.keys.state)
			}
			for key, value := range changes.Values {
				if value == nil {
					l.c.rdb.HDel(ctx, l.keys.state, key)
				} else {
					l.c.rdb.HSet(ctx, l.keys.state, key, *value)
				}
			}
			for _, p := range plays {
				delete(l.out, p.Delivery.Entry)
			}
			`},
	}
}

func TestABuildWithoutFencingIsCaught(t *testing.T) {
	readSettings(t)
	caught(t, sabotage(t, withoutFencing()...), pauses, history.Lost, history.Doubled, history.Leaked, history.Wrong, history.Torn)
}

func TestABuildThatAcknowledgesBeforeItCommitsIsCaught(t *testing.T) {
	readSettings(t)
	caught(t, sabotage(t, acknowledgesFirst()...), deaths, history.Lost)
}

// caught carries schedules out until the checker finds one of the faults.
func caught(t *testing.T, bin process.Binaries, make func(seed uint64) schedule, want ...history.Fault) {
	t.Helper()
	for seed := range uint64(attempts) {
		f := execute(t, make(seed), bin, filepath.Join(t.TempDir(), "logs"))
		t.Logf("%v", &f)
		for _, fault := range want {
			if f.Violations[fault] > 0 {
				t.Logf("caught at the schedule %d: %s", seed+1, fault)
				return
			}
		}
	}
	t.Errorf("%d schedules found nothing wrong with a build that breaks the promise", attempts)
}
