// Package process runs gateways and workers as processes of their own, for tests that break them or what they stand on.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Binaries are the services as they were built.
type Binaries struct{ Gateway, Worker string }

// Build makes the services in a folder. Flags are the go command's, before the package.
func Build(folder string, flags ...string) (Binaries, error) {
	bin := Binaries{Gateway: filepath.Join(folder, "gateway"), Worker: filepath.Join(folder, "worker")}
	for binary, from := range map[string]string{bin.Gateway: "circles/gateway/cmd/gateway", bin.Worker: "circles/worker/cmd/worker"} {
		args := append(append([]string{"build"}, flags...), "-o", binary, from)
		if text, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return bin, fmt.Errorf("go %v: %w\n%s", args, err, text)
		}
	}
	return bin, nil
}

// A Process is a running program, until it has exited.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed by the goroutine that reaps cmd
}

// Start starts a program with args, and nothing but env in its environment; both its outputs go to log. Whoever starts it ends it,
// by Kill at the latest; if the test binary itself is killed, the program goes with it where the system knows how.
func Start(binary string, env []string, log *os.File, args ...string) (*Process, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // ExitCode says how it ended
	}()
	return p, nil
}

// PID is the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Running reports whether the program has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// ExitCode is the program's, when it has exited; -1 when a signal ended it.
func (p *Process) ExitCode() int {
	<-p.exited
	return p.cmd.ProcessState.ExitCode()
}

// Signal sends a signal, to a program that has ended none.
func (p *Process) Signal(s syscall.Signal) error {
	if !p.Running() {
		return nil
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Kill ends the program at once and waits for its end.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}
