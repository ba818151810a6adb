// Package canary shows whether bytes of one owner reach another. Memory that is lent and lent again
// (buffers, what records keep of their memory, lines that are put together in the same place) is given to
// Spoil or Again when nobody may read it any more. In a build with the tag canary it is then filled with a
// mark of whom it was lent to, and lent to nobody else, so that whoever has kept it sends or logs the mark.
// Package canarytest finds marks in what peers are sent and logs hold. In every other build nothing is
// written, and all calls compile to nothing.
//
// It may be used on any goroutine, by any package, and imports nothing.
package canary

// A Pool is a kind of memory that is lent. Its name is part of every mark.
type Pool uint8

// The kinds, with what tells their owners apart: the number that Spoil is given.
const (
	Buffer        Pool = iota // engine: Owner
	Request                   // engine: what Request.Keep has kept; Owner
	Reply                     // compat/decision: fields and body of a reply of our own
	URL                       // engine/h1: what a target was made of
	Unfolded                  // engine/h1: folded fields of a reply
	Question                  // helper: a line that was asked, or its answer; its serial number
	ChildInput                // helper: lines for a child; its number
	ChildOutput               // helper: what a child has written; its number
	ChildLine                 // helper: a line that came in pieces
	ChildError                // helper: lines of standard error
	Query                     // dnsasync: a query for a name server
	Datagram                  // dnsasync: a name server's reply
	Stream                    // dnsasync: what a name server has sent by TCP
	AccessLine                // compat/logs: the line of one transaction
	LogLines                  // compat/logs: lines on their way to a file
	StderrLines               // compat/logs: lines on their way to standard error
	RewriteLine               // compat/redirector: what is put to the helpers
	ForwardedLine             // compat/headers: what is composed of a field
	Text                      // compat/acl: a text of a request that acls look at
	Test                      // of a test's own
)

// Owner is the number by which the engine's owners are told apart: the client's port, and how many requests
// its connection has carried.
func Owner(port uint16, request int) uint64 { return uint64(port)<<16 | uint64(uint16(request)) }
