package house

import (
	"bytes"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPackageComments wants one package comment a package: a second one makes the documentation a matter of file names.
func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		var in []string
		for _, f := range p.source() {
			if f.ast.Doc == nil || ast.IsGenerated(f.ast) {
				continue
			}
			in = append(in, path.Base(f.path))
			if text := f.ast.Doc.Text(); p.name != "main" && !strings.HasPrefix(text, "Package "+p.name+" ") {
				t.Errorf("%s: the package comment begins %q, want \"Package %s ...\"", f.path, firstLine(text), p.name)
			}
		}
		if len(in) != 1 {
			t.Errorf("%s: got package comments in %v, want exactly one", p.folder, in)
		}
	}
}

// TestPackageNames refuses drawers: a package is named for what it provides.
func TestPackageNames(t *testing.T) {
	for _, p := range packages(t) {
		for _, element := range strings.Split(p.importPath, "/") {
			if slices.Contains([]string{"util", "utils", "common", "misc", "helper", "helpers", "shared", "base", "tools"}, element) {
				t.Errorf("%s: %q says nothing about what is in it", p.folder, element)
			}
		}
		if base := path.Base(p.importPath); p.name != "main" && p.name != base {
			t.Errorf("%s: got package %s, want the folder's name", p.folder, p.name)
		}
	}
}

// TestFileSizes keeps files short enough to be read in one go.
func TestFileSizes(t *testing.T) {
	const limit = 800
	for _, p := range packages(t) {
		for _, f := range p.files {
			if f.test || ast.IsGenerated(f.ast) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(root, f.path))
			if err != nil {
				t.Fatal(err)
			}
			if lines := bytes.Count(text, []byte("\n")); lines >= limit {
				t.Errorf("%s: got %d lines, want fewer than %d", f.path, lines, limit)
			}
		}
	}
}

// TestMainsAreSmall: a main builds, runs and turns an error into an exit code; anything longer belongs in a package.
func TestMainsAreSmall(t *testing.T) {
	const limit = 60
	for _, main := range []string{"gateway/cmd/gateway/main.go", "worker/cmd/worker/main.go", "launcher/main.go"} {
		text, err := os.ReadFile(filepath.Join(root, main))
		if err != nil {
			t.Error(err)
			continue
		}
		if lines := bytes.Count(text, []byte("\n")); lines >= limit {
			t.Errorf("%s: got %d lines, want fewer than %d", main, lines, limit)
		}
	}
}

// TestExits: only a main may end the process.
func TestExits(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.source() {
			if p.name == "main" || f.test {
				continue
			}
			ast.Inspect(f.ast, func(node ast.Node) bool {
				selector, ok := node.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				of, ok := selector.X.(*ast.Ident)
				if ok && (of.Name == "os" && selector.Sel.Name == "Exit" || of.Name == "log" && strings.HasPrefix(selector.Sel.Name, "Fatal")) {
					t.Errorf("%s: calls %s.%s, which only a main may", f.path, of.Name, selector.Sel.Name)
				}
				return true
			})
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
