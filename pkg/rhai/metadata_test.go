package rhai_test

import (
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"circles/pkg/rhai"
)

func described() *rhai.Engine {
	return rhai.New(rhai.With(func(r *rhai.Registry) {
		p := rhai.Type[point](r, "Point").Doc("A point.")
		p.Get("x", func(p *point) int { return p.x })
		p.Set("x", func(p *point, x int) { p.x = x })
		p.Operator("+", func(a, b point) point { return a })
		rhai.Iter(p, func(point) iter.Seq[int] { return nil })
		r.Func("sum", func(first float64, rest ...float64) float64 { return 0 }).Describe("Adds numbers.\nAny number of them.", "first", "rest")
		r.Func("log", func(text string, fields map[string]any) {}).Describe("", "text", "fields")
		r.Func("clock", func() (rhai.Value, error) { return rhai.Value{}, nil })
	}), rhai.WithModules(rhai.Modules{
		"geo": rhai.NewModule().Set("UNIT", 1).Func("area", func(a, b int) int { return a * b }).
			AddModule("deep", rhai.NewModule().Func("f", func([]byte) []string { return nil })),
		"script": rhai.ScriptModule(`fn g() { 1 }`),
	}))
}

func TestDefinitions(t *testing.T) {
	const want = `module static;

op +(Point, Point) -> Point;

fn clock() -> ?;

fn get x(_: Point) -> int;

fn log(text: String, fields: Map) -> ();

fn set x(_: Point, _: int) -> ();

/// Adds numbers.
/// Any number of them.
fn sum(first: float, ...rest: float) -> float;

module geo {
	const UNIT: int;

	fn area(_: int, _: int) -> int;

	module deep {
		fn f(_: Blob) -> Array;
	}
}
`
	if got := described().Metadata(false).Definitions(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMetadataJSON(t *testing.T) {
	text, err := json.Marshal(described().Metadata(false))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"namespace":"global","access":"public","name":"sum","isAnonymous":false,"type":"native","numParams":2,` +
			`"params":[{"name":"first","type":"f64"},{"name":"rest","type":"f64"}],"isVariadic":true,"returnType":"f64",` +
			`"signature":"sum(first: f64, ...rest: f64) -> f64","docComments":["/// Adds numbers.","/// Any number of them."]}`,
		`"customTypes":[{"typeName":"Point","docComments":["/// A point."]}]`,
		`"modules":{"geo":{"functions":[{"namespace":"internal","access":"public","name":"area",`,
		`"constants":[{"name":"UNIT","type":"i64"}]`,
	} {
		if !strings.Contains(strings.ReplaceAll(string(text), `\u003e`, ">"), want) {
			t.Errorf("got\n%s\nwant in it\n%s", text, want)
		}
	}
	all := described().Metadata(true)
	if n := len(all.Functions); n < 300 {
		t.Errorf("got %d functions with the standard library", n)
	}
}
