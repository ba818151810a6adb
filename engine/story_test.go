package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"exaproxy/engine"
)

func TestGetThroughEverything(t *testing.T) {
	play(t, helped, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/x?y HTTP/1.1
                             Host: a.example
                             Accept: */*
helper 1 reads               http://a.example/x?y
helper 1 writes
origin 192.0.2.7:80 reads    GET /x?y HTTP/1.1
                             Accept: */*
                             Host: a.example
                             Connection: keep-alive
origin 192.0.2.7:80 sends    HTTP/1.1 200 Fine
                             Date: now
                             Content-Type: text/plain
                             Content-Length: 5
origin 192.0.2.7:80 says     "hello"
client a reads               HTTP/1.1 200 OK
                             Date: now
                             Content-Type: text/plain
                             Content-Length: 5
                             Connection: keep-alive
client a hears               "hello"
client a is open
held clients=1 transactions=0 buffers=0 idleupstreams=1
log has                      GET http://a.example/x?y 200 192.0.2.7:80
`)
}

const warm = `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/first HTTP/1.1
origin 192.0.2.7:80 reads    GET /first HTTP/1.1
                             …
origin 192.0.2.7:80 sends    HTTP/1.1 200 OK
                             Content-Length: 0
client a reads               HTTP/1.1 200 OK
                             …
log has                      GET http://a.example/first 200 192.0.2.7:80
`

func TestIdleUpstreamIsUsedAgain(t *testing.T) {
	play(t, nil, warm+`
client b sends               GET http://a.example/second HTTP/1.1
origin 192.0.2.7:80 reads    GET /second HTTP/1.1
                             …
origin 192.0.2.7:80 is alone "the second request goes over the first one's connection"
`)
}

func TestIdleUpstreamThatDiedCostsNothing(t *testing.T) {
	play(t, nil, warm+`
client a sends               GET http://a.example/second HTTP/1.1
origin 192.0.2.7:80 reads    GET /second HTTP/1.1
                             …
origin 192.0.2.7:80 closes
origin 192.0.2.7:80 accepts
origin 192.0.2.7:80 reads    GET /second HTTP/1.1
                             …
origin 192.0.2.7:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
log has                      GET http://a.example/second 204 192.0.2.7:80
`)
}

func TestFreshUpstreamThatDiesIsNotAskedAgain(t *testing.T) {
	play(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/ HTTP/1.1
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …
origin 192.0.2.7:80 closes
origin 192.0.2.7:80 is alone
client a reads               HTTP/1.1 502 Bad Gateway
                             …
client a hears               "upstream closed while relaying: EOF\n"
log has                      GET http://a.example/ 502 192.0.2.7:80 …
`)
}

func TestPostIsNeverSentTwice(t *testing.T) {
	play(t, nil, warm+`
client a sends               POST http://a.example/ HTTP/1.1
                             Content-Length: 3
client a says                "abc"
origin 192.0.2.7:80 accepts
origin 192.0.2.7:80 reads    POST / HTTP/1.1
                             …
origin 192.0.2.7:80 hears    "abc"
origin 192.0.2.7:80 closes
origin 192.0.2.7:80 is alone
client a reads               HTTP/1.1 502 Bad Gateway
                             …
`)
}

func TestIdleUpstreamIsClosedInTime(t *testing.T) {
	play(t, nil, warm+`
clock +59s
held idleupstreams=1
clock +2s
held idleupstreams=0
`)
}

func TestIdleUpstreamThatClosesIsForgotten(t *testing.T) {
	play(t, nil, warm+`
origin 192.0.2.7:80 closes
held idleupstreams=0
`)
}

