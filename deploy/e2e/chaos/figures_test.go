package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"circles/deploy/e2e/chaos/history"
)

// figures is what came of a schedule, or of several.
type figures struct {
	Seeds      []uint64
	Schedules  int
	Took       time.Duration
	Plays      int
	Acked      int
	Refused    int
	Unknown    int
	Reasons    map[string]int // of refusals
	Faults     map[faultKind]int
	Rollbacks  int
	Violations map[history.Fault]int
	Problems   []string
	Outage     time.Duration // the longest time that a caller went without an answer
}

func newFigures() figures {
	return figures{Faults: make(map[faultKind]int), Violations: make(map[history.Fault]int), Reasons: make(map[string]int)}
}

func (f *figures) add(g figures) {
	f.Seeds = append(f.Seeds, g.Seeds...)
	f.Schedules += g.Schedules
	f.Took += g.Took
	f.Plays += g.Plays
	f.Acked += g.Acked
	f.Refused += g.Refused
	f.Unknown += g.Unknown
	f.Rollbacks += g.Rollbacks
	for kind, n := range g.Faults {
		f.Faults[kind] += n
	}
	for fault, n := range g.Violations {
		f.Violations[fault] += n
	}
	for reason, n := range g.Reasons {
		f.Reasons[reason] += n
	}
	f.Problems = append(f.Problems, g.Problems...)
	f.Outage = max(f.Outage, g.Outage)
}

// good reports whether nothing was found.
func (f *figures) good() bool { return len(f.Violations) == 0 && len(f.Problems) == 0 }

func (f *figures) String() string {
	var faults []string
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(f.Faults)) {
		faults = append(faults, fmt.Sprintf("%s %d", kind, f.Faults[kind]))
		total += f.Faults[kind]
	}
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(f.Reasons)) {
		reasons = append(reasons, fmt.Sprintf("%s %d", reason, f.Reasons[reason]))
	}
	text := fmt.Sprintf("schedules %d, in %v\nplays %d: acknowledged %d, refused %d, unknown %d\n",
		f.Schedules, f.Took.Round(time.Second), f.Plays, f.Acked, f.Refused, f.Unknown)
	text += fmt.Sprintf("refused because: %s\n", strings.Join(reasons, ", "))
	text += fmt.Sprintf("faults %d: %s\n", total, strings.Join(faults, ", "))
	for _, fault := range []history.Fault{history.Lost, history.Doubled, history.Reordered, history.Foreign,
		history.Leaked, history.Wrong, history.Torn} {
		text += fmt.Sprintf("%s %d, ", fault, f.Violations[fault])
	}
	return text + fmt.Sprintf("other problems %d\nlongest outage seen by a caller %v", len(f.Problems), f.Outage.Round(time.Millisecond))
}

// figures counts, and keeps what is needed to look into what was found.
func (r *run) figures() figures {
	f := newFigures()
	f.Seeds = []uint64{r.schedule.Seed}
	f.Schedules = 1
	f.Took = r.clock()
	f.Faults = r.injected
	f.Rollbacks = len(r.rollbacks)
	f.Problems = r.problems
	for _, c := range r.circles {
		f.Plays += len(c.plays)
		for _, p := range c.plays {
			switch p.Status {
			case history.Acked:
				f.Acked++
			case history.Refused:
				f.Refused++
				f.Reasons[p.Reason]++
			case history.Unknown:
				f.Unknown++
			}
		}
		for _, v := range c.violations {
			f.Violations[v.Fault]++
		}
	}
	for _, c := range r.callers {
		f.Outage = max(f.Outage, c.outage)
	}
	return f
}

// judge reads a circle's state and has the checker look at it. It reports whether
// there was one to read.
func (r *run) judge(c *circleRun) bool {
	h := history.History{Circle: fmt.Sprint(c.index), Workload: c.workload, Plays: c.plays, Rollbacks: r.rollbacks}
	if c.workload == history.Bank {
		h.Opening = slices.Repeat([]int{opening}, accounts)
	}
	result, err := r.insist(c, scriptsOf(c.workload).final, map[string]any{"accounts": accounts}, resumePatience)
	if err != nil {
		r.problem("the state of circle %d can not be read: %v", c.index, err)
		return false
	}
	if err := result.Decode(&h.Final); err != nil {
		r.problem("the state of circle %d can not be read: %v", c.index, err)
		return false
	}
	c.violations = history.Check(h)
	if len(c.violations) == 0 {
		return true
	}
	file := filepath.Join(r.folder, fmt.Sprintf("circle-%d.json", c.index))
	text, err := json.MarshalIndent(struct {
		Schedule   schedule
		Violations []history.Violation
		History    history.History
	}{r.schedule, c.violations, h}, "", " ")
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		r.t.Errorf("the history can not be kept: %v", err)
	}
	for _, v := range c.violations[:min(len(c.violations), 10)] {
		r.t.Logf("%v", v)
	}
	return true
}

// appendLine adds figures to a file, as a line of JSON.
func appendLine(name string, f figures) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(text, '\n')); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
