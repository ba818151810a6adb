package engine

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/proxyheader"
	"exaproxy/engine/tlshello"
)

// A Request is what a client asked, with all that the policy may want to know of it. It
// belongs to its transaction; the policy may keep it only while the transaction runs.
//
// The embedded h1.Request holds views into the head as it was received; its Target is in
// canonical form. They stay valid until the transaction's record has been written.
type Request struct {
	h1.Request

	Connection *Connection    // that it came by
	Client     netip.AddrPort // who asks: the sender, or whom the policy believes to be behind it
	Told       netip.AddrPort // whom logs and helpers are told of as the client, if that is not Client; see TellClient
	Local      netip.AddrPort // our end of the client's connection; of one that was diverted to us, whom it wanted
	Port       *Port          // the listening port it came in by
	User       string         // who the client proved to be, "" if nobody asked
	Claimed    string         // who it says to be, proved or not: for the log alone
	External   External       // what a helper of the policy's has said of the request
	Started    time.Time      // when the request's first byte was seen
	Persistent bool           // another request may follow it on the connection
	Hidden     uint32         // bits of the client's IPv4 address that logs and helpers are not told; the policy's

	// Rewritten is the target that a helper put in place of Target; valid if WasRewritten.
	Rewritten    h1.Target
	WasRewritten bool

	// TLS is what was seen of the TLS that the request came in or is to begin; nil if there is none.
	TLS *SeenTLS

	// Packets are what packets to the client are to bear from now on. The policy fills it in, at the latest with the
	// decision of Admit.
	Packets Packets

	// ConnMark is what is to become of Connection.Mark. The policy fills it in, at the latest with the decision of Admit.
	ConnMark MarkChange

	// ToldName is the name of Told's address, where that is not the connection's. It is the policy's.
	ToldName string
	// Hierarchy is how the next hop was chosen, and Peer what the configuration calls it, if it has a name there; both are
	// "" before Policy.Route has answered.
	Hierarchy, Peer string

	// Wrong is what is wrong with what the client says, while Policy.Foreign judges it; else nil. It is the policy's.
	Wrong *Failure

	// Judged is what an acl saw of the addresses of Target's host.
	Judged Judged
	// Notes are what the policy has to say of the request, for the log and for other questions.
	Notes []Note

	// Inside is what the client asks for in the tunnel of a refused CONNECT, while the policy makes the page that it gets
	// there; else nil.
	Inside *h1.Request

	// Connected is the address of the server that the request's own host was connected to; invalid before, and if it goes
	// elsewhere or through a proxy. What acls see of that host from then on is this.
	Connected netip.Addr
	// Reply is the head of the reply, while the policy judges or edits it, or logs it; else nil.
	Reply *h1.Reply
	// ReplyHead is the same as it was received.
	ReplyHead []byte

	// State is the policy's own, kept between its calls for this request.
	State any
	// Asked counts how often the helpers were asked already.
	Asked int
	// Waker wakes the transaction; who says Pending holds it.
	Waker *loop.Waker

	scratch []byte
	made    int // so much of scratch is made of the head
}

// A Connection is a client's connection, as the policy sees it. It lives as long as that.
type Connection struct {
	// ID is a number that no other connection has, of whatever worker; those that a worker accepts later have higher ones.
	ID uint64

	Client netip.AddrPort // the sender, or the source that its PROXY header names
	Local  netip.AddrPort // our end, or the destination that its PROXY header names; of a connection that was diverted to us, Original
	Port   *Port          // the listening port it came in by

	// Packets are what packets to the client bear.
	Packets Packets

	// Mark is the mark that the packet filter keeps with the connection, if Config.ConnMarks asks for it.
	Mark ConnMark

	// ProxyHeader is what the sender has said by a PROXY header; nil: nothing.
	ProxyHeader *proxyheader.Header

	// Original is whom the client wanted to reach, if the packet filter diverted it to us; else it is not valid.
	Original netip.AddrPort

	// ClientName is the name of the sender's address, "" if it has none, or none that is known yet. It is the policy's.
	ClientName string

	// Notes are what the policy has noted of the client: each of its requests begins with them.
	Notes []Note

	// Session is what was agreed on with a client that speaks TLS with the proxy: on an https_port, or in its
	// tunnel; nil: it does not, or not yet.
	Session *Session
	// Hello is what a client has said first in its tunnel, if that was looked at and is a ClientHello; else nil.
	Hello *tlshello.Hello

	// State is the policy's own, kept between the requests of the connection. Policy.Disconnected
	// is told of the end.
	State any
	// Tally is the policy's own too: where it counts the connection's requests. Nobody is told of its end, and the
	// policy of a newer setup finds it.
	Tally any
}

