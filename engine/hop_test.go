package engine_test

import (
	"net/netip"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/enginetest"
)

// parents is a policy that sends every request through proxies, one after the other, and at last to the
// server itself.
type parents struct {
	plain
	hops   []engine.Hop
	direct bool
}

func (p *parents) Route(r *engine.Request, failed []engine.Attempt) engine.Route {
	switch {
	case len(failed) < len(p.hops):
		return engine.Route{Hop: p.hops[len(failed)]}
	case len(failed) == len(p.hops) && p.direct:
		return engine.Route{Hop: engine.Direct(r)}
	}
	return engine.Route{Action: engine.Refuse}
}

func proxyAt(addr string) engine.Hop {
	at := netip.MustParseAddrPort(addr)
	return engine.Hop{Host: []byte(at.Addr().String()), Port: at.Port(), Proxy: true, Hierarchy: "FIRST_UP_PARENT"}
}

// playRouted plays a script, with everything arriving whole and cut to pieces, under a policy that new makes.
func playRouted(t *testing.T, script string, policy func(plain) engine.Policy) {
	t.Helper()
	for _, segment := range []int{0, 1, 7} {
		log := &strings.Builder{}
		w := enginetest.NewWorld(t, engine.Config{
			Ports:     []engine.Port{{Addr: netip.MustParseAddrPort("192.0.2.1:3128")}},
			NewPolicy: func(engine.Services) (engine.Policy, error) { return policy(plain{log: log}), nil },
		})
		w.Segment = segment
		w.Log = func() string {
			defer log.Reset()
			return log.String()
		}
		w.Play(script)
		w.End()
	}
}

func TestThroughProxies(t *testing.T) {
	for _, row := range []struct {
		name, script string
		policy       parents
	}{
		{"a proxy reads all of the URL", `
origin 192.0.2.10:3128 listens
client a sends                 GET http://a.example/x?y HTTP/1.1
origin 192.0.2.10:3128 reads   GET http://a.example/x?y HTTP/1.1
                               Host: a.example
                               Connection: keep-alive
origin 192.0.2.10:3128 sends   HTTP/1.1 204 No Content
client a reads                 HTTP/1.1 204 No Content
                               …
client a sends                 GET http://b.example/ HTTP/1.1
origin 192.0.2.10:3128 reads   GET http://b.example/ HTTP/1.1
                               …
origin 192.0.2.10:3128 is alone "the connection to a proxy serves requests for all servers"
`, parents{hops: []engine.Hop{proxyAt("192.0.2.10:3128")}}},
		{"a tunnel through a proxy", `
origin 192.0.2.10:3128 listens
client a sends                 CONNECT a.example:443 HTTP/1.1
client a says                  "early"
origin 192.0.2.10:3128 reads   CONNECT a.example:443 HTTP/1.1
                               Host: a.example:443
                               …
origin 192.0.2.10:3128 says    "HTTP/1.1 200 OK\r\nVia: 1.1 p\r\n\r\nhello"
client a reads                 HTTP/1.1 200 Connection established
client a hears                 "hello"
origin 192.0.2.10:3128 hears   "early"
client a says                  "question"
origin 192.0.2.10:3128 hears   "question"
origin 192.0.2.10:3128 says    "answer"
client a hears                 "answer"
origin 192.0.2.10:3128 closes
client a closes
held clients=0 transactions=0 buffers=0 idleupstreams=0
log has                        CONNECT a.example:443 200 192.0.2.10:3128
`, parents{hops: []engine.Hop{proxyAt("192.0.2.10:3128")}}},
		{"a proxy that refuses a tunnel", `
origin 192.0.2.10:3128 listens
client a sends                 CONNECT a.example:443 HTTP/1.1
origin 192.0.2.10:3128 reads   CONNECT a.example:443 HTTP/1.1
                               …
origin 192.0.2.10:3128 says    "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
client a reads                 HTTP/1.1 403 Forbidden
                               Content-Length: 2
                               …
client a hears                 "no"
log has                        CONNECT a.example:443 403 192.0.2.10:3128
`, parents{hops: []engine.Hop{proxyAt("192.0.2.10:3128")}}},
		{"the next proxy when one cannot be reached", `
origin 192.0.2.10:3128 refuses
origin 192.0.2.11:3128 listens
client a sends                 GET http://a.example/ HTTP/1.1
origin 192.0.2.11:3128 reads   GET http://a.example/ HTTP/1.1
                               …
origin 192.0.2.11:3128 sends   HTTP/1.1 204 No Content
client a reads                 HTTP/1.1 204 No Content
                               …
log has                        GET http://a.example/ 204 192.0.2.11:3128
`, parents{hops: []engine.Hop{proxyAt("192.0.2.10:3128"), proxyAt("192.0.2.11:3128")}}},
		{"the server itself when no proxy can be reached", `
names know a.example 192.0.2.7
origin 192.0.2.10:3128 refuses
origin 192.0.2.7:80 listens
client a sends                 GET http://a.example/ HTTP/1.1
origin 192.0.2.7:80 reads      GET / HTTP/1.1
                               …
`, parents{hops: []engine.Hop{proxyAt("192.0.2.10:3128")}, direct: true}},
		{"nobody can be reached", `
origin 192.0.2.10:3128 refuses
origin 192.0.2.11:3128 refuses
client a sends                 GET http://a.example/ HTTP/1.1
client a reads                 HTTP/1.1 503 Service Unavailable
                               …
log has                        GET http://a.example/ 503 192.0.2.11:3128 (cannot connect while connecting to 192.0.2.11:3128: …)
`, parents{hops: []engine.Hop{proxyAt("192.0.2.10:3128"), proxyAt("192.0.2.11:3128")}}},
		{"a name that does not exist is an attempt too", `
origin 192.0.2.10:3128 listens
client a sends                 GET http://a.example/ HTTP/1.1
origin 192.0.2.10:3128 reads   GET http://a.example/ HTTP/1.1
                               …
`, parents{hops: []engine.Hop{{Host: []byte("gone.example"), Port: 3128, Proxy: true}, proxyAt("192.0.2.10:3128")}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			playRouted(t, row.script, func(p plain) engine.Policy {
				made := row.policy
				made.plain = p
				return &made
			})
		})
	}
}

