package indirect

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

// policy is that of a configuration.
func policy(t *testing.T, conf string) *Policy {
	t.Helper()
	acls := acl.NewSet()
	s := Defaults(acls)
	compattest.MustRead(t, acls, s.Directives(), conf)
	acls.Finish()
	match := func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &acl.Place{}) }
	return NewPolicy(&s, compattest.Services(t), match, match)
}

// request is one from 127.0.0.1 with fields X-Forwarded-For.
func request(t *testing.T, fields ...string) *engine.Request {
	t.Helper()
	head := "GET http://x.test/ HTTP/1.1"
	for _, f := range fields {
		head += "\nX-Forwarded-For: " + f
	}
	r := compattest.NewRequest(t, head)
	r.Client = netip.MustParseAddrPort("127.0.0.1:40000")
	r.Connection = &engine.Connection{Client: r.Client}
	return r
}

// TestWhoIsBelieved has values that were put to Squid 5.7, which sees the same clients but where a row says so.
func TestWhoIsBelieved(t *testing.T) {
	p := policy(t, "follow_x_forwarded_for allow all")
	for _, row := range []struct{ list, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1, 192.0.2.2", "192.0.2.1"},
		{"192.0.2.1,192.0.2.2", "192.0.2.1"},
		{"192.0.2.1 192.0.2.2", "192.0.2.1"},
		{"garbage, 192.0.2.2", "192.0.2.2"},
		{"192.0.2.1, garbage", "127.0.0.1"},
		{"192.0.2.1, garbage, 192.0.2.2", "192.0.2.2"},
		{"192.0.2.1:80", "127.0.0.1"},
		{"[2001:db8::1]", "127.0.0.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:DB8::A", "2001:db8::a"},
		{"2001:db8::1, 192.0.2.2", "2001:db8::1"},
		{"192.0.2.1,,, ,192.0.2.2, ,", "192.0.2.1"},
		{"unknown", "127.0.0.1"},
		{"192.0.2.1, unknown", "127.0.0.1"},
		{"", "127.0.0.1"},
		{", ,", "127.0.0.1"},
		{"192.0.2.1|192.0.2.2", "192.0.2.1"},
		{"192.0.2.2|garbage", "127.0.0.1"},
		{"192.0.2.1|192.0.2.2|192.0.2.3", "192.0.2.1"},
		{"::ffff:192.0.2.9", "192.0.2.9"},
		{"fe80::1%lo", "fe80::1"},
		{"0x7f.1", "127.0.0.1"},
		{"localhost", "127.0.0.1"},
		{"\"192.0.2.1\"", "127.0.0.1"},
		{"192.0.2.1/24", "127.0.0.1"},
		{"192.0.2.1,192.0.2.2;x", "127.0.0.1"},
		// As inet_aton(3) does Squid reads these as 192.0.0.2, 0.0.0.1 and 192.0.2.1, others as something else.
		{"192.0.2", "127.0.0.1"},
		{"1", "127.0.0.1"},
		{"192.0.2.001", "127.0.0.1"},
	} {
		r := request(t, strings.Split(row.list, "|")...)
		if p.Follow(r, &State{}); r.Client.Addr().String() != row.want || r.TellClient() != r.Client {
			t.Errorf("%q: the client is %s, logs are told %s, want %s", row.list, r.Client, r.TellClient(), row.want)
		}
		if r.Client.Port() != 40000 || r.Connection.Client.Addr().String() != "127.0.0.1" {
			t.Errorf("%q: port %d, the peer is %s", row.list, r.Client.Port(), r.Connection.Client)
		}
	}
}

