package peers

import (
	"fmt"
	"time"

	"exaproxy/compat/verify"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A link is a peer as one worker has it: engine.Peer of the hops that lead there.
type link struct {
	*peer
	state    *state
	policy   *Policy
	hostname []byte
	identity string        // whose connections they are: those to a peer serve no request that goes there otherwise
	connect  time.Duration // how long one address may take
	idle     int           // connections of the worker that wait for a request
	standby  int           // of them are kept ready, its share of standby=

	probe *engine.Probe // nil: the worker does not try whether it has come back
}

// PeerName is what the configuration calls it.
func (l *link) PeerName() string { return l.name }

// Notice keeps count of connections, and of those that could not be made.
func (l *link) Notice(what engine.PeerEvent, why error) {
	switch what {
	case engine.PeerOpening:
		l.state.open.Add(1)
	case engine.PeerClosed:
		l.state.open.Add(-1)
	case engine.PeerIdle:
		l.idle++
		l.state.kept.Add(1)
	case engine.PeerBusy:
		l.idle--
	case engine.PeerReached:
		if l.state.reached(l.failLimit) {
			l.policy.log.Info(fmt.Sprintf("Detected REVIVED %s: %s", l.kind, l.name))
			l.policy.shared.clearTurns()
		}
	case engine.PeerUnreached:
		l.unreached()
	case engine.PeerInsecure:
		l.insecure(why)
	default:
		panic("BUG: nothing that happens to connections")
	}
}

// unreached notes a failure, with Squid's lines. A dead peer fails in silence.
func (l *link) unreached() {
	l.state.failed.Store(l.policy.now().Unix())
	was, died := l.state.unreached()
	if was {
		l.policy.log.Info(fmt.Sprintf("TCP connection to %s/%d failed", l.host, l.port))
	}
	if died {
		l.policy.log.Info(fmt.Sprintf("Detected DEAD %s: %s", l.kind, l.name))
	}
}

// insecureEvery is how often it is logged at most why there can be no TLS with a peer, of all workers.
const insecureEvery = time.Minute

// insecure notes a handshake that came to nothing. Squid calls that a failed connection, too, and says no more.
func (l *link) insecure(why error) {
	if more, ok := l.state.untrusted.Allow(l.policy.now(), insecureEvery); ok {
		l.policy.log.Error(fmt.Sprintf("ERROR: cache_peer %s: TLS with %s/%d, verified as %s, failed: %s: %s%s", l.name, l.host, l.port,
			l.serverName, verify.Code(why), verify.Detail(why), loop.SinceLast(more)))
	}
	l.unreached()
}

// up says whether the peer is there. If it is not, that is tried again, as in Squid when a request would like to go
// there, once a second at most, by one worker at a time.
func (l *link) up() bool {
	if l.state.alive() {
		return true
	}
	if l.probe == nil && l.state.beginProbe(l.policy.now()) {
		hop := l.hop("")
		hop.Peer = &probed{l}
		l.probe = l.policy.probe(&hop)
	}
	return false
}

// hasRoom says whether a request to it would have a connection (max-conn=). One that waits will do.
func (l *link) hasRoom() bool {
	return l.most <= 0 || l.idle > 0 || int(l.state.open.Load()) < l.most
}

// Standby is the worker's share of standby=, if there may be one more connection that nobody has asked for.
func (l *link) Standby() int {
	if l.standby == 0 || !l.state.alive() || l.most > 0 && int(l.state.open.Load()) >= l.most {
		return 0
	}
	return l.standby
}

// hop is the way to the peer.
func (l *link) hop(code string) engine.Hop {
	h := engine.Hop{
		Host: l.hostname, Port: l.port, Proxy: !l.origin, Identity: l.identity, Hierarchy: code, Peer: l,
		Connect: l.connect, Credentials: l.login.passes && !l.origin, Challenges: l.login.answers,
	}
	if l.tls != nil {
		h.TLS = engine.TLS{ServerName: l.serverName, Config: l.tls}
	}
	return h
}

// close ends what the worker has begun.
func (l *link) close() {
	if l.probe != nil {
		l.probe.Cancel()
		l.endProbe()
	}
}

func (l *link) endProbe() {
	l.probe = nil
	l.state.endProbe()
}

// probed is the link while it is tried whether its peer has come back.
type probed struct{ *link }

// Notice ends the trying when it has come to something.
func (p *probed) Notice(what engine.PeerEvent, why error) {
	p.link.Notice(what, why)
	if what == engine.PeerReached || what == engine.PeerUnreached {
		p.endProbe()
	}
}
