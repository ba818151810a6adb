package engine

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// divertedTo begins a transaction of a client at a port of a mode, that wanted to reach an address.
func divertedTo(t *testing.T, at stage, g given, mode Mode, wanted string) *played {
	t.Helper()
	configure := g.config
	g.port = "192.0.2.1:3129"
	g.config = func(c *Config) {
		if c.Ports[0].Mode = mode; configure != nil {
			configure(c)
		}
	}
	if wanted != "" {
		g.wanted = netip.MustParseAddrPort(wanted)
	}
	return newTransaction(t, at, g)
}

func TestGreetFindsWhomTheClientWanted(t *testing.T) {
	for _, row := range []struct {
		name, wanted string
		mode         Mode
		own          string // an address of this machine
		found        bool
	}{
		{"by NAT", "198.51.100.7:80", Intercept, "", true},
		{"by TPROXY", "198.51.100.7:80", TPROXY, "", true},
		{"at another machine's port of our number", "198.51.100.7:3129", Intercept, "", true},
		{"nobody", "", Intercept, "", false},
		{"the port itself", "192.0.2.1:3129", Intercept, "", false},
		{"the port itself, by TPROXY", "192.0.2.1:3129", TPROXY, "", false},
		{"the port, by another address of this machine", "203.0.113.1:3129", TPROXY, "203.0.113.1", false},
		{"another port of this machine", "203.0.113.1:80", Intercept, "203.0.113.1", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := divertedTo(t, greeting, given{}, row.mode, row.wanted)
			if row.own != "" {
				p.kernel.AddAddress(netip.MustParseAddr(row.own))
			}
			next := p.play()
			if !row.found {
				p.wants(next, over)
				if f := p.failure; f == nil || f.Kind != NotDiverted || f.Side != ClientSide || p.keepClient {
					t.Errorf("the failure is %+v, and the connection kept: %v", f, p.keepClient)
				}
				return
			}
			p.wants(next, reading)
			c := &p.client.connection
			if got := p.request.Original().String(); got != row.wanted || c.Local != c.Original || p.request.Local != c.Original {
				t.Errorf("it wanted %s, of the connection %s and %s", got, c.Original, c.Local)
			}
		})
	}
}

// What is told of one client that came to the port itself is told of many once a minute.
func TestNotDivertedIsToldOnceAMinute(t *testing.T) {
	said := new(strings.Builder)
	p := divertedTo(t, greeting, given{config: func(c *Config) { c.Log = slog.New(slog.NewTextHandler(said, nil)) }}, Intercept, "")
	for range 3 {
		p.wants(p.play(), over)
	}
	p.passes(notDivertedEvery + time.Second)
	p.wants(p.play(), over)
	const text = "NAT/TPROXY lookup failed to locate original IPs on local=192.0.2.1:3129 remote=10.9.9.9:1234"
	if n := strings.Count(said.String(), text); n != 2 || !strings.Contains(said.String(), "(2 more since the last message)") {
		t.Errorf("the log has %q", said)
	}
}

// A diverted connection of an https_port is a tunnel before anything is said in it.
func TestReadDivertsIntoATunnel(t *testing.T) {
	for wanted, host := range map[string]string{"198.51.100.7:443": "198.51.100.7:443", "[2001:db8::7]:8443": "[2001:db8::7]:8443"} {
		p := divertedTo(t, reading, given{ask: "\x16\x03", config: func(c *Config) { c.Ports[0].Tunnels = true }}, Intercept, wanted)
		p.wants(p.play(), admitting)
		r := p.request
		if !r.IsConnect() || string(r.Target.AppendURL(nil)) != host || !p.established || p.keepClient || p.record.Unread {
			t.Errorf("it is %s %s; established %v, kept %v", r.Method, r.Target.AppendURL(nil), p.established, p.keepClient)
		}
		if r.TLS == nil || r.TLS.Step != 1 || r.TLS.PeerName() != netip.MustParseAddrPort(wanted).Addr().String() {
			t.Errorf("of its TLS is known %+v", r.TLS)
		}
		if got := string(p.client.in.bytes()); got != "\x16\x03" {
			t.Errorf("of what the client said %q is left", got)
		}
		p.wants(p.inside(peeking), peeking) // nobody is told 200
		if p.browser.Read() != nil {
			t.Error("the client was told something")
		}
	}
}

// The name in a ClientHello is whom the client means.
func TestPeekedNamesTheTunnel(t *testing.T) {
	p := divertedTo(t, reading, given{ask: "\x16", config: func(c *Config) { c.Ports[0].Tunnels = true }}, Intercept, "198.51.100.7:443")
	p.wants(p.play(), admitting)
	if err := p.named("Site.Test"); err != nil {
		t.Fatal(err)
	}
	if got := string(p.request.Target.AppendURL(nil)); got != "site.test:443" || !strings.Contains(string(p.head), "Host: Site.Test:443\r\n") {
		t.Errorf("it is one to %s, by the head %q", got, p.head)
	}
	p.reread() // as when the tunnel is there
	if got := string(p.request.Target.AppendURL(nil)); got != "site.test:443" {
		t.Errorf("read anew it is one to %s", got)
	}
	for _, name := range []string{"a..b", ".", "-" + strings.Repeat("a", 300)} {
		if p.named(name) == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

// A port does not become one of tproxy while it is open, for the kernel has to be told before.
func TestPortsOfTPROXYBecomeNothingElse(t *testing.T) {
	for _, row := range []struct {
		from, to Mode
		ok       bool
	}{{Forward, TPROXY, false}, {TPROXY, Intercept, false}, {Forward, Intercept, true}, {TPROXY, TPROXY, true}} {
		p := divertedTo(t, greeting, given{}, row.from, "198.51.100.7:80")
		port := Port{Addr: netip.MustParseAddrPort("192.0.2.1:3129"), Mode: row.to}
		_, err := p.engine.openPort(&port, p.engine.ports, nil, nil)
		if (err == nil) != row.ok || err != nil && !strings.Contains(err.Error(), "at the next start") {
			t.Errorf("from %d to %d: %v", row.from, row.to, err)
		}
	}
}

// A request that names a path alone is completed by the policy, when its head is read and whenever it is read anew.
func TestReadCompletes(t *testing.T) {
	const ask = "GET /page HTTP/1.1\r\nHost: a.example\r\n\r\n"
	g := given{ask: ask, policy: func(s *scripted) {
		s.complete = func(r *Request) *Failure {
			if err := r.Locate("http", r.Header.Get("Host"), 0); err != nil {
				return &Failure{Kind: BadRequest, Side: ClientSide, Err: err}
			}
			return nil
		}
	}}
	p := divertedTo(t, reading, g, Intercept, "198.51.100.7:80")
	p.wants(p.play(), admitting)
	for range 2 {
		if got := string(p.request.Target.AppendURL(nil)); got != "http://a.example/page" {
			t.Errorf("it asks for %s", got)
		}
		p.reread()
	}
	g.ask = strings.Replace(ask, "a.example", "a@example", 1)
	p = divertedTo(t, reading, g, Intercept, "198.51.100.7:80")
	p.wantsFailure(p.play(), BadRequest, ClientSide, true)
}
