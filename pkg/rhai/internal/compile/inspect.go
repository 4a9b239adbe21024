package compile

import "circles/pkg/rhai/syntax"

// inspect calls visit for a node and, where visit returns true, for what is inside of it.
func inspect(n syntax.Node, visit func(syntax.Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	expr := func(e syntax.Expr) {
		if e != nil {
			inspect(e, visit)
		}
	}
	block := func(b *syntax.Block) {
		if b != nil {
			inspect(b, visit)
		}
	}
	list := func(es []syntax.Expr) {
		for _, e := range es {
			expr(e)
		}
	}
	switch n := n.(type) {
	case *syntax.Interpolated:
		list(n.Parts)
	case *syntax.Array:
		list(n.Items)
	case *syntax.Map:
		for _, e := range n.Entries {
			expr(e.Value)
		}
	case *syntax.Closure:
		inspect(n.Body, visit)
	case *enclosed:
		inspect(n.Closure, visit)
	case *syntax.Unary:
		expr(n.Operand)
	case *syntax.Binary:
		expr(n.Left)
		expr(n.Right)
	case *syntax.Call:
		list(n.Args)
	case *syntax.Property:
		expr(n.Base)
	case *syntax.Method:
		expr(n.Base)
		list(n.Args)
	case *syntax.Index:
		expr(n.Base)
		expr(n.Key)
	case *syntax.Custom:
		list(n.Inputs)
	case *syntax.Block:
		for _, s := range n.Body {
			inspect(s, visit)
		}
	case *syntax.If:
		expr(n.Cond)
		block(n.Then)
		if n.Else != nil {
			inspect(n.Else, visit)
		}
	case *syntax.Switch:
		expr(n.Subject)
		for _, c := range n.Cases {
			list(c.Values)
			expr(c.Guard)
			inspect(c.Body, visit)
		}
		if n.Default != nil {
			inspect(n.Default, visit)
		}
	case *syntax.While:
		expr(n.Cond)
		block(n.Body)
	case *syntax.Loop:
		block(n.Body)
	case *syntax.Do:
		block(n.Body)
		expr(n.Cond)
	case *syntax.For:
		expr(n.Iterable)
		block(n.Body)
	case *syntax.ExprStmt:
		expr(n.X)
	case *syntax.Let:
		expr(n.Value)
	case *syntax.Assign:
		expr(n.Target)
		expr(n.Value)
	case *syntax.Break:
		expr(n.Value)
	case *syntax.Return:
		expr(n.Value)
	case *syntax.Throw:
		expr(n.Value)
	case *syntax.Try:
		block(n.Body)
		block(n.Catch)
	case *syntax.Import:
		expr(n.Path)
	}
}

// HasFunctions tells whether a script defines functions or has closures, be they reached or not.
func HasFunctions(script *syntax.Script) bool {
	found := len(script.Functions) > 0
	for _, s := range script.Body {
		inspect(s, func(n syntax.Node) bool {
			_, closure := n.(*syntax.Closure)
			found = found || closure
			return !found
		})
	}
	return found
}

// usesThis tells whether a function's own code says `this`: what its closures say is theirs.
func usesThis(body []syntax.Stmt) bool {
	found := false
	for _, s := range body {
		inspect(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Closure:
				return false
			case *syntax.This:
				found = true
			case *syntax.Call:
				found = found || n.Name == "eval" && len(n.Args) == 1
			}
			return !found
		})
	}
	return found
}

// analyse finds which variables of the function may be captured.
func (f *fn) analyse(body []syntax.Stmt) {
	for _, s := range body {
		inspect(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Closure:
				if f.captured == nil && len(n.Captures) > 0 {
					f.captured = map[string]bool{}
				}
				for _, name := range n.Captures {
					f.captured[name.Text] = true
				}
			case *syntax.Import:
				f.imports = true
			case *syntax.Custom:
				f.all = f.all || n.Syntax.ChangesScope
			case *syntax.Call:
				f.all = f.all || n.Name == "eval" && len(n.Args) == 1 || n.CaptureScope
				f.imports = f.imports || f.all
			}
			return true
		})
	}
}

// quiet tells whether evaluating an expression can't change any variable, so that operands evaluated before it may be
// read after it.
func (f *fn) quiet(e syntax.Expr) bool {
	ok := true
	inspect(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Block, *syntax.If, *syntax.Switch, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For,
			*syntax.Method, *syntax.Custom, *syntax.Interpolated:
			ok = false
		case *syntax.Call:
			// A script's function sees none of the caller's variables; any other may write to its first argument.
			if len(n.Namespace) > 0 {
				ok = ok && len(n.Args) == 0
			} else if len(n.Args) > 0 {
				_, literal := fold(n.Args[0])
				ok = ok && (literal || f.c.unit.Find(n.Name, len(n.Args)) != nil) && !n.CaptureScope
			}
		case *syntax.Closure:
			return false
		}
		return ok
	})
	return ok
}

// inert tells whether it does not matter when an expression is evaluated among others that are quiet: it calls nothing
// and can't fail.
func (f *fn) inert(e syntax.Expr) bool {
	ok := f.quiet(e)
	inspect(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Ident:
			v := f.lookup(n.Name)
			ok = ok && len(n.Namespace) == 0 && v != nil && !v.extern
		case *syntax.Call, *syntax.Unary, *syntax.Binary, *syntax.Property, *syntax.Index:
			_, known := fold(n.(syntax.Expr))
			ok = ok && known
		case *syntax.Closure:
			for _, c := range n.Captures {
				v := f.lookup(c.Text)
				ok = ok && v != nil && !v.extern
			}
			return false
		}
		return ok
	})
	return ok
}

func (f *fn) allInert(list []syntax.Expr) bool {
	for _, e := range list {
		if !f.inert(e) {
			return false
		}
	}
	return true
}

// writesLast tells whether the code of an expression writes its destination by its last instruction only.
func writesLast(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Block, *syntax.If, *syntax.Switch, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For, *syntax.Custom:
		return false
	case *syntax.Binary:
		return e.Op != "&&" && e.Op != "||" && e.Op != "??"
	case *syntax.Property, *syntax.Index, *syntax.Method:
		return !safe(e)
	}
	return true
}

// safe tells whether a path has a `?.` or `?[` in it.
func safe(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Property:
		return e.Safe || safe(e.Base)
	case *syntax.Index:
		return e.Safe || safe(e.Base)
	case *syntax.Method:
		return e.Safe || safe(e.Base)
	}
	return false
}
