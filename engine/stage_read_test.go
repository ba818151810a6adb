package engine

import (
	"strings"
	"testing"
	"time"

	"exaproxy/engine/h1"
)

func TestReadUnderstands(t *testing.T) {
	for _, row := range []struct {
		name  string
		given given
		head  string // as received; "": all that was sent
		rest  string // of what was sent
		keep  bool
		body  h1.Framing
	}{
		{name: "a GET", keep: true},
		{name: "a GET with what the client asks next", given: given{ask: getRequest + "GET /"}, head: getRequest, rest: "GET /", keep: true},
		{name: "a POST with the beginning of its body", given: given{ask: "POST http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"},
			head: "POST http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n", rest: "ab", keep: true, body: h1.Length},
		{name: "a chunked POST", given: given{ask: "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"}, keep: true, body: h1.Chunked},
		{name: "a request of HTTP/1.0, after which the connection ends", given: given{ask: "GET http://a.example/ HTTP/1.0\r\n\r\n"}},
		{name: "a request that says close", given: given{ask: "GET http://a.example/ HTTP/1.1\r\nConnection: close\r\n\r\n"}},
		{name: "a request where clients are not persistent", given: given{config: func(c *Config) { c.NoClientPersistence = true }}},
		{name: "a body that is as large as is allowed", given: given{ask: "POST http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
			config: func(c *Config) { c.Limits.RequestBody = 5 }}, keep: true, body: h1.Length},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, reading, row.given)
			p.wants(p.play(), admitting)
			if row.head == "" {
				if row.head = row.given.ask; row.head == "" {
					row.head = getRequest
				}
			}
			if string(p.head) != row.head || string(p.client.in.bytes()) != row.rest {
				t.Errorf("the head is %q and what follows %q", p.head, p.client.in.bytes())
			}
			if p.keepClient != row.keep || p.up.body.Framing() != row.body || p.record.Unread || p.unparsable {
				t.Errorf("kept %v, framing %d, unread %v, unparsable %v", p.keepClient, p.up.body.Framing(), p.record.Unread, p.unparsable)
			}
			if got := string(p.request.Target.Host); got != "a.example" {
				t.Errorf("the host is %q", got)
			}
			p.wantsCalls()
		})
	}
}

func TestReadWaits(t *testing.T) {
	t.Run("for the rest of a head", func(t *testing.T) {
		p := newTransaction(t, reading, given{ask: "GET http://a.exa"})
		for range 2 {
			p.wants(p.play(), reading)
			if p.head != nil || !p.record.Unread || p.woke() {
				t.Errorf("head %q, unread %v, woken %v", p.head, p.record.Unread, p.woke())
			}
		}
		p.browser.WriteString("mple/ HTTP/1.1\r\n\r\n")
		p.turn()
		p.wants(p.play(), admitting)
		if string(p.head) != getRequest {
			t.Errorf("the head is %q", p.head)
		}
	})
	t.Run("for the rest of a head that needs a larger buffer", func(t *testing.T) {
		long := "X: " + strings.Repeat("x", headSize)
		p := newTransaction(t, reading, given{ask: "GET http://a.example/ HTTP/1.1\r\n" + long})
		p.wants(p.play(), reading)
		if n := len(p.client.in.b); n != relaySize {
			t.Errorf("the buffer has %d bytes", n)
		}
		p.wantsBuffers(1)
		p.browser.WriteString("\r\n\r\n")
		p.turn()
		p.wants(p.play(), admitting)
		if got := p.request.Header.Get("X"); len(got) != headSize {
			t.Errorf("the field has %d bytes", len(got))
		}
	})
}

func TestReadFails(t *testing.T) {
	post := func(field string) given {
		return given{ask: "POST http://a.example/ HTTP/1.1\r\n" + field + "\r\n\r\n"}
	}
	small := func(g given, change func(*Limits)) given {
		g.config = func(c *Config) { change(&c.Limits) }
		return g
	}
	for _, row := range []struct {
		name       string
		given      given
		kind       FailureKind
		unparsable bool
		keep       bool // the connection, if the rest can be read
	}{
		{"bytes that are no request", given{ask: "BADLINE\r\n\r\n"}, BadRequest, true, false},
		{"a head that is too large", small(post("X: "+strings.Repeat("x", 2000)), func(l *Limits) { l.RequestHead = 1000 }), HeadTooLarge, true, false},
		{"a head that is too large already and not over", small(given{ask: "GET http://a.example/ HTTP/1.1\r\nX: " + strings.Repeat("x", 2000)},
			func(l *Limits) { l.RequestHead = 1000 }), HeadTooLarge, true, false},
		{"two lengths", post("Content-Length: 3\r\nContent-Length: 4"), BadRequest, true, false},
		{"a coding that is not chunked", post("Transfer-Encoding: gzip"), BadRequest, true, false},
		{"a CONNECT with a body", given{ask: "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"}, BadRequest, true, false},
		{"a body that is larger than allowed", small(post("Content-Length: 6"), func(l *Limits) { l.RequestBody = 5 }), BodyTooLarge, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, reading, row.given)
			p.wantsFailure(p.play(), row.kind, ClientSide, true)
			if p.unparsable != row.unparsable || p.keepClient != row.keep || p.record.Unread {
				t.Errorf("unparsable %v, kept %v, unread %v", p.unparsable, p.keepClient, p.record.Unread)
			}
		})
	}
	t.Run("a client that leaves in the middle is told nothing", func(t *testing.T) {
		p := newTransaction(t, reading, given{ask: "GET http://a.exa"})
		p.browser.CloseWrite()
		p.turn()
		p.wantsFailure(p.play(), ClientGone, ClientSide, false)
		if !p.record.Unread {
			t.Error("the record has a request")
		}
	})
	t.Run("a client that is late is told nothing", func(t *testing.T) {
		p := newTransaction(t, reading, given{ask: "GET http://a.exa", config: func(c *Config) { c.Timeouts.Request = 9 * time.Second }})
		p.wants(p.play(), reading)
		p.wantsFailure(p.wantsTimeout(9*time.Second), ClientLate, ClientSide, false)
	})
}

// A head that comes in many small reads keeps others waiting for no more than a part of it.
func TestAHeadInManyReadsLetsOthersHaveTheirTurn(t *testing.T) {
	p := newTransaction(t, reading, given{ask: "GET http:"})
	reads := 0
	p.client.end = &dribble{End: p.client.end, each: func() { reads++ }}
	p.clientEnd = p.client.end
	p.browser.WriteString("//a.example/" + strings.Repeat("a", 10*headReads))
	p.turn()
	p.wants(p.play(), reading)
	if reads != headReads || !p.woke() {
		t.Errorf("it has read %d times, woken %v", reads, p.woke())
	}
	for range 3 {
		p.wants(p.play(), reading)
	}
	if reads != 4*headReads {
		t.Errorf("it has read %d times in four plays", reads)
	}
}

// A dribble is an end of which each Read gives a byte.
type dribble struct {
	End
	each func()
}

func (d *dribble) Read(p []byte) (int, error) {
	d.each()
	return d.End.Read(p[:1])
}
