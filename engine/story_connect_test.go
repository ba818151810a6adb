package engine_test

import (
	"testing"
	"time"

	"exaproxy/engine"
)

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

// forward_timeout ends connecting although the timer of the second attempt has come and gone.
func TestForwardTimeoutEndsConnecting(t *testing.T) {
	play(t, func(c *engine.Config) { c.Timeouts.Forward = 10 * time.Second }, `
names know a.example 192.0.2.7 192.0.2.8
origin 192.0.2.7:80 vanishes
origin 192.0.2.8:80 vanishes
client a sends               GET http://a.example/ HTTP/1.1
clock +300ms
clock +9s
client a is silent
clock +1s
client a reads               HTTP/1.1 503 Service Unavailable
                             …
`)
}
