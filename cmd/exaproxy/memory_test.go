package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// TestMemoryIsTrimmedWhenThatMayGiveSomethingBack has the heap of a day, in megabytes.
func TestMemoryIsTrimmedWhenThatMayGiveSomethingBack(t *testing.T) {
	const mb = 1 << 20
	trimmer := &memoryTrimmer{}
	for _, at := range []struct {
		what            string
		allocated, held uint64
		trims           bool
		left            uint64
	}{
		{"the start", 20, 12, true, 6},
		{"nothing", 20, 6, false, 0},
		{"a little", 28, 8, false, 0},
		{"a crowd waits", 60, 40, true, 38},
		{"it waits on", 60, 38, false, 0},
		{"it has left, and the collector has not run", 62, 39, true, 7},
		{"nothing again", 62, 7, false, 0},
		{"ordinary requests, for hours", 162, 9, false, 0},
		{"longer lists", 300, 150, true, 140},
		{"nothing with these", 301, 140, false, 0},
		{"the lists are short again", 310, 140, true, 6},
	} {
		now := measured{allocated: at.allocated * mb, held: at.held * mb}
		if trims := trimmer.worthwhile(now); trims != at.trims {
			t.Errorf("%s: it is worth a trim: %v", at.what, trims)
		}
		if at.trims {
			trimmer.trimmed(measured{allocated: now.allocated, held: at.left * mb})
		}
	}
}

// TestTrimmerMeasures checks that the names of the metrics are those of this version of Go.
func TestTrimmerMeasures(t *testing.T) {
	trimmer := newMemoryTrimmer(func() int64 { return 0 })
	before := trimmer.measure()
	kept := make([]byte, 32<<20)
	kept[0] = 1
	after := trimmer.measure()
	if before.held == 0 || after.allocated-before.allocated < uint64(len(kept)) || after.held < uint64(len(kept)) {
		t.Errorf("with %d bytes more it measures %+v, then %+v", len(kept), before, after)
	}
}

// TestTheCollectorLeavesRoom has the heap of a proxy in which nothing lives grow by half of the ballast, which is not
// counted as held.
func TestTheCollectorLeavesRoom(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(10)
	t.Cleanup(func() { debug.SetGCPercent(before); ballast = nil })
	trimmer := newMemoryTrimmer(func() int64 { return 0 })
	held := trimmer.measure().held
	setGarbagePercent()
	runtime.GC()
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(goal)
	if least := uint64(ballastSize + ballastSize/2); goal[0].Value.Uint64() < least {
		t.Errorf("the collector runs at %d bytes, and %d were to be let grow", goal[0].Value.Uint64(), least)
	}
	if now := trimmer.measure().held; now > held+ballastSize/2 {
		t.Errorf("%d bytes are held, %d before: the ballast is counted", now, held)
	}
}

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
	before := memory.measure().held
	rush = make([]byte, size)
	for range 40 { // the collector may run on its own, and then it is not quiet
		memory.trim()
	}
	if held := memory.measure().held; held > before+size/2 {
		t.Errorf("%d kB are held, %d kB were before", held>>10, before>>10)
	}
	runtime.KeepAlive(rush)
}
