package rhai

import (
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Limits bound what a run may use. Zero means no limit.
type Limits = value.Limits

// Limit names the limit that a run hit, in Error.Limit.
type Limit = value.Limit

// DefaultCacheBytes bounds the cache of compiled programs of an engine without WithCache, in bytes of memory.
const DefaultCacheBytes = 16 << 20

// DefaultLimits are the limits of an engine without WithLimits. They let a script of a stranger do what scripts are
// for, and end it before it does harm: a billion operations take some seconds, and a run holds 256 MiB at most. An
// engine whose scripts may do more starts from these, and sets those to be others:
//
//	limits := rhai.DefaultLimits()
//	limits.Operations = 0 // the context ends a run
//	engine := rhai.New(rhai.WithLimits(limits))
//
// The sizes of a string, an array and a map include what is nested in them: an array of ten texts of a MiB each has ten
// MiB of text. Error.Limit names the limit that a run met. Those on operations, memory, modules and time end it for good,
// and so does a container that has become too large; any other a script can catch, as in the reference, once its error has
// come through eval or a library function's callback.
func DefaultLimits() Limits {
	return Limits{
		Operations:  1_000_000_000,
		CallDepth:   64,
		StringBytes: 16 << 20,
		ArrayItems:  2 << 20,
		MapEntries:  1 << 20,
		Variables:   4096,
		Functions:   4096,
		Modules:     256,
		Memory:      256 << 20,
		SourceBytes: 512 << 10,

		ExprDepth:         syntax.DefaultMaxExprDepth,
		FunctionExprDepth: syntax.DefaultMaxFunctionExprDepth,
	}
}
