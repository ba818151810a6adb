package engine

import (
	"errors"
	"strings"
	"testing"

	"exaproxy/engine/tlshello"
)

// curious looks at all tunnels, and refuses what the test wants refused.
type curious struct {
	*scripted
	refuse error
	heard  []string
}

func (c *curious) Looks(*Request) bool { return true }

func (c *curious) Hello(_ *Request, h *tlshello.Hello, err error) *Failure {
	c.heard = append(c.heard, h.ServerName)
	switch {
	case err != nil:
		return &Failure{Kind: Refused, Side: ClientSide, Err: err}
	case c.refuse != nil:
		return &Failure{Kind: Refused, Side: ClientSide, Err: c.refuse}
	}
	return nil
}

// hello is a ClientHello for a.example.
const hello = "\x16\x03\x01\x00\x41\x01\x00\x00\x3d\x03\x03rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\x00\x00\x02\x13\x01\x01\x00" +
	"\x00\x12\x00\x00\x00\x0e\x00\x0c\x00\x00\x09a.example"

// newTunnel puts a CONNECT at the stage in which its connection is there, under a policy that looks.
func newTunnel(t *testing.T, said string) (*played, *curious) {
	t.Helper()
	p := newTransaction(t, tunnelling, given{ask: connectRequest})
	c := &curious{scripted: p.policy}
	p.setup.policy = c
	t.Cleanup(func() { p.setup.policy = p.policy })
	p.recall()
	p.client.in = p.worker.buffers.head() // as before the tunnel
	p.up.release()
	p.down.release()
	p.browser.Read()
	p.enter(p.openTunnel(nil))
	p.browser.WriteString(said)
	p.turn()
	return p, c
}

func TestCheckTellsTheClientFirst(t *testing.T) {
	p, c := newTunnel(t, "")
	p.wants(p.play(), checking)
	p.wantsHeard(p.browser, established)
	if len(c.heard) != 0 || p.server != nil && string(p.server.Read()) != "" {
		t.Errorf("something was judged already: %q", c.heard)
	}
}

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		name, said string
		refuse     error
		next       stage
	}{
		{"half a ClientHello tells nothing yet", hello[:30], nil, checking},
		{"one that may pass opens the tunnel", hello, nil, tunnelling},
		{"and so does one behind which more follows", hello + "\x14\x03\x03", nil, tunnelling},
		{"one that may not ends it", hello, errors.New("no"), over},
		{"anything else ends it", "SSH-2.0-OpenSSH\r\n", nil, over},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, c := newTunnel(t, row.said)
			c.refuse = row.refuse
			p.wants(p.play(), row.next)
			if refused := p.failure != nil; refused != (row.next == over) {
				t.Errorf("the failure is %v", p.failure)
			}
			if row.next != tunnelling {
				return
			}
			if said := p.client.connection.Hello; said == nil || said.ServerName != "a.example" || p.request != nil {
				t.Errorf("%+v is kept, and a request: %v", said, p.request != nil)
			}
			p.enter(tunnelling)
			p.wants(p.play(), tunnelling)
			p.turn()
			p.wantsHeard(p.server, row.said)
		})
	}
}

func TestCheckEndsWithASilentClient(t *testing.T) {
	p, _ := newTunnel(t, hello[:10])
	p.wants(p.play(), checking)
	p.wants(p.wantsTimeout(checkTime), over)
	if p.failure == nil || !errors.Is(p.failure.Err, tlshello.ErrShort) {
		t.Errorf("the failure is %v", p.failure)
	}
}

func TestCheckEndsWithAClientThatLeaves(t *testing.T) {
	p, _ := newTunnel(t, hello[:10])
	p.wants(p.play(), checking)
	p.browser.CloseWrite()
	p.turn()
	p.wants(p.play(), over)
}

// TestCheckReadsLongHellos has one of 40 KB, in three records, that came in part with its CONNECT.
func TestCheckReadsLongHellos(t *testing.T) {
	padding := strings.Repeat("p", 40000)
	extensions := "\x00\x00\x00\x0e\x00\x0c\x00\x00\x09a.example" + "\x00\x15\x9c\x40" + padding
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x02\x13\x01\x01\x00" + two(len(extensions)) + extensions
	message := "\x01\x00" + two(len(body)) + body
	long := ""
	for len(message) > 0 {
		part := message[:min(len(message), 15000)]
		long += "\x16\x03\x01" + two(len(part)) + part
		message = message[len(part):]
	}
	p, _ := newTunnel(t, "")
	p.worker.buffers.put(p.client.in)
	p.client.in = p.worker.buffers.exactly(30000)
	p.client.in.w = copy(p.client.in.b, long[:30000])
	p.wants(p.play(), checking)
	p.browser.WriteString(long[30000:])
	p.turn()
	p.wants(p.play(), tunnelling)
	p.enter(tunnelling)
	for range 4 {
		p.play()
		p.turn()
	}
	if got := string(p.server.Read()); got != long {
		t.Errorf("%d of %d bytes go on", len(got), len(long))
	}
}

// TestPeekReadsNoHelloForEver has one of 60 KB, which is not too long, in so many records that it takes more than
// 64 KB with their headers.
func TestPeekReadsNoHelloForEver(t *testing.T) {
	message := "\x01\x00" + two(60000) + strings.Repeat("m", 60000)
	var said strings.Builder
	for len(message) > 0 {
		part := message[:min(len(message), 20)]
		said.WriteString("\x16\x03\x01" + two(len(part)) + part)
		message = message[len(part):]
	}
	for _, row := range []struct {
		sent int
		next stage
	}{{tlshello.Longest - 1, peeking}, {tlshello.Longest + 1, bumping}} {
		p := newBumping(t, BumpPeek)
		p.goes(establishing, peeking)
		p.browser.WriteString(said.String()[:row.sent])
		p.turn()
		p.wants(p.play(), row.next)
		if seen := p.request.TLS; row.next == bumping && seen.NotTLS != tlshello.ErrMalformed {
			t.Errorf("after %d bytes it is %v", row.sent, seen.NotTLS)
		}
	}
}

func two(n int) string { return string([]byte{byte(n >> 8), byte(n)}) }