// TestTheWayEnds has only some be believed.
func TestTheWayEnds(t *testing.T) {
	const some = "acl some src 127.0.0.1 192.0.2.2\nfollow_x_forwarded_for allow some\n"
	for _, row := range []struct{ conf, list, judged, told string }{
		{some, "192.0.2.1, 192.0.2.3, 192.0.2.2", "192.0.2.3", "192.0.2.3"},
		{some, "192.0.2.1, 192.0.2.2", "192.0.2.1", "192.0.2.1"},
		{some, "192.0.2.5, 10.0.0.1", "10.0.0.1", "10.0.0.1"},
		{some + "acl_uses_indirect_client off", "192.0.2.1, 192.0.2.3, 192.0.2.2", "127.0.0.1", "192.0.2.3"},
		{some + "log_uses_indirect_client off", "192.0.2.1, 192.0.2.3, 192.0.2.2", "192.0.2.3", "127.0.0.1"},
		{"acl other src 127.0.0.2\nfollow_x_forwarded_for allow other\n", "192.0.2.1", "127.0.0.1", "127.0.0.1"},
		{"follow_x_forwarded_for deny all\n", "192.0.2.1", "127.0.0.1", "127.0.0.1"},
		{"", "192.0.2.1", "127.0.0.1", "127.0.0.1"},
	} {
		r := request(t, row.list)
		policy(t, row.conf).Follow(r, &State{})
		if judged, told := r.Client.Addr().String(), r.TellClient().Addr().String(); judged != row.judged || told != row.told {
			t.Errorf("%q of %q: acls judge %s, logs are told %s, want %s and %s", row.conf, row.list, judged, told, row.judged, row.told)
		}
	}
}

// TestNoMoreThan64 are believed, and the way is gone once.
func TestNoMoreThan64(t *testing.T) {
	p := policy(t, "follow_x_forwarded_for allow all")
	var all []string
	for i := range 100 {
		all = append(all, fmt.Sprintf("192.0.2.%d", i+1))
	}
	r, st := request(t, strings.Join(all[:50], ","), strings.Join(all[50:], ", ")), &State{}
	for range 2 {
		if p.Follow(r, st); r.Client.Addr().String() != "192.0.2.37" {
			t.Errorf("the client is %s", r.Client)
		}
	}
}

// TestWhoMayAnnounce has a peer at 127.0.0.1.
func TestWhoMayAnnounce(t *testing.T) {
	for conf, want := range map[string]error{
		"": errDefault,
		"acl here src 127.0.0.1\nproxy_protocol_access allow here":                            nil,
		"acl there src 127.0.0.2\nproxy_protocol_access allow there":                          errNotPermitted,
		"acl h localport 3128\nproxy_protocol_access deny h\nproxy_protocol_access allow all": errNotPermitted,
		"acl name dstdomain x.test\nproxy_protocol_access allow name":                         errNotPermitted,
	} {
		peer := netip.MustParseAddrPort("127.0.0.1:40000")
		r := engine.Request{Client: peer, Local: netip.MustParseAddrPort("127.0.0.1:3128"), Connection: &engine.Connection{Client: peer}}
		if err := policy(t, conf).MayAnnounce(&r); err != want {
			t.Errorf("%q: %v, want %v", conf, err, want)
		}
	}
}

// TestPending has an access list that cannot tell at once.
func TestPending(t *testing.T) {
	p := policy(t, "follow_x_forwarded_for allow all")
	waits := 0
	p.match = func(_ *acl.List, r *engine.Request) acl.Answer {
		if waits++; waits%2 == 1 {
			return acl.Pending
		}
		return acl.Allow
	}
	r, st := request(t, "192.0.2.1, 192.0.2.2"), &State{}
	for _, at := range []string{"127.0.0.1", "192.0.2.2", "192.0.2.1"} {
		if a := p.Follow(r, st); a != engine.Pending || r.Client.Addr().String() != at {
			t.Fatalf("it answers %v at %s, want to wait at %s", a, r.Client, at)
		}
	}
	if a := p.Follow(r, st); a != engine.Proceed || r.Client.Addr().String() != "192.0.2.1" {
		t.Errorf("it answers %v, and the client is %s", a, r.Client)
	}
}
