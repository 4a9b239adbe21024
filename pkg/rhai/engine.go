package rhai

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
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
	PanicError = value.PanicError
	Func       = value.Func
	Context    = value.Context
	CustomType = value.CustomType
)

// Engine compiles and runs scripts. It is immutable, and safe for use by many goroutines.
type Engine struct {
	registry *Registry
	natives  *value.Registry
	types    *types
	syntax   syntax.Options
	limits   Limits
	clock    func() time.Time
	cache    *cache
	resolver Resolver // nil: nothing can be imported
	resolve  func(Context, string) (Value, bool, error)
	debug    bool

	strictProperties bool

	level    Level
	invalid  []error   // options that can't be; every compilation reports them
	memory   sync.Pool // of *memory
	machines *vm.Pool
	calls    atomic.Int64 // of function pointers after their runs, that have not returned
}

// Option changes an engine that New makes.
type Option func(*Engine)

// WithLimits sets the limits of every run that has none of its own. Without it they are DefaultLimits.
func WithLimits(l Limits) Option { return func(e *Engine) { e.limits = l } }

// WithSyntax changes the language.
func WithSyntax(o syntax.Options) Option { return func(e *Engine) { e.syntax = o } }

// WithClock sets the clock that timestamps come from. Without it they come from time.Now.
func WithClock(now func() time.Time) Option { return func(e *Engine) { e.clock = now } }

// WithCache bounds the memory of the cache of compiled programs, in bytes. Zero turns it off.
// Without it the bound is DefaultCacheBytes.
func WithCache(bytes int) Option { return func(e *Engine) { e.cache = newCache(bytes) } }

// New makes an engine with the standard library.
func New(opts ...Option) *Engine { return newEngine(lib.Standard(), opts) }

// NewRaw makes an engine without the standard library, to be given the parts of it that its scripts may have:
//
//	engine := rhai.NewRaw(rhai.With(rhai.CorePackage, rhai.MathPackage))
//
// Scripts without any have the operators and statements of the language.
func NewRaw(opts ...Option) *Engine { return newEngine(nil, opts) }

func newEngine(base *value.Registry, opts []Option) *Engine {
	e := &Engine{
		natives: value.NewRegistry(base),
		types:   &types{byType: map[reflect.Type]*CustomType{}},
		limits:  DefaultLimits(),
		clock:   time.Now,
		cache:   newCache(DefaultCacheBytes),
	}
	e.registry = &Registry{types: e.types, values: e.natives}
	for _, o := range opts {
		o(e)
	}
	limit(&e.syntax, &e.limits)
	if err := e.registry.finish(); err != nil {
		e.invalid = append(e.invalid, err)
	}
	e.registry = nil
	if known, ok := e.resolver.(Modules); ok {
		for path, m := range known {
			if _, err := m.bind(e); err != nil {
				e.invalid = append(e.invalid, fmt.Errorf("module '%s': %w", path, err))
			}
		}
	}
	e.machines = vm.NewPool(e.natives, e.clock, func(source string, interrupt func() error) (*compile.Unit, error) {
		return e.parse(source, compile.Options{Interrupt: interrupt}, true)
	})
	e.machines.Usual = vm.Run{Engine: e, Limits: e.limits, Resolve: e.resolve, StrictProperties: e.strictProperties}
	if e.resolver != nil {
		e.machines.Modules = modules{e}
	}
	return e
}

// Err tells what is wrong with the engine's options and what was registered; nil when nothing is. Every compilation
// fails with it, too.
func (e *Engine) Err() error { return errors.Join(e.invalid...) }

// ValueOf makes a value of a Go value, as the function ValueOf does, but of Go types given by Type custom values.
func (e *Engine) ValueOf(v any) (Value, error) { return (&conversion{known: e.types.known}).value(v) }

