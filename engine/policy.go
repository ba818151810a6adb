package engine

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/netip"

	"exaproxy/dnsasync"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
	"exaproxy/helper"
)

// A Policy answers what the engine may not decide by itself. One is made per worker, by
// Config.NewPolicy, on the worker's goroutine, and is only called there. It never touches a
// descriptor and never blocks. What it has to wait for it begins itself, answers Pending, and has
// Request.Waker woken; then the same method is called again.
//
// The methods stand in the order in which they are called for a request, each at most once
// unless its text says otherwise. A policy embeds DefaultPolicy, so that a method which comes to
// this interface later changes nothing for it.
type Policy interface {
	// MayAnnounce says whether the sender of a new connection may say, by a PROXY header, for whom it has connected:
	// nil, or why not. It is asked before anything is read, for ports with ProxyHeader.
	MayAnnounce(c *Connection) error

	// Complete makes the target of a request that names a path alone a URL (Request.Locate), if it came by a
	// port that is not a forward proxy's. Of an accelerator's it is asked about all requests. It returns nil, or
	// why that cannot be done.
	Complete(r *Request) *Failure

	// Foreign says whether a client that was diverted to us, and does not speak HTTP, may have a tunnel to whom it wanted to
	// reach: Proceed, Refuse or Pending. f is what is wrong with what it says; of the request nothing else is known. If it
	// may, the tunnel is judged as one that was asked for by CONNECT.
	Foreign(r *Request, f *Failure) Action

	// Admit says whether the client may ask this at all: Proceed, Refuse, Challenge, Serve,
	// Redirect or Pending.
	Admit(r *Request) Decision

	// Question gives the line to put to the helpers, without a line feed, and Ask; or Proceed if
	// they are not to be asked, or Pending. The line is copied before the next call. Called again
	// when Interpret said Ask.
	Question(r *Request) (line []byte, a Action)

	// Interpret says what the helpers' answer means: Proceed, Rewrite, Redirect, Refuse,
	// Challenge, Serve, Ask or Pending. answer is nil if they were not asked or failed; then err is
	// nil, or one of package helper's: ErrLost, ErrRemembered, ErrLate, ErrTooLong, ErrClosed. answer is valid
	// during the transaction.
	Interpret(r *Request, answer []byte, err error) Decision

	// Bump says what becomes of the tunnel of a CONNECT that is allowed, by a port that has Bump. It is asked at
	// each step that its answers lead to (Request.TLS.Step, or NotTLS), so several times, and Admit, Question
	// and Interpret are asked anew before the second step. At the third, BumpPeek and BumpStare are no answers.
	Bump(r *Request) Bump

	// Certify gives the certificates under which the client of a tunnel that is decrypted is spoken to, as
	// Port.Certificate does. What is known of the server is there (Request.TLS.Server).
	Certify(r *Request) func(host string) (*tls.Certificate, error)

	// Route says which next hop the request goes to: Proceed with a Hop, Refuse, or Pending. It is
	// called again when no connection to the hop could be made. failed are the attempts so far,
	// the last one last; it is empty at first. Refuse without a Failure then says that there is no
	// other way, and the client is told of the last attempt.
	Route(r *Request, failed []Attempt) Route

	// Permit says whether the address to may be connected to for the request: nil, or why not. It is
	// asked for each address of the hop that Route gave, and for that of a connection which was kept,
	// so once or more for every hop.
	Permit(r *Request, h *Hop, to netip.AddrPort) *Failure

	// Looks says whether what the client says first in a tunnel, which is there now, is to be looked at by
	// Hello before anything of it goes on.
	Looks(r *Request) bool

	// Hello says whether the tunnel may be used for what the client says first there: nil, or why not. err
	// is nil if that is a ClientHello of TLS, or one of package tlshello's.
	Hello(r *Request, h *tlshello.Hello, err error) *Failure

	// Trusts says whether a server may be used with whose certificates something is wrong (Config.VerifyServer):
	// nil, or why not. It is asked for each connection that is made, and each that was kept.
	Trusts(r *Request, chain []*x509.Certificate, errs []error) *Failure

	// Upgrade says which of the protocols that a request's Upgrade field names may be offered to the next hop, as that
	// field's value; nil: none. If that switches to one of them the client has a tunnel.
	Upgrade(r *Request) []byte

	// AdmitReply says whether the client may have the reply whose head is Request.Reply: Proceed, Refuse, or Pending.
	// length is that of its body, -1 if nobody knows yet; most is how many bytes of it may pass, 0 is any number.
	AdmitReply(r *Request, length int64) (d Decision, most int64)

	// Edit makes the configured changes to a head that is about to be sent: Via,
	// X-Forwarded-For, and on replies what Squid adds. Hop-by-hop fields are gone already
	// and Host is there. It may be called once for each direction.
	Edit(r *Request, h *h1.Header, d Direction)

	// EditOwn makes the configured changes to the fields of a reply of our own, if Config.EditOwn says so. Connection is
	// not among them.
	EditOwn(r *Request, h *h1.Header)

	// Page makes the answer to a transaction that failed or was refused.
	Page(r *Request, f *Failure) LocalReply

	// LogReady says whether the log has room for one more record. While it has not, because its
	// disk is too slow, transactions do not end; w is woken when there is room.
	LogReady(w *loop.Waker) bool

	// Record is given the facts of a transaction that is over, or with rec.Open of a tunnel that is not. rec and all that it points to are
	// valid only during the call.
	Record(rec *Record)

	// Disconnected is called when a client's connection has ended for which State was kept, or
	// when the connection's requests are from now on those of a newer policy.
	Disconnected(c *Connection)

	// Close is called when the last transaction of this policy's setup is over, or the
	// worker ends: what the policy began, it ends.
	Close()
}

