// Package client plays scripts in a circle from Go.
//
// Dial opens the circle's socket, Authenticate proves who the caller is, Play
// runs a script and returns its value:
//
//	c, err := client.Dial(ctx, "ws://localhost:8080/"+circleKey)
//	if err != nil { ... }
//	defer c.Close()
//	if _, err := c.Authenticate(ctx, secret); err != nil { ... }
//	result, err := c.Play(ctx, "args.n * 2", client.Args(map[string]int{"n": 21}))
//
// A Client is safe for concurrent use: calls share one socket and are answered
// as they finish. A context that ends gives up one call and leaves the
// connection as it was.
//
// # Errors
//
// What went wrong decides what a caller may do next, so there are four kinds,
// told apart with errors.As:
//
//   - *DialError: no connection; nothing was sent. errors.Is(err,
//     ErrCircleNotFound) when the gateway doesn't serve the circle.
//   - *Error: the gateway's own answer, with its code. Certain: a play that
//     failed this way changed nothing.
//   - *UnknownOutcomeError: the call was sent, then the connection broke, the
//     context ended, or the gateway got no answer in time. The play may have run,
//     or may yet. It may wrap an *Error, so ask for this kind first.
//   - *ConnectionError: the connection is gone and the call was not sent.
//
// # Connections that break
//
// With WithReconnect the client dials again, authenticates again, and calls
// wait meanwhile. A call that was under way is sent again only where that is
// safe: when it changes nothing, or is a play with an idempotency key.
package client
