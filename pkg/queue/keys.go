package queue

import (
	"crypto/sha256"
	"encoding/base64"

	"circles/pkg/circle"
)

// Names in Redis. No other file spells one.
//
// A circle's keys share one slot of a Cluster, because the hash tag of the
// companions is the queue's own name. Channels have no slot.
const (
	streamPrefix = "rhai_tasks:"

	// workersKey is a sorted set of the live workers' ids, by the time their
	// heartbeat expires in milliseconds of Redis's clock.
	workersKey = "circles:workers"

	// probeKey never exists; see Probe.
	probeKey = "circles:probe"

	// repliesPrefix begins the channel on which a gateway hears the outcomes of
	// the plays that it waits for.
	repliesPrefix = "circles:replies:"

	// wakeChannel tells every worker that ownership may have changed; with
	// wakePrefix begins the channel on which one worker hears of the circles
	// that have work. Messages are hints: whoever misses one finds the same out
	// at the next renewal.
	wakeChannel = "circles:wake"
	wakePrefix  = "circles:wake:"

	// group is the one consumer group of a queue. Its one consumer is whoever
	// owns the circle: plays are only read under a valid fencing token, so what
	// a former owner left pending is the next owner's without being claimed.
	group    = "workers"
	consumer = "owner"
)

// streamKey is the queue itself: a stream of plays.
func streamKey(c circle.Key) string { return streamPrefix + c.String() }

func companion(c circle.Key, name string) string {
	return "{" + streamPrefix + c.String() + "}:" + name
}

// ownerKey holds the owning worker's fencing token and id, and expires.
func ownerKey(c circle.Key) string { return companion(c, "owner") }

// fenceKey holds the last fencing token given.
func fenceKey(c circle.Key) string { return companion(c, "fence") }

// commitsKey counts the circle's commits.
func commitsKey(c circle.Key) string { return companion(c, "commits") }

// resultsKey is a capped stream of recent outcomes.
func resultsKey(c circle.Key) string { return companion(c, "results") }

// stateKey is the circle's state: a hash of what its scripts keep. The field
// with the empty name, which no script can use, is the size of the others in
// bytes.
func stateKey(c circle.Key) string { return companion(c, "state") }

const stateSizeField = ""

// onceKey holds the play that has an idempotency key of a caller, and its outcome
// when it has ended: a hash that expires. Neither callers nor the lengths of
// their keys show in the name.
func onceKey(c circle.Key, caller, key string) string {
	sum := sha256.Sum256([]byte(caller + " " + key))
	return companion(c, "once:"+base64.RawURLEncoding.EncodeToString(sum[:]))
}

// deadKey is a capped stream of plays that were given up.
func deadKey(c circle.Key) string { return companion(c, "dead") }

// historyKey is a capped stream of plays that have ended and their outcomes.
func historyKey(c circle.Key) string { return companion(c, "history") }

// paceKey says how fast the circle's plays end while others wait; see pace.
func paceKey(c circle.Key) string { return companion(c, "pace") }

func repliesChannel(gateway string) string { return repliesPrefix + gateway }
