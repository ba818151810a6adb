package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// greet settles, once for each connection, which address of ours the client connected to: of
// a port that listens on all addresses only the kernel can tell. Of a client that the packet filter has
// sent here it settles whom it wanted to reach.
func (t *transaction) greet() stage {
	c := t.client
	diverted := c.connection.Port.Mode.Diverted()
	if c.served == 1 && (diverted || c.connection.Local.Addr().IsUnspecified()) {
		local, original, err := c.fd.Names()
		if err != nil {
			return t.fail(ClientGone, ClientSide, err)
		}
		if c.connection.Local = local; diverted {
			if err := c.wanted(local, original); err != nil {
				return t.notDiverted(err)
			}
		}
	}
	if c.served == 1 && t.setup.config.ConnMarks {
		c.readMark()
	}
	t.request.Local = c.connection.Local
	return reading
}

var errNotDiverted = errors.New("the kernel knows of no other address that the client wanted")

// wanted keeps whom a client wanted to reach. local and original are the kernel's words: under TPROXY the
// connection's own address is the one that was wanted. Who came to the port itself would have the proxy
// connect to itself, and so on without end.
func (c *client) wanted(local, original netip.AddrPort) error {
	if c.connection.Port.Mode == TPROXY {
		original = local
	}
	if !original.IsValid() {
		return errNotDiverted
	}
	if original.Port() == c.bound.Port() {
		own := original.Addr() == c.bound.Addr().Unmap()
		if !own {
			var err error
			if own, err = c.worker.loop.Kernel().IsOwn(original.Addr()); err != nil {
				return fmt.Errorf("whether %s is the port itself cannot be told: %w", original, err)
			}
		}
		if own {
			return fmt.Errorf("%s is the port itself", original)
		}
	}
	c.connection.Local, c.connection.Original = original, original
	return nil
}

// notDivertedEvery is how often it is logged that a client came to a port for those that the packet filter sends there.
const notDivertedEvery = time.Minute

// notDiverted ends a connection of which nobody knows where it was to lead. The port goes on.
func (t *transaction) notDiverted(err error) stage {
	c := t.client
	w := c.worker
	if suppressed, ok := w.engine.divertedWarnings.Allow(w.loop.Now(), notDivertedEvery); ok {
		w.log.With("section", natSection).Error(fmt.Sprintf("NAT/TPROXY lookup failed to locate original IPs on local=%s remote=%s: %s%s",
			c.connection.Local, c.connection.Client, err, loop.SinceLast(suppressed)))
	}
	t.request.Local = c.connection.Local
	t.noteFailure(&Failure{Kind: NotDiverted, Side: ClientSide, Err: err}) // for the log
	return t.drop()
}

// natSection is that of debug_options, as Squid numbers it.
const natSection = 89
