package engine

import (
	"errors"
	"io"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

const (
	// pumpBudget is how many bytes one play may move before others have their turn.
	pumpBudget = 256 << 10
	// leastRead is what a read counts at least: one that gives little costs as much, and a peer can see to it that
	// all do, in records of one byte.
	leastRead = 64 << 10
	// headReads is how often one play reads for a head.
	headReads = pumpBudget / leastRead
)

// An outcome says why pump returned.
type outcome uint8

const (
	sourceEmpty outcome = iota // the source has nothing now; its edge will wake
	sinkFull                   // the sink takes nothing now; its edge will wake
	budgetSpent                // there may be more; whoever pumps wakes itself
	finished                   // the body is over and all of it was written
	failed                     // flow.err says what, flow.broken which end
)

// A recoding is what happens to the body's framing on its way.
type recoding uint8

const (
	verbatim  recoding = iota // it stays as it is
	unchunked                 // chunk framing is taken off, for a client that does not know it
	chunked                   // chunk framing is put on, for a body that ends with its connection
)

// A flow carries one message's bytes one way: out of src, through one borrowed buffer, into
// dst. Bytes beyond the end of the body stay in the buffer and are never written.
//
// In front of the body goes pre, a head that was composed elsewhere; it is written together
// with the body's first bytes.
type flow struct {
	src, dst End
	pool     *buffers
	pre      *buffer // the head, lent; nil once it was written
	buf      *buffer // lent while it holds bytes
	ready    int     // buf.b[buf.r:ready] belongs to the message; what follows does not, or is to be scanned again
	body     h1.Body
	recode   recoding

	in, out int64   // bytes read from src and written to dst, heads included
	moved   int64   // bytes of the body read
	limit   int64   // of the body's bytes without framing, 0 none
	bulky   bool    // the next read may give much
	closed  bool    // the source has ended where it may
	broken  flowEnd // which end failed
	err     error
}

// flowEnd is one of the two ends of a flow.
type flowEnd uint8

const (
	source flowEnd = iota
	sink
)

var errBodyTooLarge = errors.New("the body is larger than allowed")

// begin makes f ready for a message whose head, if it has one, is pre, and whose body's
// first bytes, if some were read already, are what buf holds. It takes both over. For a body
// that is to be chunked, buf must have headRoom before and chunkRoom behind its bytes.
func (f *flow) begin(m flow) {
	m.pool, m.in, m.out = f.pool, f.in, f.out
	*f = m
	if f.buf == nil {
		return
	}
	f.ready = f.buf.r
	if f.buf.empty() {
		f.putIfEmpty()
		return
	}
	f.scan()
}

// pump writes what it holds and reads what it has room for, until one end says again, the
// body is over, or budget bytes were moved.
func (f *flow) pump(budget int) outcome {
	if f.err != nil {
		return failed
	}
	for spent := int64(0); ; {
		read := f.in
		switch {
		case !f.flush():
			return f.stopped(sinkFull)
		case f.over():
			return finished
		case spent >= int64(budget):
			return budgetSpent
		case !f.fill():
			return f.stopped(sourceEmpty)
		}
		spent += max(f.in-read, leastRead)
	}
}

// stopped is why nothing goes on: an end that failed, or else why.
func (f *flow) stopped(why outcome) outcome {
	if f.err != nil {
		return failed
	}
	return why
}

// over says whether all of the message has been read.
func (f *flow) over() bool { return f.closed || f.body.Done() }

// headCut says whether a part of the head was written and the rest was not.
func (f *flow) headCut() bool { return f.pre != nil && f.pre.r > 0 }

// flush writes the head and the bytes that are ready. It returns false if the sink took not
// all of them, or failed.
func (f *flow) flush() bool {
	for f.pre != nil || f.holds() {
		n, err := f.write()
		f.wrote(n)
		if err != nil {
			if err != loop.ErrAgain {
				f.fail(sink, err)
			}
			return false
		}
	}
	return true
}

// holds says whether bytes of the body are ready to be written.
func (f *flow) holds() bool { return f.buf != nil && f.buf.r < f.ready }

func (f *flow) write() (int, error) {
	if f.pre == nil {
		return f.dst.Write(f.buf.b[f.buf.r:f.ready])
	}
	f.join()
	if !f.holds() {
		return f.dst.Write(f.pre.bytes())
	}
	pieces := &f.pool.pieces
	pieces[0], pieces[1] = f.pre.bytes(), f.buf.b[f.buf.r:f.ready]
	return f.dst.Writev(pieces[:])
}

// join puts a body that fits behind the head: a write of one piece costs less than one of two.
func (f *flow) join() {
	if f.holds() && f.ready-f.buf.r <= len(f.pre.room()) {
		n := copy(f.pre.room(), f.buf.b[f.buf.r:f.ready])
		f.pre.w += n
		f.buf.r += n
		f.putIfEmpty()
	}
}

// wrote takes n written bytes off the head, then off the body.
func (f *flow) wrote(n int) {
	f.out += int64(n)
	if f.pre != nil {
		of := min(n, f.pre.w-f.pre.r)
		f.pre.r += of
		n -= of
		if f.pre.empty() {
			f.pool.put(f.pre)
			f.pre = nil
		}
	}
	if n > 0 {
		f.buf.r += n
	}
	f.putIfEmpty()
}

// putIfEmpty gives an empty buffer back.
func (f *flow) putIfEmpty() {
	if f.buf != nil && f.buf.empty() {
		f.pool.put(f.buf)
		f.buf, f.ready = nil, 0
	}
}

// fill reads once and scans what came. progress says that there is something to go on with.
func (f *flow) fill() (progress bool) {
	if f.buf == nil {
		f.borrow()
	} else {
		f.buf.moveDown() // it holds the beginning of a chunk's size, which is scanned with the rest of it
	}
	f.ready = f.buf.r
	n, err := f.src.Read(f.space())
	if err != nil {
		return f.readEnded(err)
	}
	f.bulky = n >= relaySize-headRoom-chunkRoom
	f.in += int64(n)
	f.buf.w += n
	return f.scan()
}

// borrow gets a buffer: a large one if much is expected, or the last read gave as much as one for
// relaying holds.
func (f *flow) borrow() {
	if f.bulky {
		f.buf = f.pool.bulk()
	} else {
		f.buf = f.pool.relay()
	}
	if f.recode == chunked {
		f.buf.r, f.buf.w = headRoom, headRoom
	}
}

// space is where the next bytes are read to. Pump has written all that was ready.
func (f *flow) space() []byte {
	if f.recode == chunked {
		return f.buf.b[f.buf.w : len(f.buf.b)-chunkRoom]
	}
	return f.buf.room()
}

// readEnded deals with a source that gave nothing. progress says that this was its end, and a regular one.
func (f *flow) readEnded(err error) (progress bool) {
	f.putIfEmpty()
	if err == loop.ErrAgain {
		return false
	}
	if err == io.EOF {
		err = f.body.End()
	}
	if err != nil {
		f.fail(source, err)
		return false
	}
	f.closed = true
	if f.recode == chunked {
		f.lastChunk()
	}
	return true
}

// scan finds how much of the unscanned bytes belongs to the body, takes out what goes no further, and recodes the rest.
func (f *flow) scan() (ok bool) {
	fresh := f.buf.b[f.ready:f.buf.w]
	out, n, err := f.take(fresh)
	f.moved += int64(n)
	if len(out) < n {
		f.buf.w = f.ready + len(out) + copy(fresh[len(out):], fresh[n:])
	}
	f.ready += len(out)
	if err == nil && f.overLimit() {
		err = errBodyTooLarge
	}
	if err != nil {
		f.fail(source, err)
		return false
	}
	if f.recode == chunked && n > 0 {
		f.chunk(n)
	}
	f.putIfEmpty()
	return true
}

// take has the body take the n of the fresh bytes that are its, and leaves what is to go on at their beginning.
func (f *flow) take(fresh []byte) (out []byte, n int, err error) {
	if f.recode == unchunked {
		return f.body.Data(fresh[:0], fresh)
	}
	return f.body.Pass(fresh)
}

// overLimit says whether more of the body has come than is allowed.
func (f *flow) overLimit() bool { return f.limit > 0 && f.body.Payload() > f.limit }

// chunk puts a size line in front of the n bytes that were read and CRLF behind them.
func (f *flow) chunk(n int) {
	const digits = "0123456789abcdef"
	b, r := f.buf.b, f.buf.r
	r -= 2
	b[r], b[r+1] = '\r', '\n'
	for ; n > 0; n >>= 4 {
		r--
		b[r] = digits[n&15]
	}
	f.buf.r = r
	f.buf.w += copy(b[f.buf.w:], "\r\n")
	f.ready = f.buf.w
}

// lastChunk ends a body that we chunked ourselves.
func (f *flow) lastChunk() {
	if f.buf == nil {
		f.buf = f.pool.relay()
	}
	f.buf.w += copy(f.buf.room(), h1.LastChunk)
	f.ready = f.buf.w
}

func (f *flow) fail(at flowEnd, err error) { f.broken, f.err = at, err }

// excess is what was read beyond the end of the message.
func (f *flow) excess() []byte {
	if f.buf == nil {
		return nil
	}
	return f.buf.b[f.ready:f.buf.w]
}

// release gives back what f borrowed and makes it ready for another message; what it has
// counted stays.
func (f *flow) release() {
	f.pool.put(f.pre)
	f.pool.put(f.buf)
	*f = flow{pool: f.pool, in: f.in, out: f.out}
}
