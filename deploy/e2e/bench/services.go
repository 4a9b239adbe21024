package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"circles/deploy/e2e/bench/rival"
	"circles/deploy/internal/compose"
	"circles/deploy/internal/process"
)

// patience bounds the start and the end of a process.
const patience = 30 * time.Second

// A service is a running process that logs in JSON where it can be reached.
type service struct {
	*process.Process
	name  string
	log   string            // file
	where map[string]string // what was logged when it could be reached, and when its profiles could
}

// A host starts processes and ends what it has started.
type host struct {
	folder  string // of logs and data
	self    string // this program
	bin     process.Binaries
	running []*service
}

func newHost() (*host, error) {
	folder, err := os.MkdirTemp("", "circles-bench-")
	if err != nil {
		return nil, err
	}
	h := &host{folder: folder}
	if h.self, err = os.Executable(); err == nil {
		h.bin, err = process.Build(folder)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return h, nil
}

// close ends everything, the last started first.
func (h *host) close() error {
	var errs []error
	for i := len(h.running) - 1; i >= 0; i-- {
		errs = append(errs, h.running[i].end())
	}
	return errors.Join(append(errs, os.RemoveAll(h.folder))...)
}

// start starts a program and returns when it has logged each of messages.
func (h *host) start(ctx context.Context, name, binary string, env []string, args []string, messages ...string) (*service, error) {
	s := &service{name: name, log: filepath.Join(h.folder, fmt.Sprintf("%d-%s.log", len(h.running), name)), where: map[string]string{}}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has a descriptor of its own
	env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+h.folder)
	if s.Process, err = process.Start(binary, env, log, args...); err != nil {
		return nil, err
	}
	h.running = append(h.running, s)
	return s, s.await(ctx, messages)
}

func (s *service) await(ctx context.Context, messages []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for len(messages) > 0 {
		text, err := os.ReadFile(s.log)
		if err != nil {
			return err
		}
		for scanner := bufio.NewScanner(bytes.NewReader(text)); scanner.Scan(); {
			var line map[string]any
			if json.Unmarshal(scanner.Bytes(), &line) == nil && line["msg"] == messages[0] {
				for key, value := range line {
					s.where[messages[0]+" "+key] = fmt.Sprint(value)
				}
				messages = messages[1:]
				break
			}
		}
		select {
		case <-s.Exited():
			return fmt.Errorf("the %s ended at once:\n%s", s.name, text)
		case <-ctx.Done():
			return fmt.Errorf("the %s did not start in time:\n%s", s.name, text)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// end asks the process to end, and makes it.
func (s *service) end() error {
	if err := errors.Join(s.Signal(syscall.SIGCONT), s.Signal(syscall.SIGTERM)); err != nil {
		return err
	}
	select {
	case <-s.Exited():
		return nil
	case <-time.After(patience):
		return s.Kill()
	}
}

// What the services log when they can be reached.
const (
	gatewayListens = "the gateway listens"
	workerRuns     = "the worker runs"
	profilesShown  = "profiles are shown"
)

func (s *service) addr(message string) string { return s.where[message+" addr"] }

// redis starts a Redis that is configured as docker-compose.yml has it, and returns its address.
func (h *host) redis(ctx context.Context) (*service, string, error) {
	file, err := compose.Read("docker-compose.yml")
	if err != nil {
		return nil, "", fmt.Errorf("run it from the root of the repository: %w", err)
	}
	data, err := os.MkdirTemp(h.folder, "redis-")
	if err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	addr := listener.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	if err := listener.Close(); err != nil {
		return nil, "", err
	}
	args := append(file.Services["redis"].Command[1:], "--bind", "127.0.0.1", "--port", port, "--dir", data)
	s, err := h.start(ctx, "redis", "redis-server", nil, args)
	if err != nil {
		return nil, "", err
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	for end := time.Now().Add(patience); rdb.Ping(ctx).Err() != nil; time.Sleep(5 * time.Millisecond) {
		if !s.Running() || time.Now().After(end) {
			return nil, "", errors.New("redis did not start")
		}
	}
	return s, addr, nil
}

// part starts a part of a rival.
func (h *host) part(ctx context.Context, role string, env ...string) (*service, error) {
	return h.start(ctx, role, h.self, append(env, rival.EnvRole+"="+role), nil, rival.Listens)
}

// freeze stops processes where they are until thaw: what is not measured is to use nothing.
func freeze(services ...*service) error { return signalAll(syscall.SIGSTOP, services) }
func thaw(services ...*service) error   { return signalAll(syscall.SIGCONT, services) }

func signalAll(s syscall.Signal, services []*service) error {
	var errs []error
	for _, each := range services {
		errs = append(errs, each.Signal(s))
	}
	return errors.Join(errs...)
}
