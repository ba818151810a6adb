package h1

import (
	"cmp"
	"math"
)

// A chunkState is where in the chunked coding (RFC 9112 section 7.1) the next byte stands.
type chunkState uint8

const (
	chunkSize      chunkState = iota + 1 // the size, up to CR or semicolon
	chunkExtension                       // after the semicolon, up to CR
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

// nextChunked consumes the next run of payload, or of framing up to the next payload or the end.
// n is 0 without an error if p ends within a chunk's size.
func (b *Body) nextChunked(p []byte) (n int, payload bool, err error) {
	if b.state == chunkPayload {
		n = int(min(int64(len(p)), b.left))
		b.left -= int64(n)
		b.surplus = max(0, b.surplus-n)
		if b.left == 0 {
			b.state = chunkCR
		}
		return n, true, nil
	}
	for n < len(p) && b.state != chunkPayload && b.state != chunkDone {
		step, what := b.frame(p[n:])
		if what != "" {
			b.state = chunkFailed
			return n, false, fault(BadChunk, what, p[n:n+1])
		}
		if step == 0 {
			break
		}
		n += step
	}
	return n, false, nil
}

// frame consumes n bytes of framing, and returns what is wrong with them, if anything.
func (b *Body) frame(p []byte) (n int, wrong string) {
	if b.state == chunkSize {
		return b.size(p)
	}
	return 1, b.step(p[0])
}

// size consumes a chunk's size, which is read as a whole: n is 0 if p does not have all of it. Old
// servers pad their sizes with white space, which readers are not agreed on (RFC 9112 allows it before
// an extension only): it is made leading zeros, in p itself.
func (b *Body) size(p []byte) (n int, wrong string) {
	digits := 0
	for digits < len(p) && is(p[digits], hexChar) {
		digits++
	}
	n = digits
	for n < len(p) && (p[n] == ' ' || p[n] == '\t') {
		n++
	}
	switch {
	case digits == 0 && len(p) > 0:
		return 0, "no chunk size"
	case n > maxSizeToken:
		return 0, "chunk size too long"
	case n == len(p):
		return 0, ""
	case p[n] == '\r':
		b.state = chunkSizeLF
	case p[n] == ';':
		b.state = chunkExtension
		wrong = b.overhead(1)
	default:
		return 0, "bad character after a chunk size"
	}
	copy(p[n-digits:n], p[:digits])
	fill(p[:n-digits], '0')
	size, tooLarge := sizeOf(p[:n])
	b.left = size
	return n + 1, cmp.Or(tooLarge, wrong, b.overhead(n-digits))
}

func fill(p []byte, c byte) {
	for i := range p {
		p[i] = c
	}
}

// sizeOf reads hexadecimal digits.
func sizeOf(digits []byte) (size int64, wrong string) {
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
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

// stepTrailer consumes a byte of the trailer section. Its fields are passed on unparsed, so it is strict:
// no folding, no control characters.
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
