package engine

import (
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
)

// A standby keeps connections to a next hop ready, beside those that requests open (Peer.Standby): when one of them is taken, or
// ends, another is opened, one after the other. It begins with the first request to the hop, and ends with the setup. It
// belongs to its worker's goroutine, and is a task of its own.
type standby struct {
	reach
	key       hopKey
	handshake *tlsend.Conn // nil: none is under way
	fresh     *upstream    // that shakes hands
	rests     bool         // until the timer expires: the hop did not answer
	over      bool
}

// standbyRest is how long a hop that did not answer is left alone.
const standbyRest = 10 * time.Second

// keepReady has connections be kept ready to a hop that wants it. What a connection says of its client, or who has one for
// himself, cannot be known before a request is there.
func (w *worker) keepReady(s *setup, h *Hop) {
	if h.owner != 0 || h.ProxyHeader != "" || h.Transparent || h.through != nil || s != w.setup || w.leaving {
		return
	}
	key := h.key()
	if w.idle.standbys[key] != nil {
		return
	}
	b := &standby{key: key}
	b.reach = newReach(s, w, h, b)
	b.hop.Host = append([]byte(nil), h.Host...)
	w.idle.standbys[key] = b
	if c := w.idle.hops[key]; c != nil {
		c.standby = b
	}
	b.waker.Wake()
}

// endStandbys ends them all.
func (w *worker) endStandbys() {
	for _, b := range w.idle.standbys {
		b.end()
	}
}

// Run opens connections until there are enough.
func (b *standby) Run() {
	for !b.over && b.goesOn() {
	}
}

// goesOn does what can be done now, and says whether more may be.
func (b *standby) goesOn() (more bool) {
	switch {
	case b.rests:
		b.rests = !b.timer.Expired()
		return !b.rests
	case b.handshake != nil:
		return b.shakeHands()
	case !b.begun && b.lookup == nil && !b.wants():
		return false
	}
	fd, done := b.connect()
	if fd != nil {
		b.connected(fd)
	} else if done {
		b.failed(nil)
	}
	return done
}

// wants says whether there are too few, and room for one more.
func (b *standby) wants() bool {
	w := b.worker
	idle := 0
	if c := w.idle.hops[b.key]; c != nil {
		idle = c.idle
	}
	limit := w.limits.accept
	return idle < min(b.hop.Peer.Standby(), w.idle.limit) && (limit == 0 || w.loop.Watched() < limit/2)
}

// connected takes a new connection.
func (b *standby) connected(fd *loop.FD) {
	w := b.worker
	var end End = fd
	var server *shown
	if b.hop.TLS != (TLS{}) {
		server = new(shown)
		b.handshake = tlsend.Client(w.loop, fd, b.setup.config.clientTLS(&b.hop, server), w.engine.fetches, b.waker)
		end = b.handshake
		b.timer.Set(or(b.hop.Connect, b.setup.config.Timeouts.connect()))
	}
	u := w.idle.opened(end, fd, &b.hop, b.dialer.remote)
	u.whose, b.dialer.whose = b.dialer.whose, nil
	u.shown = server
	if b.setup.config.KeepOutgoing {
		u.local, _, _ = fd.Names() // what cannot be told is not logged
	}
	if b.fresh = u; b.handshake == nil {
		b.ready()
	}
}

// shakeHands waits for the handshake, and says whether it is over.
func (b *standby) shakeHands() bool {
	err := b.handshake.Handshake()
	switch {
	case err == loop.ErrAgain && !b.timer.Expired():
		return false
	case err == loop.ErrAgain:
		err = errHandshakeLate
	}
	if err != nil {
		b.failed(err)
		return true
	}
	b.fresh.shown.agreed = serverTLS(b.handshake)
	b.ready()
	return true
}

// ready puts the new connection to the idle ones.
func (b *standby) ready() {
	u := b.fresh
	b.fresh, b.handshake = nil, nil
	b.timer.Clear()
	notice(b.hop.Peer, PeerReached)
	b.worker.idle.put(u)
}

// failed leaves the hop alone for a while. why is known of a handshake.
func (b *standby) failed(why error) {
	b.dialer.release()
	b.fresh.close()
	b.fresh, b.handshake = nil, nil
	what := PeerUnreached
	if why != nil {
		what = PeerInsecure
	}
	b.hop.Peer.Notice(what, why)
	b.rests = true
	b.timer.Set(standbyRest)
}

// end ends it. The connections that wait are left to the pool.
func (b *standby) end() {
	if b.over {
		return
	}
	b.over = true
	b.fresh.close()
	b.fresh, b.handshake = nil, nil
	b.release()
	delete(b.worker.idle.standbys, b.key)
	if c := b.worker.idle.hops[b.key]; c != nil {
		c.standby = nil
	}
}

// Abort drops a standby about which we have erred.
func (b *standby) Abort() { b.end() }
