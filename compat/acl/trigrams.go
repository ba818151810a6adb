package acl

// trigramIndex finds literals in a text by three bytes of each of them.
type trigramIndex struct {
	heads   []int // of chains in entries, by a hash of the trigram; 0 is none
	entries []trigramEntry
	shift   uint

	uses map[uint32]int // how many entries have a trigram; gone after finish
}

// trigramEntry says that a literal, and so the pattern behind it, may stand where a trigram does.
type trigramEntry struct {
	trigram uint32
	offset  int // of the trigram in the literal
	literal string
	pattern int
	next    int // with the same hash; 0 ends the chain
}

const (
	trigramSize = 3
	trigramMask = 1<<(8*trigramSize) - 1
)

func trigramOf(text string) uint32 { return uint32(text[0])<<16 | uint32(text[1])<<8 | uint32(text[2]) }

// covers reports whether all literals are long enough for the index.
func (g *trigramIndex) covers(literals []string) bool {
	for _, n := range literals {
		if len(n) < trigramSize {
			return false
		}
	}
	return true
}

// add puts a literal under the one of its trigrams that is the most selective.
func (g *trigramIndex) add(literal string, pattern int) {
	best, offset := -1, 0
	for i := 0; i+trigramSize <= len(literal); i++ {
		uses := g.uses[trigramOf(literal[i:])]
		if selectivityOf(literal[i:i+trigramSize]) < trigramSize {
			uses += 1 << 20
		}
		if best < 0 || uses < best {
			best, offset = uses, i
		}
	}
	trigram := trigramOf(literal[offset:])
	if g.uses == nil {
		g.uses = make(map[uint32]int)
	}
	g.uses[trigram]++
	g.entries = append(g.entries, trigramEntry{trigram: trigram, offset: offset, literal: literal, pattern: pattern})
}

// finish builds the table. Entry 0 is none, so that 0 can end a chain.
func (g *trigramIndex) finish() {
	g.uses = nil
	if len(g.entries) == 0 {
		return
	}
	g.entries = append([]trigramEntry{{}}, g.entries...)
	bits := uint(6)
	for 1<<bits < 4*len(g.entries) {
		bits++
	}
	g.shift = 32 - bits
	g.heads = make([]int, 1<<bits)
	for i := 1; i < len(g.entries); i++ {
		slot := g.slot(g.entries[i].trigram)
		g.entries[i].next = g.heads[slot]
		g.heads[slot] = i
	}
}

func (g *trigramIndex) slot(trigram uint32) uint32 { return trigram * 0x9e3779b1 >> g.shift }

func (g *trigramIndex) head(trigram uint32) int { return g.heads[g.slot(trigram)] }
