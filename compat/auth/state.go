package auth

import "exaproxy/engine"

// Memory is where a Policy finds what is kept of requests and connections between its calls.
type Memory interface {
	// OfRequest is the State of a request.
	OfRequest(r *engine.Request) *State
	// OfConnection is what is kept of the request's connection: nil if nothing is, unless it is to begin.
	OfConnection(r *engine.Request, begin bool) *Connection
}

// A State is how one request's credentials were judged. The zero State is that of a request that has none.
type State struct {
	by        prover // who has something to say in the next challenge; nil: nobody
	challenge []byte // that is, in the place of its usual one; nil: its usual one
	only      bool   // and no other scheme is offered
	unkept    bool   // no scheme is offered that needs a connection which is kept

	counted bool // the client's address is counted among the user's
}

// ask has the client asked in words of by's own (nil: its usual ones), and by its scheme only if that is said.
func (st *State) ask(by prover, challenge []byte, only bool) {
	st.by, st.challenge, st.only = by, challenge, only
}

// A Connection is what is kept of a client's connection, until Policy.Disconnected. The zero Connection has no session.
type Connection struct{ session session }

// begin has s judge all requests of the connection from the next one on. A session that there was is closed.
func (c *Connection) begin(s session) {
	c.end()
	c.session = s
}

// end closes the session. On a nil Connection, or one without session, it does nothing.
func (c *Connection) end() {
	if c == nil || c.session == nil {
		return
	}
	s := c.session
	c.session = nil
	s.close()
}
