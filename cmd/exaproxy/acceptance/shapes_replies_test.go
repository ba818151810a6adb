package acceptance

import (
	"slices"
	"strings"
)

// replyShapes are all that servers answer.
func replyShapes() []shape {
	return slices.Concat(statusShapes(), replyLengthShapes(), replyCodingShapes(), replyChunkShapes(), bodilessShapes(), interimShapes(), endShapes(),
		replyFieldShapes(), replyMeaningShapes())
}

// replying makes shapes of names and what servers answer, in turn. They let the connection be.
func replying(of ...string) []shape {
	var all []shape
	for i := 0; i < len(of); i += 2 {
		all = append(all, shape{name: of[i], reply: of[i+1]})
	}
	return all
}

// closing is the same for servers that close the connection then.
func closing(of ...string) []shape {
	all := replying(of...)
	for i := range all {
		all[i].ends = true
	}
	return all
}

// askedBy has another request asked than the plainest.
func askedBy(raw string, shapes []shape) []shape {
	for i := range shapes {
		shapes[i].raw = raw
	}
	return shapes
}

// replies is a reply with fields and a body.
func replies(fields, body string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body }

// begun is a reply that begins with a line.
func begun(first string) string { return first + "\r\nContent-Length: 3\r\n\r\nabc" }

func repliedChunks(body string) string { return replies("Transfer-Encoding: chunked\r\n", body) }

func statusShapes() []shape {
	return slices.Concat(replying(
		"the plainest reply", begun("HTTP/1.1 200 OK"),
		"status 299", begun("HTTP/1.1 299 Yay"),
		"status 404", begun("HTTP/1.1 404 Not Found"),
		"status 418", begun("HTTP/1.1 418 I'm a teapot"),
		"status 599", begun("HTTP/1.1 599 x"),
		"status 600", begun("HTTP/1.1 600 x"),
		"status 999", begun("HTTP/1.1 999 x"),
		"status 000", begun("HTTP/1.1 000 x"),
		"status 99", begun("HTTP/1.1 99 x"),
		"status 1000", begun("HTTP/1.1 1000 x"),
		"status 20x", begun("HTTP/1.1 20x x"),
		"status +20", begun("HTTP/1.1 +20 x"),
		"no reason", begun("HTTP/1.1 200 "),
		"no reason and no space", begun("HTTP/1.1 200"),
		"no status", begun("HTTP/1.1"),
		"no status but a reason", begun("HTTP/1.1 OK"),
		"two spaces before the status", begun("HTTP/1.1  200 OK"),
		"a tab before the status", begun("HTTP/1.1\t200 OK"),
		"a reason with an eighth bit", begun("HTTP/1.1 200 \xc3\xa4"),
		"a reason with a control character", begun("HTTP/1.1 200 a\x01b"),
		"a reason with NUL", begun("HTTP/1.1 200 a\x00b"),
		"a reason with a bare CR", begun("HTTP/1.1 200 a\rb"),
		"a reason of 5 KB", begun("HTTP/1.1 200 "+strings.Repeat("x", 5000)),
		"a status line with a bare LF", "HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.2", begun("HTTP/1.2 200 OK"),
		"HTTP/1.10", begun("HTTP/1.10 200 OK"),
		"HTTP/2.0", begun("HTTP/2.0 200 OK"),
		"HTTP/2", begun("HTTP/2 200 OK"),
		"HTTP/0.9 in a status line", begun("HTTP/0.9 200 OK"),
		"http in small letters", begun("http/1.1 200 OK"),
		"an empty line in front", "\r\n"+begun("HTTP/1.1 200 OK"),
		"a space in front", " "+begun("HTTP/1.1 200 OK"),
	), closing(
		"ICY", begun("ICY 200 OK"),
		"HTTP/0.9", "ok\n",
		"a page and no head", "<html>"+strings.Repeat("x", 100)+"</html>\n",
		"the beginning of a status line", "HTTP/1.",
		"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n",
		"TLS", "\x15\x03\x01\x00\x02\x02\x46",
		"NULs", "\x00\x00\x00\x00",
		"HTTP/1.0", begun("HTTP/1.0 200 OK"),
		"HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\nabc",
	), replying(
		"HTTP/1.0, kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
	))
}

