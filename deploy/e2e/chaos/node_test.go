package chaos

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"circles/deploy/e2e/chaos/proxy"
	"circles/deploy/internal/process"
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
	process     *process.Process
	asked       bool // it was killed or told to end
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
	started, err := process.Start(n.binary, n.env(n.incarnation), log)
	if err != nil {
		return err
	}
	n.process, n.asked, n.paused = started, false, false
	return nil
}

func (n *node) up() bool { return n.process != nil && n.process.Running() }

// died reports whether the process ended and nobody had asked it to.
func (n *node) died() bool { return n.process != nil && !n.up() && !n.asked }

// kill ends the process at once and waits for its end.
func (n *node) kill() error {
	if n.process == nil {
		return nil
	}
	n.asked = true
	return n.process.Kill()
}

// end asks the process to end; it does so in its own time.
func (n *node) end() error {
	n.asked = true
	if err := n.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return n.wake()
}

func (n *node) pause() error {
	n.paused = true
	return n.process.Signal(syscall.SIGSTOP)
}

func (n *node) wake() error {
	n.paused = false
	return n.process.Signal(syscall.SIGCONT)
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
