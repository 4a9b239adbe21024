package lib

import (
	"strings"

	"circles/pkg/rhai/value"
)

// callback is a function pointer that a library function calls for each item.
//
// A function may take the item as a parameter or as `this`, and may or may not take the extra argument that comes last,
// an index or a value. The number of its parameters tells. A native function's is not known: it is tried out.
type callback struct {
	c     value.Context
	f     *value.FnPtr
	arity int // -1: not known yet
	args  [4]value.Value
}

func newCallback(c value.Context, f value.Value) (*callback, error) {
	// A name does as well as a pointer.
	if f.IsString() {
		if err := functionName(c, f.Text()); err != nil {
			return nil, err
		}
		f = value.NewFnPtr(f.Text(), nil, nil)
	}
	cb := &callback{c: c, f: f.FnPtr(), arity: -1}
	if n, ok := c.Arity(cb.f); ok {
		cb.arity = n
	}
	return cb, nil
}

// each calls the function with the given arguments and the item at place moved, a position among them, or for a
// function with one parameter less with the item as `this`. extra comes last if the function takes it.
func (cb *callback) each(place *value.Value, moved int, extra value.Value, given ...value.Value) (value.Value, error) {
	if err := cb.c.Tick(1); err != nil {
		return value.Value{}, err
	}
	n := len(given)
	if cb.arity < 0 {
		v, err := cb.c.Call(cb.f, place, append(cb.args[:0], given...))
		if err == nil || !cb.missing(err) {
			return v, err
		}
	}
	if cb.arity == n {
		return cb.c.Call(cb.f, place, append(cb.args[:0], given...))
	}
	args := append(cb.args[:0], given[:moved]...)
	args = append(append(args, place.Share()), given[moved:]...)
	return cb.extended(args, extra)
}

// with calls the function with the arguments, and with the extra one if the function takes it.
func (cb *callback) with(extra value.Value, given ...value.Value) (value.Value, error) {
	if err := cb.c.Tick(1); err != nil {
		return value.Value{}, err
	}
	return cb.extended(append(cb.args[:0], given...), extra)
}

// exactly calls the function with the arguments.
func (cb *callback) exactly(args ...value.Value) (value.Value, error) {
	return cb.exactlyOn(nil, args...)
}

// exactlyOn calls the function with the arguments, and with the item as `this`.
func (cb *callback) exactlyOn(place *value.Value, args ...value.Value) (value.Value, error) {
	if err := cb.c.Tick(1); err != nil {
		return value.Value{}, err
	}
	return cb.c.Call(cb.f, place, append(cb.args[:0], args...))
}

// on calls the function with the item as `this`, and with the extra argument if the function takes it.
func (cb *callback) on(place *value.Value, extra value.Value) (value.Value, error) {
	if err := cb.c.Tick(1); err != nil {
		return value.Value{}, err
	}
	if cb.arity <= 0 {
		v, err := cb.c.Call(cb.f, place, nil)
		if cb.arity == 0 || err == nil || !cb.missing(err) {
			return v, err
		}
	}
	return cb.c.Call(cb.f, place, append(cb.args[:0], extra))
}

// extended calls the function with the arguments alone or with one more. A function that takes neither number gets
// the larger one, for the error to tell.
func (cb *callback) extended(args []value.Value, extra value.Value) (value.Value, error) {
	n := len(args)
	if cb.arity == n {
		return cb.c.Call(cb.f, nil, args)
	}
	if cb.arity < 0 { // which overload there is may differ from item to item
		for i := range args {
			args[i].Share()
		}
		v, err := cb.c.Call(cb.f, nil, args)
		if err == nil || !cb.missing(err) {
			return v, err
		}
	}
	return cb.c.Call(cb.f, nil, append(args, extra))
}

// missing tells whether the error is that there is no such function.
func (cb *callback) missing(err error) bool {
	e := value.AsError(err)
	return e.Kind == value.ErrFunctionNotFound && len(e.Trace) == 0 && strings.HasPrefix(e.Subject, cb.f.Name+" (")
}

// isTrue is what a filter makes of a result: anything but true is false.
func isTrue(v value.Value) bool { return v.IsBool() && v.Bool() }
