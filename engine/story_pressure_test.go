package engine_test

import "testing"

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
