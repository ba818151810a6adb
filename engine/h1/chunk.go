package h1

import "math"

// A chunkState is where in the chunked coding (RFC 9112 section 7.1) the next byte stands.
type chunkState uint8

const (
	chunkSize      chunkState = iota + 1 // first digit of a chunk's size
	chunkDigits                          // further digits
	chunkPadding                         // whitespace after the digits
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
	maxSizeDigits = 16       // of a chunk's size
	maxSurplus    = 16 << 10 // bytes of extensions beyond the bytes of payload so far
	maxTrailer    = 16 << 10 // bytes of all trailer fields
)

// nextChunked consumes the next run of payload, or of framing up to the next payload or the end.
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
		if what := b.step(p[n]); what != "" {
			b.state = chunkFailed
			return n, false, fault(BadFraming, what, p[n:n+1])
		}
		n++
	}
	return n, false, nil
}

// step consumes one byte of framing, and returns what is wrong with it, if anything.
func (b *Body) step(c byte) (wrong string) {
	switch b.state {
	case chunkSize, chunkDigits, chunkPadding, chunkExtension, chunkSizeLF:
		return b.stepSize(c)
	case chunkCR:
		return b.expect(c, '\r', chunkLF)
	case chunkLF:
		return b.expect(c, '\n', chunkSize)
	case trailerStart, trailerName, trailerValue, trailerLF, chunkLastLF:
		return b.stepTrailer(c)
	case chunkFailed:
		return "bytes after a fault"
	case chunkPayload, chunkDone:
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

// stepSize consumes a byte of `chunk-size [chunk-ext] CRLF`. Whitespace may follow the size even
// without an extension: old servers pad their sizes.
func (b *Body) stepSize(c byte) (wrong string) {
	switch {
	case b.state == chunkSizeLF && c == '\n':
		b.state = chunkPayload
		if b.left == 0 {
			b.state = trailerStart
		}
	case b.state == chunkSizeLF:
		return "CR without LF in a chunk's size line"
	case b.state == chunkSize && !is(c, hexChar):
		return "no chunk size"
	case (b.state == chunkSize || b.state == chunkDigits) && is(c, hexChar):
		return b.stepDigit(c)
	case c == '\r':
		b.state = chunkSizeLF
	default:
		return b.stepExtension(c)
	}
	return ""
}

// stepExtension consumes a byte between the digits and the line end.
func (b *Body) stepExtension(c byte) (wrong string) {
	if b.surplus++; b.surplus > maxSurplus {
		return "chunk extensions too long"
	}
	switch {
	case b.state == chunkExtension && is(c, ctlChar) && c != '\t':
		return "control character in a chunk extension"
	case b.state == chunkExtension:
	case c == ';':
		b.state = chunkExtension
	case c == ' ' || c == '\t':
		b.state = chunkPadding
	default:
		return "bad character after a chunk size"
	}
	return ""
}

func (b *Body) stepDigit(c byte) (wrong string) {
	if b.state == chunkSize {
		b.left, b.digits = 0, 0
	}
	b.state = chunkDigits
	if b.digits++; b.digits > maxSizeDigits || b.left > math.MaxInt64>>4 {
		return "chunk size too large"
	}
	b.left = b.left<<4 | int64(hexValue(c))
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
