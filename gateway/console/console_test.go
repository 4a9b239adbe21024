package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"circles/gateway/console"
)

func TestMain(m *testing.M) {
	// fasthttp keeps the Date header's text current for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

func newApp(t *testing.T) *fiber.App {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	console.Mount(app)
	return app
}

func get(t *testing.T, app *fiber.App, target string, header ...string) (*http.Response, string) {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := app.Test(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestPageIsServedWithItsPolicy(t *testing.T) {
	response, body := get(t, newApp(t), "/console/")
	if response.StatusCode != http.StatusOK || !strings.Contains(body, "<title>Circles console</title>") {
		t.Fatalf("got %s and %.80q, want the page", response.Status, body)
	}
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("got policy %q, want one that allows nothing by default and nothing unsafe", policy)
	}
	if got := response.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("got X-Content-Type-Options %q, want nosniff", got)
	}
}

func TestAddressWithoutSlashRedirects(t *testing.T) {
	response, _ := get(t, newApp(t), "/console")
	if got := response.Header.Get("Location"); response.StatusCode != http.StatusMovedPermanently || got != "/console/" {
		t.Fatalf("got %s to %q, want 301 to /console/", response.Status, got)
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	app := newApp(t)
	first, _ := get(t, app, "/console/console.css")
	again, body := get(t, app, "/console/console.css", "If-None-Match", first.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified || body != "" {
		t.Fatalf("got %s with %d bytes, want 304 with none", again.Status, len(body))
	}
}

func TestNothingElseIsServed(t *testing.T) {
	app := newApp(t)
	for _, target := range []string{"/console/none.js", "/console/../console.go", "/console/%2e%2e/console.go", "/console/vendor"} {
		if response, _ := get(t, app, target); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %s, want 404", target, response.Status)
		}
	}
}

// The content security policy would stop these in a browser only when somebody
// looks: here they stop the build.
func TestPageNeedsNoExceptionFromThePolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"an inline script":        regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]`),
		"a style element":         regexp.MustCompile(`(?i)<style`),
		"a style attribute":       regexp.MustCompile(`(?i)\sstyle\s*=\s*["']`),
		"an event attribute":      regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=\s*["']`),
		"a reference to a host":   regexp.MustCompile(`(?i)(?:src|href|url|import|from|fetch)\s*[=(]?\s*["'(]+(?:https?:)?//`),
		"markup made from a text": regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`),
	}
	for name, body := range assets(t) {
		if strings.HasPrefix(name, "vendor/") {
			continue
		}
		for what, pattern := range forbidden {
			if found := pattern.FindString(body); found != "" {
				t.Errorf("%s holds %s: %q", name, what, found)
			}
		}
	}
}

func TestEveryReferenceIsThere(t *testing.T) {
	app := newApp(t)
	reference := regexp.MustCompile(`(?:src=|href=|from )["']([^"']+)["']`)
	for name, body := range assets(t) {
		if strings.HasPrefix(name, "vendor/") {
			continue
		}
		for _, match := range reference.FindAllStringSubmatch(body, -1) {
			target := path.Join("/console", path.Dir(name), match[1])
			response, _ := get(t, app, target)
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s refers to %s: got %s", name, match[1], response.Status)
			}
			if strings.HasSuffix(target, ".js") && response.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
				t.Errorf("%s: got type %q, browsers run only JavaScript's", target, response.Header.Get("Content-Type"))
			}
		}
	}
}

// The table in the README names each vendored file's version and checksum.
func TestVendoredFilesAreUnmodified(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, body := range assets(t) {
		if !strings.HasPrefix(name, "vendor/") || !strings.HasSuffix(name, ".js") {
			continue
		}
		found++
		sum := sha256.Sum256([]byte(body))
		if !strings.Contains(string(readme), hex.EncodeToString(sum[:])) {
			t.Errorf("%s has SHA-256 %x, which README.md does not name: it was changed", name, sum)
		}
		licence := strings.TrimSuffix(name, ".js") + ".LICENSE"
		if !strings.Contains(assets(t)[licence], "MIT License") {
			t.Errorf("%s is not there, or not the licence", licence)
		}
	}
	if found == 0 {
		t.Fatal("found no vendored file, want the signing library")
	}
}

// assets are the files as they lie on the disk, by their names below assets.
func assets(t *testing.T) map[string]string {
	t.Helper()
	files := make(map[string]string)
	root := os.DirFS("assets")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		files[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
