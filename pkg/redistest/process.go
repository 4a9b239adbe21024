package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// bindAttempts is how often a free port is looked for: another process may take
// it between the search and the server's start.
const bindAttempts = 5

// process runs redis-server.
type process struct {
	options
	dir string

	addr   string // set by the first start that worked
	cmd    *exec.Cmd
	exited chan struct{} // closed by the goroutine that reaps cmd
}

func newProcess(t testing.TB, o options) *process {
	return &process{options: o, dir: t.TempDir()}
}

func (p *process) start(ctx context.Context) (string, error) {
	if p.addr != "" {
		return p.addr, again(ctx, func() error { return p.serve(ctx, p.addr) })
	}
	var err error
	for range bindAttempts {
		var addr string
		if addr, err = freeAddr(); err != nil {
			return "", err
		}
		if err = p.serve(ctx, addr); err == nil {
			p.addr = addr
			return addr, nil
		}
	}
	return "", err
}

func (p *process) serve(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	args := []string{
		"--bind", host, "--port", port, "--dir", p.dir,
		"--save", "", "--appendonly", "no", "--logfile", p.logFile(), "--databases", "1",
	}
	if p.password != "" {
		args = append(args, "--requirepass", p.password)
	}
	if p.watched != "" {
		if args, err = p.sentinel(host, port); err != nil {
			return err
		}
	}
	cmd := exec.Command(binary, append(args, p.args...)...)
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", binary, err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // the exit code of a killed process says nothing
	}()
	p.cmd, p.exited = cmd, exited

	if err := p.await(ctx, addr); err != nil {
		return errors.Join(fmt.Errorf("%s on %s: %w; its log:\n%s", binary, addr, err, p.logTail()), p.stop())
	}
	return nil
}

// sentinel makes the arguments of a server that is a Sentinel: it needs a file
// that it can write to.
func (p *process) sentinel(host, port string) ([]string, error) {
	masterHost, masterPort, err := net.SplitHostPort(p.watched)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`bind %s
port %s
dir %s
logfile %s
sentinel monitor %s %s %s 1
sentinel down-after-milliseconds %[5]s 300
sentinel failover-timeout %[5]s 5000
`, host, port, p.dir, p.logFile(), MasterName, masterHost, masterPort)
	file := filepath.Join(p.dir, "sentinel.conf")
	return []string{file, "--sentinel"}, os.WriteFile(file, []byte(text), 0o600)
}

// await returns when the process that was started, and no other one that took
// the port, answers.
func (p *process) await(ctx context.Context, addr string) error {
	client := redis.NewClient(&redis.Options{Addr: addr, Password: p.password, MaxRetries: -1, DisableIdentity: true})
	defer client.Close()
	want := []byte("process_id:" + strconv.Itoa(p.cmd.Process.Pid) + "\r\n")
	for {
		info, err := client.Info(ctx, "server").Bytes()
		if err == nil {
			if !bytes.Contains(info, want) {
				return errors.New("another process has the port")
			}
			// INFO is answered while data is loaded, PING is not.
			if err = client.Ping(ctx).Err(); err == nil {
				return nil
			}
		}
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("it did not answer in time: %w", err)
		case <-time.After(pollInterval):
		}
	}
}

func (p *process) stop() error {
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.exited
	p.cmd = nil
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return err
}

func (p *process) logFile() string { return filepath.Join(p.dir, "redis.log") }

func (p *process) logTail() []byte {
	const most = 2048
	text, err := os.ReadFile(p.logFile())
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-most):]
}

func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
