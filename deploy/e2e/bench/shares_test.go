package main

import "testing"

func TestOwnerOf(t *testing.T) {
	for function, want := range map[string]string{
		"internal/runtime/syscall/linux.Syscall6": ofKernel,
		"runtime.futex":       ofKernel,
		"runtime.readgstatus": ofRuntime,
		"runtime.mallocgc":    ofRuntime,
		"internal/runtime/maps.(*Map).getWithoutKeySmallFastStr": ofRuntime,
		"sync.(*Mutex).Lock":                                              ofRuntime,
		"encoding/json.checkValid":                                        ofJSON,
		"circles/pkg/protocol.DecodeFrame":                                ofJSON,
		"circles/pkg/queue.(*Dispatcher).sendRound":                       ofOurs,
		"github.com/redis/go-redis/v9/internal/proto.(*Reader).ReadReply": ofLibraries,
		"internal/poll.(*FD).Read":                                        ofLibraries,
	} {
		if got := ownerOf(function); got != want {
			t.Errorf("%s: got %s, want %s", function, got, want)
		}
	}
}
