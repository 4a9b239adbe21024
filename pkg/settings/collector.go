package settings

import (
	"os"
	"runtime"
	"runtime/debug"
)

// restBytes is what makes the collector rest: it counts as held. Without it a
// service that holds little, as ours do, collects whenever it has taken 4 MiB:
// many times in a second, for a third of its time.
const restBytes = 64 << 20

// restPercent is how much garbage there may be of what is held, which restBytes is
// a part of: 32 MiB of a service that holds nothing else. A gateway with many
// connections holds more than that, and has half of it in garbage at most.
const restPercent = 50

// RestCollector has Go's collector rest until a service has taken some memory,
// up to end. It counts from what is held, so something is held that is never
// touched, and takes no memory of the system. A GOGC of the environment counts
// for more than our percentage.
func RestCollector() (end func()) {
	untouched := make([]byte, restBytes)
	restore := func() {}
	if os.Getenv("GOGC") == "" {
		before := debug.SetGCPercent(restPercent)
		restore = func() { debug.SetGCPercent(before) }
	}
	return func() {
		restore()
		runtime.KeepAlive(untouched)
	}
}
