package engine

import (
	"testing"
	"time"
)

func TestEstablishSaysThatTheTunnelIsThere(t *testing.T) {
	p := newTransaction(t, establishing, given{ask: connectRequest})
	p.wants(p.play(), hearing)
	p.wantsHeard(p.browser, established)
	p.wantsBuffers(1) // the request's head
	p.wantsCalls()
	if p.keepClient || !p.inTunnel || p.down.dst != nil || p.replied || p.localReply.Status != page.Status {
		t.Errorf("kept %v, in the tunnel %v, flow %v, replied %v, page %d", p.keepClient, p.inTunnel, p.down.dst, p.replied, p.localReply.Status)
	}
}

func TestEstablishWaitsForTheClient(t *testing.T) {
	p := newTransaction(t, establishing, given{ask: connectRequest, config: func(c *Config) { c.Timeouts.Write = 4 * time.Second }})
	p.browser.SetCapacity(8)
	p.wants(p.play(), establishing)
	p.wants(p.play(), establishing)
	p.wantsHeard(p.browser, established[:8])
	p.wantsBuffers(2)
	p.browser.SetCapacity(-1)
	p.turn()
	p.wants(p.play(), hearing)
	p.wantsHeard(p.browser, established[8:])
}

func TestEstablishFails(t *testing.T) {
	t.Run("when the client takes nothing for too long", func(t *testing.T) {
		p := newTransaction(t, establishing, given{ask: connectRequest, config: func(c *Config) { c.Timeouts.Write = 4 * time.Second }})
		p.browser.SetCapacity(0)
		p.wants(p.play(), establishing)
		p.wants(p.wantsTimeout(4*time.Second), over)
		if p.keepClient {
			t.Error("the connection is to serve another request")
		}
	})
	t.Run("when the client has left", func(t *testing.T) {
		p := newTransaction(t, establishing, given{ask: connectRequest})
		p.browser.Reset()
		p.turn()
		p.wantsFailure(p.play(), ClientGone, ClientSide, false)
		if !p.record.Aborted {
			t.Error("the record does not say so")
		}
	})
}

// A client that has finished what it says in its tunnel still gets its page; nobody else does.
func TestEstablishIsNotAbandonedByHalfAClient(t *testing.T) {
	p := newTransaction(t, establishing, given{ask: connectRequest + "GET / HTTP/1.1\r\n\r\n"})
	p.browser.CloseWrite()
	p.turn()
	for _, next := range []stage{hearing, answering, over} {
		if p.abandoned() {
			t.Fatalf("it is abandoned while %s", p.stage)
		}
		p.wants(p.play(), next)
		p.enter(next)
	}
	p.wantsHeard(p.browser, established+"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
}
