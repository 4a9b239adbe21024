package gateway

import (
	"bytes"
	"sync"

	"circles/pkg/protocol"
)

// flights are a connection's plays in flight, as they can be cancelled. One that
// is being cancelled isn't taken again, so that no more cancellations wait than
// plays are in flight.
type flights struct {
	mu    sync.Mutex
	plays map[string]flight // by the play's id
}

type flight struct {
	request    protocol.ID // as it was sent; nil for a notification
	cancelling bool
}

func (f *flights) add(playID string, request protocol.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.plays == nil {
		f.plays = make(map[string]flight)
	}
	f.plays[playID] = flight{request: request}
}

func (f *flights) remove(playID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.plays, playID)
}

// take returns the plays that p names, for a cancellation; of those that have
// the same request id, which clients may use more than once at a time, all. What
// is still in flight afterwards is to be put back.
func (f *flights) take(p protocol.CancelParams) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var taken []string
	for playID, fl := range f.plays {
		named := p.PlayID == playID || p.ID != nil && bytes.Equal(p.ID, fl.request)
		if named && !fl.cancelling {
			taken = append(taken, playID)
			f.plays[playID] = flight{request: fl.request, cancelling: true}
		}
	}
	return taken
}

func (f *flights) putBack(playIDs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, playID := range playIDs {
		if fl, ok := f.plays[playID]; ok {
			f.plays[playID] = flight{request: fl.request}
		}
	}
}
