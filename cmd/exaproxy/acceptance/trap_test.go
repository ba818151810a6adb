package acceptance

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The names that the name server of a trap knows: what redirectors block, and what they do not.
const (
	blockedName       = "blocked.test"
	partlyBlockedName = "partly.test"
	otherName         = "other.test"
)

// blockedDir is what is blocked of partlyBlockedName, by redirectors that look at paths.
const (
	blockedDir = "forbidden/"
)

// A trap is the server that is blocked. It writes down the mark of each request that reaches it.
type trap struct {
	address   netip.Addr
	directive string // its name server's
	mu        sync.Mutex
	marks     map[string]bool
}

var mark = regexp.MustCompile(`(?i)form-\d+-`)

// newTrap listens at the ports of forms, at an address that nobody else has; otherName leads to another one, where
// answers are as short.
func newTrap(t *testing.T) *trap {
	t.Helper()
	third, fourth := byte(rand.IntN(256)), byte(1+rand.IntN(254))
	tr := &trap{address: netip.AddrFrom4([4]byte{127, 80, third, fourth}), marks: map[string]bool{}}
	other := netip.AddrFrom4([4]byte{127, 81, third, fourth})
	for _, port := range []uint16{80, 443, 8080} {
		tr.serve(t, netip.AddrPortFrom(tr.address, port), tr.note)
		tr.serve(t, netip.AddrPortFrom(other, port), func(string) {})
	}
	tr.directive = nameServerOf(t, func(q dns.Question) []dns.RR {
		found, name := []dns.RR{}, "."+strings.ToLower(q.Name)
		for suffix, to := range map[string]netip.Addr{blockedName: tr.address, partlyBlockedName: tr.address, otherName: other} {
			switch {
			case !strings.HasSuffix(name, "."+suffix+"."):
				continue
			case q.Qtype == dns.TypeA:
				found = append(found, address(q.Name, to.String(), 60))
			}
			return found
		}
		return nil
	})
	return tr
}

func (tr *trap) serve(t *testing.T, at netip.AddrPort, note func(string)) {
	t.Helper()
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Skipf("this test needs a server at the ports that URLs mean if they name none: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answerShortly(conn, note)
		}
	}()
}

// answerShortly takes one head, whatever is in it, and answers it.
func answerShortly(conn net.Conn, note func(string)) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	var head []byte
	buf := make([]byte, 64<<10)
	for !strings.Contains(string(head), "\r\n\r\n") {
		n, err := conn.Read(buf)
		head = append(head, buf[:n]...)
		if err != nil {
			break
		}
	}
	note(string(head))
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nin")
}

func (tr *trap) note(head string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	found := mark.FindAllString(strings.ToLower(head), -1)
	if found == nil {
		found = []string{fmt.Sprintf("%.200q", head)}
	}
	for _, m := range found {
		tr.marks[m] = true
	}
}

// take returns the marks that came since it was last called.
func (tr *trap) take() map[string]bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	marks := tr.marks
	tr.marks = map[string]bool{}
	return marks
}

// nameServerOf starts a name server that answers what records returns, or that there is no such name if that is nil.
// It is called by several goroutines.
func nameServerOf(t testing.TB, records func(dns.Question) []dns.RR) (directive string) {
	t.Helper()
	at, ok := serveNames(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		reply := new(dns.Msg).SetReply(q)
		if reply.Answer = records(q.Question[0]); reply.Answer == nil {
			reply.SetRcode(q, dns.RcodeNameError)
		}
		w.WriteMsg(reply)
	}))
	if !ok {
		t.Skip("this test needs a name server of its own, at port 53, which it may not open")
	}
	return "dns_nameservers " + at + "\n"
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
