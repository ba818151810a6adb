package engine

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// tunnelled is a transaction in its tunnel, of which the client has been told.
func tunnelled(t *testing.T, g given) *played {
	t.Helper()
	if g.ask == "" {
		g.ask = connectRequest
	}
	p := newTransaction(t, tunnelling, g)
	p.wants(p.play(), tunnelling)
	p.turn()
	return p
}

func TestTunnelOpens(t *testing.T) {
	p := newTransaction(t, tunnelling, given{ask: connectRequest + "early"})
	if p.keepClient || !p.replied || !p.record.Tunnel || p.record.Status != 200 {
		t.Errorf("kept %v, replied %v, record %+v", p.keepClient, p.replied, p.record)
	}
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, established)
	p.wantsHeard(p.server, "early")
	p.wantsBuffers(0)
	if p.request != nil || p.client.in != nil || string(p.head) != connectRequest {
		t.Errorf("request %v, buffer %v, head %q", p.request, p.client.in, p.head)
	}
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, "")
	p.wantsHeard(p.server, "")
	p.wantsCalls()
}

// What the policy has noted of a request is not known from its head.
func TestTunnelKeepsARequestThatThePolicyKnowsMoreOf(t *testing.T) {
	for _, row := range []struct {
		name string
		note func(*Request)
	}{
		{"its own state", func(r *Request) { r.State = 1 }},
		{"who asks", func(r *Request) { r.User = "alice" }},
		{"a note", func(r *Request) { r.AddNote([]byte("k"), []byte("v")) }},
		{"another target", func(r *Request) { r.Rewritten, r.WasRewritten = r.Target, true }},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, connecting, given{ask: connectRequest})
			row.note(p.request)
			p.connected(tunnelling)
			if p.request == nil || string(p.request.Target.Host) != "a.example" {
				t.Fatalf("the request is %v", p.request)
			}
			p.enter(over)
			p.finish()
			if rec := p.policy.records; len(rec) != 1 || !rec[0].Tunnel {
				t.Errorf("the records are %+v", rec)
			}
		})
	}
}

func TestTunnelCarriesBytesBothWays(t *testing.T) {
	p := tunnelled(t, given{})
	p.wantsHeard(p.browser, established)
	p.browser.WriteString("hello")
	p.server.WriteString("welcome")
	p.turn()
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.server, "hello")
	p.wantsHeard(p.browser, "welcome")
	p.wantsBuffers(0)
	if p.woke() || !p.timed || p.deadline != p.now().Add(15*time.Minute) {
		t.Errorf("woken %v, the deadline is %v", p.woke(), p.deadline)
	}
}

func TestTunnelWaitsForWhoTakesNothing(t *testing.T) {
	p := tunnelled(t, given{})
	p.wantsHeard(p.browser, established)
	p.browser.SetCapacity(3)
	p.server.WriteString("welcome")
	p.turn()
	p.wants(p.play(), tunnelling)
	p.wantsBuffers(1)
	p.server.WriteString(strings.Repeat("x", relaySize))
	p.turn()
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, "wel")
	p.turn()
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, "com")
	if n := p.server.Unread(); n != relaySize {
		t.Errorf("%d bytes are left with the server; it is read although the client takes nothing", n)
	}
}

func TestTunnelLetsOthersHaveTheirTurn(t *testing.T) {
	much := strings.Repeat("x", 3*pumpBudget)
	for _, row := range []struct {
		name string
		says func(*played)
	}{
		{"when the server says much", func(p *played) { p.server.WriteString(much) }},
		{"when the client says much", func(p *played) { p.browser.WriteString(much) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := tunnelled(t, given{})
			before := p.moved()
			row.says(p)
			p.turn()
			p.wants(p.play(), tunnelling)
			if n := p.moved() - before; n < 2*pumpBudget || n > 4*pumpBudget || !p.woke() { // each byte is read and written
				t.Errorf("%d bytes were moved, woken %v", n, p.woke())
			}
		})
	}
}

