package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
)

// wholePath simplifies a path from its last step on. A key there is not computed when it is a path, but begins at the value
// of a constant.
func (s *simplifier) wholePath(e syntax.Expr) syntax.Expr {
	n, ok := e.(*syntax.Index)
	if !ok {
		return shortened(s.path(e))
	}
	if base, key := s.path(n.Base), s.based(s.key(n.Key)); base != n.Base || key != n.Key {
		n = &syntax.Index{Pos: n.Pos, Base: base, Key: key, Safe: n.Safe}
	}
	return shortened(n)
}

// based is a path that begins at a constant's value instead of its name.
func (s *simplifier) based(e syntax.Expr) syntax.Expr {
	switch n := e.(type) {
	case *syntax.Ident:
		if len(n.Namespace) == 0 {
			if v := s.constant(n.Name); v != nil {
				return read(v, n.Pos)
			}
		}
	case *syntax.Property:
		if base := s.based(n.Base); base != n.Base {
			return &syntax.Property{Pos: n.Pos, Base: base, Name: n.Name, Safe: n.Safe}
		}
	case *syntax.Index:
		if base := s.based(n.Base); base != n.Base {
			return &syntax.Index{Pos: n.Pos, Base: base, Key: n.Key, Safe: n.Safe}
		}
	case *syntax.Method:
		if base := s.based(n.Base); base != n.Base {
			return &syntax.Method{Pos: n.Pos, Base: base, Name: n.Name, Args: n.Args, Safe: n.Safe}
		}
	}
	return e
}

// shortened is a path up to its first key that is unit, where the reference takes what follows for a path of its own
// that begins at the key, by a step that it has to do without.
func shortened(e syntax.Expr) syntax.Expr {
	out := e
	for base, safe := before(e); base != nil; base, safe = before(base) {
		if at, ok := base.(*syntax.Index); ok && safe && isUnit(at.Key) {
			out = base
		}
	}
	return out
}

// before is what a path's last step leads on from, and whether the path ends at unit there; nil for what is no step.
func before(e syntax.Expr) (base syntax.Expr, safe bool) {
	switch n := e.(type) {
	case *syntax.Property:
		return n.Base, n.Safe
	case *syntax.Method:
		return n.Base, n.Safe
	case *syntax.Index:
		return n.Base, n.Safe
	}
	return nil, false
}

// path simplifies the keys and arguments of a chain, and what it starts at unless that is a variable: constants are
// reached by their names there.
func (s *simplifier) path(e syntax.Expr) syntax.Expr {
	switch n := e.(type) {
	case *syntax.Ident:
		return n
	case *syntax.Property:
		if base := s.path(n.Base); base != n.Base {
			return &syntax.Property{Pos: n.Pos, Base: base, Name: n.Name, Safe: n.Safe}
		}
		return n
	case *syntax.Index:
		if base, key := s.path(n.Base), s.expr(n.Key); base != n.Base || key != n.Key {
			return &syntax.Index{Pos: n.Pos, Base: base, Key: key, Safe: n.Safe}
		}
		return n
	case *syntax.Method:
		if base, args := s.path(n.Base), s.exprs(n.Args); base != n.Base || !sameList(args, n.Args) {
			return &syntax.Method{Pos: n.Pos, Base: base, Name: n.Name, Args: args, Safe: n.Safe}
		}
		return n
	}
	out := s.expr(e)
	switch out.(type) {
	case *syntax.Property, *syntax.Index, *syntax.Method:
		// What a statement yields is a copy: its own path is another one.
		return &syntax.Block{Pos: out.Position(), Body: []syntax.Stmt{&syntax.ExprStmt{X: out}}}
	}
	return out
}

// key simplifies what indexes. A path is not computed there.
func (s *simplifier) key(e syntax.Expr) syntax.Expr {
	switch e.(type) {
	case *syntax.Property, *syntax.Index, *syntax.Method:
		return s.wholePath(e)
	}
	return s.expr(e)
}

// element is the part of a constant that a simplified path of one step leads to, or the path. Of the constants that
// have a name, these are the properties of maps.
func (s *simplifier) element(e, source syntax.Expr) syntax.Expr {
	if unit := missing(e); unit != nil {
		return unit
	}
	from, _ := before(source)
	if base, _ := before(e); isContainer(base) {
		if stmt, ok := from.(syntax.Stmt); ok && !wrapsComputed(stmt) {
			return e
		}
	}
	var at stage
	if isContainer(from) {
		at = s.stage(from)
	}
	switch n := e.(type) {
	case *syntax.Property:
		if x := s.entry(n.Base, n.Name.Text, from, at.constant); x != nil {
			return x
		}
	case *syntax.Method:
		if n.Name.Text == "is_shared" && len(n.Args) == 0 && plain(n.Base) {
			return &syntax.Bool{Pos: n.Name.Pos}
		}
		if v, ok := constantValue(n.Base); ok && n.Name.Text == "type_of" && len(n.Args) == 0 {
			return &syntax.String{Pos: n.Name.Pos, Value: v.TypeName()}
		}
	case *syntax.Index:
		key := n.Key
		if v, ok := fold(key); ok { // at every level of optimization
			key = literal(v, key.Position())
		}
		index, ok := source.(*syntax.Index)
		if !ok {
			break
		}
		known := s.stage(index.Key).literal
		switch key := key.(type) {
		case *syntax.String:
			if x := s.entry(n.Base, key.Value, from, max(at.constant, known)); x != nil {
				return x
			}
		case *syntax.Int:
			if isContainer(from) && known > at.literal {
				return e // it has become a value as a whole
			}
			if x := s.item(n.Base, key.Value, from, max(at.constant, known)); x != nil {
				return x
			}
		}
	}
	return e
}

