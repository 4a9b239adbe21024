package gateway

import (
	"net"
	"sync"
)

// connections counts the sockets and lets the server wait for them. A place is
// taken before the upgrade, so that there is an HTTP answer to give when there
// is none left, and given back when the session ends, or when the connection
// does without the session ever having begun.
//
// Sessions run on goroutines that the HTTP server starts and forgets; waiting
// for the places to be given back is what joins them.
type connections struct {
	max int

	mu       sync.Mutex
	places   map[net.Conn]*session // nil until the session begins
	draining bool
	empty    chan struct{} // closed when draining and the last place is given back
}

func newConnections(max int) *connections {
	return &connections{max: max, places: make(map[net.Conn]*session), empty: make(chan struct{})}
}

// placeError is why there is no place.
type placeError string

const (
	errFull     placeError = "too many connections"
	errDraining placeError = "closing"
)

func (e placeError) Error() string { return string(e) }

// take takes a place for a connection that is about to be upgraded.
func (c *connections) take(conn net.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return errDraining
	}
	if len(c.places) >= c.max {
		return errFull
	}
	c.places[conn] = nil
	return nil
}

// begin puts a session in its place. It reports false when the gateway has
// begun to drain since the place was taken.
func (c *connections) begin(conn net.Conn, s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.places[conn]; !taken || c.draining {
		return false
	}
	c.places[conn] = s
	return true
}

// giveBack gives the place of a connection back, if it has one.
func (c *connections) giveBack(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.places[conn]; !taken {
		return
	}
	delete(c.places, conn)
	if c.draining && len(c.places) == 0 {
		close(c.empty)
	}
}

// drain gives out no more places and returns the sessions there are. It is
// called once.
func (c *connections) drain() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if len(c.places) == 0 {
		close(c.empty)
	}
	return c.sessionsLocked()
}

func (c *connections) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

func (c *connections) sessions() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessionsLocked()
}

func (c *connections) sessionsLocked() []*session {
	var all []*session
	for _, s := range c.places {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}
