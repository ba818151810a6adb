package proxyheader

import (
	"bytes"
	"errors"
	"net/netip"
)

// Most is how many bytes a header may have. Those of balancers have some hundred at most; one of 64 KB, which
// version 2 could have, is not waited for.
const Most = 4096

// A Header is what a header says. It refers to no memory of others.
type Header struct {
	Version byte // 1 or 2
	// Local says that the peer speaks for itself (LOCAL), as when it looks whether we are there.
	Local bool
	// Source and Destination are the ends of the connection that the header is about; zero: it does not
	// say (UNKNOWN, UNSPEC, or addresses that are no IP addresses).
	Source, Destination netip.AddrPort

	extensions []byte // TLVs, one after the other, well-formed
}

// Forwards says whether the header says for whom the peer has connected.
func (h *Header) Forwards() bool { return !h.Local && h.Source.IsValid() }

// ErrShort says that the header is not complete.
var ErrShort = errors.New("the PROXY header is not complete")

// An Error is what is wrong with a header. Its text is Squid's.
type Error struct {
	Version byte // 0: it is none of either
	Text    string
}

func (e *Error) Error() string {
	switch e.Version {
	case 1:
		return "PROXY/1.0 error: " + e.Text
	case 2:
		return "PROXY/2.0 error: " + e.Text
	}
	return "PROXY protocol error: " + e.Text
}

var (
	magic1 = []byte("PROXY")
	magic2 = []byte("\r\n\r\n\x00\r\nQUIT\n")

	errMagic   = &Error{Text: "invalid magic"}
	errTooLong = &Error{Version: 2, Text: "header is too long"}
)

// Parse reads a header from the beginning of b, and says how many bytes it has. The error is ErrShort if more bytes
// are needed, or an *Error.
func Parse(b []byte) (h *Header, n int, err error) {
	switch {
	case begins(b, magic2):
		if len(b) < len(magic2) {
			return nil, 0, ErrShort
		}
		return parse2(b)
	case begins(b, magic1):
		if len(b) < len(magic1) {
			return nil, 0, ErrShort
		}
		return parse1(b)
	}
	return nil, 0, errMagic
}

// begins says whether b begins with magic, as far as either goes.
func begins(b, magic []byte) bool {
	n := min(len(b), len(magic))
	return bytes.Equal(b[:n], magic[:n])
}

// EachExtension calls f for each TLV, until it returns false.
func (h *Header) EachExtension(f func(kind byte, value []byte) bool) {
	for b := h.extensions; len(b) > 0; {
		kind, value, rest, _ := extension(b)
		if !f(kind, value) {
			return
		}
		b = rest
	}
}

// extension takes the first TLV off b.
func extension(b []byte) (kind byte, value, rest []byte, ok bool) {
	if len(b) < 3 {
		return 0, nil, nil, false
	}
	n := 3 + int(b[1])<<8 + int(b[2])
	if len(b) < n {
		return 0, nil, nil, false
	}
	return b[0], b[3:n], b[n:], true
}
