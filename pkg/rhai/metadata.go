package rhai

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"circles/pkg/rhai/value"
)

// Metadata describes what scripts can use, or what a script defines. Its JSON has the names of the reference's; the
// numbers that the reference gives to functions are left out.
type Metadata struct {
	Functions []FunctionMetadata   `json:"functions,omitempty"`
	Types     []TypeMetadata       `json:"customTypes,omitempty"`
	Constants []ConstantMetadata   `json:"constants,omitempty"` // of modules
	Modules   map[string]*Metadata `json:"modules,omitempty"`   // those of the host, by path
}

// FunctionMetadata describes an overload of a function. Those of properties are called get$name and set$name, those of
// elements index$get$ and index$set$.
type FunctionMetadata struct {
	Namespace string              `json:"namespace"` // global, or internal for what needs the module's name
	Access    string              `json:"access"`    // public or private
	Name      string              `json:"name"`
	Anonymous bool                `json:"isAnonymous"`
	Kind      string              `json:"type"` // native or script
	NumParams int                 `json:"numParams"`
	Params    []ParameterMetadata `json:"params,omitempty"`
	Variadic  bool                `json:"isVariadic,omitempty"` // the last parameter stands for any number of arguments
	ThisType  string              `json:"thisType,omitempty"`
	Result    string              `json:"returnType,omitempty"` // empty if it is not known
	Signature string              `json:"signature"`
	Doc       []string            `json:"docComments,omitempty"`
}

// ParameterMetadata describes a parameter. The type `?` is any.
type ParameterMetadata struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
}

// TypeMetadata describes a type that the host gave to scripts.
type TypeMetadata struct {
	Name string   `json:"typeName"`
	Doc  []string `json:"docComments,omitempty"`
}

// ConstantMetadata describes a constant.
type ConstantMetadata struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Metadata describes what the host gave to the engine's scripts, with the standard library if asked for, and the modules
// of the host where these are Modules.
func (e *Engine) Metadata(standard bool) *Metadata {
	all := e.natives.Own()
	if standard {
		all = e.natives.All()
	}
	m := &Metadata{Functions: e.describe(all, "global")}
	for _, t := range e.natives.Types() {
		m.Types = append(m.Types, TypeMetadata{t.Name, comments(t.Doc)})
	}
	if modules, ok := e.resolver.(Modules); ok {
		for path, module := range modules {
			if made, err := module.bind(e); err == nil && module.host {
				m.module(path, e.describeModule(made))
			}
		}
	}
	return m
}

func (m *Metadata) module(name string, inner *Metadata) {
	if m.Modules == nil {
		m.Modules = map[string]*Metadata{}
	}
	m.Modules[name] = inner
}

func (e *Engine) describeModule(from *value.Module) *Metadata {
	m := &Metadata{Functions: e.describe(from.Functions(), "internal")}
	for name, v := range from.Constants() {
		m.Constants = append(m.Constants, ConstantMetadata{name, v.TypeName()})
	}
	slices.SortFunc(m.Constants, func(a, b ConstantMetadata) int { return cmp.Compare(a.Name, b.Name) })
	for name, sub := range from.Modules() {
		m.module(name, e.describeModule(sub))
	}
	return m
}

// describe describes native functions, those of one name after the other.
func (e *Engine) describe(functions func(func(*Func) bool), namespace string) []FunctionMetadata {
	var list []FunctionMetadata
	for f := range functions {
		d := FunctionMetadata{
			Namespace: namespace, Access: "public", Name: f.Name, Kind: "native", NumParams: len(f.Params),
			Variadic: f.Variadic, Result: f.Result, Doc: comments(f.Doc),
		}
		if f.Global {
			d.Namespace = "global"
		}
		for i, p := range f.Params {
			param := ParameterMetadata{Type: e.natives.TypeName(p)}
			if i < len(f.Names) {
				param.Name = f.Names[i]
			}
			d.Params = append(d.Params, param)
		}
		d.Signature = d.signature(func(t string) string { return t })
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b FunctionMetadata) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.NumParams, b.NumParams), cmp.Compare(a.Signature, b.Signature))
	})
	return list
}

