package rhai_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every function of the package has an example of its name, or is used in one; every method is used in one.
func TestEverythingHasAnExample(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	public := map[string]string{} // by the name that a use has
	used := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
			case strings.HasSuffix(e.Name(), "_test.go"):
				if strings.HasPrefix(f.Name.Name, "Example") {
					ast.Inspect(f.Body, func(n ast.Node) bool {
						if s, ok := n.(*ast.SelectorExpr); ok {
							used[s.Sel.Name] = true
						}
						return true
					})
				}
			case !f.Name.IsExported():
			case f.Recv == nil:
				public[f.Name.Name] = f.Name.Name
			default:
				if name := receiver(f.Recv.List[0].Type); ast.IsExported(name) {
					public[f.Name.Name] = name + "." + f.Name.Name
				}
			}
		}
	}
	if len(public) < 80 || len(used) < 80 {
		t.Fatalf("found %d functions and %d uses in examples", len(public), len(used))
	}
	for use, name := range public {
		// What fmt and WithModules call is used by being there.
		if !used[use] && name != "ConversionError.Error" && !strings.HasSuffix(name, ".Resolve") {
			t.Errorf("%s is used in no example", name)
		}
	}
}

// receiver is the name of a method's type.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// What the package comment shows is a part of the examples, line by line, but for lines that leave something out.
func TestTheGuideIsRun(t *testing.T) {
	guide, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var run strings.Builder
	for _, name := range examples {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		run.WriteString(squeezed(string(text)))
	}
	lines := 0
	for _, line := range strings.Split(string(guide), "\n") {
		code, ok := strings.CutPrefix(line, "//\t")
		code, _, _ = strings.Cut(code, " //")
		if !ok || strings.Contains(code, "…") {
			continue
		}
		if lines++; !strings.Contains(run.String(), squeezed(code)) {
			t.Errorf("no example has: %s", code)
		}
	}
	if lines < 20 {
		t.Errorf("found %d lines of code in the guide", lines)
	}
}

// squeezed is text without the width of its blanks.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") }
