package rhai

import (
	"fmt"
	"iter"
	"reflect"

	"circles/pkg/rhai/value"
)

// TypeBuilder is a Go type that is given to scripts: see Type.
type TypeBuilder[T any] struct {
	r      *Registry
	custom *CustomType
	last   *Func // that was added
}

// Type gives scripts a Go type under a name, which type_of says, and methods of scripts may be for.
//
// Values of a struct type, and of whatever else Go copies, are copied by scripts as well: what is
// written to one variable is not seen in another. Functions with a *T as their first parameter, be it by Method, Set,
// SetIndex or Registry.Func, write to the very value that a script calls them on, and are refused on constants. Values of a pointer, map, channel, function
// or interface type are references: all copies lead to the same Go value, which has to bear the goroutines that use it.
//
//	point := rhai.Type[Point](r, "Point")
//	point.Method("scale", func(p *Point, by float64) { p.X *= by; p.Y *= by })
//	point.Get("length", func(p Point) float64 { return math.Hypot(p.X, p.Y) })
//	r.Func("point", func(x, y float64) Point { return Point{x, y} })
//
// A value counts with its own size as memory of a run; what it refers to does only if *T, or T where values are
// references, is a value.Holder.
//
// Its methods take Go functions as Registry.Func does, whose first parameter is T, or *T for a type that is copied; a
// context may come before it. They return the builder.
func Type[T any](r *Registry, name string) *TypeBuilder[T] {
	t := reflect.TypeFor[T]()
	c := CustomType{Name: name}
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface:
	default:
		c.Copy = func(data any) any {
			x := *data.(*T)
			return &x
		}
		c.Size = int(t.Size())
	}
	if known := r.types.known(t); known != nil {
		r.fail("type '%s': got the Go type %s, which is given as '%s' already", name, t, known.Name)
	}
	b := &TypeBuilder[T]{r: r, custom: r.values.AddType(c)}
	if r.types.known(t) == nil {
		r.types.byType[t] = b.custom
	}
	return b
}

// of is the Go value of a custom one.
func (t *TypeBuilder[T]) of(data any) T {
	if t.custom.Copy != nil {
		return *data.(*T)
	}
	return data.(T)
}

// Value makes a script value of a Go value, for variables and arguments. Engine.ValueOf and Registry.Func do it by
// themselves.
func (t *TypeBuilder[T]) Value(x T) Value {
	if t.custom.Copy != nil {
		return t.custom.New(&x)
	}
	return t.custom.New(x)
}

// Doc says what the type is, for metadata and editors.
func (t *TypeBuilder[T]) Doc(doc string) *TypeBuilder[T] {
	t.custom.Doc = Func{}.Describe(doc).Doc
	return t
}

// Describe says what the function that was added last does, and what its parameters are called, the value itself first.
func (t *TypeBuilder[T]) Describe(doc string, params ...string) *TypeBuilder[T] {
	if t.last != nil {
		*t.last = t.last.Describe(doc, params...)
	}
	return t
}

// Clone copies a value whose parts are to be copied too, as those behind pointers, slices and maps are not otherwise.
func (t *TypeBuilder[T]) Clone(f func(T) T) *TypeBuilder[T] {
	t.custom.Copy = func(data any) any {
		x := f(*data.(*T))
		return &x
	}
	if k := reflect.TypeFor[T]().Kind(); k == reflect.Pointer || k == reflect.Map || k == reflect.Interface || k == reflect.Chan || k == reflect.Func {
		t.r.fail("type '%s': got a Clone for a type of references, which are not copied", t.custom.Name)
		t.custom.Copy = nil
	}
	return t
}

// Method lets scripts call a function on values of the type. It is Registry.Func, with a look at the first parameter.
func (t *TypeBuilder[T]) Method(name string, f any) *TypeBuilder[T] { return t.add(name, f, -1) }

// Get makes a property that scripts read. A *T is for looking at: it must not be changed.
func (t *TypeBuilder[T]) Get(property string, f any) *TypeBuilder[T] {
	return t.add(value.Getter(property), f, 1)
}

// Set makes a property that scripts write: the function takes the value, and a *T or a reference to write to.
func (t *TypeBuilder[T]) Set(property string, f any) *TypeBuilder[T] {
	return t.add(value.Setter(property), f, 2)
}

// Index makes elements that scripts read, x[i], and properties that have no Get, which come as an index that is a
// string.
func (t *TypeBuilder[T]) Index(f any) *TypeBuilder[T] { return t.add(value.IndexGet, f, 2) }

// SetIndex makes elements that scripts write, x[i] = y, and properties that have no Set.
func (t *TypeBuilder[T]) SetIndex(f any) *TypeBuilder[T] { return t.add(value.IndexSet, f, 3) }

// Operator makes an operator of the language, of one or two operands: `+`, `-`, `<`, `+=` and so on. Equal and Compare
// make those that compare, for lists of values too.
func (t *TypeBuilder[T]) Operator(symbol string, f any) *TypeBuilder[T] {
	t.last = t.r.put(methodOf[T](symbol, f))
	return t
}

// Print is the text of a value, and Debug the one that debug shows, and arrays that hold it; without it that is the same.
func (t *TypeBuilder[T]) Print(f func(T) string) *TypeBuilder[T] {
	t.custom.Print = func(data any) string { return named(t.custom, "print", func() string { return f(t.of(data)) }) }
	return t
}

