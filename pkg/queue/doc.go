// Package queue carries plays from whoever submits them to the worker that owns
// their circle, and outcomes back, through Redis.
//
// A [Dispatcher] submits plays and gets their outcomes: it is what the gateway
// uses, and any Go program with access to Redis may. A [Consumer] owns circles,
// reads their plays in order and commits outcomes: it is what the worker uses.
//
// # Why nothing is lost or done twice
//
// A play is an entry of its circle's stream, and the entry is the right to take
// effect: whoever removes it decides what became of the play. Commit removes it
// together with recording the outcome, in one atomic step; a gateway that gives
// up on a play withdraws it, in one atomic step too. So a play that was
// withdrawn can not be committed any more, and one that was committed can not
// be withdrawn: its outcome is found instead.
//
// Ownership is a key that expires, with a fencing token from a counter. Reading
// and committing happen in scripts that check the token first, so a worker that
// was paused past its lease neither takes plays away from the new owner nor
// commits. Plays that were read and not committed stay pending, and the next
// owner reads those first, oldest first.
//
// An owner remembers what it has read and written of the circle's state. A
// counter of the circle's commits says whether that is still true: Redis may
// come back from a crash, or a replica take its place, without what it answered
// last. An owner that knows of other commits than Redis loses its lease, and the
// circle is claimed anew with nothing remembered.
//
// Outcomes are published to the gateway that waits, and kept in a capped
// stream. A publication can be lost; a gateway that may have missed one looks
// into the stream: when its subscription is made again, and before it reports
// that a deadline passed.
//
// # Plays that are submitted again
//
// An idempotency key names a play among those of its caller in the circle. The
// script that queues a play notes under the key which play has it, and what that
// does; commit adds the outcome, in the same step as everything else. Whoever
// submits the same under the same key waits for that play's outcome or gets the
// one that is kept, from any gateway; something else under the same key is
// refused. The key keeps what the script itself came to: a value, an error of
// the script, a limit. A play that was withdrawn, expired, timed out, was given
// up or met a fault of ours had no effect, and leaves the key free: all who wait
// are told, and the next submission is a new attempt. A key without an outcome
// counts only as long as its play's entry is in the queue, so that none is
// blocked for ever, whatever is lost.
//
// # Lost answers
//
// A play is never sent to Redis twice: when the answer to queueing it is lost,
// it may or may not have been queued, and the Dispatcher goes on waiting until
// the deadline, after which no late arrival can run.
package queue
