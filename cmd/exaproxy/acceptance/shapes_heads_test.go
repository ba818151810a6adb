package acceptance

import "strings"

func fieldShapes() []shape {
	return named(
		"a folded field", gets("X: a\r\n b\r\n"),
		"a field folded with a tab", gets("X: a\r\n\tb\r\n"),
		"a field folded to nothing", gets("X: a\r\n \r\n"),
		"a folded first field", "GET http://{o}/first HTTP/1.1\r\n Host: {o}\r\n\r\n",
		"a first field behind a tab", "GET http://{o}/first HTTP/1.1\r\n\tX: a\r\nHost: {o}\r\n\r\n",
		"a folded Host", "GET http://{o}/first HTTP/1.1\r\nHost:\r\n {o}\r\n\r\n",
		"a space before a colon", gets("X : a\r\n"),
		"a tab before a colon", gets("X\t: a\r\n"),
		"a space within a name", gets("X Y: a\r\n"),
		"a line without a colon", gets("nocolon\r\n"),
		"a line without a name", gets(": a\r\n"),
		"a line of a space", gets(" \r\n"),
		"a name with NUL", gets("X\x00Y: a\r\n"),
		"a name with a parenthesis", gets("X(Y: a\r\n"),
		"a name with a slash", gets("X/Y: a\r\n"),
		"a name with quotes", gets("\"X\": a\r\n"),
		"a name with an at sign", gets("X@Y: a\r\n"),
		"a name with an eighth bit", gets("X\xe9: a\r\n"),
		"a name with a control character", gets("X\x01: a\r\n"),
		"a name with DEL", gets("X\x7f: a\r\n"),
		"a name of token characters", gets("!#$%&'*+-.^_`|~: a\r\n"),
		"an empty value", gets("X:\r\n"),
		"a value of spaces", gets("X:   \r\n"),
		"a value with NUL", gets("X: a\x00b\r\n"),
		"a value with a control character", gets("X: a\x01b\r\n"),
		"a value with DEL", gets("X: a\x7fb\r\n"),
		"a value with an eighth bit", gets("X: a\xe9b\r\n"),
		"a value with a tab", gets("X: a\tb\r\n"),
		"a value with a vertical tab", gets("X: a\vb\r\n"),
		"a value with a bare CR", gets("X: a\rb\r\n"),
		"a value with a bare CR before its end", gets("X: a\r\r\n"),
		"a value with a bare CR at its beginning", gets("X: \ra\r\n"),
		"a field behind a bare LF", gets("X: a\nY: b\r\n"),
		"bare LFs only", "GET http://{o}/first HTTP/1.1\nHost: {o}\n\n",
		"a bare LF behind the first line", "GET http://{o}/first HTTP/1.1\nHost: {o}\r\n\r\n",
		"a bare LF as the last line", "GET http://{o}/first HTTP/1.1\r\nHost: {o}\r\n\n",
		"a bare CR as the last line", "GET http://{o}/first HTTP/1.1\r\nHost: {o}\r\n\rX: a\r\n\r\n",
		"CR CR LF as the last line", "GET http://{o}/first HTTP/1.1\r\nHost: {o}\r\n\r\r\n",
		"bare CRs only", "GET http://{o}/first HTTP/1.1\rHost: {o}\r\r",
		"a field twice", gets("X: a\r\nX: b\r\n"),
		"500 fields", gets(strings.Repeat("X: a\r\n", 500)),
		"3,000 fields", gets(strings.Repeat("X: a\r\n", 3000)),
		"a request line for a field", gets("GET /smuggled HTTP/1.1\r\n"),
	)
}

func lineShapes() []shape {
	return named(
		"an empty line in front", "\r\n"+plainRequest(first),
		"five empty lines in front", strings.Repeat("\r\n", 5)+plainRequest(first),
		"a bare LF in front", "\n"+plainRequest(first),
		"a bare CR in front", "\r"+plainRequest(first),
		"a space in front", " "+plainRequest(first),
		"a line of a space in front", " \r\n"+plainRequest(first),
		"NUL in front", "\x00"+plainRequest(first),
		"a byte order mark in front", "\xef\xbb\xbf"+plainRequest(first),
		"two spaces behind the method", begins("GET  http://{o}/first HTTP/1.1"),
		"a tab behind the method", begins("GET\thttp://{o}/first HTTP/1.1"),
		"two spaces before the version", begins("GET http://{o}/first  HTTP/1.1"),
		"a tab before the version", begins("GET http://{o}/first\tHTTP/1.1"),
		"a vertical tab before the version", begins("GET http://{o}/first\vHTTP/1.1"),
		"a form feed behind the method", begins("GET\fhttp://{o}/first HTTP/1.1"),
		"a bare CR behind the method", begins("GET\rhttp://{o}/first HTTP/1.1"),
		"a no-break space behind the method", begins("GET\xa0http://{o}/first HTTP/1.1"),
		"NUL behind the method", begins("GET\x00http://{o}/first HTTP/1.1"),
		"a space behind the version", begins("GET http://{o}/first HTTP/1.1 "),
		"a tab behind the version", begins("GET http://{o}/first HTTP/1.1\t"),
		"a bare CR behind the version", begins("GET http://{o}/first HTTP/1.1\r"),
		"a word behind the version", begins("GET http://{o}/first HTTP/1.1 x"),
		"a space in the URL", asksFor("http://{o}/fi rst"),
		"a tab in the URL", asksFor("http://{o}/fi\trst"),
		"a version in the URL", asksFor("http://{o}/first HTTP/1.1"),
		"one word", "GET\r\n\r\n",
		"no target", "GET HTTP/1.1\r\nHost: {o}\r\n\r\n",
		"nothing but spaces", "   \r\n\r\n",
		"TLS", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n",
		"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n",
		"a status line", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	)
}

