package protocol

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"circles/pkg/auth"
	"circles/pkg/circle"

	"github.com/invopop/jsonschema"
)

// openRPCVersion is the version of the OpenRPC specification that the document
// follows. Its schemas are of JSON Schema draft 7.
const openRPCVersion = "1.2.6"

// Document is an OpenRPC document.
type Document struct {
	OpenRPC string           `json:"openrpc"`
	Info    Info             `json:"info"`
	Methods []DocumentMethod `json:"methods"`
}

// Info heads an OpenRPC document.
type Info struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

// DocumentMethod is a method in an OpenRPC document.
type DocumentMethod struct {
	Name           string          `json:"name"`
	Summary        string          `json:"summary"`
	ParamStructure string          `json:"paramStructure"`
	Params         []Content       `json:"params"`
	Result         Content         `json:"result"`
	Errors         []DocumentError `json:"errors,omitempty"`
}

// Content describes a parameter or a result in an OpenRPC document.
type Content struct {
	Name     string          `json:"name"`
	Summary  string          `json:"summary,omitempty"`
	Required bool            `json:"required,omitempty"`
	Schema   json.RawMessage `json:"schema"`
}

// DocumentError is an error that a method may answer.
type DocumentError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// OpenRPC describes methods as an OpenRPC document.
func OpenRPC(info Info, specs []Spec) (Document, error) {
	document := Document{OpenRPC: openRPCVersion, Info: info, Methods: make([]DocumentMethod, len(specs))}
	for i, spec := range specs {
		params, err := describeParams(spec.Params)
		if err != nil {
			return Document{}, fmt.Errorf("describe %s: %w", spec.Name, err)
		}
		result, err := describe(spec.Result)
		if err != nil {
			return Document{}, fmt.Errorf("describe %s: %w", spec.Name, err)
		}
		method := DocumentMethod{
			Name:           spec.Name,
			Summary:        spec.Summary,
			ParamStructure: "either",
			Params:         params,
			Result:         Content{Name: resultName(spec.Result), Schema: result},
		}
		for _, code := range spec.Errors {
			method.Errors = append(method.Errors, DocumentError{code, code.Meaning()})
		}
		document.Methods[i] = method
	}
	return document, nil
}

// resultName is the type's name without the word that every result type ends in.
func resultName(result any) string {
	return strings.TrimSuffix(reflect.TypeOf(result).Name(), "Result")
}

// describeParams describes a parameter struct, a parameter a field.
func describeParams(params any) ([]Content, error) {
	raw, err := describe(params)
	if err != nil {
		return nil, err
	}
	var schema struct {
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		return nil, err
	}
	contents := []Content{}
	for _, field := range paramFields(reflect.TypeOf(params)) {
		property := schema.Properties[field.name]
		var words struct{ Description string }
		// A schema may be just "true", which has no description.
		_ = json.Unmarshal(property, &words)
		contents = append(contents, Content{
			Name:     field.name,
			Summary:  words.Description,
			Required: field.required,
			Schema:   property,
		})
	}
	return contents, nil
}

// describe makes the JSON Schema of a value's type, complete in itself.
func describe(v any) (json.RawMessage, error) {
	reflector := jsonschema.Reflector{
		Anonymous:                 true,
		DoNotReference:            true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: true, // a result may grow
		Mapper:                    describeType,
	}
	schema := reflector.Reflect(v)
	schema.Version = "" // the reflector's draft is newer; nothing here differs between them
	return marshal(schema)
}

// describeType describes the types that the reflector can't see through.
func describeType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[circle.Key]():
		return &jsonschema.Schema{Type: "string", Pattern: "^0[23][0-9a-f]{64}$"}
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{Description: "any JSON"}
	case reflect.TypeFor[Role]():
		return &jsonschema.Schema{Type: "string", Enum: []any{RoleOwner, RoleMember, RoleAnonymous}}
	case reflect.TypeFor[auth.Scheme]():
		return &jsonschema.Schema{Type: "string"}
	case reflect.TypeFor[Document]():
		return &jsonschema.Schema{Type: "object", Description: "OpenRPC document"}
	}
	return nil
}
