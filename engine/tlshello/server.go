package tlshello

import "encoding/binary"

// LongestAnswer is how many bytes of a server's first words are read, record headers included.
const LongestAnswer = 128 << 10

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
	var m messages
	for range mostRecords {
		if len(b) > 0 && b[0] != handshake {
			return nil, m.another()
		}
		fragment, rest, err := record(b, m.none())
		if err != nil {
			return nil, err
		}
		m.b = append(m.b, fragment...)
		for {
			kind, body, ok := m.next()
			if !ok {
				break
			}
			switch {
			case kind == certificate:
				return parseChain(body)
			case kind != serverHello:
				return nil, nil // past where they would be
			case !m.hello(body):
				return nil, ErrMalformed
			case m.encrypted:
				return nil, nil
			}
		}
		b = rest
	}
	return nil, ErrMalformed
}

// messages are the handshake messages that records hold, with what was learned from those taken off.
type messages struct {
	b         []byte
	greeted   bool // there was a ServerHello
	encrypted bool // all after it is
}

func (m *messages) none() bool { return !m.greeted && len(m.b) == 0 }

// another is what it means when a record of another type comes: an alert, or the end of what is said in
// the clear.
func (m *messages) another() error {
	if m.greeted {
		return nil
	}
	return ErrNotTLS
}

// next takes a message off the front, if all of it is there.
func (m *messages) next() (kind byte, body []byte, ok bool) {
	if len(m.b) < messageHeader {
		return 0, nil, false
	}
	size := messageHeader + int(m.b[1])<<16 + int(binary.BigEndian.Uint16(m.b[2:]))
	if len(m.b) < size {
		return 0, nil, false
	}
	kind, body = m.b[0], m.b[messageHeader:size]
	m.b = m.b[size:]
	return kind, body, true
}

// hello reads a ServerHello (RFC 8446, section 4.1.3): what matters is the version.
func (m *messages) hello(body []byte) (ok bool) {
	m.greeted = true
	r := reader{body}
	r.skip(2 + 32) // legacy_version, random
	r.vector(1)    // legacy_session_id
	r.skip(2 + 1)  // cipher_suite, legacy_compression_method
	if !r.ok() || len(r.b) == 0 {
		return r.ok()
	}
	extensions := reader{r.vector(2)}
	for extensions.ok() && len(extensions.b) > 0 {
		kind := extensions.uint16()
		value := reader{extensions.vector(2)}
		if kind == supportedVersions && value.uint16() >= tls13 {
			m.encrypted = true
		}
	}
	return extensions.ok()
}

// parseChain reads the body of a Certificate message.
func parseChain(body []byte) (chain [][]byte, err error) {
	r := reader{body}
	list := reader{r.take(r.uint24())}
	for list.ok() && len(list.b) > 0 {
		chain = append(chain, list.take(list.uint24()))
	}
	if !list.ok() {
		return nil, ErrMalformed
	}
	return chain, nil
}

func (r *reader) uint24() int { return r.uint8()<<16 | r.uint16() }
