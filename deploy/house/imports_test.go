package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const engine = "circles/pkg/rhai"

// within reports whether a package is the one at prefix or below it.
func within(importPath, prefix string) bool {
	return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
}

// TestModulesImportOneWay: services share pkg and know nothing of each other; the launcher and the tests of the whole
// stand above them.
func TestModulesImportOneWay(t *testing.T) {
	mayImport := map[string][]string{
		"circles/pkg":      {},
		"circles/gateway":  {"circles/pkg"},
		"circles/worker":   {"circles/pkg"},
		"circles/launcher": {"circles/pkg", "circles/gateway", "circles/worker"},
		"circles/deploy":   {"circles/pkg", "circles/gateway", "circles/worker", "circles/launcher"},
	}
	module := func(importPath string) string {
		for candidate := range mayImport {
			if within(importPath, candidate) {
				return candidate
			}
		}
		return ""
	}
	for found := range modules(t) {
		if _, ok := mayImport[found]; !ok {
			t.Errorf("module %s has no rule here: say what it may import", found)
		}
	}
	eachImport(t, func(p *pkg, f file, imported string) {
		from, to := module(p.importPath), module(imported)
		if to == "" || from == to {
			return
		}
		for _, allowed := range mayImport[from] {
			if allowed == to {
				return
			}
		}
		t.Errorf("%s: imports %s, which %s may not", f.path, imported, from)
	})
}

// TestOnlyTheWorkerKnowsTheEngine: the gateway and the client carry scripts, they never look into one. What the worker is
// measured against does the same work with the same engine. The engine's own benchmark is not in the engine because what
// it compares with must not be a dependency of those who embed it.
func TestOnlyTheWorkerKnowsTheEngine(t *testing.T) {
	eachImport(t, func(p *pkg, f file, imported string) {
		if !within(imported, engine) || within(p.importPath, engine) {
			return
		}
		allowed := []string{"circles/pkg/cmd/rhai", "circles/deploy/e2e/bench/rival", "circles/deploy/bench/engine"}
		if !within(p.importPath, "circles/worker") && !slices.Contains(allowed, p.importPath) {
			t.Errorf("%s: imports %s: only the worker, cmd/rhai and the benchmarks use the engine", f.path, imported)
		}
	})
}

// TestEngineImportsOneWay: syntax <- value <- compile, lib <- vm <- rhai.
func TestEngineImportsOneWay(t *testing.T) {
	stages := []struct {
		importPath string
		rank       int
	}{
		{engine + "/internal/float", -1},
		{engine + "/syntax", 0},
		{engine + "/value", 1},
		{engine + "/internal/compile", 2},
		{engine + "/internal/lib", 2},
		{engine + "/internal/vm", 3},
	}
	stage := func(importPath string) (string, int) {
		if importPath == engine {
			return engine, 4
		}
		for _, s := range stages {
			if within(importPath, s.importPath) {
				return s.importPath, s.rank
			}
		}
		return "", 0
	}
	eachImport(t, func(p *pkg, f file, imported string) {
		from, rank := stage(p.importPath)
		to, below := stage(imported)
		if from == "" || to == "" || from == to || f.test {
			return
		}
		if below >= rank {
			t.Errorf("%s: imports %s against the grain: syntax <- value <- compile, lib <- vm <- rhai", f.path, imported)
		}
	})
}

// TestEngineStandsAlone: whoever embeds the language gets none of the rest with it.
func TestEngineStandsAlone(t *testing.T) {
	eachImport(t, func(p *pkg, f file, imported string) {
		if within(p.importPath, engine) && within(imported, "circles") && !within(imported, engine) {
			t.Errorf("%s: imports %s: the engine stands alone", f.path, imported)
		}
	})
}

// TestOnlyTheQueueSpellsRedisKeys: a key that two packages spell is a key that they will spell differently.
func TestOnlyTheQueueSpellsRedisKeys(t *testing.T) {
	for _, p := range packages(t) {
		if within(p.importPath, "circles/pkg/queue") {
			continue
		}
		for _, f := range p.files {
			if f.test {
				continue
			}
			ast.Inspect(f.ast, func(node ast.Node) bool {
				literal, ok := node.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				for _, key := range []string{"rhai_tasks", "circles:replies", "circles:workers"} {
					if strings.Contains(literal.Value, key) {
						t.Errorf("%s: spells the Redis key %s; pkg/queue owns the keys", f.path, literal.Value)
					}
				}
				return true
			})
		}
	}
}

func eachImport(t *testing.T, visit func(p *pkg, f file, imported string)) {
	t.Helper()
	for _, p := range packages(t) {
		for _, f := range p.files {
			for _, spec := range f.ast.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				visit(p, f, imported)
			}
		}
	}
}
