package rhai

import "circles/pkg/rhai/value"

// Limits bound what a run may use. Zero means no limit.
type Limits = value.Limits

// Limit names the limit that a run hit, in Error.Limit.
type Limit = value.Limit

// DefaultCacheBytes bounds the cache of compiled programs of an engine without WithCache, in bytes of source.
const DefaultCacheBytes = 16 << 20

// DefaultLimits are the limits of an engine without WithLimits: those of the reference implementation, which bounds the
// depth of calls alone. A host that runs scripts of strangers sets the others.
func DefaultLimits() Limits { return Limits{CallDepth: 64} }
