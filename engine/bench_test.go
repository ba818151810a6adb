package engine_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/canary/canarytest"
)

// answering is a server that reads requests of a known size and answers each with the same
// bytes, for as long as its connections last. It allocates nothing for a request.
func answering(tb testing.TB, request int, reply []byte) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				head := make([]byte, request)
				for {
					if _, err := io.ReadFull(conn, head); err != nil {
						return
					}
					conn.Write(reply)
				}
			}()
		}
	}()
	return ln
}

// running is an engine with the plain policy on a real kernel, and the address that it serves.
func running(tb testing.TB) netip.AddrPort {
	c := engine.Config{
		Workers: 1,
		Ports:   []engine.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		NewPolicy: func(engine.Services) (engine.Policy, error) {
			return &silent{plain{log: &strings.Builder{}}}, nil
		},
	}
	e, err := engine.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- e.Run(context.Background()) }()
	tb.Cleanup(func() {
		e.Shutdown(0)
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	return e.Addrs()[0]
}

// silent is the plain policy without a log, which would allocate.
type silent struct{ plain }

func (*silent) Record(*engine.Record) {}

// getter gives a function that gets 1 KB through a proxy, over one connection that is kept.
func getter(tb testing.TB) func() {
	body := strings.Repeat("x", 1024)
	reply := []byte("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" + body)
	// What the server is sent, of which the length is all that counts, has Host last.
	sent := len("GET /1k HTTP/1.1\r\nAccept: */*\r\nHost: \r\nConnection: keep-alive\r\n\r\n")
	ln := answering(tb, sent+len("127.0.0.1:00000"), reply)
	origin := ln.Addr().String()
	if len(origin) != len("127.0.0.1:00000") {
		tb.Skip("the origin was given a port of fewer than five digits")
	}
	conn, err := net.Dial("tcp", running(tb).String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	ask := []byte("GET http://" + origin + "/1k HTTP/1.1\r\nHost: " + origin + "\r\nAccept: */*\r\n\r\n")
	got := make([]byte, len(reply)+len("Connection: keep-alive\r\n"))
	return func() {
		if _, err := conn.Write(ask); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.ReadFull(conn, got); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkKeptGet is a GET of 1 KB through everything but Squid's world, with client and
// origin in the same process: both of their costs are in the figure.
func BenchmarkKeptGet(b *testing.B) {
	get := getter(b)
	get()
	b.ReportAllocs()
	for b.Loop() {
		get()
	}
}

// A kept-alive GET allocates nothing once the worker has seen one like it.
func TestKeptGetAllocatesNothing(t *testing.T) {
	canarytest.SkipReuse(t)
	get := getter(t)
	for range 100 {
		get()
	}
	const times = 2000
	if n := mallocs(times, get); n >= times {
		t.Errorf("%d kept-alive GETs make %d allocations", times, n)
	}
}

// mallocs is how many allocations the program makes while f runs so often. Unlike
// testing.AllocsPerRun it leaves the others their processors: with a single one, client, origin and
// worker would wait for one another until the loop has waited its moment in the kernel, 18 ms for each
// run.
func mallocs(times int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		f()
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
