package engine

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"exaproxy/dnsasync"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// Config is what an Engine is made from: plain values. Nobody changes it once it was given to
// New or Reconfigure. Fields whose comment names a default may be left zero.
type Config struct {
	// Workers is how many loops run. 0: the number of CPUs, but no more than leave each worker
	// four children of Helper, and no more than any of PolicyHelpers may have processes.
	Workers int
	// Descriptors is how many the process may have open, which is fixed at the start: near it no
	// client is accepted. 0: nobody knows.
	Descriptors int
	// Ports are where clients connect. At least one.
	Ports []Port
	// Bind, if set, binds the socket of a port that the process itself may not have (bind(2): EACCES).
	// It may block.
	Bind func(sys int, addr netip.AddrPort) error
	// Helper describes the helper pool; each worker has its share of it. nil: nobody is asked.
	Helper *helper.Config
	// PolicyHelpers describe the pools that the policy asks itself (Services.Pools). Their names differ from each
	// other and from Helper's.
	PolicyHelpers []helper.Config
	// KeepHelpers keeps the helpers over a reconfiguration that does not change how they are run (keep_helpers).
	// Otherwise new ones are started, and take over when the first is ready.
	KeepHelpers bool
	// Names configures name resolution.
	Names dnsasync.Config
	// NewPolicy makes the policy of one worker, on that worker's goroutine. Required.
	NewPolicy func(Services) (Policy, error)
	// NewKernel makes the kernel of one worker's loop. nil: loop.Linux.
	NewKernel func() (loop.Kernel, error)
	// Log receives what is worth an administrator's attention. nil: nothing is said.
	Log *slog.Logger

	// OutgoingTLS is how TLS is spoken to next hops, but for the server's name; nil: as crypto/tls does,
	// trusting whom the system trusts.
	OutgoingTLS *tls.Config
	// VerifyServer says what is wrong with the certificates that a next hop shows who was asked for by that name,
	// its own first; nothing: no errors. Policy.Trusts then decides. It is called on goroutines of handshakes.
	// nil: crypto/tls verifies by OutgoingTLS, and whatever is wrong ends the handshake.
	VerifyServer func(serverName string, chain []*x509.Certificate) []error

	// KeyLog gets the secrets of all TLS that is spoken, with clients and with next hops, in the format of NSS
	// (tls_key_log). It is written to on any goroutine, and must not block. nil: nobody does.
	KeyLog io.Writer

	Timeouts Timeouts
	Limits   Limits

	// TunnelLog is after which time of a tunnel that is still open, and each such time more, there is a Record of it; 0: none.
	TunnelLog time.Duration

	// CountConnections has Services.ConnectionsOf know; it costs each worker a message for each connection.
	CountConnections bool
	// KeepReplyHeads fills Record.ReplyHead; it costs a copy for each reply.
	KeepReplyHeads bool
	// EditOwn has Policy.EditOwn asked for each reply of our own.
	EditOwn bool
	// ConnMarks has Connection.Mark be read; it costs a question to the kernel for each client's connection.
	ConnMarks bool
	// ReplyPackets are what packets to clients bear once they are answered; nil: what they have borne before.
	ReplyPackets *ReplyPackets
	// KeepOutgoing fills Record.Outgoing; it costs a system call for each new upstream connection.
	KeepOutgoing bool
	// MeasureBusy fills Record.Busy; it costs two looks at the clock for each play.
	MeasureBusy bool
	// HalfClosed keeps a client that closed its sending side (half_closed_clients).
	HalfClosed bool
	// NoHTTP09 refuses replies without a head, and those of Shoutcast (http09 deny).
	NoHTTP09 bool
	// NoClientPersistence and NoServerPersistence end connections after each transaction.
	NoClientPersistence, NoServerPersistence bool
}

// Port is one listening address and what is particular to requests that come in by it.
type Port struct {
	Addr netip.AddrPort // [::]:n listens on both families
	Name string         // name=, default the address as written
	Line string         // of the configuration, that names it: "squid.conf(12)"; for messages
	// NoConnectionAuth has clients not be asked to prove a connection (no-connection-auth).
	NoConnectionAuth bool

	WorkerQueues bool  // SO_REUSEPORT, a queue for each worker (worker-queues)
	Mode         Mode  // what clients take it for
	ProxyHeader  bool  // each client says first for whom it has connected (require-proxy-header)
	Tunnels      bool  // of Intercept and TPROXY: each connection is a tunnel to whom the client wanted (https_port)
	Site         *Site // of whose URLs requests are, if they take it for a server; else nil

	// TLS has clients speak TLS to the proxy (https_port); nil: they do not. It is shared by all workers
	// and not changed. The keys of session tickets are the engine's.
	TLS *tls.Config
	// Audience is whose sessions may be resumed at the port: those of ports with the same, such as the
	// port itself before a reload.
	Audience string

	// Bump has Policy.Bump say what becomes of tunnels (ssl-bump). Certificate is there.
	Bump bool

	// Certificate gives the certificate under which a client whose CONNECT to a host was refused is
	// shown why (ConnectBump); nil: there is none. It is called on any goroutine, and may block.
	Certificate func(host string) (*tls.Certificate, error)
	// InTunnels is how TLS is spoken under such a certificate, but for that; nil: as crypto/tls does.
	InTunnels *tls.Config

	// State is the policy's own: who signs for Certify. It is shared by all workers and not changed.
	State any
}

