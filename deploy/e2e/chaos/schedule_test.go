package chaos

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// faultKind is a way to break something.
type faultKind string

const (
	workerKill  faultKind = "worker-kill"  // SIGKILL; started again after For
	workerPause faultKind = "worker-pause" // SIGSTOP, for longer than its lease; then SIGCONT
	workerTerm  faultKind = "worker-term"  // SIGTERM; started again when it has ended, and For has passed
	workerCut   faultKind = "worker-cut"   // its connections to Redis are reset, and refused for For
	workerSlow  faultKind = "worker-slow"  // each packet to and from Redis takes longer
	workerStall faultKind = "worker-stall" // nothing passes to or from Redis for For, then what was held back
	workerDeaf  faultKind = "worker-deaf"  // Redis gets what it sends, the answers are lost

	gatewayKill  faultKind = "gateway-kill"
	gatewayPause faultKind = "gateway-pause"
	gatewayTerm  faultKind = "gateway-term"
	gatewayCut   faultKind = "gateway-cut"
	gatewaySlow  faultKind = "gateway-slow"
	gatewayStall faultKind = "gateway-stall"
	gatewayDeaf  faultKind = "gateway-deaf"

	clientCut   faultKind = "client-cut"   // the connections of clients to a gateway are reset
	clientSlow  faultKind = "client-slow"  // each packet between clients and a gateway takes longer
	clientStall faultKind = "client-stall" // nothing passes between them for For

	redisKill  faultKind = "redis-kill"  // SIGKILL; started again after For on its append-only file
	redisPower faultKind = "redis-power" // the same, and the file ends where it did up to a second before
	redisPause faultKind = "redis-pause" // SIGSTOP
	redisFlush faultKind = "redis-flush" // scripts are flushed from the cache
	redisMute  faultKind = "redis-mute"  // every subscription is killed
)

// A fault is one kind of harm at one time.
type fault struct {
	At     time.Duration // since the load began
	Kind   faultKind
	Target int           // which worker or gateway
	For    time.Duration // how long it lasts; 0 for what is over at once
	Delay  time.Duration // of the slow kinds; of redisPower: how far back the file's end is put
}

func (f fault) String() string {
	text := fmt.Sprintf("%v %s", f.At, f.Kind)
	if !strings.HasPrefix(string(f.Kind), "redis") {
		text += fmt.Sprintf(" %d", f.Target)
	}
	if f.For > 0 {
		text += fmt.Sprintf(" for %v", f.For)
	}
	if f.Delay > 0 {
		text += fmt.Sprintf(" by %v", f.Delay)
	}
	return text
}

// A schedule is everything of a run that is decided before it: a pure function
// of its seed. What chance, the scheduler and the network add is not, so a seed
// that found something finds it again with some luck only.
type schedule struct {
	Seed     uint64
	Fsync    string // Redis's appendfsync
	Workers  int
	Gateways int
	Circles  int
	Clients  int // connections a circle
	FixedIDs bool
	Results  int // that are kept of a circle
	Lease    time.Duration
	Length   time.Duration // of the load with faults; the load goes on until everything is whole again
	Faults   []fault
}

func (s schedule) String() string {
	text := fmt.Sprintf("seed %d: appendfsync %s, %d workers, %d gateways, %d circles, %d connections each, lease %v, fixed worker ids %v, %d results kept, %v",
		s.Seed, s.Fsync, s.Workers, s.Gateways, s.Circles, s.Clients, s.Lease, s.FixedIDs, s.Results, s.Length)
	for _, f := range s.Faults {
		text += "\n  " + f.String()
	}
	return text
}

// weights is how often each kind of fault is drawn.
type weight struct {
	kind  faultKind
	times int
}

