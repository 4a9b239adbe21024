package queue

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"circles/pkg/redistest"
)

func BenchmarkPlayAlone(b *testing.B) {
	server := redistest.StartReal(b)
	key := newCircle(b)
	d := NewDispatcher(connect(b, server), DispatcherOptions{})
	running(b, d.Run)
	c := NewConsumer(connect(b, server), ConsumerOptions{WorkerID: "w"})
	running(b, c.Run)
	running(b, echo(claim(b, c, key)))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Play(ctx, key, Play{Script: "40 + 2"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlayMany(b *testing.B) {
	server := redistest.StartReal(b)
	key := newCircle(b)
	d := NewDispatcher(connect(b, server), DispatcherOptions{})
	running(b, d.Run)
	c := NewConsumer(connect(b, server), ConsumerOptions{WorkerID: "w"})
	running(b, c.Run)
	running(b, echo(claim(b, c, key)))
	ctx := b.Context()
	b.ReportAllocs()
	b.SetParallelism(128)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.Play(ctx, key, Play{Script: "40 + 2"}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkRounds has so many plays of a circle travel together, and reports what a play costs Redis.
func BenchmarkRounds(b *testing.B) {
	for _, plays := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("plays=%d", plays), func(b *testing.B) {
			server := redistest.StartReal(b, redistest.WithAppendOnly("everysec"))
			key := newCircle(b)
			d := NewDispatcher(connect(b, server), DispatcherOptions{})
			running(b, d.Run)
			c := NewConsumer(connect(b, server), ConsumerOptions{WorkerID: "w"})
			running(b, c.Run)
			running(b, echo(claim(b, c, key)))
			var over sync.WaitGroup
			round := func() {
				over.Add(plays)
				for range plays {
					d.Submit(b.Context(), key, Play{Script: "40 + 2"}, over1{&over})
				}
				over.Wait()
			}
			round()
			before := cpuTime(b, server)
			for b.Loop() {
				round()
			}
			b.ReportMetric(float64((cpuTime(b, server)-before).Nanoseconds())/1e3/float64(b.N*plays), "redis-µs/play")
		})
	}
}

// over1 tells a group that one more is over.
type over1 struct{ group *sync.WaitGroup }

func (over1) Queued(error)   {}
func (o over1) Done(Outcome) { o.group.Done() }

// cpuTime is what a Redis has taken of the cores.
func cpuTime(b *testing.B, server *redistest.Server) time.Duration {
	b.Helper()
	info, err := server.Client().InfoMap(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	var all time.Duration
	for _, name := range []string{"used_cpu_sys", "used_cpu_user"} {
		seconds, err := strconv.ParseFloat(info["CPU"][name], 64)
		if err != nil {
			b.Fatal(err)
		}
		all += time.Duration(seconds * float64(time.Second))
	}
	return all
}

func BenchmarkWire(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodePlay(string(EncodePlay(fullPlay))); err != nil {
			b.Fatal(err)
		}
	}
}
