package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	postRequest = "POST http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
	chunkedPost = "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	oldRequest  = "GET http://a.example/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
	okReply     = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\n"
	okPassed    = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"
)

// relayed is a transaction of which the server, and then the client, has said something.
func relayed(t *testing.T, g given, server string, client string) *played {
	t.Helper()
	p := newTransaction(t, relaying, g)
	p.server.WriteString(server)
	p.browser.WriteString(client)
	p.turn()
	return p
}

func TestRelayPassesTheReplyOn(t *testing.T) {
	const chunkedReply = "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
	toProxy := given{ask: connectRequest, hop: proxied}
	for _, row := range []struct {
		name  string
		given given
		reply string
		want  string
		keep  bool // the client's connection
		kept  bool // the server's
	}{
		{"a length", given{}, okReply + "ok", okPassed + "ok", true, true},
		{"chunks", given{}, chunkedReply,
			"HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n2\r\nok\r\n0\r\n\r\n", true, true},
		{"chunks to HTTP/1.0", given{ask: oldRequest}, chunkedReply,
			"HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nok", false, true},
		{"no body for a HEAD", given{ask: "HEAD http://a.example/ HTTP/1.1\r\n\r\n"}, okReply, okPassed, true, true},
		{"a reply without a date gets one", given{}, "HTTP/1.1 204 No Content\r\n\r\n",
			"HTTP/1.1 204 No Content\r\nDate: Tue, 01 Jan 2030 12:00:00 GMT\r\nConnection: keep-alive\r\n\r\n", true, true},
		{"a server that will close", given{}, "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", okPassed + "ok", true, false},
		{"where servers are not persistent", given{config: func(c *Config) { c.NoServerPersistence = true }}, okReply + "ok", okPassed + "ok", true, false},
		{"what a proxy says to a CONNECT that is not to be", toProxy, "HTTP/1.1 407 X\r\nDate: now\r\nContent-Length: 2\r\n\r\nno",
			"HTTP/1.1 407 Proxy Authentication Required\r\nDate: now\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno", true, false},
		{"what a proxy forbids", toProxy, "HTTP/1.1 403 X\r\nDate: now\r\nContent-Length: 2\r\n\r\nno",
			"HTTP/1.1 403 Forbidden\r\nDate: now\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno", true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := relayed(t, row.given, row.reply, "")
			p.wants(p.play(), relaying)
			if !p.woke() || !p.replied {
				t.Errorf("woken %v, replied %v", p.woke(), p.replied)
			}
			p.wantsHeard(p.browser, "") // it is written in the loop's next pass
			p.wantsCalls("edit 1")
			p.wants(p.play(), over)
			p.wantsHeard(p.browser, row.want)
			p.wantsBuffers(1) // the request's head
			if p.keepClient != row.keep || p.keepUpstream != row.kept || p.failure != nil {
				t.Errorf("kept: the client's %v, the server's %v; failure %v", p.keepClient, p.keepUpstream, p.failure)
			}
			p.enter(over)
			p.finish()
			if idle := p.worker.idle.count == 1; idle != row.kept {
				t.Errorf("the server's connection is idle now: %v", idle)
			}
		})
	}
}

