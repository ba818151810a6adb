package engine

import (
	"errors"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/proxyheader"
	"exaproxy/engine/tlsend"
)

var (
	errNoHeader = &proxyheader.Error{Text: "no header has come in time"}
	// errLeft is why a balancer's connection ended that has looked whether we are there, and no more.
	errLeft = errors.New("the connection has ended before a PROXY header")
)

// announced reads the PROXY header that a client of a port with ProxyHeader begins with. It returns true when the
// client is whom the header names; it waits until then.
func (c *client) announced() bool {
	if c.in == nil && !c.mayAnnounce() {
		return false
	}
	err := c.receive()
	header, n, wrong := proxyheader.Parse(c.in.bytes())
	switch {
	case wrong == nil:
		return c.introduce(header, n)
	case wrong != proxyheader.ErrShort:
		c.unannounced(wrong, &c.worker.engine.headerWarnings)
	case err != nil && err != loop.ErrAgain:
		c.disconnected(errLeft)
	case c.timer.Expired():
		c.unannounced(errNoHeader, &c.worker.engine.headerWarnings)
	case c.worker.leaving:
		c.close()
	case err == nil:
		c.waker.Wake() // what else there is
	default:
		c.putIfEmpty()
	}
	return false
}

// mayAnnounce asks the policy whether the sender may say for whom it has connected, before a byte of it is read.
func (c *client) mayAnnounce() bool {
	if local, _, err := c.fd.Names(); err == nil {
		c.connection.Local = local
	}
	err := c.worker.setup.policy.MayAnnounce(&c.connection)
	if err != nil {
		c.unannounced(err, &c.worker.engine.strangerWarnings)
	}
	return err == nil
}

// introduce makes the client the one whom the header names, and begins what follows it, unless he has too many
// connections.
func (c *client) introduce(h *proxyheader.Header, n int) bool {
	c.consumed(n)
	c.connection.ProxyHeader = h
	if h.Forwards() {
		c.connection.Client, c.connection.Local = h.Source, h.Destination
	}
	c.phase = idling
	if c.worker.tooMany(c.connection.Client) {
		c.close()
		return false
	}
	c.count()
	if c.listener.tls != nil {
		c.secure()
	}
	c.waitForRequest()
	return true
}

// secure begins the handshake of an https_port.
func (c *client) secure() {
	var received []byte
	if c.in != nil {
		received = c.in.bytes()
	}
	c.end = tlsend.Server(c.worker.loop, c.fd, received, c.listener.tls, c.worker.engine.handshakes, c.waker)
	c.shaking = true
	c.worker.buffers.put(c.in)
	c.in = nil
}

// unannouncedEvery is how often it is logged that a PROXY header is wrong. The access log has each of them.
const unannouncedEvery = time.Minute

// unannounced ends a connection whose PROXY header cannot be followed.
func (c *client) unannounced(why error, warnings *loop.SharedLimiter) {
	w := c.worker
	if more, ok := warnings.Allow(w.loop.Now(), unannouncedEvery); ok {
		w.log.Warn(why.Error()+loop.SinceLast(more), "from", c.connection.Client.String(), "port", c.connection.Port.Name)
	}
	c.disconnected(why)
}
