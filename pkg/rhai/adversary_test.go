package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/internal/corpus"
	"circles/pkg/rhai/value"
)

// adversaryMemory is in the environment of the process that runs the adversary corpus: the limit on memory.
const adversaryMemory = "RHAI_ADVERSARY_MEMORY"

// smallMemory is the limit under which all scripts run; those that meet it run under a larger one, too, with as many
// times more operations.
const (
	smallMemory = 64 << 20
	largeMemory = 256 << 20
)

// withMore marks how a script ends under the larger limit, where that is another end.
const withMore = "with 256 MiB "

// adversaryOperations is the limit on operations for scripts that say nothing of it. The default takes too long for a
// test.
const adversaryOperations = 5_000_000

// besides is how much more than the limit on memory the process may take: for itself, and for what is counted late.
const besides = 64 << 20

// TestAdversaries runs the scripts of testdata/adversary, which try to take what they can get, one after the other in a
// process of its own: each must end by the limit that it is bound to meet, and the process must never take more memory
// than the limit on that and 64 MiB.
//
// Those that only run until they have used up their operations are left out, and a larger limit with them, unless
// RHAI_ADVERSARIES is set to all (make adversaries): they take minutes.
func TestAdversaries(t *testing.T) {
	if os.Getenv(adversaryMemory) != "" {
		t.Skip("it is that process")
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes memory of its own")
	}
	limits := []int{smallMemory}
	if allAdversaries() {
		limits = append(limits, largeMemory)
	}
	for _, limit := range limits {
		t.Run(fmt.Sprintf("%d MiB", limit>>20), func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAdversary$", "-test.v")
			child.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
				return strings.HasPrefix(s, "GOMEMLIMIT=") || strings.HasPrefix(s, "GOGC=")
			})
			child.Env = append(child.Env, adversaryMemory+"="+strconv.Itoa(limit))
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, failures(out))
			}
			found := regexp.MustCompile(`(\d+) scripts, peak of resident memory (\d+) bytes`).FindSubmatch(out)
			if found == nil {
				t.Fatalf("got no peak from the process\n%s", out)
			}
			scripts, _ := strconv.Atoi(string(found[1]))
			peak, _ := strconv.Atoi(string(found[2]))
			t.Logf("%d scripts; the process took %d MiB at most, %d MiB above the limit", scripts, peak>>20, (peak-limit)>>20)
			if peak > limit+besides {
				t.Errorf("got a peak of %d bytes, want at most %d and the limit of %d", peak, besides, limit)
			}
		})
	}
}

func allAdversaries() bool { return os.Getenv("RHAI_ADVERSARIES") == "all" }

// failures are the lines of a test's output without those of what passed.
func failures(out []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "--- PASS") && !strings.Contains(line, "=== RUN") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestAdversary is the process that TestAdversaries starts.
func TestAdversary(t *testing.T) {
	memory, err := strconv.Atoi(os.Getenv(adversaryMemory))
	if err != nil {
		t.Skip("TestAdversaries starts it")
	}
	files, err := corpus.Load("testdata/adversary")
	if err != nil {
		t.Fatal(err)
	}
	given := &given{}
	engine := rhai.New(rhai.WithModules(given))
	resettable := resetPeak() == nil
	scripts, most := 0, 0
	for _, file := range files {
		for _, chunk := range file.Chunks {
			if memory > smallMemory && !slices.Contains(chunk.Answer, "limit memory") {
				continue // a larger limit does not matter to it
			}
			long := slices.Equal(chunk.Answer, []string{"limit operations"}) || chunk.Ask.Limits["operations"] > adversaryOperations
			if long && !allAdversaries() {
				continue
			}
			t.Run(file.Topic()+"/"+chunk.Name, func(t *testing.T) {
				begin := time.Now()
				given.modules = chunk.Ask.Modules
				adversary(t, engine, chunk, memory)
				peak := peakMemory(t)
				t.Logf("%d MiB, %v", peak>>20, time.Since(begin).Round(time.Millisecond))
				most = max(most, peak)
				if resettable {
					_ = resetPeak()
				}
			})
			scripts++
		}
	}
	fmt.Printf("%d scripts, peak of resident memory %d bytes\n", scripts, most)
}

