package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"circles/pkg/circle"
	"circles/pkg/queue"
	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// Limits that are the worker's own, beside the engine's.
const (
	limitOutput = "output_bytes"
	limitPrint  = "print_bytes"
)

const (
	// maxMessage and maxTrace bound what is told of an error.
	maxMessage = 16 << 10
	maxTrace   = 100
)

// Why a run is stopped, besides its deadline and its worker.
var (
	errPrintLimit = errors.New("the script printed too much")
	errState      = errors.New("the state can not be read")
)

// runner runs plays. It is safe for concurrent use.
type runner struct {
	engine    *rhai.Engine
	state     *rhai.TypeBuilder[*transaction]
	maxTime   time.Duration
	maxOutput int // bytes
	maxPrint  int // bytes
	log       *slog.Logger
}

func newRunner(cfg Config, log *slog.Logger, functions ...rhai.Option) *runner {
	engine, state := newEngine(cfg, functions...)
	return &runner{
		engine:    engine,
		state:     state,
		maxTime:   cfg.ScriptMaxTime,
		maxOutput: cfg.ScriptMaxOutputBytes,
		maxPrint:  cfg.ScriptMaxPrintBytes,
		log:       log,
	}
}

// A result is what came of a play that was run.
type result struct {
	outcome queue.Outcome
	changes *transaction // of the state; nil when the play failed
	redo    bool         // nothing came of it: it is to be run again, by whoever has the circle
}

// A span is the context of one play: it ends at the play's deadline, when the
// play is stopped, and when its worker's time is over. Stop it in the end.
type span struct {
	context.Context
	end    time.Time
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// errWithdrawn is that the play was taken back.
var errWithdrawn = errors.New("the play was withdrawn")

// span begins that of a play.
func (r *runner) span(parent context.Context, play queue.Play) *span {
	now := time.Now()
	s := &span{end: now.Add(r.maxTime)}
	if deadline := play.Deadline; !deadline.IsZero() && deadline.Before(s.end) {
		s.end = deadline
	}
	s.Context, s.cancel = context.WithCancelCause(parent)
	s.timer = time.AfterFunc(s.end.Sub(now), s.expire)
	return s
}

func (s *span) Deadline() (time.Time, bool) { return s.end, true }

func (s *span) expire()      { s.cancel(context.DeadlineExceeded) }
func (s *span) withdraw()    { s.cancel(errWithdrawn) }
func (s *span) printedFull() { s.cancel(errPrintLimit) }
func (s *span) stateFailed() { s.cancel(errState) }

func (s *span) stop() {
	s.timer.Stop()
	s.cancel(nil)
}

// cut reports whether the run was ended from outside, and not by anything of the
// play's own.
func (s *span) cut() bool {
	if s.Err() == nil {
		return false
	}
	switch context.Cause(s) {
	case context.DeadlineExceeded, errPrintLimit, errState:
		return false
	default:
		return true
	}
}

// run runs one play on the circle's state.
func (r *runner) run(ctx *span, c circle.Key, d queue.Delivery, state *store) result {
	play := d.Play
	if d.Err != nil {
		r.log.Error("a play can not be read", "circle", c.String(), "play", play.ID, "error", d.Err)
		return result{outcome: failure(play, queue.KindInternal, "the play could not be read by its worker")}
	}
	if d.GaveUp {
		r.log.Error("a play is given up: its worker died each time", "circle", c.String(), "play", play.ID, "deliveries", d.Deliveries)
		return result{outcome: failure(play, queue.KindGaveUp, fmt.Sprintf("the play was given up after its worker died of it %d times", d.Deliveries))}
	}
	start := time.Now()
	if !play.Deadline.IsZero() && !start.Before(play.Deadline) {
		return result{outcome: failure(play, queue.KindExpired, "no worker took the play in time; it will not run")}
	}
	outcome, changes := r.execute(ctx, c, play, state)
	outcome.Elapsed = time.Since(start)
	unread := changes != nil && changes.failed != nil
	switch {
	case unread && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) && !ctx.cut():
		r.log.Warn("the state can not be read; the play is run again", "circle", c.String(), "play", play.ID, "error", changes.failed)
		return result{redo: true}
	case unread && !ctx.cut(): // its time went by while the state could not be read
		return result{outcome: failure(play, queue.KindTimeout, "the script timed out")}
	case outcome.Error == nil:
		return result{outcome: outcome, changes: changes}
	default:
		return result{outcome: outcome, redo: ctx.cut()}
	}
}

// execute compiles and runs the script. Whatever panics is this play's internal
// error and nothing more.
func (r *runner) execute(ctx *span, c circle.Key, play queue.Play, state *store) (outcome queue.Outcome, changes *transaction) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("a play made the engine panic", "circle", c.String(), "play", play.ID, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			outcome, changes = internal(play), nil
		}
	}()
	program, err := r.engine.CompileContext(ctx, play.Script)
	if err != nil {
		return r.failed(ctx, c, play, err), nil
	}
	scene := state.scene
	if scene == nil {
		scene = newScene(c)
		state.scene = scene
	}
	changes = state.begin(ctx, ctx.stateFailed)
	if err := scene.set(play, r.state.Value(changes)); err != nil {
		return failure(play, queue.KindScript, "args: "+err.Error()), nil
	}
	scene.printed = printed{left: r.maxPrint, keep: play.Stream, full: ctx.printedFull}
	v, err := program.Run(ctx, nil, scene.options...)
	if err != nil {
		outcome = r.failed(ctx, c, play, err)
	} else {
		outcome = r.value(play, v)
	}
	outcome.Printed = scene.printed.lines
	return outcome, changes
}

