package engine_test

import (
	"testing"
	"time"

	"exaproxy/engine"
)

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
	play(t, func(c *engine.Config) { helped(c); c.Helper.Timeout = 3 * time.Second }, `
client a sends               GET http://a.example/ HTTP/1.1
helper 1 reads               http://a.example/
clock +2s
client a is silent
clock +2s
client a reads               HTTP/1.1 503 Service Unavailable
                             …
`)
}
