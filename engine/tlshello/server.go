package tlshello

import (
	"encoding/binary"
	"errors"
	"strconv"
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

	alert     = 21 // type of a record
	alertSize = 2
)

// An Answer is what a server says after a ClientHello that it has been given, as far as it says that in the clear.
type Answer struct {
	Record  uint16 // the version of the first record
	Version uint16 // the version that the ServerHello chooses
	// Chain are the certificates that it shows (RFC 5246, section 7.4.2), in DER, its own first. In TLS 1.3
	// they are encrypted, and a session that is resumed has no need of them: then there are none.
	Chain [][]byte
}

// An Alert is the description of an alert by which a server ends the handshake (RFC 8446, section 6).
type Alert uint8

func (a Alert) Error() string { return "alert " + strconv.Itoa(int(a)) }

// ParseAnswer reads what a server says, up to its certificates. The error is ErrShort as long as more has to
// arrive, an Alert, ErrNotTLS or ErrMalformed.
func ParseAnswer(b []byte) (Answer, error) {
	m := messages{b: b}
	kind, body, err := m.next()
	switch {
	case err == errAnotherType:
		return Answer{}, noAnswer(b)
	case err == nil && kind != serverHello:
		return Answer{}, ErrNotTLS
	case err != nil:
		return Answer{}, err
	}
	version, ok := readServerHello(body)
	if !ok {
		return Answer{}, ErrMalformed
	}
	a := Answer{Record: recordVersion(b), Version: version}
	if version >= tls13 {
		return a, nil // the rest is encrypted
	}
	switch kind, body, err = m.next(); {
	case err == errAnotherType, err == nil && kind != certificate:
		return a, nil // past where they would be
	case err != nil:
		return Answer{}, err
	}
	a.Chain, err = parseChain(body)
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// noAnswer is what it means that a server begins with a record of another type.
func noAnswer(b []byte) error {
	switch {
	case b[0] != alert || len(b) > 1 && b[1] != majorVersion:
		return ErrNotTLS
	case len(b) < recordHeader:
		return ErrShort
	case binary.BigEndian.Uint16(b[versionEnd:]) != alertSize:
		return ErrNotTLS
	case len(b) < recordHeader+alertSize:
		return ErrShort
	}
	return Alert(b[recordHeader+1])
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

// readServerHello reads which version a ServerHello chooses (RFC 8446, section 4.1.3).
func readServerHello(body []byte) (version uint16, ok bool) {
	r := reader{body}
	version = uint16(r.uint16()) // legacy_version
	r.skip(32)                   // random
	r.vector(1)                  // legacy_session_id
	r.skip(2 + 1)                // cipher_suite, legacy_compression_method
	if !r.ok() || len(r.b) == 0 {
		return version, r.ok()
	}
	extensions := reader{r.vector(2)}
	if len(r.b) > 0 {
		return 0, false
	}
	for extensions.ok() && len(extensions.b) > 0 {
		kind := extensions.uint16()
		value := reader{extensions.vector(2)}
		if kind == supportedVersions {
			version = max(version, uint16(value.uint16()))
		}
	}
	return version, extensions.ok()
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