// An External is what a helper that decided about a request has said beside that (external_acl_type); "" is nothing.
type External struct {
	User    string // who the client is
	Tag     string // what the request is put under
	Log     string // for the log
	Message string // for the page that tells a refusal
}

// A Note is something that the policy, or a helper, has noted of a request (Squid's annotations).
type Note struct{ Key, Value []byte }

// AddNote notes something of the request.
func (r *Request) AddNote(key, value []byte) {
	r.Notes = append(r.Notes, Note{r.Keep(key), r.Keep(value)})
}

// DropNotes forgets what was noted under a name.
func (r *Request) DropNotes(key []byte) { r.Notes = dropped(r.Notes, key) }

// dropped are notes without those of a name.
func dropped(notes []Note, key []byte) []Note {
	return slices.DeleteFunc(notes, func(n Note) bool { return bytes.Equal(n.Key, key) })
}

// mostNotes, and bytes of them, are kept of a client under one name. Where there are more the oldest of that name are
// forgotten: a connection may last for days, and what the client has asked for must not push out what was noted under another.
const mostNotes, mostNoted = 64, 16 << 10

// AddNote notes something of the client, for the requests that follow.
func (c *Connection) AddNote(key, value []byte) {
	same, size := 1, len(value)
	for i := len(c.Notes) - 1; i >= 0; i-- {
		if !bytes.Equal(c.Notes[i].Key, key) {
			continue
		}
		same, size = same+1, size+len(c.Notes[i].Value)
		if same > mostNotes || size > mostNoted {
			c.Notes = slices.Delete(c.Notes, i, i+1)
		}
	}
	c.Notes = append(c.Notes, Note{bytes.Clone(key), bytes.Clone(value)})
}

// DropNotes forgets what was noted of the client under a name.
func (c *Connection) DropNotes(key []byte) { c.Notes = dropped(c.Notes, key) }

// Judged are the addresses of a request's host that acls saw. What was judged is what is connected to,
// for the whole transaction: the policy gives them to the Hop, and what the name leads to later counts
// for nothing.
type Judged struct {
	Known bool         // somebody has looked
	Allow bool         // the rule that allowed the request named them
	Addrs []netip.Addr // none: there is nothing that may be connected to
	Err   error        // why the name had none
}

// Judge keeps the addresses that an acl saw, or why it saw none. Only the first look counts.
func (r *Request) Judge(addrs []netip.Addr, err error) {
	if !r.Judged.Known {
		r.Judged = Judged{Known: true, Allow: r.Judged.Allow, Addrs: append(r.Judged.Addrs[:0], addrs...), Err: err}
	}
}

// Narrow leaves only those of the judged addresses that are allowed.
func (r *Request) Narrow(allowed func(netip.Addr) bool) {
	kept := r.Judged.Addrs[:0]
	for _, a := range r.Judged.Addrs {
		if allowed(a) {
			kept = append(kept, a)
		}
	}
	r.Judged.Addrs = kept
}

// isItsHead says whether nothing is known of the request but what its head says.
func (r *Request) isItsHead() bool {
	return r.State == nil && r.TLS == nil && !r.indirect() && r.User == "" && r.Claimed == "" && r.External == (External{}) && !r.WasRewritten && len(r.Notes) == 0
}

// TellClient is the client that logs and helpers are told of.
func (r *Request) TellClient() netip.AddrPort {
	if r.Told.IsValid() {
		return r.Told
	}
	return r.Client
}

// TellAddress is the address of TellClient as logs and helpers are told it: bits that are hidden are 0. As in Squid they are
// not hidden of IPv6, nor of 127.0.0.1.
func (r *Request) TellAddress() netip.Addr {
	a := r.TellClient().Addr().Unmap()
	if r.Hidden == 0 || !a.Is4() || a == localhost {
		return a
	}
	b := a.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])&^r.Hidden)
	return netip.AddrFrom4(b)
}

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Sender is who has sent the request: the other end of its connection.
func (r *Request) Sender() netip.AddrPort {
	if r.Connection == nil {
		return r.Client
	}
	return r.Connection.Client
}

// indirect says whether the request is taken for somebody else's than its sender's.
func (r *Request) indirect() bool {
	return r.Told.IsValid() || r.Connection != nil && r.Client != r.Connection.Client
}

// ClientName is the name of the address of TellClient, "" if none is known.
func (r *Request) ClientName() string {
	if r.Connection == nil || r.TellClient() != r.Connection.Client {
		return r.ToldName
	}
	return r.Connection.ClientName
}

// Effective returns the target that the request goes to: the rewritten one if there is one.
func (r *Request) Effective() *h1.Target {
	if r.WasRewritten {
		return &r.Rewritten
	}
	return &r.Target
}

