package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"testing"

	gopackages "golang.org/x/tools/go/packages"
)

// TestPackageVariablesStayAsTheyAre: what a package's variable holds when the program starts is what it holds when it
// ends. Loggers, clocks and limits are fields of whoever uses them.
func TestPackageVariablesStayAsTheyAre(t *testing.T) {
	var patterns []string
	for _, folder := range modules(t) {
		patterns = append(patterns, "./"+folder+"/...")
	}
	loaded, err := gopackages.Load(&gopackages.Config{
		Mode: gopackages.NeedName | gopackages.NeedFiles | gopackages.NeedImports | gopackages.NeedTypes |
			gopackages.NeedSyntax | gopackages.NeedTypesInfo,
		Dir:     root,
		Context: t.Context(),
	}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range loaded {
		for _, problem := range p.Errors {
			t.Error(problem)
		}
		for _, f := range p.Syntax {
			for _, change := range changes(p.TypesInfo, f) {
				t.Errorf("%s: %s is a package's variable, and this changes it",
					p.Fset.Position(change.Pos()), change.Name)
			}
		}
	}
}

// changes finds the uses of package variables in f that assign to them or call a method on their address. Taking an
// address is no change: the engine tells types apart by the addresses of variables that hold nothing.
func changes(info *types.Info, f *ast.File) []*ast.Ident {
	var found []*ast.Ident
	touch := func(target ast.Expr) {
		if id := variable(info, target); id != nil {
			found = append(found, id)
		}
	}
	ast.Inspect(f, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, target := range n.Lhs {
					touch(target)
				}
			}
		case *ast.IncDecStmt:
			touch(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				touch(n.Key)
				touch(n.Value)
			}
		case *ast.SelectorExpr:
			selection := info.Selections[n]
			if selection == nil || selection.Kind() != types.MethodVal {
				return true
			}
			receiver := selection.Obj().Type().(*types.Signature).Recv().Type()
			_, wantsPointer := receiver.(*types.Pointer)
			_, hasPointer := info.TypeOf(n.X).Underlying().(*types.Pointer)
			if wantsPointer && !hasPointer {
				touch(n.X)
			}
		}
		return true
	})
	return found
}

// variable is the package variable that storing to target would change: the target itself, or what holds it.
func variable(info *types.Info, target ast.Expr) *ast.Ident {
	switch e := target.(type) {
	case *ast.Ident:
		v, ok := info.Uses[e].(*types.Var)
		if ok && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
			return e
		}
	case *ast.SelectorExpr:
		if id := variable(info, e.Sel); id != nil {
			return id // another package's
		}
		return variable(info, e.X)
	case *ast.IndexExpr:
		return variable(info, e.X)
	case *ast.ParenExpr:
		return variable(info, e.X)
	}
	return nil
}
