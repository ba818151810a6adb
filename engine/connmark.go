package engine

import (
	"fmt"
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// A ConnMark is the mark that the packet filter keeps with a connection (CONNMARK). The zero ConnMark is that of one of which this is not known.
type ConnMark struct {
	Mark  uint32
	Known bool
}

// A MarkChange says what becomes of such a mark: the bits of Mask are cleared, then those of Mark set. The zero MarkChange
// changes nothing.
type MarkChange struct{ Mark, Mask uint32 }

// markWarningsEvery is how often it is logged that marks cannot be read or changed.
const markWarningsEvery = time.Minute

// readMark reads the mark of the client's connection.
func (c *client) readMark() {
	mark, err := c.fd.ConnMark()
	if err != nil {
		c.markFailed("read (an acl of the type client_connection_mark matches or not: nobody knows)", err)
		return
	}
	c.connection.Mark = ConnMark{mark, true}
}

// changeMark changes it.
func (c *client) changeMark(ch MarkChange) {
	if ch == (MarkChange{}) {
		return
	}
	c.readMark() // others may have changed it
	known := &c.connection.Mark
	mark := known.Mark&^ch.Mask | ch.Mark
	if !known.Known || mark == known.Mark {
		return
	}
	if err := c.fd.SetConnMark(mark); err != nil {
		c.markFailed("changed", err)
		return
	}
	known.Mark = mark
}

func (c *client) markFailed(what string, err error) {
	c.connection.Mark = ConnMark{}
	c.worker.markFailed(&c.worker.clientMarkWarnings, "client", c.connection.Client, what, err)
}

// markOf is the mark of a connection to a next hop; 0 if nobody knows it.
func (c *client) markOf(u *upstream) uint32 {
	mark, err := u.fd.ConnMark()
	if err != nil {
		c.worker.markFailed(&c.worker.serverMarkWarnings, "server", u.remote, "read (packets to clients bear nothing of it)", err)
	}
	return mark
}

// markFailed logs, once a minute, that the mark of somebody's connection cannot be read or changed.
func (w *worker) markFailed(warnings *loop.Limiter, whose string, at netip.AddrPort, what string, err error) {
	if suppressed, ok := warnings.Allow(w.loop.Now(), markWarningsEvery); ok {
		w.log.Error(fmt.Sprintf("the mark that the packet filter keeps with a %s's connection cannot be %s%s", whose, what, loop.SinceLast(suppressed)),
			whose, at.String(), "error", err)
	}
}
