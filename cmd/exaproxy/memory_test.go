package main

import (
	"runtime"
	"testing"
)

// TestMemoryIsGivenBackAsItIsLetGo has somebody hold memory when it is first looked for, and let go of it later,
// as workers do that see only after a while what they do not need.
func TestMemoryIsGivenBackAsItIsLetGo(t *testing.T) {
	const size = 8 << 20
	var rush []byte
	looks := 0
	memory := newMemoryTrimmer(func() int64 {
		if looks++; looks != 20 {
			return 0
		}
		rush = nil
		return size
	})
	memory.trim()
	memory.trim() // once it was quiet
	_, before := memory.measure()
	rush = make([]byte, size)
	for range 40 { // the collector may run on its own, and then it is not quiet
		memory.trim()
	}
	if _, held := memory.measure(); held > before+size/2 {
		t.Errorf("%d kB are held, %d kB were before", held>>10, before>>10)
	}
	runtime.KeepAlive(rush)
}