// Debug is the text that debug shows.
func (t *TypeBuilder[T]) Debug(f func(T) string) *TypeBuilder[T] {
	t.custom.Debug = func(data any) string { return named(t.custom, "debug", func() string { return f(t.of(data)) }) }
	return t
}

// Equal makes == and !=, also for what `in` and arrays look for.
func (t *TypeBuilder[T]) Equal(f func(a, b T) bool) *TypeBuilder[T] {
	t.custom.Equal = func(a, b any) bool { return named(t.custom, "==", func() bool { return f(t.of(a), t.of(b)) }) }
	return t
}

// Compare makes all operators that compare: f is negative, zero or positive, as cmp.Compare.
func (t *TypeBuilder[T]) Compare(f func(a, b T) int) *TypeBuilder[T] {
	t.custom.Compare = func(a, b any) int { return named(t.custom, "<=>", func() int { return f(t.of(a), t.of(b)) }) }
	return t
}

// Iter lets scripts walk over values of the type with `for`, and stops the sequence when a loop is left early.
func Iter[T, V any](t *TypeBuilder[T], f func(T) iter.Seq[V]) {
	var convert func(V) (Value, error)
	t.r.types.later = append(t.r.types.later, func() { convert = outOf[V](&ports{known: t.r.types.known}) })
	t.custom.Iterate = func(data any) (func() (Value, bool, error), func()) {
		next, stop := iter.Pull(f(t.of(data)))
		return func() (v Value, ok bool, err error) {
			x, ok := named2(t.custom, "for", next)
			if !ok {
				return Value{}, false, nil
			}
			v, err = convert(x)
			return v, true, err
		}, stop
	}
}

// Fields makes a property of each exported field of a struct, which scripts read and write. A tag `rhai:"name"` names
// it, `rhai:"-"` hides it, and `rhai:",readonly"` keeps it from being written. T must be a struct or a pointer to one.
func (t *TypeBuilder[T]) Fields() *TypeBuilder[T] {
	s := reflect.TypeFor[T]()
	if s.Kind() == reflect.Pointer {
		s = s.Elem()
	}
	if s.Kind() != reflect.Struct {
		t.r.fail("type '%s': got a %s to make properties of its fields, want a struct", t.custom.Name, s)
		return t
	}
	for _, f := range fieldsOf(s) {
		t.field(f)
	}
	return t
}

// field makes a property of a field.
func (t *TypeBuilder[T]) field(f field) {
	get := Func{Name: value.Getter(f.name), Params: []value.Type{t.custom.ID()}}
	get.Bind = func(g *Func, known func(reflect.Type) *CustomType) error {
		g.Result = resultName(f.t, known)
		g.Native = func(_ Context, args []Value) (Value, error) {
			x := f.in(reflect.ValueOf(args[0].Custom().Data).Elem(), false)
			if !x.IsValid() {
				return Value{}, nil
			}
			return (&conversion{known: known}).encode(x, 0)
		}
		return checkResult(f.t, known)
	}
	t.r.Add(get)
	if f.readOnly {
		return
	}
	set := Func{Name: value.Setter(f.name), Mutates: t.custom.Copy != nil, Result: "()"}
	set.Bind = func(g *Func, known func(reflect.Type) *CustomType) error {
		p, err := paramType(f.t, known)
		g.Params = []value.Type{t.custom.ID(), p}
		g.Native = withHome(func(c Context, args []Value) (Value, error) {
			to := f.in(reflect.ValueOf(value.OwnCustom(&args[0]).Data).Elem(), true)
			d := decoding{home: homeOf(c), run: c}
			return Value{}, d.decode(args[1], to, 0)
		})
		return err
	}
	t.r.Add(set)
}

// add registers a function on the type, with n parameters unless n is negative.
func (t *TypeBuilder[T]) add(name string, f any, n int) *TypeBuilder[T] {
	g := methodOf[T](name, f)
	g.Bind = t.checked(g.Bind, n)
	t.last = t.r.put(g)
	return t
}

// checked looks at what was bound.
func (t *TypeBuilder[T]) checked(bind func(*Func, func(reflect.Type) *CustomType) error, n int) func(*Func, func(reflect.Type) *CustomType) error {
	return func(f *Func, known func(reflect.Type) *CustomType) error {
		if err := bind(f, known); err != nil {
			return err
		}
		if len(f.Params) == 0 || f.Params[0] != t.custom.ID() {
			return fmt.Errorf("got a function on another type, want one whose first parameter is a %s", reflect.TypeFor[T]())
		}
		if n >= 0 && (len(f.Params) != n || f.Variadic) {
			return fmt.Errorf("got a function of %d parameters, want %d", len(f.Params), n)
		}
		return nil
	}
}

// named runs a function of a type that has no name to scripts; a panic of it goes on with one.
func named[R any](t *CustomType, what string, f func() R) R {
	defer rename(t, what)
	return f()
}

func named2[R any](t *CustomType, what string, f func() (R, bool)) (R, bool) {
	defer rename(t, what)
	return f()
}

func rename(t *CustomType, what string) {
	if r := recover(); r != nil {
		if _, ok := r.(*PanicError); ok {
			panic(r)
		}
		panic(&PanicError{Function: what + " of " + t.Name, Value: r})
	}
}
