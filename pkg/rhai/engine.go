package rhai

import (
	"context"
	"errors"
	"time"

	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/internal/lib"
	"circles/pkg/rhai/internal/vm"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// The vocabulary of values, shared with package value.
type (
	Value      = value.Value
	Error      = value.Error
	ErrorKind  = value.ErrorKind
	Frame      = value.Frame
	Registry   = value.Registry
	Func       = value.Func
	Context    = value.Context
	CustomType = value.CustomType
)

// Engine compiles and runs scripts. It is immutable, and safe for use by many goroutines.
type Engine struct {
	registry *value.Registry
	syntax   syntax.Options
	limits   Limits
	clock    func() time.Time
	cache    *cache
	resolver Resolver // nil: nothing can be imported
	resolve  func(Context, string) (Value, bool, error)
	debug    bool
	level    Level
	invalid  []error // options that can't be; every compilation reports them
	machines *vm.Pool
}

// Option changes an engine that New makes.
type Option func(*Engine)

// With adds functions and types of the host. The registry must not be kept.
func With(setup func(r *Registry)) Option { return func(e *Engine) { setup(e.registry) } }

// WithLimits sets the limits of every run that has none of its own. Without it they are DefaultLimits.
func WithLimits(l Limits) Option { return func(e *Engine) { e.limits = l } }

// WithSyntax changes the language.
func WithSyntax(o syntax.Options) Option { return func(e *Engine) { e.syntax = o } }

// WithClock sets the clock that timestamps come from. Without it they come from time.Now.
func WithClock(now func() time.Time) Option { return func(e *Engine) { e.clock = now } }

// WithCache bounds the memory of the cache of compiled programs, counted in bytes of source. Zero turns it off.
// Without it the bound is DefaultCacheBytes.
func WithCache(bytes int) Option { return func(e *Engine) { e.cache = newCache(bytes) } }

// New makes an engine with the standard library.
func New(opts ...Option) *Engine {
	e := &Engine{
		registry: value.NewRegistry(lib.Standard()),
		limits:   DefaultLimits(),
		clock:    time.Now,
		cache:    newCache(DefaultCacheBytes),
	}
	for _, o := range opts {
		o(e)
	}
	e.machines = vm.NewPool(e.registry, e.clock, func(source string) (*compile.Unit, error) { return e.parse(source, true, "") })
	if e.resolver != nil {
		e.machines.Modules = modules{e}
	}
	return e
}

// Compile compiles a source, or finds it among those compiled lately. A syntax error is an *Error of kind ErrorParsing.
func (e *Engine) Compile(source string) (*Program, error) {
	if p := e.cache.get(source); p != nil {
		return p, nil
	}
	unit, err := e.parse(source, false, "")
	if err != nil {
		return nil, err
	}
	p := &Program{engine: e, unit: unit}
	e.cache.put(source, p)
	return p, nil
}

// parse makes code of a source: of a program, of what a script passes to eval, or of the module of a path.
func (e *Engine) parse(source string, eval bool, module string) (_ *compile.Unit, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = value.Panicked("compile", r)
		}
	}()
	if len(e.invalid) > 0 {
		return nil, value.AsError(errors.Join(e.invalid...))
	}
	options := e.syntax
	for option, limit := range map[*int]int{
		&options.MaxFunctions:   e.limits.Functions,
		&options.MaxStringBytes: e.limits.StringBytes,
		&options.MaxArrayItems:  e.limits.ArrayItems,
		&options.MaxMapEntries:  e.limits.MapEntries,
	} {
		if *option == 0 {
			*option = limit
		}
	}
	script, err := syntax.Parse(source, options)
	if err != nil {
		var at *syntax.Error
		if errors.As(err, &at) {
			return nil, value.Parsing(at)
		}
		return nil, value.AsError(err)
	}
	unit, err := compile.Compile(script, compile.Options{
		MaxVariables: e.limits.Variables, Module: module, Resolve: e.resolve != nil, Debug: e.debug, Level: e.level, Eval: eval,
	})
	if err == nil && eval && len(unit.Funcs) > 0 {
		return nil, value.Parsing(&syntax.Error{Kind: syntax.WrongFnDefinition,
			Message: "Function definitions must be at global level and cannot be inside a block or another function"})
	}
	return unit, err
}

// Eval compiles and runs a source without variables.
func (e *Engine) Eval(ctx context.Context, source string) (Value, error) {
	p, err := e.Compile(source)
	if err != nil {
		return Value{}, err
	}
	return p.Run(ctx, nil)
}