func TestIdleUpstreamThatSpeaksIsClosed(t *testing.T) {
	play(t, nil, warm+`
origin 192.0.2.7:80 says     "HTTP/1.1 408 Request Timeout\r\n\r\n"
held idleupstreams=0
`)
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	play(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a says                "GET http://a.example/1 HTTP/1.1\r\n\r\nPOST http://a.example/2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET http://a.example/3 HTTP/1.1\r\n\r\n"
origin 192.0.2.7:80 reads    GET /1 HTTP/1.1
                             …
origin 192.0.2.7:80 is silent
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "1"
origin 192.0.2.7:80 accepts
origin 192.0.2.7:80 reads    POST /2 HTTP/1.1
                             …
origin 192.0.2.7:80 hears    "abc"
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "2"
origin 192.0.2.7:80 reads    GET /3 HTTP/1.1
                             …
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "3"
client a is open
`)
}

func TestChunkedUpload(t *testing.T) {
	play(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               POST http://a.example/ HTTP/1.1
                             Transfer-Encoding: chunked
client a says                "3\r\nabc\r\n"
origin 192.0.2.7:80 reads    POST / HTTP/1.1
                             Transfer-Encoding: chunked
                             Host: a.example
                             Connection: keep-alive
origin 192.0.2.7:80 hears    "3\r\nabc\r\n"
client a says                "0\r\n\r\nGET http://a.example/next HTTP/1.1\r\n\r\n"
origin 192.0.2.7:80 hears    "0\r\n\r\n"
origin 192.0.2.7:80 is silent "nothing beyond the body's end reaches the server"
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             …
origin 192.0.2.7:80 reads    GET /next HTTP/1.1
                             …
`)
}

func TestBadChunkIsRefused(t *testing.T) {
	play(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               POST http://a.example/ HTTP/1.1
                             Transfer-Encoding: chunked
client a says                "x\r\nabc\r\n"
client a reads               HTTP/1.1 400 Bad Request
                             …
                             Connection: close
`)
}

func TestReplyFramings(t *testing.T) {
	const ask11 = `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/ HTTP/1.1
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …
`
	const ask10 = `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/ HTTP/1.0
                             Connection: keep-alive
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …
`
	for name, script := range map[string]string{
		"chunked passes to 1.1": ask11 + `
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: t\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             Date: now
                             Transfer-Encoding: chunked
                             Connection: keep-alive
client a hears               "5;x=y\r\nhello\r\n0\r\nTrailer: t\r\n\r\n"
client a is open
held idleupstreams=1`,
		"chunks are taken off for 1.0": ask10 + `
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             Date: now
                             Connection: close
client a hears               "hello!"
client a is closed
held idleupstreams=1`,
		"until close is chunked for 1.1": ask11 + `
origin 192.0.2.7:80 sends    HTTP/1.0 200 OK
                             Date: now
client a reads               HTTP/1.1 200 OK
                             Date: now
                             Transfer-Encoding: chunked
                             Connection: keep-alive
origin 192.0.2.7:80 closes
client a hears               "0\r\n\r\n"
client a is open
held idleupstreams=0`,
		"until close stays so for 1.0": ask10 + `
origin 192.0.2.7:80 says     "HTTP/1.0 200 OK\r\nDate: now\r\n\r\nhello"
client a reads               HTTP/1.1 200 OK
                             Date: now
                             Connection: close
client a hears               "hello"
client a is open
origin 192.0.2.7:80 closes
client a is closed`,
		"no body where there is none": ask11 + `
origin 192.0.2.7:80 sends    HTTP/1.1 304 Not Modified
                             Content-Length: 100
client a reads               HTTP/1.1 304 Not Modified
                             …
client a is open
held transactions=0`,
		"bytes beyond the reply end the server's connection": ask11 + `
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "ok"
client a is open
held idleupstreams=0`,
		"a reply that is cut short is not completed": ask11 + `
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "hello"
origin 192.0.2.7:80 closes
client a is closed
log has                      GET http://a.example/ 200 192.0.2.7:80 (upstream broken while relaying: …)`,
		"an interim reply goes before the final one": ask11 + `
origin 192.0.2.7:80 says     "HTTP/1.1 100 Continue\r\n\r\n"
client a reads               HTTP/1.1 100 Continue
origin 192.0.2.7:80 says     "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
client a reads               HTTP/1.1 103 Early Hints
                             Link: x
client a reads               HTTP/1.1 200 OK
                             …`,
		"interim replies wait for a slow client": ask11 + `
client a stalls
origin 192.0.2.7:80 says     50*"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
held buffers<4
client a resumes
client a hears               50*"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "ok"`,
		"no interim reply for 1.0": ask10 + `
origin 192.0.2.7:80 says     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             …`,
		"garbage is no reply": ask11 + `
origin 192.0.2.7:80 says     "SSH-2.0-OpenSSH\r\n"
client a reads               HTTP/1.1 502 Bad Gateway
                             …`,
		"switching protocols unasked is no reply": ask11 + `
origin 192.0.2.7:80 says     "HTTP/1.1 101 Switching Protocols\r\n\r\n"
client a reads               HTTP/1.1 502 Bad Gateway
                             …`,
	} {
		t.Run(name, func(t *testing.T) { play(t, nil, script) })
	}
}

