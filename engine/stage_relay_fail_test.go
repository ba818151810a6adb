package engine

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRelayFails(t *testing.T) {
	closes := func(p *played) { p.server.Close() }
	resets := func(p *played) { p.server.Reset() }
	toProxy := given{ask: connectRequest, hop: proxied}
	small := given{config: func(c *Config) { c.Limits.ReplyHead = 500 }}
	large := "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 600)
	for _, row := range []struct {
		name  string
		given given
		reply string
		do    func(*played)
		kind  FailureKind
	}{
		{"the server closes without a word", given{}, "", closes, UpstreamClosed},
		{"the server closes in the middle of the head", given{}, "HTTP/1.1 200", closes, BadReply},
		{"the server breaks off", given{}, "", resets, UpstreamBroken},
		{"what the server says is no reply", given{}, "HTTP/2.0 200 OK\r\n", nil, BadReply},
		{"the head has two lengths", given{}, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", nil, BadReply},
		{"the server switches protocols unasked", given{}, "HTTP/1.1 101 Switching Protocols\r\n\r\n", nil, BadReply},
		{"a coding that HTTP/1.0 does not know", given{ask: oldRequest}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", nil, BadReply},
		{"the head is too large", small, large + "\r\n\r\n", nil, ReplyTooLarge},
		{"the head is too large already", small, large, nil, ReplyTooLarge},
		{"a proxy's 200 to a CONNECT is not whole", toProxy, "HTTP/1.1 200 OK\r\n", closes, BadReply},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, relaying, row.given)
			p.server.WriteString(row.reply)
			if row.do != nil {
				row.do(p)
			}
			p.turn()
			p.wantsFailure(p.play(), row.kind, UpstreamSide, true)
			if p.replied {
				t.Error("the client has been told something else")
			}
		})
	}
}

func TestRelayBlamesTheClientForItsBody(t *testing.T) {
	limit := func(c *Config) { c.Limits.RequestBody = 8 }
	for _, row := range []struct {
		name  string
		given given
		body  string
		kind  FailureKind
	}{
		{"a chunk that is none", given{ask: chunkedPost}, "x\r\n", BadRequest},
		{"a body that turns out to be larger than allowed", given{ask: chunkedPost, config: limit}, "5\r\nabcde\r\n5\r\nabcde\r\n", BodyTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := relayed(t, row.given, "", row.body)
			p.wantsFailure(p.play(), row.kind, ClientSide, true)
		})
		t.Run(row.name+", when some of the reply is there", func(t *testing.T) {
			p := relayed(t, row.given, okReply, "")
			p.wants(p.play(), relaying)
			p.wants(p.play(), relaying)
			p.browser.WriteString(row.body)
			p.turn()
			p.wantsFailure(p.play(), row.kind, ClientSide, false)
		})
	}
}

func TestRelayWithoutTheClient(t *testing.T) {
	gone := func(p *played, next stage) {
		p.t.Helper()
		p.wantsFailure(next, ClientGone, ClientSide, false)
		if !p.record.Aborted {
			p.t.Error("the record does not say so")
		}
	}
	t.Run("that leaves in its upload", func(t *testing.T) {
		p := relayed(t, given{ask: postRequest}, "", "abc")
		p.browser.CloseWrite()
		p.turn()
		gone(p, p.play())
		p.wantsHeard(p.server, "abc")
	})
	t.Run("that leaves in the reply", func(t *testing.T) {
		p := relayed(t, given{}, okReply, "")
		p.wants(p.play(), relaying)
		p.browser.Reset()
		p.turn()
		gone(p, p.play())
	})
	t.Run("that leaves in interim replies", func(t *testing.T) {
		p := relayed(t, given{}, "HTTP/1.1 100 Continue\r\n\r\n", "")
		p.browser.Reset()
		p.turn()
		gone(p, p.play())
	})
}

func TestRelayOfAReplyThatIsCutShort(t *testing.T) {
	p := relayed(t, given{}, okReply+"o", "")
	p.wants(p.play(), relaying)
	p.wants(p.play(), relaying)
	p.wantsHeard(p.browser, okPassed+"o")
	p.server.Close()
	p.turn()
	p.wantsFailure(p.play(), UpstreamBroken, UpstreamSide, false)
	if p.record.Aborted || p.record.Status != 200 {
		t.Errorf("aborted %v, status %d", p.record.Aborted, p.record.Status)
	}
}

