package tlshello

import (
	"encoding/binary"
	"errors"
)

// LongestAnswer is how many bytes of a server's first words are read, record headers included.
const LongestAnswer = 128 << 10

// longestServerHello is more than any is: it is read anew each time that something has come.
const longestServerHello = 4 << 10

const (
	serverHello       = 2 // types of handshake messages
	certificate       = 11
	supportedVersions = 43 // an extension
	tls13             = 0x0304
)

// Certificates reads the certificates that a server shows after its ServerHello (RFC 5246, section 7.4.2), in
// DER, its own first. There are none, and no error, if it shows none in the clear: in TLS 1.3 they are
// encrypted, and a session that is resumed has no need of them. The error is ErrShort as long as more has
// to arrive, ErrNotTLS or ErrMalformed.
func Certificates(b []byte) (chain [][]byte, err error) {
	m := messages{b: b}
	kind, body, err := m.next()
	switch {
	case err == errAnotherType, err == nil && kind != serverHello:
		return nil, ErrNotTLS
	case err != nil:
		return nil, err
	}
	encrypted, ok := readServerHello(body)
	switch {
	case !ok:
		return nil, ErrMalformed
	case encrypted:
		return nil, nil
	}
	switch kind, body, err = m.next(); {
	case err == errAnotherType, err == nil && kind != certificate:
		return nil, nil // past where they would be
	case err != nil:
		return nil, err
	}
	return parseChain(body)
}

// errAnotherType says that a record has another type: an alert, or the end of what is said in the clear.
var errAnotherType = errors.New("no record of a handshake")

// messages are the handshake messages that records hold. Nothing is copied before all of it is there: a
// server may send it byte by byte.
type messages struct {
	b        []byte // behind the present record
	fragment []byte // what is left of that
	short    bool   // it is not all there
	records  int    // so far
}

// next takes the next message, if all of it is there.
func (m *messages) next() (kind byte, body []byte, err error) {
	var head [messageHeader]byte
	if _, err = m.take(messageHeader, head[:0]); err != nil {
		return 0, nil, err
	}
	kind, size := head[0], int(head[1])<<16+int(binary.BigEndian.Uint16(head[2:]))
	if size > LongestAnswer || kind == serverHello && size > longestServerHello {
		return 0, nil, ErrMalformed
	}
	ahead := *m
	if _, err = ahead.take(size, nil); err != nil {
		return 0, nil, err
	}
	body, err = m.take(size, make([]byte, 0, size))
	return kind, body, err
}

// take moves on by n bytes, which it appends to into unless that is nil.
func (m *messages) take(n int, into []byte) ([]byte, error) {
	for n > 0 {
		if len(m.fragment) == 0 {
			if err := m.nextRecord(); err != nil {
				return nil, err
			}
		}
		taken := m.fragment[:min(n, len(m.fragment))]
		m.fragment, n = m.fragment[len(taken):], n-len(taken)
		if into != nil {
			into = append(into, taken...)
		}
	}
	return into, nil
}

// nextRecord goes on to what is there of the next record.
func (m *messages) nextRecord() (err error) {
	switch {
	case m.short:
		return ErrShort
	case m.records == mostRecords:
		return ErrMalformed
	case len(m.b) > 0 && m.b[0] != handshake:
		return errAnotherType
	}
	m.fragment, m.b, err = record(m.b, m.records == 0)
	m.records++
	if err == ErrShort && len(m.fragment) > 0 {
		m.short, err = true, nil
	}
	return err
}

// readServerHello reads a ServerHello (RFC 8446, section 4.1.3): what matters is the version.
func readServerHello(body []byte) (encrypted, ok bool) {
	r := reader{body}
	r.skip(2 + 32) // legacy_version, random
	r.vector(1)    // legacy_session_id
	r.skip(2 + 1)  // cipher_suite, legacy_compression_method
	if !r.ok() || len(r.b) == 0 {
		return false, r.ok()
	}
	extensions := reader{r.vector(2)}
	if len(r.b) > 0 {
		return false, false
	}
	for extensions.ok() && len(extensions.b) > 0 {
		kind := extensions.uint16()
		value := reader{extensions.vector(2)}
		if kind == supportedVersions && value.uint16() >= tls13 {
			encrypted = true
		}
	}
	return encrypted, extensions.ok()
}

// parseChain reads the body of a Certificate message.
func parseChain(body []byte) (chain [][]byte, err error) {
	r := reader{body}
	list := reader{r.take(r.uint24())}
	for list.ok() && len(list.b) > 0 {
		chain = append(chain, list.take(list.uint24()))
	}
	if !list.ok() || len(r.b) > 0 {
		return nil, ErrMalformed
	}
	return chain, nil
}

func (r *reader) uint24() int { return r.uint8()<<16 | r.uint16() }
