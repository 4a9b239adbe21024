// Package house holds the tests that police the house rules over every module of the repository: how packages are
// documented, named and sized, which way imports run, and that the documents tell the truth.
//
// The go command's cache of test results does not see changes outside of this module: `make test` passes -count=1.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const root = "../.."

// pkg is one folder of Go files.
type pkg struct {
	folder     string // from the root, with slashes
	importPath string
	name       string
	files      []file
}

type file struct {
	path string // from the root
	test bool
	ast  *ast.File
}

// modules returns the folder of each module by its path, from go.work.
func modules(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{}
	for _, use := range work.Use {
		text, err := os.ReadFile(filepath.Join(root, use.Path, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		folders[modfile.ModulePath(text)] = path.Clean(use.Path)
	}
	return folders
}

// packages parses every Go file of every module.
func packages(t *testing.T) []*pkg {
	t.Helper()
	var all []*pkg
	fset := token.NewFileSet()
	for module, folder := range modules(t) {
		byFolder := map[string]*pkg{}
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if base := entry.Name(); base == "testdata" || base == "vendor" || base[0] == '_' || base[0] == '.' {
					return fs.SkipDir
				}
				return nil
			}
			if filepath.Ext(name) != ".go" {
				return nil
			}
			parsed, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			fromRoot, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			fromRoot = filepath.ToSlash(fromRoot)
			p := byFolder[path.Dir(fromRoot)]
			if p == nil {
				p = &pkg{folder: path.Dir(fromRoot)}
				p.importPath = module + strings.TrimPrefix(p.folder, folder)
				byFolder[p.folder] = p
				all = append(all, p)
			}
			if p.name == "" || !strings.HasSuffix(parsed.Name.Name, "_test") {
				p.name = parsed.Name.Name
			}
			p.files = append(p.files, file{fromRoot, strings.HasSuffix(name, "_test.go"), parsed})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.folder, b.folder) })
	return all
}

// source returns the files that are no tests, or all of them in a package that has only tests.
func (p *pkg) source() []file {
	source := slices.DeleteFunc(slices.Clone(p.files), func(f file) bool { return f.test })
	if len(source) == 0 {
		return p.files
	}
	return source
}
