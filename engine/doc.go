// Package engine is the proxy: it accepts clients, reads their requests, asks who must be asked,
// connects to where they want to go, and carries the bytes. It speaks HTTP/1.x and opens
// tunnels. What an administrator may decide, it asks a Policy.
//
// The program makes one Engine from a Config and runs it. An engine has workers, each a whole
// proxy on one goroutine with a loop, listeners, clients, a helper pool, a resolver and a
// policy of its own. What a worker learns of a request it may tell the others by their loops' mailbox; they share listening
// descriptors, log files, whose lines are appended under a lock, and some words that are changed atomically: the counts of
// digest nonces, and when something was last logged of which one line is enough for all (loop.SharedLimiter).
//
// # The story
//
// A connection is a client. When the first bytes of a request are there, the client begins a
// transaction, which is always in one of these stages; story.go has the switch over them, and
// each has a file of its own. Where each leads, and how long it waits, is a table in docs/architecture.md.
//
//	greeting      our address, or whom a diverted client wanted
//	reading       the request's head; or what a diverted client says that is none
//	admitting     Policy.Admit
//	asking        a helper's answer
//	interpreting  Policy.Interpret
//	bumping       Policy.Bump: what becomes of a tunnel
//	peeking       the ClientHello in the tunnel
//	routing       Policy.Route: the next hop
//	resolving     the addresses of the next hop
//	connecting    the first address that answers
//	piercing      a proxy, to open a tunnel in which the server is spoken to
//	handshaking   TLS with the next hop
//	overhearing   what the next hop says to a ClientHello
//	sending       the next hop, to take the head
//	relaying      either end
//	checking      what a client says in its tunnel
//	tunnelling    either end
//	establishing  the client, to take its 200
//	securing      the first byte in the tunnel, or TLS
//	hearing       what a client says in its tunnel
//	answering     the client, to take a reply of ours
//
// A stage function does what can be done now and returns the stage that follows; returning
// its own means that it waits. It looks before it acts, so it may be played for nothing: that
// is how descriptors, timers, helpers and lookups bring their news, by waking the transaction
// and saying no more. Whatever goes wrong becomes a Failure, and the transaction goes on to
// answering with a page, or ends if the client has seen a part of the reply already. All that
// was acquired is released in finish.go, in one place, and there the transaction's Record is
// given to the policy, once.
//
// A request body and its reply are relayed at the same time, each by a flow: source, one
// borrowed buffer, sink. Source and sink are Ends, which descriptors are. When a sink takes
// nothing, its source is not read; that is all there is to back pressure. An idle client has
// neither transaction nor buffer.
//
// A CONNECT that is refused or redirected, in admitting or interpreting, is answered 200 first (establishing), and the page is
// given as the answer to what the client says next in its tunnel (hearing).
//
// A CONNECT by a port that has Bump is asked about up to three times (ssl_bump): as it is; when the ClientHello has
// been read, which is after its 200, and after Admit and the helpers have been asked once more, about the name in it;
// and when the server has shown itself. In the end it is a tunnel, or ended, or decrypted: then the client
// goes on over TLS, and what it asks for there are requests like all others.
//
// What a request costs, in system calls and in time, is in docs/performance.md.
//
// # What it never does
//
// It stores no replies, interprets no squid.conf, knows the shape of neither a helper's line nor an
// error page, starts no process, opens no file, and never waits in a system call other than
// the loop's one.
//
// # Goroutines
//
// The complete list of those in the program; a new kind needs a line here.
//
//	main                     signals, configuration; calls Engine's methods
//	one in Engine.Run        waits for the workers to end
//	one per worker           the loop
//	one per TLS handshake    computes it, fed by the loop; talks by Post
//	one per helper child     has it started, reads its standard error, waits for its end; talks by Post
//	one for all children     starts them, on a thread of its own
//	one per log              writes what the loops have appended
//	one beside main          listens to the process that kept root's rights
//	one in helper-test       reads its input; wakes its loop by Post
//
// Other processes of the program, which no request reaches, have theirs: see docs/architecture.md.
//
// # Example
//
//	e, err := engine.New(engine.Config{
//		Ports:     []engine.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:3128")}},
//		NewPolicy: func(s engine.Services) (engine.Policy, error) { return newPolicy(s), nil },
//	})
//	if err != nil {
//		return err // the port is taken, perhaps
//	}
//	context.AfterFunc(ctx, func() { e.Shutdown(30 * time.Second) })
//	return e.Run(context.Background())
package engine
