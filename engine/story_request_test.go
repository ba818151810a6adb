package engine_test

import "testing"

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
client a sends               TRACE http://me:secret@a.example/ HTTP/1.1
                             Max-Forwards: 0
client a reads               HTTP/1.1 200 OK
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
