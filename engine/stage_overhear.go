package engine

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
)

// shownAtMost is how many certificates of a server are looked at.
const shownAtMost = 16

var errServerNotTLS = errors.New("the server does not speak TLS")

// overhear passes the client's ClientHello on, and reads what the server answers, up to its certificate. The
// client is told nothing of it before it is decided what becomes of the tunnel.
func (t *transaction) overhear() stage {
	if t.serverSaid == nil {
		if !t.mayPass() {
			return t.drop()
		}
		t.passOn()
	}
	if !t.up.flush() {
		if t.up.err != nil {
			return t.insecure(clientsHandshake, t.up.err)
		}
		return overhearing
	}
	for {
		answer, err := tlshello.ParseAnswer(t.serverSaid.bytes())
		if err != tlshello.ErrShort {
			return t.overheard(&answer, err)
		}
		n, err := t.upstream.end.Read(t.serverSaid.room())
		if err == loop.ErrAgain {
			return overhearing
		}
		if err != nil {
			return t.insecure(clientsHandshake, err)
		}
		t.serverSaid.w += n
		if len(t.serverSaid.room()) == 0 && len(t.serverSaid.b) < tlshello.LongestAnswer {
			t.serverSaid = t.client.worker.buffers.grow(t.serverSaid)
		} else if len(t.serverSaid.room()) == 0 {
			return t.overheard(nil, tlshello.ErrMalformed)
		}
	}
}

// mayPass says whether the server may be sent what the client has said: it may become a tunnel, and then it
// is too late to look.
func (t *transaction) mayPass() bool {
	if !t.setup.policy.Looks(t.request) {
		return true
	}
	h, err := tlshello.Parse(t.heard().bytes())
	return t.maySay(&h, err)
}

// passOn begins to send the server what the client has said. That is kept: if the client is to be told what
// goes wrong, that is an answer to it.
func (t *transaction) passOn() {
	said, pool := t.takeHeard(), &t.client.worker.buffers
	pre := pool.fit(len(said.bytes()))
	pre.w = copy(pre.b, said.bytes())
	t.up.begin(flow{dst: t.upstream.end, pre: pre})
	t.up.buf, t.up.ready = said, said.r
	t.serverSaid = pool.relay()
}

// overheard goes on with a tunnel whose server has answered.
func (t *transaction) overheard(a *tlshello.Answer, err error) stage {
	var alert tlshello.Alert
	switch {
	case errors.As(err, &alert):
		return t.insecure(clientsHandshake, fmt.Errorf("remote error: %w", tls.AlertError(alert)))
	case err != nil:
		return t.insecure(clientsHandshake, errServerNotTLS)
	}
	t.record.Server = &ServerTLS{Record: a.Record, Chosen: a.Version}
	seen := t.request.TLS
	for _, der := range a.Chain[:min(len(a.Chain), shownAtMost)] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			break // what cannot be read is not known
		}
		seen.Server = append(seen.Server, cert)
	}
	seen.Step = 3
	return bumping
}
