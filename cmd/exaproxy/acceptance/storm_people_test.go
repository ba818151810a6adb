package acceptance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// stormPeople are the origins and the name server of a storm.
type stormPeople struct {
	good, page *origin
	forbidden  *origin // that nobody may reach
	bombs      *bombOrigin
	names      string       // the name server's directive, or nothing if port 53 is not to be had
	secure     *stormSecure // nil if nothing is reached in tunnels
}

const (
	stormHost  = "127.0.0.7" // where names below good.test lead to
	goodName   = "good.test"
	silentName = "silent.test" // whose name server never answers
	// what redirectors answer with a redirect, and with another URL
	forbiddenName, rewrittenName = "forbidden.test", "rewritten.test"
	bombName                     = "bomb.test"
)

func newStormPeople(s *storm) stormPeople {
	p := stormPeople{
		good: newOrigin(s.t, stormHost, stormPages()),
		page: newOrigin(s.t, stormHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "blocked %s\n", r.URL.RawQuery)
		})),
		forbidden: newOrigin(s.t, stormHost, pages()),
		bombs:     newBombOrigin(s.t, stormHost),
	}
	var hosts strings.Builder
	for _, name := range []string{goodName, forbiddenName, rewrittenName, bombName} {
		fmt.Fprintf(&hosts, "%s %s\n", stormHost, name)
	}
	writeFile(s.t, s.dir, "hosts", hosts.String())
	if addr, ok := serveNames(s.t, dns.HandlerFunc(stormNames)); ok {
		p.names = "dns_nameservers " + addr + "\n"
		if *stormTime == 0 {
			p.names += "dns_timeout 2 minutes\n" // the name server is a part of the test, and the machine may be busy
		}
	} else {
		s.t.Log("port 53 is not to be had: no names are looked up")
	}
	return p
}

// stormPages is pages with one more: below /marked/ it says the whole target that it was asked for.
func stormPages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages())
	mux.HandleFunc("/marked/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "marked %s\n", r.RequestURI) })
	return mux
}

// stormNames knows every name below good.test, and never answers for those below silent.test.
func stormNames(w dns.ResponseWriter, q *dns.Msg) {
	name := strings.ToLower(q.Question[0].Name)
	if strings.HasSuffix(name, "."+silentName+".") {
		return
	}
	r := new(dns.Msg).SetReply(q)
	switch {
	case !strings.HasSuffix(name, "."+goodName+"."):
		r.Rcode = dns.RcodeNameError
	case q.Question[0].Qtype == dns.TypeA:
		head := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
		r.Answer = append(r.Answer, &dns.A{Hdr: head, A: net.ParseIP(stormHost)})
	}
	w.WriteMsg(r)
}

// hangUp closes the origins' connections.
func (p stormPeople) hangUp() {
	for _, o := range []*origin{p.good, p.page, p.forbidden} {
		o.CloseClientConnections()
	}
	p.bombs.hangUp()
	if p.secure != nil {
		p.secure.hangUp()
	}
}

// at is the URL of a path at an origin by one of its names.
func (o *origin) at(name, path string) string {
	return "http://" + net.JoinHostPort(name, o.port()) + path
}

// dial is a connection of a bad peer to the proxy; nil if it gets none. It is closed when the storm is over.
func (s *storm) dial() net.Conn { return s.dialTo(s.x.addr()) }

func (s *storm) dialTo(addr string) net.Conn {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(s.over, "tcp", addr)
	if err != nil {
		return nil
	}
	return &stormConn{TCPConn: conn.(*net.TCPConn), stop: context.AfterFunc(s.over, func() { conn.Close() })}
}

type stormConn struct {
	*net.TCPConn
	stop func() bool
}

func (c *stormConn) Close() error {
	c.stop()
	return c.TCPConn.Close()
}

// pass waits, or for the end of the storm.
func (s *storm) pass(d time.Duration) (raging bool) {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-s.over.Done():
		return false
	case <-wait.C:
		return true
	}
}
