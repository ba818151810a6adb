package engine_test

import (
	"testing"

	"exaproxy/engine"
)

func TestConnect(t *testing.T) {
	play(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:443 listens
client a sends               CONNECT a.example:443 HTTP/1.1
                             Host: a.example:443
client a reads               HTTP/1.1 200 Connection established
origin 192.0.2.7:443 is silent
client a says                "hello"
origin 192.0.2.7:443 hears   "hello"
origin 192.0.2.7:443 says    "welcome"
client a hears               "welcome"
client a finishes
origin 192.0.2.7:443 is closed "the end of one side is told to the other"
origin 192.0.2.7:443 says    "and more"
client a hears               "and more"
origin 192.0.2.7:443 closes
client a is closed
log has                      CONNECT a.example:443 200 192.0.2.7:443
`)
}

func TestConnectWithEarlyBytes(t *testing.T) {
	play(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:443 listens
client a says                "CONNECT a.example:443 HTTP/1.1\r\n\r\nearly"
origin 192.0.2.7:443 hears   "early"
client a reads               HTTP/1.1 200 Connection established
`)
}

func TestVerdictsOnConnect(t *testing.T) {
	const asked = `
client a sends               CONNECT blocked.example:443 HTTP/1.1
helper 1 reads               blocked.example:443
helper 1 writes              302:http://deny.example/why
`
	page := helped
	t.Run("page, for a plaintext request", func(t *testing.T) {
		play(t, page, asked+`
client a reads               HTTP/1.1 200 Connection established
client a is open
client a sends               GET / HTTP/1.1
                             Host: blocked.example
client a reads               HTTP/1.1 302 Found
                             Location: http://deny.example/why
                             Content-Length: 0
                             Connection: close
client a is closed
log has                      CONNECT blocked.example:443 302
`)
	})
	t.Run("page, for anything else", func(t *testing.T) {
		play(t, page, asked+`
client a reads               HTTP/1.1 200 Connection established
client a says                "\x16\x03\x01\x02\x00\x01"
client a reads               HTTP/1.1 302 Found
                             …
`)
	})
	t.Run("page, for a client that waits for the server to speak", func(t *testing.T) {
		play(t, page, asked+`
client a reads               HTTP/1.1 200 Connection established
clock +4s
client a is silent
clock +2s
client a reads               HTTP/1.1 302 Found
                             …
client a is closed
`)
	})
	t.Run("page, that a client leaves", func(t *testing.T) {
		play(t, page, asked+`
client a reads               HTTP/1.1 200 Connection established
client a closes
held clients=0
`)
	})
	t.Run("refused", func(t *testing.T) {
		play(t, nil, `
client a sends               CONNECT forbidden.example:443 HTTP/1.1
client a reads               HTTP/1.1 200 Connection established
client a sends               HEAD / HTTP/1.1
client a reads               HTTP/1.1 403 Forbidden
                             …
client a is closed
`)
	})
	t.Run("redirect", func(t *testing.T) {
		play(t, telling(helped, engine.ConnectRedirect), asked+`
client a reads               HTTP/1.1 302 Found
                             Location: http://deny.example/why
                             …
`)
	})
	t.Run("close", func(t *testing.T) {
		play(t, telling(helped, engine.ConnectClose), asked+`
client a is closed
log has                      CONNECT blocked.example:443 0
`)
	})
}

// tells is a policy of which clients learn in one way what helpers said of their CONNECTs.
type tells struct {
	engine.Policy
	how engine.ConnectVerdict
}

func (p tells) Interpret(r *engine.Request, answer []byte, err error) engine.Decision {
	d := p.Policy.Interpret(r, answer, err)
	d.Connect = p.how
	return d
}

// telling changes a configuration, and has clients be told in one way.
func telling(change func(*engine.Config), how engine.ConnectVerdict) func(*engine.Config) {
	return func(c *engine.Config) {
		change(c)
		inner := c.NewPolicy
		c.NewPolicy = func(s engine.Services) (engine.Policy, error) {
			p, err := inner(s)
			return tells{p, how}, err
		}
	}
}
