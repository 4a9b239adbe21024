package compile

import (
	"slices"

	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// simplify gives a script without the parts that the reference leaves out before it runs one, and with constants in
// the place of their names. That is visible: what is left out can't fail, and the value of a block is that of the last
// statement that stays. So it is done at every level of optimization; but for the sources of eval, which the reference
// runs as they are written. The script itself is not changed.
func simplify(script *syntax.Script, options Options) *syntax.Script {
	s := simplifier{keepNames: options.Resolve, keepDead: options.Level == Literal}
	body := s.list(script.Body, true, false)
	if len(script.Functions) == 0 && sameList(body, script.Body) {
		return script
	}
	out := *script
	out.Body = body
	out.Functions = slices.Clone(script.Functions)
	for i, fn := range script.Functions {
		inner := simplifier{keepNames: s.keepNames, keepDead: s.keepDead}
		if body := inner.list(fn.Body.Body, true, false); !sameList(body, fn.Body.Body) {
			changed := *fn
			changed.Body = &syntax.Block{Pos: fn.Body.Pos, Body: body, End: fn.Body.End}
			out.Functions[i] = &changed
		}
	}
	return &out
}

// sameList tells whether a list is all of another one, in its memory: simplified to itself. So are nodes, which are
// copied only where something below them is another, since most are not.
func sameList[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// simplifier is the state of one function, or of the global level.
type simplifier struct {
	bindings  []binding // of let and const, innermost last; the reference does not take the variables of loops for any
	catching  bool      // within a catch, where to throw unit is to throw on
	evals     int       // how many calls of eval were met
	evaluated int       // how many of these were in the statements around: the reference leaves names alone from there on
	called    bool      // calls that are statements are looked at once more, when one is in the statements before
	again     bool      // names are looked at once more, too, since one is in a statement before that is a call only by now
	unchosen  int       // how many of those in the statements around were in cases that are not chosen
	ended     int       // how many were in the last list
	joins     bool      // the next list goes on with the one around it
	keepNames bool      // the host is asked for variables first
	keepDead  bool      // what is known not to be reached stays, and operators are not computed

	runs  map[*syntax.Binary]stage                      // of runs of logical operators that are constants
	texts map[*syntax.Interpolated]*syntax.Interpolated // what became text, as it was before
}

// binding is a variable, with its value when it is a constant that the source gives.
type binding struct {
	name   string
	value  syntax.Expr
	source syntax.Expr // of the value, before it was simplified
}

// list simplifies statements; the value of the last one is wanted or not. Within a block, what the last ones define
// can have no use.
func (s *simplifier) list(body []syntax.Stmt, wanted, block bool) []syntax.Stmt {
	mark, evaluated, called, again, joins := len(s.bindings), s.evaluated, s.called, s.again, s.joins
	s.called, s.joins = called && joins, false
	defer func() {
		s.bindings, s.called, s.again = s.bindings[:mark], called || joins && s.called, again || joins && s.again
		if s.ended = s.evaluated - evaluated; !joins {
			s.evaluated = evaluated
		}
	}()
	for len(body) > 0 && empty(body[len(body)-1]) {
		body = body[:len(body)-1]
	}
	out := body[:0:0]
	var previous, kept syntax.Stmt // the sources of the last two in out
	for i, stmt := range body {
		last := i == len(body)-1
		before := s.evaluated
		if s.again && !(last && wanted) && idle(stmt) {
			continue // it is left out before names in it are looked at
		}
		x, ok := stmt.(*syntax.ExprStmt)
		call := ok && isCall(x.X)
		if call && s.called && !isClosure(x.X) {
			s.evaluated++
		}
		known, unchosen, called := s.evaluated, s.unchosen, s.called
		stmt = s.stmt(stmt, wanted && last)
		if call {
			s.called = called || s.evaluated > known
		}
		switch left, expr := stmt.(*syntax.ExprStmt); {
		case call && !(s.again && s.evaluated > known):
			s.evaluated = before
		case !call && (stmt == nil || expr && isCall(left.X) || s.evaluated-known == s.unchosen-unchosen) && s.evaluated > known && !s.called:
			s.evaluated, s.again = before, true
		}
		_, loops := stmt.(*syntax.While)
		if stmt != nil && (last && !(loops && len(out) > 0 && idle(stmt)) || !idle(stmt)) {
			if len(out) == i && stmt == body[i] && (i == 0 || &out[0] == &body[0]) {
				out = body[: i+1 : i+1]
			} else {
				out = append(out, stmt)
			}
			previous, kept = kept, body[i]
		} else if last && wanted {
			out = yieldUnit(out, kept, body[i].Position())
		}
		if !wanted || block {
			continue
		}
		if before, returns := untilReturn(stmt, body[i]); returns { // it is gone, and so is what follows
			out = out[: len(out)-1 : len(out)-1]
			if before != nil {
				out, previous = append(out, before), before
			}
			return yieldUnit(out, previous, stmt.Position())
		}
	}
	switch {
	case !wanted:
		for len(out) > 0 && (idle(out[len(out)-1]) || block && defines(out[len(out)-1])) {
			out = out[: len(out)-1 : len(out)-1]
		}
	case block:
		out = withoutIdleDefinitions(out)
	}
	return out
}

// onlyReturns tells whether a simplified statement does nothing but return, without a value.
func onlyReturns(stmt syntax.Stmt) bool {
	switch n := stmt.(type) {
	case *syntax.Return:
		return n.Value == nil
	case *syntax.Block:
		return len(n.Body) > 0 && onlyReturns(n.Body[0])
	case *syntax.If: // that stays although it is decided
		yes, ok := condition(n.Cond)
		return ok && (yes && onlyReturns(n.Then) || !yes && n.Else != nil && onlyReturns(n.Else))
	}
	return false
}

// untilReturn is what comes before a return without a value in a simplified statement, and whether there is one: the
// statement, or one in a block that goes on with the list around it. What comes before may be nothing.
func untilReturn(stmt, source syntax.Stmt) (before syntax.Stmt, returns bool) {
	if onlyReturns(stmt) {
		return nil, true
	}
	b, ok := stmt.(*syntax.Block)
	if from, isBlock := source.(*syntax.Block); !ok || !isBlock || isScope(from) {
		return nil, false
	}
	for i, x := range b.Body {
		before, returns := untilReturn(x, x)
		if !returns {
			continue
		}
		list := b.Body[:i:i]
		if before != nil {
			list = append(list, before)
		}
		if len(list) == 0 {
			return nil, true
		}
		return &syntax.Block{Pos: b.Pos, Body: list, End: b.End}, true
	}
	return nil, false
}

// empty tells whether a statement is a block with nothing in it, which is as if it were not there.
func empty(stmt syntax.Stmt) bool {
	b, ok := stmt.(*syntax.Block)
	return ok && !slices.ContainsFunc(b.Body, func(x syntax.Stmt) bool { return !empty(x) })
}

// yieldUnit makes unit the value of a list of statements whose last one is gone. The reference takes it for granted of
// some statements, although a try and a loop may have other values, also where they are the last of a block that defines
// nothing, or all that is left of a choice. The source of the last statement tells these two apart.
func yieldUnit(list []syntax.Stmt, source syntax.Stmt, pos syntax.Pos) []syntax.Stmt {
	if len(list) == 0 {
		return list
	}
	last := list[len(list)-1]
	for {
		if choice, ok := last.(*syntax.If); ok { // that stays although it is decided
			if yes, known := condition(choice.Cond); known && yes {
				last = choice.Then
			} else if known && choice.Else != nil {
				last = choice.Else
			}
		}
		block, ok := last.(*syntax.Block)
		from, isBlock := source.(*syntax.Block)
		if !ok || len(block.Body) == 0 || len(block.Body) > 1 && !isBlock || isScope(block) {
			break
		}
		last, source = block.Body[len(block.Body)-1], nil
		for i := len(block.Body) - 1; isBlock && i < len(from.Body); i++ { // what is left out may stand behind
			if _, inner := from.Body[i].(*syntax.Block); inner {
				source = from.Body[i]
			}
		}
	}
	switch last.(type) {
	case *syntax.Let, *syntax.Assign, *syntax.Import, *syntax.Export, *syntax.While, *syntax.Loop, *syntax.Do, *syntax.For, *syntax.Try:
		return list
	}
	return append(list, unitStmt(pos))
}

// withoutIdleDefinitions leaves out definitions at the end of a block, where the value that comes behind them, if any,
// is a constant.
func withoutIdleDefinitions(list []syntax.Stmt) []syntax.Stmt {
	if len(list) == 0 {
		return list
	}
	end := list[len(list)-1]
	x, isExpr := end.(*syntax.ExprStmt)
	if !defines(end) && !(isExpr && plain(x.X) && !closesOver(x.X)) {
		return list
	}
	n := len(list) - 1
	for n > 0 && defines(list[n-1]) {
		n--
	}
	if isExpr {
		if n == len(list)-1 {
			return list
		}
		return append(list[:n:n], end)
	}
	return yieldUnit(list[:n:n], nil, end.Position())
}

// stmt simplifies a statement, whose value is wanted or not. It is nil when nothing is left.
func (s *simplifier) stmt(stmt syntax.Stmt, wanted bool) syntax.Stmt {
	switch n := stmt.(type) {
	case *syntax.ExprStmt:
		if inner, ok := n.X.(syntax.Stmt); ok {
			evaluated := s.evaluated
			defer func() { s.evaluated = evaluated }()
			if b, ok := inner.(*syntax.Block); ok {
				return enclose(s.selected(func() syntax.Stmt { return s.blockStmt(b, wanted, false) }))
			}
			return enclose(s.stmt(inner, wanted))
		}
		x := s.expr(n.X)
		switch left, ok := x.(syntax.Stmt); n.X.(type) {
		case *syntax.Binary:
			if ok {
				return s.stmt(left, wanted)
			}
		case *syntax.Property, *syntax.Index: // a choice that was taken out of a container
			if ok && !wanted && constant(x) {
				return nil
			}
		}
		if x != n.X {
			return &syntax.ExprStmt{X: x}
		}
		return n
	case *syntax.Block:
		out := s.blockStmt(n, wanted, !isScope(n))
		s.unwrapped(out)
		return out
	case *syntax.If:
		return s.ifStmt(n, wanted, s.keepDead)
	case *syntax.Switch:
		return s.switchStmt(n, wanted)
	case *syntax.While:
		cond := s.expr(n.Cond)
		if yes, ok := condition(cond); ok && !yes && !s.keepDead {
			return nil
		}
		if isUnit(cond) { // as the reference has it
			cond = &syntax.Bool{Pos: cond.Position(), Value: true}
		}
		return &syntax.While{Pos: n.Pos, Cond: cond, Body: s.block(n.Body, false)}
	case *syntax.Loop:
		return &syntax.Loop{Pos: n.Pos, Body: s.block(n.Body, false)}
	case *syntax.Do:
		body := s.block(n.Body, false)
		return &syntax.Do{Pos: n.Pos, Body: body, Cond: s.expr(n.Cond), Until: n.Until}
	case *syntax.For:
		over := s.expr(n.Iterable)
		body := s.block(n.Body, false)
		if constant(over) && len(body.Body) == 0 {
			return nil
		}
		return &syntax.For{Pos: n.Pos, Name: n.Name, Counter: n.Counter, Iterable: over, Body: body}
	case *syntax.Try:
		outer := s.catching
		s.catching = false
		body := s.block(n.Body, false)
		s.catching = true
		catch := s.block(n.Catch, false)
		s.catching = outer
		if !slices.ContainsFunc(body.Body, func(x syntax.Stmt) bool { return !idle(x) }) {
			return nil
		}
		return &syntax.Try{Pos: n.Pos, Body: body, Name: n.Name, Catch: catch}
	case *syntax.Let:
		return s.let(n)
	case *syntax.Assign:
		return s.assign(n)
	case *syntax.Break:
		if v := s.maybe(n.Value); v != n.Value {
			return &syntax.Break{Pos: n.Pos, Value: v}
		}
	case *syntax.Return:
		v := s.maybe(n.Value)
		if _, choice := n.Value.(*syntax.If); choice && isUnit(v) && v.Position() == n.Value.Position() {
			return &syntax.Return{Pos: n.Pos} // nothing was chosen
		}
		if v != n.Value {
			return &syntax.Return{Pos: n.Pos, Value: v}
		}
	case *syntax.Throw:
		thrown := s.maybe(n.Value)
		if _, unit := thrown.(*syntax.Unit); unit && s.catching {
			thrown = nil
		}
		return &syntax.Throw{Pos: n.Pos, Value: thrown}
	case *syntax.Import:
		return &syntax.Import{Pos: n.Pos, Path: s.expr(n.Path), Alias: n.Alias}
	}
	return stmt
}

// assign simplifies an assignment. One of an operation on the variable itself becomes a compound one, whose errors and
// effects are others.
func (s *simplifier) assign(n *syntax.Assign) syntax.Stmt {
	out := n
	if to, v := s.wholePath(n.Target), s.expr(n.Value); to != n.Target || v != n.Value {
		out = &syntax.Assign{Pos: n.Pos, Target: to, Op: n.Op, Value: v}
	}
	target, ok := out.Target.(*syntax.Ident)
	if !ok || n.Op != "" || len(target.Namespace) > 0 {
		return out
	}
	sum, ok := out.Value.(*syntax.Binary)
	if !ok {
		return out
	}
	op, arithmetic := value.OpByName(sum.Op)
	left, ok := sum.Left.(*syntax.Ident)
	if !ok || !arithmetic || op >= value.OpEq || len(left.Namespace) > 0 || left.Name != target.Name {
		return out
	}
	return &syntax.Assign{Pos: sum.Pos, Target: target, Op: sum.Op, Value: sum.Right}
}

// ifStmt simplifies an if. Of one that does nothing, whatever the condition, only the condition stays, which need not
// be a bool then. One around nothing but another is one of both conditions.
func (s *simplifier) ifStmt(n *syntax.If, wanted, keepDead bool) syntax.Stmt {
	var then *syntax.Block // what is left of it, if that is known
	if inner := onlyIf(n); inner != nil {
		if s.holds(n.Cond) && (!keepDead || s.meets(inner, wanted)) {
			return enclose(s.branch(inner, wanted))
		}
		both := &syntax.Binary{Pos: inner.Pos, Op: "&&", Left: n.Cond, Right: inner.Cond}
		if evaluates(n.Cond) && !evaluates(inner.Cond) {
			// Names in the inner one mean constants whatever the outer one evaluates.
			both.Right, then = s.expr(inner.Cond), s.block(inner.Then, wanted)
		}
		n = &syntax.If{Pos: n.Pos, Cond: both, Then: inner.Then}
	}
	cond := s.expr(n.Cond)
	if _, ok := condition(cond); ok && keepDead {
		keepDead = !s.meets(n, wanted)
	}
	if yes, ok := condition(cond); ok && !keepDead {
		evals, chosen := s.evals, syntax.Stmt(nil)
		switch {
		case yes:
			chosen = s.blockStmt(n.Then, wanted, false)
		case n.Else != nil:
			chosen = s.branch(n.Else, wanted)
		}
		if b, ok := chosen.(*syntax.Block); ok && !isSingle(b) && s.evals > evals {
			return scoped(b)
		}
		return chosen
	}
	if then == nil {
		then = s.block(n.Then, wanted)
	}
	out := &syntax.If{Pos: n.Pos, Cond: cond, Then: then}
	if n.Else != nil {
		out.Else = s.branch(n.Else, wanted)
	}
	if s.keepDead && len(out.Then.Body) > 0 {
		// One that does nothing but for what is never reached is none, whether that stays elsewhere or not.
		if then := s.alive().block(n.Then, wanted); len(then.Body) == 0 {
			out.Then = then
		}
	}
	switch {
	case len(out.Then.Body) > 0 || out.Else != nil && (wanted || !idle(out.Else)):
		return out
	case isIdle(cond):
		return nil
	}
	rest := s.stmt(&syntax.ExprStmt{X: cond}, false)
	switch rest.(type) {
	case *syntax.Loop, *syntax.While, *syntax.For, *syntax.Do: // whose value is that of the whole
		return rest
	}
	if rest == nil || idle(rest) {
		return nil
	}
	if !wanted {
		return rest
	}
	return &syntax.Block{Pos: n.Pos, Body: []syntax.Stmt{rest, unitStmt(n.Pos)}, End: n.Then.End}
}

// evaluates tells whether a condition has a call of eval in it.
func evaluates(cond syntax.Expr) bool {
	found := false
	inspect(cond, func(n syntax.Node) bool {
		call, ok := n.(*syntax.Call)
		found = found || ok && call.Name == "eval" && len(call.Namespace) == 0
		return !found
	})
	return found
}

// meets tells whether an eval is met in what an if comes to. That may be no scope of its own for what the eval defines, so
// that it is chosen even if what is never reached stays.
func (s *simplifier) meets(n *syntax.If, wanted bool) bool {
	chosen := s.alive()
	chosen.ifStmt(n, wanted, false)
	return chosen.evals > s.evals
}

// holds tells whether a condition is true without being simplified.
func (s *simplifier) holds(cond syntax.Expr) bool {
	if name, ok := cond.(*syntax.Ident); ok && len(name.Namespace) == 0 {
		cond = s.constant(name.Name)
	}
	yes, ok := condition(cond)
	return ok && yes
}

// alive is a simplifier in the same state that leaves out what is never reached.
func (s *simplifier) alive() *simplifier {
	other := *s
	other.bindings, other.keepDead = slices.Clip(s.bindings), false
	return &other
}

// onlyIf is the if that is all that another does, where neither does anything else; nil when there is none.
func onlyIf(n *syntax.If) *syntax.If {
	if len(n.Then.Body) != 1 || n.Else != nil && !empty(n.Else) {
		return nil
	}
	inner, ok := n.Then.Body[0].(*syntax.If)
	if !ok || inner.Else != nil && !empty(inner.Else) {
		return nil
	}
	return inner
}

// switchStmt simplifies a switch.
func (s *simplifier) switchStmt(n *syntax.Switch, wanted bool) syntax.Stmt {
	subject := s.expr(n.Subject)
	if _, scalar := fold(subject); plain(subject) && (!scalar || isContainer(subject)) {
		return s.chosen(n, subject, wanted)
	}
	out := &syntax.Switch{Pos: n.Pos, Subject: subject, Cases: make([]*syntax.Case, len(n.Cases))}
	for i, c := range n.Cases {
		arm := &syntax.Case{Pos: c.Pos, Values: c.Values, Guard: s.maybe(c.Guard)}
		if yes, ok := condition(arm.Guard); ok && !yes {
			arm.Body = unitStmt(c.Body.Position()) // never reached
		} else {
			arm.Body = s.arm(c.Body, false)
		}
		out.Cases[i] = arm
	}
	if n.Default != nil {
		out.Default = s.arm(n.Default, true)
	}
	return out
}

// chosen is the case of a switch for a constant that is no scalar, which the reference chooses before the run: a guard
// counts only where no other case has the value.
func (s *simplifier) chosen(n *syntax.Switch, subject syntax.Expr, wanted bool) syntax.Stmt {
	var found *syntax.Case
	sure, others := false, s.alive()
	for _, c := range n.Cases {
		if !sure && slices.ContainsFunc(c.Values, func(v syntax.Expr) bool { return same(v, subject) }) {
			if yes, ok := s.decidedGuard(c); yes || !ok && found == nil {
				found, sure = c, yes
				continue
			}
		}
		others.maybe(c.Guard)
		others.arm(c.Body, false)
	}
	if sure && n.Default != nil {
		others.arm(n.Default, true)
	}
	// The reference has looked at all cases by the time that it chooses.
	unchosen := others.evaluated - s.evaluated
	defer func() { s.evaluated, s.unchosen = s.evaluated+unchosen, s.unchosen+unchosen }()
	switch {
	case sure:
		return s.selected(func() syntax.Stmt { return s.choice(found.Body, wanted, false) })
	case found != nil:
		then := &syntax.Block{Pos: found.Pos, Body: []syntax.Stmt{found.Body}, End: found.Pos}
		return s.ifStmt(&syntax.If{Pos: n.Pos, Cond: found.Guard, Then: then, Else: n.Default}, wanted, s.keepDead)
	case n.Default != nil:
		return s.selected(func() syntax.Stmt { return s.choice(n.Default, wanted, true) })
	}
	return nil
}

// decidedGuard is the value of a case's guard where the source decides it, as none does.
func (s *simplifier) decidedGuard(c *syntax.Case) (yes, ok bool) {
	if c.Guard == nil {
		return true, true
	}
	return condition(s.expr(c.Guard))
}

func isContainer(e syntax.Expr) bool {
	switch e.(type) {
	case *syntax.Array, *syntax.Map:
		return true
	}
	return false
}

// same tells whether two constants are the same value of the same type.
func same(a, b syntax.Expr) bool {
	switch x := a.(type) {
	case *syntax.Array:
		y, ok := b.(*syntax.Array)
		return ok && slices.EqualFunc(x.Items, y.Items, same)
	case *syntax.Map:
		y, ok := b.(*syntax.Map)
		return ok && len(x.Entries) == len(y.Entries) && !slices.ContainsFunc(x.Entries, func(e syntax.MapEntry) bool {
			return !slices.ContainsFunc(y.Entries, func(f syntax.MapEntry) bool {
				return e.Key.Text == f.Key.Text && same(e.Value, f.Value)
			})
		})
	}
	v, ok := constantValue(a)
	w, also := constantValue(b)
	if !ok || !also {
		return false
	}
	k, ok, _ := v.Key(nil)
	l, also, _ := w.Key(nil)
	return ok && also && k == l
}

// arm simplifies the body of a case, which is a scope.
func (s *simplifier) arm(body syntax.Stmt, otherwise bool) syntax.Stmt {
	defer func(n int) { s.bindings = s.bindings[:n] }(len(s.bindings))
	evals := s.evals
	if out := s.choice(body, true, otherwise); out != nil && !defines(out) {
		_, choice := body.(*syntax.If)
		if b, ok := out.(*syntax.Block); ok && choice && s.evals > evals {
			return scoped(b)
		}
		return out
	}
	return unitStmt(body.Position())
}

func (s *simplifier) let(n *syntax.Let) syntax.Stmt {
	out := n
	if v := s.maybe(n.Value); v != n.Value {
		changed := *n
		changed.Value = v
		out = &changed
	}
	known := binding{name: n.Name.Text}
	if n.Const {
		if out.Value == nil {
			known.value = &syntax.Unit{Pos: n.Pos}
		} else if plain(out.Value) {
			known.value, known.source = out.Value, n.Value
		}
	}
	if known.value != nil || len(s.bindings) > 0 { // with no constant before it, a variable hides none
		s.bindings = append(s.bindings, known)
	}
	return out
}

// constant is the value of a name that stands for a constant that the source gives.
func (s *simplifier) constant(name string) syntax.Expr {
	if s.keepNames || s.evaluated > 0 {
		return nil
	}
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if b := s.bindings[i]; b.name == name {
			if s.called && b.source != nil && s.stage(b.source).literal > 1 {
				return nil // it is known only when the calls before are looked at once more
			}
			return b.value
		}
	}
	return nil
}

func unitStmt(pos syntax.Pos) syntax.Stmt { return &syntax.ExprStmt{X: &syntax.Unit{Pos: pos}} }

// condition is the value of a condition that the source decides.
func condition(cond syntax.Expr) (yes, ok bool) {
	if cond == nil {
		return false, false
	}
	v, ok := fold(cond)
	return ok && v.IsBool() && v.Bool(), ok && v.IsBool()
}

// idle tells whether a simplified statement does nothing.
func idle(stmt syntax.Stmt) bool {
	switch n := stmt.(type) {
	case *syntax.ExprStmt:
		return isIdle(n.X)
	case *syntax.Switch:
		return choosesConstant(n)
	case *syntax.While:
		yes, ok := condition(n.Cond)
		return ok && !yes
	case *syntax.If: // that stays although it is decided
		yes, ok := condition(n.Cond)
		if !ok {
			return false
		}
		if yes {
			return !slices.ContainsFunc(n.Then.Body, func(x syntax.Stmt) bool { return !idle(x) })
		}
		return n.Else == nil || idle(n.Else)
	}
	return false
}

// choosesConstant tells whether a switch is one between constants for a constant, with a default.
func choosesConstant(n *syntax.Switch) bool {
	if n.Default == nil || !constant(n.Subject) {
		return false
	}
	if !yieldsConstant(n.Default) {
		return false
	}
	for i, c := range n.Cases {
		if !covered(c, n.Cases[:i]) && (c.Guard != nil && !constant(c.Guard) || !yieldsConstant(c.Body)) {
			return false
		}
	}
	return true
}

// covered tells whether cases before one have taken all of its values.
func covered(c *syntax.Case, before []*syntax.Case) bool {
	return !slices.ContainsFunc(c.Values, func(v syntax.Expr) bool {
		_, isRange := v.(*syntax.Binary)
		return isRange || !slices.ContainsFunc(before, func(b *syntax.Case) bool {
			yes, known := condition(b.Guard)
			return (b.Guard == nil || known && yes) && slices.ContainsFunc(b.Values, func(w syntax.Expr) bool { return same(v, w) })
		})
	})
}

// isCall tells whether an expression is a call or an operator that is one, which the reference leaves in its block.
func isCall(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Call, *syntax.Unary, *syntax.Closure, *enclosed:
		return !plain(e)
	case *syntax.Binary:
		return !isLogical(e.Op) && !plain(e)
	}
	return false
}

