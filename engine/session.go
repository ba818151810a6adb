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

// A ServerTLS is what is known of the TLS that a next hop speaks: with the proxy, or with the client through it. All
// are numbers of crypto/tls's; 0 is not known.
type ServerTLS struct {
	Record          uint16 // version of the record that its ServerHello came in
	Chosen          uint16 // version that its ServerHello chooses
	Version, Cipher uint16 // that were agreed on with the proxy
}

// serverTLS is what a handshake with a server that is over has led to.
func serverTLS(conn *tlsend.Conn) ServerTLS {
	state := conn.State()
	return ServerTLS{Record: conn.RecordVersion(), Chosen: state.Version, Version: state.Version, Cipher: state.CipherSuite}
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
