package worker

import "syscall"

// yieldThread lets another thread have the core, if one waits for it. The call
// can't fail.
func yieldThread() { _, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
