package access

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// newPolicy makes the policy of a configuration, and gives what was said of it.
func newPolicy(t *testing.T, text string) (p *Policy, messages []string) {
	t.Helper()
	acls := acl.NewSet()
	s := Defaults(acls)
	reading := compattest.MustRead(t, acls, s.Directives(), text)
	s.Finish(reading.Context)
	pages := errpage.Defaults()
	pages.Pages = errpage.Default()
	return &Policy{Settings: &s, Pages: &errpage.Policy{Settings: &pages, Identity: &errpage.Identity{Host: "proxy.test", Product: "squid"},
		Now: func() time.Time { return time.Unix(1795341430, 0) }}}, reading.Messages
}

// TestAdmit asks http_access, and has what deny_info says for the acl that decided.
func TestAdmit(t *testing.T) {
	p, _ := newPolicy(t, `
acl page dstdomain page.test
acl status dstdomain status.test
acl url dstdomain url.test
acl reset dstdomain reset.test
acl plain dstdomain plain.test
http_access deny page
http_access deny status
http_access deny url
http_access deny reset
http_access deny plain
http_access allow all
deny_info ERR_TOO_BIG page
deny_info 418:ERR_TOO_BIG status
deny_info http://block.test/?u=%u url
deny_info http://late.test/ url
deny_info TCP_RESET reset
`)
	for _, row := range []struct {
		host   string
		want   engine.Action
		page   string // as the log has it
		status int    // 0: the usual page is due
		field  string
	}{
		{"a.test", engine.Proceed, "", 0, ""},
		{"plain.test", engine.Refuse, errpage.AccessDenied, 0, ""},
		{"page.test", engine.Refuse, "ERR_TOO_BIG", 403, "X-Squid-Error: ERR_TOO_BIG 0\r\n"},
		{"status.test", engine.Refuse, "418:ERR_TOO_BIG", 418, "X-Squid-Error: 418:ERR_TOO_BIG 0\r\n"},
		{"url.test", engine.Refuse, "http://block.test/?u=%u", 302, "Location: http://block.test/?u=http%3A%2F%2Furl.test%2F\r\n"},
	} {
		r := compattest.NewRequest(t, "GET http://"+row.host+"/ HTTP/1.1")
		var st State
		var m decision.Memory
		d := p.Admit(r, &st, &m)
		if d.Action != row.want || d.Failure != nil && d.Failure.Page != row.page {
			t.Errorf("%s: it decides %v, %+v, want %v", row.host, d.Action, d.Failure, row.want)
		}
		if d.Action != engine.Refuse {
			continue
		}
		reply, ok := p.Page(r, d.Failure, &st, &m)
		if ok != (row.status != 0) || reply.Status != row.status || !strings.Contains(string(reply.Fields), row.field) {
			t.Errorf("%s: deny_info answers (%v) %d with\n%swant %d with\n%s", row.host, ok, reply.Status, reply.Fields, row.status, row.field)
		}
		st.Reset()
		if _, ok := p.Page(r, d.Failure, &st, &m); ok {
			t.Errorf("%s: deny_info answers a request that was not refused by an acl", row.host)
		}
	}
}

func TestAdmitResets(t *testing.T) {
	p, _ := newPolicy(t, "http_access deny all\ndeny_info TCP_RESET all")
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	var st State
	var m decision.Memory
	d := p.Admit(r, &st, &m)
	if d.Action != engine.Refuse || d.Failure.Page != "TCP_RESET" {
		t.Fatalf("it decides %v, %+v", d.Action, d.Failure)
	}
	if reply, ok := p.Page(r, d.Failure, &st, &m); !ok || !reply.Reset {
		t.Errorf("deny_info answers with %+v", reply)
	}
	// what goes wrong later is not http_access's refusal
	if _, ok := p.Page(r, &engine.Failure{Kind: engine.CannotConnect}, &st, &m); ok {
		t.Error("deny_info answers for a server that cannot be reached")
	}
}

func TestFinishWarns(t *testing.T) {
	_, messages := newPolicy(t, "deny_info ERR_X nobody\ndeny_info ERR_Y")
	got := strings.Join(messages, "\n")
	for _, want := range []string{
		"no ACL's listed, ignoring 'deny_info' line",
		"NOTICE: there is no http_access line: everybody is denied",
		"WARNING: squid.conf(1): deny_info names acl 'nobody', which there is not: correct its name, or define it",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the messages lack %q:\n%s", want, got)
		}
	}
}

// TestFinishWarnsInTheFilesOrder has the acls of deny_info complained of in the order of the file.
func TestFinishWarnsInTheFilesOrder(t *testing.T) {
	const n = 8
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "deny_info ERR_X nobody%d\n", n-i)
	}
	_, messages := newPolicy(t, lines.String())
	var got []string
	for _, text := range messages {
		if _, name, found := strings.Cut(text, "deny_info names acl 'nobody"); found {
			got = append(got, name[:1])
		}
	}
	if order := strings.Join(got, ""); order != "87654321" {
		t.Errorf("the acls are complained of in the order %s", order)
	}
}

// TestPin has a request go to the addresses that were judged, but only to the host whose they are.
func TestPin(t *testing.T) {
	judged := netip.MustParseAddr("192.0.2.80")
	for _, row := range []struct {
		host string
		want int
	}{{"a.test", 1}, {"b.test", 0}} {
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		r.Judge([]netip.Addr{judged}, nil)
		hop := engine.Direct(r)
		hop.Host = []byte(row.host)
		Pin(r, &hop)
		if len(hop.Addrs) != row.want {
			t.Errorf("to %s it goes by %v", row.host, hop.Addrs)
		}
	}
}
