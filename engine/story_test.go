package engine_test

import (
	"strings"
	"testing"

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
