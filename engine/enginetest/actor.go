package enginetest

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"strings"

	"exaproxy/engine/enginetest/tlspeer"
	"exaproxy/engine/loop/looptest"
)

// An actor is somebody at the other end of a connection: a client, or a server's end.
type actor struct {
	world *World
	name  string
	end   *looptest.End
	got   []byte // what has arrived and was not spoken of yet

	tls  *tlspeer.Peer // nil: it speaks as it is
	told bool          // tls knows that nothing follows
}

// write sends bytes and lets the world go on.
func (a *actor) write(b string) {
	a.world.tb.Helper()
	if a.tls != nil {
		a.tls.Write([]byte(b))
	} else {
		a.end.WriteString(b)
	}
	a.world.settle()
}

// arrived gives what has come from the engine and was not spoken of yet.
func (a *actor) arrived() []byte {
	if a.tls != nil {
		a.got = append(a.got, a.heardTLS()...)
		a.keepsSecrets()
		return a.got
	}
	for {
		b := a.end.Read()
		if len(b) == 0 {
			a.keepsSecrets()
			return a.got
		}
		a.got = append(a.got, b...)
		a.world.settle() // there is room again
	}
}

// keepsSecrets checks what a client was told. Servers may be told what is for them.
func (a *actor) keepsSecrets() {
	a.world.tb.Helper()
	if a.world.clients[a.name] == a {
		a.world.CheckSecrets("client "+a.name, string(a.got))
	}
}

// client gives the client of that name; it connects when it is first spoken of. What stands behind an @ is its address,
// and what stands behind a # the number of the port that it connects to, in the order of the configuration.
func (w *World) client(name string) *actor { return w.diverted(name, netip.AddrPort{}) }

// diverted gives the client of that name; when it is first spoken of it connects to an address, from which the packet filter
// diverts it to us.
func (w *World) diverted(name string, wanted netip.AddrPort) *actor {
	w.tb.Helper()
	a := w.clients[name]
	if a == nil {
		from := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(40001+len(w.clients)))
		if wanted.Addr().Is6() || !wanted.IsValid() && w.address.Addr().Is6() {
			from = netip.AddrPortFrom(netip.MustParseAddr("fd00::1"), from.Port())
		}
		plain, number, other := strings.Cut(name, "#")
		if _, address, ok := strings.Cut(plain, "@"); ok {
			from = netip.AddrPortFrom(netip.MustParseAddr(address), from.Port())
		}
		to := w.address
		if n, err := strconv.Atoi(number); other && err == nil {
			to = w.engine.Addrs()[n-1]
		}
		a = &actor{world: w, name: name, end: w.kernel.DialDiverted(from, to, wanted)}
		a.end.Segment(w.Segment)
		w.clients[name] = a
		w.settle()
	}
	return a
}

// An origin is a server that the engine may connect to.
type origin struct {
	*actor // the connection that the script speaks of
	world  *World
	addr   netip.AddrPort
	port   *looptest.Port

	tls     *tls.Config // nil: it speaks as it is
	waiting []*actor    // connections in TLS that were not spoken of yet
}

// origin gives the server at an address; it listens from when it is first spoken of.
func (w *World) origin(addr string) *origin {
	w.tb.Helper()
	o := w.origins[addr]
	if o == nil {
		at, err := netip.ParseAddrPort(addr)
		if err != nil {
			w.tb.Fatalf("%s: an origin is named by address and port: %v", w.where, err)
		}
		o = &origin{world: w, addr: at, port: w.kernel.Listen(at)}
		w.origins[addr] = o
	}
	return o
}

// accept takes the next connection, if one waits.
func (o *origin) accept() bool {
	if o.tls != nil {
		o.world.settle()
		if len(o.waiting) == 0 {
			return false
		}
		o.actor, o.waiting = o.waiting[0], o.waiting[1:]
		return true
	}
	end := o.port.Accept()
	if end == nil {
		return false
	}
	o.actor = &actor{world: o.world, name: o.addr.String(), end: end}
	end.Segment(o.world.Segment)
	return true
}

// here makes sure that there is a connection to speak of.
func (o *origin) here() *actor {
	o.world.tb.Helper()
	if o.actor == nil && !o.accept() {
		o.world.tb.Fatalf("%s: nobody has connected to %s", o.world.where, o.addr)
	}
	return o.actor
}
