package peers

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// settings reads a configuration of peers alone.
func settings(t *testing.T, text string) (s *Settings, said string, err error) {
	t.Helper()
	acls := acl.NewSet()
	set := Defaults(acls)
	r, err := compattest.Read(acls, set.Directives(), text)
	return &set, strings.Join(r.Messages, "\n") + "\n", err
}

func TestOptions(t *testing.T) {
	s, said, err := settings(t, `cache_peer Parent.Test parent 3128 0 default no-query round-robin weighted-round-robin carp userhash sourcehash originserver name=One weight=3 basetime=5 max-conn=7 standby=2 connect-timeout=4 connect-fail-limit=9 forceddomain=www.test login=u%20a:p%zz front-end-https=auto carp-key=scheme,port ttl=3 no-digest htcp=no-clr digest-url=x bogus
cache_peer [2001:db8::1] parent 80 0 connect-fail-limit=0 login=* front-end-https`)
	if err != nil {
		t.Fatal(err)
	}
	p := s.peers[0]
	want := peer{
		host: "parent.test", port: 3128, name: "One", kind: parent, isDefault: true, roundRobin: true, weighted: true, carp: true, userHash: true,
		sourceHash: true, origin: true, weight: 3, baseTime: 5, most: 7, standing: 2, key: key{scheme: true, port: true}, failLimit: 9,
		timeout: 4 * time.Second, ofCaches: []string{"no-digest"}, domain: "www.test", frontEnd: ofHTTPS,
	}
	login := p.login
	got := *p
	got.login = want.login
	got.login.encoded = nil
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("it is\n%+v want\n%+v", got, want)
	}
	if login.text != "u a:p%zz" || string(login.encoded) != "Basic dSBhOnAlenk=" && string(login.encoded) != string(basic("u a:p%zz")) || !login.complete || login.passes {
		t.Errorf("the login is %+v", login)
	}
	if q := s.peers[1]; q.host != "2001:db8::1" || q.failLimit != 10 || q.frontEnd != always || !q.login.asUser || q.weight != 1 {
		t.Errorf("the other is %+v", q)
	}
	if !strings.Contains(said, "ERROR: Ignoring unknown cache_peer option 'bogus': correct it, or take it out (squid.conf line 1)\n") || strings.Count(said, "\n") != 1 {
		t.Errorf("it says\n%s", said)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"cache_peer a parent 3128", ""},
		{"cache_peer a parent 99999 0", "larger than the type 'short'"},
		{"cache_peer a parent 3128 0 max-conn=x", "No digits were found in the input value 'x'"},
		{"cache_peer a parent 3128 0 htcp=x", "invalid HTCP mode 'x'"},
		{"cache_peer a sibling 3128 0 userhash", "parse_peer: non-parent userhash peer a/3128"},
		{"cache_peer a parent 3128 0 carp-key=host", "parse_peer: carp-key specified on non-carp peer a/3128"},
		{"cache_peer a parent 3128 0 login=NEGOTIATE", "there is no Kerberos client"},
		{"cache_peer a parent 3128 0 tls-cafile=/no/such/file", "cafile=/no/such/file"},
		{"cache_peer a parent 3128 0 sslkey=/k", "cert= option must be set before key= is used."},
		{"cache_peer a parent 3128 0\nneighbor_type_domain a", ""},
	} {
		if _, _, err := settings(t, row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.text, err)
		}
	}
}

// TestTLSNeedsNoFlag has any option of TLS have it spoken, and the last word be that of disable.
func TestTLSNeedsNoFlag(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "ssl": "a", "tls": "a", "ssldomain=x": "x", "tls-min-version=1.3": "a", "tls tls-disable": "", "tls-disable tls": "a",
	} {
		s, _, err := settings(t, "cache_peer a parent 3128 0 "+text)
		if err != nil {
			t.Fatal(text, err)
		}
		if p := s.peers[0]; p.serverName != want || (p.tls != nil) != (want != "") {
			t.Errorf("%q: TLS for %q, %v", text, p.serverName, p.tls != nil)
		}
	}
}

func TestKindFor(t *testing.T) {
	s, _, err := settings(t, "cache_peer a sibling 3128 0\nneighbor_type_domain A parent .X.test exact.test")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]kind{"x.test": parent, "a.x.test": parent, "ax.test": sibling, "exact.test": parent, "a.exact.test": sibling} {
		if got := s.peers[0].kindFor([]byte(host)); got != want {
			t.Errorf("for %s it is a %s", host, got)
		}
	}
}

// TestHashesAreSquids holds choices against those that Squid 5.7 was seen to make.
func TestHashesAreSquids(t *testing.T) {
	seen := strings.Fields("3 3 2 3 3 2 2 3 3 2 1 3 2 2 3 2 2 3 3 3 3 3 3 3 1 2 3 2 3 3 2 1 2 2 2 2 2 3 2 2 2 1 2 2 3 3 3 2 2 3 3 3 1 1 3 3 2 3 2 3")
	byKey := strings.Fields("2 2 3 3 3 3 2 2 2 2 3 2 2 2 3 3 3 3 1 2")
	plain := "cache_peer a parent 1 0 name=p1 carp\ncache_peer a parent 2 0 name=p2 carp weight=2\ncache_peer a parent 3 0 name=p3 carp weight=3"
	keyed := "cache_peer a parent 1 0 name=p1 carp carp-key=host,path\ncache_peer a parent 2 0 name=p2 carp weight=2 carp-key=scheme,host,port,params\ncache_peer a parent 3 0 name=p3 carp weight=3 carp-key=host"
	for conf, want := range map[string][]string{plain: seen, keyed: byKey} {
		s, _, err := settings(t, conf)
		if err != nil {
			t.Fatal(err)
		}
		h := newHashes(s.peers)
		for i, place := range want {
			r := compattest.NewRequest(t, fmt.Sprintf("GET http://h%d.test/p%d?q=%d HTTP/1.1", i, i*7, i))
			if got := h.byURL(r, s.peers, func(int) bool { return true }); fmt.Sprint(got+1) != place {
				t.Errorf("request %d goes to peer %d, and Squid's to %s", i, got+1, place)
			}
		}
	}
}

