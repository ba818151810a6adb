package engine

import (
	"crypto/tls"
	"slices"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
	"exaproxy/engine/tlshello"
)

// handshakeTime is how long a client may take for a handshake.
const handshakeTime = 30 * time.Second

// tlsHandshake is the first byte of a client that speaks TLS: the type of the record that has its
// ClientHello (RFC 8446, section 5.1).
const tlsHandshake = 22

// secure makes the proxy the server that a client wanted: whose tunnel is decrypted, or whose CONNECT was redirected
// or refused. Only inside TLS, under a certificate that it trusts, a browser shows a page for a URL of https. What is no
// TLS goes on as it is.
func (t *transaction) secure() stage {
	if t.handshake == nil {
		return t.awaitHello()
	}
	err := t.handshake.Handshake()
	if err != loop.ErrAgain {
		t.noteHandshake()
	}
	switch err {
	case loop.ErrAgain:
		return securing
	case nil:
		if t.decrypts {
			return t.decrypted()
		}
		return hearing
	default:
		t.client.worker.reportHandshake(t.client, t.request, err)
		if t.decrypts {
			t.noteFailure(&Failure{Kind: ClientInsecure, Side: ClientSide, Err: err}) // for the log
		}
		return t.drop()
	}
}

// awaitHello waits for the first byte in the tunnel.
func (t *transaction) awaitHello() stage {
	said := t.heard()
	if said.empty() {
		n, err := t.clientEnd.Read(said.room())
		if err == loop.ErrAgain {
			return securing
		}
		if err != nil && t.decrypts {
			return t.clientGone() // without a word
		}
		if err != nil {
			return t.unsecured() // it has said all that it will
		}
		said.w += n
	}
	if said.bytes()[0] != tlsHandshake {
		return t.notTLS(withoutHello(said.bytes()))
	}
	t.beginHandshake(said.bytes())
	t.up.release()
	t.timed = false // a handshake has its own time
	return securing
}

// beginHandshake makes the client's end one of TLS. received is the beginning of its ClientHello.
func (t *transaction) beginHandshake(received []byte) {
	c, config := t.client, t.serverTLS()
	t.said = new(tlshello.Hello)
	config.GetConfigForClient = listen(t.said)
	t.handshake = tlsend.Server(c.worker.loop, c.fd, received, config, c.worker.engine.verdicts, t.waker)
	c.end, t.clientEnd = t.handshake, t.handshake
}

// listen has the handshake's goroutine write down what the ClientHello says.
func listen(h *tlshello.Hello) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	return func(said *tls.ClientHelloInfo) (*tls.Config, error) {
		if tlshello.PlainName(said.ServerName) {
			h.ServerName = said.ServerName
		}
		h.Encrypted = slices.Contains(said.Extensions, tlshello.Encrypted)
		for _, v := range said.SupportedVersions {
			h.Offer(v)
		}
		return nil, nil
	}
}

// noteHandshake keeps what was said and agreed on in a handshake that is over, for the log.
func (t *transaction) noteHandshake() {
	if h := t.said; h.Supported != 0 { // it has come
		h.Record = t.handshake.RecordVersion()
		t.client.connection.Hello = h
	}
	t.said = nil
	t.client.connection.Session = session(t.handshake)
}

// withoutHello is what it means that a client's first bytes begin no ClientHello.
func withoutHello(said []byte) error {
	if tlshello.Like(said) {
		return tlshello.ErrMalformed
	}
	return tlshello.ErrNotTLS
}

// notTLS goes on with a client that does not speak TLS in its tunnel: a page is told it as it is, and of what
// was to be decrypted the policy says whether it may be a tunnel.
func (t *transaction) notTLS(why error) stage {
	if !t.decrypts {
		return hearing
	}
	t.decrypts = false
	t.request.TLS.hear(&tlshello.Hello{}, why)
	return bumping
}

// serverTLS has the client be shown a certificate for the name that it asks for, or else for the host
// of its CONNECT: one like the server's, if that is known.
func (t *transaction) serverTLS() *tls.Config {
	r := t.request
	certificate, host := r.Port.Certificate, string(r.Target.Host)
	if t.decrypts {
		certificate = t.setup.policy.Certify(r)
	}
	config := &tls.Config{}
	if r.Port.InTunnels != nil {
		config = r.Port.InTunnels.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	config.SessionTicketsDisabled = true // nobody keeps keys for tickets of tunnels
	config.KeyLogWriter = t.setup.config.KeyLog
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c, err := certificate(hello.ServerName); err == nil {
			return c, nil
		}
		c, err := certificate(host) // there is no name, or one of which there can be no certificate
		if err != nil {
			return nil, noCertificate{err}
		}
		return c, nil
	}
	return config
}

// unsecured is what follows when the client has said nothing in its tunnel, or not enough of a handshake.
func (t *transaction) unsecured() stage {
	switch {
	case t.handshake != nil:
		if t.decrypts {
			t.noteFailure(&Failure{Kind: ClientLate, Side: ClientSide}) // for the log
		}
		return t.drop()
	case t.decrypts:
		return t.notTLS(tlshello.ErrShort)
	}
	return answering // it may be waiting for the server to speak first
}
