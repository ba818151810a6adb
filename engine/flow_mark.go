package engine

import (
	"fmt"
	"time"

	"exaproxy/engine/loop"
)

// A Flow is what the packet filter keeps with a connection (CONNMARK). The zero Flow is that of one of which this is not known.
type Flow struct {
	Mark  uint32
	Known bool
}

// A FlowChange says what becomes of such a mark: the bits of Mask are cleared, then those of Mark set. The zero FlowChange
// changes nothing.
type FlowChange struct{ Mark, Mask uint32 }

// flowWarningsEvery is how often it is logged that marks cannot be read or changed.
const flowWarningsEvery = time.Minute

// readFlow reads the mark of the client's connection.
func (c *client) readFlow() {
	mark, err := c.fd.FlowMark()
	if err != nil {
		c.flowFailed("read (an acl of the type client_connection_mark matches or not: nobody knows)", err)
		return
	}
	c.connection.Flow = Flow{mark, true}
}

// changeFlow changes it.
func (c *client) changeFlow(ch FlowChange) {
	if ch == (FlowChange{}) {
		return
	}
	c.readFlow() // others may have changed it
	flow := &c.connection.Flow
	mark := flow.Mark&^ch.Mask | ch.Mark
	if !flow.Known || mark == flow.Mark {
		return
	}
	if err := c.fd.SetFlowMark(mark); err != nil {
		c.flowFailed("changed", err)
		return
	}
	flow.Mark = mark
}

func (c *client) flowFailed(what string, err error) {
	w := c.worker
	c.connection.Flow = Flow{}
	if suppressed, ok := w.flowWarnings.Allow(w.loop.Now(), flowWarningsEvery); ok {
		w.log.Error(fmt.Sprintf("the mark that the packet filter keeps with a client's connection cannot be %s%s", what, loop.SinceLast(suppressed)),
			"client", c.connection.Client.String(), "error", err)
	}
}
