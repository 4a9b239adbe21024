// Package value is the data of scripts: values, what operators do with them, how they print, how they become JSON and
// back, the errors of scripts, and the contract between the machine and the Go functions that scripts call.
//
// # Values
//
// A [Value] is 16 bytes: a pointer word that is the type's tag for scalars (unit, bool, int, float, char) and the
// object for everything else, and a payload word. Scalars never touch the heap. The language copies arrays, blobs and
// maps when they are assigned, passed or stored; here [Value.Share] marks the object instead, and whoever writes
// through a place calls [OwnArray], [OwnBlob] or [OwnMap] on that place first, which copies a marked object.
//
//	x := args[1].Share()          // before storing a value that the caller may keep
//	a := value.OwnArray(&args[0]) // before writing: may replace args[0]
//	a.Items = append(a.Items, x)
//
// # Native functions
//
// A [Func] is one overload of a function, method, operator, getter, setter or indexer: a name, the types of its
// parameters ([Any] for whatever comes) and Go code. All of them live in a [Registry] under the names that scripts use;
// getters and setters are called [Getter]("name") and [Setter]("name"), indexers [IndexGet] and [IndexSet].
// The machine chooses by name, arity and types, exact types before [Any], and remembers the choice at the call site.
//
//	r.Add(value.Func{
//		Name:   "sub_string",
//		Params: []value.Type{value.TypeString, value.TypeInt, value.TypeInt},
//		Native: func(c value.Context, args []value.Value) (value.Value, error) { … },
//	})
//
// args are the machine's own registers, valid during the call only. args[0] is the place of the receiver: `x.f(y)` and
// `f(x, y)` on a variable, a property or an element. A function with Mutates set may assign args[0] and write to the
// container in it (after owning it), and the machine carries the change back to where the receiver came from; on a
// constant the call is refused. Without Mutates args[0] must be left alone. Other arguments are copies already: they
// may be stored without Share.
//
// A function that is Variadic takes any number of arguments for its last parameter, and is chosen where no other overload
// takes the arguments. One with Bind set gets its types from the engine that takes it: package rhai makes such functions
// of Go functions.
//
// A [CustomType] with Copy set has values that are copied as arrays are: whoever writes to one calls [OwnCustom] on its
// place first. Without it values are references.
//
// The [Context] serves the running call: [Context.Tick] in every loop whose length a script decides (it counts
// operations and reports interruption: return its error as it is), [Context.Limits] before growing a string or a
// container, [Context.Call] to call a function pointer. Errors are made by the constructors of errors.go, where all
// wording lives; the machine adds the position of the call to an error without one. A panic becomes the script's error,
// whose Cause is a [PanicError].
//
// A run can be ended at any moment, also while a function is at something large: such is made by [Make] or [Grow], and
// copied by [Copy], [AppendShared] or [Concat], which look at the run's context every so often.
package value