// comments are lines as doc comments.
func comments(lines []string) []string {
	var list []string
	for _, line := range lines {
		list = append(list, strings.TrimRight("/// "+line, " "))
	}
	return list
}

// Metadata describes the script's own functions.
func (p *Program) Metadata() *Metadata {
	m := &Metadata{}
	for _, f := range p.Functions() {
		d := FunctionMetadata{
			Namespace: "global", Access: "public", Name: f.Name, Kind: "script", NumParams: len(f.Params),
			ThisType: f.ThisType, Doc: f.Doc,
		}
		if f.Private {
			d.Access = "private"
		}
		for _, name := range f.Params {
			d.Params = append(d.Params, ParameterMetadata{Name: name})
		}
		d.Signature = d.signature(func(t string) string { return t })
		m.Functions = append(m.Functions, d)
	}
	return m
}

// signature is the function as it is called, with the names of types as named has them.
func (d *FunctionMetadata) signature(named func(string) string) string {
	var b strings.Builder
	b.WriteString(d.Name)
	b.WriteByte('(')
	for i, p := range d.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		if d.Variadic && i == len(d.Params)-1 {
			b.WriteString("...")
		}
		b.WriteString(cmp.Or(p.Name, "_"))
		if p.Type != "" {
			b.WriteString(": " + named(p.Type))
		}
	}
	b.WriteByte(')')
	if d.Result != "" && d.Result != "()" {
		b.WriteString(" -> " + named(d.Result))
	}
	return b.String()
}

// Definitions is the metadata as a definition file, by which editors complete and check scripts: text for a file
// whose name ends in .d.rhai.
func (m *Metadata) Definitions() string {
	var b strings.Builder
	b.WriteString("module static;\n")
	m.define(&b, "")
	return b.String()
}

func (m *Metadata) define(b *strings.Builder, indent string) {
	for _, c := range m.Constants {
		fmt.Fprintf(b, "\n%sconst %s: %s;\n", indent, c.Name, editorType(c.Type))
	}
	for _, f := range m.Functions {
		if f.Access == "private" {
			continue
		}
		b.WriteByte('\n')
		for _, block := range f.Doc {
			for _, line := range strings.Split(block, "\n") {
				b.WriteString(indent + strings.TrimSpace(line) + "\n")
			}
		}
		b.WriteString(indent + f.definition() + "\n")
	}
	for _, name := range sortedKeys(m.Modules) {
		fmt.Fprintf(b, "\n%smodule %s {", indent, name)
		m.Modules[name].define(b, indent+"\t")
		b.WriteString(indent + "}\n")
	}
}

// definition is the function as definition files have it.
func (d FunctionMetadata) definition() string {
	word := "fn "
	if property, ok := strings.CutPrefix(d.Name, value.Getter("")); ok {
		d.Name = "get " + property
	} else if property, ok := strings.CutPrefix(d.Name, value.Setter("")); ok {
		d.Name = "set " + property
	}
	text := d.signature(editorType)
	if !isWord(d.Name) {
		// Operators have no names for their operands.
		word = "op "
		var types []string
		for _, p := range d.Params {
			types = append(types, editorType(p.Type))
		}
		text = d.Name + "(" + strings.Join(types, ", ") + ")"
		if d.Result != "" && d.Result != "()" {
			text += " -> " + editorType(d.Result)
		}
	} else if d.ThisType != "" {
		text = d.ThisType + "." + text
	}
	if d.Result == "" {
		text += " -> ?"
	} else if d.Result == "()" {
		text += " -> ()"
	}
	return word + text + ";"
}

// isWord tells names from operators.
func isWord(name string) bool {
	for i, r := range name {
		if i == 0 {
			return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		}
	}
	return false
}

// editorType is a type as definition files name it.
func editorType(t string) string {
	switch t {
	case "i64":
		return "int"
	case "f64":
		return "float"
	case "range":
		return "Range<int>"
	case "range=":
		return "RangeInclusive<int>"
	case "string", "array", "map", "blob":
		return strings.ToUpper(t[:1]) + t[1:]
	case "Fn":
		return "FnPtr"
	case "timestamp":
		return "Instant"
	}
	return t
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
