package dnsasync

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exaproxy/engine/loop"

	"github.com/miekg/dns"
)

// realServer answers on loopback, by UDP and TCP on one port that is free for both.
func realServer(t *testing.T, handler dns.Handler) netip.AddrPort {
	t.Helper()
	for range 20 {
		stream, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		datagram, err := net.ListenPacket("udp", stream.Addr().String())
		if err != nil {
			stream.Close() // another process has that port
			continue
		}
		for _, server := range []*dns.Server{{Listener: stream, Handler: handler}, {PacketConn: datagram, Handler: handler}} {
			started := make(chan struct{})
			server.NotifyStartedFunc = func() { close(started) }
			go server.ActivateAndServe()
			<-started
			t.Cleanup(func() { server.Shutdown() })
		}
		return netip.MustParseAddrPort(stream.Addr().String())
	}
	t.Fatal("no port is free for both UDP and TCP")
	return netip.AddrPort{}
}

// A zone is what the real server knows; names that begin with "big" do not fit a
// datagram.
type zone struct{ byUDP, byTCP atomic.Int64 }

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = true
	name, qtype := q.Question[0].Name, q.Question[0].Qtype
	_, tcp := w.LocalAddr().(*net.TCPAddr)
	if tcp {
		z.byTCP.Add(1)
	} else {
		z.byUDP.Add(1)
	}
	var records []string
	switch {
	case strings.HasPrefix(name, "big") && !tcp:
		m.Truncated = true
	case strings.HasPrefix(name, "nx"):
		m.Rcode = dns.RcodeNameError
	case qtype == typeA:
		records = []string{name + " 300 IN A 192.0.2.1", name + " 300 IN A 192.0.2.2"}
	case qtype == typeAAAA:
		records = []string{name + " 300 IN AAAA 2001:db8::1"}
	case qtype == typePTR:
		records = []string{name + " 300 IN PTR www.example."}
	}
	for _, text := range records {
		record, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, record)
	}
	w.WriteMsg(m)
}

// turns turns the loop until the lookup is done.
func turns(t *testing.T, l *loop.Loop, lookup *Lookup) (Answer, error) {
	t.Helper()
	for start := time.Now(); time.Since(start) < 20*time.Second; {
		if answer, done, err := lookup.Result(); done {
			return answer, err
		}
		l.Turn(true)
	}
	t.Fatal("no answer within 20 seconds")
	return Answer{}, nil
}

// deadServer is an address where the kernel refuses datagrams.
func deadServer(t *testing.T) netip.AddrPort {
	t.Helper()
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Close()
	return netip.MustParseAddrPort(closed.LocalAddr().String())
}

func TestOnLinux(t *testing.T) {
	kernel, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	l, err := loop.New(kernel)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var z zone
	good := realServer(t, &z)
	r := New(l, Config{Servers: []netip.AddrPort{deadServer(t), good}})
	defer r.Close()
	waker := l.NewWaker(&client{})
	for _, row := range []struct {
		name string
		want []string
	}{
		{"www.example", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}},
		{"big.example", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}},
		{"127.0.0.1", []string{"127.0.0.1"}},
	} {
		answer, err := turns(t, l, r.Lookup(row.name, waker))
		var got []string
		for _, addr := range answer.Addrs {
			got = append(got, addr.String())
		}
		slices.Sort(got) // which family came first is the kernel's decision
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, error %v; want %v", row.name, got, err, row.want)
		}
	}
	if _, err := turns(t, l, r.Lookup("nx.example", waker)); err == nil || err.(*Error).Kind != NoSuchName {
		t.Errorf("nx.example: error %v", err)
	}
	answer, err := turns(t, l, r.Reverse(netip.MustParseAddr("192.0.2.1"), waker))
	if err != nil || !slices.Equal(answer.Names, []string{"www.example"}) {
		t.Errorf("192.0.2.1: %v, error %v", answer.Names, err)
	}
	if n := z.byTCP.Load(); n != 2 {
		t.Errorf("%d queries by TCP, want the two for big.example", n)
	}
	if stats := r.Stats(); stats.Servers[0].Replies != 0 || stats.Servers[1].Replies < 9 || len(stats.Queue) != 0 {
		t.Errorf("stats %+v", stats)
	}
}
