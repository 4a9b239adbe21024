package worker

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"

	"circles/pkg/circle"
)

// assign shares circles evenly among workers: as many to each, or one more.
// Every worker that sees the same others works out the same shares, whatever
// order it knows keys and workers in. A circle goes to the worker that it prefers
// among those whose share is not full, so that few circles move when a worker
// comes or goes.
func assign(keys []circle.Key, workers []string) map[string][]circle.Key {
	shares := make(map[string][]circle.Key, len(workers))
	if len(workers) == 0 {
		return shares
	}
	keys, workers = slices.Clone(keys), slices.Clone(workers)
	slices.SortFunc(keys, func(a, b circle.Key) int { return cmp.Compare(a.String(), b.String()) })
	slices.Sort(workers)
	most, larger := len(keys)/len(workers), len(keys)%len(workers)
	for _, key := range keys {
		var (
			best  string
			score uint64
			found bool
		)
		for _, id := range workers {
			if n := len(shares[id]); n > most || n == most && larger == 0 {
				continue
			}
			if s := preference(key, id); !found || s > score {
				best, score, found = id, s, true
			}
		}
		shares[best] = append(shares[best], key)
		if len(shares[best]) == most+1 {
			larger--
		}
	}
	return shares
}

// preference is how much a worker suits a circle; by chance, but everywhere the
// same.
func preference(key circle.Key, worker string) uint64 {
	return xxhash.Sum64String(key.String() + worker)
}
