package intercept

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/proxyheader"
)

// newPolicy makes one of a configuration, whose resolver knows no name.
func newPolicy(t *testing.T, conf string) (*Policy, *strings.Builder) {
	t.Helper()
	acls := acl.NewSet()
	s := Defaults(acls)
	compattest.MustRead(t, acls, s.Directives(), conf)
	acls.Finish()
	said, services := new(strings.Builder), compattest.Services(t)
	return &Policy{Settings: &s, Log: slog.New(slog.NewTextHandler(said, nil)), Now: services.Loop.Now, Alerts: new(loop.SharedLimiter),
		Match: func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &acl.Place{}) }}, said
}

// diverted makes a request of a client that wanted to reach an address, by a port of a mode.
func diverted(t *testing.T, mode engine.Mode, wanted, head string) *engine.Request {
	t.Helper()
	r := compattest.NewRequest(t, head)
	to := netip.MustParseAddrPort(wanted)
	r.Port = &engine.Port{Mode: mode}
	r.Connection = &engine.Connection{Client: r.Client, Local: to, Original: to, Port: r.Port}
	r.Local = to
	return r
}

func TestComplete(t *testing.T) {
	for _, row := range []struct{ head, wanted, url string }{
		{"GET /a HTTP/1.1\nHost: a.test", "192.0.2.7:80", "http://a.test/a"},
		{"GET /a HTTP/1.1\nHost: A.test:8080", "192.0.2.7:80", "http://a.test:8080/a"},
		{"GET /a HTTP/1.0", "192.0.2.7:80", "http://192.0.2.7/a"},
		{"GET /a HTTP/1.1\nHost: ", "192.0.2.7:8080", "http://192.0.2.7:8080/a"},
		{"GET /a HTTP/1.0", "[2001:db8::7]:80", "http://[2001:db8::7]/a"},
		{"GET /a HTTP/1.1\nHost: a.test\nHost: b.test", "192.0.2.7:80", ""},
		{"GET /a HTTP/1.1\nHost: a.test/b", "192.0.2.7:80", ""},
		{"GET /a HTTP/1.1\nHost: user@a.test", "192.0.2.7:80", ""},
		{"GET /a HTTP/1.1\nHost: a b", "192.0.2.7:80", ""},
	} {
		p, _ := newPolicy(t, "")
		r := diverted(t, engine.Intercept, row.wanted, row.head)
		f := p.Complete(r)
		if got := string(r.Target.AppendURL(nil)); f == nil && got != row.url || (f == nil) != (row.url != "") || f != nil && f.Kind != engine.BadRequest {
			t.Errorf("%q to %s is %s (%v), want %q", row.head, row.wanted, got, f, row.url)
		}
	}
}

