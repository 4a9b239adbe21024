// Package chaos breaks a running system on purpose and checks that it keeps its
// promises: real gateways and workers on a real Redis, under load from clients
// that record what they sent and what they were told, while processes are killed
// and paused, Redis crashes, and connections are cut, delayed and held back.
//
// What is broken when is a schedule, a function of a seed. Afterwards the
// checker in the folder history compares what the clients were told with what
// the circles' states have become.
//
//	make chaos                     those that found something once, and a few more: two minutes
//	CHAOS_DURATION=2h make chaos   as many as fit into that time
//	CHAOS_SCHEDULES=50 make chaos  that many
//	CHAOS_SEED=1234 make chaos     from that seed on; the default is 1
//	CHAOS_RACE=1 make chaos        with the services under the race detector
//	CHAOS_RESULTS=file             where a line of JSON is added for each schedule
//
// Logs and histories of schedules that found something stay in a folder beside
// the results.
package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/deploy/internal/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings say how long to go on.
type settings struct {
	schedules int
	duration  time.Duration // 0: schedules counts
	seed      uint64
	results   string
	flags     []string // of go build
}

// readSettings skips the test when nobody asked for chaos: it takes time.
func readSettings(t *testing.T) settings {
	t.Helper()
	s := settings{seed: 1, results: filepath.Join(os.TempDir(), "circles-chaos", "results.jsonl")}
	given := false
	read := func(name string, parse func(string) error) {
		text := os.Getenv(name)
		if text == "" {
			return
		}
		if err := parse(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	read("CHAOS_SCHEDULES", func(text string) (err error) { given = true; s.schedules, err = strconv.Atoi(text); return })
	read("CHAOS_DURATION", func(text string) (err error) { given = true; s.duration, err = time.ParseDuration(text); return })
	read("CHAOS_SEED", func(text string) (err error) { s.seed, err = strconv.ParseUint(text, 10, 64); return })
	read("CHAOS_RACE", func(string) error { s.flags = []string{"-race"}; return nil })
	read("CHAOS_RESULTS", func(text string) error { s.results = text; return nil })
	if !given {
		t.Skip("neither CHAOS_SCHEDULES nor CHAOS_DURATION is set: make chaos sets one")
	}
	return s
}

func TestSchedules(t *testing.T) {
	s := readSettings(t)
	bin := build(t, s.flags...)
	total := newFigures()
	for _, kept := range regressions() {
		t.Run("kept "+kept.Faults[0].String(), func(t *testing.T) { total.add(carryOut(t, kept, bin, s.results)) })
	}
	began := time.Now()
	for n := 0; s.duration > 0 && time.Since(began) < s.duration || n < s.schedules; n++ {
		seed := s.seed + uint64(n)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			total.add(carryOut(t, newSchedule(seed), bin, s.results))
		})
	}
	t.Logf("in all: %v", &total)
}

// carryOut runs a schedule, and fails the test when anything was found.
func carryOut(t *testing.T, s schedule, bin process.Binaries, results string) figures {
	t.Helper()
	folder := filepath.Join(filepath.Dir(results), fmt.Sprintf("seed-%d-%s", s.Seed, time.Now().Format("150405")))
	f := execute(t, s, bin, folder)
	if err := appendLine(results, f); err != nil {
		t.Error(err)
	}
	t.Logf("%v", &f)
	if f.good() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
		return f
	}
	for _, problem := range f.Problems {
		t.Error(problem)
	}
	t.Errorf("this schedule found something; logs and histories are in %s:\n%v", folder, s)
	return f
}
