package engine

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// serverSays makes the beginning of what a server of TLS 1.2 answers: its ServerHello, and these certificates.
func serverSays(chain ...[]byte) string {
	list := ""
	for _, der := range chain {
		list += "\x00" + two(len(der)) + string(der)
	}
	greeting := "\x03\x03" + strings.Repeat("r", 32) + "\x00\xc0\x2b\x00"
	messages := "\x02\x00" + two(len(greeting)) + greeting + "\x0b\x00" + two(len(list)+3) + "\x00" + two(len(list)) + list
	return "\x16\x03\x03" + two(len(messages)) + messages
}

// newOverhearing has the client's ClientHello be on its way to the server, with what the policy says then.
func newOverhearing(t *testing.T, said string, answers ...Bump) *played {
	t.Helper()
	p := newPeeked(t, said, append([]Bump{BumpPeek}, answers...)...)
	p.goes(admitting, asking, interpreting, routing, resolving, connecting, overhearing)
	p.server = p.port.Accept()
	p.policy.calls = nil
	return p
}

func TestOverhearPassesOnWhatWasSaid(t *testing.T) {
	p := newOverhearing(t, hello+"early data")
	p.wants(p.play(), overhearing)
	p.wants(p.play(), overhearing)
	p.turn()
	p.wantsHeard(p.server, hello+"early data")
	p.wantsHeard(p.browser, "")
	p.wantsBuffers(3) // the request's head, what the client has said, and room for the answer
}

func TestOverhearWaitsForTheServerToTake(t *testing.T) {
	p := newOverhearing(t, hello)
	p.server.SetCapacity(10)
	p.wants(p.play(), overhearing)
	p.wantsHeard(p.server, hello[:10])
	p.server.SetCapacity(-1)
	p.turn()
	p.wants(p.play(), overhearing)
	p.wantsHeard(p.server, hello[10:])
}

func TestOverhearLearnsTheCertificates(t *testing.T) {
	chain := bumpAuthority.Issue("a.example").Certificate
	for _, row := range []struct {
		name  string
		shown [][]byte
		want  int
	}{
		{"all of them", chain, 2},
		{"up to one that cannot be read", [][]byte{chain[0], []byte("nonsense"), chain[1]}, 1},
		{"16 at most", slices.Repeat(chain[:1], 20), 16},
		{"none", nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newOverhearing(t, hello, BumpSplice)
			p.wants(p.play(), overhearing)
			said := serverSays(row.shown...)
			p.server.WriteString(said[:len(said)-1])
			p.turn()
			p.wants(p.play(), overhearing)
			p.server.WriteString(said[len(said)-1:] + "and more")
			p.turn()
			p.wants(p.play(), bumping)
			if seen := p.request.TLS; seen.Step != 3 || len(seen.Server) != row.want {
				t.Errorf("at step %d it knows %d certificates", seen.Step, len(seen.Server))
			}
			if got := p.record.Server; got == nil || *got != (ServerTLS{Record: 0x0303, Chosen: 0x0303}) {
				t.Errorf("the record has %+v of the server", got)
			}
			p.wantsHeard(p.browser, "") // it is not decided yet
			p.enter(bumping)
			p.goes(tunnelling)
			p.wants(p.play(), tunnelling)
			p.wantsHeard(p.browser, said+"and more")
			p.turn()
			p.wantsHeard(p.server, hello)
			p.wantsBuffers(0)
			p.wantsCalls("bump at 3")
		})
	}
}