// Of addresses nothing has to be looked up.
func TestAdmitAnAddress(t *testing.T) {
	for _, row := range []struct {
		head, wanted, conf string
		why                string // it is forged
		refused            bool
	}{
		{"GET http://192.0.2.7/ HTTP/1.1", "192.0.2.7:80", "", "", false},
		{"GET http://192.0.2.7:80/ HTTP/1.1", "192.0.2.7:80", "host_verify_strict on", "", false},
		{"GET http://192.0.2.8/ HTTP/1.1", "192.0.2.7:80", "", "local IP does not match any domain IP", false},
		{"GET http://192.0.2.8/ HTTP/1.1", "192.0.2.7:80", "host_verify_strict on", "local IP does not match any domain IP", true},
		{"GET http://192.0.2.7:8080/ HTTP/1.1", "192.0.2.7:80", "", "intercepted port does not match 8080", false},
		{"GET http://a.test:8080/ HTTP/1.1", "192.0.2.7:80", "", "intercepted port does not match 8080", false},
		{"GET http://[2001:db8::7]/ HTTP/1.1", "[2001:db8::7]:80", "", "", false},
		{"CONNECT 192.0.2.7:443 HTTP/1.1", "192.0.2.7:443", "", "", false},
		{"CONNECT 192.0.2.7:443 HTTP/1.1", "192.0.2.7:80", "", "intercepted port does not match 443", true},
	} {
		p, said := newPolicy(t, row.conf)
		r, st, m := diverted(t, engine.Intercept, row.wanted, row.head), &State{}, &decision.Memory{}
		d := p.Admit(r, st, m)
		if st.Forged() != (row.why != "") || !strings.Contains(said.String(), row.why) || (said.Len() > 0) != (row.why != "") {
			t.Errorf("%q to %s, %s: forged %v, and the log has %q", row.head, row.wanted, row.conf, st.Forged(), said)
		}
		if (d.Action == engine.Refuse) != row.refused || row.refused && d.Failure.Kind != engine.Conflict {
			t.Errorf("%q to %s, %s: %v", row.head, row.wanted, row.conf, d)
		}
		want := netip.MustParseAddrPort(row.wanted).Addr()
		if judged := r.Judged; !row.refused && (!judged.Known || len(judged.Addrs) != 1 || judged.Addrs[0] != want) {
			t.Errorf("%q to %s: dst judges %v", row.head, row.wanted, judged)
		}
	}
	p, _ := newPolicy(t, "")
	r := compattest.NewRequest(t, "GET http://192.0.2.8/ HTTP/1.1")
	if d := p.Admit(r, &State{}, nil); d.Action != engine.Proceed || r.Judged.Known {
		t.Errorf("one that nobody has diverted: %v", d)
	}
}

func TestAskOfAddress(t *testing.T) {
	rewritten := func(url string) engine.Decision {
		t, _, err := h1.ParseTarget("GET", []byte(url), h1.Strip, nil)
		if err != nil {
			panic(err)
		}
		return engine.Decision{Action: engine.Rewrite, Target: t}
	}
	for _, row := range []struct {
		st   State
		d    engine.Decision
		asks bool
	}{
		{State{}, engine.Decision{}, false},
		{State{forged: true}, engine.Decision{}, true},
		{State{forged: true}, rewritten("http://a.test/safe"), true},
		{State{forged: true}, rewritten("http://a.test:8080/"), true},
		{State{forged: true}, rewritten("http://b.test/"), false},
		{State{forged: true}, engine.Decision{Action: engine.Redirect}, false},
		{State{forged: true}, engine.Decision{Action: engine.Refuse}, false},
		{State{forged: true, asking: true}, engine.Decision{}, false},
	} {
		r := diverted(t, engine.Intercept, "192.0.2.7:80", "GET http://a.test/ HTTP/1.1")
		asking := row.st.asking
		if asks := row.st.AskOfAddress(r, row.d); asks != row.asks || row.st.Asking() != (asks || asking) {
			t.Errorf("%+v after %v: asks %v", row.st, row.d.Action, asks)
		}
		if row.asks && row.st.Named().Action != row.d.Action {
			t.Errorf("what was said of the name is %v", row.st.Named())
		}
	}
	r := diverted(t, engine.Intercept, "[2001:db8::7]:8080", "GET http://a.test/x?y HTTP/1.1")
	address := Address(r)
	if got := string(address.AppendURL(nil)); got != "http://[2001:db8::7]:8080/x?y" {
		t.Errorf("it is asked about %s", got)
	}
}

