package rhai

import (
	"errors"
	"fmt"
	"reflect"

	"circles/pkg/rhai/value"
)

// goFunc makes a script function of any Go function, or gives a Func the name. What is wrong with it is told when it is bound.
func goFunc(name string, f any) Func {
	if g, ok := f.(Func); ok {
		g.Name = name
		return g
	}
	t := reflect.TypeOf(f)
	if t == nil || t.Kind() != reflect.Func || reflect.ValueOf(f).IsNil() {
		return refused(name, fmt.Errorf("got %T to call, want a function", f))
	}
	if t.Name() != "" { // a type of its own hides a common signature
		f = reflect.ValueOf(f).Convert(signatureOf(t)).Interface()
	}
	if g, ok := adapt(name, f); ok {
		return g
	}
	var result reflect.Type
	fails := t.NumOut() > 0 && t.Out(t.NumOut()-1) == errorType
	switch n := t.NumOut(); {
	case n == 1 && !fails, n == 2 && fails:
		result = t.Out(0)
	case n > 1:
		return refused(name, fmt.Errorf("got %s, want a function with at most one result, and an error behind it", t))
	}
	params := make([]reflect.Type, t.NumIn())
	for i := range params {
		params[i] = t.In(i)
	}
	if t.IsVariadic() {
		params[len(params)-1] = params[len(params)-1].Elem()
	}
	g := adapter(name, params, result, func(p *ports) value.Native {
		return called(p, reflect.ValueOf(f), result, fails)
	})
	g.Variadic = t.IsVariadic()
	return g
}

// signatureOf is a function type without its name.
func signatureOf(t reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := range t.NumIn() {
		in = append(in, t.In(i))
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	return reflect.FuncOf(in, out, t.IsVariadic())
}

// refused is a function that can't be bound.
func refused(name string, err error) Func {
	return Func{Name: name, Bind: func(*Func, func(reflect.Type) *CustomType) error { return err }}
}

// called calls a function by reflection.
func called(p *ports, f reflect.Value, result reflect.Type, fails bool) value.Native {
	t := f.Type()
	return func(c Context, args []Value) (Value, error) {
		d := decoding{home: homeOf(c), run: c}
		in := make([]reflect.Value, 0, len(args)+p.first)
		if p.first > 0 {
			switch {
			case p.params[0] == contextType:
				in = append(in, reflect.ValueOf(c.Context()))
			default:
				if call, ok := c.(*nativeCall); ok {
					c = call.runContext
				}
				in = append(in, reflect.ValueOf(c))
			}
		}
		for i := range args {
			x, err := p.argument(&d, p.params[min(i+p.first, len(p.params)-1)], i, args)
			if err != nil {
				return Value{}, argument(i+1, err)
			}
			in = append(in, x)
		}
		out := f.Call(in)
		if fails {
			if err, _ := out[t.NumOut()-1].Interface().(error); err != nil {
				return Value{}, err
			}
		}
		if result == nil {
			return Value{}, nil
		}
		v, err := (&conversion{known: p.known}).encode(out[0], 0)
		if err != nil {
			return v, fmt.Errorf("result: %w", err)
		}
		return v, nil
	}
}

// argument is an argument as a Go value of the parameter's type.
func (p *ports) argument(d *decoding, t reflect.Type, n int, args []Value) (reflect.Value, error) {
	if p.inPlace(t) {
		data := args[n].Custom().Data
		switch {
		case n > 0:
			data = args[n].Custom().Type.Copy(data)
		case !p.reads:
			data = value.OwnCustom(&args[0]).Data
		}
		if x := reflect.ValueOf(data); x.Type() == t {
			return x, nil
		}
		return reflect.Value{}, errors.New("got a value of another engine")
	}
	x := reflect.New(t).Elem()
	return x, d.decode(args[n], x, 0)
}
