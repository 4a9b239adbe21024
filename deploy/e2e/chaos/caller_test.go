package chaos

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"circles/deploy/e2e/chaos/history"
	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/queue"
)

const (
	dialPatience = 2 * time.Second

	// answerPatience is how long after a play's own timeout its answer is waited
	// for.
	answerPatience = 4 * time.Second
)

// A circleRun is what happens in one circle.
type circleRun struct {
	index    int
	secret   circle.Secret
	key      circle.Key
	workload history.Workload

	mu      sync.Mutex
	plays   []history.Play
	lastDue time.Duration // the last deadline of a play of which nothing certain is known

	violations []history.Violation
}

// record keeps a play that ends at its deadline at the latest.
func (c *circleRun) record(p history.Play, deadline time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plays = append(c.plays, p)
	if p.Status == history.Unknown {
		c.lastDue = max(c.lastDue, deadline)
	}
}

// A caller plays in one circle, one burst after the other, until it is told to
// stop. It does so on a connection to a gateway, and goes on to the next gateway
// when its own does not serve it; or as a program that has access to Redis.
type caller struct {
	name   string
	circle *circleRun
	urls   []string          // of the circle, on each gateway
	direct *queue.Dispatcher // in place of gateways
	rand   *rand.Rand
	clock  func() time.Duration

	reconnects bool // the client dials again by itself, and sends keyed plays again

	at      int // in urls
	client  *client.Client
	closing sync.WaitGroup // connections that were left
	number  int

	served time.Duration // when the last answer came that shows that the circle works
	outage time.Duration // the longest time between two of those
}

// run plays until the context ends, and waits for what it has sent.
func (c *caller) run(stop context.Context) {
	c.served = c.clock()
	for stop.Err() == nil {
		if c.client == nil && c.direct == nil {
			if err := c.connect(); err != nil {
				c.at++
				pause(stop, 50*time.Millisecond)
				continue
			}
		}
		if !c.burst() {
			c.leave()
			c.at++
		}
		pause(stop, time.Duration(c.rand.Int64N(int64(60*time.Millisecond))))
	}
	c.leave()
	c.closing.Wait()
}

func pause(stop context.Context, d time.Duration) {
	select {
	case <-stop.Done():
	case <-time.After(d):
	}
}

func (c *caller) connect() error {
	ctx, cancel := context.WithTimeout(context.Background(), dialPatience)
	defer cancel()
	options := []client.Option{client.WithDialTimeout(dialPatience)}
	if c.reconnects {
		options = append(options, client.WithReconnect(client.Backoff{First: 20 * time.Millisecond, Longest: 200 * time.Millisecond}))
	}
	dialled, err := client.Dial(ctx, c.urls[c.at%len(c.urls)], options...)
	if err != nil {
		return err
	}
	c.client = dialled
	if _, err := dialled.Authenticate(ctx, c.circle.secret); err != nil {
		c.leave()
		return err
	}
	return nil
}

// leave closes the connection without waiting for a gateway that does not answer.
func (c *caller) leave() {
	if c.client == nil {
		return
	}
	left := c.client
	c.client = nil
	c.closing.Go(func() { _ = left.Close() })
}

// burst sends plays at once, most often one, and reports whether the connection
// is still good.
func (c *caller) burst() bool {
	size := 1
	if c.rand.IntN(8) == 0 {
		size = 2 + c.rand.IntN(10)
	}
	calls := make([]call, size)
	for i := range calls {
		c.number++
		calls[i] = c.draw()
	}
	var sent sync.WaitGroup
	for i := range calls {
		sent.Go(func() {
			one := &calls[i]
			one.insist(func(attempt int) {
				switch {
				case c.direct != nil:
					one.submit(c.direct, c.circle, c.clock)
				case attempt == 1:
					one.send(c.client, c.circle, c.clock)
				default:
					c.sendAgain(one, attempt)
				}
			})
		})
	}
	sent.Wait()
	fine := true
	for _, call := range calls {
		p := call.play
		c.circle.record(p, call.sent+call.timeout)
		fine = fine && call.good
		if p.Status == history.Acked || p.Failure != "" {
			c.outage = max(c.outage, p.Returned-c.served)
			c.served = max(c.served, p.Returned)
		}
	}
	return fine
}

// draw makes up a call.
func (c *caller) draw() call {
	drawn := call{
		play:    draw(c.rand, c.circle.workload, c.name, c.number),
		timeout: time.Duration(1500+c.rand.IntN(1500)) * time.Millisecond,
	}
	if c.rand.IntN(12) == 0 {
		drawn.timeout = time.Duration(20+c.rand.IntN(200)) * time.Millisecond
	}
	cancels := 25
	if c.direct != nil {
		cancels = 4 // its caller is told what came of it
	}
	if c.rand.IntN(cancels) == 0 {
		drawn.cancel = time.Duration(1+c.rand.Int64N(int64(40*time.Millisecond))) * time.Nanosecond
	}
	drawn.keyed = drawn.cancel == 0 && c.rand.IntN(3) == 0
	return drawn
}

// sendAgain plays on a connection of its own, to another gateway than the last
// attempt.
func (c *caller) sendAgain(one *call, attempt int) {
	ctx, cancel := context.WithTimeout(context.Background(), dialPatience)
	defer cancel()
	conn, err := client.Dial(ctx, c.urls[(c.at+attempt-1)%len(c.urls)], client.WithDialTimeout(dialPatience))
	if err == nil {
		defer c.closing.Go(func() { _ = conn.Close() })
		_, err = conn.Authenticate(ctx, c.circle.secret)
	}
	if err != nil {
		one.play.Status, one.play.Reason = history.Refused, err.Error()
		one.play.Returned = c.clock()
		return
	}
	one.send(conn, c.circle, c.clock)
}
