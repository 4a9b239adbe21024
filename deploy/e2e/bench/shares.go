package main

import (
	"bytes"
	"fmt"
	"strings"

	pprof "github.com/google/pprof/profile"
)

// Whose time a sample is, by the function that it was taken in.
const (
	ofKernel    = "the kernel"
	ofRuntime   = "Go's runtime"
	ofJSON      = "JSON and the protocol"
	ofLibraries = "libraries"
	ofOurs      = "ours"
)

// owners are told by the beginnings of their functions' names, the first that fits; what nothing fits is a library's.
// A profile has what the kernel does as the time of the function that calls it.
var owners = []struct {
	who   string
	names []string
}{
	{ofKernel, []string{"internal/runtime/syscall/", "runtime.futex", "runtime.epoll", "runtime.usleep", "runtime.osyield",
		"runtime.madvise", "runtime.sysMmap", "runtime.write1", "runtime.tgkill", "runtime.nanotime"}},
	{ofRuntime, []string{"runtime.", "internal/runtime/", "internal/abi", "internal/bytealg", "sync.", "sync/", "internal/sync", "gogo",
		"aeshash", "memeq", "gcWriteBarrier", "internal/chacha8rand"}},
	{ofJSON, []string{"encoding/json", "circles/pkg/protocol", "strconv.", "unicode/"}},
	{ofOurs, []string{"circles/"}},
}

func ownerOf(function string) string {
	for _, owner := range owners {
		for _, name := range owner.names {
			if strings.HasPrefix(function, name) {
				return owner.who
			}
		}
	}
	return ofLibraries
}

// shares says in a line whose time a CPU profile's is.
func shares(text []byte) (string, error) {
	p, err := pprof.Parse(bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	const nanoseconds = 1 // of a sample's values: the first is how many there were
	times := map[string]int64{}
	var all int64
	for _, sample := range p.Sample {
		if len(sample.Location) == 0 || len(sample.Location[0].Line) == 0 {
			continue
		}
		took := sample.Value[nanoseconds]
		times[ownerOf(sample.Location[0].Line[0].Function.Name)] += took
		all += took
	}
	var parts []string
	for _, who := range []string{ofKernel, ofRuntime, ofLibraries, ofJSON, ofOurs} {
		parts = append(parts, fmt.Sprintf("%s %.0f%%", who, 100*float64(times[who])/float64(max(all, 1))))
	}
	return strings.Join(parts, ", "), nil
}
