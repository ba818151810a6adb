package engine

import (
	"strings"
	"testing"
	"time"
)

const pageHead = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: "

func TestAnswer(t *testing.T) {
	const post = "POST http://a.example/ HTTP/1.1\r\n"
	closing, named := page, page
	closing.Close = true
	named.Reason, named.ContentType = "Not So", "text/plain"
	for _, row := range []struct {
		name  string
		given given
		reply LocalReply
		want  string
		keep  bool
		rest  string // of what the client has sent
	}{
		{"a page, and the client goes on", given{}, page, pageHead + "keep-alive\r\n\r\nno\n", true, ""},
		{"a page with a phrase of its own", given{}, named, "HTTP/1.1 403 Not So\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nno\n", true, ""},
		{"a head alone", given{ask: "HEAD http://a.example/ HTTP/1.1\r\n\r\n"}, page, pageHead + "keep-alive\r\n\r\n", true, ""},
		{"a page that ends the connection", given{}, closing, pageHead + "close\r\n\r\nno\n", false, ""},
		{"a page to who wants to close", given{ask: "GET http://a.example/ HTTP/1.0\r\n\r\n"}, page, pageHead + "close\r\n\r\nno\n", false, ""},
		{"a body that is here already is passed over", given{ask: post + "Content-Length: 3\r\n\r\nabcGET"}, page,
			pageHead + "keep-alive\r\n\r\nno\n", true, "GET"},
		{"after a body that is still to come the connection ends", given{ask: post + "Content-Length: 5\r\n\r\nabc"}, page,
			pageHead + "close\r\n\r\nno\n", false, ""},
		{"after a body that is none it ends", given{ask: post + "Transfer-Encoding: chunked\r\n\r\nx\r\n"}, page,
			pageHead + "close\r\n\r\nno\n", false, "x\r\n"},
		{"a CONNECT that is answered itself may be followed by another request", given{ask: connectRequest + "GET"}, page,
			pageHead + "keep-alive\r\n\r\nno\n", true, "GET"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, answering, row.given)
			p.localReply = row.reply
			p.wants(p.play(), over)
			p.wantsHeard(p.browser, row.want)
			if p.keepClient != row.keep || string(p.client.in.bytes()) != row.rest || p.failure != nil {
				t.Errorf("kept %v, left %q, failure %v", p.keepClient, p.client.in.bytes(), p.failure)
			}
			if rec := &p.record; rec.Status != 403 || string(rec.ContentType) != row.reply.ContentType || !p.replied {
				t.Errorf("the record says %d %q; replied %v", rec.Status, rec.ContentType, p.replied)
			}
			if n := len(p.head) + int(p.up.moved) + len(row.rest); row.given.ask != "" && n != len(row.given.ask) {
				t.Errorf("head, body and rest have %d bytes", n)
			}
			p.wantsBuffers(1) // the request's head
			p.wantsCalls()
		})
	}
}

func TestAnswerByReset(t *testing.T) {
	p := newTransaction(t, answering, given{})
	p.localReply = LocalReply{Reset: true}
	p.wants(p.play(), over)
	p.wantsHeard(p.browser, "")
	if !p.browser.WasReset() || p.keepClient || p.record.Status != 0 {
		t.Errorf("reset %v, kept %v, status %d", p.browser.WasReset(), p.keepClient, p.record.Status)
	}
}

func TestAnswerOfAWorkerThatLeaves(t *testing.T) {
	p := newTransaction(t, answering, given{})
	p.worker.leaving = true
	p.wants(p.play(), over)
	p.wantsHeard(p.browser, pageHead+"close\r\n\r\nno\n")
}

func TestAnswerWaitsForTheClient(t *testing.T) {
	p := newTransaction(t, answering, given{config: func(c *Config) { c.Timeouts.Write = 4 * time.Second }})
	p.browser.SetCapacity(len(pageHead))
	for range 2 {
		p.wants(p.play(), answering)
	}
	p.wantsHeard(p.browser, pageHead)
	p.wantsBuffers(2)
	p.turn()
	p.wants(p.play(), over)
	p.wantsHeard(p.browser, "keep-alive\r\n\r\nno\n")
}

func TestAnswerWithALargePage(t *testing.T) {
	p := newTransaction(t, answering, given{})
	body := strings.Repeat("x", 2*pumpBudget)
	p.localReply.Body = []byte(body)
	p.wants(p.play(), over)
	if got := string(p.browser.Read()); !strings.HasSuffix(got, "\r\n\r\n"+body) {
		t.Errorf("the client has been sent %d bytes", len(got))
	}
}

func TestAnswerFails(t *testing.T) {
	t.Run("when the client takes nothing for too long", func(t *testing.T) {
		p := newTransaction(t, answering, given{config: func(c *Config) { c.Timeouts.Write = 4 * time.Second }})
		p.browser.SetCapacity(0)
		p.wants(p.play(), answering)
		p.wants(p.wantsTimeout(4*time.Second), over)
		if p.keepClient {
			t.Error("the connection is to serve another request")
		}
	})
	t.Run("when the client has left", func(t *testing.T) {
		p := newTransaction(t, answering, given{})
		p.browser.Reset()
		p.turn()
		p.wantsFailure(p.play(), ClientGone, ClientSide, false)
		if !p.record.Aborted {
			t.Error("the record does not say so")
		}
	})
}
