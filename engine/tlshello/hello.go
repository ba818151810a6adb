// Package tlshello reads what a client says first in TLS, its ClientHello (RFC 8446, section 4.1.2), without
// answering it. It is pure functions of bytes, which may arrive cut in any way and be spread over any
// number of records.
package tlshello

import (
	"cmp"
	"encoding/binary"
	"errors"
	"strings"
)

// Longest is how many bytes of a ClientHello are read, record headers included: what crypto/tls and
// OpenSSL take is shorter, with the keys of post-quantum methods too.
const Longest = 64 << 10

var (
	// ErrShort says that more has to arrive.
	ErrShort = errors.New("the ClientHello is not complete")
	// ErrNotTLS says that the bytes begin no ClientHello.
	ErrNotTLS = errors.New("it is no TLS ClientHello")
	// ErrMalformed says that they begin one that cannot be read.
	ErrMalformed = errors.New("the TLS ClientHello cannot be read")
)

// A Hello is what a ClientHello says that matters to who may go where. The zero Hello says nothing.
type Hello struct {
	ServerName string // the name that is asked for (RFC 6066, section 3), as sent but for dots at its end; "" if there is none
	Encrypted  bool   // it has an encrypted inner ClientHello (ECH, RFC 9849): ServerName is that of the outer one
	Record     uint16 // the version of the first record: 0x0301 is TLS 1.0
	Supported  uint16 // the highest version that is offered (RFC 8446, section 4.2.1), or else legacy_version
}

const (
	recordHeader  = 5
	versionEnd    = 3 // where the version ends in it
	messageHeader = 4
	// mostRecords bounds into how many records a ClientHello is cut; clients make one to three.
	mostRecords = 4096

	handshake    = 22 // type of a record
	clientHello  = 1  // type of a handshake message
	majorVersion = 3  // of all records since SSL 3.0

	old = 0x80 // bit of the first byte of SSL 2.0

	serverNameExtension = 0
	hostName            = 0
)

// Encrypted is the number of the extension encrypted_client_hello (RFC 9849, section 5).
const Encrypted = 0xfe0d

// Parse reads a ClientHello at the beginning of b. The error is ErrShort as long as it may still become
// one, ErrNotTLS or ErrMalformed.
func Parse(b []byte) (Hello, error) {
	message, err := assemble(b)
	if err != nil {
		return Hello{}, err
	}
	h, err := parseMessage(message)
	h.Record = recordVersion(b)
	return h, err
}

// recordVersion is the version of the record at the beginning of b, all of whose header is there.
func recordVersion(b []byte) uint16 { return binary.BigEndian.Uint16(b[1:]) }

// assemble puts the handshake message together that the records hold. Nothing is copied before all of it is
// there: a client may send it byte by byte.
func assemble(b []byte) ([]byte, error) {
	size, err := messageSize(b)
	if err != nil {
		return nil, err
	}
	message := make([]byte, 0, size)
	for len(message) < size {
		var fragment []byte
		fragment, b, _ = record(b, false)
		message = append(message, fragment...)
	}
	return message[messageHeader:size], nil
}

// messageSize walks over the records, and returns how long the message in them is if all of it is there.
func messageSize(b []byte) (size int, err error) {
	var head [messageHeader]byte
	have := 0
	for n := range mostRecords {
		fragment, rest, err := record(b, n == 0)
		if err != nil && err != ErrShort {
			return 0, err
		}
		if have < len(head) {
			copy(head[have:], fragment)
		}
		have += len(fragment)
		if have > 0 && head[0] != clientHello {
			return 0, ErrMalformed
		}
		if have >= len(head) {
			size = messageHeader + int(head[1])<<16 + int(binary.BigEndian.Uint16(head[2:]))
			if size > Longest {
				return 0, ErrMalformed
			}
			if have >= size {
				return size, nil
			}
		}
		if err != nil {
			return 0, err
		}
		b = rest
	}
	return 0, ErrMalformed
}

// Like says whether bytes that begin no ClientHello might still be taken for TLS by a server: records of another
// type go before one that servers pass over, and SSL 2.0 had another form of it (RFC 5246, appendix E.2).
func Like(b []byte) bool {
	const firstType, lastType = 20, 24
	switch {
	case len(b) == 0:
		return false
	case b[0] >= firstType && b[0] <= lastType:
		return len(b) == 1 || b[1] == majorVersion
	}
	return b[0]&old != 0 && (len(b) < 3 || b[2] == clientHello)
}

// undecided says whether bytes that begin no ClientHello are too few for Like.
func undecided(b []byte) bool { return len(b) == 1 && Like(b) || len(b) == 2 && b[0]&old != 0 }

