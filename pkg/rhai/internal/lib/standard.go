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
		core, concatenation, numbers, text, arrays, maps, jsons, functions, metadata, iterables, blobs, timestamps,
	} {
		add(r)
	}
	return r
})

// pure adds a function that leaves its arguments alone.
func pure(r *value.Registry, name string, native value.Native, params ...value.Type) {
	r.Add(value.Func{Name: name, Params: params, Native: native})
}

// calling adds a function that calls others with items of its first argument, to which they may write.
func calling(r *value.Registry, name string, native value.Native, params ...value.Type) {
	r.Add(value.Func{Name: name, Params: params, Native: native, Calls: true})
}

// mutating adds a function that writes through its first argument.
func mutating(r *value.Registry, name string, native value.Native, params ...value.Type) {
	r.Add(value.Func{Name: name, Params: params, Native: native, Mutates: true})
}