// TestRings has each peer be chosen as often as its weight says, and none that is not usable.
func TestRings(t *testing.T) {
	s, _, err := settings(t, "cache_peer a parent 1 0 name=p1 sourcehash userhash\ncache_peer a parent 2 0 name=p2 sourcehash userhash weight=3")
	if err != nil {
		t.Fatal(err)
	}
	h := newHashes(s.peers)
	var counts [2]int
	for i := range 4000 {
		r := &engine.Request{User: fmt.Sprint("user", i), Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)}
		counts[h.bySource(r, func(int) bool { return true })]++
		if got := h.byUser(r, func(place int) bool { return place == 0 }); got != 0 {
			t.Fatalf("the only usable peer is not chosen, but %d", got)
		}
		if got := h.byUser(r, func(int) bool { return false }); got != -1 {
			t.Fatalf("peer %d is chosen, which is not usable", got)
		}
	}
	if share := float64(counts[1]) / 4000; math.Abs(share-0.75) > 0.05 {
		t.Errorf("the peer with three quarters of the weight has %.2f", share)
	}
	if got := h.byUser(&engine.Request{}, func(int) bool { return true }); got != -1 {
		t.Errorf("nobody goes to peer %d", got)
	}
}

// TestLives has a peer die of as many failures in a row as connect-fail-limit says, and revive once.
func TestLives(t *testing.T) {
	var s state
	s.lives.Store(2)
	now := time.Unix(1000, 0)
	if was, died := s.unreached(); !was || died {
		t.Error("it died of the first failure")
	}
	if s.reached(2) {
		t.Error("it has revived without having died")
	}
	s.unreached()
	if was, died := s.unreached(); !was || !died || s.alive() {
		t.Error("it did not die of the second failure")
	}
	if was, died := s.unreached(); was || died {
		t.Error("it died twice")
	}
	if !s.beginProbe(now) || s.beginProbe(now.Add(time.Hour)) {
		t.Error("not one is trying")
	}
	s.endProbe()
	if s.beginProbe(now.Add(probeEvery/2)) || !s.beginProbe(now.Add(probeEvery)) {
		t.Error("it is not tried once a second")
	}
	if !s.reached(2) || s.reached(2) || !s.alive() {
		t.Error("it has not revived once")
	}
}

func TestTurnsAreCountedAnew(t *testing.T) {
	s := &Shared{states: make([]state, 2)}
	s.clearInTime(time.Unix(1000, 0))
	s.states[1].turns.Store(9)
	s.clearInTime(time.Unix(1299, 0))
	if got := s.states[1].turns.Load(); got != 9 {
		t.Errorf("after less than five minutes it is %d", got)
	}
	s.clearInTime(time.Unix(1300, 0))
	if got := []int64{s.states[0].turns.Load(), s.states[1].turns.Load()}; !slices.Equal(got, []int64{1, 1}) {
		t.Errorf("after five minutes it is %d", got)
	}
}

func TestHierarchical(t *testing.T) {
	for head, want := range map[string]bool{
		"GET http://a.test/ HTTP/1.1":                            true,
		"TRACE http://a.test/ HTTP/1.1":                          true,
		"HEAD http://a.test/ HTTP/1.1":                           false,
		"CONNECT a.test:443 HTTP/1.1":                            false,
		"GET http://u@a.test/ HTTP/1.1":                          false,
		"GET http://a.test/ HTTP/1.1\nAuthorization: Basic eDp5": false,
	} {
		if got := hierarchical(compattest.NewRequest(t, head)); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
}

func TestLogins(t *testing.T) {
	const sent = "Proxy-Authorization: Basic eDp5"
	for _, row := range []struct {
		name, login, sent string
		origin            bool
		user, external    string
		want              string
	}{
		{name: "none", want: ""},
		{name: "fixed", login: "a:b", sent: sent, want: "Proxy-Authorization: Basic YTpi"},
		{name: "fixed, to a server", login: "a:b", origin: true, want: "Authorization: Basic YTpi"},
		{name: "who the client is", login: "*:b", user: "joe", want: "Proxy-Authorization: " + string(basic("joe:b"))},
		{name: "who a helper says that it is", login: "*:b", user: "joe", external: "ann", want: "Proxy-Authorization: " + string(basic("ann:b"))},
		{name: "nobody", login: "*:b", want: "Proxy-Authorization: " + string(basic("-:b"))},
		{name: "passed", login: "PASS", sent: sent, want: ""},
		{name: "those for the proxy, to a server", login: "PROXYPASS", sent: sent, origin: true, want: "Authorization: Basic eDp5"},
		{name: "only those of Basic", login: "PROXYPASS", sent: "Proxy-Authorization: Digest x", origin: true, want: ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := reader{peer: &peer{}}
			if err := o.login(row.login); err != nil {
				t.Fatal(err)
			}
			r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1\n"+row.sent)
			r.User, r.External.User = row.user, row.external
			var h h1.Header
			o.peer.login.give(r, &h, row.origin)
			if got := strings.TrimSpace(string(h.AppendTo(nil))); got != row.want {
				t.Errorf("the peer is given %q, want %q", got, row.want)
			}
		})
	}
}
