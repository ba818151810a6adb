package engine

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
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

	Mark   int        // SO_MARK (tcp_outgoing_mark); 0: none
	TOS    int        // type of service, with its two lowest bits clear (tcp_outgoing_tos); 0: none
	Local6 netip.Addr // our end for addresses of IPv6, if Local is of IPv4
	// ProxyHeader is said before anything else; "": none is. It tells the next hop who the client is (proxy_protocol_out).
	ProxyHeader string
	Identity    string // who has proved to be whom on the connection; "": nobody, it serves everybody

	owner uint64 // the client whose own its connections are, by which it may have proved who it is; 0: anybody's

	// The engine's: to which host and port a proxy at the hop is asked to open a tunnel first (nil: it is not), and whether
	// TLS is spoken with the server there, and not with the proxy.
	through []byte
	inside  bool

	Hierarchy string // how the log calls this way: "HIER_DIRECT"

	Credentials bool // it is given the client's Proxy-Authorization
	Challenges  bool // the client is told how it wants to be given that (Proxy-Authenticate)

	// Peer is told what becomes of connections to the hop; nil: nobody wants to know. What was configured as a next
	// hop has one (cache_peer).
	Peer    Peer
	Connect time.Duration // how long one address may take (connect-timeout=); 0: as Timeouts.Connect says
	// Elsewhere says that Route has another hop if this one comes to nothing. Then what it refuses to do, or fails to
	// do before it has said anything, is asked of the other.
	Elsewhere bool
}

// A Peer is a next hop of the configuration's. It is told on the goroutine of the worker whose hop it stands in.
type Peer interface {
	// PeerName is what the configuration calls it.
	PeerName() string
	// Standby is how many connections to it are to wait for requests to come, by this worker (standby=); 0: none, or no more now.
	Standby() int
	// Notice tells of a connection to it; why is known of a PeerInsecure. It must not block.
	Notice(what PeerEvent, why error)
}

// A PeerEvent is what becomes of a connection to a Peer. Each that is Opening is Closed in the end.
type PeerEvent uint8

const (
	PeerOpening   PeerEvent = iota // a connection is being made
	PeerReached                    // it answers: the connection is there, with TLS if that is spoken
	PeerUnreached                  // it does not: no address answers, or none is known
	PeerInsecure                   // it answers, but there can be no TLS with it
	PeerIdle                       // a connection waits for another request
	PeerBusy                       // it waits no longer
	PeerClosed                     // it is not there any more, or did not come to be
)

// reveals says whether the server itself is spoken to in TLS of ours.
func (h *Hop) reveals() bool { return h.TLS != (TLS{}) && (h.through == nil || h.inside) }

// notice tells a peer, if there is one.
func notice(p Peer, what PeerEvent) {
	if p != nil {
		p.Notice(what, nil)
	}
}

// TLS says how a connection to a next hop is secured.
type TLS struct {
	ServerName string // that is asked for and verified; "" for no TLS

	// Config is how it is spoken, and the other end verified, but for the name; it is not changed. nil: as to servers
	// (Config.OutgoingTLS, and Config.VerifyServer).
	Config *tls.Config
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
	config, verify := &tls.Config{}, c.VerifyServer
	if h.TLS.Config != nil {
		config = h.TLS.Config.Clone()
	}
	if h.TLS.Config != c.OutgoingTLS {
		verify = nil // it has its own
	}
	config.KeyLogWriter = c.KeyLog
	config.NextProtos = []string{"http/1.1"}
	config.ServerName = strings.TrimSuffix(h.TLS.ServerName, ".") // which no certificate has
	name := config.ServerName
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
	mark     int
	identity string
	rare     string
}

// key is what connections to the hop have in common.
func (h *Hop) key() hopKey {
	return hopKey{string(h.Host), h.Port, h.Proxy, h.TLS, h.Local, h.Mark, h.Identity, h.rare()}
}

// rare is what few hops have, as one text: a key of less is looked up sooner.
func (h *Hop) rare() string {
	if !h.Transparent && h.TOS == 0 && !h.Local6.IsValid() && h.ProxyHeader == "" && h.owner == 0 {
		return ""
	}
	return fmt.Sprintf("%t %d %s %d %s", h.Transparent, h.TOS, h.Local6, h.owner, h.ProxyHeader)
}

// allows says whether a kept connection leads to where the hop's own would. One that was opened to an
// address that was judged for somebody else's request, such as one that named a host which is not there,
// is not what the name leads to.
func (h *Hop) allows(u *upstream) bool {
	if len(h.Addrs) == 0 {
		return !u.pinned
	}
	return slices.Contains(h.Addrs, u.remote.Addr())
}
