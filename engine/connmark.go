package engine

import (
	"fmt"
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
	w := c.worker
	c.connection.Mark = ConnMark{}
	if suppressed, ok := w.markWarnings.Allow(w.loop.Now(), markWarningsEvery); ok {
		w.log.Error(fmt.Sprintf("the mark that the packet filter keeps with a client's connection cannot be %s%s", what, loop.SinceLast(suppressed)),
			"client", c.connection.Client.String(), "error", err)
	}
}
