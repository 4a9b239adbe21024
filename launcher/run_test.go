package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"circles/pkg/circle"
	"circles/pkg/client"
	"circles/pkg/redistest"
)

func TestMain(m *testing.M) {
	// fasthttp keeps the Date header's text current for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// patience ends a test that hangs; no test waits for it.
const patience = 2 * time.Minute

// execute runs a command line that ends by itself.
func execute(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	code = Run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func newKey(t *testing.T) string {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return secret.Public().String()
}

func TestEveryProblemOfTheFlagsIsReported(t *testing.T) {
	key := newKey(t)
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"unknown flags and bad values", []string{"--prot", "80", "-x", "--port", "http", "--debug=maybe", "-k", key},
			[]string{"--prot", "'x'", `"http"`, "maybe"}},
		{"no circle", nil, []string{"no circle to serve"}},
		{"a flag without its value", []string{"-k", key, "--host"}, []string{"--host"}},
		{"TLS without files", []string{"-k", key, "--enable-tls"}, []string{"needs --cert", "needs --key"}},
		{"files without TLS", []string{"-k", key, "--cert", "c.pem"}, []string{"--cert is for --enable-tls"}},
		{"a TLS key without TLS", []string{"-k", key, "--key", "k.pem"}, []string{"--key is for --enable-tls"}},
		{"arguments", []string{"-k", key, "extra"}, []string{`"extra"`}},
		{"two ways to Redis", []string{"--dev", "--redis-url", "redis://127.0.0.1"}, []string{"leave out --redis-url"}},
		{"a port out of range", []string{"--dev", "-p", "65536"}, []string{`"65536"`}},
		{"bad keys", []string{"--dev", "-k", "12", "--public-keys", key + ",zz," + key}, []string{`"12"`, `"zz"`, "the same key as key 2"}},
		{"all at once", []string{"--bogus", "-p", "http", "-k", "12", "--enable-tls", "--cert", "none.pem", "--key", "none.key", "extra"},
			[]string{"--bogus", `"http"`, `"12"`, "none.pem", `"extra"`}},
		{"certificates that are not there", []string{"--dev", "--enable-tls", "--cert", "none.pem", "--key", "none.key"}, []string{"none.pem"}},
		{"beyond this machine", []string{"--dev", "--host", "0.0.0.0", "--enable-auth"}, []string{"AUTH_AUDIENCES"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, test.args...)
			if code != exitUsage || stdout != "" {
				t.Errorf("got %d and %q, want %d", code, stdout, exitUsage)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("got %q, want %q in it", stderr, want)
				}
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	code, stdout, _ := execute(t, "--help")
	if code != exitDone {
		t.Errorf("got %d, want %d", code, exitDone)
	}
	for _, flag := range []string{
		"-p, --port", "--host", "-k, --public-key", "--public-keys", "--redis-url", "--enable-auth", "--enable-tls",
		"--cert", "--key", "-d, --debug", "-v, --verbose", "-h, --help", "--version", "--dev",
	} {
		if !strings.Contains(stdout, flag) {
			t.Errorf("help does not show %s", flag)
		}
	}
	if code, stdout, _ := execute(t, "--version"); code != exitDone || strings.TrimSpace(stdout) != version {
		t.Errorf("got %d and %q, want %s", code, stdout, version)
	}
}

func TestWithoutRedisBothWaysOutAreNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	code, _, stderr := execute(t, "-p", "0", "-k", newKey(t), "--redis-url", "redis://:hunter2@"+addr)
	if code != exitFailed || !strings.Contains(stderr, addr) || !strings.Contains(stderr, "start Redis") || !strings.Contains(stderr, "--dev") {
		t.Errorf("got %d and %q, want the address, to start Redis, and --dev", code, stderr)
	}
	if strings.Contains(stderr, "hunter2") {
		t.Errorf("the password is shown: %q", stderr)
	}
}

func TestABusyPortIsSaidSo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := execute(t, "--dev", "-p", port)
	if code != exitFailed || !strings.Contains(stderr, "another program listens on") || !strings.Contains(stderr, "--port 0") {
		t.Errorf("got %d and %q, want that the port is taken and the way out", code, stderr)
	}
}

