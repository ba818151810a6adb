package engine

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// An upstream is a connection to an origin server or another proxy. It belongs to one transaction at a time;
// between transactions it waits in the worker's idle pool, as a task of its own that closes
// it when the server does.
type upstream struct {
	end    End
	fd     *loop.FD    // the socket
	waker  *loop.Waker // of the idle upstream; in use, the end wakes the transaction
	pool   *idlePool
	hop    *hopConns
	remote netip.AddrPort // the other end
	local  netip.AddrPort // our end; if somebody wants to know
	shown  *shown         // of itself, in a handshake; nil: there was none
	born   time.Time
	since  time.Time // idle since
	used   int       // transactions it has served

	whose Peer // to whom it leads; nil: nobody who wants to know

	pinned bool // its address was judged for whoever opened it, not looked up under its name

	newer, older    *upstream // among all idle ones of the worker
	fresher, staler *upstream // among the idle ones of the hop
}

// Run is called when something may have happened to an idle upstream. A server that ends the
// connection, or says something unasked, has made it useless.
func (u *upstream) Run() {
	if u.idle() && !u.usable() {
		u.pool.remove(u)
		u.close()
	}
}

// Abort drops an idle connection about which we have erred.
func (u *upstream) Abort() {
	if u.idle() {
		u.pool.remove(u)
		u.close()
	}
}

func (u *upstream) idle() bool { return !u.since.IsZero() }

// usable says whether an idle connection is still good for a request, as far as can be seen.
func (u *upstream) usable() bool {
	if u.end.PeerDone() || u.end.Broken() {
		return false
	}
	if !u.end.Readable() {
		return true
	}
	var b [1]byte
	_, err := u.end.Read(b[:])
	return err == loop.ErrAgain
}

// close ends the connection; nil is nothing. An idle one must have left the pool first.
func (u *upstream) close() {
	if u == nil {
		return
	}
	u.end.Close()
	u.pool.uses[min(u.used, len(u.pool.uses)-1)]++
	notice(u.whose, PeerClosed)
	u.waker.Retire()
	u.pool.closed(u)
}
