package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/miekg/dns"
)

// nameServer starts a name server that knows no name at all, so that no test asks the network's.
func nameServer(t testing.TB) (directive string) {
	t.Helper()
	return nameServerOf(t, func(dns.Question) []dns.RR { return nil })
}

// nameServerOf starts a name server that answers what records returns, or that there is no such name if that is nil.
// It is called by several goroutines. Squid has no way to name a port, so it is 53, at an address that nobody else listens at.
func nameServerOf(t testing.TB, records func(dns.Question) []dns.RR) (directive string) {
	t.Helper()
	// Others may run these tests at the same time.
	address := fmt.Sprintf("127.53.%d.%d", 1+rand.IntN(254), 1+rand.IntN(254))
	conn, err := net.ListenPacket("udp", net.JoinHostPort(address, "53"))
	if err != nil {
		t.Skipf("this test needs a name server of its own, at port 53: %v", err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		reply := new(dns.Msg).SetReply(q)
		if reply.Answer = records(q.Question[0]); reply.Answer == nil {
			reply.SetRcode(q, dns.RcodeNameError)
		}
		w.WriteMsg(reply)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.ActivateAndServe()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return "dns_nameservers " + address + "\n"
}

// address is a record of an address, which lives for ttl seconds.
func address(name, ip string, ttl uint32) dns.RR {
	header := dns.RR_Header{Name: name, Class: dns.ClassINET, Ttl: ttl, Rrtype: dns.TypeA}
	if a := net.ParseIP(ip); a.To4() == nil {
		header.Rrtype = dns.TypeAAAA
		return &dns.AAAA{Hdr: header, AAAA: a}
	}
	return &dns.A{Hdr: header, A: net.ParseIP(ip)}
}
