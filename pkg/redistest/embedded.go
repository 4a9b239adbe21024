package redistest

import (
	"context"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// tick is how often the embedded server's keys are aged: miniredis expires
// nothing by itself.
const tick = 10 * time.Millisecond

// embedded runs miniredis.
type embedded struct {
	options
	addr string

	server *miniredis.Miniredis
	quit   chan struct{} // closed by stop to end age
	aged   chan struct{} // closed when age has ended
}

func newEmbedded(o options) *embedded { return &embedded{options: o} }

func (e *embedded) start(ctx context.Context) (string, error) {
	server := miniredis.NewMiniRedis()
	if e.password != "" {
		server.RequireAuth(e.password)
	}
	addr := e.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	if err := again(ctx, func() error { return server.StartAddr(addr) }); err != nil {
		return "", err
	}
	e.addr, e.server = server.Addr(), server
	e.quit, e.aged = make(chan struct{}), make(chan struct{})
	go e.age(server, e.quit, e.aged)
	return e.addr, nil
}

func (e *embedded) age(server *miniredis.Miniredis, quit <-chan struct{}, aged chan<- struct{}) {
	defer close(aged)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-quit:
			return
		case now := <-ticker.C:
			server.FastForward(now.Sub(last))
			last = now
		}
	}
}

func (e *embedded) stop() error {
	if e.server == nil {
		return nil
	}
	close(e.quit)
	<-e.aged
	e.server.Close()
	e.server = nil
	return nil
}
