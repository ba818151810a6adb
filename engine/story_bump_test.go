package engine_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"exaproxy/engine"
	"exaproxy/engine/enginetest"
	"exaproxy/engine/enginetest/tlspeer"
)

// whims is a policy that decides about tunnels as it pleases.
type whims struct {
	plain
	t    *testing.T
	rand *rand.Rand
}

func (p *whims) Bump(r *engine.Request) engine.Bump {
	const splice, peek, stare, after, terminate = engine.BumpSplice, engine.BumpPeek, engine.BumpStare, engine.BumpServerFirst, engine.BumpTerminate
	possible := []engine.Bump{splice, peek, peek, peek, stare, engine.BumpClientFirst, after, terminate}
	switch seen := r.TLS; {
	case seen.NotTLS != nil:
		possible = []engine.Bump{splice, terminate}
	case seen.Step == 2:
		possible = []engine.Bump{splice, peek, stare, engine.BumpClientFirst, after, terminate}
	case seen.Step == 3 && seen.Action == peek:
		possible = []engine.Bump{splice, splice, terminate}
	case seen.Step == 3:
		possible = []engine.Bump{after, after, terminate}
	}
	return possible[p.rand.IntN(len(possible))]
}

func (p *whims) Record(rec *engine.Record) {
	p.plain.Record(rec)
	if rec.Failure != nil && rec.Failure.Kind == engine.Internal {
		p.t.Errorf("a fault of ours: %v", rec.Failure)
	}
}

var tlsAuthorities = enginetest.Security{Wait: synctest.Wait, Proxy: tlspeer.NewAuthority("the proxy's"), Sites: tlspeer.NewAuthority("the sites'")}

// looking is a port whose tunnels are looked into, under a policy of whims.
func looking(t *testing.T, r *rand.Rand) func(*engine.Config) {
	return func(c *engine.Config) {
		c.Ports[0].Bump = true
		c.Ports[0].Certificate = func(host string) (*tls.Certificate, error) {
			if host == "" {
				return nil, fmt.Errorf("nobody has no name")
			}
			cert := tlsAuthorities.Proxy.Issue(host)
			return &cert, nil
		}
		c.OutgoingTLS = &tls.Config{InsecureSkipVerify: r.IntN(2) == 0}
		c.HalfClosed = r.IntN(2) == 0
		c.NewPolicy = func(s engine.Services) (engine.Policy, error) {
			return &whims{plain: plain{log: &strings.Builder{}, helpers: s.Helpers}, t: t, rand: r}, nil
		}
	}
}

// hello is a ClientHello for a.example.
const hello = "\x16\x03\x01\x00\x41\x01\x00\x00\x3d\x03\x03rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\x00\x00\x02\x13\x01\x01\x00" +
	"\x00\x12\x00\x00\x00\x0e\x00\x0c\x00\x00\x09a.example"

// tunnels is a script of three clients that say something in a tunnel, and leave. No sum of its times is a whole
// second: at the moment in which a time is up, some look before the timer's tick.
func tunnels(r *rand.Rand) string {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	var s strings.Builder
	s.WriteString("names know a.example 192.0.2.7\n")
	fmt.Fprintf(&s, "origin 192.0.2.7:443 %s\n", one("listens", "refuses", "vanishes", "speaks tls cert=a.example", "speaks tls cert=a.example",
		"speaks tls cert=a.example version=1.2", "speaks tls cert=b.example version=1.2"))
	for _, c := range []string{"a", "b", "c"} {
		whole := one("CONNECT a.example:443 HTTP/1.1\r\n\r\n", "CONNECT nowhere.example:443 HTTP/1.1\r\n\r\n", "CONNECT forbidden.example:443 HTTP/1.1\r\n\r\n",
			"CONNECT a.example:443 HTTP/1.1\r\n\r\n"+hello, "CONNECT a.example:443 HTTP/1.1\r\n\r\n"+hello[:r.IntN(len(hello))])
		fmt.Fprintf(&s, "client %s says %s\nclient %s skips\n", c, strconv.Quote(whole), c)
		for range max(0, r.IntN(5)-1) {
			fmt.Fprintf(&s, "client %s %s\n", c, one("says "+strconv.Quote(hello), "says "+strconv.Quote(hello[:1+r.IntN(len(hello)-1)]),
				`says "SSH-2.0-OpenSSH\r\n"`, `says "GET / HTTP/1.1\r\n\r\n"`, `says "\x16\x03\x01\x00\x02\x01"`, "stalls", "resumes", "finishes", "skips"))
			fmt.Fprintf(&s, "clock +%s\n", one("0s", "0s", "1003ms", "6005ms", "11009ms", "31017ms"))
		}
		if r.IntN(2) == 0 {
			fmt.Fprintf(&s, "client %s skips\nclient %s begins tls sni=%s version=%s gets=%s\n", c, c, one("a.example", "a.example", "b.example", "odd%name", ""), one("1.2", "1.3"), one("", "/one", "http://b.example/", "*"))
		}
		fmt.Fprintf(&s, "clock +%s\nclient %s %s\n", one("0s", "0s", "6005ms", "11009ms"), c, one("closes", "resets", "finishes"))
		if r.IntN(3) == 0 {
			s.WriteString("clock +61033ms\n")
		}
	}
	return s.String()
}

// TestTunnelsEndWhateverHappens has clients, servers and rules of every kind: nothing is a fault of ours, and in the
// end nothing is held.
func TestTunnelsEndWhateverHappens(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				w := world(t, looking(t, r))
				w.Security = tlsAuthorities
				w.Segment = []int{0, 1, 7, 100}[r.IntN(4)]
				script := tunnels(r)
				defer func() {
					if t.Failed() {
						t.Logf("in pieces of %d:\n%s", w.Segment, script)
					}
				}()
				w.Play(script)
				w.End()
			})
		})
	}
}
