// Package proxy carries TCP connections on loopback and spoils them on
// purpose: it delays what passes, holds it back, loses answers, breaks
// connections and refuses new ones.
package proxy

import (
	"errors"
	"net"
	"sync"
	"time"
)

// chunk is the most that is read at once, dialTimeout how long the upstream
// gets to take a connection.
const (
	chunk       = 32 << 10
	dialTimeout = 2 * time.Second
)

// Mode is what is done to what passes.
type Mode struct {
	Delay time.Duration // each chunk, either way
	Stall bool          // nothing passes until the mode changes; then what was held back does
	Deaf  bool          // requests pass, answers are held back: who asks can't tell whether it was done
	Down  bool          // connections are reset, and refused as soon as they are made
}

// Proxy carries connections from its own address to another. It has one
// goroutine that accepts and two a connection; Close waits for them.
type Proxy struct {
	upstream string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	mode    Mode
	changed chan struct{} // closed and replaced when the mode changes
	pairs   map[*pair]struct{}
	closed  bool
}

// pair is one carried connection.
type pair struct{ client, upstream *net.TCPConn }

// reset ends both sides at once, as a crash does: without waiting for what is
// under way.
func (p *pair) reset() {
	for _, conn := range []*net.TCPConn{p.client, p.upstream} {
		_ = conn.SetLinger(0)
		_ = conn.Close() // the other direction may have closed it already
	}
}

// Listen starts a proxy on a free loopback port. The upstream need not be there
// yet.
func Listen(upstream string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		upstream: upstream,
		listener: listener,
		changed:  make(chan struct{}),
		pairs:    make(map[*pair]struct{}),
	}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set changes what is done to all connections, those under way included.
func (p *Proxy) Set(mode Mode) {
	p.mu.Lock()
	p.mode = mode
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if mode.Down {
		p.Cut()
	}
}

// Cut resets the connections that there are. New ones are welcome.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.reset()
	}
}

// Close stops listening, resets all connections and waits for its goroutines.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	err := p.listener.Close()
	p.Cut()
	p.running.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		client := conn.(*net.TCPConn)
		if p.now().Down {
			_ = client.SetLinger(0)
			_ = client.Close()
			continue
		}
		p.running.Go(func() { p.carry(client) })
	}
}

func (p *Proxy) now() Mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode
}

func (p *Proxy) carry(client *net.TCPConn) {
	conn, err := net.DialTimeout("tcp", p.upstream, dialTimeout)
	if err != nil {
		_ = client.SetLinger(0)
		_ = client.Close()
		return
	}
	both := &pair{client, conn.(*net.TCPConn)}
	p.mu.Lock()
	refused := p.closed || p.mode.Down
	if !refused {
		p.pairs[both] = struct{}{}
	}
	p.mu.Unlock()
	if refused {
		both.reset()
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { p.pass(both, both.upstream, both.client, false) })
	directions.Go(func() { p.pass(both, both.client, both.upstream, true) })
	directions.Wait()
	p.mu.Lock()
	delete(p.pairs, both)
	p.mu.Unlock()
}

// pass carries one direction until it ends. An orderly end is passed on as one.
func (p *Proxy) pass(both *pair, to, from *net.TCPConn, answers bool) {
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !p.hold(answers) {
				both.reset()
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				both.reset()
				return
			}
		}
		if err != nil {
			if !isEnd(err) || !p.hold(answers) || to.CloseWrite() != nil {
				both.reset()
			}
			return
		}
	}
}

func isEnd(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op)
}

// hold waits for as long as the mode has it, and reports whether the data is to
// be passed on.
func (p *Proxy) hold(answers bool) bool {
	for delayed := false; ; {
		p.mu.Lock()
		mode, changed, closed := p.mode, p.changed, p.closed
		p.mu.Unlock()
		switch {
		case closed || mode.Down:
			return false
		case mode.Stall || mode.Deaf && answers:
			<-changed
		case mode.Delay > 0 && !delayed:
			select {
			case <-time.After(mode.Delay):
				delayed = true
			case <-changed:
			}
		default:
			return true
		}
	}
}