func TestSteer(t *testing.T) {
	const ours, spoof = "acl ours src 192.0.2.0/24\nspoof_client_ip deny ours\n", "spoof_client_ip allow all\n"
	for _, row := range []struct {
		name, conf  string
		mode        engine.Mode
		st          *State
		host        string // of the hop
		port        uint16
		hierarchy   string
		transparent bool
	}{
		{"passed through", "", engine.Intercept, nil, "a.test", 8080, "ORIGINAL_DST", false},
		{"by its name", "client_dst_passthru off", engine.Intercept, nil, "a.test", 80, "HIER_DIRECT", false},
		{"forged", "client_dst_passthru off", engine.Intercept, &State{forged: true}, "a.test", 8080, "ORIGINAL_DST", false},
		{"elsewhere", "", engine.Intercept, nil, "b.test", 80, "HIER_DIRECT", false},
		{"TPROXY", "", engine.TPROXY, nil, "a.test", 8080, "ORIGINAL_DST", true},
		{"TPROXY, not for ours", ours + spoof, engine.TPROXY, nil, "a.test", 8080, "ORIGINAL_DST", false},
	} {
		p, _ := newPolicy(t, row.conf)
		r := diverted(t, row.mode, "198.51.100.7:8080", "GET http://a.test/ HTTP/1.1")
		hop := engine.Direct(r)
		hop.Host = []byte(row.host)
		p.Steer(r, row.st, &hop)
		if hop.Port != row.port || hop.Hierarchy != row.hierarchy || hop.Transparent != row.transparent || hop.Local.IsValid() != row.transparent {
			t.Errorf("%s: %+v", row.name, hop)
		}
		if row.transparent && hop.Local != r.Client.Addr() {
			t.Errorf("%s: servers see %s", row.name, hop.Local)
		}
	}
}

// What is known of a name is forgotten when its answer is no good any more, and within a minute.
func TestKnownNamesAreForgotten(t *testing.T) {
	var k known
	now, addr, host := time.Unix(1000, 0), netip.MustParseAddr("192.0.2.7"), []byte("a.test")
	for _, row := range []struct{ ttl, after time.Duration }{{10 * time.Second, 10 * time.Second}, {time.Hour, time.Minute}, {-1, time.Minute}} {
		k.learn(host, addr, now, row.ttl)
		if !k.leads(host, addr, now.Add(row.after-1)) || k.leads(host, addr, now.Add(row.after)) {
			t.Errorf("with a TTL of %s it is not forgotten after %s", row.ttl, row.after)
		}
		if k.leads(host, netip.MustParseAddr("192.0.2.8"), now) || k.leads([]byte("b.test"), addr, now) {
			t.Error("it is known of another")
		}
	}
}

// TestAlertsAreSharedByWorkers has two workers see forged names in one second.
func TestAlertsAreSharedByWorkers(t *testing.T) {
	one, said := newPolicy(t, "")
	two := *one
	for _, p := range []*Policy{one, &two, one} {
		p.Admit(diverted(t, engine.Intercept, "192.0.2.7:80", "GET http://192.0.2.8/ HTTP/1.1"), &State{}, &decision.Memory{})
	}
	if got := strings.Count(said.String(), "Host header forgery detected"); got != 1 {
		t.Errorf("it is logged %d times:\n%s", got, said)
	}
}

// TestWhoseAddressIsTaken has balancers come to a port of tproxy: servers see no address that one has named.
func TestWhoseAddressIsTaken(t *testing.T) {
	client := netip.MustParseAddrPort("203.0.113.8:1111")
	for _, row := range []struct {
		name        string
		header      *proxyheader.Header
		transparent bool
	}{
		{"no header", nil, true},
		{"one that names a client", &proxyheader.Header{Source: client}, false},
		{"one that names nobody", &proxyheader.Header{}, true},
		{"LOCAL", &proxyheader.Header{Source: client, Local: true}, true},
	} {
		p, _ := newPolicy(t, "")
		r := diverted(t, engine.TPROXY, "198.51.100.7:80", "GET http://a.test/ HTTP/1.1")
		r.Connection.ProxyHeader = row.header
		hop := engine.Direct(r)
		p.Steer(r, nil, &hop)
		if hop.Transparent != row.transparent || hop.Local.IsValid() != row.transparent || hop.Local == client.Addr() {
			t.Errorf("%s: servers see %s, transparent %v", row.name, hop.Local, hop.Transparent)
		}
	}
}
