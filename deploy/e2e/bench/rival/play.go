package rival

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"circles/pkg/protocol"
	"circles/pkg/rhai"
)

// A task is a play on its way from a rival's gateway to its worker, in JSON.
type task struct {
	ID     string `json:"id"`
	Script string `json:"script"`
	Reply  string `json:"reply,omitempty"` // where the result goes
}

// read takes a play from a frame, as the gateway does.
func read(frame []byte) (protocol.ID, task, error) {
	decoded := protocol.DecodeFrame(frame, 1)
	request := decoded.Entries[0].Request
	if err := decoded.Entries[0].Error; err != nil {
		return nil, task{}, errors.New(err.Message)
	}
	var params protocol.PlayParams
	if err := protocol.DecodeParams(request.Params, &params); err != nil {
		return nil, task{}, errors.New(err.Message)
	}
	return request.ID, task{ID: uuid.NewString(), Script: params.Script}, nil
}

// answered is the frame with a play's result.
func answered(id protocol.ID, result json.RawMessage) []byte {
	return protocol.Response{ID: id, Result: result}.AppendJSON(nil)
}

// player runs plays with the worker's engine.
type player struct{ engine *rhai.Engine }

// cacheBytes is the worker's default for the sources of compiled scripts.
const cacheBytes = 16 << 20

func newPlayer() player { return player{rhai.New(rhai.WithCache(cacheBytes))} }

// play runs a play and returns its result in JSON.
func (p player) play(ctx context.Context, t task) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, playTimeout)
	defer cancel()
	start := time.Now()
	program, err := p.engine.Compile(t.Script)
	if err != nil {
		return nil, fmt.Errorf("play %s: %w", t.ID, err)
	}
	v, err := program.Run(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("play %s: %w", t.ID, err)
	}
	text, err := v.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("play %s: %w", t.ID, err)
	}
	return json.Marshal(protocol.PlayResult{
		PlayID:    t.ID,
		Output:    v.Display(),
		Value:     text,
		ElapsedUS: time.Since(start).Microseconds(),
	})
}

// playTimeout is the gateway's default.
const playTimeout = 10 * time.Second
