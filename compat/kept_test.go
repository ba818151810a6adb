package compat

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// An echoKernel has clients that ask the same at once again when they are answered, and servers
// that answer at once. It costs next to nothing itself, so that what is measured with it is ours.
type echoKernel struct {
	loop.Kernel      // nil: what is not below is not called
	request, reply   []byte
	clients, servers int // descriptors 1 to clients are clients, those above servers
	accepted         int
	slots            []loop.Event // of each descriptor
	ready            []int        // descriptors that have something to be read
	full             []bool
	answered         int
	now              time.Time
}

const listening = 0 // its descriptor

func newTireless(clients int, request, reply string) *echoKernel {
	return &echoKernel{request: []byte(request), reply: []byte(reply), clients: clients,
		slots: make([]loop.Event, 2*clients+2), full: make([]bool, 2*clients+2), now: time.Now()}
}

func (k *echoKernel) Now() time.Time { return k.now }
func (k *echoKernel) Release()       {}
func (k *echoKernel) Wakeup()        {}

// Wait gives a handful of news, as it is under load.
func (k *echoKernel) Wait(events []loop.Event, _ time.Time) int {
	k.now = k.now.Add(50 * time.Microsecond)
	if k.accepted < k.clients {
		events[0] = k.slots[listening]
		events[0].Bits = loop.In
		return 1
	}
	n := min(len(k.ready), 8)
	for i, sys := range k.ready[:n] {
		events[i] = k.slots[sys]
		events[i].Bits = loop.In | loop.Out
	}
	k.ready = k.ready[:copy(k.ready, k.ready[n:])]
	return n
}

func (k *echoKernel) Watch(sys int, slot, generation int32) error {
	k.slots[sys] = loop.Event{Slot: slot, Generation: generation}
	k.ready = append(k.ready, sys) // connected, or with the first request
	k.full[sys] = sys <= k.clients
	return nil
}

func (k *echoKernel) WatchListener(sys int, slot, generation int32) error {
	k.slots[sys] = loop.Event{Slot: slot, Generation: generation}
	return nil
}

func (k *echoKernel) Unwatch(int) error                         { return nil }
func (k *echoKernel) Close(int) error                           { return nil }
func (k *echoKernel) OpenListener(loop.ListenSpec) (int, error) { return listening, nil }

func (k *echoKernel) Accept(int) (int, loop.Peer, error) {
	if k.accepted == k.clients {
		return 0, loop.Peer{}, loop.ErrAgain
	}
	k.accepted++
	return k.accepted, loop.Peer{Remote: netip.MustParseAddrPort("192.0.2.1:40000")}, nil
}

func (k *echoKernel) Connect(loop.DialSpec) (int, error) {
	k.servers++
	return k.clients + k.servers, nil
}

func (k *echoKernel) Names(int) (local, original netip.AddrPort, err error) {
	return netip.MustParseAddrPort("192.0.2.9:3128"), original, nil
}

func (k *echoKernel) Read(sys int, _ loop.Type, p []byte) (int, error) {
	if !k.full[sys] {
		return 0, loop.ErrAgain
	}
	k.full[sys] = false
	if sys <= k.clients {
		return copy(p, k.request), nil
	}
	return copy(p, k.reply), nil
}

// Write has a client answered, or a server asked: either has something to say then.
func (k *echoKernel) Write(sys int, _ loop.Type, p []byte) (int, error) {
	if sys <= k.clients {
		k.answered++
	}
	k.full[sys] = true
	k.ready = append(k.ready, sys)
	return len(p), nil
}

const (
	keptReply = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/octet-stream\r\n" +
		"Content-Length: 1024\r\nLast-Modified: Sun, 22 Nov 2026 11:59:00 GMT\r\nConnection: keep-alive\r\nETag: \"6921a4b4-400\"\r\nAccept-Ranges: bytes\r\n\r\n"
	plainRequest   = "GET http://192.0.2.7:8080/1k HTTP/1.1\r\nHost: 192.0.2.7:8080\r\n\r\n"
	browserRequest = "GET http://192.0.2.7:8080/assets/site.css?v=42 HTTP/1.1\r\nHost: 192.0.2.7:8080\r\nProxy-Connection: keep-alive\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: text/css,*/*;q=0.1\r\nReferer: http://192.0.2.7:8080/\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\r\n"
)

// BenchmarkKeptGet is what a GET of 1 KB costs ourselves, the whole way with access list and
// log, among 64 kept connections.
func BenchmarkKeptGet(b *testing.B) {
	for _, row := range []struct{ name, request string }{{"plain", plainRequest}, {"browser", browserRequest}} {
		b.Run(row.name, func(b *testing.B) {
			k := newTireless(64, row.request, keptReply+strings.Repeat("x", 1024))
			l := turning(b, k)
			for k.answered < 1000 {
				l.Turn(true)
			}
			k.answered = 0
			b.ReportAllocs()
			b.ResetTimer()
			for k.answered < b.N {
				l.Turn(true)
			}
		})
	}
}

// turning is the loop of an engine with one worker on a kernel.
func turning(b *testing.B, k loop.Kernel) *loop.Loop {
	s := loadText(b, "http_port 192.0.2.9:3128\nworkers 1\nhttp_access allow all\naccess_log stdio:"+filepath.Join(b.TempDir(), "access.log")+"\n")
	log, files := quietLogs(b)
	setup, err := s.Engine(log, files)
	if err != nil {
		b.Fatal(err)
	}
	setup.Config.NewKernel = func() (loop.Kernel, error) { return k, nil }
	e, err := engine.New(setup.Config)
	if err != nil {
		b.Fatal(err)
	}
	loops, err := e.Start()
	if err != nil {
		b.Fatal(err)
	}
	return loops[0]
}
