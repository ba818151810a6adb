package engine

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// hopConns are the connections that are open to one next hop. They live as long as one of them.
type hopConns struct {
	key    hopKey
	owner  uint64    // the hop's
	newest *upstream // of the idle ones
	idle   int
	open   int // idle or in use

	standby *standby // that wants some to be idle; nil: none does
}

// An idlePool keeps a worker's idle upstream connections: by hop, the newest first, since it is
// the least likely to be closed while it is taken; and all of them in the order of their
// age, so that one timer is enough to end those that waited too long.
type idlePool struct {
	loop *loop.Loop
	hops map[hopKey]*hopConns

	standbys map[hopKey]*standby
	oldest   *upstream
	newest   *upstream
	count    int
	waker    *loop.Waker
	timer    *loop.Timer
	limit    int              // for each hop
	maximum  time.Duration    // of idleness
	uses     [usesMost]uint64 // connections that have ended, by how many requests they had served
}

// idleMost bounds the idle connections of a worker over all hops: a client that asks for ever
// more hosts may not use up the descriptors.
const idleMost = 1024

// usesMost is for connections that have served that many requests and more.
const usesMost = 256

func newIdlePool(l *loop.Loop) *idlePool {
	p := &idlePool{loop: l, hops: map[hopKey]*hopConns{}, standbys: map[hopKey]*standby{}}
	p.waker = l.NewWaker(p)
	p.timer = l.NewTimer(p.waker)
	return p
}

// configure takes over the limits of a new setup.
func (p *idlePool) configure(c *Config) {
	p.limit, p.maximum = c.Limits.idleUpstreams(), c.Timeouts.serverIdle()
	p.waker.Wake() // the time of some may be over by now
}

// find gives the connections to a hop, or nil. The key's text is not made for it.
func (p *idlePool) find(h *Hop) *hopConns {
	return p.hops[hopKey{string(h.Host), h.Port, h.Proxy, h.TLS, h.Local, h.Mark, h.Identity, h.rare()}]
}

// opened makes an upstream of a new connection to a hop.
func (p *idlePool) opened(end End, fd *loop.FD, h *Hop, remote netip.AddrPort) *upstream {
	c := p.find(h)
	if c == nil {
		c = &hopConns{key: h.key(), owner: h.owner}
		c.standby = p.standbys[c.key]
		p.hops[c.key] = c
	}
	c.open++
	return &upstream{end: end, fd: fd, pool: p, hop: c, remote: remote, born: p.loop.Now(), pinned: len(h.Addrs) > 0}
}

// wakeStandby has who keeps connections to the hop ready look whether there are enough.
func (h *hopConns) wakeStandby() {
	if h.standby != nil {
		h.standby.waker.Wake()
	}
}

// closed forgets a connection, and its hop with the last one.
func (p *idlePool) closed(u *upstream) {
	u.hop.open--
	u.hop.wakeStandby()
	if u.hop.open == 0 {
		delete(p.hops, u.hop.key)
	}
}

// take gives the newest idle connection to a hop that is still usable and leads to one of the
// addresses that the hop allows, or nil.
func (p *idlePool) take(h *Hop) *upstream {
	c := p.find(h)
	if c == nil {
		return nil
	}
	for u := c.newest; u != nil; {
		next := u.staler
		if h.allows(u) {
			p.remove(u)
			if u.usable() {
				return u
			}
			u.close()
		}
		u = next
	}
	return nil
}

// put keeps u for the next request to its hop.
func (p *idlePool) put(u *upstream) {
	if u.hop.idle >= p.limit {
		u.close()
		return
	}
	if p.count >= idleMost {
		p.dropOldest()
	}
	if u.waker == nil {
		u.waker = p.loop.NewWaker(u)
	}
	u.since = p.loop.Now()
	u.end.SetWaker(u.waker)
	p.add(u)
	if !p.timer.Armed() {
		p.timer.Set(p.maximum)
	}
}

func (p *idlePool) add(u *upstream) {
	h := u.hop
	u.staler = h.newest
	if h.newest != nil {
		h.newest.fresher = u
	}
	h.newest = u
	h.idle++
	p.count++
	notice(u.whose, PeerIdle)
	u.older = p.newest
	if p.newest != nil {
		p.newest.newer = u
	} else {
		p.oldest = u
	}
	p.newest = u
}

// remove takes u out of both lists.
func (p *idlePool) remove(u *upstream) {
	h := u.hop
	if u.fresher != nil {
		u.fresher.staler = u.staler
	} else {
		h.newest = u.staler
	}
	if u.staler != nil {
		u.staler.fresher = u.fresher
	}
	h.idle--
	p.count--
	h.wakeStandby()
	notice(u.whose, PeerBusy)
	if u.newer != nil {
		u.newer.older = u.older
	} else {
		p.newest = u.older
	}
	if u.older != nil {
		u.older.newer = u.newer
	} else {
		p.oldest = u.newer
	}
	u.fresher, u.staler, u.newer, u.older = nil, nil, nil, nil
	u.since = time.Time{}
}

// Run ends what has been idle for too long and sets the timer for the next.
func (p *idlePool) Run() {
	now := p.loop.Now()
	for p.oldest != nil && now.Sub(p.oldest.since) >= p.maximum {
		p.dropOldest()
	}
	if p.oldest != nil {
		p.timer.Set(p.maximum - now.Sub(p.oldest.since))
	}
}

func (p *idlePool) dropOldest() {
	u := p.oldest
	p.remove(u)
	u.close()
}

// close ends all of them.
func (p *idlePool) close() {
	for p.oldest != nil {
		p.dropOldest()
	}
	p.timer.Clear()
}
