package h1

// A Framing is how the end of a body is marked.
type Framing uint8

const (
	NoBody     Framing = iota // there is none
	Length                    // by Content-Length
	Chunked                   // by the chunked transfer coding
	UntilClose                // by the end of the connection
)

// A Body follows the bytes of one message's body to its end. It holds no bytes, only where it is.
// The zero value is that of a message without body.
type Body struct {
	framing    Framing
	tunnel     bool
	conflict   bool
	undeclared bool // Content-Length must not be sent: RFC 9110 section 8.6
	state      chunkState
	left       int64 // bytes to come: of the body (Length) or of the chunk (Chunked)
	length     int64 // as declared, -1 if not
	payload    int64 // bytes of it that have come, without framing
	surplus    int   // bytes of chunk extensions beyond the bytes of payload
	trailer    int   // bytes of trailer fields
}

func lengthBody(n int64) Body { return Body{framing: Length, left: n, length: n} }

func chunkedBody(conflict bool) Body {
	return Body{framing: Chunked, length: -1, conflict: conflict, state: chunkSize}
}

// Tunnel is the body of a tunnel: all bytes belong to it and only the connection ends it.
func Tunnel() Body { return Body{framing: UntilClose, tunnel: true, length: -1} }

// Framing returns how the end is marked.
func (b *Body) Framing() Framing { return b.framing }

// Length returns the declared length in bytes, -1 if none was declared (a message without body included).
func (b *Body) Length() int64 {
	if b.framing != Length {
		return -1
	}
	return b.length
}

// Payload returns how many bytes of the body have come, its framing not counted.
func (b *Body) Payload() int64 { return b.payload }

// Conflict reports whether the head declared two framings, of which one is used. Such a message must
// be passed on with one only, see Declare, and its connection closed after it: RFC 9112 section 6.1.
func (b *Body) Conflict() bool { return b.conflict }

// Done reports whether the end of the body was reached. One that ends with its connection is never done.
func (b *Body) Done() bool {
	switch b.framing {
	case NoBody:
		return true
	case Length:
		return b.left == 0
	case Chunked:
		return b.state == chunkDone
	case UntilClose:
		return false
	}
	panic("BUG: a body has no framing")
}

// End is called when the peer has closed: nil if the body may end here, ErrTruncated otherwise.
func (b *Body) End() error {
	if b.Done() || b.framing == UntilClose {
		return nil
	}
	return ErrTruncated
}

// Pass says how many of the bytes p that come next belong to this message, framing included, and leaves in out, which is
// the beginning of p, those that go on: chunk extensions, trailer fields, and padding of a chunk's size do not. What is
// beyond n is the next message's if the body is done. If it is not, p ends within a chunk's size: those bytes are to be
// given again, with what follows them. On error, n bytes were still right; a body that has failed goes on failing. The
// error is a *SyntaxError of kind BadChunk.
func (b *Body) Pass(p []byte) (out []byte, n int, err error) {
	kept := 0
	for n < len(p) && !b.Done() {
		r, err := b.next(p[n:])
		if r.payload {
			b.payload += int64(r.n)
		}
		if from := n + r.from; kept != from {
			copy(p[kept:], p[from:from+r.keep])
		}
		kept += r.keep
		n += r.n
		if err != nil || r.n == 0 {
			return p[:kept], n, err
		}
	}
	return p[:kept], n, nil
}

// Data does the same with the payload alone, which it appends to dst. dst may be p[:0], to remove the framing in place.
func (b *Body) Data(dst, p []byte) (out []byte, n int, err error) {
	for n < len(p) && !b.Done() {
		r, err := b.next(p[n:])
		if r.payload {
			dst = append(dst, p[n:n+r.n]...)
			b.payload += int64(r.n)
		}
		n += r.n
		if err != nil || r.n == 0 {
			return dst, n, err
		}
	}
	return dst, n, nil
}

// A run is so many bytes at the beginning of what comes, of which so many go on, from one on. They are all payload, or all
// framing.
type run struct {
	n, from, keep int
	payload       bool
}

// whole is a run of which all goes on.
func whole(n int, payload bool) run { return run{n: n, keep: n, payload: payload} }

// next consumes the next run. It is only called while the body is not done.
func (b *Body) next(p []byte) (run, error) {
	switch b.framing {
	case Length:
		n := int(min(int64(len(p)), b.left))
		b.left -= int64(n)
		return whole(n, true), nil
	case UntilClose:
		return whole(len(p), true), nil
	case Chunked:
		return b.nextChunked(p)
	case NoBody:
	}
	panic("BUG: bytes for a message without body")
}

// Declare makes the header of the message declare this framing and no other. That must be done
// before the message is passed on, so that the next reader ends it where we do. It may be called
// before or after Pass; it depends on the framing only.
func (b *Body) Declare(h *Header) {
	switch b.framing {
	case NoBody, Length:
		h.Del("Transfer-Encoding")
		if b.undeclared {
			h.Del("Content-Length")
		} else if list := h.Get("Content-Length"); list != nil {
			first, _, _ := element(list)
			for len(first) > 1 && first[0] == '0' {
				first = first[1:]
			}
			h.Set("Content-Length", first)
		}
	case Chunked:
		h.Del("Content-Length")
		h.Set("Transfer-Encoding", chunkedName)
	case UntilClose:
		h.Del("Content-Length")
		h.Del("Transfer-Encoding")
	}
}

var chunkedName = []byte("chunked")
