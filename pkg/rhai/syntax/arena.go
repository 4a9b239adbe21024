package syntax

// arena makes the commonest nodes in blocks of memory, which a parser uses again for its next source: to allocate nodes
// one by one, for nobody to need them any more once they are compiled, took as long as all the rest of parsing a line.
type arena struct {
	script  Script
	body    []Stmt
	ints    slab[Int]
	strings slab[String]
	idents  slab[Ident]
	binary  slab[Binary]
	calls   slab[Call]
	lets    slab[Let]
	exprs   slab[ExprStmt]
	assigns slab[Assign]
}

// reset takes back all that was made. What is in it stays until it is made again: to clear it takes longer than to parse
// a line, and it is little.
func (a *arena) reset() {
	if a.script.Body != nil && cap(a.script.Body) <= blockNodes {
		a.body = a.script.Body[:0]
	}
	a.script = Script{Body: a.body}
	a.ints.reset()
	a.strings.reset()
	a.idents.reset()
	a.binary.reset()
	a.calls.reset()
	a.lets.reset()
	a.exprs.reset()
	a.assigns.reset()
}

// blockNodes is how many nodes there are in a block at most, of which a parser keeps one for each type.
const blockNodes = 64

// slab makes nodes of one type. Its blocks grow, so that a tiny source takes little.
type slab[T any] struct{ block []T }

func (s *slab[T]) make(node T) *T {
	if len(s.block) == cap(s.block) {
		s.block = make([]T, 0, min(max(4, 2*cap(s.block)), blockNodes))
	}
	s.block = append(s.block, node)
	return &s.block[len(s.block)-1]
}

func (s *slab[T]) reset() { s.block = s.block[:0] }
