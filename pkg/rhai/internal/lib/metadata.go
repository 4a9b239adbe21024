package lib

import "circles/pkg/rhai/value"

// metadata adds what tells of the script's own functions.
func metadata(r *value.Registry) {
	list := func(c value.Context, args []value.Value) (value.Value, error) {
		var items []value.Value
		for _, f := range c.Functions() {
			if len(args) > 0 && f.Name != args[0].Text() || len(args) > 1 && int64(len(f.Params)) != args[1].Int() {
				continue
			}
			items = append(items, describe(f))
			if err := c.Limits().CheckArray(len(items)); err != nil {
				return value.Value{}, err
			}
			if err := c.Reserve(describedBytes); err != nil {
				return value.Value{}, err
			}
		}
		return value.NewArray(items), nil
	}
	pure(r, "get_fn_metadata_list", list)
	pure(r, "get_fn_metadata_list", list, tStr)
	pure(r, "get_fn_metadata_list", list, tStr, tInt)
}

// describedBytes is about what the description of a function takes.
const describedBytes = 1024

func describe(f value.FnInfo) value.Value {
	m := value.NewMap(6)
	m.Set("name", value.Str(f.Name))
	access := "public"
	if f.Private {
		access = "private"
	}
	m.Set("access", value.Str(access))
	anonymous := value.NewFnPtr(f.Name, nil, nil).FnPtr().IsAnonymous()
	m.Set("is_anonymous", value.Bool(anonymous))
	m.Set("params", texts(f.Params))
	if f.ThisType != "" {
		m.Set("this_type", value.Str(canonicalType(f.ThisType)))
	}
	if len(f.Doc) > 0 {
		m.Set("comments", texts(f.Doc))
	}
	return m.Value()
}

func texts(list []string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.Str(s)
	}
	return value.NewArray(items)
}
