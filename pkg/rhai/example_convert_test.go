package rhai_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

type Item struct {
	Name  string `rhai:"name"`
	Count int    `rhai:"count"`
}

type Order struct {
	ID     int               `rhai:"id"`
	Items  []Item            `rhai:"items,omitempty"`
	Labels map[string]string `rhai:"labels,omitempty"`
	At     time.Time         `rhai:"at"`
	Note   *string           `rhai:"note"`
	Secret string            `rhai:"-"`
}

func ExampleValueOf() {
	order := Order{ID: 7, Items: []Item{{"pen", 2}}, At: time.Unix(0, 0), Secret: "x"}
	v, err := rhai.ValueOf(order)
	fmt.Println(v, err)
	_, err = rhai.ValueOf(map[string]any{"steps": []any{1, func() {}}})
	fmt.Println(err)
	// Output:
	// #{"at": <timestamp>, "id": 7, "items": [#{"count": 2, "name": "pen"}], "note": ()} <nil>
	// got a func(), want nil, a bool, number, string, time, struct, slice, map with string keys or rhai.Value at .steps[1]
}

func ExampleDecode() {
	v, err := rhai.New().Eval(context.Background(), `#{
		id: 7, labels: #{color: "red"}, note: "soon",
		items: [#{name: "pen", count: 2}, #{name: "ink", count: 1}],
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	order := Order{Secret: "kept"}
	err = rhai.Decode(v, &order)
	fmt.Println(order.ID, order.Items, order.Labels, *order.Note, order.Secret, err)
	// Output: 7 [{pen 2} {ink 1}] map[color:red] soon kept <nil>
}

func ExampleAs() {
	v, err := rhai.New().Eval(context.Background(), `#{id: 3, items: [#{name: "pen", count: 2}]}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	order, err := rhai.As[Order](v)
	fmt.Println(order.ID, order.Items, err)
	_, err = rhai.As[string](v)
	fmt.Println(err)
	// Output:
	// 3 [{pen 2}] <nil>
	// got map, want string
}

func ExampleConversionError() {
	v, err := rhai.New().Eval(context.Background(), `#{items: [#{count: 1}, #{count: "two"}]}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = rhai.As[Order](v)
	var conversion *rhai.ConversionError
	if errors.As(err, &conversion) {
		fmt.Println(conversion.Got, "|", conversion.Want, "|", conversion.Path)
	}
	fmt.Println(err)
	// Output:
	// string | int | .items[1].count
	// got string, want int at .items[1].count
}

// Level is a word to scripts.
type Level int

func (l Level) MarshalRhai() (rhai.Value, error) {
	return value.Str([]string{"low", "high"}[l]), nil
}

func (l *Level) UnmarshalRhai(v rhai.Value) error {
	switch v.String() {
	case "low":
		*l = 0
	case "high":
		*l = 1
	default:
		return fmt.Errorf("got level %s, want low or high", v)
	}
	return nil
}

func ExampleMarshaler() {
	v, err := rhai.ValueOf([]Level{0, 1})
	fmt.Println(v, err)
	// Output: ["low", "high"] <nil>
}

func ExampleUnmarshaler() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("raise", func(l Level) Level { return l + 1 })
	}))
	v, err := engine.Eval(context.Background(), `raise("low")`)
	fmt.Println(v, err)
	_, err = engine.Eval(context.Background(), `raise("middle")`)
	fmt.Println(err)
	// Output:
	// high <nil>
	// Runtime error: argument 1: got level middle, want low or high (line 1, position 1)
}

// A Go rune is an integer, a Rune a character.
func ExampleRune() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		r.Func("upper", func(c rhai.Rune) rhai.Rune { return rhai.Rune(strings.ToUpper(string(c))[0]) })
	}))
	v, err := engine.Eval(context.Background(), `upper('x')`)
	fmt.Println(v, v.TypeName(), err)
	// Output: X char <nil>
}

func ExampleChar() {
	fmt.Println(rhai.Char('é'), rhai.Char('é').TypeName())
	// Output: é char
}

func ExampleEngine_ValueOf() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		rhai.Type[Money](r, "Money").Print(Money.String)
	}))
	v, err := engine.ValueOf(map[string]any{"price": Money{250}, "count": 2})
	fmt.Println(v, err)
	plain, err := rhai.ValueOf(Money{250})
	fmt.Println(plain, err)
	// Output:
	// #{"count": 2, "price": 2.50} <nil>
	// #{"Cents": 250} <nil>
}
