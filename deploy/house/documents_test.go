package house

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fence    = regexp.MustCompile("(?ms)^```.*?^```$")
	backtick = regexp.MustCompile("`([^`\n]+)`")
	link     = regexp.MustCompile(`\]\(([^)#\s]+)\)`)
	// pathlike is a name with a slash in it, or a file's name with an extension this repository uses.
	pathlike = regexp.MustCompile(`^[A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]*)+$|^[A-Za-z0-9_-]+\.(md|go|work|yml|yaml|conf)$|^(Makefile|Dockerfile)`)
)

// TestDocumentsNameWhatExists fails when a document names a path that is gone.
func TestDocumentsNameWhatExists(t *testing.T) {
	for _, document := range []string{"ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Error(err)
			continue
		}
		named := 0
		for _, match := range backtick.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
			name := match[1]
			if !pathlike.MatchString(name) || strings.HasPrefix(name, "/") || isImportPath(name) {
				continue
			}
			named++
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s names %s, which is not there (paths are written from the root)", document, name)
			}
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			named++
			if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", document, match[1])
			}
		}
		if named == 0 {
			t.Errorf("%s: found no path in it; does this test still read it right?", document)
		}
	}
}

// TestArchitectureNamesEveryPackage fails when a package is on no map.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages(t) {
		if !strings.Contains(string(text), "`"+p.folder+"`") && !strings.Contains(string(text), "`"+p.folder+"/`") {
			t.Errorf("ARCHITECTURE.md does not name `%s`: put it on the map", p.folder)
		}
	}
}

// isImportPath reports whether a name is a module's or package's, or a media type's, rather than a file's.
func isImportPath(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first == "circles" || path.Ext(first) != "" && strings.Contains(name, "/") && !strings.HasPrefix(first, ".")
}