// A scene is what the plays of a circle find beside the state. They are run one
// after the other, so it is made once and set for each.
type scene struct {
	variables map[string]rhai.Value // constants of the script
	printed   printed
	options   []rhai.RunOption

	caller, role string // as they are among the variables
}

func newScene(c circle.Key) *scene {
	s := &scene{variables: map[string]rhai.Value{
		"CIRCLE_PUBLIC_KEY": value.Str(c.String()), "CALLER_PUBLIC_KEY": value.Str(""), "CALLER_ROLE": value.Str(""),
	}}
	s.options = []rhai.RunOption{rhai.WithVariables(s.variables), rhai.WithPrint(s.printed.line), rhai.WithDebug(s.printed.line), rhai.WithProgress(giveWay)}
	return s
}

// set makes it that of a play. The error says what is wrong with the arguments.
func (s *scene) set(play queue.Play, state rhai.Value) error {
	args := value.Unit()
	if len(play.Args) > 0 {
		var err error
		if args, err = rhai.FromJSON(play.Args); err != nil {
			return err
		}
	}
	s.variables["args"] = args
	s.variables["state"] = state
	if play.Caller != s.caller {
		s.caller = strings.Clone(play.Caller) // it is part of a message
		s.variables["CALLER_PUBLIC_KEY"] = value.Str(s.caller)
	}
	if play.Role != s.role {
		s.role = strings.Clone(play.Role)
		s.variables["CALLER_ROLE"] = value.Str(s.role)
	}
	s.variables["PLAY_ID"] = value.Str(play.ID)
	return nil
}

// value is the outcome of a play that ended with a value.
func (r *runner) value(play queue.Play, v rhai.Value) queue.Outcome {
	outcome := queue.Outcome{PlayID: play.ID}
	large := oversized(v, r.maxOutput)
	if !large {
		outcome.Output = v.Display()
		if text, err := v.MarshalJSON(); err == nil { // not every value has a form in JSON
			outcome.Value = text
		}
		large = len(outcome.Output) > r.maxOutput || len(outcome.Value) > r.maxOutput
	}
	if large {
		return limit(play, limitOutput, fmt.Sprintf("the value has more than %d bytes when it is written out; return less", r.maxOutput))
	}
	return outcome
}

// failed is the outcome of a play that ended with an error.
func (r *runner) failed(ctx context.Context, c circle.Key, play queue.Play, err error) queue.Outcome {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errPrintLimit):
		return limit(play, limitPrint, fmt.Sprintf("the script printed more than %d bytes", r.maxPrint))
	case errors.Is(cause, errState):
		return internal(play)
	case errors.Is(cause, context.DeadlineExceeded):
		return failure(play, queue.KindTimeout, "the script timed out")
	}
	var e *rhai.Error
	if !errors.As(err, &e) || e.Kind == errSystem {
		r.log.Error("the engine failed", "circle", c.String(), "play", play.ID, "error", err)
		return internal(play)
	}
	kind := queue.KindScript
	switch {
	case e.Limit != "":
		kind = queue.KindLimit
	case e.Kind == errParsing:
		kind = queue.KindParse
	}
	outcome := failure(play, kind, e.Message)
	outcome.Error.ScriptKind = string(e.Kind)
	outcome.Error.Line, outcome.Error.Column = int(e.Pos.Line), int(e.Pos.Column)
	outcome.Error.Limit = string(e.Limit)
	for _, frame := range e.Trace[:min(len(e.Trace), maxTrace)] {
		outcome.Error.Trace = append(outcome.Error.Trace,
			fmt.Sprintf("%s (line %d, position %d)", frame.Function, frame.Pos.Line, frame.Pos.Column))
	}
	return outcome
}

// Kinds of the engine's errors that are treated apart.
const (
	errParsing rhai.ErrorKind = "ErrorParsing"
	errSystem  rhai.ErrorKind = "ErrorSystem"
)

func failure(play queue.Play, kind queue.ErrorKind, message string) queue.Outcome {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return queue.Outcome{PlayID: play.ID, Error: &queue.PlayError{Kind: kind, Message: message}}
}

func internal(play queue.Play) queue.Outcome {
	return failure(play, queue.KindInternal, "internal error")
}

func limit(play queue.Play, name, message string) queue.Outcome {
	outcome := failure(play, queue.KindLimit, message)
	outcome.Error.Limit = name
	return outcome
}

// printed takes what a script prints. It is bounded also when nobody keeps it:
// whether a script fails must not depend on who listens.
type printed struct {
	left  int // bytes
	keep  bool
	lines []string
	full  func()
}

func (p *printed) line(text string) {
	if p.left -= len(text) + 1; p.left < 0 {
		p.full()
		return
	}
	if p.keep {
		p.lines = append(p.lines, text)
	}
}