// TestWhatIsNoServerOfTLS is told of inside, and what the client has said is kept for that.
func TestWhatIsNoServerOfTLS(t *testing.T) {
	for name, row := range map[string]struct {
		does func(*played)
		kind FailureKind
		err  string
	}{
		"another protocol":    {func(p *played) { p.server.WriteString("220 mail\r\n") }, CannotSecure, "the server does not speak TLS"},
		"an alert":            {func(p *played) { p.server.WriteString("\x15\x03\x03\x00\x02\x02\x28") }, CannotSecure, "remote error: tls: handshake failure"},
		"one that closes":     {func(p *played) { p.server.Close() }, CannotSecure, "EOF"},
		"one that breaks off": {func(p *played) { p.server.Reset() }, CannotSecure, "read: connection reset by peer"},
		"an answer of 128 KB": {func(p *played) {
			p.server.WriteString(strings.Repeat("\x16\x03\x03\x40\x00\x02\x00\x0f\xff"+strings.Repeat("x", 16380), 9))
		}, CannotSecure, "the server does not speak TLS"},
		"one that never ends":   {func(p *played) { p.server.WriteString("\x16\x03\x03\x40\x00\x02\xff\xff\xff") }, CannotSecure, "the server does not speak TLS"},
		"one without an answer": {nil, SecureLate, errHandshakeLate.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			p := newOverhearing(t, hello)
			p.wants(p.play(), overhearing)
			var next stage
			if row.does != nil {
				row.does(p)
				p.turn()
				next = p.play()
			} else {
				next = p.wantsTimeout(time.Minute)
			}
			p.wants(next, securing)
			if f := p.failure; f == nil || f.Kind != row.kind || f.Side != UpstreamSide || f.During != "overhearing" || f.Err.Error() != row.err {
				t.Errorf("the failure is %+v", f)
			}
			p.wantsCalls("page " + row.kind.String())
			if got := string(p.heard().bytes()); got != hello || !p.inTunnel || p.decrypts || p.keepClient {
				t.Errorf("%q is kept of %d bytes; inside %v, decrypts %v, kept %v", got, len(hello), p.inTunnel, p.decrypts, p.keepClient)
			}
			p.enter(securing)
			p.wants(p.play(), securing)
			if p.handshake == nil {
				t.Error("no handshake has begun")
			}
			p.wantsBuffers(2) // the request's head, and what the server has said
		})
	}
}

func TestOverhearIsAbandoned(t *testing.T) {
	for name, leave := range map[string]func(*played){
		"by who closes": func(p *played) { p.browser.Close() },
		"by who resets": func(p *played) { p.browser.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newOverhearing(t, hello)
			p.wants(p.play(), overhearing)
			leave(p)
			p.turn()
			if !p.abandoned() {
				t.Error("it goes on")
			}
		})
	}
}

func TestBumpAtTheThirdStep(t *testing.T) {
	for _, answer := range []Bump{BumpTerminate, BumpClientFirst, BumpServerFirst} {
		p := newOverhearing(t, hello, answer)
		p.wants(p.play(), overhearing)
		p.server.WriteString(serverSays())
		p.turn()
		p.goes(bumping, over) // who has heard the client's words can hear no others
		p.wantsHeard(p.browser, string(accessDenied))
	}
}

// TestALookAtTheClientHello comes before the server hears of it (tunnel_check).
func TestALookAtTheClientHello(t *testing.T) {
	for name, refuse := range map[string]error{"that allows": nil, "that refuses": errTest} {
		t.Run(name, func(t *testing.T) {
			p := newOverhearing(t, hello, BumpSplice)
			c := &curious{scripted: p.policy, refuse: refuse}
			p.setup.policy = c
			t.Cleanup(func() { p.setup.policy = p.policy })
			if refuse != nil {
				p.goes(over)
				p.turn()
				p.wantsHeard(p.server, "")
				if p.failure == nil || !errors.Is(p.failure.Err, errTest) || p.failure.During != "overhearing" {
					t.Errorf("the failure is %v", p.failure)
				}
				return
			}
			p.wants(p.play(), overhearing)
			p.server.WriteString(serverSays())
			p.turn()
			p.goes(bumping, tunnelling)
			if !slices.Equal(c.heard, []string{"a.example"}) {
				t.Errorf("it looked at %q", c.heard)
			}
		})
	}
}

// TestLongAnswersAreRead, in a buffer that grows.
func TestLongAnswersAreRead(t *testing.T) {
	p := newOverhearing(t, hello, BumpSplice)
	p.wants(p.play(), overhearing)
	said := ""
	for message := serverSays(make([]byte, 60000))[5:]; len(message) > 0; { // its record would be too long
		part := message[:min(len(message), 1<<14)]
		said += "\x16\x03\x03" + two(len(part)) + part
		message = message[len(part):]
	}
	p.server.WriteString(said)
	for range 8 {
		p.turn()
		if next := p.play(); next == bumping {
			p.enter(bumping)
			break
		}
	}
	p.goes(tunnelling)
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, said)
}
