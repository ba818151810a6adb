// Package looptest has a loop.Kernel in memory, with a clock that only Advance moves, so
// that loops and all that is built on them can be tested without network and time.
//
// A test makes a Kernel and one Loop on it, plays the outside world through Ends and
// Ports (clients that dial, servers that are dialled, the far sides of pairs), and lets
// the loop turn with Settle. Everything may be called from the test's goroutine while
// the loop runs on it or on another.
//
// A Kernel lives as long as its test. Addresses are whatever the test says: nothing
// leaves the process. It imitates what the loop can see of Linux: edges, what a closed or
// reset connection reads and writes, how dialling fails. A conformance suite in package
// loop runs on both. It does not imitate sizes of buffers (a connection has room for any
// amount unless its End stalls or has a capacity) nor any passing of time: what one side writes
// has arrived at once, unless it is cut with Segment.
//
//	k := looptest.NewKernel(t)
//	l, _ := loop.New(k)
//	… something on l listens on 192.0.2.1:3128 …
//	client := k.Dial(netip.MustParseAddrPort("192.0.2.1:3128"))
//	client.WriteString("GET / HTTP/1.1\r\n\r\n")
//	looptest.Settle(l)
//	if got := client.Read(); … {
//	}
//	k.Advance(time.Minute)
//	looptest.Settle(l)
package looptest