// Original is whom the client wanted to reach, if the packet filter diverted it to us; else it is not valid.
func (r *Request) Original() netip.AddrPort {
	if r.Connection == nil {
		return netip.AddrPort{}
	}
	return r.Connection.Original
}

// IsConnect says whether the client asks for a tunnel.
func (r *Request) IsConnect() bool { return r.Method == "CONNECT" }

// Accelerated says whether the client takes the proxy for the server.
func (r *Request) Accelerated() bool { return r.Port != nil && r.Port.Mode == Accel }

// Bound says whether the request may go to no server because its URL names it: by an accelerator's port without Direct.
func (r *Request) Bound() bool { return r.Accelerated() && !r.Port.Site.Direct }

// Secret is the name of the field that has told us who the client is or says to be. It is nobody else's business.
func (r *Request) Secret() string {
	if r.Accelerated() && (r.User != "" || r.Claimed != "") {
		return "Authorization"
	}
	return "Proxy-Authorization"
}

// Keep copies b into memory that lives as long as the transaction and returns the copy.
// Its memory is used again for later transactions, so that keeping costs no allocation.
func (r *Request) Keep(b []byte) []byte {
	at := len(r.scratch)
	r.scratch = append(r.scratch, b...)
	return r.scratch[at:len(r.scratch):len(r.scratch)]
}

// keepHost keeps what the Host field says of a target.
func (r *Request) keepHost(t *h1.Target) []byte {
	at := len(r.scratch)
	r.scratch = t.AppendHost(r.scratch)
	return r.scratch[at:len(r.scratch):len(r.scratch)]
}

// longestHost is that of a domain name (RFC 1035 section 2.3.4).
const longestHost = 253

// appendDomain puts append_domain behind a host without a dot, as Squid does: access lists, helpers, logs and servers are to
// know whom it means.
func (r *Request) appendDomain(t *h1.Target, domain string) {
	host := t.Host
	if domain == "" || len(host) == 0 || t.IPv6 || bytes.IndexByte(host, '.') >= 0 || len(host)+len(domain) > longestHost {
		return
	}
	at := len(r.scratch)
	r.scratch = append(append(r.scratch, host...), domain...)
	t.Host = r.scratch[at:len(r.scratch):len(r.scratch)]
}

// hostOfTarget has the Host field be what the request asks for, before anybody judges or is told of it: beside a URL, or
// with CONNECT, the field counts for nothing (RFC 9112, section 3.2.2). As in Squid one that is not there is not added.
func (r *Request) hostOfTarget() {
	sent, only := r.Header.Only("Host")
	if sent == nil {
		return
	}
	var buf [256]byte // on the stack: a request that waits holds no memory for it
	if host := r.Target.AppendHost(buf[:0]); !only || !bytes.Equal(host, sent) {
		before := len(r.scratch)
		r.Header.Set("Host", r.Keep(host))
		r.made = len(r.scratch) - before
	}
}

// Locate makes the target of a request that names a path alone a URL, at a host with or without its port.
func (r *Request) Locate(scheme string, authority []byte, ws h1.Whitespace) (err error) {
	if bytes.ContainsAny(authority, "/?#@") {
		return errOneHost
	}
	url := append(append(append(append(r.scratch, scheme...), "://"...), authority...), r.Target.Path...)
	raw := url[len(r.scratch):]
	r.Target, r.scratch, err = h1.ParseTarget(r.Method, raw, ws, url)
	return err
}

// keepURL keeps the URL of a target; of a CONNECT it is host and port.
func (r *Request) keepURL(t *h1.Target) []byte {
	at := len(r.scratch)
	r.scratch = t.AppendURL(r.scratch)
	return r.scratch[at:len(r.scratch):len(r.scratch)]
}

// keptScratch is how much memory for Keep a request may leave to the next. Beyond it are long
// heads and answers, of which a crowd could make the proxy keep hundreds.
const keptScratch = 16 << 10

// keptNotes is how many notes a request may leave memory for: some helpers have thousands to say of a user.
const keptNotes = 128

// reset makes r ready for the next transaction, keeping its memory, which the canary's owner had.
func (r *Request) reset(owner uint64) {
	head, scratch := r.Request, canary.Again(r.scratch, canary.Request, owner)
	if cap(scratch) > keptScratch {
		scratch = nil
	}
	head.Reset()
	clear(r.Notes)
	notes := r.Notes[:0]
	if cap(notes) > keptNotes {
		notes = nil
	}
	*r = Request{Request: head, scratch: scratch, Judged: Judged{Addrs: r.Judged.Addrs[:0]}, Notes: notes}
}