// record takes one record apart: what is there of its fragment, and what follows it. The error is ErrShort
// if not all of it is there. A client that speaks something else is known by its first byte.
func record(b []byte, first bool) (fragment, rest []byte, err error) {
	if len(b) > 0 && b[0] != handshake || len(b) > 1 && b[1] != majorVersion {
		switch {
		case first && undecided(b):
			return nil, nil, ErrShort
		case first && !Like(b):
			return nil, nil, ErrNotTLS
		}
		return nil, nil, ErrMalformed
	}
	if len(b) < recordHeader {
		return nil, nil, ErrShort
	}
	size := int(binary.BigEndian.Uint16(b[3:]))
	if size == 0 || size > 1<<14 { // RFC 8446, section 5.1: handshake fragments are not empty
		return nil, nil, ErrMalformed
	}
	body := b[recordHeader:]
	if len(body) < size {
		return body, nil, ErrShort
	}
	return body[:size], body[size:], nil
}

// parseMessage reads the body of the message. Each step takes what it reads off the front.
func parseMessage(m []byte) (h Hello, err error) {
	r := reader{m}
	h.Supported = uint16(r.uint16()) // legacy_version
	r.skip(32)                       // random
	r.vector(1)                      // legacy_session_id
	r.vector(2)                      // cipher_suites
	r.vector(1)                      // legacy_compression_methods
	if r.ok() && len(r.b) == 0 {     // before RFC 5246 there may be no extensions
		return h, nil
	}
	extensions := reader{r.vector(2)}
	if !r.ok() || len(r.b) > 0 {
		return h, ErrMalformed
	}
	for named := false; len(extensions.b) > 0; {
		kind, body := extensions.uint16(), extensions.vector(2)
		if !extensions.ok() {
			return h, ErrMalformed
		}
		switch kind {
		case serverNameExtension:
			if named { // RFC 8446, section 4.2: one of each
				return h, ErrMalformed
			}
			named = true
			if h.ServerName, err = serverName(body); err != nil {
				return h, err
			}
		case Encrypted:
			h.Encrypted = true
		case supportedVersions:
			h.Supported = cmp.Or(highestVersion(body), h.Supported)
		}
	}
	return h, nil
}

// highestVersion reads the extension supported_versions; 0 if no version of TLS is in it.
func highestVersion(body []byte) uint16 {
	var h Hello
	for list := (reader{(&reader{body}).vector(1)}); len(list.b) > 0; {
		h.Offer(uint16(list.uint16()))
	}
	return h.Supported
}

// Offer notes one of the versions that are offered. Others than those of TLS, such as GREASE (RFC 8701), do not
// count.
func (h *Hello) Offer(version uint16) {
	if version>>8 == majorVersion {
		h.Supported = max(h.Supported, version)
	}
}

// serverName reads the extension. A server would look at the one name of a host; two are an error there
// as well.
func serverName(body []byte) (string, error) {
	r := reader{body}
	list := reader{r.vector(2)}
	if !r.ok() || len(r.b) > 0 {
		return "", ErrMalformed
	}
	name := ""
	for len(list.b) > 0 {
		kind, value := list.uint8(), list.vector(2)
		if !list.ok() || kind == hostName && (name != "" || len(value) == 0) {
			return "", ErrMalformed
		}
		if kind == hostName {
			name = strings.TrimRight(string(value), ".") // servers do not look at these
			if name == "" {
				return "", ErrMalformed
			}
		}
	}
	if !PlainName(name) {
		return "", ErrMalformed
	}
	return name, nil
}

// longestName is how long a host name may be (RFC 1035, section 2.3.4).
const longestName = 255

// PlainName says whether a name has only what those of hosts have: it goes into questions to helpers and to
// acls, where nothing else must be read out of it.
func PlainName(name string) bool {
	const others = "0123456789.-_"
	return len(name) <= longestName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"+others) == ""
}

// A reader takes values off the front of bytes. Once there were too few it gives zeros.
type reader struct{ b []byte }

// broken is what a reader holds once there were too few bytes.
var broken = []byte(nil)

func (r *reader) ok() bool { return r.b != nil }

// take takes n bytes; nil if there are fewer.
func (r *reader) take(n int) []byte {
	if r.b == nil || len(r.b) < n {
		r.b = broken
		return nil
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) uint8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

// vector takes a vector whose length stands in front of it, in so many bytes.
func (r *reader) vector(lengthBytes int) []byte {
	if lengthBytes == 1 {
		return r.take(r.uint8())
	}
	return r.take(r.uint16())
}
