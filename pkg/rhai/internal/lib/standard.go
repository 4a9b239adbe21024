// Package lib is the standard library of scripts, a file a topic.
//
// A topic is a function that adds the overloads of its functions to a registry. Package value documents the contract
// that native functions follow.
package lib

import (
	"sync"

	"circles/pkg/rhai/value"
)

// The parameter types, short, since the topics name them hundreds of times.
const (
	tUnit  = value.TypeUnit
	tBool  = value.TypeBool
	tInt   = value.TypeInt
	tFloat = value.TypeFloat
	tChar  = value.TypeChar
	tStr   = value.TypeString
	tArray = value.TypeArray
	tBlob  = value.TypeBlob
	tMap   = value.TypeMap
	tTime  = value.TypeTimestamp
	tRange = value.TypeRange
	tIncl  = value.TypeRangeInclusive
	tFn    = value.TypeFnPtr
	tAny   = value.Any
)

// Standard is the standard library. It must not be changed.
func Standard() *value.Registry { return standard() }

var standard = sync.OnceValue(func() *value.Registry {
	r := value.NewRegistry(nil)
	for _, add := range []func(*value.Registry){
		Core, Numbers, Strings, Arrays, Blobs, Maps, Ranges, JSON, Functions, Timestamps,
	} {
		add(r)
	}
	return r
})

// The parts of the standard library.

// Core adds printing, conversion to text, and what holds for all types.
func Core(r *value.Registry) { core(r); concatenation(r) }

// Numbers adds the functions of numbers.
func Numbers(r *value.Registry) { numbers(r) }

// Strings adds the functions of strings and characters.
func Strings(r *value.Registry) { text(r) }

// Arrays adds the functions of arrays.
func Arrays(r *value.Registry) { arrays(r) }

// Blobs adds the functions of blobs.
func Blobs(r *value.Registry) { blobs(r) }

// Maps adds the functions of object maps.
func Maps(r *value.Registry) { maps(r) }

// Ranges adds ranges and iterators.
func Ranges(r *value.Registry) { iterables(r) }

// JSON adds conversion to JSON and back.
func JSON(r *value.Registry) { jsons(r) }

// Functions adds function pointers and what tells of the script's functions.
func Functions(r *value.Registry) { functions(r); metadata(r) }

// Timestamps adds points in time.
func Timestamps(r *value.Registry) { timestamps(r) }

// pure adds a function that leaves its arguments alone.
func pure(r *value.Registry, name string, native value.Native, params ...value.Type) {
	r.Add(value.Func{Name: name, Params: params, Native: native})
}

// goingBack adds a function whose first argument goes back to where it came from, as if the function had written to it.
func goingBack(r *value.Registry, name string, native value.Native, params ...value.Type) {
	r.Add(value.Func{Name: name, Params: params, Native: native, GoesBack: true})
}

// mutating adds a function that writes through its first argument.
func mutating(r *value.Registry, name string, native value.Native, params ...value.Type) {
	r.Add(value.Func{Name: name, Params: params, Native: native, Mutates: true})
}
