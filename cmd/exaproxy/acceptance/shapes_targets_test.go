package acceptance

import "strings"

// pathsOf are shapes of what follows the authority.
func pathsOf(paths ...string) []shape {
	var all []shape
	for _, p := range paths {
		all = append(all, shape{name: "target /" + printable(p), raw: asksFor("http://{o}/" + p)})
	}
	return all
}

func targetShapes() []shape {
	return append(pathsOf("#fragment", "a#b?c", "a?b#c", "?", "?a?b", "a;b=c", "%00", "%0d%0aX:%20y", "%0a", "%20", "%", "%z", "%zz", "%u002e", "%25%30%30",
		"..", "../../a", "a/../b", "a/./b", "%2e%2e/a", "a%2fb", "a%5cb", `a\b`, `..\..\a`, "/a", "//a", "a//b", `"`, "<a>", "{a}", "a|b", "^", "`", "[a]", "'", "a\x01b", "a\x00b",
		"a\x7fb", "caf\xc3\xa9", "\xff\xfe", "a\x80b", "~a", "a,b", "a@b", "a:b", "http://elsewhere.test/", "a\rb", "a\vb", "a\fb", "a\xa0b", "\x1b[m"),
		named(
			"target without a path", asksFor("http://{o}"),
			"target without a path, a query", asksFor("http://{o}?a"),
			"target without a path, a fragment", asksFor("http://{o}#a"),
			"origin form", asksFor("/first"),
			"origin form with two slashes", asksFor("//{o}/first"),
			"asterisk", asksFor("*"),
			"OPTIONS *", begins("OPTIONS * HTTP/1.1"),
			"OPTIONS without a path", begins("OPTIONS http://{o} HTTP/1.1"),
			"OPTIONS with a path", begins("OPTIONS http://{o}/ HTTP/1.1"),
			"authority form", asksFor("{o}"),
			"a word", asksFor("first"),
			"a target of dots", asksFor("../first"),
			"no slashes", asksFor("http:{o}/first"),
			"one slash", asksFor("http:/{o}/first"),
			"three slashes", asksFor("http:///{o}/first"),
			"backslashes", asksFor(`http:\\{o}\first`),
			"a scheme in capitals", asksFor("HTTP://{o}/first"),
			"a scheme with a space", asksFor("http ://{o}/first"),
			"https", asksFor("https://{h}:1/first"),
			"ftp with a port", asksFor("ftp://{o}/first"),
			"a scheme nobody knows", asksFor("foo://{o}/first"),
			"ws", asksFor("ws://{o}/first"),
			"urn", asksFor("urn:isbn:0451450523"),
			"javascript", asksFor("javascript:alert(1)"),
			"file", asksFor("file:///etc/passwd"),
			"a URL in a URL", asksFor("http://http://{o}/first"),
		)...)
}