// Mode is what clients take a port for.
type Mode uint8

const (
	Forward   Mode = iota // a proxy, which they ask for URLs
	Intercept             // nothing: the packet filter sends them here by NAT (intercept)
	TPROXY                // nothing, and servers see the client's own address (tproxy)
	Accel                 // the server (accel)
)

// isLike says whether clients take both ports for the same, and speak to them alike: they do so until they leave.
func (p *Port) isLike(old *Port) bool {
	return (p.TLS == nil) == (old.TLS == nil) && p.Mode == old.Mode && p.Tunnels == old.Tunnels
}

// Diverted says whether clients have never heard of the port.
func (m Mode) Diverted() bool { return m == Intercept || m == TPROXY }

// A Site is what the URLs of requests are that come by a port which clients take for a server: these name a path
// alone. It is the policy that makes them (Policy.Complete), and that follows Direct.
type Site struct {
	Scheme    string // http or https
	Default   string // host, perhaps with a port, of those that name none (defaultsite); "": there is none
	ByHost    bool   // the Host field says of which host they are (vhost)
	Port      uint16 // that they all have, whatever the Host field says (vport=); 0: none
	LocalPort bool   // they all have the port that the client connected to (vport)
	Direct    bool   // they may go to servers that the configuration does not name (allow-direct)
}

// ConnectVerdict is how the verdict on a CONNECT reaches the client.
type ConnectVerdict uint8

const (
	// ConnectPage answers 200 Connection established and serves the page inside the tunnel,
	// in plaintext.
	ConnectPage ConnectVerdict = iota
	// ConnectRedirect answers the CONNECT itself with the redirect or the page, as Squid does.
	ConnectRedirect
	// ConnectClose closes the connection.
	ConnectClose
	// ConnectBump answers 200 Connection established and serves the page inside TLS, as the server that
	// the client wanted, if it speaks TLS; else as ConnectPage. The port has a Certificate.
	ConnectBump
)

// Timeouts bound every wait. Zero means the default in brackets, which is Squid's.
type Timeouts struct {
	RequestStart time.Duration // first byte of the first request on a connection [5 min]
	Request      time.Duration // a request's head, from its first byte [5 min]
	ClientIdle   time.Duration // between requests on a kept connection [2 min]
	Names        time.Duration // a lookup [2 min; the resolver gives up earlier, by dns_timeout]
	Connect      time.Duration // one address [1 min]
	Forward      time.Duration // all addresses and retries together [4 min]
	Read         time.Duration // silence of the next hop [15 min]
	Write        time.Duration // an end that takes nothing [15 min]
	ServerIdle   time.Duration // an idle upstream connection [1 min]
	Lifetime     time.Duration // a client connection in all [1 day]
	PconnLife    time.Duration // age at which a connection is not kept any more [none]
}

// Limits bound sizes and numbers. Zero means the default in brackets.
type Limits struct {
	RequestHead   int   // bytes [64 KiB]
	ReplyHead     int   // bytes [64 KiB]
	RequestBody   int64 // bytes [none]
	ForwardTries  int   // addresses and connections tried for one request [25]
	IdleUpstreams int   // kept for one host and port, per worker [64]
	PerClient     int   // connections of one address, to all workers [any number]
	Whitespace    h1.Whitespace
	StrictHeads   bool // relaxed_header_parser off
	BodiesOf10    bool // requests of HTTP/1.0 have bodies as RFC 1945 wants them, as in Squid since 6
}

// or gives d, or its default if d is zero.
func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (t *Timeouts) requestStart() time.Duration { return or(t.RequestStart, 5*time.Minute) }
func (t *Timeouts) request() time.Duration      { return or(t.Request, 5*time.Minute) }
func (t *Timeouts) clientIdle() time.Duration   { return or(t.ClientIdle, 2*time.Minute) }
func (t *Timeouts) names() time.Duration        { return or(t.Names, 2*time.Minute) }
func (t *Timeouts) connect() time.Duration      { return or(t.Connect, time.Minute) }
func (t *Timeouts) forward() time.Duration      { return or(t.Forward, 4*time.Minute) }
func (t *Timeouts) read() time.Duration         { return or(t.Read, 15*time.Minute) }
func (t *Timeouts) write() time.Duration        { return or(t.Write, 15*time.Minute) }
func (t *Timeouts) serverIdle() time.Duration   { return or(t.ServerIdle, time.Minute) }
func (t *Timeouts) lifetime() time.Duration     { return or(t.Lifetime, 24*time.Hour) }
func (t *Timeouts) pconnLife() time.Duration    { return or(t.PconnLife, forever) }

// forever is longer than any connection lives; the client's lifetime ends it first.
const forever = 10 * 365 * 24 * time.Hour

func (l *Limits) requestHead() int   { return orNumber(l.RequestHead, 64<<10) }
func (l *Limits) replyHead() int     { return orNumber(l.ReplyHead, 64<<10) }
func (l *Limits) forwardTries() int  { return orNumber(l.ForwardTries, 25) }
func (l *Limits) idleUpstreams() int { return orNumber(l.IdleUpstreams, 64) }

func orNumber(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// heads gives the limits of a head as h1 wants them. A head of size bytes is too large already, as in Squid.
func (l *Limits) heads(size int) h1.Limits {
	return h1.Limits{Head: max(size-1, 1), Whitespace: l.Whitespace, Relaxed: !l.StrictHeads}
}
