package engine

import (
	"log/slog"

	"exaproxy/dnsasync"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A Policy answers what the engine may not decide by itself. One is made per worker, by
// Config.NewPolicy, on the worker's goroutine, and is only called there. It never touches a
// descriptor and never blocks.
//
// The methods are called in the order in which they stand here, each at most once a
// transaction unless its text says otherwise.
type Policy interface {
	// Admit says whether the client may ask this at all: Proceed, Refuse, Serve, Redirect or
	// Pending. Called again after a wake when it said Pending.
	Admit(r *Request) Decision

	// Question gives the line to put to the helpers, without a line feed, or wanted false if
	// they are not to be asked. The line is copied before the next call. Called again when
	// Heed said AskAgain.
	Question(r *Request) (line []byte, wanted bool)

	// Heed says what the helpers' answer means: Proceed, Rewrite, Redirect, Refuse, Serve,
	// AskAgain or Pending. answer is nil if they were not asked or failed; then err is nil,
	// helper.ErrLost or ErrHelperLate. answer is valid during the transaction.
	Heed(r *Request, answer []byte, err error) Decision

	// Route says where the request goes.
	Route(r *Request) Route

	// Edit makes the configured changes to a head that is about to be sent: Via,
	// X-Forwarded-For, and on replies what Squid adds. Hop-by-hop fields are gone already
	// and Host is there. It may be called once for each direction.
	Edit(r *Request, h *h1.Header, d Direction)

	// Page makes the answer to a transaction that failed or was refused.
	Page(r *Request, f *Failure) Reply

	// Room says whether a transaction may be over now: false if its record could not be kept,
	// because the log's disk is too slow. Then w is woken when there is room.
	Room(w *loop.Waker) bool

	// Record is told that a transaction is over. rec and all that it points to are valid
	// only during the call.
	Record(rec *Record)

	// Close is called when the last transaction of this policy's setup is over, or the
	// worker ends: what the policy began, it ends.
	Close()
}

// Services is what the engine lends to the policy of one worker, for the policy's life.
type Services struct {
	Loop     *loop.Loop
	Resolver *dnsasync.Resolver
	Helpers  *helper.Pool // nil if no helper is configured
	Log      *slog.Logger
	Worker   int // 0, 1, …
}

// Direction says which way a head travels.
type Direction uint8

const (
	Upstream   Direction = iota // a request to the next hop
	Downstream                  // a reply to the client
)

// A Kind is what a Decision decides.
type Kind uint8

const (
	Proceed  Kind = iota // go on with the request as it is
	Pending              // the policy has begun something that will wake Request.Waker; ask again then
	Rewrite              // go on with Decision.Target in place of the request's
	Redirect             // answer with Decision.Reply, which names another URL
	Refuse               // answer with Page of Decision.Failure
	Serve                // answer with Decision.Reply, a page of ours
	AskAgain             // put the question to the helpers once more
)

// A Decision is what the policy says of a request. The zero Decision is Proceed.
type Decision struct {
	Kind    Kind
	Target  h1.Target // Rewrite: the new target, in memory that lives as long as the transaction (Request.Keep)
	URL     string    // Redirect: the URL, for the record
	Reply   *Reply    // Redirect, Serve
	Failure *Failure  // Refuse
}

// A Reply is an answer of our own. The engine writes the status line, Fields, a Connection
// field that tells the truth, and Body (not to HEAD). Fields are complete lines, each ended
// by CRLF, among them Content-Length; the bytes belong to the policy and must stay as they
// are until the transaction is over.
type Reply struct {
	Status int
	Reason string // "": the standard phrase
	Fields []byte
	Body   []byte
	Close  bool // the connection ends after it
	Reset  bool // no answer at all: the connection is reset (deny_info TCP_RESET)
}

// A Route is the next hop of a request.
type Route struct {
	Host      []byte // name or address of the next hop, valid during the transaction
	Port      uint16
	Hierarchy string   // what the log calls this way: "HIER_DIRECT"
	Failure   *Failure // not nil: there is no way
}