func isClosure(e syntax.Expr) bool {
	_, ok := e.(*syntax.Closure)
	return ok
}

// isIdle tells whether an expression does nothing but give a variable or a constant.
func isIdle(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Ident:
		return true
	case *syntax.Switch:
		return choosesConstant(n)
	case *syntax.Array, *syntax.Map, *syntax.Binary, *syntax.Interpolated:
		return constant(n.(syntax.Expr))
	case syntax.Expr:
		return plain(n)
	}
	return false
}

// constant tells whether an expression is a constant, a choice between some by another, or a container of such.
func constant(x syntax.Expr) bool {
	switch n := x.(type) {
	case *syntax.Switch:
		return choosesConstant(n)
	case *syntax.If:
		return constant(n.Cond) && yieldsConstant(n.Then) && (n.Else == nil || yieldsConstant(n.Else))
	case *syntax.Binary:
		if isLogical(n.Op) {
			return constant(n.Left) && constant(n.Right)
		}
	case *syntax.Array:
		return !slices.ContainsFunc(n.Items, func(x syntax.Expr) bool { return !constant(x) })
	case *syntax.Interpolated:
		return !slices.ContainsFunc(n.Parts, func(x syntax.Expr) bool {
			part, ok := x.(syntax.Stmt)
			return !constant(x) && !(ok && yieldsConstant(part))
		})
	case *syntax.Map:
		return !slices.ContainsFunc(n.Entries, func(x syntax.MapEntry) bool { return !constant(x.Value) })
	}
	return plain(x)
}

// yieldsConstant tells whether what is left of a branch is a constant, or nothing.
func yieldsConstant(branch syntax.Stmt) bool {
	switch n := branch.(type) {
	case *syntax.ExprStmt:
		return constant(n.X)
	case *syntax.Block:
		return len(n.Body) == 0 || len(n.Body) == 1 && yieldsConstant(n.Body[0])
	case syntax.Expr:
		return constant(n)
	}
	return false
}

// defines tells whether a statement does nothing but define a constant or a module.
func defines(stmt syntax.Stmt) bool {
	switch n := stmt.(type) {
	case *syntax.Let:
		return n.Value == nil || constant(n.Value)
	case *syntax.Import:
		return plain(n.Path)
	}
	return false
}
