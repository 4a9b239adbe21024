package vm

import (
	"circles/pkg/rhai/internal/compile"
	"circles/pkg/rhai/syntax"
	"circles/pkg/rhai/value"
)

// Evaluate is the host's code for syntax of its own: the Data of a syntax.CustomSyntax.
type Evaluate func(*Instance) (value.Value, error)

// Instance is a place where a script uses the host's syntax, as it is evaluated. It is valid during the call only.
type Instance struct {
	runContext
	m *Machine
	c *compile.Custom
}

type runContext = value.Context

// custom does OpCustom.
func (m *Machine) custom(in compile.Instr) *value.Error {
	c := m.fn.Customs[in.B]
	f, ok := c.Node.Syntax.Data.(Evaluate)
	if !ok {
		return value.NewError(value.ErrCustomSyntax, "the host has no code for the syntax that begins with '"+c.Node.Tokens[0]+"'")
	}
	if err := m.Tick(1); err != nil {
		return value.AsError(err)
	}
	v, err := f(&Instance{runContext: m, m: m, c: c})
	if err != nil {
		return value.AsError(err)
	}
	m.dirty = written
	*m.at(in.A) = v.Share()
	return m.made(v)
}

// Len counts the inputs.
func (i *Instance) Len() int { return len(i.c.Node.Inputs) }

// Tokens are the words, symbols and markers that the instance was read from.
func (i *Instance) Tokens() []string { return append([]string(nil), i.c.Node.Tokens...) }

// State is what the parse function of the syntax has kept for the instance. Instances of a program are evaluated by
// many goroutines: it must not change any more.
func (i *Instance) State() any { return i.c.Node.State }

// Eval evaluates an input: an expression or a block runs in the scope of the instance, each time anew; a literal is
// itself, and an identifier or a symbol is its text.
func (i *Instance) Eval(input int) (value.Value, error) {
	if f := i.c.Inputs[input]; f != nil {
		if err := i.m.Tick(1); err != nil {
			return value.Value{}, err
		}
		v, err := i.m.inScope(f, i.m.fn.Symbols[i.c.Symbols], nil, nil, false)
		if err != nil {
			return value.Value{}, err
		}
		return v, nil
	}
	switch x := i.c.Node.Inputs[input].(type) {
	case *syntax.Bool:
		return value.Bool(x.Value), nil
	case *syntax.Int:
		return value.Int(x.Value), nil
	case *syntax.Float:
		return value.Float(x.Value), nil
	}
	return value.Str(i.Text(input)), nil
}

// Text is the name of an identifier, the text of a symbol, or that of a string; empty for other inputs.
func (i *Instance) Text(input int) string {
	switch x := i.c.Node.Inputs[input].(type) {
	case *syntax.Ident:
		return x.Name
	case *syntax.String:
		return x.Value
	}
	return ""
}

// Pos is where an input begins in the source.
func (i *Instance) InputPos(input int) syntax.Pos { return i.c.Node.Inputs[input].Position() }

// place is the place of a variable that is visible to the instance, and whether it is a constant; nil when there is
// none.
func (i *Instance) place(name string) (place *value.Value, konst bool) {
	m := i.m
	if d := m.seenDynamic(name, m.fn.Symbols[i.c.Symbols]); d >= 0 {
		return &m.dynamic[d].v, m.dynamic[d].konst
	}
	for _, s := range m.fn.Symbols[i.c.Symbols] {
		if s.Name == name && !m.stack[m.base+s.Reg].IsAbsent() {
			return &m.stack[m.base+s.Reg], s.Const || m.fn.IsExternal(s.Reg) && m.scopeConst(s.Reg)
		}
	}
	if m.fn == m.unit.Main && m.Run.Scope != nil {
		vars := *m.Run.Scope
		for n := len(vars) - 1; n >= 0; n-- {
			if vars[n].Name == name {
				return &vars[n].Value, vars[n].Const
			}
		}
	}
	return nil, false
}

// Variable is the value of a variable that is visible to the instance.
func (i *Instance) Variable(name string) (value.Value, bool) {
	if place, _ := i.place(name); place != nil {
		return place.Flat().Share(), true
	}
	return i.m.hostVariable(name)
}

// SetVariable writes a variable that is visible to the instance.
func (i *Instance) SetVariable(name string, v value.Value) error {
	place, konst := i.place(name)
	switch {
	case place == nil:
		return value.VariableNotFound(name)
	case konst:
		return value.AssignToConstant(name)
	}
	put(place, v.Share())
	i.m.dirty = written
	return nil
}

// Define defines a variable in the scope of the instance. The syntax must be one that changes the scope.
func (i *Instance) Define(name string, v value.Value, constant bool) error {
	if !i.c.Node.Syntax.ChangesScope {
		return value.NewError(value.ErrCustomSyntax, "the syntax that begins with '"+i.c.Node.Tokens[0]+"' may not define variables")
	}
	m := i.m
	if limit := m.Run.Limits.Variables; limit > 0 && len(m.dynamic) >= limit {
		return value.TooManyVariables()
	}
	after := 0
	if m.fn == m.unit.Main {
		after = m.defined()
	}
	m.dynamic = append(m.visible(m.dynamic), dynamic{name, v.Share(), constant, m.depth, after, i.c.Nested})
	return nil
}

// hostVariable is a variable of the host by name.
func (m *Machine) hostVariable(name string) (value.Value, bool) {
	v, ok := m.Run.Variables[name]
	if !ok && m.Run.Resolve != nil {
		var err error
		v, ok, err = m.Run.Resolve(m, name)
		ok = ok && err == nil
	}
	return v, ok
}

// resolveVariable does OpResolve.
func (m *Machine) resolveVariable(in compile.Instr) *value.Error {
	*m.at(in.A) = value.Absent()
	if m.Run.Resolve == nil {
		return nil
	}
	v, ok, err := m.Run.Resolve(m, m.fn.Consts[in.Wide()].Text())
	if err != nil {
		return value.AsError(err)
	}
	if ok {
		*m.at(in.A) = v
	}
	return nil
}
