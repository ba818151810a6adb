package h1

import (
	"cmp"
	"math"
)

// A chunkState is where in the chunked coding (RFC 9112 section 7.1) the next byte stands.
type chunkState uint8

const (
	chunkSize      chunkState = iota + 1 // the size, with its padding
	chunkExtension                       // after the size, up to CR
	chunkSizeLF                          // LF of the size line
	chunkPayload
	chunkCR // CR after the payload
	chunkLF
	trailerStart // first byte of a trailer field, or CR of the last line
	trailerName
	trailerValue
	trailerLF
	chunkLastLF
	chunkDone
	chunkFailed
)

const (
	maxSizeToken  = 64       // bytes of a chunk's size with leading zeros and padding
	maxSizeDigits = 16       // of them, those that count
	maxSurplus    = 16 << 10 // bytes of extensions beyond the bytes of payload so far
	maxTrailer    = 16 << 10 // bytes of all trailer fields
)

// nextChunked consumes the next run of payload, or of framing up to the next payload, the end, or bytes that go no
// further. It has no bytes if p ends within a chunk's size.
func (b *Body) nextChunked(p []byte) (run, error) {
	if b.state == chunkPayload {
		n := int(min(int64(len(p)), b.left))
		b.left -= int64(n)
		b.surplus = max(0, b.surplus-n)
		if b.left == 0 {
			b.state = chunkCR
		}
		return whole(n, true), nil
	}
	n := b.between(p)
	for n < len(p) && b.state != chunkPayload && b.state != chunkDone {
		if n > 0 && b.state == chunkSize && p[n] == '0' {
			break // a run of its own, which may not begin there
		}
		r, what := b.frame(p[n:])
		if what != "" {
			b.state = chunkFailed
			return whole(n, false), fault(BadChunk, what, p[n:n+1])
		}
		if r.n == 0 {
			break
		}
		if r.keep < r.n {
			return run{n: n + r.n, from: r.from, keep: n + r.keep}, nil
		}
		n += r.n
	}
	return whole(n, false), nil
}

// between consumes what stands between the payload of two chunks, if that is as usual: CRLF, a size without padding, CRLF.
func (b *Body) between(p []byte) (n int) {
	const most = 2 + 8 + 2
	if b.state != chunkCR || len(p) < most || p[0] != '\r' || p[1] != '\n' || p[2] == '0' {
		return 0
	}
	size, n := int64(0), 2
	for n < most-2 && is(p[n], hexChar) {
		size = size<<4 | int64(hexValue(p[n]))
		n++
	}
	if n == 2 || p[n] != '\r' || p[n+1] != '\n' {
		return 0
	}
	b.left, b.state = size, chunkPayload
	return n + 2
}

// frame consumes a run of framing, and returns what is wrong with it, if anything.
func (b *Body) frame(p []byte) (r run, wrong string) {
	before := b.state
	if before == chunkSize {
		return b.size(p)
	}
	wrong = b.step(p[0])
	switch {
	case b.state == chunkExtension, b.state == trailerName, b.state == trailerValue, b.state == trailerLF, before == trailerLF:
		return run{n: 1}, wrong
	}
	return whole(1, false), wrong
}

// size consumes a chunk's size, which is read as a whole: the run is empty if p does not have all of it. Old
// servers pad their sizes with zeros and white space, which readers are not agreed on (RFC 9112 allows white space before
// an extension only): these go no further.
func (b *Body) size(p []byte) (r run, wrong string) {
	digits := 0
	for digits < len(p) && is(p[digits], hexChar) {
		digits++
	}
	n := digits
	for n < len(p) && (p[n] == ' ' || p[n] == '\t') {
		n++
	}
	switch {
	case digits == 0 && len(p) > 0:
		return run{}, "no chunk size"
	case n > maxSizeToken:
		return run{}, "chunk size too long"
	case n == len(p):
		return run{}, ""
	case p[n] != '\r' && p[n] != ';':
		return run{}, "bad character after a chunk size"
	}
	zeros := 0
	for zeros < digits-1 && p[zeros] == '0' {
		zeros++
	}
	b.left, wrong = sizeOf(p[zeros:digits])
	b.state = chunkExtension // if there is one
	return run{n: n, from: zeros, keep: digits - zeros}, cmp.Or(wrong, b.overhead(n-digits))
}

// sizeOf reads hexadecimal digits.
func sizeOf(digits []byte) (size int64, wrong string) {
	if len(digits) > maxSizeDigits {
		return 0, "chunk size too large"
	}
	for _, c := range digits {
		if size > math.MaxInt64>>4 {
			return 0, "chunk size too large"
		}
		size = size<<4 | int64(hexValue(c))
	}
	return size, ""
}

// step consumes one byte of framing, and returns what is wrong with it, if anything.
func (b *Body) step(c byte) (wrong string) {
	switch b.state {
	case chunkExtension, chunkSizeLF:
		return b.stepExtension(c)
	case chunkCR:
		return b.expect(c, '\r', chunkLF)
	case chunkLF:
		return b.expect(c, '\n', chunkSize)
	case trailerStart, trailerName, trailerValue, trailerLF, chunkLastLF:
		return b.stepTrailer(c)
	case chunkFailed:
		return "bytes after a fault"
	case chunkSize, chunkPayload, chunkDone:
	}
	panic("BUG: no framing byte is due in a chunked body")
}

// expect accepts exactly this byte. Bare LF is no line end here: readers differ about it.
func (b *Body) expect(c, want byte, then chunkState) (wrong string) {
	if c != want {
		return "no CRLF after a chunk"
	}
	b.state = then
	return ""
}

// stepExtension consumes a byte of `[chunk-ext] CRLF`.
func (b *Body) stepExtension(c byte) (wrong string) {
	switch {
	case b.state == chunkSizeLF && c == '\n':
		b.state = chunkPayload
		if b.left == 0 {
			b.state = trailerStart
		}
		return ""
	case b.state == chunkSizeLF:
		return "CR without LF in a chunk's size line"
	case c == '\r':
		b.state = chunkSizeLF
		return ""
	case is(c, ctlChar) && c != '\t':
		return "control character in a chunk extension"
	}
	return b.overhead(1)
}

// overhead counts n bytes that bear neither size nor payload.
func (b *Body) overhead(n int) (wrong string) {
	if b.surplus += n; b.surplus > maxSurplus {
		return "chunk extensions too long"
	}
	return ""
}

func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return lower[c] - 'a' + 10
}

// stepTrailer consumes a byte of the trailer section, whose fields nobody is told of: they would be merged with those of the
// head, which were judged (RFC 9110, section 6.5.1). It is strict: no folding, no control characters.
func (b *Body) stepTrailer(c byte) (wrong string) {
	if b.trailer++; b.trailer > maxTrailer {
		return "trailer fields too long"
	}
	switch {
	case b.state == trailerStart && c == '\r':
		b.state = chunkLastLF
	case (b.state == trailerStart || b.state == trailerName) && is(c, tokenChar):
		b.state = trailerName
	case b.state == trailerName && c == ':':
		b.state = trailerValue
	case b.state == trailerValue && c == '\r':
		b.state = trailerLF
	case b.state == trailerValue && (c == '\t' || !is(c, ctlChar)):
	case b.state == trailerLF && c == '\n':
		b.state = trailerStart
	case b.state == chunkLastLF && c == '\n':
		b.state = chunkDone
	default:
		return "bad trailer field"
	}
	return ""
}
