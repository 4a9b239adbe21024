package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fasthttp/websocket"

	"circles/deploy/e2e/bench/load"
	"circles/deploy/e2e/bench/rival"
)

// A contender is something that answers plays.
type contender struct {
	name    string
	frozen  []*service // while others are measured; those that use nothing then are not listed
	connect func(ctx context.Context, count, circles int) ([]*load.Conn, error)

	results []load.Result // of each round
}

// Names of the contenders.
const (
	floor  = "echo floor"
	lists  = "list push and blocking pop"
	nats   = "core NATS"
	asynqs = "asynq"
)

// jsonrpc is the protocol of all but NATS; any result is right whose value is a number.
func jsonrpc() load.Protocol { return load.JSONRPC{Want: `"value":`} }

// answer42 is the protocol for the sum.
func answer42() load.Protocol { return load.JSONRPC{Want: `"value":42`} }

// newRivals starts everything that ours is compared with, for the same circles.
func (h *host) newRivals(ctx context.Context, ours *system) ([]*contender, error) {
	keys := ours.keys()
	_, redis, err := h.redis(ctx)
	if err != nil {
		return nil, err
	}
	env := []string{rival.EnvRedis + "=" + redis, rival.EnvCircles + "=" + strings.Join(keys, ",")}
	parts := map[string]*service{}
	for _, role := range []string{rival.Echo, rival.ListGateway, rival.ListWorker, rival.NATSServer, rival.NATSWorker, rival.AsynqGateway, rival.AsynqWorker} {
		if parts[role], err = h.part(ctx, role, env...); err != nil {
			return nil, err
		}
		if role == rival.NATSServer {
			env = append(env, rival.EnvNATS+"="+parts[role].where[rival.Listens+" nats"])
		}
	}
	all := []*contender{
		{name: floor, connect: sockets(parts[rival.Echo], keys)},
		{name: lists, connect: sockets(parts[rival.ListGateway], keys)},
		{name: nats, connect: natsSockets(parts[rival.NATSServer], keys)},
		// asynq's worker asks an idle queue again and again.
		{name: asynqs, connect: sockets(parts[rival.AsynqGateway], keys), frozen: []*service{parts[rival.AsynqGateway], parts[rival.AsynqWorker]}},
	}
	for _, c := range all {
		if err := freeze(c.frozen...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sockets connects to a gateway that lets everybody in.
func sockets(gateway *service, keys []string) func(context.Context, int, int) ([]*load.Conn, error) {
	return func(ctx context.Context, count, circles int) ([]*load.Conn, error) {
		var conns []*load.Conn
		for i := range count {
			ws, err := dial(ctx, "ws://"+gateway.addr(rival.Listens)+"/"+keys[i%circles])
			if err != nil {
				return nil, err
			}
			conns = append(conns, load.New(ws, answer42(), sum))
		}
		return conns, nil
	}
}

// natsSockets connects to a NATS server.
func natsSockets(server *service, keys []string) func(context.Context, int, int) ([]*load.Conn, error) {
	return func(ctx context.Context, count, circles int) ([]*load.Conn, error) {
		var conns []*load.Conn
		for i := range count {
			ws, err := dial(ctx, "ws://"+server.addr(rival.Listens)+"/")
			if err != nil {
				return nil, err
			}
			p := load.NATS{
				JSONRPC: load.JSONRPC{Want: `"value":42`},
				Subject: rival.Subject(keys[i%circles]),
				Inbox:   fmt.Sprintf("_INBOX.%d.%d", circles, i),
			}
			if err := ws.WriteMessage(websocket.BinaryMessage, p.Greeting()); err != nil {
				return nil, err
			}
			conns = append(conns, load.New(ws, p, sum))
		}
		return conns, nil
	}
}

// own is our system as a contender.
func own(name string, s *system, p load.Protocol, script string) *contender {
	return &contender{name: name, connect: func(ctx context.Context, count, circles int) ([]*load.Conn, error) {
		return s.connect(ctx, count, circles, p, script)
	}}
}

// A turn is a contender's part of each round.
type turn struct {
	*contender
	conns    []*load.Conn
	inFlight int
}

// inTurn measures contenders one after the other, in rounds, so that what else the machine does hits all of them.
func (r *measures) inTurn(turns []*turn) error {
	for range r.rounds {
		for _, t := range turns {
			err := thaw(t.frozen...)
			if err != nil {
				return err
			}
			result, err := load.Closed(t.conns, t.inFlight, r.plan())
			if err = errors.Join(err, freeze(t.frozen...)); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			t.results = append(t.results, result)
		}
	}
	return nil
}

// of finds a turn by its contender's name.
func of(turns []*turn, name string) *turn {
	for _, t := range turns {
		if t.name == name {
			return t
		}
	}
	return nil
}

// over is the median of what a contender's throughput was of another's, round by round.
func over(a, b *turn) float64 {
	var ratios []float64
	for i := range a.results {
		ratios = append(ratios, a.results[i].Rate()/b.results[i].Rate())
	}
	return median(ratios)
}

// rate is the median of a contender's throughput.
func (c *contender) rate() float64 {
	var rates []float64
	for _, result := range c.results {
		rates = append(rates, result.Rate())
	}
	return median(rates)
}

func closeTurns(turns []*turn) {
	for _, t := range turns {
		closeAll(t.conns)
	}
}
