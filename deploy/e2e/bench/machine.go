package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of CPU times in /proc, the same on every Linux that Go runs on.
const ticksPerSecond = 100

// cpuTime is what processes have used so far, in user and system mode.
func cpuTime(services ...*service) (time.Duration, error) {
	var total time.Duration
	for _, s := range services {
		used, _, err := cpuTimes(s)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// cpuTimes is what a process has used so far, and how much of that in system mode.
func cpuTimes(s *service) (used, system time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
	if err != nil {
		return 0, 0, err
	}
	// After the name, which stands in parentheses and may contain anything, utime and stime are fields 12 and 13.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	kernel, err := strconv.ParseInt(fields[12], 10, 64)
	const tick = time.Second / ticksPerSecond
	return time.Duration(user+kernel) * tick, time.Duration(kernel) * tick, err
}

// resident is the memory that a process has in RAM, in bytes.
func resident(s *service) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.PID()))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// busy is how much of each core's time was not idle since an earlier reading.
type coreTimes []struct{ busy, all int64 }

func readCores() (coreTimes, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return nil, err
	}
	var cores coreTimes
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(fields[0], "cpu") || fields[0] == "cpu" {
			continue
		}
		var busy, all int64
		for i, field := range fields[1:9] {
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return nil, err
			}
			all += ticks
			if i != 3 && i != 4 { // idle and waiting for disks
				busy += ticks
			}
		}
		cores = append(cores, struct{ busy, all int64 }{busy, all})
	}
	return cores, nil
}

// since is the part of each core's time that it was busy, since an earlier reading, in percent.
func (c coreTimes) since(before coreTimes) []float64 {
	shares := make([]float64, len(c))
	for i := range c {
		if all := c[i].all - before[i].all; all > 0 {
			shares[i] = 100 * float64(c[i].busy-before[i].busy) / float64(all)
		}
	}
	return shares
}

// pin keeps a process, all its threads, on cores.
func pin(pid int, cores string) error {
	text, err := exec.Command("taskset", "-a", "-c", "-p", cores, strconv.Itoa(pid)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, text)
	}
	return nil
}

// versions says on what the run was made.
func versions() (string, error) {
	var lines []string
	for _, command := range [][]string{{"go", "version"}, {"redis-server", "--version"}, {"uname", "-sr"}} {
		text, err := exec.Command(command[0], command[1:]...).Output()
		if err != nil {
			return "", fmt.Errorf("%v: %w", command, err)
		}
		lines = append(lines, strings.TrimSpace(string(text)))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		count := strings.Count(string(text), "processor\t")
		_, model, _ := strings.Cut(string(text), "model name\t: ")
		model, _, _ = strings.Cut(model, "\n")
		lines = append(lines, fmt.Sprintf("%d cores, %s", count, model))
	}
	return strings.Join(lines, "\n"), nil
}