func TestUntilCloseBodyIsChunkedWhole(t *testing.T) {
	w := world(t, nil)
	w.Play(`
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/ HTTP/1.1
origin 192.0.2.7:80 says     "HTTP/1.0 200 OK\r\n\r\nhello"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "5\r\nhello\r\n"
origin 192.0.2.7:80 says     300*"x"
client a hears               "12c\r\n" 300*"x" "\r\n"
origin 192.0.2.7:80 closes
client a hears               "0\r\n\r\n"
`)
	w.End()
}

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
		play(t, func(c *engine.Config) { helped(c); c.ConnectVerdict = engine.ConnectRedirect }, asked+`
client a reads               HTTP/1.1 302 Found
                             Location: http://deny.example/why
                             …
`)
	})
	t.Run("close", func(t *testing.T) {
		play(t, func(c *engine.Config) { helped(c); c.ConnectVerdict = engine.ConnectClose }, asked+`
client a is closed
log has                      CONNECT blocked.example:443 0
`)
	})
}

func TestHelpers(t *testing.T) {
	const asked = `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/ HTTP/1.1
helper 1 reads               http://a.example/
`
	for name, script := range map[string]string{
		"redirect": asked + `
helper 1 writes              302:http://deny.example/
client a reads               HTTP/1.1 302 Found
                             Location: http://deny.example/
                             Content-Length: 0
                             Connection: keep-alive
client a is open
origin 192.0.2.7:80 is alone`,
		"rewrite": asked + `
names know b.example 192.0.2.8
origin 192.0.2.8:81 listens
helper 1 writes              http://b.example:81/other
origin 192.0.2.8:81 reads    GET /other HTTP/1.1
                             Host: b.example:81
                             Connection: keep-alive
origin 192.0.2.7:80 is alone`,
		"deny": asked + `
helper 1 writes              deny
client a reads               HTTP/1.1 403 Forbidden
                             …`,
		"a helper that dies is asked again": asked + `
helper 1 dies
client a is silent
clock +1s
helper 2 reads               http://a.example/
helper 2 writes
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …`,
		"the client leaves while the helper thinks": asked + `
client a closes
held clients=0 transactions=0
log has                      GET http://a.example/ 0 aborted (client left while asking)
helper 1 writes
origin 192.0.2.7:80 is alone`,
	} {
		t.Run(name, func(t *testing.T) { play(t, helped, script) })
	}
}

func TestHelperThatIsLate(t *testing.T) {
	play(t, func(c *engine.Config) { helped(c); c.Timeouts.Helper = 3 * time.Second }, `
client a sends               GET http://a.example/ HTTP/1.1
helper 1 reads               http://a.example/
clock +2s
client a is silent
clock +2s
client a reads               HTTP/1.1 503 Service Unavailable
                             …
`)
}

func TestBadRequests(t *testing.T) {
	for name, script := range map[string]string{
		"no request": `
client a says                "BADLINE\r\n\r\n"
client a reads               HTTP/1.1 400 Bad Request
                             …
                             Connection: close`,
		"a path alone": `
client a sends               GET /index.html HTTP/1.1
                             Host: a.example
client a reads               HTTP/1.1 400 Bad Request
                             …`,
		"options for nobody": `
client a sends               OPTIONS * HTTP/1.1
client a reads               HTTP/1.1 501 Not Implemented
                             …`,
		"a scheme that we do not fetch": `
client a sends               GET ftp://a.example/ HTTP/1.1
client a reads               HTTP/1.1 501 Not Implemented
                             …`,
		"too large a head": `
client a says                "GET http://a.example/ HTTP/1.1\r\nX: " 70000*"x"
client a reads               HTTP/1.1 431 Request Header Fields Too Large
                             …`,
		"never a whole head": `
client a says                "GET http://a.exa"
clock +299s
client a is open
clock +2s
client a is closed`,
		"never a byte": `
client a connects
clock +299s
client a is open
clock +2s
client a is closed`,
		"a port probe": `
client a connects
client a closes
held clients=0
log has                      …`,
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t, nil)
			w.Play(script)
			w.End()
		})
	}
}

