// Package engine is the proxy: it accepts clients, reads their requests, asks who must be asked,
// connects to where they want to go, and carries the bytes. It speaks HTTP/1.x and opens
// tunnels. What an administrator may decide, it asks a Policy.
//
// The program makes one Engine from a Config and runs it. An engine has workers, each a whole
// proxy on one goroutine with a loop, listeners, clients, a helper pool, a resolver and a
// policy of its own. Nothing is shared between workers, so nothing is locked.
//
// # The story
//
// A connection is a client. When the first bytes of a request are there, the client begins a
// transaction, which is always in one of these stages; story.go has the switch over them, and
// each has a file of its own.
//
//	stage       it settles or waits for                  goes on to                       waits at most
//	greeting    our address, of a port on all of them    reading                          request_start_timeout
//	reading     the request's head                       admitting                        request_timeout
//	admitting   Policy.Admit                             asking                           (client_lifetime)
//	asking      a helper's answer                        heeding                          url_rewrite_timeout
//	heeding     Policy.Heed                              resolving, asking once more      (client_lifetime)
//	resolving   the addresses of the next hop            connecting; sending over a       dns_timeout
//	                                                     connection that was kept
//	connecting  the first address that answers           sending; tunnelling, for CONNECT connect_timeout each, forward_timeout
//	sending     the next hop, to take the head           relaying                         write_timeout
//	relaying    either end                               over; resolving anew, if a kept  read_timeout of silence
//	                                                     connection turned out dead
//	tunnelling  either end                               over                             read_timeout of silence
//	answering   the client, to take a reply of ours      over                             write_timeout
//
// A stage function does what can be done now and returns the stage that follows; returning
// its own means that it waits. It looks before it acts, so it may be played for nothing: that
// is how descriptors, timers, helpers and lookups bring their news, by waking the client's
// task and saying no more. Whatever goes wrong becomes a Failure, and the transaction goes on to
// answering with a page, or ends if the client has seen a part of the reply already. All that
// was acquired is released in finish.go, in one place, and there the transaction's Record is
// given to the policy, once.
//
// A request body and its reply are relayed at the same time, each by a flow: source, one
// borrowed buffer, sink. When a sink takes nothing, its source is not read; that is all there
// is to back pressure. An idle client has neither transaction nor buffer.
//
// A CONNECT that is refused or redirected is answered 200 first, and the page is given as the
// answer to what the client says next in its tunnel; stage_answer.go tells why and how.
//
// # What a request costs
//
// A GET of 1 KB, connections kept on both sides, needs four system calls that carry it and a share
// in one that waits; nothing else is asked of the kernel, and nothing is allocated.
//
//	recvfrom    the request; a read that comes up short has emptied the socket and is not repeated
//	sendto      its head, to the next hop
//	recvfrom    the reply, head and body
//	sendto      both, joined behind one another: sendmsg with two pieces costs more than copying 1 KB
//	epoll_wait  an eighth to a half of one, shared with all else that is ready at that moment; a loop
//	            with nothing to do for 8 ms is parked instead, which is two epoll_ctl more
//
// With a helper come a write and a read of its pipe. A connection for each request adds accept4,
// epoll_ctl and close, and now and then an accept4 that finds nobody; a CONNECT socket, connect,
// setsockopt (TCP_NODELAY), epoll_ctl, shutdown and close.
//
// Where the time of such a GET goes, as perf saw it on two shared cores on which it costs 30.6
// microseconds of CPU, Squid's world and access log included (BenchmarkKeptGet in compat has what is
// ours alone):
//
//	sending, twice (TCP, delivery to the peer, its waking)  56 %   17.3 µs
//	receiving, twice                                         9 %    2.8
//	waiting                                                  3 %    1.0
//	reading: the request's head                              3 %    0.9
//	admitting: access lists                                  1 %    0.2
//	sending: composing the request's head                    2 %    0.5
//	relaying: the reply's head, read and composed            5 %    1.4
//	finishing: record, log line, giving back                 4 %    1.3
//	log writer, Go's scheduler                               2 %    0.6
//	flows, stages, timers, the loop, entering system calls  15 %    4.6
//
// The heads of all who are ready are read and composed in one pass of the loop and written in the next,
// so that both our code and the kernel's find themselves in the processor's caches.
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
//	one per helper child     starts it, drains its standard error, buries it; talks by Post
//	one per log file         writes what the loops have appended
//	one in a daemon's parent passes signals on until the child listens
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
