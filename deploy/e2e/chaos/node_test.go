package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"circles/deploy/e2e/chaos/proxy"
)

// A node is a gateway or a worker: a process that is started again after it was
// ended, and the proxies around it. One goroutine uses it.
type node struct {
	name   string
	binary string
	env    func(incarnation int) []string
	log    string // file that all incarnations write to

	toRedis *proxy.Proxy
	front   *proxy.Proxy // of a gateway: between it and its clients

	incarnation int
	cmd         *exec.Cmd
	exited      chan struct{} // closed by the goroutine that reaps cmd
	asked       bool          // it was killed or told to end
	paused      bool
}

func (n *node) start() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own descriptor
	n.incarnation++
	fmt.Fprintf(log, "---- %s is started, incarnation %d\n", n.name, n.incarnation)
	cmd := exec.Command(n.binary)
	cmd.Env = n.env(n.incarnation)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended is in its log
	}()
	n.cmd, n.exited, n.asked, n.paused = cmd, exited, false, false
	return nil
}

func (n *node) up() bool {
	if n.cmd == nil {
		return false
	}
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// died reports whether the process ended and nobody had asked it to.
func (n *node) died() bool { return n.cmd != nil && !n.up() && !n.asked }

func (n *node) signal(s syscall.Signal) error {
	if !n.up() {
		return nil
	}
	if err := n.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// kill ends the process at once and waits for its end.
func (n *node) kill() error {
	if n.cmd == nil {
		return nil
	}
	n.asked = true
	if err := n.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-n.exited
	return nil
}

// end asks the process to end; it does so in its own time.
func (n *node) end() error {
	n.asked = true
	if err := n.signal(syscall.SIGTERM); err != nil {
		return err
	}
	return n.wake()
}

func (n *node) pause() error {
	n.paused = true
	return n.signal(syscall.SIGSTOP)
}

func (n *node) wake() error {
	n.paused = false
	return n.signal(syscall.SIGCONT)
}

func (n *node) close() error {
	err := n.kill()
	for _, p := range []*proxy.Proxy{n.toRedis, n.front} {
		if p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	return err
}