// DefaultPolicy lets every request through, asks nobody, goes to the server that the URL names,
// and tells failures with a line of text. It is there to be embedded.
type DefaultPolicy struct{}

// MayAnnounce believes everybody.
func (DefaultPolicy) MayAnnounce(*Connection) error { return nil }

// Complete completes nothing: every port is a forward proxy's.
func (DefaultPolicy) Complete(*Request) *Failure { return nil }

// Foreign lets nobody go on who does not speak HTTP.
func (DefaultPolicy) Foreign(*Request, *Failure) Action { return Refuse }

// Admit admits everybody.
func (DefaultPolicy) Admit(*Request) Decision { return Decision{} }

// Question asks nobody.
func (DefaultPolicy) Question(*Request) ([]byte, Action) { return nil, Proceed }

// Interpret goes on, unless the helpers were asked and failed: what they did not judge does not pass.
func (DefaultPolicy) Interpret(_ *Request, _ []byte, err error) Decision {
	if err != nil {
		return Decision{Action: Refuse, Failure: &Failure{Kind: HelperLost, Side: HelperSide, Err: err}}
	}
	return Decision{}
}

// Bump looks into no tunnel.
func (DefaultPolicy) Bump(*Request) Bump { return BumpSplice }

// Certify knows only what the port has.
func (DefaultPolicy) Certify(r *Request) func(string) (*tls.Certificate, error) {
	return r.Port.Certificate
}

// Route goes to the server that the URL names.
func (DefaultPolicy) Route(r *Request, failed []Attempt) Route {
	if len(failed) > 0 {
		return Route{Action: Refuse}
	}
	return Route{Hop: Direct(r)}
}

// Permit allows all addresses.
func (DefaultPolicy) Permit(*Request, *Hop, netip.AddrPort) *Failure { return nil }

// Looks is not curious.
func (DefaultPolicy) Looks(*Request) bool { return false }

// Hello allows everything.
func (DefaultPolicy) Hello(*Request, *tlshello.Hello, error) *Failure { return nil }

// Trusts nobody with whose certificates something is wrong.
func (DefaultPolicy) Trusts(_ *Request, _ []*x509.Certificate, errs []error) *Failure {
	return &Failure{Kind: CannotSecure, Side: UpstreamSide, Err: errs[0]}
}

