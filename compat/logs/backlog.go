package logs

// leastMuch is less than is worth giving back, in bytes.
const leastMuch = 32 << 10

// A backlog is the lines that wait for somebody to write them, and the memory for those that come then: two
// pieces that change places, so that ordinary lines cost no allocation. The lock of its owner guards it.
type backlog struct {
	pending []byte // lines that were not taken
	spare   []byte // empty
	most    int    // how many bytes waited when they were taken, at most, since the last trim
}

func (b *backlog) add(lines []byte) { b.pending = append(b.pending, lines...) }

// take returns all lines. Their memory is the taker's until putBack.
func (b *backlog) take() (lines []byte) {
	b.most = max(b.most, len(b.pending))
	lines, b.pending, b.spare = b.pending, b.spare, nil
	return lines
}

// putBack takes the memory of lines that are written, emptied.
func (b *backlog) putBack(spare []byte) { b.spare = spare }

// trim lets go of memory that is much more than was needed since the last trim, and returns how many bytes that
// was: that of a bad hour is not kept, also if no line comes after it.
func (b *backlog) trim() (bytes int) {
	most := leastMuch + 8*max(b.most, len(b.pending))
	b.most = 0
	if cap(b.spare) > most {
		bytes += cap(b.spare)
		b.spare = nil
	}
	if cap(b.pending) > most {
		bytes += cap(b.pending)
		b.pending = append([]byte(nil), b.pending...)
	}
	return bytes
}