func authorityShapes() []shape {
	return named(
		"a user", asksFor("http://joe@{o}/first"),
		"a user with a password", asksFor("http://joe:secret@{o}/first"),
		"an empty user", asksFor("http://@{o}/first"),
		"two users", asksFor("http://joe@elsewhere.test@{o}/first"),
		"a user with escapes", asksFor("http://j%6fe%0d%0a:s%3a@{o}/first"),
		"a user with a slash", asksFor("http://joe/x@{o}/first"),
		"a user with a backslash", asksFor(`http://elsewhere.test\@{o}/first`),
		"a user with a hash", asksFor("http://elsewhere.test#@{o}/first"),
		"a user with a question mark", asksFor("http://elsewhere.test?@{o}/first"),
		"a user and credentials", "GET http://joe:secret@{o}/first HTTP/1.1\r\nHost: {o}\r\nAuthorization: Basic eDp5\r\n\r\n",
		"no host", asksFor("http:///first"),
		"no host but a port", asksFor("http://:{p}/first"),
		"a host in capitals", asksFor("http://S.TEST:{p}/first"),
		"a dot behind the host", asksFor("http://{h}.:{p}/first"),
		"two dots behind the host", asksFor("http://{h}..:{p}/first"),
		"a dot before the host", asksFor("http://.{o}/first"),
		"an empty label", asksFor("http://a..{o}/first"),
		"an escape in the host", asksFor("http://%73.test:{p}/first"),
		"NUL in the host", asksFor("http://{h}\x00.elsewhere.test:{p}/first"),
		"an escaped NUL in the host", asksFor("http://{h}%00.elsewhere.test:{p}/first"),
		"a tab in the host", asksFor("http://s\t.test:{p}/first"),
		"a space in the host", asksFor("http://s .test:{p}/first"),
		"an underscore in the host", asksFor("http://a_b.nx.test:{p}/first"),
		"a tilde in the host", asksFor("http://a~b.nx.test:{p}/first"),
		"a comma in the host", asksFor("http://a,b.nx.test:{p}/first"),
		"a quote in the host", asksFor("http://a'b.nx.test:{p}/first"),
		"an eighth bit in the host", asksFor("http://b\xc3\xbc.nx.test:{p}/first"),
		"a dash before the host", asksFor("http://-a.nx.test:{p}/first"),
		"a long label", asksFor("http://"+strings.Repeat("a", 64)+".test:{p}/first"),
		"a long host", asksFor("http://"+strings.Repeat("a.", 130)+"test:{p}/first"),
		"port 0", asksFor("http://{h}:0/first"),
		"port 65536", asksFor("http://{h}:65536/first"),
		"a port with leading zeros", asksFor("http://{h}:0{p}/first"),
		"a port with plus", asksFor("http://{h}:+{p}/first"),
		"a port with minus", asksFor("http://{h}:-1/first"),
		"a port with a letter", asksFor("http://{h}:{p}x/first"),
		"a port with a space", asksFor("http://{h}: {p}/first"),
		"two ports", asksFor("http://{h}:80:{p}/first"),
		"a port beyond 32 bits", asksFor("http://{h}:4294967376/first"),
		"an empty port", asksFor("http://nx.test:/first"),
		"an address as one number", asksFor("http://2130706689:1/first"),
		"an address in hexadecimal", asksFor("http://0x7f.0.0.1:1/first"),
		"an address in octal", asksFor("http://0177.0.0.01:1/first"),
		"an address of two parts", asksFor("http://127.1:1/first"),
		"an address with a part too large", asksFor("http://127.0.0.256:1/first"),
		"an address of five parts", asksFor("http://127.0.0.0.1:1/first"),
		"an address of IPv6", asksFor("http://[::1]:1/first"),
		"an address of IPv6, long", asksFor("http://[0:0:0:0:0:0:0:1]:1/first"),
		"an address of IPv6 with IPv4", asksFor("http://[::ffff:127.0.0.1]:1/first"),
		"an address of IPv6 with a zone", asksFor("http://[fe80::1%25lo]:1/first"),
		"an address of IPv6 without brackets", asksFor("http://::1/first"),
		"an address of IPv6 that does not close", asksFor("http://[::1/first"),
		"brackets around a name", asksFor("http://[{h}]:{p}/first"),
	)
}

func connectShapes() []shape {
	of := func(target, fields string) string { return "CONNECT " + target + " HTTP/1.1\r\n" + fields + "\r\n" }
	return named(
		"CONNECT", of("{o}", "Host: {o}\r\n"),
		"CONNECT without Host", of("{o}", ""),
		"CONNECT, HTTP/1.0", "CONNECT {o} HTTP/1.0\r\n\r\n",
		"CONNECT, HTTP/0.9", "CONNECT {o}\r\n",
		"CONNECT with another Host", of("{o}", "Host: elsewhere.test:443\r\n"),
		"CONNECT with length 0", of("{o}", "Content-Length: 0\r\n"),
		"CONNECT with a length", of("{o}", "Content-Length: 3\r\n")+"abc",
		"CONNECT that is chunked", of("{o}", "Transfer-Encoding: chunked\r\n")+"0\r\n\r\n",
		"CONNECT with a path", of("{o}/first", ""),
		"CONNECT with a user", of("joe@{o}", ""),
		"CONNECT with a scheme", of("http://{o}/first", ""),
		"CONNECT without a port", of("nx.test", ""),
		"CONNECT with an empty port", of("nx.test:", ""),
		"CONNECT to port 0", of("{h}:0", ""),
		"CONNECT to port 65536", of("{h}:65536", ""),
		"CONNECT without a host", of(":{p}", ""),
		"CONNECT to a path", of("/first", ""),
		"CONNECT *", of("*", ""),
		"CONNECT with two words", of("{o} x", ""),
		"CONNECT to an address of IPv6", of("[::1]:1", ""),
		"CONNECT to an address of IPv6 without brackets", of("::1:1", ""),
		"CONNECT to an address in hexadecimal", of("0x7f000001:1", ""),
		"CONNECT with NUL", of("{h}\x00:{p}", ""),
		"CONNECT with an eighth bit", of("b\xc3\xbc.nx.test:{p}", ""),
		"CONNECT with a question mark", of("{o}?a", ""),
		"CONNECT with a hash", of("{o}#a", ""),
		"CONNECT with Connection: close", of("{o}", "Connection: close\r\n"),
		"CONNECT with Expect", of("{o}", "Expect: 100-continue\r\n"),
		"connect in small letters", "connect {o} HTTP/1.1\r\n\r\n",
	)
}
