package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// report prints the table, and keeps it with what was measured on and the profiles where that was asked for.
func (r *measures) report(took time.Duration) error {
	fmt.Println(r.table.String())
	if r.out == "" {
		for _, p := range r.taken {
			fmt.Printf("%s\n\n%s\n\n", p.title, p.top)
		}
		return nil
	}
	on, err := versions()
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, preface, r.command, took.Round(time.Second), r.rounds, r.slice, on, r.table.String())
	for _, p := range r.taken {
		fmt.Fprintf(&text, "\n### %s\n\n```\n%s\n```\n", p.title, p.top)
	}
	return os.WriteFile(r.out, []byte(text.String()), 0o644)
}

// preface says what the figures are. It takes the command, how long it took, rounds, their length, versions, and the
// table.
const preface = `# Benchmarks of the whole system

This file is written by ` + "`%s`" + `; the last run took %v, with %d rounds of %v a turn.

Redis (as docker-compose.yml configures it, with its append-only file), gateway and worker run as processes of their own
with default settings: authentication and all limits are on. The load generator speaks to the gateway over WebSockets,
every connection authenticated with its circle's key. All of them share the machine's cores:

` + "```\n%s\n```" + `

The *echo floor* is the gateway's WebSocket stack in a process of its own that answers the same JSON at once. What is
compared is measured in turn, round after round; a ratio is the median of the rounds'. Open loops send at a fixed rate,
and a latency counts from when the play was due.

Others do the same work with the same engine, answer the same JSON to the same client, and keep less:

- *list push and blocking pop* is the design that ours replaces: what a worker had taken when it dies is lost.
- *core NATS* is a request over NATS's own WebSocket, by the same client with NATS's framing, to a worker that answers it;
  nothing is kept anywhere.
- *asynq* keeps its tasks as we do; its result is awaited by asking for it, as it tells nobody. It runs 64 plays at a time in
  no order.

%s
## Where the time goes

Profiles of the services during four seconds of saturation, 64 connections and 8 circles.
`
