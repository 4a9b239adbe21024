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
	unsimplified, _ := before(source) // where a part is taken out of it before it is simplified
	if base, _ := before(e); isContainer(base) {
		if stmt, ok := unsimplified.(syntax.Stmt); ok && !wrapsComputed(stmt) {
			return e
		}
	}
	if !isContainer(unsimplified) || computes(unsimplified) {
		unsimplified = nil
	}
	switch n := e.(type) {
	case *syntax.Property:
		if x := s.entry(n.Base, n.Name.Text, unsimplified); x != nil {
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
		switch key := key.(type) {
		case *syntax.String:
			if x := s.entry(n.Base, key.Value, unsimplified); x != nil {
				return x
			}
		case *syntax.Int:
			if _, literal := source.(*syntax.Index).Key.(*syntax.Int); !literal && unsimplified != nil {
				return e
			}
			if x := item(n.Base, key.Value, n.Base.Position(), unsimplified); x != nil {
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
func computes(e syntax.Expr) bool {
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

// partAt is a part of a constant container, at the container's place. What the reference has taken out of it as an
// operator or a statement has its own.
func partAt(x, unsimplified syntax.Expr, pos syntax.Pos) syntax.Expr {
	_, choice := x.(*syntax.Switch)
	_, statement := unsimplified.(syntax.Stmt)
	nothing := statement && isUnit(x) && x.Position() == unsimplified.Position() // is left of it
	if b, ok := unsimplified.(*syntax.Binary); statement && !choice && !nothing || ok && isLogical(b.Op) {
		return x
	}
	return constantAt(x, pos)
}

// entry is a property of a constant map, which may be given by its name; nil for anything else.
func (s *simplifier) entry(base syntax.Expr, name string, unsimplified syntax.Expr) syntax.Expr {
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
	switch source, ok := unsimplified.(*syntax.Map); {
	case x == nil:
		return &syntax.Unit{Pos: pos}
	case named:
		return read(x, pos)
	case ok:
		return partAt(x, find(source, name), pos)
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

// item is an item of a constant array, a character of a constant string or a bit of a constant int; nil when there is
// none.
func item(base syntax.Expr, n int64, pos syntax.Pos, unsimplified syntax.Expr) syntax.Expr {
	index := func(length int) int {
		if n < 0 {
			n += int64(length)
		}
		if n < 0 || n >= int64(length) {
			return -1
		}
		return int(n)
	}
	switch b := base.(type) {
	case *syntax.Array:
		if i := index(len(b.Items)); i >= 0 && isIdle(b) {
			if source, ok := unsimplified.(*syntax.Array); ok {
				return partAt(b.Items[i], source.Items[i], pos)
			}
			return constantAt(b.Items[i], pos)
		}
	case *syntax.String:
		text := []rune(b.Value)
		if i := index(len(text)); i >= 0 {
			return &syntax.Char{Pos: pos, Value: text[i]}
		}
	case *syntax.Int:
		if i := index(64); i >= 0 {
			return &syntax.Bool{Pos: pos, Value: b.Value>>i&1 == 1}
		}
	}
	return nil
}
