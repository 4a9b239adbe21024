package rhai

import (
	"container/list"
	"sync"
)

// cache holds programs by source, the least recently used last, up to a number of bytes of memory. Sources are found
// by Go's hash of the whole text and compared in full, so that no two are ever taken for one another.
type cache struct {
	limit int

	mu    sync.Mutex
	bytes int
	order list.List // of *cached, most recently used first
	items map[string]*list.Element
}

type cached struct {
	source  string
	program *Program
	bytes   int
}

func newCache(limit int) *cache { return &cache{limit: limit, items: map[string]*list.Element{}} }

func (c *cache) get(source string) *Program {
	if c.limit <= 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[source]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).program
}

func (c *cache) put(source string, p *Program) {
	if c.limit <= 0 {
		return
	}
	bytes := p.unit.Bytes() + len(source)
	if bytes > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[source]; ok {
		return
	}
	c.items[source] = c.order.PushFront(&cached{source, p, bytes})
	for c.bytes += bytes; c.bytes > c.limit; {
		last := c.order.Back()
		old := c.order.Remove(last).(*cached)
		delete(c.items, old.source)
		c.bytes -= old.bytes
	}
}
