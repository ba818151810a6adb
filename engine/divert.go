package engine

import (
	"net/netip"

	"exaproxy/engine/h1"
)

// divert gives a client that the packet filter has sent here the tunnel that it thinks it has, as if it had asked
// for it by CONNECT: to the address that it wanted. It needs no 200.
func (t *transaction) divert() stage {
	t.followPresentSetup()
	next := t.divertTo(t.client.connection.Original)
	t.client.tls = see(t.request)
	t.request.TLS = t.client.tls
	return next
}

// divertTo makes the request a CONNECT to the address that a client wanted, which it thinks it has reached.
func (t *transaction) divertTo(wanted netip.AddrPort) stage {
	if err := t.asksFor(wanted.Addr().String(), wanted); err != nil {
		panic("BUG: nobody can ask for an address: " + err.Error())
	}
	next := t.accepted()
	t.established, t.keepClient, t.request.Persistent = true, false, false
	return next
}

// asksFor makes the request a CONNECT to a host, at the port that the client wanted.
func (t *transaction) asksFor(host string, wanted netip.AddrPort) error {
	target := h1.Target{Form: h1.Authority, Host: []byte(host), IPv6: host == wanted.Addr().String() && wanted.Addr().Is6(), Port: wanted.Port()}
	to := target.AppendHost(nil)
	head := make([]byte, 0, 2*len(to)+64)
	head = append(append(append(head, "CONNECT "...), to...), " HTTP/1.1\r\nHost: "...)
	head = append(append(head, to...), "\r\n\r\n"...)
	limits := &t.setup.config.Limits
	if _, err := h1.ParseRequest(head, &t.request.Request, limits.heads(limits.requestHead())); err != nil {
		return err
	}
	t.head = head
	return nil
}

// named makes a tunnel that was diverted to us one to the name that its ClientHello asks for: only now it is known
// whom the client means by the address that it wanted.
func (t *transaction) named(name string) error {
	if !t.client.connection.Port.Tunnels || name == "" {
		return nil
	}
	return t.asksFor(name, t.client.connection.Original)
}
