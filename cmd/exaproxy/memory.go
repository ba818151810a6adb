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
	// stirLeast is how much must have been allocated before a trim that left much is worth another.
	stirLeast = 256 << 10
)

// garbagePercent is how much the heap may grow over what lives before the collector runs (GOGC).
// Ordinary requests leave no garbage, so a lower value than Go's 100 costs nothing while they
// come, and the memory after a rush is a quarter less.
const garbagePercent = 50

// ballastSize is what the collector believes to live beside the rest, so that the heap of a proxy in which
// little lives may grow by 2 MB at least. A TLS handshake leaves 35 kB of garbage, and without it the collector
// ran for every twenty.
const ballastSize = 4 << 20

// ballast is never touched, and so takes none of the machine's memory.
var ballast []byte

// setGarbagePercent leaves GOGC as it is if somebody has set it.
func setGarbagePercent() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
		ballast = make([]byte, ballastSize)
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
	cycles  uint64   // collections until the last measurement
	last    measured // after the last trim
	least   uint64   // the least that a trim has left
}

// measured is what is known of the heap: how often the collector has run, how much was ever allocated, and
// how much is held, in bytes.
type measured struct{ cycles, allocated, held uint64 }

func newMemoryTrimmer(letGo func() int64) *memoryTrimmer {
	t := &memoryTrimmer{letGo: letGo}
	for _, name := range []string{"/gc/cycles/total:gc-cycles", "/gc/heap/allocs:bytes", "/memory/classes/heap/objects:bytes",
		"/memory/classes/heap/free:bytes", "/memory/classes/heap/unused:bytes"} {
		t.samples = append(t.samples, metrics.Sample{Name: name})
	}
	return t
}

func (t *memoryTrimmer) measure() (m measured) {
	metrics.Read(t.samples)
	for _, s := range t.samples[2:] {
		m.held += s.Value.Uint64()
	}
	m.held -= uint64(len(ballast))
	m.cycles, m.allocated = t.samples[0].Value.Uint64(), t.samples[1].Value.Uint64()
	return m
}

// trim collects, and gives back what is free, if the program has been quiet since the last
// call and that is worth it.
func (t *memoryTrimmer) trim() {
	t.garbage += t.letGo()
	now := t.measure()
	quiet := now.cycles == t.cycles
	t.cycles = now.cycles
	if quiet && t.worthwhile(now) {
		debug.FreeOSMemory()
		t.garbage = 0
		t.trimmed(t.measure())
	}
}

// worthwhile says whether a trim may give something back: if much was let go of, if clearly more is held than after the last one, or
// if that one left clearly more than another did, since thousands of clients were waiting, and something has
// happened since.
func (t *memoryTrimmer) worthwhile(now measured) bool {
	stirred := now.allocated-t.last.allocated >= stirLeast+t.last.held/64
	return t.garbage >= trimLeast || now.held >= clearlyMore(t.last.held) || stirred && t.last.held >= clearlyMore(t.least)
}

// trimmed notes what a trim has left.
func (t *memoryTrimmer) trimmed(left measured) {
	t.cycles, t.last = left.cycles, left
	if t.least == 0 || left.held < t.least {
		t.least = left.held
	}
}

// clearlyMore is what is worth a trim when so much was left by another.
func clearlyMore(held uint64) uint64 { return held + held/4 + trimLeast }

// raiseMaxProcs lets the scheduler have one processor more than there are workers. A worker keeps its
// own in a short wait, of which the scheduler knows nothing; those who write logs and look after helpers
// need another.
func raiseMaxProcs(workers int) {
	if runtime.GOMAXPROCS(0) <= workers {
		runtime.GOMAXPROCS(workers + 1)
	}
}
