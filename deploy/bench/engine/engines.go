package main

import (
	"context"
	"strings"

	"circles/pkg/rhai"

	"github.com/dop251/goja"
	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// circles is our engine as a service uses it: with its limits, and a context that may end a run at any time. Programs
// are not cached, or compiling would not be measured.
type circles struct {
	engine *rhai.Engine
	ctx    context.Context
}

func newCircles(ctx context.Context) circles { return circles{rhai.New(rhai.WithCache(0)), ctx} }

func (circles) name() string   { return "Circles" }
func (circles) ending() string { return ".rhai" }

func (e circles) prepare(r row, source string) (job, error) {
	var v rhai.Value
	shown := func() string { return v.String() }
	switch r.task {
	case taskCompile:
		return each(func() error { _, err := e.engine.Compile(source); return err }, noResult), nil
	case taskEval:
		return each(func() (err error) { v, err = e.engine.Eval(e.ctx, source); return err }, shown), nil
	case taskStart:
		return each(func() error { rhai.New(); return nil }, noResult), nil
	}
	p, err := e.engine.Compile(source)
	return each(func() (err error) { v, err = p.Run(e.ctx, nil); return err }, shown), err
}

type luaEngine struct{ state *lua.LState }

func newLua() luaEngine { return luaEngine{lua.NewState()} }

func (luaEngine) name() string   { return "gopher-lua" }
func (luaEngine) ending() string { return ".lua" }

func (e luaEngine) compile(source string) (*lua.FunctionProto, error) {
	chunk, err := parse.Parse(strings.NewReader(source), "program")
	if err != nil {
		return nil, err
	}
	return lua.Compile(chunk, "program")
}

func (e luaEngine) prepare(r row, source string) (job, error) {
	var v lua.LValue
	run := func(p *lua.FunctionProto) error {
		e.state.Push(e.state.NewFunctionFromProto(p))
		if err := e.state.PCall(0, 1, nil); err != nil {
			return err
		}
		v = e.state.Get(-1)
		e.state.Pop(1)
		return nil
	}
	shown := func() string { return v.String() }
	switch r.task {
	case taskCompile:
		return each(func() error { _, err := e.compile(source); return err }, noResult), nil
	case taskEval:
		return each(func() error {
			p, err := e.compile(source)
			if err != nil {
				return err
			}
			return run(p)
		}, shown), nil
	case taskStart:
		return each(func() error { lua.NewState().Close(); return nil }, noResult), nil
	}
	p, err := e.compile(source)
	return each(func() error { return run(p) }, shown), err
}

type gojaEngine struct{ runtime *goja.Runtime }

func newGoja() gojaEngine { return gojaEngine{goja.New()} }

func (gojaEngine) name() string   { return "goja" }
func (gojaEngine) ending() string { return ".js" }

func (e gojaEngine) prepare(r row, source string) (job, error) {
	var v goja.Value
	shown := func() string { return v.String() }
	switch r.task {
	case taskCompile:
		return each(func() error { _, err := goja.Compile("program", source, false); return err }, noResult), nil
	case taskEval:
		return each(func() (err error) { v, err = e.runtime.RunString(source); return err }, shown), nil
	case taskStart:
		return each(func() error { goja.New(); return nil }, noResult), nil
	}
	p, err := goja.Compile("program", source, false)
	return each(func() (err error) { v, err = e.runtime.RunProgram(p); return err }, shown), err
}

// starlarkEngine runs the function main of a program. Nothing is started for it: its built-in functions are the
// package's.
type starlarkEngine struct{ names starlark.StringDict }

func newStarlark() starlarkEngine {
	return starlarkEngine{starlark.StringDict{"json": json.Module}}
}

func (starlarkEngine) name() string   { return "starlark-go" }
func (starlarkEngine) ending() string { return ".star" }

func (e starlarkEngine) compile(source string) (*starlark.Program, error) {
	options := &syntax.FileOptions{While: true, Recursion: true}
	_, p, err := starlark.SourceProgramOptions(options, "program", source, e.names.Has)
	return p, err
}

func (e starlarkEngine) prepare(r row, source string) (job, error) {
	var v starlark.Value
	thread := &starlark.Thread{}
	shown := func() string { return v.String() }
	switch r.task {
	case taskStart:
		return nil, nil
	case taskCompile:
		return each(func() error { _, err := e.compile(source); return err }, noResult), nil
	case taskEval:
		return each(func() error {
			p, err := e.compile(source)
			if err != nil {
				return err
			}
			globals, err := p.Init(thread, e.names)
			if err != nil {
				return err
			}
			v, err = starlark.Call(thread, globals["main"], nil, nil)
			return err
		}, shown), nil
	}
	p, err := e.compile(source)
	if err != nil {
		return nil, err
	}
	globals, err := p.Init(thread, e.names)
	if err != nil {
		return nil, err
	}
	main := globals["main"]
	return each(func() (err error) { v, err = starlark.Call(thread, main, nil, nil); return err }, shown), nil
}
