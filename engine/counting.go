package engine

import (
	"fmt"
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// connectionCounts are how many connections each client's address has to all workers, as one worker knows it: its own, and
// those that the others have told it of by its loop's mailbox. What two workers count differs for as long as a
// message takes, so a limit may be passed by one connection for each worker.
type connectionCounts map[netip.Addr]int

// add changes what is known of an address.
func (n connectionCounts) add(a netip.Addr, by int) {
	if n[a] += by; n[a] == 0 {
		delete(n, a)
	}
}

// counts says whether anybody wants to know.
func (c *Config) counts() bool { return c.CountConnections || c.Limits.PerClient > 0 }

// count has a client's connection be known to all workers, if anybody wants to know. It is called when it is clear who he is.
func (c *client) count() {
	if !c.counted && c.phase != announcing && c.worker.setup.config.counts() {
		c.counted = true
		c.worker.counted(c.connection.Client.Addr(), 1)
	}
}

// uncount is called when the connection is over, or nobody wants to know any more.
func (c *client) uncount() {
	if c.counted {
		c.counted = false
		c.worker.counted(c.connection.Client.Addr(), -1)
	}
}

// counted notes a change, and tells the other workers.
func (w *worker) counted(a netip.Addr, by int) {
	w.connections.add(a, by)
	for _, other := range w.engine.workers {
		if other != w {
			other.loop.Post(func() { other.connections.add(a, by) })
		}
	}
}

// recount follows a new configuration.
func (w *worker) recount() {
	if w.setup.config.counts() {
		w.eachClient((*client).count)
	} else {
		w.eachClient((*client).uncount)
	}
}

// connectionsOf is how many connections come from an address.
func (w *worker) connectionsOf(a netip.Addr) int { return w.connections[a] }

// tooManyEvery is how often it is logged that clients have too many connections.
const tooManyEvery = 10 * time.Second

// tooMany says whether a client has as many connections as it may have.
func (w *worker) tooMany(client netip.AddrPort) bool {
	most := w.setup.config.Limits.PerClient
	if most == 0 || w.connections[client.Addr()] < most {
		return false
	}
	if more, ok := w.countWarnings.Allow(w.loop.Now(), tooManyEvery); ok {
		w.log.Warn(fmt.Sprintf("%s attempting more than %d connections.%s", client, most, loop.SinceLast(more)))
	}
	return true
}
