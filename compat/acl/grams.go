package acl

// grams is an index of needles by three bytes of each of them.
type grams struct {
	heads   []int // places in entries, by a hash of the gram; 0 is nobody
	entries []gramEntry
	shift   uint

	crowd map[uint32]int // how many entries have a gram; gone after finish
}

// gramEntry says that a needle, and so the pattern behind it, may stand where a gram does.
type gramEntry struct {
	gram    uint32
	offset  int // of the gram in the needle
	needle  string
	pattern int
	next    int // with the same hash; 0 ends the chain
}

const (
	gramSize = 3
	gramMask = 1<<(8*gramSize) - 1
)

func gramOf(text string) uint32 { return uint32(text[0])<<16 | uint32(text[1])<<8 | uint32(text[2]) }

// take reports whether all needles are long enough for the index.
func (g *grams) take(needles []string) bool {
	for _, n := range needles {
		if len(n) < gramSize {
			return false
		}
	}
	return true
}

// add puts a needle under the one of its grams that says most.
func (g *grams) add(needle string, pattern int) {
	best, offset := -1, 0
	for i := 0; i+gramSize <= len(needle); i++ {
		crowd := g.crowd[gramOf(needle[i:])]
		if worthOf(needle[i:i+gramSize]) < gramSize {
			crowd += 1 << 20
		}
		if best < 0 || crowd < best {
			best, offset = crowd, i
		}
	}
	gram := gramOf(needle[offset:])
	if g.crowd == nil {
		g.crowd = make(map[uint32]int)
	}
	g.crowd[gram]++
	g.entries = append(g.entries, gramEntry{gram: gram, offset: offset, needle: needle, pattern: pattern})
}

// finish builds the table. Entry 0 is nobody, so that 0 can end a chain.
func (g *grams) finish() {
	g.crowd = nil
	if len(g.entries) == 0 {
		return
	}
	g.entries = append([]gramEntry{{}}, g.entries...)
	bits := uint(6)
	for 1<<bits < 4*len(g.entries) {
		bits++
	}
	g.shift = 32 - bits
	g.heads = make([]int, 1<<bits)
	for i := 1; i < len(g.entries); i++ {
		slot := g.slot(g.entries[i].gram)
		g.entries[i].next = g.heads[slot]
		g.heads[slot] = i
	}
}

func (g *grams) slot(gram uint32) uint32 { return gram * 0x9e3779b1 >> g.shift }

func (g *grams) head(gram uint32) int { return g.heads[g.slot(gram)] }
