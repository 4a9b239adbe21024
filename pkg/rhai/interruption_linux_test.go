package rhai_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"circles/pkg/rhai"
	"circles/pkg/rhai/internal/corpus"
)

// BenchmarkInterruption runs the scripts of the adversary corpus, which between them spend their time in every library
// function that takes long, under the default limits but that on operations, ends the context of each at a random
// moment, and reports how long it takes until the run is over: half of the time, 99 times of a hundred, and at most.
// On a machine that has other things to do the time that the run's thread has had tells more: the metrics of cpu.
func BenchmarkInterruption(b *testing.B) {
	files, err := corpus.Load("testdata/adversary")
	if err != nil {
		b.Fatal(err)
	}
	given := &given{}
	engine := rhai.New(rhai.WithModules(given))
	limits := rhai.DefaultLimits()
	limits.Operations = 0
	type script struct {
		name    string
		program *rhai.Program
		modules map[string]string
	}
	var scripts []script
	for _, file := range files {
		for _, chunk := range file.Chunks {
			if slices.Contains(chunk.Ask.Options, "source") {
				continue // they are about compiling
			}
			if p, err := engine.Compile(chunk.Ask.Script); err == nil {
				scripts = append(scripts, script{file.Topic() + "/" + chunk.Name, p, chunk.Ask.Modules})
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	runtime.LockOSThread() // for its clock
	defer runtime.UnlockOSThread()
	thread := syscall.Gettid()
	var delays, spent []time.Duration
	worst := ""
	for i := 0; b.Loop(); {
		s := scripts[i%len(scripts)]
		i++
		given.modules = s.modules
		ctx, cancel := context.WithCancel(b.Context())
		ended, had := make(chan time.Time, 1), make(chan time.Duration, 1)
		timer := time.AfterFunc(time.Duration(1+random.IntN(200))*time.Millisecond, func() {
			had <- threadTime(thread)
			ended <- time.Now()
			cancel()
		})
		_, err := s.program.Run(ctx, nil, rhai.WithRunLimits(limits))
		now, has := time.Now(), threadTime(thread)
		if timer.Stop() { // the run was over before
			cancel()
			continue
		}
		delay, work := now.Sub(<-ended), has-<-had
		if err == nil {
			continue
		}
		if len(spent) == 0 || work > slices.Max(spent) {
			worst = s.name
		}
		delays, spent = append(delays, delay), append(spent, work)
		if testing.Verbose() && work > 5*time.Millisecond {
			b.Logf("%v, %v of cpu: %s", delay, work, s.name)
		}
	}
	if len(delays) == 0 {
		b.Skip("no run was interrupted")
	}
	for suffix, list := range map[string][]time.Duration{"": delays, "-cpu": spent} {
		slices.Sort(list)
		for name, part := range map[string]float64{"p50": 0.5, "p99": 0.99, "max": 1} {
			at := list[int(part*float64(len(list)-1))]
			b.ReportMetric(float64(at.Microseconds())/1000, name+suffix+"-ms")
		}
	}
	b.Logf("%d interruptions; the longest in %s", len(delays), worst)
}

// threadTime is the processor time that a thread of the process has had.
func threadTime(thread int) time.Duration {
	const perThread, scheduled = 4, 2
	clock := ^uintptr(thread)<<3 | perThread | scheduled
	var t syscall.Timespec
	_, _, _ = syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0)
	return time.Duration(t.Nano())
}
