package engine

import (
	"testing"
	"time"

	"exaproxy/engine/h1"
)

func proxied(h *Hop) { h.Proxy = true }

func TestSendComposesTheHead(t *testing.T) {
	for _, row := range []struct {
		name  string
		given given
		want  string
	}{
		{"to a server, with the path", given{ask: "GET http://a.example/x?y HTTP/1.1\r\n\r\n"},
			lines("GET /x?y HTTP/1.1", "Host: a.example", "Connection: keep-alive")},
		{"to a proxy, with the whole URL", given{ask: "GET http://a.example:81/x?y HTTP/1.1\r\n\r\n", hop: proxied},
			lines("GET http://a.example:81/x?y HTTP/1.1", "Host: a.example:81", "Connection: keep-alive")},
		{"to a proxy, with host and port of a CONNECT", given{ask: connectRequest, hop: proxied},
			lines("CONNECT a.example:443 HTTP/1.1", "Host: a.example:443", "Connection: close")},
		{"with the host that the URL names, not the one that the client says", given{ask: lines("GET http://a.example/ HTTP/1.1", "Host: evil.example")},
			lines("GET / HTTP/1.1", "Host: a.example", "Connection: keep-alive")},
		{"without what was meant for us", given{ask: lines("GET http://a.example/ HTTP/1.1", "Proxy-Authorization: Basic eA==",
			"Proxy-Connection: keep-alive", "Connection: X-Mine", "X-Mine: 1", "TE: trailers", "Upgrade: h2c", "Accept: */*")},
			lines("GET / HTTP/1.1", "Accept: */*", "Host: a.example", "Connection: keep-alive")},
		{"as of HTTP/1.1, whatever the client speaks", given{ask: "GET http://a.example/ HTTP/1.0\r\n\r\n"},
			lines("GET / HTTP/1.1", "Host: a.example", "Connection: keep-alive")},
		{"with the identity that the URL has", given{ask: "GET http://al%69ce:pw@a.example/ HTTP/1.1\r\n\r\n"},
			lines("GET / HTTP/1.1", "Authorization: Basic YWxpY2U6cHc=", "Host: a.example", "Connection: keep-alive")},
		{"with the identity that the URL has, as it is where it is not well escaped", given{ask: "GET http://x41:9%@a.example/ HTTP/1.1\r\n\r\n"},
			lines("GET / HTTP/1.1", "Authorization: Basic eDQxOjkl", "Host: a.example", "Connection: keep-alive")},
		{"with the identity that the client says, rather", given{ask: lines("GET http://u@a.example/ HTTP/1.1", "Authorization: Basic eA==")},
			lines("GET / HTTP/1.1", "Authorization: Basic eA==", "Host: a.example", "Connection: keep-alive")},
		{"with one hop less to go", given{ask: lines("TRACE http://a.example/ HTTP/1.1", "Max-Forwards: 7")},
			lines("TRACE / HTTP/1.1", "Max-Forwards: 6", "Host: a.example", "Connection: keep-alive")},
		{"with what the policy adds", given{policy: func(s *scripted) {
			s.edit = func(h *h1.Header, d Direction) { h.Add("Via", []byte{'0' + byte(d)}) }
		}}, lines("GET / HTTP/1.1", "Host: a.example", "Via: 0", "Connection: keep-alive")},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, sending, row.given)
			p.wants(p.play(), sending)
			if !p.woke() || p.up.pre == nil {
				t.Fatalf("woken %v, head %v", p.woke(), p.up.pre)
			}
			p.wantsHeard(p.server, "") // it is written in the loop's next pass
			p.wantsCalls("edit 0")
			p.wants(p.play(), relaying)
			p.wantsHeard(p.server, row.want)
			p.wantsCalls()
			if p.up.pre != nil || p.up.out != int64(len(row.want)) {
				t.Errorf("head %v, %d bytes written", p.up.pre, p.up.out)
			}
		})
	}
}

func TestSendTakesTheRewrittenTarget(t *testing.T) {
	p := newTransaction(t, sending, given{})
	p.request.Rewritten, _, _ = h1.ParseTarget("GET", []byte("http://b.example:81/z"), h1.Strip, nil)
	p.request.WasRewritten = true
	p.wants(p.play(), sending)
	p.wants(p.play(), relaying)
	p.wantsHeard(p.server, lines("GET /z HTTP/1.1", "Host: b.example:81", "Connection: keep-alive"))
}

func TestSendTakesWhatHasComeOfTheBody(t *testing.T) {
	const post = "POST http://a.example/ HTTP/1.1\r\n"
	for _, row := range []struct {
		name, ask string
		want      string
		rest      string // what the client asks next
		done      bool
	}{
		{"all of it, and not what follows", post + "Content-Length: 3\r\n\r\nabcGET",
			"Content-Length: 3\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\nabc", "GET", true},
		{"its beginning", post + "Content-Length: 5\r\n\r\nabc",
			"Content-Length: 5\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\nabc", "", false},
		{"nothing yet", post + "Content-Length: 5\r\n\r\n",
			"Content-Length: 5\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n", "", false},
		{"its chunks without extensions", post + "Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n",
			"Transfer-Encoding: chunked\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n", "", false},
		{"one framing of the two that the client said", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n", "", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, sending, given{ask: row.ask})
			p.wants(p.play(), sending)
			p.wants(p.play(), relaying)
			p.wantsHeard(p.server, "POST / HTTP/1.1\r\n"+row.want)
			if got := string(p.client.in.bytes()); got != row.rest || p.uploaded() != row.done {
				t.Errorf("what is left is %q, all was read: %v", got, p.uploaded())
			}
		})
	}
	t.Run("and no body that is none", func(t *testing.T) {
		p := newTransaction(t, sending, given{ask: post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n"})
		p.wantsFailure(p.play(), BadRequest, ClientSide, true)
		p.wantsHeard(p.server, "")
	})
}

func TestSendWaitsForTheHop(t *testing.T) {
	p := newTransaction(t, sending, given{config: func(c *Config) { c.Timeouts.Write = 6 * time.Second }})
	p.server.SetCapacity(10)
	p.wants(p.play(), sending)
	p.wants(p.play(), sending)
	p.turn()
	if p.wants(p.play(), sending); p.woke() {
		t.Error("it wakes itself, and will again")
	}
	p.wantsHeard(p.server, "GET / HTTP")
	p.turn()
	p.server.SetCapacity(-1)
	p.wants(p.play(), relaying)
	p.wantsHeard(p.server, "/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n")
	p.wantsCalls("edit 0")
}

func TestSendFails(t *testing.T) {
	t.Run("when the hop takes nothing for too long", func(t *testing.T) {
		p := newTransaction(t, sending, given{config: func(c *Config) { c.Timeouts.Write = 6 * time.Second }})
		p.server.SetCapacity(0)
		p.wants(p.play(), sending)
		p.wants(p.play(), sending)
		p.wantsFailure(p.wantsTimeout(6*time.Second), UpstreamLate, UpstreamSide, true)
		if p.failure.Err != errTakesNothing {
			t.Errorf("the failure is %v", p.failure)
		}
	})
	t.Run("and relaying looks whether the hop has answered before it closed", func(t *testing.T) {
		p := newTransaction(t, sending, given{})
		p.wants(p.play(), sending)
		p.server.Reset()
		p.turn()
		p.wants(p.play(), relaying)
		if p.failure != nil || p.up.err == nil {
			t.Errorf("failure %v, error %v", p.failure, p.up.err)
		}
	})
}
