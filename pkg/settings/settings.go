// Package settings reads a program's settings from the environment into a flat
// struct, reports everything that is wrong with them at once, and prints the
// table that --help shows. Command is the command line of such a program.
//
// A field is a setting when it has an `envconfig` tag, its name:
//
//	type Config struct {
//		settings.Common
//		PlayTimeout time.Duration `envconfig:"PLAY_TIMEOUT" default:"10s" min:"1ms" desc:"time a play gets"`
//	}
//
// `default` is the text that counts when the variable isn't set, `required`
// demands that it is, `min` and `max` bound a number or a duration, `desc` is
// the table's last column. Embedded structs are part of the struct.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// maxEchoed bounds how much of a bad value an error repeats, in bytes.
const maxEchoed = 100

// unsetPrefix begins the names of variables that nobody sets: what is read from
// them are the defaults.
const unsetPrefix = "CIRCLES_NEVER_SET"

// Error says what is wrong with one setting.
type Error struct{ Name, Reason string }

func (e *Error) Error() string { return e.Name + ": " + e.Reason }

// Setting describes one setting.
type Setting struct {
	Name        string
	Type        string // in words: "duration", "comma-separated list", …
	Default     string // empty when there is none
	Required    bool
	Description string
}

// Load fills cfg, a pointer to a struct, from the environment. A variable that
// is set to nothing counts as not set, unless its setting is a text or a list,
// which may be empty. The error joins one *Error for each bad setting; a bad
// setting is left at its default, so that the caller can go on and look for
// contradictions among the others.
func Load(cfg any) error {
	var errs []error
	for _, f := range fields(reflect.ValueOf(cfg)) {
		value, set := os.LookupEnv(f.name)
		if set && value == "" && !f.mayBeEmpty() {
			set = false
		}
		if f.required() && value == "" {
			errs = append(errs, &Error{f.name, "is not set; " + f.tag("desc")})
			continue
		}
		if !set {
			if err := f.setDefault(); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		if err := f.process("", f.tag("envconfig")); err != nil {
			errs = append(errs, &Error{f.name, fmt.Sprintf("got %q, want %s", shorten(value), f.want())})
			if err := f.setDefault(); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Defaults fills cfg, a pointer to a struct, with the defaults, whatever the
// environment says. An error means that a tag is wrong.
func Defaults(cfg any) error {
	var errs []error
	for _, f := range fields(reflect.ValueOf(cfg)) {
		if err := f.setDefault(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// CheckBounds holds the fields of cfg against their `min` and `max` tags. The
// error joins one *Error for each that is out of bounds.
func CheckBounds(cfg any) error {
	var errs []error
	for _, f := range fields(reflect.ValueOf(cfg)) {
		if err := f.checkBounds(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Describe lists the settings of cfg, a struct or a pointer to one, in the order
// of its fields.
func Describe(cfg any) []Setting {
	var all []Setting
	for _, f := range fields(reflect.ValueOf(cfg)) {
		all = append(all, Setting{
			Name:        f.name,
			Type:        f.typeName(),
			Default:     f.tag("default"),
			Required:    f.required(),
			Description: f.tag("desc"),
		})
	}
	return all
}

// Usage prints the table of cfg's settings: name, type, default, description.
func Usage(w io.Writer, cfg any) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tTYPE\tDEFAULT\tDESCRIPTION")
	for _, s := range Describe(cfg) {
		byDefault := cmp.Or(s.Default, "-")
		if s.Required {
			byDefault = "(required)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.Name, s.Type, byDefault, s.Description)
	}
	return table.Flush()
}

// field is one setting's place in a struct.
type field struct {
	name  string
	value reflect.Value
	meta  reflect.StructField
}

// fields lists the settings of a struct, those of embedded structs in place.
func fields(v reflect.Value) []field {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	var all []field
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			all = append(all, fields(v.Field(i))...)
			continue
		}
		if name := sf.Tag.Get("envconfig"); name != "" {
			all = append(all, field{name: name, value: v.Field(i), meta: sf})
		}
	}
	return all
}

func (f field) tag(name string) string { return f.meta.Tag.Get(name) }
func (f field) required() bool         { return f.tag("required") == "true" }

func (f field) mayBeEmpty() bool {
	return f.value.Kind() == reflect.String || f.value.Kind() == reflect.Slice
}

// process has envconfig read the one field, by way of a struct that has no
// other: of a whole struct it would report the first problem only.
func (f field) process(prefix, name string) error {
	tag := reflect.StructTag(fmt.Sprintf("default:%q", f.tag("default")))
	if name != "" {
		tag += reflect.StructTag(fmt.Sprintf(" envconfig:%q", name))
	}
	one := reflect.New(reflect.StructOf([]reflect.StructField{{Name: f.meta.Name, Type: f.meta.Type, Tag: tag}}))
	if err := envconfig.Process(prefix, one.Interface()); err != nil {
		return err
	}
	f.value.Set(one.Elem().Field(0))
	return nil
}

func (f field) setDefault() error {
	if err := f.process(unsetPrefix, ""); err != nil {
		return &Error{f.name, fmt.Sprintf("the default %q is bad: %v", f.tag("default"), err)}
	}
	return nil
}

func (f field) checkBounds() error {
	if !f.value.CanInt() {
		return nil
	}
	for _, bound := range []struct {
		tag, words string
		broken     func(limit int64) bool
	}{
		{"min", "at least", func(limit int64) bool { return f.value.Int() < limit }},
		{"max", "at most", func(limit int64) bool { return f.value.Int() > limit }},
	} {
		text := f.tag(bound.tag)
		if text == "" {
			continue
		}
		limit, err := f.parseBound(text)
		if err != nil {
			return &Error{f.name, fmt.Sprintf("the %s tag is bad: %v", bound.tag, err)}
		}
		if bound.broken(limit) {
			return &Error{f.name, fmt.Sprintf("got %v, want %s %s", f.value.Interface(), bound.words, text)}
		}
	}
	return nil
}

func (f field) parseBound(text string) (int64, error) {
	if f.value.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		return int64(d), err
	}
	return strconv.ParseInt(text, 0, 64)
}

func (f field) typeName() string {
	if name := f.tag("type"); name != "" {
		return name
	}
	switch {
	case f.value.Type() == reflect.TypeFor[time.Duration]():
		return "duration"
	case f.value.CanInt(), f.value.CanUint():
		return "integer"
	case f.value.CanFloat():
		return "number"
	case f.value.Kind() == reflect.Bool:
		return "true or false"
	case f.value.Kind() == reflect.Slice:
		return "comma-separated list"
	}
	return "text"
}

// want is what a value of the field has to be, in the words of an error.
func (f field) want() string {
	switch name := f.typeName(); name {
	case "duration":
		return "a duration such as " + cmp.Or(f.tag("default"), "10s")
	case "integer":
		return "an integer"
	case "number", "comma-separated list":
		return "a " + name
	default:
		return name
	}
}

func shorten(value string) string {
	if len(value) <= maxEchoed {
		return value
	}
	return value[:maxEchoed] + "…"
}
