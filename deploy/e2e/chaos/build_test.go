package chaos

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"circles/deploy/internal/process"
)

// build makes the services. Arguments are the go command's, before the package.
func build(t *testing.T, flags ...string) process.Binaries {
	t.Helper()
	bin, err := process.Build(t.TempDir(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// A change is a text in a source file that is replaced before a build.
type change struct {
	file     string // from the root of the repository
	old, new string
}

// sabotage builds the services with changes that the sources do not have. Each
// has to apply to exactly one place, so that a source that has changed makes the
// test fail and not pass for nothing.
func sabotage(t *testing.T, changes ...change) process.Binaries {
	t.Helper()
	folder := t.TempDir()
	texts := make(map[string]string)
	for _, c := range changes {
		name, err := filepath.Abs(filepath.Join("../../..", c.file))
		if err != nil {
			t.Fatal(err)
		}
		if texts[name] == "" {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(source)
		}
		if n := strings.Count(texts[name], c.old); n != 1 {
			t.Fatalf("%s has %d places with\n%s\nwant exactly one; change the sabotage along with the source", c.file, n, c.old)
		}
		texts[name] = strings.Replace(texts[name], c.old, c.new, 1)
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for name, text := range texts {
		changed := filepath.Join(folder, strings.ReplaceAll(strings.Trim(name, "/"), "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[name] = changed
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return build(t, "-overlay", name)
}
