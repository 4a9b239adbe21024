package chaos

import (
	"context"
	"errors"
	"strings"
	"time"

	"circles/deploy/e2e/chaos/proxy"
)

// retry is when something that is not ready to be mended is looked at again.
const retry = 50 * time.Millisecond

// endPatience is how long a process may take to end after SIGTERM: what it has
// for what is running, and what it needs for a Redis that does not answer.
const endPatience = shutdownTimeout + 10*time.Second

// inject does a fault's harm, and plans its end. One that makes no sense at the
// moment, such as pausing what is dead, does nothing and does not count.
func (r *run) inject(f fault) error {
	done, err := r.apply(f)
	if done {
		r.injected[f.Kind]++
	}
	return err
}

func (r *run) apply(f fault) (bool, error) {
	switch f.Kind {
	case workerKill, gatewayKill:
		return r.restart(r.target(f), f.For, (*node).kill)
	case workerTerm, gatewayTerm:
		return r.restart(r.target(f), f.For, (*node).end)
	case workerPause, gatewayPause:
		n := r.target(f)
		if !n.up() || n.asked || n.paused {
			return false, nil
		}
		paused := n.incarnation
		r.later(f.At+f.For, func() error {
			if n.incarnation != paused {
				return nil
			}
			return n.wake()
		})
		return true, n.pause()
	case workerCut, gatewayCut:
		return r.spoil(r.toRedis(f), f, proxy.Mode{Down: true})
	case workerSlow, gatewaySlow:
		return r.spoil(r.toRedis(f), f, proxy.Mode{Delay: f.Delay})
	case workerStall, gatewayStall:
		return r.spoil(r.toRedis(f), f, proxy.Mode{Stall: true})
	case workerDeaf, gatewayDeaf:
		// The connections end while the answers are held back, so they are lost.
		p := r.toRedis(f)
		r.later(f.At+f.For, func() error { p.Cut(); return nil })
		return r.spoil(p, f, proxy.Mode{Deaf: true})
	case clientCut:
		r.target(f).front.Cut()
		return true, nil
	case clientSlow:
		return r.spoil(r.target(f).front, f, proxy.Mode{Delay: f.Delay})
	case clientStall:
		return r.spoil(r.target(f).front, f, proxy.Mode{Stall: true})
	default:
		return r.harmStore(f)
	}
}

func (r *run) target(f fault) *node {
	switch f.Kind {
	case workerKill, workerPause, workerTerm, workerCut, workerSlow, workerStall, workerDeaf:
		return r.workers[f.Target]
	default:
		return r.gateways[f.Target]
	}
}

// toRedis is the proxy between a fault's target and Redis.
func (r *run) toRedis(f fault) *proxy.Proxy {
	if strings.HasPrefix(string(f.Kind), "gateway") && f.Target == len(r.gateways) {
		return r.direct
	}
	return r.target(f).toRedis
}

// restart ends a process and starts it again.
func (r *run) restart(n *node, after time.Duration, end func(*node) error) (bool, error) {
	if !n.up() || n.asked {
		return false, nil
	}
	told := r.clock()
	var start func() error
	start = func() error {
		if !n.up() {
			return n.start()
		}
		if waited := r.clock() - told; waited > endPatience {
			r.problem("%s does not end %v after SIGTERM", n.name, waited)
			return errors.Join(n.kill(), n.start())
		}
		r.later(r.clock()+retry, start) // it takes its time
		return nil
	}
	r.later(told+after, start)
	return true, end(n)
}

// spoil has a proxy do harm for a while. The latest fault of a proxy decides.
func (r *run) spoil(p *proxy.Proxy, f fault, mode proxy.Mode) (bool, error) {
	p.Set(mode)
	r.later(f.At+f.For, func() error { p.Set(proxy.Mode{}); return nil })
	return true, nil
}

func (r *run) harmStore(f fault) (bool, error) {
	s := r.store
	if s.down {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
	defer cancel()
	switch f.Kind {
	case redisKill, redisPower:
		back := f.Delay
		lost, err := s.kill(back)
		if s.fsync != "always" {
			r.rollbacks = append(r.rollbacks, lost)
		}
		r.later(f.At+f.For, func() error { s.start(r.t); return nil })
		return true, err
	case redisPause:
		if s.paused {
			return false, nil
		}
		r.later(f.At+f.For, s.wake)
		return true, s.pause()
	case redisFlush:
		return !s.paused && s.admin.ScriptFlush(ctx).Err() == nil, nil
	case redisMute:
		return !s.paused && s.admin.ClientKillByFilter(ctx, "TYPE", "pubsub").Err() == nil, nil
	}
	return false, nil
}
