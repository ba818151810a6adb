package enginetest

import (
	"net/netip"

	"exaproxy/engine/loop/looptest"
)

// An actor is somebody at the other end of a connection: a client, or a server's end.
type actor struct {
	world *World
	name  string
	end   *looptest.End
	got   []byte // what has arrived and was not spoken of yet
}

// write sends bytes and lets the world go on.
func (a *actor) write(b string) {
	a.world.tb.Helper()
	a.end.WriteString(b)
	a.world.settle()
}

// arrived gives what has come from the engine and was not spoken of yet.
func (a *actor) arrived() []byte {
	for {
		b := a.end.Read()
		if len(b) == 0 {
			return a.got
		}
		a.got = append(a.got, b...)
		a.world.settle() // there is room again
	}
}

// client gives the client of that name; it connects when it is first spoken of.
func (w *World) client(name string) *actor {
	w.tb.Helper()
	a := w.clients[name]
	if a == nil {
		from := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(40001+len(w.clients)))
		if w.address.Addr().Is6() {
			from = netip.AddrPortFrom(netip.MustParseAddr("fd00::1"), from.Port())
		}
		a = &actor{world: w, name: name, end: w.kernel.DialFrom(from, w.address)}
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
