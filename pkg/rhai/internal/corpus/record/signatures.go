package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// scriptTypes are the reference's types that scripts can make values of, as signatures of the corpus name them.
var scriptTypes = map[string]string{
	"()": "()", "bool": "bool", "i64": "i64", "f64": "f64", "char": "char", "&str": "string", "ImmutableString": "string",
	"Array": "array", "Blob": "blob", "Map": "map", "Range<i64>": "range", "std::ops::Range<i64>": "range",
	"RangeInclusive<i64>": "range=", "std::ops::RangeInclusive<i64>": "range=", "Instant": "timestamp", "FnPtr": "Fn",
	"Dynamic": "?",
}

// writeSignatures writes the functions of the reference's standard packages, those alone that scripts can call with
// values of their own: a sorted line each, name and types of parameters (`?` any, `_` not told).
func writeSignatures(path string, metadata []byte) error {
	var dump struct {
		Functions []struct {
			Name      string
			NumParams int
			Params    []struct{ Type string }
		}
	}
	if err := json.Unmarshal(metadata, &dump); err != nil {
		return fmt.Errorf("read the metadata: %w", err)
	}
	var lines []string
next:
	for _, f := range dump.Functions {
		types := make([]string, f.NumParams)
		for i := range types {
			types[i] = "_" // not told
		}
		for i, p := range f.Params {
			name, ok := scriptTypes[strings.TrimPrefix(p.Type, "&mut ")]
			if !ok {
				continue next
			}
			types[i] = name
		}
		lines = append(lines, f.Name+"("+strings.Join(types, ", ")+")\n")
	}
	slices.Sort(lines)
	return os.WriteFile(path, []byte(strings.Join(slices.Compact(lines), "")), 0o644)
}