func TestRelayWaitsForTheReply(t *testing.T) {
	p := newTransaction(t, relaying, given{config: func(c *Config) { c.KeepReplyHeads = true }})
	p.wants(p.play(), relaying)
	p.wantsBuffers(1)
	p.passes(time.Minute)
	p.server.WriteString("HTTP/1.1 200 OK\r\n")
	p.turn()
	p.wants(p.play(), relaying)
	if p.replied || p.woke() || p.deadline != p.now().Add(15*time.Minute) {
		t.Errorf("replied %v, woken %v, until %v", p.replied, p.woke(), p.deadline)
	}
	p.wants(p.play(), relaying)
	p.wantsBuffers(2)
	p.server.WriteString("Date: now\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n")
	p.turn()
	p.wants(p.play(), relaying)
	p.wants(p.play(), relaying)
	p.wantsHeard(p.browser, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n")
	rec := &p.record
	if rec.Status != 200 || string(rec.ContentType) != "text/plain" || !strings.HasPrefix(string(rec.ReplyHead), "HTTP/1.1 200 OK\r\nDate") ||
		rec.Spent.Upstream != time.Minute {
		t.Errorf("the record says %d %q %q %v", rec.Status, rec.ContentType, rec.ReplyHead, rec.Spent.Upstream)
	}
	p.server.WriteString("ok")
	p.turn()
	p.wants(p.play(), over)
	p.wantsHeard(p.browser, "ok")
}

// As long as something moves, either way, nobody is late.
func TestRelayWaitsAnewWhenBytesMove(t *testing.T) {
	p := relayed(t, given{ask: postRequest}, okReply, "")
	p.wants(p.play(), relaying)
	p.wants(p.play(), relaying) // the reply's head is on its way
	for _, says := range []func(){
		func() { p.browser.WriteString("a") },
		func() { p.server.WriteString("o") },
	} {
		p.passes(time.Minute)
		if p.wants(p.play(), relaying); p.deadline == p.now().Add(15*time.Minute) {
			t.Fatal("it waits anew although nothing has moved")
		}
		says()
		p.turn()
		if p.wants(p.play(), relaying); p.deadline != p.now().Add(15*time.Minute) {
			t.Errorf("it waits until %v", p.deadline)
		}
	}
}

func TestRelayInterimReplies(t *testing.T) {
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	t.Run("are passed on at once, one after the other", func(t *testing.T) {
		p := relayed(t, given{}, "HTTP/1.1 100 Continue\r\n\r\n"+hints, "")
		p.wants(p.play(), relaying)
		p.wantsHeard(p.browser, "HTTP/1.1 100 Continue\r\n\r\n"+hints)
		if p.replied || p.record.Status != 0 {
			t.Errorf("replied %v, status %d", p.replied, p.record.Status)
		}
		p.wantsCalls()
	})
	t.Run("are not for HTTP/1.0", func(t *testing.T) {
		p := relayed(t, given{ask: oldRequest}, hints, "")
		p.wants(p.play(), relaying)
		p.wantsHeard(p.browser, "")
	})
	t.Run("wait for a client that takes nothing", func(t *testing.T) {
		p := newTransaction(t, relaying, given{})
		p.browser.SetCapacity(5)
		p.server.WriteString(hints + hints)
		p.turn()
		for range 3 {
			p.wants(p.play(), relaying)
			p.turn()
		}
		p.wantsHeard(p.browser, hints[:5])
		p.wantsBuffers(3)
		p.browser.SetCapacity(-1)
		p.turn()
		p.wants(p.play(), relaying)
		p.wantsHeard(p.browser, hints[5:]+hints)
	})
	t.Run("without end do not keep us busy for ever", func(t *testing.T) {
		p := relayed(t, given{}, strings.Repeat(hints, 2*pumpBudget/len(hints)), "")
		p.wants(p.play(), relaying)
		if n := p.server.Unread(); n == 0 || !p.woke() {
			t.Errorf("%d bytes are left, woken %v", n, p.woke())
		}
	})
}

func TestRelayUploads(t *testing.T) {
	t.Run("what comes, and waits for the rest", func(t *testing.T) {
		p := relayed(t, given{ask: postRequest}, "", "abc")
		p.wants(p.play(), relaying)
		p.wantsHeard(p.server, "abc")
		p.wants(p.play(), relaying)
		p.wantsHeard(p.server, "")
		p.browser.WriteString("deNEXT")
		p.turn()
		p.wants(p.play(), relaying)
		p.wantsHeard(p.server, "de")
		if !p.uploaded() || string(p.up.excess()) != "NEXT" {
			t.Errorf("all is read %v, of the next request %q", p.uploaded(), p.up.excess())
		}
	})
	t.Run("nothing that the server has no room for", func(t *testing.T) {
		p := newTransaction(t, relaying, given{ask: "POST http://a.example/ HTTP/1.1\r\nContent-Length: 999999\r\n\r\n"})
		p.server.SetCapacity(0)
		p.browser.WriteString(strings.Repeat("x", 999999))
		p.turn()
		p.wants(p.play(), relaying)
		p.wants(p.play(), relaying)
		p.wantsBuffers(2)
		if n := p.browser.Unread(); n == 0 {
			t.Error("all of it was read, and is kept here")
		}
	})
}

func TestRelayRepliesBeforeTheUploadIsOver(t *testing.T) {
	t.Run("to a client that has not sent all", func(t *testing.T) {
		p := relayed(t, given{ask: postRequest}, "HTTP/1.1 413 X\r\nDate: now\r\nContent-Length: 2\r\n\r\nno", "abc")
		p.wants(p.play(), relaying)
		p.wants(p.play(), over)
		if got := string(p.browser.Read()); !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.HasSuffix(got, "\r\n\r\nno") {
			t.Errorf("the client is told %q", got)
		}
		p.enter(over)
		p.finish()
		if p.worker.idle.count != 0 || p.worker.clients.phase != lingering {
			t.Error("a connection with half a request on it is to serve another")
		}
	})
	t.Run("of a server that takes no more of it", func(t *testing.T) {
		p := newTransaction(t, relaying, given{ask: postRequest})
		p.server.WriteString("HTTP/1.1 413 X\r\nDate: now\r\nContent-Length: 2\r\n\r\nno")
		p.server.Close()
		p.browser.WriteString("a")
		p.turn()
		p.wants(p.play(), relaying)
		p.browser.WriteString("b")
		p.turn()
		p.wants(p.play(), over)
		if got := string(p.browser.Read()); !strings.HasPrefix(got, "HTTP/1.1 413 ") {
			t.Errorf("the client is told %q", got)
		}
	})
}

// Neither way keeps the worker from others for long, and none is forgotten.
func TestRelayLetsOthersHaveTheirTurn(t *testing.T) {
	much := strings.Repeat("x", 3*pumpBudget)
	length := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(much))
	post := given{ask: "POST http://a.example/ HTTP/1.1\r\n" + length}
	wants := func(p *played, moved int64) {
		p.t.Helper()
		if moved < pumpBudget || moved > 2*pumpBudget+relaySize || !p.woke() {
			p.t.Errorf("%d bytes were moved, woken %v", moved, p.woke())
		}
	}
	t.Run("a large reply", func(t *testing.T) {
		p := relayed(t, given{}, "HTTP/1.1 200 OK\r\n"+length+much, "")
		p.wants(p.play(), relaying)
		p.turn()
		p.wants(p.play(), relaying)
		wants(p, p.down.out)
	})
	t.Run("a large upload", func(t *testing.T) {
		p := relayed(t, post, "", much)
		p.wants(p.play(), relaying)
		wants(p, p.up.out)
	})
	t.Run("a large upload, some of the reply being there", func(t *testing.T) {
		p := relayed(t, post, okReply, "")
		p.wants(p.play(), relaying)
		p.wants(p.play(), relaying)
		p.browser.WriteString(much)
		p.turn()
		p.wants(p.play(), relaying)
		wants(p, p.up.out)
	})
}
