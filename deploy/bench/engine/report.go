package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

const ours = "Circles"

// report is the whole of pkg/rhai/BENCHMARKS.md.
func report(t *table, rounds int) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# Benchmarks of the engine\n\n")
	p("Written by `make bench-engine`; the programs are in `deploy/bench/engine/programs`. Each engine does each row once\n" +
		"a round, in turns. Programs are compiled beforehand where the row does not say otherwise, only the work itself is\n" +
		"timed, and all have to come to the same result. Ours runs with the default limits, under a context that can be\n" +
		"cancelled.\n\n")
	for _, line := range machine() {
		p("- %s\n", line)
	}
	p("- %d rounds; medians, and half of the distance between the quartiles in percent\n", rounds)
	if !slices.Contains(t.engines, evaluator{}.name()) {
		p("- the reference is left out: it needs cargo\n")
	}
	p("\n## Times\n\n")
	header(p, t.engines)
	for _, r := range t.rows {
		p("| %s |", r.name)
		for _, e := range t.engines {
			if c, ok := t.cells[r.name][e]; ok {
				p(" %s ±%.0f |", shown(r, c), 100*c.spread())
			} else {
				p(" |")
			}
		}
		p("\n")
	}
	p("\n`floor` is a loop in Go that does the one program and nothing else: about the least that interpretation costs here.\n" +
		"Lua has no JSON of its own, Starlark sorts by keys only and starts nothing.\n")

	p("\n## How many times faster ours is\n\n")
	others := t.engines[1:]
	header(p, others)
	for _, r := range t.rows {
		p("| %s |", r.name)
		for _, e := range others {
			if x, ok := t.ratio(r, e); ok {
				p(" %s |", times(x))
			} else {
				p(" |")
			}
		}
		p("\n")
	}
	p("| **geometric mean of the workloads** |")
	for _, e := range others {
		p(" **%s** |", times(t.mean(e)))
	}
	p("\n\n## Targets\n\n| target | measured | met |\n| --- | --: | --- |\n")
	for _, g := range t.goals() {
		met := "yes"
		if !g.met {
			met = "**no**"
		}
		p("| %s | %s | %s |\n", g.name, g.measured, met)
	}
	p("\n## Memory\n\n| bytes of | Circles | reference |\n| --- | --: | --: |\n")
	for _, m := range t.memory {
		reference := ""
		if m.reference > 0 {
			reference = fmt.Sprint(m.reference)
		}
		p("| %s | %d | %s |\n", m.name, m.circles, reference)
	}
	p("\nOurs is what the heap grows by, the reference's what its process grows by. The standard library is one for all engines\n" +
		"of a process. A run borrows a machine of about 6 KiB, of which there are as many as there are runs at once.\n")
	return b.String()
}

func header(p func(string, ...any), columns []string) {
	p("| |")
	for _, c := range columns {
		p(" %s |", c)
	}
	p("\n| --- |%s\n", strings.Repeat(" --: |", len(columns)))
}

func shown(r row, c cell) string {
	if r.task == taskCompile {
		return fmt.Sprintf("%.1f MB/s", float64(c.bytes)/c.median()*1000)
	}
	return duration(c.median())
}

// duration shows nanoseconds with three digits.
func duration(nanos float64) string {
	for _, unit := range []string{"ns", "µs", "ms"} {
		if nanos < 1000 || unit == "ms" {
			switch {
			case nanos < 10:
				return fmt.Sprintf("%.2f %s", nanos, unit)
			case nanos < 100:
				return fmt.Sprintf("%.1f %s", nanos, unit)
			}
			return fmt.Sprintf("%.0f %s", nanos, unit)
		}
		nanos /= 1000
	}
	return ""
}

func times(x float64) string {
	switch {
	case math.IsNaN(x):
		return ""
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.1f", x)
}

// ratio is how many times faster ours is in a row: for compiling, where sources differ, for one byte of source.
func (t *table) ratio(r row, engine string) (float64, bool) {
	a, ok := t.cells[r.name][ours]
	b, also := t.cells[r.name][engine]
	if !ok || !also {
		return 0, false
	}
	x := b.median() / a.median()
	if r.task == taskCompile {
		x *= float64(a.bytes) / float64(b.bytes)
	}
	return x, true
}

// mean is the geometric mean of the ratios of the workloads that an engine did.
func (t *table) mean(engine string) float64 {
	sum, n := 0.0, 0
	for _, r := range t.rows {
		if x, ok := t.ratio(r, engine); ok && r.workload() {
			sum += math.Log(x)
			n++
		}
	}
	return math.Exp(sum / float64(n))
}

// goal is a target, and how far it is met.
type goal struct {
	name, measured string
	met            bool
}

func (t *table) goals() []goal {
	var list []goal
	reference := evaluator{}.name()
	atLeast := func(name, engine string, want float64) {
		for _, r := range t.rows {
			if x, ok := t.ratio(r, engine); ok && r.name == name {
				list = append(list, goal{fmt.Sprintf("%s: %s times the %s's speed", name, times(want), engine), times(x), x >= want})
			}
		}
	}
	atLeast("Fibonacci", floor{}.name(), 0.5)
	atLeast("counting loop", floor{}.name(), 0.5)
	atLeast("Fibonacci", reference, 12)
	atLeast("counting loop", reference, 12)
	atLeast("calls", reference, 10)
	atLeast("nested arrays", reference, 6)
	atLeast("primes", reference, 6)
	if x := t.mean(reference); !math.IsNaN(x) {
		list = append(list, goal{"geometric mean of the workloads: 6 times the reference's speed", times(x), x >= 6})
	}
	worst, where := t.worst(func(r row, _ string) bool { return r.workload() }, floor{}.name())
	list = append(list, goal{"every workload 1.5 times as fast as the fastest other engine", times(worst) + ", " + where, worst >= 1.5})
	of := func(e string) bool { return e == reference || e == bytecode{}.name() }
	if worst, where = t.worst(func(r row, e string) bool { return of(e) && r.task != taskEval }); where != "" {
		list = append(list, goal{"nothing slower than the reference, but compile-and-run", times(worst) + ", " + where, worst >= 1})
		worst, where = t.worst(func(r row, e string) bool { return of(e) && r.task == taskEval })
		list = append(list, goal{"compile-and-run: two thirds of the reference's speed", times(worst) + ", " + where, worst >= 1/1.5})
	}
	return list
}

// worst is the least ratio of those that count.
func (t *table) worst(count func(r row, engine string) bool, without ...string) (float64, string) {
	least, where := math.Inf(1), ""
	for _, r := range t.rows {
		for _, e := range t.engines[1:] {
			if x, ok := t.ratio(r, e); ok && x < least && count(r, e) && !slices.Contains(without, e) {
				least, where = x, r.name+" ("+e+")"
			}
		}
	}
	return least, where
}

// machine tells where and with what the measurement was made.
func machine() []string {
	list := []string{fmt.Sprintf("%s, %d CPUs: %s", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), processor()), runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/yuin/gopher-lua", "github.com/dop251/goja", "go.starlark.net":
				list = append(list, d.Path+" "+d.Version)
			}
		}
	}
	if version, err := exec.Command("rustc", "--version").Output(); err == nil {
		list = append(list, "rhai 1.27.0 by "+strings.TrimSpace(string(version))+", release build, fat LTO; its bytecode machine is the feature `grain`")
	}
	return list
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for _, line := range bytes.Split(text, []byte("\n")) {
		if name, ok := strings.CutPrefix(string(line), "model name"); ok {
			return strings.Trim(name, "\t :")
		}
	}
	return "unknown processor"
}
