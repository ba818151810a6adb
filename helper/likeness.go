package helper

import (
	"math/bits"
	"slices"
	"strings"
	"time"
)

// What lines have in common is seen by their features: every three bytes in a row, every byte, in 64 classes
// of bytes, and about how long they are. A feature has a number below features.
const (
	classBits   = 6
	triples     = 1 << (3 * classBits)
	lengths     = triples + 1<<classBits
	features    = lengths + 32
	mostCompare = 1 << 10 // bytes of a line that are looked at
)

// classes are the classes of all bytes: letters whatever their case, digits and punctuation have one each,
// the others have ten together.
var classes = func() (all [256]uint8) {
	next := uint8(10)
	for b := range 256 {
		switch {
		case b >= 0x80:
			all[b] = uint8(b-0x80) >> 4 // as UTF-8 tells them apart, more or less
		case b < ' ' || b == 0x7f:
			all[b] = 8
		case 'A' <= b && b <= 'Z':
			// see below
		case strings.IndexByte("\"`<>\\^{}|[]!()*'", byte(b)) >= 0:
			all[b] = 9
		default:
			all[b] = next
			next++
		}
	}
	for b := 'A'; b <= 'Z'; b++ {
		all[b] = all[b+'a'-'A']
	}
	return all
}()

// appendFeatures appends the features of a line, each as often as it occurs.
func appendFeatures(all []uint32, line []byte) []uint32 {
	const mask = triples - 1
	last := uint32(0)
	for _, b := range line[:min(len(line), mostCompare)] {
		class := uint32(classes[b])
		last = (last<<classBits | class) & mask
		all = append(all, last, triples+class)
	}
	return append(all, lengthFeature(line))
}

// lengthFeature tells how long a line is, to within a factor of two.
func lengthFeature(line []byte) uint32 { return lengths + uint32(min(bits.Len(uint(len(line))), 31)) }

// answered counts, for each feature, the answered lines that have it, up to 255.
type answered struct {
	counts [features]uint8
	lines  int
}

// learn records a line that was answered, and that its child has survived.
func (a *answered) learn(line []byte) {
	const mask = triples - 1
	last := uint32(0)
	for _, b := range line[:min(len(line), mostCompare)] {
		class := uint32(classes[b])
		last = (last<<classBits | class) & mask
		for _, f := range [2]uint32{last, triples + class} {
			if a.counts[f] < 255 {
				a.counts[f]++
			}
		}
	}
	a.lines++
	if f := lengthFeature(line); a.counts[f] < 255 {
		a.counts[f]++
	}
}

// clearing is how many lines that did harm weigh as much as an answered one: a feature that more of them
// have is one of harmful lines.
const clearing = 4

const (
	mostHarmful  = 2000 // times that harm was done are counted; then all counts are halved
	recentHarm   = 8    // of which the lines are kept, to compare others with
	leastDanger  = 0.75 // of a line that is like those
	dangerMargin = 0.5  // by which it may be less like them than they are like each other
)

// A harm is what lines have in common that did some kind of harm.
type harm struct {
	counts map[uint32]int // of the times, by feature of the lines that may have done it
	times  int
	recent [][][]byte
	last   time.Time
	buf    []uint32
}

// record records lines of which one did harm.
func (h *harm) record(now time.Time, lines ...[]byte) {
	if !within(h.last, poisonTime, now) || h.counts == nil {
		*h = harm{counts: map[uint32]int{}, buf: h.buf}
	}
	h.last = now
	h.times++
	for _, f := range h.featuresOf(lines...) {
		h.counts[f]++
	}
	if len(h.recent) == recentHarm {
		h.recent = h.recent[:copy(h.recent, h.recent[1:])]
	}
	kept := make([][]byte, len(lines))
	for i, line := range lines {
		kept[i] = slices.Clone(line[:min(len(line), mostCompare)])
	}
	h.recent = append(h.recent, kept)
	if h.times >= mostHarmful {
		h.halve()
	}
}

func (h *harm) halve() {
	h.times /= 2
	for f, n := range h.counts {
		if h.counts[f] = n / 2; n < 2 {
			delete(h.counts, f)
		}
	}
}

// featuresOf returns the features of lines, each once, until the next call.
func (h *harm) featuresOf(lines ...[]byte) []uint32 {
	h.buf = h.buf[:0]
	for _, line := range lines {
		h.buf = appendFeatures(h.buf, line)
	}
	slices.Sort(h.buf)
	return slices.Compact(h.buf)
}

// danger returns how much of what a line is made of is harmful: the sum, over its features that harmful
// lines have and answered ones hardly, of the part of the times that a line had it which did harm. Own is how
// often the line itself was one of them: that tells nothing.
func (h *harm) danger(line []byte, own int, a *answered) (sum float32) {
	others := h.times - own
	if others <= 0 {
		return 0
	}
	for _, f := range h.featuresOf(line) {
		if n := h.counts[f]; n > clearing*int(a.counts[f]) {
			sum += float32(max(n-own, 0)) / float32(others)
		}
	}
	return sum
}

// threshold returns how dangerous a line is at least that is like those that did harm: nearly as much as
// the least of them is to the others. Of a single one nothing can be said.
func (h *harm) threshold(a *answered) float32 {
	if h.times < 2 {
		return features
	}
	least := float32(features)
	for _, lines := range h.recent {
		most := float32(0)
		for _, line := range lines {
			most = max(most, h.danger(line, 1, a))
		}
		least = min(least, most)
	}
	return max(least-dangerMargin, leastDanger)
}

// proven reports whether a line has only features that answered lines have, and not harmful ones for the most part.
func (h *harm) proven(line []byte, a *answered) bool {
	const mask = triples - 1
	last := uint32(0)
	for _, b := range line[:min(len(line), mostCompare)] {
		class := uint32(classes[b])
		last = (last<<classBits | class) & mask
		if !h.cleared(last, a) {
			return false
		}
	}
	return h.cleared(lengthFeature(line), a)
}

// cleared reports whether a feature is one of answered lines.
func (h *harm) cleared(f uint32, a *answered) bool {
	n := a.counts[f]
	return n > 0 && h.counts[f] <= clearing*int(n)
}
