package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// slowNames answers who asks for the name of an address with names, but only after go is closed. In names are the
// digits of an address before in-addr.arpa.
func slowNames(t *testing.T, release <-chan struct{}, names map[string]string) string {
	address, ok := serveNames(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		asked := q.Question[0]
		reply := new(dns.Msg).SetReply(q)
		name := names[strings.TrimSuffix(asked.Name, ".in-addr.arpa.")]
		if asked.Qtype != dns.TypePTR || name == "" {
			w.WriteMsg(reply.SetRcode(q, dns.RcodeNameError))
			return
		}
		<-release
		reply.Answer = append(reply.Answer, &dns.PTR{Ptr: name,
			Hdr: dns.RR_Header{Name: asked.Name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: 600}})
		w.WriteMsg(reply)
	}))
	if !ok {
		t.Skip("this test needs a name server of its own, at port 53, which it may not open")
	}
	return address
}

const namingRules = `url_rewrite_program {helper} -record {dir}/lines
url_rewrite_children 1
acl p1 urlpath_regex ^/mustname
acl p2 urlpath_regex ^/nonames
acl nobody srcdomain none
acl tests srcdom_regex -i ^CLIENT[.]test$ school
http_access deny p1 nobody
http_access deny p2 tests
logformat named %>A %>a %>ru
access_log stdio:{dir}/named.log named
`

// TestClientNamesAreSquids has helpers and logs of both be told of three clients: one whose name is in the hosts file, one
// that has one by the DNS, which takes its time, and one that has none.
func TestClientNamesAreSquids(t *testing.T) {
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var told, logged [2]string
	for i, p := range []program{theirs, exaproxy()} {
		release := make(chan struct{})
		names := slowNames(t, release, map[string]string{"2.0.0.127": "client.test.", "9.0.0.127": "over.test."})
		dir := world(t)
		writeFile(t, dir, "hosts", "127.0.0.4 pc-4.school.test pc-4\n127.0.0.9 pc-9.school.test\n")
		x := start(t, p, dir, namingRules+"dns_nameservers "+names+"\n"+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		get := func(from, path string) {
			t.Helper()
			a := asked{raw: "GET " + o.URL + "/" + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", from: from}
			if got := x.exchange(a); got.status != "HTTP/1.1 200 OK" {
				t.Fatalf("/%s is answered %q", path, got.status)
			}
		}
		get("127.0.0.4", "file1")
		get("127.0.0.9", "file2")
		get("127.0.0.3", "none1")
		get("127.0.0.2", "first") // while the name server says nothing
		close(release)
		x.eventually("knows the name", 20*time.Second, func() bool {
			get("127.0.0.2", "wait")
			return strings.Contains(x.file("lines"), "/wait 127.0.0.2/client.test ")
		})
		get("127.0.0.2", "then")
		get("127.0.0.3", "none2")
		for path, denied := range map[string]string{"mustname": "127.0.0.3", "nonames": "127.0.0.2 127.0.0.4 127.0.0.9"} {
			for _, from := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"} {
				want := "HTTP/1.1 200 OK"
				if strings.Contains(denied, from) {
					want = "HTTP/1.1 403 Forbidden"
				}
				a := asked{raw: "GET " + o.URL + "/" + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", from: from}
				if got := x.exchange(a); got.status != want {
					t.Errorf("%s: /%s from %s is answered %q, want %q", p.path, path, from, got.status, want)
				}
			}
		}
		x.eventually("has logged all", 10*time.Second, func() bool { return strings.Contains(x.file("named.log"), "/none2") })
		for line := range strings.Lines(x.file("lines")) {
			if !strings.Contains(line, "/wait ") && !strings.Contains(line, "name") {
				url, client, _ := strings.Cut(line, " ")
				client, _, _ = strings.Cut(client, " ")
				told[i] += url + " " + client + "\n"
			}
		}
		for line := range strings.Lines(x.file("named.log")) {
			if !strings.Contains(line, "/wait") && !strings.Contains(line, "name") {
				logged[i] += line
			}
		}
	}
	if told[0] != told[1] || logged[0] != logged[1] {
		t.Errorf("helpers are told\n%s, by Squid\n%s; logs have\n%s, Squid's\n%s", told[1], told[0], logged[1], logged[0])
	}
	for _, want := range []string{"/file1 127.0.0.4/pc-4.school.test\n", "/first 127.0.0.2/127.0.0.2\n", "/then 127.0.0.2/client.test\n", "/none2 127.0.0.3/127.0.0.3\n"} {
		if !strings.Contains(told[1], want) {
			t.Errorf("helpers are told\n%s, want %q in it", told[1], want)
		}
	}
}
