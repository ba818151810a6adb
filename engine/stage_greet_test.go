package engine

import (
	"testing"
	"time"
)

func TestGreet(t *testing.T) {
	for _, row := range []struct {
		name, port string
		asks       bool // the kernel, for our address
	}{
		{"a port with an address is taken at its word", "192.0.2.1:3128", false},
		{"of a port on all addresses of IPv4 the kernel is asked", "0.0.0.0:3128", true},
		{"of a port on all addresses the kernel is asked", "[::]:3128", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, greeting, given{port: row.port})
			if asks := p.client.connection.Local.Addr().IsUnspecified(); asks != row.asks {
				t.Fatalf("our address is known: %v", !asks)
			}
			p.wants(p.play(), reading)
			if got := p.request.Local.String(); got != "192.0.2.1:3128" {
				t.Errorf("the client came to %s", got)
			}
			if p.client.connection.Local != p.request.Local {
				t.Error("the connection's next request would have another address of ours")
			}
			p.clientEnd.Close() // whoever asks the kernel from now on fails
			p.wants(p.play(), reading)
			p.wantsCalls()
		})
	}
	t.Run("a later request on the connection does not ask the kernel again", func(t *testing.T) {
		p := newTransaction(t, greeting, given{port: "0.0.0.0:3128"})
		p.client.served = 2
		p.clientEnd.Close()
		p.wants(p.play(), reading)
	})
	t.Run("a connection that the kernel knows nothing of is gone", func(t *testing.T) {
		p := newTransaction(t, greeting, given{port: "0.0.0.0:3128"})
		p.clientEnd.Close()
		p.wantsFailure(p.play(), ClientGone, ClientSide, false)
	})
	t.Run("a client that is late is dropped without a word", func(t *testing.T) {
		p := newTransaction(t, greeting, given{config: func(c *Config) { c.Timeouts.RequestStart = 7 * time.Second }})
		p.wantsFailure(p.wantsTimeout(7*time.Second), ClientLate, ClientSide, false)
		p.wantsHeard(p.browser, "")
	})
}
