package main

import (
	"runtime"
	"unsafe"

	"circles/pkg/rhai"
)

// memoryRow is what one thing takes of memory, in bytes, by engine; zero is unknown.
type memoryRow struct {
	name               string
	circles, reference int64
}

const (
	manyPrograms = 2000
	manyEngines  = 200
)

// memory measures what values, programs and engines take. reference is the path of the reference, or empty.
func memory(reference string) ([]memoryRow, error) {
	engine := rhai.New(rhai.WithCache(0))
	tiny, _ := row{program: "tiny_variable"}.source(".rhai")
	typical, _ := row{program: "methods"}.source(".rhai")
	list := []memoryRow{{name: "a value", circles: int64(unsafe.Sizeof(rhai.Value{}))}}
	for _, p := range []struct{ name, source string }{
		{"a compiled program, `let x = 40; x + 2`", tiny},
		{"a compiled program, the workload `methods`", typical},
	} {
		n, err := held(manyPrograms, func() (any, error) { return engine.Compile(p.source) })
		if err != nil {
			return nil, err
		}
		list = append(list, memoryRow{name: p.name, circles: n})
	}
	n, err := held(manyEngines, func() (any, error) { return rhai.New(), nil })
	if err != nil {
		return nil, err
	}
	list = append(list, memoryRow{name: "an idle engine", circles: n})
	if reference == "" {
		return list, nil
	}
	for i, q := range []question{
		{Task: string(taskRun), Script: tiny, Times: 1},
		{Task: "programs", Script: tiny, Times: manyPrograms},
		{Task: "programs", Script: typical, Times: manyPrograms},
		{Task: "engines", Times: manyEngines},
	} {
		ref, err := startReference(reference) // a process that has freed nothing shows what it takes
		if err != nil {
			return nil, err
		}
		a, err := ref.ask(q)
		ref.close()
		if err != nil {
			return nil, err
		}
		if list[i].reference = a.Bytes / int64(q.Times); i == 0 {
			list[i].reference = a.ValueSize
		}
	}
	return list, nil
}

// held is by how much the heap grows with each of the things that make makes.
func held(many int, make func() (any, error)) (int64, error) {
	var kept []any
	before := heap()
	for range many {
		thing, err := make()
		if err != nil {
			return 0, err
		}
		kept = append(kept, thing)
	}
	n := (heap() - before) / int64(many)
	runtime.KeepAlive(kept)
	return n, nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools held is gone only now
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
