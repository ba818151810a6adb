package main

import (
	"runtime"
	"testing"
)

// TestMemoryIsGivenBackAsItIsLetGo has somebody let go of memory bit by bit, as workers do that see only after a
// while what they do not need.
func TestMemoryIsGivenBackAsItIsLetGo(t *testing.T) {
	const parts, size = 3, 8 << 20
	var rush [][]byte
	memory := newMemoryTrimmer(func() { rush = rush[:max(len(rush)-1, 0)] })
	memory.trim()
	memory.trim() // once there was something to collect, once there was not
	_, before := memory.measure()
	for range parts {
		rush = append(rush, make([]byte, size))
	}
	const most = 10 * parts // the collector may run on its own, and then it is not quiet
	for range most {
		clear(rush[len(rush):cap(rush)])
		memory.trim()
	}
	if _, held := memory.measure(); held > before+size/2 {
		t.Errorf("%d kB are held, %d kB were before", held>>10, before>>10)
	}
	runtime.KeepAlive(rush)
}
