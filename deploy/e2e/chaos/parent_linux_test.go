package chaos

import "syscall"

// dieWithParent ends a process also when the test binary is killed and no
// cleanup runs.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
