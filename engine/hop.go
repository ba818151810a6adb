package engine

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
)

// A Route is which way a request goes.
type Route struct {
	Action  Action   // Proceed to Hop, Refuse, or Pending
	Hop     Hop      // Proceed
	Failure *Failure // Refuse: why there is no way; nil if the last attempt says it
}

// A Hop is a next hop, completely: whom to connect to, how, and as whom. Connections to it that are
// idle serve another request only if all of that is the same, since a connection carries what was
// agreed on it: a name that was verified, an address that was allowed, somebody's identity.
type Hop struct {
	Host []byte // name or address, valid during the transaction
	Port uint16

	// Addrs are the only addresses that may be connected to, because they were judged. nil: those
	// of Host. A connection that was kept is used only if it leads to one of them.
	Addrs []netip.Addr

	Proxy bool // it is a proxy: it gets the absolute form, and CONNECT goes through it
	TLS   TLS  // zero: plaintext

	Local netip.Addr // our end (tcp_outgoing_address); zero: the kernel chooses

	// Transparent says that Local need not be an address of ours (TPROXY).
	Transparent bool

	Mark     int    // SO_MARK (tcp_outgoing_mark); 0: none
	Identity string // who has proved to be whom on the connection; "": nobody, it serves everybody

	owner uint64 // the client whose own its connections are, by which it may have proved who it is; 0: anybody's

	Hierarchy string // how the log calls this way: "HIER_DIRECT"
}

// TLS says how a connection to a next hop is secured.
type TLS struct {
	ServerName string // that is asked for and verified; "" for no TLS

	config *tls.Config // Config.OutgoingTLS, by which it was verified; the engine's
}

// A shown is what a next hop has shown of itself in a handshake, and what is wrong with that. It is filled on
// the handshake's goroutine, but for what was agreed on, and does not change after that.
type shown struct {
	chain  []*x509.Certificate
	errors []error
	agreed ServerTLS
}

// clientTLS is how TLS is spoken to a hop, which shows itself to s.
func (c *Config) clientTLS(h *Hop, s *shown) *tls.Config {
	config := &tls.Config{}
	if c.OutgoingTLS != nil {
		config = c.OutgoingTLS.Clone()
	}
	config.KeyLogWriter = c.KeyLog
	config.NextProtos = []string{"http/1.1"}
	config.ServerName = strings.TrimSuffix(h.TLS.ServerName, ".") // which no certificate has
	name, verify := config.ServerName, c.VerifyServer
	config.InsecureSkipVerify = config.InsecureSkipVerify || verify != nil
	otherwise := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		s.chain = state.PeerCertificates
		switch {
		case verify != nil:
			s.errors = verify(name, s.chain)
		case otherwise != nil:
			return otherwise(state)
		}
		return nil
	}
	return config
}

// Direct is the hop that the request's effective target names.
func Direct(r *Request) Hop {
	t := r.Effective()
	h := Hop{Host: t.Host, Port: t.Port, Hierarchy: "HIER_DIRECT"}
	if t.Scheme == "https" {
		h.TLS.ServerName = string(t.Host)
	}
	return h
}

// An Attempt is a hop to which no connection could be made.
type Attempt struct {
	Hop Hop
	Err error // of the last of its addresses, or of looking these up
}

// A hopKey is all of a hop that connections to it have in common: equal keys share idle connections.
type hopKey struct {
	host     string
	port     uint16
	proxy    bool
	tls      TLS
	local    netip.Addr
	spoofed  bool
	mark     int
	identity string
	owner    uint64
}

// key is what connections to the hop have in common.
func (h *Hop) key() hopKey {
	return hopKey{string(h.Host), h.Port, h.Proxy, h.TLS, h.Local, h.Transparent, h.Mark, h.Identity, h.owner}
}

// allows says whether a kept connection leads to where the hop's own would. One that was opened to an
// address that was judged for somebody else's request, such as one that named a host which is not there,
// is not what the name leads to.
func (h *Hop) allows(u *upstream) bool {
	if len(h.Addrs) == 0 {
		return !u.pinned
	}
	return slices.Contains(h.Addrs, u.peer.Addr())
}