func TestLastHop(t *testing.T) {
	play(t, nil, `
client a sends               TRACE http://a.example/ HTTP/1.1
                             Max-Forwards: 0
                             Cookie: secret
client a reads               HTTP/1.1 200 OK
                             Content-Type: message/http
                             …
client a hears               "TRACE http://a.example/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n"
client a sends               OPTIONS http://a.example/ HTTP/1.1
                             Max-Forwards: 0
client a reads               HTTP/1.1 200 OK
                             …
origin 192.0.2.7:80 listens
client a sends               OPTIONS http://192.0.2.7/ HTTP/1.1
                             Max-Forwards: 7
origin 192.0.2.7:80 reads    OPTIONS / HTTP/1.1
                             Max-Forwards: 6
                             …
`)
}

func TestNamesAndConnecting(t *testing.T) {
	const ask = `
client a sends               GET http://a.example/ HTTP/1.1
`
	for name, script := range map[string]string{
		"no such name": ask + `
client a reads               HTTP/1.1 503 Service Unavailable
                             …
log has                      GET http://a.example/ 503 (no such name while resolving: …)`,
		"the client leaves while the name is looked up": `names vanish` + ask + `
client a closes
held clients=0 transactions=0`,
		"name servers are silent": `names vanish` + ask + `
clock +25s
client a is silent
clock +100s
client a reads               HTTP/1.1 503 Service Unavailable
                             …`,
		"the first of three addresses refuses": `
names know a.example 192.0.2.7 192.0.2.8 192.0.2.9
origin 192.0.2.7:80 refuses
origin 192.0.2.8:80 listens` + ask + `
origin 192.0.2.8:80 reads    GET / HTTP/1.1
                             …`,
		"the first of two addresses is silent": `
names know a.example 192.0.2.7 192.0.2.8
origin 192.0.2.7:80 vanishes
origin 192.0.2.8:80 listens` + ask + `
origin 192.0.2.8:80 is alone
clock +300ms
origin 192.0.2.8:80 reads    GET / HTTP/1.1
                             …`,
		"all addresses refuse": `
names know a.example 192.0.2.7 192.0.2.8
origin 192.0.2.7:80 refuses
origin 192.0.2.8:80 refuses` + ask + `
client a reads               HTTP/1.1 503 Service Unavailable
                             …
log has                      GET http://a.example/ 503 192.0.2.8:80 (cannot connect while connecting…: connection refused)`,
		"nobody answers": `
names know a.example 192.0.2.7
origin 192.0.2.7:80 vanishes` + ask + `
clock +59s
client a is silent
clock +2s
client a reads               HTTP/1.1 503 Service Unavailable
                             …`,
		"the client leaves while we connect": `
names know a.example 192.0.2.7
origin 192.0.2.7:80 vanishes` + ask + `
client a closes
held clients=0 transactions=0`,
		"an IPv6 origin": `
names know a.example 2001:db8::7
origin [2001:db8::7]:80 listens` + ask + `
origin [2001:db8::7]:80 reads GET / HTTP/1.1
                             …`,
		"a literal address": `
origin [2001:db8::7]:81 listens
client a sends               GET http://[2001:DB8::7]:81/ HTTP/1.1
origin [2001:db8::7]:81 reads GET / HTTP/1.1
                             Host: [2001:db8::7]:81
                             …`,
	} {
		t.Run(name, func(t *testing.T) { play(t, nil, script) })
	}
}

