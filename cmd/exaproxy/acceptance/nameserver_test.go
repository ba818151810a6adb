package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// nameServer starts a name server that knows no name at all, so that no test asks the network's.
func nameServer(t testing.TB) (directive string) {
	t.Helper()
	address, ok := serveNames(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeNameError))
	}))
	if !ok {
		t.Skip("this test needs a name server of its own, at port 53, which it may not open")
	}
	return "dns_nameservers " + address + "\n"
}

// serveNames starts a name server, unless port 53 is not to be had. Squid has no way to name another port,
// so it is at an address that nobody else listens at.
func serveNames(t testing.TB, handler dns.Handler) (address string, ok bool) {
	t.Helper()
	// Others may run these tests at the same time.
	address = fmt.Sprintf("127.53.%d.%d", 1+rand.IntN(254), 1+rand.IntN(254))
	conn, err := net.ListenPacket("udp", net.JoinHostPort(address, "53"))
	if err != nil {
		return "", false
	}
	takeAll(t, conn.(*net.UDPConn))
	server := &dns.Server{PacketConn: watchedPackets{conn, t}, Handler: handler}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.ActivateAndServe()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return address, true
}

// takeAll has the questions of thousands find room while the server has no processor.
func takeAll(t testing.TB, conn *net.UDPConn) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	const room = 16 << 20
	raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) })
	if err != nil {
		t.Log("the name server's buffer stays small: ", err)
	}
}
