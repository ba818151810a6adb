//go:build canary

package engine

import (
	"strings"
	"testing"

	"exaproxy/engine/canary"
)

// checkMark looks whose mark is in memory that somebody has kept.
func checkMark(t *testing.T, kept []byte, what string) {
	t.Helper()
	want := what + " of the client at port 1234, in request 1 of its connection"
	if whose := canary.Whose(kept[:canary.Size]); whose != want {
		t.Errorf("it holds %q, that is %s; want %s", kept[:canary.Size], whose, want)
	}
}

func TestWhatIsGivenBackIsMarked(t *testing.T) {
	p := newTransaction(t, relaying, given{})
	p.server.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf of it, here")
	p.turn()
	p.wants(p.relay(), relaying)
	relayed := p.down.buf.b
	p.down.release()
	checkMark(t, relayed, "a buffer")

	r, head := p.request, p.client.in.b
	kept := r.Keep([]byte("what is kept of a request"))
	p.worker.freeRequest(r)
	checkMark(t, kept, "kept memory")
	p.request = p.worker.requests.Get()
	p.worker.buffers.put(p.client.in)
	p.client.in = nil
	checkMark(t, head, "a buffer")
}

func TestBuffersThatAreGivenBackTwiceAreNoticed(t *testing.T) {
	var said string
	defer canary.OnMisuse(func(what string) { said = what })()
	p := newBuffers()
	p.borrower = canary.Owner(30001, 2)
	for _, b := range []*buffer{p.head(), p.relay(), p.bulk(), p.fit(100_000), p.grow(p.relay())} {
		said = ""
		if p.put(b); said != "" {
			t.Fatalf("it says %q of what is right", said)
		}
		if p.put(b); !strings.Contains(said, "a buffer of the client at port 30001, in request 2 of its connection was given back twice") {
			t.Errorf("it says %q", said)
		}
	}
}
