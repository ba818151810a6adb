package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// twoReadings: Squid asks about what it makes of such a target and another reader might not. A filter
// must not be led by a host that the origin, the browser and the helper understand differently, so
// ExaProxy refuses the request with 400 and asks nobody.
const (
	twoReadings  = "a target with two readings is refused"
	answeredHere = "PURGE goes to no server, so no helper is asked where it may go"
	tooLong      = "long=deny: a line of more than 8,191 bytes does not fit the buffer of many helpers"
)

// lineRequests are the ways to write a URL that Squid brings into one form before it asks.
func lineRequests() []asked {
	long := strings.Repeat("long/", 1500)
	list := []asked{
		{name: "plain", raw: get("http://origin.test:8080/plain")},
		{name: "upper-case host", raw: get("http://ORIGIN.Test:8080/UpperHost/Path")},
		{name: "upper-case scheme", raw: get("HTTP://origin.test/scheme")},
		{name: "no port", raw: get("http://origin.test/port80-implicit")},
		{name: "port 80", raw: get("http://origin.test:80/port80-explicit")},
		{name: "port 080", raw: get("http://origin.test:080/zero")},
		{name: "port 443 on http", raw: get("http://origin.test:443/p443")},
		{name: "empty port", raw: get("http://origin.test:/emptyport")},
		{name: "port 0", raw: get("http://origin.test:0/port0")},
		{name: "port 65536", raw: get("http://origin.test:65536/big")},
		{name: "port 65535", raw: get("http://origin.test:65535/max")},
		{name: "port of letters", raw: get("http://origin.test:abc/letters")},
		{name: "trailing dot", raw: get("http://origin.test.:8080/dot")},
		{name: "two trailing dots", raw: get("http://origin.test..:8080/dots")},
		{name: "inner double dot", raw: get("http://origin..test:8080/dots")},
		{name: "leading dot", raw: get("http://.origin.test:8080/leading")},
		{name: "underscore", raw: get("http://ori_gin.test:8080/underscore")},
		{name: "hyphens", raw: get("http://-origin-.test:8080/hyphens")},
		{name: "no path", raw: get("http://origin.test:8080")},
		{name: "query without a path", raw: get("http://origin.test:8080?query-no-path")},
		{name: "fragment without a path", raw: get("http://origin.test:8080#frag")},
		{name: "query and fragment", raw: get("http://origin.test:8080/q?a=b&c=%20d+e#frag")},
		{name: "empty query", raw: get("http://origin.test:8080/q?")},
		{name: "question marks", raw: get("http://origin.test:8080/q??a?b")},
		{name: "percent", raw: get("http://origin.test:8080/pct%41%7e%C3%A9")},
		{name: "bad percent", raw: get("http://origin.test:8080/pct%zz%4%")},
		{name: "percent nul", raw: get("http://origin.test:8080/pct%00%0a%0d")},
		{name: "UTF-8 path", raw: get("http://origin.test:8080/utf8-\xc3\xa9")},
		{name: "UTF-8 host", raw: get("http://origin\xc3\xa9.test:8080/utf8host")},
		{name: "punycode host", raw: get("http://xn--bcher-kva.test/idn")},
		{name: "percent in host", raw: get("http://origin%2etest:8080/pcthost"), deliberate: twoReadings},
		{name: "space", raw: get("http://origin.test:8080/space in url")},
		{name: "spaces in query", raw: get("http://origin.test:8080/q?a  b c")},
		{name: "tab", raw: get("http://origin.test:8080/tab\tin")},
		{name: "delimiters", raw: get("http://origin.test:8080/quote\"dq'sq\\bs<lt>{}|^`")},
		{name: "dot segments", raw: get("http://origin.test:8080/a/./b/../c")},
		{name: "double slash", raw: get("http://origin.test:8080//double//slash")},
		{name: "semicolon", raw: get("http://origin.test:8080/a;b=c,d")},
		{name: "userinfo", raw: get("http://user:pass@origin.test:8080/userinfo")},
		{name: "user only", raw: get("http://user@origin.test:8080/user")},
		{name: "two at signs", raw: get("http://us@er:p@ss@origin.test:8080/ats"), deliberate: twoReadings},
		{name: "at sign in path", raw: get("http://origin.test:8080/@at@path")},
		{name: "IPv4", raw: get("http://127.0.0.1:8080/ip")},
		{name: "IPv4 in three parts", raw: get("http://127.0.1:8080/ip3")},
		{name: "IPv4 as a number", raw: get("http://2130706433:8080/ipn")},
		{name: "IPv4 octal", raw: get("http://0177.0.0.1:8080/ipo")},
		{name: "IPv4 hexadecimal", raw: get("http://0x7f.0.0.1:8080/iph")},
		{name: "IPv4 too big", raw: get("http://300.0.0.1:8080/ip300"), deliberate: twoReadings},
		{name: "IPv6", raw: get("http://[::1]:8080/v6")},
		{name: "IPv6 without port", raw: get("http://[::1]/v6")},
		{name: "IPv6 long form", raw: get("http://[0:0:0:0:0:0:0:1]:8080/v6long")},
		{name: "IPv6 upper case", raw: get("http://[2001:DB8::A]:8080/v6upper")},
		{name: "IPv6 mapped", raw: get("http://[::ffff:127.0.0.1]:8080/v6mapped")},
		{name: "IPv6 zone", raw: get("http://[fe80::1%25lo]:8080/v6zone"), deliberate: twoReadings},
		{name: "IPv6 broken", raw: get("http://[::1:8080/v6broken"), deliberate: twoReadings},
		{name: "IPv6 without brackets", raw: get("http://::1:8080/v6bare"), deliberate: twoReadings},
		{name: "one letter host", raw: get("http://o/short")},
		{name: "host without dots", raw: get("http://origin/nodots")},
		{name: "long URL", raw: get("http://origin.test:8080/" + long)},
		{name: "URL of 8191", raw: get("http://origin.test:8080/" + strings.Repeat("x", 8191-24)), deliberate: tooLong},
		{name: "URL of 8192", raw: get("http://origin.test:8080/" + strings.Repeat("x", 8192-24))},
		{name: "URL of 9000", raw: get("http://origin.test:8080/" + strings.Repeat("x", 9000))},
		{name: "POST", raw: "POST http://origin.test:8080/post HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "chunked POST", raw: "POST http://origin.test:8080/post HTTP/1.1\r\nHost: origin.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		{name: "HEAD", raw: request("HEAD", "http://origin.test:8080/head")},
		{name: "PUT", raw: "PUT http://origin.test:8080/put HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 0\r\n\r\n"},
		{name: "DELETE", raw: request("DELETE", "http://origin.test:8080/delete")},
		{name: "OPTIONS", raw: request("OPTIONS", "http://origin.test:8080/options")},
		{name: "OPTIONS *", raw: request("OPTIONS", "*")},
		{name: "PROPFIND", raw: request("PROPFIND", "http://origin.test:8080/propfind")},
		{name: "unknown method", raw: request("FOOBAR", "http://origin.test:8080/foo")},
		{name: "method with signs", raw: request("M-SEARCH!", "http://origin.test:8080/signs")},
		{name: "TRACE", raw: request("TRACE", "http://origin.test:8080/trace")},
		{name: "HTTP/1.0", raw: "GET http://origin.test:8080/http10 HTTP/1.0\r\n\r\n"},
		{name: "HTTP/0.9", raw: "GET http://origin.test:8080/http09\r\n"},
		{name: "HTTP/1.2", raw: "GET http://origin.test:8080/http12 HTTP/1.2\r\nHost: a\r\n\r\n"},
		{name: "HTTP/2.0", raw: "GET http://origin.test:8080/http2 HTTP/2.0\r\nHost: a\r\n\r\n"},
		{name: "bare line feeds", raw: "GET http://origin.test:8080/lf HTTP/1.1\nHost: origin.test\n\n"},
		{name: "empty line first", raw: "\r\nGET http://origin.test:8080/crlf HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		{name: "spaces after the method", raw: "GET   http://origin.test:8080/spaces   HTTP/1.1\r\nHost: origin.test\r\n\r\n"},
		{name: "no Host", raw: "GET http://origin.test:8080/nohost HTTP/1.1\r\n\r\n"},
		{name: "another Host", raw: "GET http://origin.test:8080/other HTTP/1.1\r\nHost: evil.test\r\n\r\n"},
		{name: "origin form", raw: request("GET", "/origin-form")},
		{name: "ftp", raw: get("ftp://origin.test/x")},
		{name: "ftp with port 21", raw: get("ftp://Origin.test:21/x")},
		{name: "https", raw: get("https://origin.test:8443/httpsurl")},
		{name: "https with port 443", raw: get("https://origin.test:443/httpsurl")},
		{name: "unknown scheme", raw: get("foo://origin.test/x")},
		{name: "no host", raw: get("http:///nohost")},
		{name: "no scheme", raw: get("origin.test/path")},
		{name: "urn", raw: get("urn:isbn:0451450523")},
		{name: "CONNECT", raw: request("CONNECT", "origin.test:443")},
		{name: "CONNECT upper case", raw: request("CONNECT", "ORIGIN.Test:8443")},
		{name: "CONNECT without port", raw: request("CONNECT", "origin.test")},
		{name: "CONNECT with port 80", raw: request("CONNECT", "origin.test:80")},
		{name: "CONNECT trailing dot", raw: request("CONNECT", "origin.test.:443")},
		{name: "CONNECT IPv4", raw: request("CONNECT", "127.0.0.1:443")},
		{name: "CONNECT IPv6", raw: request("CONNECT", "[::1]:443")},
		{name: "CONNECT IPv6 long", raw: request("CONNECT", "[2001:DB8:0:0::A]:8443")},
		{name: "CONNECT IPv6 without port", raw: request("CONNECT", "[::1]")},
		{name: "CONNECT IPv6 without brackets", raw: request("CONNECT", "::1:443")},
		{name: "CONNECT port 0", raw: request("CONNECT", "origin.test:0")},
		{name: "CONNECT port too big", raw: request("CONNECT", "origin.test:70000")},
		{name: "CONNECT with a path", raw: request("CONNECT", "origin.test:443/path"), deliberate: twoReadings},
		{name: "CONNECT with a URL", raw: request("CONNECT", "https://origin.test/"), deliberate: twoReadings},
		{name: "CONNECT with userinfo", raw: request("CONNECT", "user@origin.test:443"), deliberate: twoReadings},
		{name: "CONNECT 1.0", raw: "CONNECT origin.test:443 HTTP/1.0\r\n\r\n"},
		{name: "CONNECT 0.9", raw: "CONNECT origin.test:443\r\n"},
		{name: "a client at another address", raw: get("http://origin.test:8080/from2"), from: "127.0.0.2"},
	}
	for _, method := range smallMethods {
		a := asked{name: "method " + method, raw: method + " http://origin.test:8080/lower HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"}
		if method == "purge" {
			a.deliberate = answeredHere
		}
		list = append(list, a)
	}
	return append(list, asked{name: "method connect", raw: request("connect", "origin.test:443")})
}

// smallMethods are methods whose case Squid corrects, and some whose case it does not.
var smallMethods = strings.Fields(`get Head POST put delete options TRACE trace propfind proppatch mkcol copy move lock unlock
	search report checkout checkin uncheckout mkworkspace version-control update label merge baseline-control mkactivity purge
	patch link unlink bind acl orderpatch rebind foo`)

func TestHelpersAreAskedInSquidsWords(t *testing.T) {
	names := nameServer(t)
	list := lineRequests()
	for _, concurrency := range []string{"0", "10"} {
		t.Run("concurrency "+concurrency, func(t *testing.T) {
			c := comparison{t: t, conf: names + recorder(concurrency), helper: true, hosts: "127.0.0.5 origin.test\n"}
			ours, theirs := c.hold(list)
			for i, a := range list {
				compareLines(t, a, concurrency != "0", ours[i], theirs[i])
			}
		})
	}
}

// compareLines compares what the helpers were asked. Channel numbers are not: Squid counts them
// up for ever where its own documentation promises 0 to concurrency-1, which ExaProxy keeps to.
func compareLines(t *testing.T, a asked, channels bool, ours, theirs exchange) {
	t.Helper()
	mine, squids := ours.lines, theirs.lines
	if channels {
		mine, squids = withoutChannel(t, mine), withoutChannel(t, squids)
	}
	judge(t, a, aspect{"line to the helper", mine, squids})
}

func withoutChannel(t *testing.T, line string) string {
	t.Helper()
	if line == "" {
		return ""
	}
	number, rest, _ := strings.Cut(line, " ")
	if strings.Trim(number, "0123456789") != "" {
		t.Errorf("a line with channels begins with a number, not %q", number)
	}
	return rest
}

func TestClientsOfBothFamiliesAreNamedAsSquidNamesThem(t *testing.T) {
	requireIPv6(t)
	names := nameServer(t)
	list := []asked{
		{name: "IPv4 client", raw: get("http://origin.test:8080/four"), from: "127.0.0.1"},
		{name: "IPv6 client", raw: get("http://origin.test:8080/six"), from: "::1"},
		{name: "IPv6 client's CONNECT", raw: request("CONNECT", "[::1]:443"), from: "::1"},
	}
	c := comparison{t: t, conf: names + recorder("0"), helper: true, listen: []string{"127.0.0.1", "::1"}}
	ours, theirs := c.hold(list)
	for i, a := range list {
		compareLines(t, a, false, ours[i], theirs[i])
	}
}

// extrasVariants are values of url_rewrite_extras, with the reason if what is made of them is not
// what Squid makes of them.
var extrasVariants = []struct{ value, deliberate string }{
	{`"%>a/%>A %un %>rm myip=%la myport=%lp"`, ""},
	{`"%>a"`, ""},
	{`%>rm`, ""},
	{`"%>rs %>rd %>rP %>rp %>ru %>rv"`, ""},
	{`"%rm %ru %rp %rv"`, "Squid does not have the final request yet and says no method and version 0.0; ExaProxy says the client's"},
	{`"%{User-Agent}>h"`, ""},
	{`"h=%{X-Test}>h raw=%'{X-Test}>h quoted=%\"{X-Test}>h mime=%[{X-Test}>h url=%#{X-Test}>h"`, ""},
	{`"shell=%/{X-Test}>h"`, ""},
	{`"%-20>a|%20>a|%.5>a|%05>lp|"`, ""},
	{`"%ssl::>sni %ssl::bump_mode"`, ""},
	{`"%note %{absent}note"`, ""},
	{`"%% %un %ul %ui %ue %et %ea"`, ""},
	{`"%>la %>lp %la %lp %>eui %>qos %>nfmark"`, "ExaProxy reads no ARP table; Squid finds no card behind a loopback address and writes zeroes"},
	{`"%Ss %>Hs %Sh %<a %mt"`, ""},
	{`"%{Absent}>h %<st %>st %st"`, ""},
	{`"literal words \"and quotes\" in it"`, ""},
	{`"%sn"`, "Squid counts a request when it logs it; ExaProxy when it begins"},
	{`""`, ""},
}

func TestExtrasAreWhatSquidMakesOfThem(t *testing.T) {
	names := nameServer(t)
	const header = "User-Agent: Mozilla/5.0 (X \"y\" [z])\r\nX-Test: a b \"q\" 's' %41 \\ \xc3\xa9\r\n"
	list := []asked{
		{name: "GET", raw: "GET http://Origin.test:8080/p%41th?q=1 HTTP/1.1\r\nHost: origin.test\r\n" + header + "\r\n"},
		{name: "HTTP/1.0", raw: "GET http://origin.test/ HTTP/1.0\r\n\r\n"},
		{name: "CONNECT", raw: "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test\r\n" + header + "\r\n"},
	}
	for i, extras := range extrasVariants {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			c := comparison{t: t, conf: names + recorder("0") + "url_rewrite_extras " + extras.value + "\n", helper: true}
			ours, theirs := c.hold(list)
			for i, a := range list {
				if a.name += " with " + extras.value; extras.deliberate != "" && ours[i].lines != theirs[i].lines {
					a.deliberate = extras.deliberate
				}
				compareLines(t, a, false, ours[i], theirs[i])
			}
		})
	}
}
