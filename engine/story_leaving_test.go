package engine_test

import (
	"testing"

	"exaproxy/engine"
)

func TestSlowPeersAreLeft(t *testing.T) {
	for name, script := range map[string]string{
		"a server that says nothing": `
client a sends               GET http://192.0.2.7/ HTTP/1.1
clock +14m59s
client a is silent
clock +2s
client a reads               HTTP/1.1 504 Gateway Timeout
                             …`,
		"a client that takes nothing": `
client a sends               GET http://192.0.2.7/ HTTP/1.1
client a stalls
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" 1000000*"x"
clock +15m1s
held clients=0
log has                      GET http://192.0.2.7/ 200 192.0.2.7:80 aborted …`,
		"a client that stops in the middle of its upload": `
client a sends               POST http://192.0.2.7/ HTTP/1.1
                             Content-Length: 10
clock +15m1s
client a reads               HTTP/1.1 408 Request Timeout
                             …`,
		"a client that rests": `
client a sends               GET http://192.0.2.7/ HTTP/1.1
origin 192.0.2.7:80 says     "HTTP/1.1 204 No Content\r\n\r\n"
client a reads               HTTP/1.1 204 No Content
                             …
clock +1m59s
client a is open
clock +2s
client a is closed`,
		"a silent tunnel": `
client a sends               CONNECT 192.0.2.7:80 HTTP/1.1
client a reads               HTTP/1.1 200 Connection established
clock +14m59s
client a is open
clock +2s
client a is closed`,
	} {
		t.Run(name, func(t *testing.T) { play(t, nil, "origin 192.0.2.7:80 listens\n"+script) })
	}
}

func TestClientThatLeaves(t *testing.T) {
	for name, script := range map[string]string{
		"before the reply": `
client a sends               GET http://192.0.2.7/ HTTP/1.1
client a closes
held clients=0 transactions=0
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …
origin 192.0.2.7:80 is closed
log has                      GET http://192.0.2.7/ 0 192.0.2.7:80 aborted (client left while relaying)`,
		"within the reply": `
client a sends               GET http://192.0.2.7/ HTTP/1.1
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel"
client a resets
held clients=0 transactions=0
log has                      GET http://192.0.2.7/ 200 192.0.2.7:80 aborted (client left while relaying)`,
		"within its upload": `
client a sends               POST http://192.0.2.7/ HTTP/1.1
                             Content-Length: 10
client a says                "abc"
client a closes
held clients=0 transactions=0
origin 192.0.2.7:80 reads    POST / HTTP/1.1
                             …
origin 192.0.2.7:80 hears    "abc"
origin 192.0.2.7:80 is closed
log has                      POST http://192.0.2.7/ 0 192.0.2.7:80 aborted (client left while relaying)`,
	} {
		t.Run(name, func(t *testing.T) { play(t, nil, "origin 192.0.2.7:80 listens\n"+script) })
	}
}

func TestHalfClosedClients(t *testing.T) {
	const script = `
origin 192.0.2.7:80 listens
client a sends               GET http://192.0.2.7/ HTTP/1.1
client a finishes
`
	t.Run("off", func(t *testing.T) { play(t, nil, script+"held clients=0") })
	t.Run("on", func(t *testing.T) {
		play(t, func(c *engine.Config) { c.HalfClosed = true }, script+`
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "ok"
client a is closed
`)
	})
}

func TestShutdown(t *testing.T) {
	w := world(t, nil)
	w.Play(warm + `
client b sends               GET http://a.example/ HTTP/1.1
shutdown 30s
held clients=1 transactions=1 idleupstreams=0
client a is closed
client c is reset            "a port that nobody serves any more refuses, so that clients go elsewhere"
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
client b reads               HTTP/1.1 200 OK
                             …
                             Connection: close
client b hears               "ok"
client b is closed
held clients=0 transactions=0 buffers=0
`)
	w = world(t, nil)
	w.Play(warm + `
client b sends               GET http://a.example/ HTTP/1.1
shutdown 30s
clock +29s
client b is open
clock +2s
client b is closed
held clients=0 transactions=0 buffers=0
`)
}
