package queue

import (
	"testing"

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

func BenchmarkWire(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodePlay(string(EncodePlay(fullPlay))); err != nil {
			b.Fatal(err)
		}
	}
}
