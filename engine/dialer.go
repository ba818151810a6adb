package engine

import (
	"net/netip"
	"syscall"
	"time"

	"exaproxy/engine/loop"
)

// attemptDelay is how long an address may take before the next is tried beside it
// (RFC 8305, section 5: Connection Attempt Delay).
const attemptDelay = 250 * time.Millisecond

// mostAttempts are under way for one request at most: a name whose first addresses are dead costs each of them the
// delay, and not the connect_timeout.
const mostAttempts = 8

// A dialer connects to the first of several addresses that answers. It tries them in order:
// the next at once when one refuses, and beside those that are slow.
type dialer struct {
	addrs   []netip.Addr
	spec    loop.DialSpec // but for the address
	port    uint16
	local   [2]netip.Addr // our end, for addresses of its family
	whose   Peer          // to whom it leads; nil: nobody who wants to know
	tried   int           // of addrs
	limit   int
	timeout time.Duration // of one address
	trying  [mostAttempts]attempt
	starved bool           // there was no descriptor for the last that was tried: it is to be tried again
	remote  netip.AddrPort // of the last failure
	err     error
}

// An attempt is one connection under way.
type attempt struct {
	fd     *loop.FD
	remote netip.AddrPort
	since  time.Time
}

func (d *dialer) begin(addrs []netip.Addr, h *Hop, c *Config, limit int) {
	d.addrs = append(d.addrs[:0], addrs...)
	d.spec = loop.DialSpec{Type: loop.Stream, Mark: h.Mark, TOS: h.TOS, Transparent: h.Transparent}
	d.port, d.local, d.tried, d.err = h.Port, [2]netip.Addr{h.Local, h.Local6}, 0, nil
	d.limit, d.timeout = limit, or(h.Connect, c.Timeouts.connect())
	d.release() // of another hop
	d.whose = h.Peer
	notice(d.whose, PeerOpening)
}

// dial goes on with connecting. It returns the connection when there is one, or done when no
// address is left to try; wake is when it wants to be called at the latest.
// room says whether there may be one more connection.
func (d *dialer) dial(l *loop.Loop, w *loop.Waker, room func() bool) (fd *loop.FD, done bool, wake time.Duration) {
	now := l.Now()
	for i := range d.trying {
		if fd := d.settle(&d.trying[i], now); fd != nil {
			return fd, true, 0
		}
	}
	d.starved = false
	for slot := d.freeSlot(now); !d.starved && slot != nil && d.tried < min(len(d.addrs), d.limit); slot = d.freeSlot(now) {
		if d.starved = !room(); !d.starved {
			d.try(slot, l, w)
		}
	}
	if d.underWay() == 0 && !d.starved {
		return nil, true, 0
	}
	return nil, false, d.untilNext(now)
}

// settle takes an attempt that has come to its end; a good end is returned.
func (d *dialer) settle(a *attempt, now time.Time) *loop.FD {
	if a.fd == nil {
		return nil
	}
	done, err := a.fd.Connected()
	if done && err == nil {
		fd := a.fd
		d.remote = a.remote
		a.fd = nil
		return fd
	}
	if !done && now.Sub(a.since) >= d.timeout {
		done, err = true, syscall.ETIMEDOUT
	}
	if done {
		d.failed(a, err)
	}
	return nil
}

func (d *dialer) failed(a *attempt, err error) {
	d.remote, d.err = a.remote, err
	a.fd.Close()
	a.fd = nil
}

// freeSlot gives the attempt to use for a further address: any, once those that are under way have all taken long.
func (d *dialer) freeSlot(now time.Time) (free *attempt) {
	for i := range d.trying {
		switch a := &d.trying[i]; {
		case a.fd == nil:
			free = a
		case now.Sub(a.since) < attemptDelay:
			return nil
		}
	}
	return free
}

func (d *dialer) underWay() (n int) {
	for i := range d.trying {
		if d.trying[i].fd != nil {
			n++
		}
	}
	return n
}

func (d *dialer) try(a *attempt, l *loop.Loop, w *loop.Waker) {
	a.remote = netip.AddrPortFrom(d.addrs[d.tried], d.port)
	a.since = l.Now()
	d.tried++
	spec := d.spec
	spec.Remote = a.remote
	for _, local := range d.local {
		if local.IsValid() && local.Is4() == a.remote.Addr().Unmap().Is4() {
			spec.Local = netip.AddrPortFrom(local, 0)
		}
	}
	fd, err := l.Dial(spec, w)
	if loop.OutOfDescriptors(err) {
		d.tried--
		d.starved = true
		return
	}
	if err != nil {
		d.remote, d.err = a.remote, err
		return
	}
	a.fd = fd
}

// untilNext is how long nothing needs to be done if nothing happens.
func (d *dialer) untilNext(now time.Time) time.Duration {
	wait := d.timeout
	if d.starved {
		wait = starvedDelay
	}
	more := d.tried < min(len(d.addrs), d.limit) && d.underWay() < len(d.trying)
	delay := time.Duration(0) // until the last has taken long
	for i := range d.trying {
		if a := &d.trying[i]; a.fd != nil {
			wait = min(wait, a.since.Add(d.timeout).Sub(now))
			delay = max(delay, a.since.Add(attemptDelay).Sub(now))
		}
	}
	if more && !d.starved {
		wait = min(wait, delay)
	}
	return wait
}

// release ends the attempts that are still under way.
func (d *dialer) release() {
	for i := range d.trying {
		d.trying[i].fd.Close()
		d.trying[i].fd = nil
	}
	notice(d.whose, PeerClosed)
	d.whose = nil
}

// keptDialers is how many free dialers a worker keeps.
const keptDialers = 64

// freeDialer takes a dialer back, and ends what it has under way; nil is nothing.
func (w *worker) freeDialer(d *dialer) {
	if d == nil {
		return
	}
	d.release()
	w.dialers.Put(d)
}
