package engine_test

import "testing"

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
client a hears               "5\r\nhello\r\n0\r\n\r\n"
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
origin 192.0.2.7:80 says     "HTTP/2.0 200 OK\r\n"
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
