package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	trimEvery = 10 * time.Second
	// trimLeast is how much more memory may lie idle before it is given back.
	trimLeast = 1 << 20
)

// garbagePercent is how much the heap may grow over what lives before the collector runs (GOGC).
// Ordinary requests leave no garbage, so a lower value than Go's 100 costs nothing while they
// come, and the memory after a rush is a quarter less.
const garbagePercent = 50

// setGarbagePercent leaves GOGC as it is if somebody has set it.
func setGarbagePercent() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

// A memoryTrimmer gives memory back to the system after a rush. Go's collector runs when the program
// allocates, and one that is quiet again after thousands of clients have waited for a helper
// allocates nothing: without it, their memory would be kept for minutes. It belongs to the main
// goroutine.
type memoryTrimmer struct {
	letGo   func() int64 // lets go of what lies ready for a rush; how many bytes were since the last call
	garbage int64        // bytes that were let go of since the last trim
	samples []metrics.Sample
	cycles  uint64 // collections until the last measurement
	kept    uint64 // what was left after the last trim
}

func newMemoryTrimmer(letGo func() int64) *memoryTrimmer {
	t := &memoryTrimmer{letGo: letGo}
	for _, name := range []string{"/gc/cycles/total:gc-cycles", "/memory/classes/heap/objects:bytes",
		"/memory/classes/heap/free:bytes", "/memory/classes/heap/unused:bytes"} {
		t.samples = append(t.samples, metrics.Sample{Name: name})
	}
	return t
}

// measure reads how often the collector has run and how much memory the heap holds.
func (t *memoryTrimmer) measure() (cycles, held uint64) {
	metrics.Read(t.samples)
	for _, s := range t.samples[1:] {
		held += s.Value.Uint64()
	}
	return t.samples[0].Value.Uint64(), held
}

// trim collects, and gives back what is free, if the program has been quiet since the last call, and holds
// clearly more than it did after the last trim or has let go of much.
func (t *memoryTrimmer) trim() {
	t.garbage += t.letGo()
	cycles, held := t.measure()
	quiet := cycles == t.cycles
	t.cycles = cycles
	if !quiet || held < t.kept+t.kept/4+trimLeast && t.garbage < trimLeast {
		return
	}
	debug.FreeOSMemory()
	t.garbage = 0
	t.cycles, t.kept = t.measure()
}

// raiseMaxProcs lets the scheduler have one processor more than there are workers. A worker keeps its
// own in a short wait, of which the scheduler knows nothing; those who write logs and look after helpers
// need another.
func raiseMaxProcs(workers int) {
	if runtime.GOMAXPROCS(0) <= workers {
		runtime.GOMAXPROCS(workers + 1)
	}
}