// Upgrade offers nothing.
func (DefaultPolicy) Upgrade(*Request) []byte { return nil }

// AdmitReply lets everything pass.
func (DefaultPolicy) AdmitReply(*Request, int64) (d Decision, most int64) { return }

// Edit changes nothing.
func (DefaultPolicy) Edit(*Request, *h1.Header, Direction) {}

// EditOwn changes nothing.
func (DefaultPolicy) EditOwn(*Request, *h1.Header) {}

// Page is the failure as plain text.
func (DefaultPolicy) Page(_ *Request, f *Failure) LocalReply { return plainPage(f) }

// LogReady always has room.
func (DefaultPolicy) LogReady(*loop.Waker) bool { return true }

// Record logs nothing.
func (DefaultPolicy) Record(*Record) {}

// Disconnected has nothing to give back.
func (DefaultPolicy) Disconnected(*Connection) {}

// Close has nothing to end.
func (DefaultPolicy) Close() {}

// Services is what the engine lends to the policy of one worker, for the policy's life.
type Services struct {
	Loop     *loop.Loop
	Resolver *dnsasync.Resolver
	Helpers  *helper.Pool            // nil if no helper is configured
	Pools    map[string]*helper.Pool // of Config.PolicyHelpers, by their names
	Log      *slog.Logger
	Probe    func(*Hop) *Probe // looks whether a next hop answers, and tells its Peer
	// ConnectionsOf is how many connections clients of an address have, if Config.CountConnections asks for that.
	ConnectionsOf func(netip.Addr) int

	// Lasting is the policies' own: what one of the worker leaves there its successors find.
	Lasting *any
	View    View // what the worker has in hand

	Worker  int // 0, 1, …
	Workers int // how many there are: what is limited for the whole proxy is divided among them
}

// Direction says which way a head travels.
type Direction uint8

const (
	Upstream   Direction = iota // a request to the next hop
	Downstream                  // a reply to the client
	Through                     // a CONNECT of ours to the next hop, for a request that goes on in its tunnel
)

// An Action is what a policy wants done.
type Action uint8

const (
	Proceed   Action = iota // go on with the request as it is
	Pending                 // the policy has begun something that will wake Request.Waker; call it again then
	Ask                     // put a question to the helpers; of Interpret: once more
	Rewrite                 // go on with Decision.Target in place of the request's
	Redirect                // answer with Decision.Reply, which names another URL
	Refuse                  // answer with Page of Decision.Failure
	Challenge               // answer with Decision.Reply, which asks for credentials (407 or 401)
	Serve                   // answer with Decision.Reply, a page of ours
)

// Verdict says whether the action is one of which the client of a CONNECT learns as Decision.Connect says.
func (a Action) Verdict() bool { return a == Redirect || a == Refuse || a == Serve }

// A Decision is what the policy says of a request. The zero Decision is Proceed.
//
// Redirect, Refuse and Serve are verdicts: a client whose CONNECT they are about learns of them as
// Connect says. A Challenge always is the direct answer, for the client is to try
// again with credentials.
type Decision struct {
	Action  Action
	Target  h1.Target   // Rewrite: the new target, in memory that lives as long as the transaction (Request.Keep)
	URL     string      // Redirect: the URL, for the record
	Reply   *LocalReply // Redirect, Challenge, Serve
	Failure *Failure    // Refuse

	Connect ConnectVerdict // Redirect, Refuse, Serve of a CONNECT
}

// A LocalReply is an answer of our own. The engine writes the status line, Fields, a Connection
// field that tells the truth, and Body (not to HEAD). Fields are complete lines, each ended
// by CRLF, among them Content-Length; the bytes belong to the policy and must stay as they
// are until the transaction is over.
type LocalReply struct {
	Status int
	Reason string // "": the standard phrase
	Fields []byte
	Body   []byte
	Close  bool // the connection ends after it
	Reset  bool // no answer at all: the connection is reset (deny_info TCP_RESET)

	Page        string // for the record: what the page is called; "" if it has no name
	ContentType string // for the record: the type of Body; "" if none is to be logged
}
