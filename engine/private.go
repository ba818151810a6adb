package engine

import (
	"bytes"

	"exaproxy/engine/h1"
)

// ProvesConnection reports whether credentials, or a challenge, are of a scheme that proves who is at the end of a
// connection, for all requests that follow on it: NTLM, Negotiate and Kerberos (RFC 4559, section 6).
func ProvesConnection(value []byte) bool {
	scheme := value
	if i := bytes.IndexAny(value, " \t"); i >= 0 {
		scheme = value[:i]
	}
	return h1.EqualFold(scheme, "NTLM") || h1.EqualFold(scheme, "Negotiate") || h1.EqualFold(scheme, "Kerberos")
}

// owner is whose own the request's connection to a next hop has to be; 0: anybody's. Once a client has said anything by
// which it may prove such a connection, all that it has are its own, until it leaves: no other client's requests go over
// them.
func (t *transaction) owner() uint64 {
	c := t.client
	if c.owner == 0 && t.provesConnection() {
		c.worker.owners++
		c.owner = c.worker.owners
	}
	return c.owner
}

func (t *transaction) provesConnection() (proves bool) {
	look := func(value []byte) bool {
		proves = ProvesConnection(value)
		return !proves
	}
	t.request.Header.All("Authorization", look)
	if !proves && t.hop.Credentials {
		t.request.Header.All("Proxy-Authorization", look)
	}
	return proves
}

// dropOwned closes the idle connections that are nobody's any more.
func (p *idlePool) dropOwned(owner uint64) {
	if owner == 0 {
		return
	}
	for _, h := range p.hops {
		for h.owner == owner && h.newest != nil {
			u := h.newest
			p.remove(u)
			u.close()
		}
	}
}
