package engine

import (
	"errors"
	"syscall"

	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
)

var errConnectLate = errors.New("connecting took longer than forward_timeout allows")

// countTries notes how many addresses the dialer has tried since it was last asked.
func (t *transaction) countTries() {
	if d := t.dialer; d != nil {
		t.tries += d.tried
		t.record.Attempts += d.tried
		d.tried = 0
	}
}

// connect opens a connection to the next hop, at the first of its addresses that answers.
func (t *transaction) connect() stage {
	w := t.client.worker
	fd, done, wake := t.dialer.dial(w.loop, t.waker, w.mayConnect)
	if !done {
		if t.dialer.starved {
			w.idle.close()
		}
		t.await()
		t.wakeIn(wake)
		return connecting
	}
	t.countTries()
	if fd == nil || !t.sendProxyHeader(fd) {
		return t.unconnected()
	}
	var end End = fd
	var server *shown
	if t.hop.TLS != (TLS{}) && !t.hop.inside {
		server = new(shown)
		t.handshake = tlsend.Client(w.loop, fd, t.setup.config.clientTLS(&t.hop, server), w.engine.fetches, t.waker)
		end = t.handshake
	}
	u := w.idle.opened(end, fd, &t.hop, t.dialer.remote)
	u.whose, t.dialer.whose = t.dialer.whose, nil
	u.shown = server
	if t.setup.config.KeepOutgoing {
		u.local, _, _ = fd.Names() // what cannot be told is not logged
	}
	t.use(u)
	w.freeDialer(t.dialer)
	t.dialer = nil
	if t.handshake != nil {
		return handshaking
	}
	notice(t.hop.Peer, PeerReached)
	if t.hop.through != nil {
		return piercing
	}
	if t.peeksAtServer() {
		return overhearing
	}
	if t.request.IsConnect() && !t.hop.Proxy {
		return t.openTunnel(nil)
	}
	return sending
}

var errNoRoomForHeader = errors.New("a PROXY header could not be sent")

// sendProxyHeader tells a next hop for whom the connection is, if it is to know. A new connection has room for that.
func (t *transaction) sendProxyHeader(fd *loop.FD) bool {
	if t.hop.ProxyHeader == "" {
		return true
	}
	n, err := fd.Write([]byte(t.hop.ProxyHeader))
	if n == len(t.hop.ProxyHeader) {
		return true
	}
	if t.dialer.err = err; err == nil {
		t.dialer.err = errNoRoomForHeader
	}
	fd.Close()
	return false
}

// unconnected notes the last address that was tried.
func (t *transaction) unconnected() stage {
	f := &Failure{Kind: CannotConnect, Side: UpstreamSide, Remote: t.dialer.remote, Err: t.dialer.err}
	t.record.Upstream = t.dialer.remote
	notice(t.hop.Peer, PeerUnreached)
	if errors.Is(f.Err, syscall.ETIMEDOUT) {
		f.Kind = ConnectLate
	}
	return t.anotherHop(f)
}
