package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"circles/deploy/internal/compose"
	"circles/pkg/circle"
	"circles/pkg/client"
)

// TestCompose brings docker-compose.yml up under a project name and a port of its own, plays through it as README says,
// and takes it down, volumes included.
func TestCompose(t *testing.T) {
	c := newComposition(t)
	c.run("up", "--build", "--detach")
	c.awaitHealthy("redis", "gateway", "worker", "worker")

	t.Run("plays in the default circles", func(t *testing.T) {
		for _, number := range []string{"1", "2"} {
			secret := demoSecret(t, number)
			player := c.dial(t, secret.Public())
			if _, err := player.Authenticate(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			result, err := player.Play(t.Context(),
				`fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } #{circle: CIRCLE_PUBLIC_KEY, fib: fib(args.n)}`,
				client.Args(map[string]int{"n": 15}))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Circle string `json:"circle"`
				Fib    int    `json:"fib"`
			}
			if err := json.Unmarshal(result.Value, &got); err != nil {
				t.Fatalf("%s: %v", result.Value, err)
			}
			if got.Circle != secret.Public().String() || got.Fib != 610 {
				t.Errorf("got %s, want fib 610 of circle %s", result.Value, secret.Public())
			}
		}
	})

	t.Run("nobody plays without a key", func(t *testing.T) {
		player := c.dial(t, demoSecret(t, "1").Public())
		if result, err := player.Play(t.Context(), "1"); err == nil {
			t.Errorf("got the value %s without authentication, want an error", result.Value)
		}
	})

	t.Run("answers what is no circle", func(t *testing.T) {
		stranger, err := circle.GenerateSecret()
		if err != nil {
			t.Fatal(err)
		}
		if status, body := c.get(t, "/"+stranger.Public().String()); status != http.StatusNotFound || !strings.Contains(body, "Circle not found") {
			t.Errorf("got %d %s, want 404 and why", status, body)
		}
		if status, _ := c.get(t, "/"+demoSecret(t, "1").Public().String()); status != http.StatusUpgradeRequired {
			t.Errorf("got %d for a plain request, want %d", status, http.StatusUpgradeRequired)
		}
	})

	t.Run("runs without privileges", func(t *testing.T) {
		for _, service := range []string{"gateway", "worker"} {
			for _, id := range c.containers(service) {
				got := strings.TrimSpace(c.docker("inspect", "--format",
					"{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}", id))
				if want := "65532:65532 true [ALL]"; got != want {
					t.Errorf("%s: got %s, want %s", service, got, want)
				}
			}
		}
	})

	t.Run("stops in time", func(t *testing.T) {
		c.run("stop", "gateway", "worker")
		for _, id := range slices.Concat(c.containers("gateway"), c.containers("worker")) {
			got := strings.TrimSpace(c.docker("inspect", "--format", "{{.Name}} {{.State.ExitCode}}", id))
			if !strings.HasSuffix(got, " 0") {
				t.Errorf("got exit code %s, want 0 after SIGTERM", got)
			}
		}
	})
}

// composition is one run of the compose file.
type composition struct {
	t       *testing.T
	command []string // docker compose, or docker-compose
	port    int
	env     []string
}

// newComposition skips the test unless it was asked for and a Docker engine answers.
func newComposition(t *testing.T) *composition {
	t.Helper()
	if os.Getenv("CIRCLES_E2E") == "" {
		t.Skip("not asked for: `make e2e` builds the images and brings docker-compose.yml up")
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		t.Skipf("no Docker engine answers `docker info` (%v): docker-compose.yml was not tried", err)
	}
	c := &composition{t: t, port: freePort(t)}
	switch {
	case exec.Command("docker", "compose", "version").Run() == nil:
		c.command = []string{"docker", "compose"}
	case exec.Command("docker-compose", "version").Run() == nil:
		c.command = []string{"docker-compose"}
	default:
		t.Skip("found neither `docker compose` nor `docker-compose`: docker-compose.yml was not tried")
	}
	// The defaults are what is tried: an empty .env file, and nothing from this environment but where modules come from.
	empty := filepath.Join(t.TempDir(), "empty.env")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.command = append(c.command, "--env-file", empty)
	names, err := compose.Variables("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains(names, name) || name == "GOPROXY" || name == "GOSUMDB" {
			c.env = append(c.env, variable)
		}
	}
	c.env = append(c.env,
		"COMPOSE_PROJECT_NAME=circles-e2e-"+suffix(t),
		"CIRCLES_VERSION=e2e",
		"GATEWAY_PORT="+strconv.Itoa(c.port),
		fmt.Sprintf("AUTH_AUDIENCES=localhost:%d", c.port),
	)
	t.Cleanup(func() {
		defer c.run("down", "--volumes", "--remove-orphans")
		if t.Failed() {
			t.Log(c.output(5*time.Minute, "logs", "--no-color", "--tail", "100"))
		}
	})
	return c
}

// run calls compose and fails the test when it fails.
func (c *composition) run(args ...string) {
	c.t.Helper()
	c.output(10*time.Minute, args...)
}

func (c *composition) output(limit time.Duration, args ...string) string {
	c.t.Helper()
	return c.execute(limit, append(slices.Clone(c.command), args...))
}

func (c *composition) docker(args ...string) string {
	c.t.Helper()
	return c.execute(time.Minute, append([]string{"docker"}, args...))
}

func (c *composition) execute(limit time.Duration, command []string) string {
	c.t.Helper()
	// Not the test's own context: that is over when the clean-up runs.
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env = "../..", c.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// containers returns the ids of a service's containers.
func (c *composition) containers(service string) []string {
	c.t.Helper()
	return strings.Fields(c.docker("ps", "--all", "--quiet",
		"--filter", "label=com.docker.compose.service="+service,
		"--filter", "label=com.docker.compose.project="+c.project()))
}

func (c *composition) project() string {
	for _, variable := range c.env {
		if name, value, _ := strings.Cut(variable, "="); name == "COMPOSE_PROJECT_NAME" {
			return value
		}
	}
	return ""
}

// awaitHealthy waits until each of the named services' containers reports itself healthy: a name for each container.
func (c *composition) awaitHealthy(services ...string) {
	c.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		var healthy []string
		for _, service := range slices.Compact(slices.Clone(services)) {
			for _, id := range c.containers(service) {
				if strings.TrimSpace(c.docker("inspect", "--format", "{{.State.Health.Status}}", id)) == "healthy" {
					healthy = append(healthy, service)
				}
			}
		}
		if slices.Equal(healthy, services) {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("got %v healthy after two minutes, want %v", healthy, services)
		}
		time.Sleep(time.Second)
	}
}

func (c *composition) dial(t *testing.T, key circle.Key) *client.Client {
	t.Helper()
	player, err := client.Dial(t.Context(), fmt.Sprintf("ws://localhost:%d/%s", c.port, key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = player.Close() })
	return player
}

func (c *composition) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://localhost:%d%s", c.port, path), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// demoSecret is the secret key of one of the default circles: the number itself.
func demoSecret(t *testing.T, number string) circle.Secret {
	t.Helper()
	secret, err := circle.ParseSecret(strings.Repeat("0", 64-len(number)) + number)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func suffix(t *testing.T) string {
	t.Helper()
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(random[:])
}
