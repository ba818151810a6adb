package engine

import (
	"bytes"
	"crypto/tls"
	"io"
	"slices"
)

// tickets are the keys under which clients keep their sessions for us (RFC 8446, section 4.6.1). All workers have
// the same, and a reload changes none: who comes back need not prove anew who he is. crypto/tls makes them, and
// new ones each day, and takes those of the last seven days. They are in memory only.
type tickets struct{ keys tls.Config }

// serve is how TLS is spoken to the clients of a port; nil if it is not.
func (t *tickets) serve(p *Port, keyLog io.Writer) *tls.Config {
	if p.TLS == nil {
		return nil
	}
	config := p.TLS.Clone()
	config.KeyLogWriter = keyLog
	audience := []byte(p.Audience)
	config.WrapSession = func(s tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		session.Extra = [][]byte{audience}
		return t.keys.EncryptTicket(s, session)
	}
	config.UnwrapSession = func(ticket []byte, s tls.ConnectionState) (*tls.SessionState, error) {
		session, err := t.keys.DecryptTicket(ticket, s)
		if session == nil || !slices.ContainsFunc(session.Extra, func(a []byte) bool { return bytes.Equal(a, audience) }) {
			return nil, err // a whole handshake follows
		}
		return session, nil
	}
	return config
}
