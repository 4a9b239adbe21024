package rival

import (
	"context"
	"fmt"
	"strconv"

	"circles/deploy/e2e/bench/load"
)

// newEcho answers at once what a play of 40 + 2 is answered: all that is done is to take the id from the request.
func newEcho() answerer {
	var reply []byte
	return func(_ context.Context, _ string, frame []byte) ([]byte, error) {
		id, ok := load.ID(frame)
		if !ok {
			return nil, fmt.Errorf("got %.200s, want a request with a number as id", frame)
		}
		reply = append(reply[:0], `{"jsonrpc":"2.0","id":`...)
		reply = strconv.AppendUint(reply, id, 10)
		reply = append(reply, `,"result":{"play_id":"0196f0a0-0000-7000-8000-000000000000","output":"42","value":42,"elapsed_us":10}}`...)
		return reply, nil
	}
}