func replyLengthShapes() []shape {
	of := func(value string) string { return replies("Content-Length:"+value+"\r\n", "abc") }
	return slices.Concat(replying(
		"length 0", replies("Content-Length: 0\r\n", ""),
		"length with leading zeros", of(" 003"),
		"length without a space", of("3"),
		"length within tabs", of("\t3\t"),
		"one length twice", replies("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
		"a list of one length", of(" 3, 3"),
	), closing(
		"length with plus", of(" +3"),
		"length with minus", of(" -3"),
		"length in hexadecimal", of(" 0x3"),
		"length in words", of(" three"),
		"length empty", of(""),
		"length with NUL", of(" 3\x00"),
		"length with a space within", of(" 3 0"),
		"length beyond 64 bits", of(" 18446744073709551619"),
		"length beyond 63 bits", of(" 9223372036854775811"),
		"two lengths", replies("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"),
		"two lengths, long first", replies("Content-Length: 4\r\nContent-Length: 3\r\n", "abcd"),
		"one length in two spellings", replies("Content-Length: 3\r\nContent-Length: 03\r\n", "abc"),
		"a length and one that is nonsense", replies("Content-Length: 3\r\nContent-Length: x\r\n", "abc"),
		"a list of two lengths", of(" 3, 4"),
		"a list with a hole", of(" 3,"),
		"a space before the colon of the length", replies("Content-Length : 3\r\n", "abc"),
		"a folded length", replies("Content-Length:\r\n 3\r\n", "abc"),
	))
}

func replyCodingShapes() []shape {
	return closing(
		"gzip", replies("Transfer-Encoding: gzip\r\n", "abc"),
		"gzip, chunked", replies("Transfer-Encoding: gzip, chunked\r\n", chunked3),
		"chunked, gzip", replies("Transfer-Encoding: chunked, gzip\r\n", chunked3),
		"identity", replies("Transfer-Encoding: identity\r\n", "abc"),
		"identity and a length", replies("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "abc"),
		"identity, chunked", replies("Transfer-Encoding: identity, chunked\r\n", chunked3),
		"chunked twice in a list", replies("Transfer-Encoding: chunked, chunked\r\n", chunked3),
		"chunked in two fields", replies("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked in quotes", replies("Transfer-Encoding: \"chunked\"\r\n", chunked3),
		"chunked with a prefix", replies("Transfer-Encoding: xchunked\r\n", chunked3),
		"chunked behind a vertical tab", replies("Transfer-Encoding: \vchunked\r\n", chunked3),
		"a coding that is empty", replies("Transfer-Encoding:\r\n", "abc"),
		"a space before the colon of chunked", replies("Transfer-Encoding : chunked\r\n", chunked3),
		"a folded coding", replies("Transfer-Encoding:\r\n chunked\r\n", chunked3),
		"chunked and a length", replies("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunked3),
		"a length and chunked", replies("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked and two lengths", replies("Content-Length: 3\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked3,
	)
}

func replyChunkShapes() []shape {
	return slices.Concat(replying(
		"chunks", repliedChunks("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		"no chunks", repliedChunks("0\r\n\r\n"),
		"a chunk's size with leading zeros", repliedChunks("00000000000000003\r\nabc\r\n0\r\n\r\n"),
		"spaces behind a chunk's size", repliedChunks("3   \r\nabc\r\n0\r\n\r\n"),
		"an extension", repliedChunks("3;a=b\r\nabc\r\n0;c\r\n\r\n"),
		"an extension in quotes", repliedChunks("3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"),
		"a trailer field", repliedChunks("3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"),
		"a trailer field that was announced", replies("Trailer: X-T\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"),
		"a length in the trailer", repliedChunks("3\r\nabc\r\n0\r\nContent-Length: 30\r\n\r\n"),
		"1,000 chunks of a byte", repliedChunks(strings.Repeat("1\r\na\r\n", 1000)+"0\r\n\r\n"),
	), closing(
		"a chunk's size beyond 64 bits", repliedChunks("10000000000000003\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size with 0x", repliedChunks("0x3\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size with minus", repliedChunks("-3\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size that is missing", repliedChunks("\r\nabc\r\n0\r\n\r\n"),
		"a space before a chunk's size", repliedChunks(" 3\r\nabc\r\n0\r\n\r\n"),
		"a bare LF behind a chunk's size", repliedChunks("3\nabc\r\n0\r\n\r\n"),
		"a bare LF behind a chunk", repliedChunks("3\r\nabc\n0\r\n\r\n"),
		"an extension with a bare LF", repliedChunks("3;a\nabc\r\n0\r\n\r\n"),
		"nothing behind a chunk", repliedChunks("3\r\nabc0\r\n\r\n"),
		"a chunk longer than its size", repliedChunks("3\r\nabcd\r\n0\r\n\r\n"),
		"a bare LF as the last line of chunks", repliedChunks("3\r\nabc\r\n0\r\n\n"),
		"a folded trailer", repliedChunks("3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n"),
		"a trailer without a colon", repliedChunks("3\r\nabc\r\n0\r\nnocolon\r\n\r\n"),
		"a trailer of 17 KB", repliedChunks("3\r\nabc\r\n0\r\nX: "+strings.Repeat("x", 17000)+"\r\n\r\n"),
		"an end within a chunk", repliedChunks("5\r\nabc"),
		"an end behind a chunk", repliedChunks("3\r\nabc\r\n"),
		"an end before the last line", repliedChunks("3\r\nabc\r\n0\r\n"),
	))
}

func bodilessShapes() []shape {
	of := func(status, fields, body string) string {
		return "HTTP/1.1 " + status + "\r\n" + fields + "\r\n" + body
	}
	return slices.Concat(replying(
		"204", of("204 No Content", "", ""),
		"204 with length 0", of("204 No Content", "Content-Length: 0\r\n", ""),
		"204 with a length", of("204 No Content", "Content-Length: 5\r\n", ""),
		"204 that is chunked", of("204 No Content", "Transfer-Encoding: chunked\r\n", ""),
		"204 with a body", of("204 No Content", "Content-Length: 3\r\n", "abc"),
		"204 with chunks", of("204 No Content", "Transfer-Encoding: chunked\r\n", chunked3),
		"304", of("304 Not Modified", "", ""),
		"304 with a length", of("304 Not Modified", "Content-Length: 5\r\nETag: \"a\"\r\n", ""),
		"304 that is chunked", of("304 Not Modified", "Transfer-Encoding: chunked\r\n", ""),
		"304 with a body", of("304 Not Modified", "Content-Length: 3\r\n", "abc"),
		"205 with length 0", of("205 Reset Content", "Content-Length: 0\r\n", ""),
		"205 with a body", of("205 Reset Content", "Content-Length: 3\r\n", "abc"),
		"206", of("206 Partial Content", "Content-Range: bytes 0-2/10\r\nContent-Length: 3\r\n", "abc"),
		"416", of("416 Range Not Satisfiable", "Content-Range: bytes */10\r\nContent-Length: 0\r\n", ""),
	), askedBy(sends("HEAD", "", ""), replying(
		"HEAD with a length", replies("Content-Length: 5\r\n", ""),
		"HEAD that is chunked", replies("Transfer-Encoding: chunked\r\n", ""),
		"HEAD without a length", replies("", ""),
		"HEAD with a body", replies("Content-Length: 3\r\n", "abc"),
		"HEAD with chunks", replies("Transfer-Encoding: chunked\r\n", chunked3),
		"HEAD, 404 with a length", of("404 Not Found", "Content-Length: 5\r\n", ""),
	)))
}

func interimShapes() []shape {
	final := begun("HTTP/1.1 200 OK")
	return slices.Concat(replying(
		"100 that nobody asked for", "HTTP/1.1 100 Continue\r\n\r\n"+final,
		"100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n"+final,
		"100 that is chunked", "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"+final,
		"102", "HTTP/1.1 102 Processing\r\n\r\n"+final,
		"103", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"+final,
		"103 twice", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", 2)+final,
		"199", "HTTP/1.1 199 x\r\n\r\n"+final,
		"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
		"100 in HTTP/1.0", "HTTP/1.0 100 Continue\r\n\r\n"+final,
	), closing(
		"100 and no more", "HTTP/1.1 100 Continue\r\n\r\n",
	), askedBy(posts("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"), replying(
		"100 that was asked for", "HTTP/1.1 100 Continue\r\n\r\n"+final,
		"417", "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n",
	)), askedBy("GET http://{o}/first HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", replying(
		"103 for HTTP/1.0", "HTTP/1.1 103 Early Hints\r\n\r\n"+final,
		"chunks for HTTP/1.0", repliedChunks(chunked3),
	)))
}

func endShapes() []shape {
	return slices.Concat(closing(
		"the first letters", "HTTP",
		"an end within the head", "HTTP/1.1 200 OK\r\nContent-Le",
		"an end behind the status line", "HTTP/1.1 200 OK\r\n",
		"an end within a length", replies("Content-Length: 10\r\n", "abc"),
		"until the end", replies("", "abc"),
		"until the end and empty", replies("", ""),
		"until the end, and Connection: close", replies("Connection: close\r\n", "abc"),
		"more than the length, and an end", replies("Content-Length: 3\r\n", "abcdef"),
	), replying(
		"more than the length", replies("Content-Length: 3\r\n", "abcdef"),
		"another reply behind the length", replies("Content-Length: 3\r\n", "abc")+replies("Content-Length: 8\r\n", "smuggled"),
		"another reply behind chunks", repliedChunks(chunked3)+replies("Content-Length: 8\r\n", "smuggled"),
		"another reply behind a 204", "HTTP/1.1 204 No Content\r\n\r\n"+replies("Content-Length: 8\r\n", "smuggled"),
		"another reply behind a 304", "HTTP/1.1 304 Not Modified\r\n\r\n"+replies("Content-Length: 8\r\n", "smuggled"),
		"an empty line behind the length", replies("Content-Length: 3\r\n", "abc\r\n"),
	))
}

func replyFieldShapes() []shape {
	of := func(fields string) string { return replies(fields+"Content-Length: 3\r\n", "abc") }
	return replying(
		"a folded field", of("X: a\r\n b\r\n"),
		"a field folded with a tab", of("X: a\r\n\tb\r\n"),
		"a folded first field", of(" X: a\r\n"),
		"a space before a colon", of("X : a\r\n"),
		"a space within a name", of("X Y: a\r\n"),
		"a line without a colon", of("nocolon\r\n"),
		"a line without a name", of(": a\r\n"),
		"a name with NUL", of("X\x00: a\r\n"),
		"a name with an eighth bit", of("X\xe9: a\r\n"),
		"a name with a slash", of("X/Y: a\r\n"),
		"a value with NUL", of("X: a\x00b\r\n"),
		"a value with a bare CR", of("X: a\rb\r\n"),
		"a value with a bare CR before its end", of("X: a\r\r\n"),
		"a value with a control character", of("X: a\x01b\r\n"),
		"a value with an eighth bit", of("X: a\xe9b\r\n"),
		"an empty value", of("X:\r\n"),
		"a bare LF behind a field", of("X: a\n"),
		"bare LFs only", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
		"a bare LF as the last line", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\nabc",
		"bare CRs only", "HTTP/1.1 200 OK\rContent-Length: 3\r\r",
		"a head of 30 KB", of("X: "+strings.Repeat("x", 30000)+"\r\n"),
		"a head of 60 KB", of("X: "+strings.Repeat("x", 60000)+"\r\n"),
		"a head of 70 KB", of("X: "+strings.Repeat("x", 70000)+"\r\n"),
		"a head of 200 KB", of("X: "+strings.Repeat("x", 200000)+"\r\n"),
		"500 fields", of(strings.Repeat("X: a\r\n", 500)),
		"3,000 fields", of(strings.Repeat("X: a\r\n", 3000)),
	)
}

func replyMeaningShapes() []shape {
	of := func(fields string) string { return replies(fields+"Content-Length: 3\r\n", "abc") }
	return replying(
		"Connection: close", of("Connection: close\r\n"),
		"Connection: keep-alive", of("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),
		"Connection lists a field", of("Connection: X\r\nX: a\r\nY: b\r\n"),
		"Connection lists the length", of("Connection: Content-Length\r\n"),
		"Connection lists Set-Cookie", of("Connection: Set-Cookie\r\nSet-Cookie: a=b\r\n"),
		"Proxy-Connection", of("Proxy-Connection: close\r\n"),
		"Upgrade", of("Upgrade: h2c\r\n"),
		"Upgrade with Connection", of("Connection: Upgrade\r\nUpgrade: h2c\r\n"),
		"Trailer", of("Trailer: X-T\r\n"),
		"Proxy-Authenticate", of("Proxy-Authenticate: Basic realm=\"a\"\r\n"),
		"407 with Proxy-Authenticate", "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 3\r\n\r\nabc",
		"401 with WWW-Authenticate", "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 3\r\n\r\nabc",
		"401 with Negotiate", "HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: 3\r\n\r\nabc",
		"Proxy-Authentication-Info", of("Proxy-Authentication-Info: a=b\r\nProxy-support: Session-Based-Authentication\r\n"),
		"Set-Cookie twice", of("Set-Cookie: a=b\r\nSet-Cookie: c=d, e=f\r\n"),
		"Set-Cookie of oddities", of("Set-Cookie: =\r\nSet-Cookie:\r\nSet-Cookie: a=b; Expires=Wed, 09 Jun 2021 10:18:14 GMT\r\n"),
		"Via", of("Via: 1.0 other\r\n"),
		"Age", of("Age: 7\r\n"),
		"Date", of("Date: Sat, 29 Oct 1994 19:43:31 GMT\r\n"),
		"Date of nonsense", of("Date: yesterday\r\n"),
		"Date twice", of("Date: Sat, 29 Oct 1994 19:43:31 GMT\r\nDate: Sat, 29 Oct 1994 19:43:32 GMT\r\n"),
		"X-Cache", of("X-Cache: HIT from other\r\nX-Cache-Lookup: HIT from other:80\r\n"),
		"X-Squid-Error", of("X-Squid-Error: ERR_READ_TIMEOUT 0\r\n"),
		"Surrogate-Control", of("Surrogate-Control: max-age=5\r\n"),
		"Cache-Control", of("Cache-Control: no-cache=\"Set-Cookie\", private\r\nSet-Cookie: a=b\r\n"),
		"Content-Encoding", of("Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"),
		"Content-Range", of("Content-Range: bytes 0-2/3\r\nAccept-Ranges: bytes\r\n"),
		"Content-Type of nonsense", of("Content-Type: /\r\nContent-Type: text/html\r\n"),
		"Location", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
		"Server", of("Server: a\r\nX-Powered-By: b\r\n"),
		"Refresh and Alt-Svc", of("Refresh: 5\r\nAlt-Svc: h3=\":443\"\r\nStrict-Transport-Security: max-age=1\r\n"),
		"Mime-Version", of("Mime-Version: 1.0\r\n"),
	)
}