// missing is the unit that a path begins at, by a step that it has to do without; nil when it begins otherwise.
func missing(e syntax.Expr) syntax.Expr {
	unless := false
	for base, safe := before(e); base != nil; base, safe = before(e) {
		e, unless = base, safe
	}
	if unless && isUnit(e) {
		return e
	}
	return nil
}

// wrapsComputed tells whether a statement is a block around nothing but an expression with operators or calls in it, which
// the reference looks at once more when it has computed these.
func wrapsComputed(stmt syntax.Stmt) bool {
	block, ok := stmt.(*syntax.Block)
	if !ok || len(block.Body) != 1 {
		return false
	}
	found := false
	inspect(block.Body[0], func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.Binary, *syntax.Unary, *syntax.Call:
			found = true
		case *syntax.Closure:
			return false
		}
		return !found
	})
	return found
}

// computes tells whether the reference has more to do for an expression than to look up what it is made of.
func computes(e syntax.Node) bool {
	found := false
	inspect(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Binary:
			found = found || !isLogical(n.Op) || slices.ContainsFunc(operands(n, n.Op, nil), func(e syntax.Expr) bool {
				return !plain(e) && (names(e) || computes(e))
			})
			return false
		case *syntax.Block, *syntax.If, *syntax.Switch:
			found = found || names(n)
		case *syntax.Closure:
			return false
		case *syntax.Call:
			found = found || !isFn(n)
			return false
		case *syntax.Method, *syntax.Property, *syntax.Index, *syntax.Unary, *syntax.Let, *syntax.Assign:
			found = true
		}
		return !found
	})
	return found
}

func isLogical(op string) bool { return op == "&&" || op == "||" || op == "??" }

// names tells whether there are variables in a node.
func names(n syntax.Node) bool {
	found := false
	inspect(n, func(n syntax.Node) bool {
		_, ok := n.(*syntax.Ident)
		found = found || ok
		return !found
	})
	return found
}

// partAt is a part of a constant container, at the container's place. What the reference has taken out of it, after so
// many passes, before it was a literal has its own.
func (s *simplifier) partAt(x, source syntax.Expr, pos syntax.Pos, passes int) syntax.Expr {
	_, choice := x.(*syntax.Switch)
	nothing := isUnit(x) && x.Position() == source.Position() // is left of a statement
	switch source.(type) {
	case *syntax.Array, *syntax.Map, *syntax.Interpolated: // whose place is that of what it becomes
	default:
		if !choice && !nothing && s.stage(source).literal > passes {
			return x
		}
	}
	return constantAt(x, pos)
}

// entry is a property of a constant map, which may be given by its name, taken out of its source after so many passes; nil
// for anything else.
func (s *simplifier) entry(base syntax.Expr, name string, from syntax.Expr, passes int) syntax.Expr {
	pos := base.Position()
	id, named := base.(*syntax.Ident)
	if named && len(id.Namespace) == 0 {
		base = s.constant(id.Name)
	}
	m, ok := base.(*syntax.Map)
	if !ok || !isIdle(m) {
		return nil
	}
	x := find(m, name)
	switch source, ok := from.(*syntax.Map); {
	case x == nil:
		return &syntax.Unit{Pos: pos}
	case named:
		return read(x, pos)
	case ok:
		return s.partAt(x, find(source, name), pos, passes)
	}
	return constantAt(x, pos)
}

// find is the value of a key of a map; nil when there is none.
func find(m *syntax.Map, key string) syntax.Expr {
	for _, x := range m.Entries {
		if x.Key.Text == key {
			return x.Value
		}
	}
	return nil
}

// item is an item of a constant array, a character of a constant string or a bit of a constant int, taken out of its source
// after so many passes; nil when there is none.
func (s *simplifier) item(base syntax.Expr, n int64, from syntax.Expr, passes int) syntax.Expr {
	pos := base.Position()
	switch b := base.(type) {
	case *syntax.Array:
		if i := within(n, len(b.Items)); i >= 0 && isIdle(b) {
			if source, ok := from.(*syntax.Array); ok {
				return s.partAt(b.Items[i], source.Items[i], pos, passes)
			}
			return constantAt(b.Items[i], pos)
		}
	case *syntax.String:
		text := []rune(b.Value)
		if i := within(n, len(text)); i >= 0 {
			return &syntax.Char{Pos: pos, Value: text[i]}
		}
	case *syntax.Int:
		if i := within(n, 64); i >= 0 {
			return &syntax.Bool{Pos: pos, Value: b.Value>>i&1 == 1}
		}
	}
	return nil
}

// within is what an index means in that many items; negative where it is none.
func within(n int64, length int) int {
	if n < 0 {
		n += int64(length)
	}
	if n < 0 || n >= int64(length) {
		return -1
	}
	return int(n)
}
