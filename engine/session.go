package engine

import (
	"crypto/x509"

	"exaproxy/engine/tlsend"
)

// A Session is what was agreed on with a client in the handshake of its TLS.
type Session struct {
	Version, Cipher uint16            // as crypto/tls numbers them
	Client          *x509.Certificate // whom the client proved to be; nil: it was not asked, or has none
}

// session is that of an end; nil if there is none.
func session(end End) *Session {
	conn, ok := end.(*tlsend.Conn)
	if !ok || conn.Handshake() != nil {
		return nil
	}
	state := conn.State()
	s := &Session{Version: state.Version, Cipher: state.CipherSuite}
	if len(state.PeerCertificates) > 0 {
		s.Client = state.PeerCertificates[0]
	}
	return s
}