// running is a launcher that runs until stop.
type running struct {
	greeting string
	stop     func() int
}

// begin starts a command line and reads what it greets with.
func begin(t *testing.T, args ...string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		code := Run(ctx, args, writer, &errs)
		_ = writer.Close()
		ended <- code
	}()
	var greeting strings.Builder
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		greeting.WriteString(lines.Text() + "\n")
		if lines.Text() == "Ctrl-C ends it." {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	stopped := false
	stop := func() int {
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			stop()
		}
		if t.Failed() {
			t.Logf("stderr: %s", errs.String())
		}
	})
	return running{greeting.String(), stop}
}

// TestTheLineToTryWorks runs the printed line as a reader would: by a shell, from
// the root of the repository.
func TestTheLineToTryWorks(t *testing.T) {
	for name, args := range map[string][]string{
		"everyone may play": {"--dev", "-p", "0"},
		"with a key":        {"--dev", "-p", "0", "--enable-auth"},
	} {
		t.Run(name, func(t *testing.T) {
			started := begin(t, args...)
			if !strings.Contains(started.greeting, "in memory") {
				t.Errorf("got %q, want that Redis is in memory", started.greeting)
			}
			line := regexp.MustCompile(`(?m)^  (.*go run .*)$`).FindStringSubmatch(started.greeting)
			if line == nil {
				t.Fatalf("got %q, want a line to try", started.greeting)
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			shell := exec.CommandContext(ctx, "sh", "-c", line[1])
			shell.Dir = ".."
			out, err := shell.CombinedOutput()
			if err != nil || string(out) != "6765\n" {
				t.Errorf("%s: got %q and error %v, want 6765", line[1], out, err)
			}
			if code := started.stop(); code != exitDone {
				t.Errorf("got %d, want %d", code, exitDone)
			}
		})
	}
}

func TestBothFormsOfKeysAreServed(t *testing.T) {
	server := redistest.Start(t)
	first, second, third := newKey(t), newKey(t), newKey(t)
	started := begin(t, "-p", "0", "-k", first, "-k", strings.ToUpper(second), "--public-keys", third, "--redis-url", server.URL)
	sockets := regexp.MustCompile(`socket +(\S+)`).FindAllStringSubmatch(started.greeting, -1)
	if len(sockets) != 3 {
		t.Fatalf("got %q, want three sockets", started.greeting)
	}
	for i, want := range []string{first, second, third} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err := client.Dial(ctx, sockets[i][1])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if got, err := c.Play(ctx, "CIRCLE_PUBLIC_KEY"); err != nil || got.Output != want {
			t.Errorf("got %+v and error %v, want %s", got, err, want)
		}
	}
}

// TestSecondInterruptEndsAtOnce needs a process of its own: it is about signals.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "launcher")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	process := exec.CommandContext(ctx, binary, "--dev", "-p", "0")
	process.Env = append(os.Environ(), "SCRIPT_MAX_OPERATIONS=0") // the script is to run as long as its time lasts
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	await := func(text string) string {
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return lines.Text()
			}
		}
		t.Fatalf("got the end of the output, want %q", text)
		return ""
	}
	url := strings.Fields(await("socket"))[1]
	await("Ctrl-C ends it")
	c, err := client.Dial(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	played := make(chan error, 1)
	go func() {
		_, err := c.Play(ctx, "loop {}", client.Timeout(time.Minute))
		played <- err
	}()
	if _, err := c.Whoami(ctx); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"ending", ""} {
		if err := process.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if wanted != "" {
			await(wanted)
		}
	}
	_ = process.Wait()
	status, ok := process.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("got %s, want an end by the second interrupt", process.ProcessState)
	}
	if err := <-played; err == nil {
		t.Error("got a result of a play that never ends")
	}
}
