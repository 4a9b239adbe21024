package batch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"circles/pkg/rhai"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// maxPrinted bounds what is kept of a script's output, in bytes. The oracle has the same bound.
const maxPrinted = 1 << 20

// Runner answers questions. It is immutable, and safe for use by many goroutines.
type Runner struct {
	timeout time.Duration
	options []rhai.Option
	plain   *rhai.Engine // for questions without settings
}

// NewRunner makes a runner that gives each script a limited time. The options are those of all its engines, before
// what a question sets.
func NewRunner(timeout time.Duration, options ...rhai.Option) *Runner {
	return &Runner{timeout: timeout, options: options, plain: rhai.New(options...)}
}

// Answer runs the script of a question.
func (r *Runner) Answer(ctx context.Context, q Question) Answer {
	answer, err := r.answer(ctx, q)
	if err != nil {
		answer = Answer{ErrorKind: KindBadLine, Error: err.Error()}
	}
	if answer.ID = q.ID; q.ID == nil {
		answer.ID = json.RawMessage("null")
	}
	// Lists are never null on the other side.
	if answer.Trace == nil {
		answer.Trace = []Frame{}
	}
	if answer.Scope == nil {
		answer.Scope = []Variable{}
	}
	return answer
}

func (r *Runner) answer(ctx context.Context, q Question) (Answer, error) {
	engine := r.plain
	if len(q.Limits)+len(q.Options)+len(q.Modules) > 0 {
		var err error
		if engine, err = configured(q, r.options); err != nil {
			return Answer{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	program, err := engine.Compile(q.Script)
	if err != nil {
		return failed(err), nil
	}
	var printed bytes.Buffer
	keep := func(line string) {
		if printed.Len() < maxPrinted {
			printed.WriteString(line)
			printed.WriteByte('\n')
		}
	}
	scope := rhai.NewScope()
	run := []rhai.RunOption{rhai.WithPrint(keep), rhai.WithDebug(keep)}
	if slices.Contains(q.Options, stepping) {
		run = append(run, rhai.WithDebugger(func(*rhai.Stop) rhai.Step { return rhai.StepInto }))
	}
	result, err := program.Run(ctx, scope, run...)
	var a Answer
	if err != nil {
		a = failed(err)
	} else {
		a = Answer{OK: true, Type: result.TypeName(), Value: normalise(result.Debug()), Display: normalise(result.Display())}
	}
	a.Stdout = normalise(printed.String())
	for _, v := range scope.Variables() {
		a.Scope = append(a.Scope, Variable{
			Name: v.Name, Const: v.Const, Type: v.Value.TypeName(), Value: normalise(v.Value.Debug()),
		})
	}
	return a, nil
}

// stepping is the setting that has a debugger step through all of a script.
const stepping = "debugger"

// configured makes an engine with the settings of a question.
func configured(q Question, given []rhai.Option) (*rhai.Engine, error) {
	limits := rhai.DefaultLimits()
	var options syntax.Options
	level := rhai.OptimizeSimple
	for name, n := range q.Limits {
		switch name {
		case "operations":
			limits.Operations = uint64(max(n, 0))
		case "call_levels":
			limits.CallDepth = n
		case "variables":
			limits.Variables = n
		case "functions":
			limits.Functions = n
		case "modules":
			limits.Modules = n
		case "string_size":
			limits.StringBytes = n
			options.MaxStringBytes = n
		case "array_size":
			limits.ArrayItems = n
			options.MaxArrayItems = n
		case "map_size":
			limits.MapEntries = n
			options.MaxMapEntries = n
		case "expr_depth":
			options.MaxExprDepth = n
		case "function_expr_depth":
			options.MaxFunctionExprDepth = n
		default:
			return nil, fmt.Errorf("unknown limit %q", name)
		}
	}
	for _, name := range q.Options {
		switch name {
		case "strict_variables":
			options.StrictVariables = true
		case "no_shadowing":
			options.NoShadowing = true
		case "no_looping":
			options.NoLoop = true
		case "no_anonymous_fn":
			options.NoClosures = true
		case "no_if_expression":
			options.NoIf = true
		case "no_switch_expression":
			options.NoSwitch = true
		case "no_loop_expression":
			options.NoLoopExpr = true
		case "no_statement_expression":
			options.NoStatementExpr = true
		case stepping:
			given = append(given[:len(given):len(given)], rhai.WithDebugging())
		case "fail_on_invalid_map_property":
			given = append(given[:len(given):len(given)], rhai.WithStrictProperties())
		case "optimize_none":
			level = rhai.OptimizeNone
		case "optimize_full":
			level = rhai.OptimizeFull
		default:
			return nil, fmt.Errorf("unknown option %q", name)
		}
	}
	modules := rhai.Modules{}
	for path, source := range q.Modules {
		modules[path] = rhai.ScriptModule(source)
	}
	list := append(given[:len(given):len(given)], rhai.WithLimits(limits), rhai.WithSyntax(options), rhai.WithModules(modules))
	if level != rhai.OptimizeSimple {
		list = append(list, rhai.WithOptimization(level))
	}
	return rhai.New(list...), nil
}

func failed(err error) Answer {
	if errors.Is(err, context.DeadlineExceeded) {
		return Answer{ErrorKind: KindTimeout, Error: err.Error()}
	}
	var e *rhai.Error
	if !errors.As(err, &e) {
		return Answer{ErrorKind: string(value.ErrSystem), Error: err.Error()}
	}
	a := Answer{
		ErrorKind: string(e.Kind), ParseKind: string(e.ParseKind), Error: normalise(e.Message),
		Line: int(e.Pos.Line), Column: int(e.Pos.Column),
	}
	for _, f := range e.Trace {
		kind := value.ErrInFunctionCall
		if f.Module {
			kind = value.ErrInModule
		}
		a.Trace = append(a.Trace, Frame{
			Kind: string(kind), Name: normalise(f.Function),
			Line: int(f.Pos.Line), Column: int(f.Pos.Column),
		})
	}
	return a
}

// normalise makes the names of all anonymous functions the same.
func normalise(text string) string {
	const mark = "anon$"
	head, rest, found := strings.Cut(text, mark)
	if !found {
		return text
	}
	var b strings.Builder
	for found {
		b.WriteString(head)
		b.WriteString(mark)
		head, rest, found = strings.Cut(strings.TrimLeft(rest, "0123456789abcdefABCDEF"), mark)
	}
	b.WriteString(head)
	return b.String()
}

// Run answers the lines of in on out, in their order, with up to jobs scripts at a time. It returns when in ends or
// the context does, when all it started has ended.
func (r *Runner) Run(ctx context.Context, in io.Reader, out io.Writer, jobs int) error {
	type job struct {
		line   []byte
		answer chan Answer
	}
	jobs = max(jobs, 1)
	work := make(chan job)
	order := make(chan job, 2*jobs) // bounds how far the answers may be behind
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { // reads; ends at the end of in
		defer close(work)
		defer close(order)
		lines := bufio.NewReader(in)
		for {
			line, err := lines.ReadBytes('\n')
			if line = bytes.TrimSpace(line); len(line) > 0 {
				j := job{line, make(chan Answer, 1)}
				for _, to := range []chan job{order, work} {
					select {
					case to <- j:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			}
			switch {
			case err == io.EOF:
				return nil
			case err != nil:
				return fmt.Errorf("read a question: %w", err)
			}
		}
	})
	for range jobs {
		group.Go(func() error { // ends when the reader does
			for j := range work {
				j.answer <- r.line(ctx, j.line)
			}
			return nil
		})
	}
	group.Go(func() error { // writes; ends when the reader does
		answers := json.NewEncoder(out)
		answers.SetEscapeHTML(false)
		for j := range order {
			select {
			case a := <-j.answer:
				if err := answers.Encode(a); err != nil {
					return fmt.Errorf("write an answer: %w", err)
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

func (r *Runner) line(ctx context.Context, line []byte) Answer {
	var q Question
	if err := json.Unmarshal(line, &q); err != nil {
		return Answer{
			ID: json.RawMessage("null"), ErrorKind: KindBadLine, Error: err.Error(),
			Trace: []Frame{}, Scope: []Variable{},
		}
	}
	return r.Answer(ctx, q)
}
