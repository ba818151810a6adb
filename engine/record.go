package engine

import (
	"net/netip"
	"time"
)

// A Record is all facts of a finished transaction, for the log. Exactly one is made for each
// transaction, in finish.go, and with Config.TunnelLog others before that of a tunnel that is open. Everything it points to is valid only while Policy.Record runs.
type Record struct {
	Request *Request
	Ended   time.Time
	Took    time.Duration // from the request's first byte to the end
	Spent   Spent
	Busy    time.Duration // how long the worker was at it, if Config.MeasureBusy asks for it

	Decided Action   // what the policy decided in the end: Proceed, Rewrite, Redirect, Refuse, Challenge, Serve
	URL     string   // Redirect: where to
	Page    string   // the page of ours that was the answer, or would have been; "" if there was none
	Failure *Failure // nil if all went well

	Unread    bool // it ended before the head of a request was there
	Forwarded bool // it got as far as looking for its next hop
	Tunnel    bool // it became a tunnel (CONNECT answered by us with 200, or 101 Switching Protocols)
	Aborted   bool // the client left before its reply was complete
	Reused    bool // the upstream connection had served before
	Open      bool // it is not over: a tunnel that has carried so much so far

	Attempts    int    // connections to next hops that were tried for it, those that were there already included
	Status      int    // of the reply's head that the client was sent; 0 if none was
	ContentType []byte // of that reply
	ReplyHead   []byte // the next hop's reply head as received; nil if there was none

	In, Out                 int64 // bytes from and to the client, heads included
	UpstreamIn, UpstreamOut int64 // the same for the next hop

	Hierarchy string         // how the next hop was chosen: "HIER_DIRECT"; "" if none was
	Peer      string         // what the configuration calls the next hop; "" if that is a server
	Upstream  netip.AddrPort // the next hop's address; invalid if none was tried
	Outgoing  netip.AddrPort // our end of that connection, if known
	ToServer  Packets        // what packets to it bear
	Server    *ServerTLS     // the next hop's, if it is trusted; nil if it speaks none
}

// Spent is how long a transaction waited for whom.
type Spent struct {
	Helper   time.Duration // the helpers
	Names    time.Duration // name resolution
	Connect  time.Duration // the connection to the next hop
	Upstream time.Duration // from the request's sending to the reply's head
}