// adversary runs a script and compares how it ends.
func adversary(t *testing.T, engine *rhai.Engine, chunk *corpus.Chunk, memory int) {
	limits := rhai.DefaultLimits()
	limits.Memory = memory
	limits.Operations = adversaryOperations
	for name, n := range chunk.Ask.Limits {
		switch name {
		case "call_levels":
			limits.CallDepth = n
		case "operations":
			limits.Operations = uint64(n)
		default:
			t.Fatalf("no such limit here: %s", name)
		}
	}
	limits.Operations *= uint64(memory / smallMemory)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // only what does not end reaches it
	defer cancel()
	source := chunk.Ask.Script
	if slices.Contains(chunk.Ask.Options, "source") {
		maker := limits
		maker.Operations = 0
		maker.Memory = memory
		p, err := engine.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Run(ctx, nil, rhai.WithRunLimits(maker))
		if err != nil {
			t.Fatalf("the source can't be made: %v", err)
		}
		source = v.Text()
	}
	p, err := engine.Compile(source)
	if err == nil {
		_, err = p.Run(ctx, nil, rhai.WithRunLimits(limits), rhai.WithPrint(func(string) {}), rhai.WithDebug(func(string) {}))
	}
	got := "value"
	if err != nil {
		var e *rhai.Error
		switch {
		case !errors.As(err, &e):
			t.Fatalf("got a %T, want a *rhai.Error: %v", err, err)
		case e.Limit != "":
			got = "limit " + string(e.Limit)
		default:
			got = "error " + string(e.Kind)
			if e.ParseKind != "" {
				got += "/" + string(e.ParseKind)
			}
		}
	}
	if want := endings(chunk, memory); !slices.Contains(want, got) {
		t.Errorf("ended by %s (%.200v), want one of %q", got, err, want)
	}
	var e *rhai.Error
	if !errors.As(err, &e) || e.Limit == value.LimitSource || e.Placeless() {
		return // what is too long has no place, and some errors have none in the reference
	}
	if _, outer := e.Outer(); !e.Pos.IsValid() && !outer.IsValid() {
		t.Errorf("ended by %s, want a place: %v", got, err)
	}
}

// endings are the ends that a script may come to.
func endings(chunk *corpus.Chunk, memory int) []string {
	var small, large []string
	for _, answer := range chunk.Answer {
		if more, ok := strings.CutPrefix(answer, withMore); ok {
			large = append(large, more)
		} else {
			small = append(small, answer)
		}
	}
	if memory > smallMemory && large != nil {
		return large
	}
	return small
}

// given are the modules of the chunk that runs, and modules that import one another without end.
type given struct{ modules map[string]string }

func (g *given) Resolve(path, _ string) (*rhai.Module, error) {
	if source, ok := g.modules[path]; ok {
		return rhai.ScriptModule(source), nil
	}
	kind, number, _ := strings.Cut(path, "/")
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, rhai.ErrNoModule
	}
	switch kind {
	case "chain":
		return rhai.ScriptModule(fmt.Sprintf(`import "chain/%d" as m;`, n+1)), nil
	case "wide":
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, `import "wide/%d" as m%d; `, n+i+1, i)
		}
		return rhai.ScriptModule(b.String()), nil
	case "leaf":
		return rhai.ScriptModule(`export const X = 1;`), nil
	}
	return nil, rhai.ErrNoModule
}

// peakMemory is the most that the process has had resident since the peak was reset.
func peakMemory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the system does not tell of a process's memory")
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatal("got no VmHWM in /proc/self/status")
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n << 10
}

func resetPeak() error { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