func TestBackPressure(t *testing.T) {
	playCut(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               GET http://a.example/ HTTP/1.1
client a stalls
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" 1000000*"x"
held buffers<4
client a resumes
client a reads               HTTP/1.1 200 OK
                             …
client a hears               1000000*"x"
client a is open
held buffers=0 transactions=0
`, 0, 4000)
}

// The leak of the first ExaProxy: a reused client connection, a full send buffer to the origin
// when the request is sent, and an upload faster than the origin takes it.
func TestLargeUploadToSlowOrigin(t *testing.T) {
	playCut(t, nil, warm+`
client a sends               POST http://a.example/up HTTP/1.1
                             Content-Length: 1000000
origin 192.0.2.7:80 accepts
origin 192.0.2.7:80 stalls
client a says                999999*"x"
held transactions=1 buffers=2
origin 192.0.2.7:80 resumes
origin 192.0.2.7:80 reads    POST /up HTTP/1.1
                             …
origin 192.0.2.7:80 hears    999999*"x"
client a says                "y"
origin 192.0.2.7:80 hears    "y"
origin 192.0.2.7:80 says     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "ok"
client a is open
held buffers=0
`, 0, 4000)
}

func TestEarlyReplyToAnUpload(t *testing.T) {
	playCut(t, nil, `
names know a.example 192.0.2.7
origin 192.0.2.7:80 listens
client a sends               POST http://a.example/up HTTP/1.1
                             Content-Length: 1000000
client a says                1000*"x"
origin 192.0.2.7:80 reads    POST /up HTTP/1.1
                             …
origin 192.0.2.7:80 hears    1000*"x"
origin 192.0.2.7:80 says     "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"
client a reads               HTTP/1.1 413 …
                             …
client a hears               "no"
client a is closed
client a says                100000*"x"
clock +3s
held clients=0
`, 0, 4000)
}

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

func TestTransactionWaitsForTheLog(t *testing.T) {
	var policy *plain
	w := world(t, func(c *engine.Config) {
		c.NewPolicy = func(engine.Services) (engine.Policy, error) {
			policy = &plain{log: &strings.Builder{}, full: true}
			return policy, nil
		}
	})
	w.Play(`
origin 192.0.2.7:80 listens
client a sends               GET http://192.0.2.7/ HTTP/1.1
origin 192.0.2.7:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
held transactions=1
client a sends               GET http://192.0.2.7/next HTTP/1.1
origin 192.0.2.7:80 reads    GET / HTTP/1.1
                             …
origin 192.0.2.7:80 is silent "nothing begins while the log cannot tell of what was"
`)
	policy.full = false
	policy.waiting.Wake()
	w.Play(`
clock +1s
origin 192.0.2.7:80 reads    GET /next HTTP/1.1
                             …
`)
	if got := policy.log.String(); got != "GET http://192.0.2.7/ 204 192.0.2.7:80\n" {
		t.Errorf("the log has %q", got)
	}
	w.End()
}

// A fault that comes again when the transaction is being ended for it must not end the program.
func TestFaultCostsItsTransactionOnly(t *testing.T) {
	play(t, nil, `
origin 192.0.2.7:80 listens
client a sends               GET http://192.0.2.7/fault HTTP/1.1
origin 192.0.2.7:80 sends    HTTP/1.1 204 No Content
client a reads               HTTP/1.1 204 No Content
                             …
client a is closed
held clients=0 transactions=0 buffers=0
log is empty
client b sends               GET http://192.0.2.7/ HTTP/1.1
origin 192.0.2.7:80 sends    HTTP/1.1 204 No Content
client b reads               HTTP/1.1 204 No Content
                             …
log has                      GET http://192.0.2.7/ 204 192.0.2.7:80
`)
}

// Idle connections to ever more servers may not use up the descriptors.
func TestIdleUpstreamsAreBoundedInAll(t *testing.T) {
	w := world(t, nil)
	for n := range 1100 {
		origin := fmt.Sprintf("192.0.2.7:%d", 1000+n)
		w.Play("origin " + origin + " listens")
		w.Play("client a sends GET http://" + origin + "/ HTTP/1.1")
		w.Play("origin " + origin + " sends HTTP/1.1 204 No Content")
		w.Play("client a reads HTTP/1.1 204 No Content\n …")
	}
	w.Play("held idleupstreams=1024")
	w.End()
}
