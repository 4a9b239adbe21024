package rhai_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"circles/pkg/rhai/batch"
	"circles/pkg/rhai/internal/corpus"
)

// knownFailures lists the chunks that are not right yet, a line each: topic, chunk's name, why, apart by tabs.
const knownFailures = "known_failures.txt"

// TestConformance runs the corpus and compares each answer with the reference's. Its README describes the files.
func TestConformance(t *testing.T) {
	files, err := corpus.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	known := readKnown(t)
	runner := batch.NewRunner(10 * time.Second)
	passed, total := 0, 0
	for _, file := range files {
		t.Run(file.Topic(), func(t *testing.T) {
			right := 0
			for _, chunk := range file.Chunks {
				if chunk.Answer == nil {
					t.Errorf("%s:%d: %q has no recorded answer: record the corpus", file.Path, chunk.Line, chunk.Name)
					continue
				}
				id := file.Topic() + "\t" + chunk.Name
				given := corpus.Lines(runner.Answer(t.Context(), chunk.Ask))
				differences := corpus.Differences(chunk.Answer, given)
				_, listed := known[id]
				delete(known, id)
				switch {
				case len(differences) == 0 && listed:
					t.Errorf("%s:%d: %q passes: take it off %s", file.Path, chunk.Line, chunk.Name, knownFailures)
				case len(differences) == 0:
					right++
				case !listed:
					t.Errorf("%s:%d: %s\n%s\n%s", file.Path, chunk.Line, chunk.Name, chunk.Ask.Script,
						strings.Join(differences, "\n"))
				}
			}
			t.Logf("%s: %d of %d chunks", file.Topic(), right, len(file.Chunks))
			passed += right
			total += len(file.Chunks)
		})
	}
	for id := range known {
		t.Errorf("%s lists %q, which is in no corpus file", knownFailures, id)
	}
	t.Logf("%d of %d chunks in all", passed, total)
}

// readKnown reads the known failures: the reasons by topic and name.
func readKnown(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", knownFailures))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	known := map[string]string{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 || fields[2] == "" {
			t.Fatal(fmt.Errorf("%s:%d: got %d fields, want topic, name and reason, apart by tabs", knownFailures, n, len(fields)))
		}
		known[fields[0]+"\t"+fields[1]] = fields[2]
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return known
}
