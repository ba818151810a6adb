package engine_test

import (
	"fmt"
	"testing"
)

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
