package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/protocol"
)

// exampleGateway serves a circle whose scripts are all "6 * 7", or fail.
func exampleGateway() (url string, secret circle.Secret, stop func()) {
	g, secret := newGateway()
	g.play = func(_ context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
		if params.Script == "6 * x" {
			return nil, protocol.Errorf(protocol.CodeScript, "the script failed").WithData(protocol.ScriptErrorData{
				Kind: "ErrorVariableNotFound", Message: "Variable not found: x", Line: 1, Column: 5,
			})
		}
		return protocol.PlayResult{PlayID: "p", Output: "42", Value: []byte("42"), ElapsedUS: 12}, nil
	}
	return g.start(), secret, g.stop
}

func Example() {
	url, secret, stop := exampleGateway()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	who, err := c.Authenticate(ctx, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := c.Play(ctx, "6 * args.n", client.Args(map[string]int{"n": 7}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(who.Role, "got", result.Output)
	// Output: owner got 42
}

// What went wrong decides what to do next.
func ExampleClient_Play_errors() {
	url, _, stop := exampleGateway()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, url)
	if errors.Is(err, client.ErrCircleNotFound) {
		fmt.Println("the gateway doesn't serve this circle")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()

	_, err = c.Play(ctx, "6 * x")
	var (
		answered *client.Error
		unknown  *client.UnknownOutcomeError
	)
	switch {
	case errors.As(err, &unknown):
		fmt.Println("it may have run, or may yet")
	case errors.As(err, &answered):
		if script, ok := answered.Script(); ok {
			fmt.Printf("%d:%d: %s\n", script.Line, script.Column, script.Message)
		} else if wait, ok := answered.RetryAfter(); ok {
			fmt.Println("try again in", wait)
		}
	case err != nil:
		fmt.Println("nothing was sent:", err)
	}
	// Output: 1:5: Variable not found: x
}

// A client that lives long reconnects, and names its plays so that they can be
// sent again without a second effect.
func ExampleWithReconnect() {
	url, secret, stop := exampleGateway()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, url, client.WithReconnect(client.Backoff{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Authenticate(ctx, secret); err != nil {
		fmt.Println(err)
		return
	}
	result, err := c.Play(ctx, "6 * 7", client.IdempotencyKey("order-1138"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Output)
	// Output: 42
}
