package engine

import (
	"strings"
	"testing"
	"time"
)

func TestHearUntilThereIsEnough(t *testing.T) {
	long := "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", relaySize)
	for _, row := range []struct {
		name, said string
		next       stage
		inner      string
	}{
		{"nothing is not enough", "", hearing, ""},
		{"half a request line is not", "GET / HT", hearing, ""},
		{"half a head is not", "GET / HTTP/1.1\r\nHost: a.example\r\n", hearing, ""},
		{"an empty line before a request is not", "\r\n", hearing, ""},
		{"a request is", "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", answering, "GET"},
		{"a request for the head alone is", "HEAD / HTTP/1.1\r\n\r\n", answering, "HEAD"},
		{"a TLS ClientHello is, at its first byte", "\x16", answering, ""},
		{"letters that begin no request are", "SSH-2.0-OpenSSH\r\n", answering, "SSH-2.0-OpenSSH"},
		{"what no method begins with is", "ssh", answering, ""},
		{"a head of which there is no end is, when there is no more room", long, answering, "GET"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, hearing, given{ask: connectRequest})
			p.browser.WriteString(row.said)
			p.turn()
			p.wants(p.play(), row.next)
			if p.innerMethod != row.inner {
				t.Errorf("the inner request is a %q", p.innerMethod)
			}
			if string(p.head) != connectRequest {
				t.Errorf("the CONNECT's head has become %q", p.head)
			}
			if row.next == hearing {
				p.wants(p.play(), hearing)
			}
			p.wantsBuffers(2) // the CONNECT's head, and what was heard
			p.wantsHeard(p.browser, "")
			p.wantsCalls()
		})
	}
}

func TestHearsWhatCameWithTheCONNECT(t *testing.T) {
	p := newTransaction(t, hearing, given{ask: connectRequest + "HEAD / HTTP/1.1\r\n"})
	p.wants(p.play(), hearing)
	p.browser.WriteString("\r\n")
	p.turn()
	p.wants(p.play(), answering)
	p.enter(answering)
	p.wants(p.play(), over)
	p.wantsHeard(p.browser, "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
}

func TestHearAnswersInAnyCase(t *testing.T) {
	answered := func(p *played, next stage) {
		p.t.Helper()
		p.wants(next, answering)
		p.enter(answering)
		p.wants(p.play(), over)
		p.wantsHeard(p.browser, "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
	}
	t.Run("a client that waits for the server to speak first", func(t *testing.T) {
		p := newTransaction(t, hearing, given{ask: connectRequest})
		p.wants(p.play(), hearing)
		answered(p, p.wantsTimeout(5*time.Second))
	})
	t.Run("a client that says half of something", func(t *testing.T) {
		p := newTransaction(t, hearing, given{ask: connectRequest + "GET"})
		p.wants(p.play(), hearing)
		answered(p, p.wantsTimeout(5*time.Second))
	})
	t.Run("a client that has finished what it says", func(t *testing.T) {
		p := newTransaction(t, hearing, given{ask: connectRequest})
		p.browser.CloseWrite()
		p.turn()
		answered(p, p.play())
	})
}

// The five seconds do not begin anew with each byte.
func TestHearIsNotProlonged(t *testing.T) {
	p := newTransaction(t, hearing, given{ask: connectRequest})
	p.wants(p.play(), hearing)
	p.await()
	for range 4 {
		p.passes(time.Second)
		p.browser.WriteString("G")
		p.turn()
		p.wants(p.play(), hearing)
		p.await()
	}
	if p.passes(time.Second + 20*time.Millisecond); !p.overdue() {
		t.Error("it still waits")
	}
}
