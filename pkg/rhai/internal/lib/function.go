package lib

import (
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// maxCurried is how many arguments one call of curry can add.
const maxCurried = 32

// functions adds what makes function pointers and tells of them. Calling one is the machine's.
func functions(r *value.Registry) {
	pure(r, "Fn", func(c value.Context, args []value.Value) (value.Value, error) {
		if !args[0].IsString() {
			return value.Value{}, value.TypeMismatch("string", args[0].RustName())
		}
		name := args[0].Text()
		if err := functionName(c, name); err != nil {
			return value.Value{}, err
		}
		return value.NewFnPtr(name, nil, nil), nil
	}, tAny)
	params := []value.Type{tAny}
	for range maxCurried {
		params = append(params, tAny)
		pure(r, "curry", curry, params...)
	}
	name := func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Str(args[0].FnPtr().Name), nil
	}
	pure(r, "name", name, tFn)
	pure(r, value.Getter("name"), name, tFn)
	anonymous := func(_ value.Context, args []value.Value) (value.Value, error) {
		return value.Bool(args[0].FnPtr().IsAnonymous()), nil
	}
	pure(r, "is_anonymous", anonymous, tFn)
	pure(r, value.Getter("is_anonymous"), anonymous, tFn)
	pure(r, "is_def_fn", func(c value.Context, args []value.Value) (value.Value, error) {
		n := args[1].Int()
		return value.Bool(0 <= n && n < 1<<16 && c.HasFn(args[0].Text(), int(n))), nil
	}, tStr, tInt)
	pure(r, "is_def_fn", func(c value.Context, args []value.Value) (value.Value, error) {
		this, name, n := args[0].Text(), args[1].Text(), args[2].Int()
		for _, f := range c.Functions() {
			if canonicalType(f.ThisType) == this && f.Name == name && int64(len(f.Params)) == n {
				return value.Bool(true), nil
			}
		}
		return value.Bool(false), nil
	}, tStr, tStr, tInt)
	pure(r, "is_def_fn", func(_ value.Context, args []value.Value) (value.Value, error) {
		for _, x := range args[:2] {
			if !x.IsString() {
				return value.Value{}, value.TypeMismatch("string", x.RustName())
			}
		}
		return value.Value{}, value.TypeMismatch("i64", args[2].RustName())
	}, tAny, tAny, tAny)
	pure(r, "is_def_fn", func(_ value.Context, args []value.Value) (value.Value, error) {
		if !args[0].IsString() {
			return value.Value{}, value.TypeMismatch("string", args[0].RustName())
		}
		return value.Value{}, value.TypeMismatch("i64", args[1].RustName())
	}, tAny, tAny)
}

func curry(_ value.Context, args []value.Value) (value.Value, error) {
	if args[0].Kind() != value.KindFnPtr {
		return value.Value{}, value.TypeMismatch("Fn", args[0].TypeName())
	}
	f := args[0].FnPtr()
	curried := append(f.Curry[:len(f.Curry):len(f.Curry)], args[1:]...)
	return value.NewFnPtr(f.Name, f.Target, curried), nil
}

// canonicalType is what the reference calls a type that the source may name otherwise.
func canonicalType(name string) string {
	switch name {
	case "int":
		return "i64"
	case "float":
		return "f64"
	}
	return name
}

// functionName is the error for a name that no function can have. A long one is looked at aside.
func functionName(c value.Context, name string) error {
	if len(name) <= value.Searched {
		return nameError(name)
	}
	wrong, err := aside(c, func() error { return nameError(name) })
	if err != nil {
		return err
	}
	return wrong
}

func nameError(name string) error {
	tokens := syntax.Tokens(name, syntax.Options{})
	if len(tokens) != 1 || (tokens[0].Text != name && tokens[0].Kind != "error") {
		return value.FunctionNotFound(name)
	}
	what := tokens[0].Kind
	switch name {
	case "in":
		what = "keyword"
	case "->", "<-", "===", "!==", ":=", "::<", "(*", "*)": // of other languages: no tokens here
		what = "symbol"
	}
	switch what {
	case "identifier":
		return nil
	case "reserved", "keyword", "symbol":
		if what == "reserved" {
			what = "keyword"
		}
		e := value.NewError(value.ErrParsing, "Syntax error: '"+name+"' is a reserved "+what)
		e.ParseKind = syntax.Reserved
		return e
	}
	return value.FunctionNotFound(name)
}
