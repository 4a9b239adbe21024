package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"circles/deploy/e2e/chaos/history"
	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/protocol"
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

// A caller keeps one connection to a circle and plays on it, one burst after the
// other, until it is told to stop. It goes on to the next gateway when its own
// does not serve it.
type caller struct {
	name   string
	circle *circleRun
	urls   []string // of the circle, on each gateway
	rand   *rand.Rand
	clock  func() time.Duration

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
		if c.client == nil {
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
	dialled, err := client.Dial(ctx, c.urls[c.at%len(c.urls)], client.WithDialTimeout(dialPatience))
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
	plays := make([]history.Play, size)
	timeouts := make([]time.Duration, size)
	for i := range plays {
		c.number++
		plays[i] = draw(c.rand, c.circle.workload, c.name, c.number)
		timeouts[i] = time.Duration(1500+c.rand.IntN(1500)) * time.Millisecond
		if c.rand.IntN(12) == 0 {
			timeouts[i] = time.Duration(20+c.rand.IntN(200)) * time.Millisecond
		}
	}
	var sent sync.WaitGroup
	good := make([]bool, size)
	for i := range plays {
		sent.Go(func() { good[i] = c.play(c.client, &plays[i], timeouts[i]) })
	}
	sent.Wait()
	fine := true
	for i, p := range plays {
		c.circle.record(p, p.Invoked+timeouts[i])
		fine = fine && good[i]
		if p.Status == history.Acked || p.Failure != "" {
			c.outage = max(c.outage, p.Returned-c.served)
			c.served = max(c.served, p.Returned)
		}
	}
	return fine
}

// play sends one play and takes note of what came of it. It reports whether the
// connection is still good.
func (c *caller) play(on *client.Client, p *history.Play, timeout time.Duration) bool {
	text, args := script(c.circle.workload, *p)
	ctx, cancel := context.WithTimeout(context.Background(), timeout+answerPatience)
	defer cancel()
	p.Attempts = 1
	p.Invoked = c.clock()
	result, err := on.Play(ctx, text, client.Args(args), client.Timeout(timeout))
	p.Returned = c.clock()
	return judge(p, result, err)
}

// judge says what a caller knows from an answer. Definite are all of the
// gateway's errors but a timeout that says that the effect is unknown, and a call
// that was not sent. A script's own failure, a limit, a timeout, and a refusal to
// queue are certain however Redis fares; that a play was cancelled or given up
// is kept in Redis, and Redis may lose it.
func judge(p *history.Play, result *client.Result, err error) (good bool) {
	var (
		unknown  *client.UnknownOutcomeError
		answered *client.Error
		notSent  *client.ConnectionError
	)
	switch {
	case err == nil:
		p.Status = history.Acked
		if err := json.Unmarshal(result.Value, &p.Told); err != nil {
			p.Told = history.Told{Token: "?"}
			p.Reason = fmt.Sprintf("the value is %s: %v", result.Value, err)
		}
		return true
	case errors.As(err, &unknown):
		p.Status, p.Reason = history.Unknown, err.Error()
		return client.CodeOf(err) == protocol.CodeTimeout
	case errors.As(err, &answered):
		p.Status, p.Reason = history.Refused, answered.Code.Meaning()
		switch answered.Code {
		case protocol.CodeScript:
			failure, _ := answered.Script()
			p.Failure = failure.Kind + ": " + failure.Message
		case protocol.CodeCancelled, protocol.CodeGaveUp:
			p.Revoked = true
		case protocol.CodeTimeout, protocol.CodeExpired:
		case protocol.CodeBusy:
			return false // another gateway may take it
		default:
			p.Unexpected = true
			p.Reason += ": " + answered.Message
		}
		return true
	case errors.As(err, &notSent):
		p.Status, p.Reason = history.Refused, "not sent"
		return false
	default:
		p.Status, p.Reason = history.Unknown, err.Error()
		return false
	}
}
