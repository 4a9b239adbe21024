package rhai

import (
	"reflect"
	"strings"
	"sync"
)

// field is a field of a struct as scripts see it.
type field struct {
	name      string
	index     []int // through embedded structs
	t         reflect.Type
	omitEmpty bool
	readOnly  bool // for properties of custom types
}

// in is the field of a struct. The embedded pointers on the way are made if make says so; otherwise the field of a nil
// one is not valid.
func (f *field) in(v reflect.Value, create bool) reflect.Value {
	for i, n := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !create {
					return reflect.Value{}
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v
}

// described remembers the fields of structs: as many as the program has struct types.
var described = sync.OnceValue(func() *sync.Map { return &sync.Map{} })

// fieldsOf lists the fields of a struct that scripts see: exported ones, and those of embedded structs as Go promotes
// them. Of fields with one name the least nested is the one; when there are several of these, the one with a tag, and
// otherwise none.
func fieldsOf(t reflect.Type) []field {
	if known, ok := described().Load(t); ok {
		return known.([]field)
	}
	type candidate struct {
		field
		tagged bool
	}
	type embedded struct {
		t     reflect.Type
		index []int
	}
	var order []string
	found := map[string][]candidate{}
	visited := map[reflect.Type]bool{}
	for level := []embedded{{t, nil}}; len(level) > 0; {
		var next []embedded
		here := map[string][]candidate{}
		var names []string
		for _, s := range level {
			if visited[s.t] {
				continue
			}
			visited[s.t] = true
			for i := range s.t.NumField() {
				f := s.t.Field(i)
				tag, tagged := f.Tag.Lookup("rhai")
				name, options, _ := strings.Cut(tag, ",")
				index := append(append([]int(nil), s.index...), i)
				if f.Anonymous && name == "" {
					inner := f.Type
					pointer := inner.Kind() == reflect.Pointer
					if pointer {
						inner = inner.Elem()
					}
					if inner.Kind() == reflect.Struct && inner != timeType && (f.IsExported() || !pointer) {
						next = append(next, embedded{inner, index})
						continue
					}
				}
				if !f.IsExported() || tag == "-" {
					continue
				}
				if name == "" {
					name, tagged = f.Name, false
				}
				c := candidate{field{name: name, index: index, t: f.Type}, tagged}
				for _, o := range strings.Split(options, ",") {
					c.omitEmpty = c.omitEmpty || o == "omitempty"
					c.readOnly = c.readOnly || o == "readonly"
				}
				if len(here[name]) == 0 {
					names = append(names, name)
				}
				here[name] = append(here[name], c)
			}
		}
		for _, name := range names {
			if _, hidden := found[name]; !hidden {
				found[name] = here[name]
				order = append(order, name)
			}
		}
		level = next
	}
	var fields []field
	for _, name := range order {
		list := found[name]
		if len(list) > 1 {
			var tagged []candidate
			for _, c := range list {
				if c.tagged {
					tagged = append(tagged, c)
				}
			}
			list = tagged
		}
		if len(list) == 1 {
			fields = append(fields, list[0].field)
		}
	}
	described().Store(t, fields)
	return fields
}