func versionShapes() []shape {
	of := func(version string) string { return begins("GET http://{o}/first " + version) }
	return named(
		"HTTP/1.0", of("HTTP/1.0"),
		"HTTP/1.0 without Host", "GET http://{o}/first HTTP/1.0\r\n\r\n",
		"HTTP/1.0, kept", "GET http://{o}/first HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.0, kept for a proxy", "GET http://{o}/first HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n",
		"HTTP/1.2", of("HTTP/1.2"),
		"HTTP/1.9", of("HTTP/1.9"),
		"HTTP/1.10", of("HTTP/1.10"),
		"HTTP/01.1", of("HTTP/01.1"),
		"HTTP/1.01", of("HTTP/1.01"),
		"HTTP/0.9", of("HTTP/0.9"),
		"HTTP/0.0", of("HTTP/0.0"),
		"HTTP/2.0", of("HTTP/2.0"),
		"HTTP/3.0", of("HTTP/3.0"),
		"HTTP/2", of("HTTP/2"),
		"HTTP/1", of("HTTP/1"),
		"HTTP/1.", of("HTTP/1."),
		"HTTP/.1", of("HTTP/.1"),
		"HTTP/-1.1", of("HTTP/-1.1"),
		"HTTP/1,1", of("HTTP/1,1"),
		"HTTP/1.1x", of("HTTP/1.1x"),
		"HTTP/ 1.1", of("HTTP/ 1.1"),
		"HTTP /1.1", of("HTTP /1.1"),
		"HTTPS/1.1", of("HTTPS/1.1"),
		"HTP/1.1", of("HTP/1.1"),
		"http/1.1", of("http/1.1"),
		"ICY/1.0", of("ICY/1.0"),
		"HTTP/1.1 with NUL", of("HTTP/1.1\x00"),
		"no version", "GET http://{o}/first\r\n",
		"no version and an empty line", "GET http://{o}/first\r\n\r\n",
		"no version and fields", "GET http://{o}/first\r\nHost: {o}\r\n\r\n",
		"no version and a space", "GET http://{o}/first \r\n",
		"POST without a version", "POST http://{o}/first\r\n",
		"no space before the version", begins("GET http://{o}/firstHTTP/1.1"),
		"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"the preface of HTTP/2, begun", "PRI * HTTP/2.0\r\n\r\n",
		"a PRI of HTTP/1.1", "PRI * HTTP/1.1\r\nHost: {o}\r\n\r\n",
	)
}

func methodShapes() []shape {
	var all []shape
	for _, m := range []string{"get", "gEt", "head", "Post", "options", "FOO", "foo", "G@T", "G(T", "G\x00T", "G\xe9T", "M-SEARCH", "BREW", "PURGE", "PROPFIND", "QUERY",
		"HEAD", "OPTIONS", "TRACE", "!#$%&'*+-.^_`|~", strings.Repeat("A", 32), strings.Repeat("A", 33), strings.Repeat("A", 9000), "GET,", "\"GET\"", "1", "GET:", "X-HTTP-Method"} {
		all = append(all, shape{name: "method " + printable(m), raw: sends(m, "", "")})
	}
	return append(all, named(
		"no method", begins(" http://{o}/first HTTP/1.1"),
		"post in small letters with a length", sends("post", "Content-Length: 3\r\n", "abc"),
		"FOO with a length", sends("FOO", "Content-Length: 3\r\n", "abc"),
		"another method in a field", gets("X-HTTP-Method-Override: DELETE\r\n"),
	)...)
}

// hostOf is a request with fields in the place of Host.
func hostOf(fields string) string { return "GET http://{o}/first HTTP/1.1\r\n" + fields + "\r\n" }

func hostShapes() []shape {
	return named(
		"no Host", hostOf(""),
		"an empty Host", hostOf("Host:\r\n"),
		"a Host twice", hostOf("Host: {o}\r\nHost: {o}\r\n"),
		"two Hosts", hostOf("Host: {o}\r\nHost: elsewhere.test\r\n"),
		"two Hosts, the other first", hostOf("Host: elsewhere.test\r\nHost: {o}\r\n"),
		"another Host", hostOf("Host: elsewhere.test\r\n"),
		"a Host without the port", hostOf("Host: {h}\r\n"),
		"a Host with another port", hostOf("Host: {h}:81\r\n"),
		"a Host with a port that is none", hostOf("Host: {h}:http\r\n"),
		"a Host with two ports", hostOf("Host: {h}:80:81\r\n"),
		"a Host with a user", hostOf("Host: joe@{o}\r\n"),
		"a Host with a path", hostOf("Host: {o}/path\r\n"),
		"a Host with a scheme", hostOf("Host: http://{o}/\r\n"),
		"a Host with a space", hostOf("Host: {h} elsewhere.test\r\n"),
		"a Host with a comma", hostOf("Host: {o}, elsewhere.test\r\n"),
		"a Host with NUL", hostOf("Host: {o}\x00.elsewhere.test\r\n"),
		"a Host with a percent sign", hostOf("Host: a%00b.test\r\n"),
		"a Host in capitals", hostOf("HOST: S.TEST\r\n"),
		"a Host behind a space", hostOf("Host : {o}\r\n"),
		"a Host that is folded", hostOf("Host: {h}\r\n .elsewhere.test\r\n"),
		"a Host in brackets", hostOf("Host: [::1]:80\r\n"),
		"a Host in brackets that do not close", hostOf("Host: [::1\r\n"),
		"X-Forwarded-Host", gets("X-Forwarded-Host: elsewhere.test\r\n"),
		"a Host with an underscore", hostOf("Host_: {o}\r\n"),
	)
}
