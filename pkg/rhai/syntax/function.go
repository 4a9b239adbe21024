package syntax

// function parses a function definition with its doc comments.
func (p *parser) function(doc []string) {
	f := &Function{Private: p.tok.kind == tPrivate, Doc: doc}
	first := p.tok.pos
	pos := first
	if f.Private {
		p.advance()
		pos = p.tok.pos
		if p.tok.kind != tFn {
			panic(missing("fn", pos, "following 'private'"))
		}
	}
	f.Pos = pos
	if !p.global {
		panic(fail(WrongFnDefinition, first,
			"Function definitions must be at global level and cannot be inside a block or another function"))
	}
	p.limitFunctions(pos)
	p.advance()
	p.functionName(f)

	outer, global, inLoop, noPipe, mark, depth, modules := p.frame, p.global, p.inLoop, p.noPipe, len(p.locals), p.maxDepth,
		len(p.modules)
	p.frame = &frame{base: mark, function: true}
	p.global, p.inLoop, p.noPipe = false, false, false
	p.maxDepth = depthLimit(p.opts.MaxFunctionExprDepth, DefaultMaxFunctionExprDepth)

	p.params(f)
	for _, name := range f.Params {
		p.declare(name, false)
	}
	if p.tok.kind != tLeftBrace {
		panic(fail(FnMissingBody, p.tok.pos, "Expecting body statement block for function %s", f.Name.Text))
	}
	f.Body = p.block(p.enter(0, f.Pos), f.Pos)

	p.forget(mark)
	outer.functions += 1 + p.frame.functions
	p.frame, p.global, p.inLoop, p.noPipe, p.maxDepth = outer, global, inLoop, noPipe, depth
	p.modules = p.modules[:modules]
	p.addFunction(f)
}

// functionName parses the name, with the type of `this` before it if there is one.
func (p *parser) functionName(f *Function) {
	t := p.tok
	if t.kind == tString {
		p.advance()
		p.require(tDot, "after the type name for 'this'")
		f.ThisType = t.text
		t = p.tok
	}
	f.Name = p.ownName()
	if t.kind == tIdent && f.ThisType == "" && p.accept(tDot) {
		f.ThisType = t.text
		f.Name = p.ownName()
	}
}

func (p *parser) ownName() Name {
	t := p.tok
	switch t.kind {
	case tIdent:
		p.advance()
		return Name{t.pos, t.text}
	case tReserved, tSymbol:
		panic(reserved(t.text, t.pos))
	}
	panic(fail(FnMissingName, t.pos, "Expecting function name in function declaration"))
}

func (p *parser) params(f *Function) {
	if p.accept(tUnit) {
		return
	}
	if p.tok.kind != tLeftParen {
		panic(fail(FnMissingParams, p.tok.pos, "Expecting parameters for function %s", f.Name.Text))
	}
	p.advance()
	for p.tok.kind != tRightParen {
		if p.beginsNoName() {
			panic(missing(")", p.tok.pos, "to close the parameters list of function '"+f.Name.Text+"'"))
		}
		f.Params = p.param(f.Name.Text, f.Params)
		switch p.tok.kind {
		case tRightParen:
		case tComma:
			p.advance()
		default:
			p.raise()
			panic(missing(",", p.tok.pos, "to separate the parameters of function '"+f.Name.Text+"'"))
		}
	}
	p.advance()
}

// beginsNoName tells whether the current token looks nothing like the name of a parameter. A keyword does,
// but for switch.
func (p *parser) beginsNoName() bool {
	switch p.tok.kind {
	case tIdent, tReserved, tSymbol, tError:
		return false
	case tUnderscore, tSwitch:
		return true
	}
	s := spelling[p.tok.kind]
	return s == "" || !isIdentStart(s[0])
}

func (p *parser) addFunction(f *Function) {
	key := functionKey{f.Name.Text, typeAlias(f.ThisType), len(f.Params)}
	if _, ok := p.functions[key]; ok {
		panic(duplicateFunction(f.Name.Text, len(f.Params), f.Pos))
	}
	if p.functions == nil {
		p.functions = make(map[functionKey]struct{})
	}
	p.functions[key] = struct{}{}
	p.functions[functionKey{name: f.Name.Text, arity: anyArity}] = struct{}{}
	p.script.Functions = append(p.script.Functions, f)
}

// limitFunctions makes sure that there may be another function. Those within a function or a closure count with it, and
// while it is parsed by themselves.
func (p *parser) limitFunctions(pos Pos) {
	if limit := p.opts.MaxFunctions; limit > 0 && p.frame.functions >= limit {
		panic(fail(TooManyFunctions, pos, "Number of functions defined exceeds maximum limit"))
	}
}

// anyArity stands for all the functions of a name, among functions.
const anyArity = -1

// definesFunction tells whether the source has defined a function of the name so far.
func (p *parser) definesFunction(name string) bool {
	_, ok := p.functions[functionKey{name: name, arity: anyArity}]
	return ok
}

// typeAlias is the name of a type by which functions are told apart.
func typeAlias(name string) string {
	switch name {
	case "i64":
		return "int"
	case "f64":
		return "float"
	}
	return name
}
