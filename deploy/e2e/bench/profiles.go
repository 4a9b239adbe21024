package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/deploy/e2e/bench/load"
)

// allocations is how many objects gateway and worker allocate for a play, each.
func (r *measures) allocations(ctx context.Context, conns []*load.Conn) (gateway, worker float64, err error) {
	var before, after [2]int64
	services := []*service{r.ours.gateways[0], r.ours.workers[0]}
	for i, s := range services {
		if before[i], err = mallocs(ctx, s); err != nil {
			return 0, 0, err
		}
	}
	result, err := load.Closed(conns, 1, r.plan())
	if err != nil {
		return 0, 0, err
	}
	for i, s := range services {
		if after[i], err = mallocs(ctx, s); err != nil {
			return 0, 0, err
		}
	}
	plays := float64(result.All)
	return float64(after[0]-before[0]) / plays, float64(after[1]-before[1]) / plays, nil
}

func (s *system) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: strings.TrimPrefix(s.redisURL, "redis://")})
}

// mallocs is how many objects a service has allocated since its start, as the runtime counts them.
func mallocs(ctx context.Context, s *service) (int64, error) {
	text, err := get(ctx, s, "allocs?debug=1")
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^# Mallocs = (\d+)$`).FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("the %s's profile does not say how much it allocated", s.name)
	}
	return strconv.ParseInt(string(found[1]), 10, 64)
}

// get gets a profile of a service.
func get(ctx context.Context, s *service, what string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr(profilesShown)+"/debug/pprof/"+what, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s of the %s: %s", what, s.name, response.Status)
	}
	return text, err
}

// A profile is one that was taken, with its heaviest functions.
type profile struct{ title, top string }

// profileSeconds is how long profiles are taken for.
const profileSeconds = 4

// measureProfiles takes profiles of the services at saturation, and what Redis spends on what.
func (r *measures) measureProfiles(ctx context.Context) error {
	folder := r.profiles
	if folder == "" {
		folder = filepath.Join(r.folder, "profiles")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	conns, err := r.ours.connect(ctx, connections, circles, answer42(), sum)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	rdb := r.ours.client()
	defer rdb.Close()
	if err := rdb.ConfigResetStat(ctx).Err(); err != nil {
		return err
	}
	services := []*service{r.ours.gateways[0], r.ours.workers[0]}
	var used, kernel [3]time.Duration
	for i, s := range append(services, r.ours.redis) {
		if used[i], kernel[i], err = cpuTimes(s); err != nil {
			return err
		}
	}
	var taking sync.WaitGroup
	errs := make(chan error, 4)
	for _, s := range services {
		for _, kind := range []string{"profile", "allocs"} {
			taking.Go(func() {
				text, err := get(ctx, s, fmt.Sprintf("%s?seconds=%d", kind, profileSeconds))
				if err == nil {
					err = os.WriteFile(filepath.Join(folder, s.name+"-"+kind+".pprof"), text, 0o644)
				}
				errs <- err
			})
		}
	}
	result, err := load.Closed(conns, 1, load.Plan{Time: (profileSeconds + 1) * time.Second})
	taking.Wait()
	close(errs)
	for e := range errs {
		if e != nil {
			return e
		}
	}
	if err != nil {
		return err
	}
	r.table.head("CPU time at saturation, of each process")
	for i, s := range append(services, r.ours.redis) {
		now, nowKernel, err := cpuTimes(s)
		if err != nil {
			return err
		}
		took := now - used[i]
		whose := fmt.Sprintf("%s %.0f%%, scripts and the rest of Redis", ofKernel, 100*(nowKernel-kernel[i]).Seconds()/took.Seconds())
		if s != r.ours.redis {
			text, err := os.ReadFile(filepath.Join(folder, s.name+"-profile.pprof"))
			if err != nil {
				return err
			}
			if whose, err = shares(text); err != nil {
				return err
			}
		}
		r.table.add(s.name, fmt.Sprintf("%.1f µs a play", took.Seconds()*1e6/float64(result.All)), whose, nil)
	}
	for _, s := range services {
		for _, kind := range []string{"profile", "allocs"} {
			flags := []string{"tool", "pprof", "-top", "-nodecount=25"}
			title := "CPU time of the " + s.name
			if kind == "allocs" {
				flags = append(flags, "-sample_index=alloc_objects")
				title = "Allocated objects of the " + s.name
			}
			text, err := exec.CommandContext(ctx, "go", append(flags, filepath.Join(folder, s.name+"-"+kind+".pprof"))...).Output()
			if err != nil {
				return fmt.Errorf("go tool pprof: %w", err)
			}
			_, body, _ := strings.Cut(string(text), "\nTime: ") // what is before names the build
			_, body, _ = strings.Cut(body, "\n")
			r.taken = append(r.taken, profile{title, strings.TrimSpace(body)})
		}
	}
	text, err := rdb.Info(ctx, "commandstats").Result()
	if err != nil {
		return err
	}
	r.taken = append(r.taken, profile{"Redis, by command; those of scripts are counted again in evalsha", commandTable(text, result.All)})
	return nil
}

// commandTable is what Redis spent on each command, in microseconds a play.
func commandTable(info string, plays int) string {
	type command struct {
		name        string
		calls, time float64
	}
	var commands []command
	for _, m := range regexp.MustCompile(`cmdstat_([^:]+):calls=(\d+),usec=(\d+)`).FindAllStringSubmatch(info, -1) {
		calls, _ := strconv.ParseFloat(m[2], 64)
		usec, _ := strconv.ParseFloat(m[3], 64)
		commands = append(commands, command{m[1], calls / float64(plays), usec / float64(plays)})
	}
	slices.SortFunc(commands, func(a, b command) int { return int(1e6*b.time) - int(1e6*a.time) })
	var out strings.Builder
	for _, c := range commands[:min(len(commands), 15)] {
		fmt.Fprintf(&out, "%-12s %6.2f calls a play %7.2f µs a play\n", c.name, c.calls, c.time)
	}
	return strings.TrimSpace(out.String())
}