// An idle connection may have been closed by the server while the request was on its way.
func TestRelaySendsAgain(t *testing.T) {
	closes := func(p *played) { p.server.Close() }
	for _, row := range []struct {
		name  string
		given given
		reply string
		do    func(*played)
		again bool
	}{
		{"over another connection, if the server has closed an idle one", given{saved: true}, "", closes, true},
		{"over another connection, if an idle one has broken", given{saved: true}, "", func(p *played) { p.server.Reset() }, true},
		{"never over a fresh one", given{}, "", closes, false},
		{"never what the server has begun to answer", given{saved: true}, "HTTP/1.1 200", closes, false},
		{"never a POST", given{saved: true, ask: "POST http://a.example/ HTTP/1.1\r\n\r\n"}, "", closes, false},
		{"never a body", given{saved: true, ask: "PUT http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"}, "", closes, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := relayed(t, row.given, row.reply, "")
			row.do(p)
			p.turn()
			hop, pool := p.hop, p.worker.idle
			if !row.again {
				kind := UpstreamClosed
				if row.reply != "" {
					kind = BadReply
				}
				p.wantsFailure(p.play(), kind, UpstreamSide, true)
				return
			}
			p.wants(p.play(), resolving)
			p.wantsBuffers(1) // the request's head
			if p.upstream != nil || len(pool.hops) != 0 || p.failure != nil || p.replied || len(p.failed) != 0 {
				t.Errorf("upstream %v, %d hops, failure %v, replied %v, attempts %v", p.upstream, len(pool.hops), p.failure, p.replied, p.failed)
			}
			if p.hop.key() != hop.key() || p.up.dst != nil || p.sent != 1 || !p.uploaded() {
				t.Errorf("hop %+v, flow %v, sent over %d", p.hop, p.up.dst, p.sent)
			}
			p.enter(resolving)
			p.hop.Addrs = append(p.hop.Addrs, serverAddr.Addr())
			p.wants(p.play(), connecting)
			p.enter(connecting)
			p.connected(sending)
			p.enter(sending)
			p.wants(p.play(), sending)
			p.wants(p.play(), relaying)
			p.wantsHeard(p.server, lines("GET / HTTP/1.1", "Host: a.example", "Connection: keep-alive"))
		})
	}
}

func TestRelayMakesATunnelOfAProxysConsent(t *testing.T) {
	p := relayed(t, given{ask: connectRequest + "early", hop: proxied}, "HTTP/1.1 200 OK\r\nVia: x\r\n\r\nwelcome", "")
	p.wants(p.play(), tunnelling)
	p.wantsCalls()
	if !p.record.Tunnel || p.record.Status != 200 || p.keepClient {
		t.Errorf("tunnel %v, status %d, kept %v", p.record.Tunnel, p.record.Status, p.keepClient)
	}
	p.enter(tunnelling)
	p.wants(p.play(), tunnelling)
	p.wantsHeard(p.browser, established+"welcome")
	p.wantsHeard(p.server, "early")
	p.wantsBuffers(0)
}

func TestRelayIsSilentForTooLong(t *testing.T) {
	const limit = 30 * time.Second
	limited := func(ask string) given { return given{ask: ask, config: func(c *Config) { c.Timeouts.Read = limit }} }
	for _, row := range []struct {
		name string
		ask  string
		do   func(*played)
		kind FailureKind
		side Side
		told bool
		err  error
	}{
		{"a server that does not answer", "", func(*played) {}, UpstreamLate, UpstreamSide, true, errSaysNothing},
		{"a server that stops in the middle of its reply", "", func(p *played) { p.server.WriteString(okReply + "o") },
			UpstreamLate, UpstreamSide, false, errSaysNothing},
		{"a client that takes nothing", "", func(p *played) {
			p.browser.SetCapacity(1)
			p.server.WriteString(okReply + "ok")
		}, ClientGone, ClientSide, false, nil},
		{"a client that takes no interim reply", "", func(p *played) {
			p.browser.SetCapacity(1)
			p.server.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
		}, ClientGone, ClientSide, false, nil},
		{"a client that stops in the middle of its upload", postRequest, func(p *played) { p.browser.WriteString("abc") },
			ClientLate, ClientSide, true, errSaysNothing},
		{"a server that takes no upload", postRequest, func(p *played) {
			p.server.SetCapacity(0)
			p.browser.WriteString("abc")
		}, UpstreamLate, UpstreamSide, true, errTakesNothing},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, relaying, limited(row.ask))
			row.do(p)
			p.turn()
			p.wants(p.play(), relaying)
			p.turn()
			p.wants(p.play(), relaying)
			next := p.wantsTimeout(limit)
			p.wantsFailure(next, row.kind, row.side, row.told)
			if row.err != nil && p.failure.Err != row.err {
				t.Errorf("the failure is %v, want %v", p.failure, row.err)
			}
		})
	}
}

func TestRelayTellsWritingFromReading(t *testing.T) {
	p := newTransaction(t, relaying, given{ask: postRequest})
	p.server.Close()
	p.browser.WriteString("a") // it is taken, and answered with RST
	p.turn()
	p.up.pump(pumpBudget)
	p.browser.WriteString("b")
	p.turn()
	p.wantsFailure(p.play(), UpstreamBroken, UpstreamSide, true)
	if f := p.failure; !f.Write || !errors.Is(f.Err, syscall.EPIPE) {
		t.Errorf("the failure is %+v, want that of writing", f)
	}
}