// A tunnel keeps no more of its request than the head; the record has all of it.
func TestTunnelIsRecordedWithItsRequest(t *testing.T) {
	p := tunnelled(t, given{})
	p.enter(over)
	p.finish()
	if got, want := p.policy.recorded, []string{"CONNECT a.example from 10.9.9.9:1234"}; !slices.Equal(got, want) {
		t.Errorf("the records are of %q, want %q", got, want)
	}
}

func TestTunnelEnds(t *testing.T) {
	t.Run("one way at a time", func(t *testing.T) {
		p := tunnelled(t, given{})
		p.browser.WriteString("bye")
		p.browser.CloseWrite()
		p.turn()
		p.wants(p.play(), tunnelling)
		p.wantsHeard(p.server, "bye")
		if !p.server.Closed() || p.browser.Closed() || p.deadline != p.now().Add(halfClosed) {
			t.Errorf("told the server %v, the client %v; the deadline is %v", p.server.Closed(), p.browser.Closed(), p.deadline)
		}
		p.browser.Read()
		p.server.WriteString("and more")
		p.turn()
		p.wants(p.play(), tunnelling)
		p.wantsHeard(p.browser, "and more")
		p.server.CloseWrite()
		p.turn()
		p.wants(p.play(), over)
		if p.record.Aborted || p.failure != nil {
			t.Errorf("aborted %v, failure %v", p.record.Aborted, p.failure)
		}
	})
	for _, row := range []struct {
		name    string
		end     func(*played)
		next    stage
		aborted bool
	}{
		{"the server's end is told to the client", func(p *played) { p.server.CloseWrite() }, tunnelling, false},
		{"a client that breaks off", func(p *played) { p.browser.Reset() }, over, true},
		{"a server that breaks off", func(p *played) { p.server.Reset() }, over, false},
		{"a server that breaks off while the client speaks", func(p *played) {
			p.browser.WriteString("hello")
			p.server.Reset()
		}, over, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := tunnelled(t, given{})
			row.end(p)
			p.turn()
			p.wants(p.play(), row.next)
			if p.record.Aborted != row.aborted || p.failure != nil {
				t.Errorf("aborted %v, failure %v", p.record.Aborted, p.failure)
			}
			if row.next == tunnelling && (!p.browser.Closed() || p.server.Closed()) {
				t.Errorf("told the client %v, the server %v", p.browser.Closed(), p.server.Closed())
			}
		})
	}
}

// A client that has closed wholly is found out when something is written to it.
func TestTunnelEndsWithAClientThatHearsNothing(t *testing.T) {
	p := tunnelled(t, given{})
	p.browser.Close()
	p.server.WriteString("a")
	p.turn()
	p.wants(p.play(), tunnelling)
	p.server.WriteString("b")
	p.turn()
	p.wants(p.play(), over)
	if !p.record.Aborted {
		t.Error("the record does not say so")
	}
}

func TestTunnelIsSilentForTooLong(t *testing.T) {
	p := tunnelled(t, given{config: func(c *Config) { c.Timeouts.Read = 20 * time.Second }})
	p.wants(p.wantsTimeout(20*time.Second), over)
	if p.keepClient || p.failure != nil || p.record.Aborted {
		t.Errorf("kept %v, failure %v, aborted %v", p.keepClient, p.failure, p.record.Aborted)
	}
}

// An end that finishes without a byte cuts the silence that is allowed as well.
func TestTunnelOfWhichOneEndFinishesInSilence(t *testing.T) {
	p := tunnelled(t, given{})
	p.browser.Read()
	p.browser.CloseWrite()
	p.turn()
	p.wants(p.play(), tunnelling)
	if p.deadline != p.now().Add(halfClosed) {
		t.Errorf("the deadline is in %v", p.deadline.Sub(p.now()))
	}
	p.passes(time.Second)
	if p.wants(p.play(), tunnelling); p.deadline != p.now().Add(halfClosed-time.Second) {
		t.Errorf("being played for nothing has moved the deadline: it is in %v", p.deadline.Sub(p.now()))
	}
}
