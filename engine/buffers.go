package engine

import (
	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// Buffers are lent by the worker while a connection has bytes in flight and given back as
// soon as they are empty, so an idle connection holds none. Three sizes are lent: a small one
// for a request's head, which most fit, one for relaying, and a large one for flows that fill
// it; and whatever a large head needs. With large ones a gigabyte costs a third less CPU, but they
// are few, for every stalled client keeps what it has.
const (
	headSize  = 4 << 10
	relaySize = 16 << 10
	bulkSize  = 256 << 10
	bulkLent  = 64 // at most, per worker

	// headRoom is kept free in front of a relay buffer's bytes for a chunk's size line, and
	// chunkRoom behind them for the CRLF that ends the chunk and the last chunk.
	headRoom  = 8
	chunkRoom = 8
)

// A buffer is a flat piece of memory of which b[r:w] holds bytes.
type buffer struct {
	loan canary.Loan
	b    []byte
	r, w int
}

func (b *buffer) bytes() []byte { return b.b[b.r:b.w] }
func (b *buffer) empty() bool   { return b.r == b.w }
func (b *buffer) room() []byte  { return b.b[b.w:] }

// moveDown moves what b holds to its beginning.
func (b *buffer) moveDown() {
	if b.r > 0 {
		b.w = copy(b.b, b.bytes())
		b.r = 0
	}
}

// fill takes over content that was appended to b.b[:0] or to its bytes, wherever appending
// has put it.
func (b *buffer) fill(content []byte) {
	b.b, b.w = content[:cap(content)], len(content)
}

// buffers is a worker's buffers that are free. There are not many of each size, so that memory
// borrowed in a rush returns to the collector.
type buffers struct {
	heads, relays loop.FreeList[buffer]
	bulks         loop.FreeList[buffer]
	bulky         int // large ones lent
	odd           int // bytes of those of odd sizes that were let go of since the last trim
	inUse         int
	pieces        [2][]byte // of a write in two pieces
	borrower      uint64    // in a canary build: who plays, see canary.Owner
}

// How many free buffers of a size are kept for the next borrower.
const (
	keptBuffers = 256
	keptBulks   = 8
)

func newBuffers() (p buffers) {
	if canary.On {
		return p // none is lent a second time
	}
	p.heads.Most, p.relays.Most, p.bulks.Most = keptBuffers, keptBuffers, keptBulks
	return p
}

// head lends a small buffer.
func (p *buffers) head() *buffer { return p.get(&p.heads, headSize) }

// relay lends a buffer for relaying.
func (p *buffers) relay() *buffer { return p.get(&p.relays, relaySize) }

// bulk lends a large buffer, or one for relaying if too many are lent.
func (p *buffers) bulk() *buffer {
	if p.bulky == bulkLent {
		return p.relay()
	}
	p.bulky++
	return p.get(&p.bulks, bulkSize)
}

func (p *buffers) get(free *loop.FreeList[buffer], size int) *buffer {
	p.inUse++
	b := free.Get()
	if b.b == nil {
		b.b = make([]byte, size)
	}
	return p.lend(b)
}

// lend notes who borrows b.
func (p *buffers) lend(b *buffer) *buffer {
	b.loan.Begin(b.b, canary.Buffer, p.borrower)
	return b
}

// put takes b back; nil is nothing. Buffers of odd sizes go to the collector.
func (p *buffers) put(b *buffer) {
	if b == nil {
		return
	}
	p.inUse--
	b.loan.End(b.b)
	b.r, b.w = 0, 0
	switch len(b.b) {
	case headSize:
		p.heads.Put(b)
	case relaySize:
		p.relays.Put(b)
	case bulkSize:
		p.bulky--
		p.bulks.Put(b)
	default:
		p.odd += len(b.b)
	}
}

// trim lets go of the buffers that nobody has needed since the last time, and returns how many bytes they have, and those that
// went since by themselves: five thousand large heads leave 320 MB, and then nobody allocates.
func (p *buffers) trim() int {
	odd := p.odd
	p.odd = 0
	return odd + len(p.heads.Trim())*headSize + len(p.relays.Trim())*relaySize + len(p.bulks.Trim())*bulkSize
}

// fit lends a buffer with room for n bytes; nil for none.
func (p *buffers) fit(n int) *buffer {
	switch {
	case n == 0:
		return nil
	case n <= headSize:
		return p.head()
	case n <= relaySize:
		return p.relay()
	}
	return p.exactly(n)
}

// exactly lends a buffer of just n bytes, which is not kept.
func (p *buffers) exactly(n int) *buffer {
	p.inUse++
	return p.lend(&buffer{b: make([]byte, n|1)}) // no size that is kept is odd
}

// grow gives a larger buffer with what b holds, and b back: 4, 16, 64 KiB and so on.
func (p *buffers) grow(b *buffer) *buffer {
	var larger *buffer
	if len(b.b) < relaySize {
		larger = p.relay()
	} else {
		larger = p.exactly(4 * len(b.b))
	}
	larger.w = copy(larger.b, b.bytes())
	p.put(b)
	return larger
}
