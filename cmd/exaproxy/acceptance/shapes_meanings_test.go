package acceptance

import (
	"fmt"
	"strings"
)

func connectionShapes() []shape {
	return named(
		"Connection: close", gets("Connection: close\r\n"),
		"Connection: keep-alive", gets("Connection: keep-alive\r\n"),
		"Connection: close, keep-alive", gets("Connection: close, keep-alive\r\n"),
		"Connection in two fields", gets("Connection: keep-alive\r\nConnection: close\r\n"),
		"Connection in capitals", gets("Connection: CLOSE\r\n"),
		"Connection that is empty", gets("Connection:\r\n"),
		"Connection of commas", gets("Connection: ,,X,,\r\nX: a\r\n"),
		"Connection of nonsense", gets("Connection: \"close\", @\r\n"),
		"Connection lists a field", gets("Connection: X\r\nX: a\r\nY: b\r\n"),
		"Connection lists a field in capitals", gets("Connection: X-FOO\r\nx-foo: a\r\n"),
		"Connection lists Host", gets("Connection: Host\r\n"),
		"Connection lists the length", posts("Connection: Content-Length\r\nContent-Length: 3\r\n", "abc"),
		"Connection lists the coding", posts("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"Connection lists Via", gets("Connection: Via\r\nVia: 1.1 other\r\n"),
		"Connection lists X-Forwarded-For", gets("Connection: X-Forwarded-For\r\nX-Forwarded-For: 192.0.2.1\r\n"),
		"Connection lists credentials", gets("Connection: Authorization, Cookie\r\nAuthorization: Basic eDp5\r\nCookie: a=b\r\n"),
		"Connection lists Connection", gets("Connection: Connection\r\n"),
		"Connection lists Cache-Control", gets("Connection: Cache-Control\r\nCache-Control: no-cache\r\n"),
		"Connection lists 1,000 fields", gets("Connection: "+strings.Repeat("X, ", 1000)+"Y\r\nX: a\r\nY: b\r\n"),
		"Keep-Alive", gets("Connection: keep-alive\r\nKeep-Alive: timeout=5, max=3\r\n"),
		"Proxy-Connection: keep-alive", gets("Proxy-Connection: keep-alive\r\n"),
		"Proxy-Connection: close", gets("Proxy-Connection: close\r\n"),
		"Upgrade to websocket", gets("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
		"Upgrade to h2c", gets("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
		"Upgrade without Connection", gets("Upgrade: foo\r\n"),
		"Upgrade with a body", posts("Connection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 3\r\n", "abc"),
		"Trailer", gets("Trailer: X-T\r\n"),
	)
}

func meaningShapes() []shape {
	return named(
		"Expect: 100-continue", posts("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
		"Expect: 100-continue, chunked", posts("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"Expect: 100-continue in capitals", posts("Expect: 100-CONTINUE\r\nContent-Length: 3\r\n", "abc"),
		"Expect: 100-continue without a body", gets("Expect: 100-continue\r\n"),
		"Expect: 100-continue in HTTP/1.0", "POST http://{o}/first HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		"Expect of something else", posts("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc"),
		"Expect of two things", posts("Expect: 100-continue, 200-ok\r\nContent-Length: 3\r\n", "abc"),
		"Expect twice", posts("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
		"Expect that is empty", posts("Expect:\r\nContent-Length: 3\r\n", "abc"),
		"TRACE with Max-Forwards 0", sends("TRACE", "Max-Forwards: 0\r\nCookie: a=b\r\nAuthorization: Basic eDp5\r\n", ""),
		"TRACE with Max-Forwards 1", sends("TRACE", "Max-Forwards: 1\r\n", ""),
		"OPTIONS with Max-Forwards 0", sends("OPTIONS", "Max-Forwards: 0\r\n", ""),
		"OPTIONS with Max-Forwards 5", sends("OPTIONS", "Max-Forwards: 5\r\n", ""),
		"GET with Max-Forwards 0", gets("Max-Forwards: 0\r\n"),
		"TRACE with Max-Forwards of nonsense", sends("TRACE", "Max-Forwards: x\r\n", ""),
		"TRACE with Max-Forwards -1", sends("TRACE", "Max-Forwards: -1\r\n", ""),
		"Range", gets("Range: bytes=0-1\r\n"),
		"Range of two", gets("Range: bytes=0-1,3-4\r\n"),
		"Range of 100", gets("Range: bytes=0-1"+strings.Repeat(",0-1", 99)+"\r\n"),
		"Range of nonsense", gets("Range: lines=1\r\n"),
		"Range that is backwards", gets("Range: bytes=5-1\r\n"),
		"If-Range", gets("Range: bytes=0-1\r\nIf-Range: \"a\"\r\n"),
		"conditions", gets("If-None-Match: \"a\"\r\nIf-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT\r\n"),
		"Via of others", gets("Via: 1.0 fred, 1.1 p.example.net\r\n"),
		"Via of ourselves", gets("Via: 1.1 proxy.test (squid/5.7)\r\n"),
		"Via of ourselves in another form", gets("Via: 1.1 proxy.test\r\n"),
		"Via twice", gets("Via: 1.1 a\r\nVia: 1.1 b\r\n"),
		"Authorization", gets("Authorization: Basic eDp5\r\n"),
		"Proxy-Authorization", gets("Proxy-Authorization: Basic eDp5\r\n"),
		"Cookies", gets("Cookie: a=b\r\nCookie: c=d\r\n"),
		"Cache-Control", gets("Cache-Control: no-cache\r\n"),
		"Cache-Control of two", gets("Cache-Control: max-age=0\r\nCache-Control: no-store\r\n"),
		"Cache-Control: only-if-cached", gets("Cache-Control: only-if-cached\r\n"),
		"Pragma", gets("Pragma: no-cache\r\n"),
		"X-Forwarded-For", gets("X-Forwarded-For: 192.0.2.1\r\n"),
		"X-Forwarded-For of nonsense", gets("X-Forwarded-For: unknown, \"x\", ::g\r\n"),
		"X-Forwarded-For twice", gets("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n"),
		"X-Forwarded-For of 5,000 hops", gets("X-Forwarded-For: 192.0.2.1"+strings.Repeat(", 192.0.2.1", 4999)+"\r\n"),
		"Forwarded", gets("Forwarded: for=192.0.2.1;proto=https\r\n"),
		"Surrogate-Capability", gets("Surrogate-Capability: a=\"Surrogate/1.0\"\r\n"),
		"Accept-Encoding", gets("Accept-Encoding: gzip, br\r\n"),
		"fields of browsers", gets("User-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Language: de\r\nReferer: http://elsewhere.test/\r\nDNT: 1\r\n"),
	)
}

func sizeShapes() []shape {
	long := func(n int) string { return strings.Repeat("x", n) }
	return named(
		"a head of 30 KB", gets("X: "+long(30000)+"\r\n"),
		"a head of 60 KB", gets("X: "+long(60000)+"\r\n"),
		"a head of 70 KB", gets("X: "+long(70000)+"\r\n"),
		"a head of 200 KB", gets("X: "+long(200000)+"\r\n"),
		"a name of 60 KB", gets(long(60000)+": a\r\n"),
		"a URL of 4 KB", asksFor("http://{o}/"+long(4000)),
		"a URL of 7 KB", asksFor("http://{o}/"+long(7000)),
		"a URL of 9 KB", asksFor("http://{o}/"+long(9000)),
		"a URL of 70 KB", asksFor("http://{o}/"+long(70000)),
		"a first line that does not end", "GET http://{o}/"+long(100000),
		"a head that does not end", "GET http://{o}/first HTTP/1.1\r\nHost: {o}\r\nX: "+long(100000),
		"70 KB of empty lines", strings.Repeat("\r\n", 35000)+plainRequest(first),
	)
}

func pipelineShapes() []shape {
	var five string
	for i := range 5 {
		five += plainRequest(fmt.Sprint("p", i))
	}
	return named(
		"the plainest request", plainRequest(first),
		"five requests at once", five,
		"HEAD and GET at once", sends("HEAD", "", "")+plainRequest("p1"),
		"POST and GET at once", posts("Content-Length: 3\r\n", "abc")+plainRequest("p1"),
		"POST and an empty line", posts("Content-Length: 3\r\n", "abc\r\n"),
		"chunked POST and GET at once", chunks(chunked3)+plainRequest("p1"),
		"GET that closes, and GET", gets("Connection: close\r\n")+plainRequest("p1"),
		"GET of HTTP/1.0, and GET", "GET http://{o}/first HTTP/1.0\r\n\r\n"+plainRequest("p1"),
		"GET and nonsense", plainRequest(first)+"nonsense\r\n\r\n",
		"GET and NULs", plainRequest(first)+"\x00\x00\x00\x00",
		"GET and a CONNECT", plainRequest("p1")+"CONNECT {o} HTTP/1.1\r\nHost: {o}\r\n\r\n",
		"GET and a bad request", plainRequest("p1")+posts("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"),
	)
}
