package queue

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"circles/pkg/circle"
	"circles/pkg/redistest"
)

// echoing is a dispatcher, and a circle whose owner answers every play.
func echoing(b *testing.B, server *redistest.Server) (*Dispatcher, circle.Key) {
	b.Helper()
	key := newCircle(b)
	d := NewDispatcher(connect(b, server), DispatcherOptions{})
	running(b, d.Run)
	c := NewConsumer(connect(b, server), ConsumerOptions{WorkerID: "w"})
	running(b, c.Run)
	running(b, echo(claim(b, c, key)))
	return d, key
}

func BenchmarkPlayAlone(b *testing.B) {
	d, key := echoing(b, redistest.StartReal(b))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Play(ctx, key, Play{Script: "40 + 2"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlayMany(b *testing.B) {
	d, key := echoing(b, redistest.StartReal(b))
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
			d, key := echoing(b, server)
			var over sync.WaitGroup
			round := func() {
				over.Add(plays)
				for range plays {
					d.Submit(b.Context(), key, Play{Script: "40 + 2"}, counted{&over})
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

// counted tells a group that one more is over.
type counted struct{ group *sync.WaitGroup }

func (counted) Queued(error)   {}
func (c counted) Done(Outcome) { c.group.Done() }

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