// judging is a policy whose acl has looked at one address of a.example alone.
type judging struct {
	plain
	addrs []netip.Addr
}

func (p *judging) Route(r *engine.Request, failed []engine.Attempt) engine.Route {
	route := p.plain.Route(r, failed)
	if string(r.Target.Path) == "/judged" {
		route.Hop.Addrs = p.addrs
	}
	return route
}

func TestWhatWasJudgedIsWhatIsConnectedTo(t *testing.T) {
	playRouted(t, `
names know a.example 192.0.2.7 192.0.2.8
origin 192.0.2.7:80 listens
origin 192.0.2.8:80 listens
client a sends               GET http://a.example/ HTTP/1.1
origin 192.0.2.7:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
held idleupstreams=1
client a sends               GET http://a.example/judged HTTP/1.1
origin 192.0.2.8:80 reads    GET /judged HTTP/1.1
                             …
origin 192.0.2.8:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
# the connection that was not judged is kept for others
held idleupstreams=2
client a sends               GET http://a.example/judged HTTP/1.1
origin 192.0.2.8:80 is alone "the connection that leads to a judged address is used again"
origin 192.0.2.8:80 reads    GET /judged HTTP/1.1
                             …
`, func(p plain) engine.Policy {
		return &judging{plain: p, addrs: []netip.Addr{netip.MustParseAddr("192.0.2.8")}}
	})
}

// challenging is a policy that wants to know who asks.
type challenging struct{ plain }

func (p *challenging) Admit(r *engine.Request) engine.Decision {
	if r.Header.Has("Proxy-Authorization") {
		return engine.Decision{}
	}
	fields := "Proxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n"
	return engine.Decision{Action: engine.Challenge, Reply: &engine.LocalReply{Status: 407, Fields: []byte(fields)}}
}

func TestChallengeIsTheAnswerToTheConnectItself(t *testing.T) {
	playRouted(t, `
origin 192.0.2.7:443 listens
client a sends               CONNECT 192.0.2.7:443 HTTP/1.1
client a reads               HTTP/1.1 407 Proxy Authentication Required
                             Proxy-Authenticate: Basic realm="r"
                             Content-Length: 0
                             Connection: keep-alive
client a sends               CONNECT 192.0.2.7:443 HTTP/1.1
                             Proxy-Authorization: Basic dTpw
client a reads               HTTP/1.1 200 Connection established
client a closes
log has                      CONNECT 192.0.2.7:443 407
`, func(p plain) engine.Policy { return &challenging{p} })
}

// doubtful is a policy that has to wait wherever it is asked, once each time.
type doubtful struct {
	plain
	waited map[string]bool
}

func (p *doubtful) pending(r *engine.Request, where string) bool {
	if p.waited[where] {
		return false
	}
	p.waited[where] = true
	r.Waker.Wake()
	return true
}

func (p *doubtful) Admit(r *engine.Request) engine.Decision {
	if p.pending(r, "admit") {
		return engine.Decision{Action: engine.Pending}
	}
	return p.plain.Admit(r)
}

func (p *doubtful) Question(r *engine.Request) ([]byte, engine.Action) {
	if p.pending(r, "question") {
		return nil, engine.Pending
	}
	return p.plain.Question(r)
}

func (p *doubtful) Interpret(r *engine.Request, answer []byte, err error) engine.Decision {
	if p.pending(r, "interpret") {
		return engine.Decision{Action: engine.Pending}
	}
	return p.plain.Interpret(r, answer, err)
}

func (p *doubtful) Route(r *engine.Request, failed []engine.Attempt) engine.Route {
	if p.pending(r, "route") {
		return engine.Route{Action: engine.Pending}
	}
	return p.plain.Route(r, failed)
}

func TestThePolicyMayWaitAnywhere(t *testing.T) {
	playRouted(t, `
origin 192.0.2.7:80 listens
client a sends               GET http://192.0.2.7/ HTTP/1.1
origin 192.0.2.7:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
`, func(p plain) engine.Policy { return &doubtful{plain: p, waited: map[string]bool{}} })
}

func TestWhatWasJudgedForOneServesNobodyElse(t *testing.T) {
	playRouted(t, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
origin 192.0.2.8:80 listens
client a sends               GET http://a.example/judged HTTP/1.1
origin 192.0.2.8:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
held idleupstreams=1
client b sends               GET http://a.example/ HTTP/1.1
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …
`, func(p plain) engine.Policy {
		return &judging{plain: p, addrs: []netip.Addr{netip.MustParseAddr("192.0.2.8")}}
	})
}