func weights(fsync string) []weight {
	all := []weight{
		{workerKill, 10}, {workerPause, 10}, {workerTerm, 6}, {workerCut, 4}, {workerSlow, 3}, {workerStall, 5}, {workerDeaf, 6},
		{gatewayKill, 4}, {gatewayPause, 2}, {gatewayTerm, 3}, {gatewayCut, 3}, {gatewaySlow, 2}, {gatewayStall, 3}, {gatewayDeaf, 4},
		{clientCut, 3}, {clientSlow, 1}, {clientStall, 2},
		{redisKill, 5}, {redisPause, 2}, {redisFlush, 3}, {redisMute, 3},
	}
	if fsync == "everysec" {
		all = append(all, weight{redisPower, 8})
	}
	return all
}

func newSchedule(seed uint64) schedule {
	r := rand.New(rand.NewPCG(seed, 1))
	between := func(low, high time.Duration) time.Duration {
		return (low + time.Duration(r.Int64N(int64(high-low)))).Round(time.Millisecond)
	}
	s := schedule{
		Seed:     seed,
		Fsync:    []string{"everysec", "always"}[r.IntN(2)],
		Workers:  2 + r.IntN(2),
		Gateways: 2,
		Circles:  3 + r.IntN(4),
		Clients:  2,
		FixedIDs: r.IntN(4) == 0,
		Lease:    between(600*time.Millisecond, 1200*time.Millisecond),
		Length:   between(4*time.Second, 7*time.Second),
	}
	choices := weights(s.Fsync)
	total := 0
	for _, w := range choices {
		total += w.times
	}
	for range 4 + r.IntN(8) {
		draw := r.IntN(total)
		kind := choices[slices.IndexFunc(choices, func(w weight) bool { draw -= w.times; return draw < 0 })].kind
		f := fault{Kind: kind, At: between(300*time.Millisecond, s.Length)}
		switch {
		case strings.HasPrefix(string(kind), "worker"):
			f.Target = r.IntN(s.Workers)
		case slices.Contains([]faultKind{gatewayCut, gatewaySlow, gatewayStall, gatewayDeaf}, kind):
			f.Target = r.IntN(s.Gateways + 1) // the last one is the program without a gateway
		case !strings.HasPrefix(string(kind), "redis"):
			f.Target = r.IntN(s.Gateways)
		}
		switch kind {
		case workerKill, gatewayKill, workerTerm, gatewayTerm:
			f.For = between(1, 1500*time.Millisecond)
		case workerPause, workerStall, workerDeaf, workerCut:
			f.For = s.Lease + between(1, s.Lease)
		case gatewayPause, gatewayStall, gatewayDeaf, gatewayCut, clientStall:
			f.For = between(100*time.Millisecond, 2*time.Second)
		case workerSlow, gatewaySlow, clientSlow:
			f.For = between(500*time.Millisecond, 2500*time.Millisecond)
			f.Delay = between(5*time.Millisecond, 120*time.Millisecond)
		case redisKill, redisPause:
			f.For = between(1, 2*time.Second)
		case redisPower:
			f.For = between(1, 1500*time.Millisecond)
			f.Delay = between(1, time.Second)
		}
		s.Faults = append(s.Faults, f)
	}
	s.Results = []int{100, 10_000}[r.IntN(2)]
	slices.SortStableFunc(s.Faults, func(a, b fault) int { return cmp.Compare(a.At, b.At) })
	return s
}

func TestAScheduleIsAFunctionOfItsSeed(t *testing.T) {
	kinds := make(map[faultKind]int)
	for seed := range uint64(200) {
		s := newSchedule(seed)
		if again := newSchedule(seed); !reflect.DeepEqual(s, again) {
			t.Fatalf("seed %d: got\n%v\nand then\n%v", seed, s, again)
		}
		for _, f := range s.Faults {
			kinds[f.Kind]++
		}
	}
	for _, w := range weights("everysec") {
		if kinds[w.kind] == 0 {
			t.Errorf("200 schedules have no %s", w.kind)
		}
	}
	if text, err := json.Marshal(newSchedule(1)); err != nil || len(text) == 0 {
		t.Errorf("got %s, %v", text, err)
	}
}
