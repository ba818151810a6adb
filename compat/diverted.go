package compat

import (
	"exaproxy/compat/intercept"
	"exaproxy/engine"
)

// A client that the packet filter diverted to us and that asks for a host where it did not connect to is judged twice:
// by the name, and by the address (see compat/intercept).

// aboutAddress has f see the request as one for the address that its client connected to.
func aboutAddress(r *engine.Request, f func()) {
	named := r.Target
	r.Target = intercept.Address(r)
	f()
	r.Target = named
}

// admitAddress asks whether http_access allows the address.
func (p *policy) admitAddress(r *engine.Request, st *requestState) (d engine.Decision) {
	aboutAddress(r, func() { d = p.access.Admit(r, &st.access, &st.decision) })
	return d
}

// askOfAddress puts the address to the redirectors.
func (p *policy) askOfAddress(r *engine.Request) (line []byte, a engine.Action) {
	aboutAddress(r, func() { line, a = p.redirector.Question(r) })
	return line, a
}

// divert has a request of a client that was diverted to us go where that wanted to.
func (p *policy) divert(r *engine.Request, st *requestState, hop *engine.Hop) {
	var about *intercept.State
	if st != nil {
		about = &st.intercept
	}
	p.intercept.Steer(r, about, hop)
}
