package worker

import "runtime"

// How often a script gives way to others, in thousands of operations, which take
// about five microseconds each: to other goroutines of this process, which would
// have to wait for Go's 10 milliseconds, and to threads of other processes on the
// same core, for which Linux may let it go on for as long. The latter costs a slice
// of the core's time where another process wants all of it, so it is done seldom.
const (
	goroutineTurn = 32
	threadTurn    = 64
)

// giveWay is told how far a run has come. Without it, a circle that keeps a core
// busy makes the plays of others ten times as slow, as those wait behind it at
// every step of their way, also where another core is free now and then.
func giveWay(operations uint64) error {
	turn := operations / 1024
	if turn%goroutineTurn == 0 {
		runtime.Gosched()
	}
	if turn%threadTurn == 0 {
		yieldThread()
	}
	return nil
}
