package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/miekg/dns"
)

// nameServer starts a name server that knows no name at all, so that no test asks the network's.
// Squid has no way to name a port, so it is 53, at an address that nobody else listens at.
func nameServer(t testing.TB) (directive string) {
	t.Helper()
	// Others may run these tests at the same time.
	address := fmt.Sprintf("127.53.%d.%d", 1+rand.IntN(254), 1+rand.IntN(254))
	conn, err := net.ListenPacket("udp", net.JoinHostPort(address, "53"))
	if err != nil {
		t.Skipf("this test needs a name server of its own, at port 53: %v", err)
	}
	server := &dns.Server{PacketConn: watchedPackets{conn, t}, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeNameError))
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