// limit bounds what a source may have in it, where its options don't, by what a run may make.
func limit(o *syntax.Options, l *Limits) {
	for option, limit := range map[*int]int{
		&o.MaxFunctions:   l.Functions,
		&o.MaxStringBytes: l.StringBytes,
		&o.MaxArrayItems:  l.ArrayItems,
		&o.MaxMapEntries:  l.MapEntries,
		&o.MaxExprDepth:   l.ExprDepth,

		&o.MaxFunctionExprDepth: l.FunctionExprDepth,
	} {
		if *option == 0 {
			*option = limit
		}
	}
}

// Compile compiles a source, or finds it among those compiled lately. A syntax error is an *Error of kind ErrorParsing.
// How long it takes is bounded by the limit on the source's length: some tens of milliseconds by default.
func (e *Engine) Compile(source string) (*Program, error) {
	return e.CompileContext(context.Background(), source)
}

// CompileContext is Compile until the context ends. Then the error is an *Error of kind ErrorTerminated.
func (e *Engine) CompileContext(ctx context.Context, source string) (*Program, error) {
	if p := e.cache.get(source); p != nil {
		return p, nil
	}
	if err := e.limits.CheckSource(len(source)); err != nil {
		return nil, value.AsError(err)
	}
	if err := e.machines.Compile(ctx, source, e.limits.Memory); err != nil {
		return nil, value.AsError(err)
	}
	var options compile.Options
	if ctx.Done() != nil && len(source) >= 256 { // the compilation of less is over before anybody would look
		options.Interrupt = func() error { return value.Ended(ctx) }
	}
	unit, err := e.parse(source, options, false)
	if err != nil {
		return nil, err
	}
	p := &Program{engine: e, source: source, unit: unit}
	e.cache.put(source, p)
	return p, nil
}

// memory is what one compilation after another is done in.
type memory struct {
	syntax   syntax.Options // the engine's, and what is to interrupt this compilation
	parser   syntax.Parser
	compiler compile.Compiler
}

// keep keeps what a compilation was done in for another one, unless it may have grown large.
func (e *Engine) keep(m *memory, source string) {
	if len(source) <= 64<<10 {
		e.memory.Put(m)
	}
}

// parse makes code of a source: of a program, of what a script passes to eval, or of a module.
func (e *Engine) parse(source string, code compile.Options, eval bool) (_ *compile.Unit, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = value.Panicked("compile", r)
		}
	}()
	if err := e.Err(); err != nil {
		return nil, value.AsError(err)
	}
	if err := e.limits.CheckSource(len(source)); err != nil {
		return nil, value.AsError(err)
	}
	m, ok := e.memory.Get().(*memory)
	if !ok {
		m = &memory{syntax: e.syntax}
	}
	m.syntax.Interrupt = code.Interrupt
	script, err := m.parser.Parse(source, &m.syntax)
	if err != nil {
		e.keep(m, source)
		var at *syntax.Error
		if errors.As(err, &at) {
			return nil, value.Parsing(at)
		}
		return nil, value.AsError(err)
	}
	code.MaxVariables, code.Resolve, code.Debug = e.limits.Variables, e.resolve != nil, e.debug
	code.Level, code.Eval, code.NoShadowing = e.level, eval, e.syntax.NoShadowing
	unit, err := m.compiler.Compile(script, code)
	misplaced := eval && compile.HasFunctions(script)
	if err == nil { // and not after a panic
		e.keep(m, source)
	}
	if err == nil && misplaced {
		return nil, value.Parsing(&syntax.Error{Kind: syntax.WrongFnDefinition,
			Message: "Function definitions must be at global level and cannot be inside a block or another function"})
	}
	return unit, err
}

// Eval compiles and runs a source without variables. The function Eval has a scope, options and a Go type.
func (e *Engine) Eval(ctx context.Context, source string) (Value, error) {
	p, err := e.CompileContext(ctx, source)
	if err != nil {
		return Value{}, err
	}
	return p.Run(ctx, nil)
}
