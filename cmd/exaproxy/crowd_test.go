package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/tools/txtar"
)

// crowdConf has one helper, that thousands wait for.
const crowdConf = `http_port 127.0.0.1:3128
acl there dst 203.0.113.0/24
http_access deny there
http_access allow all
visible_hostname proxy.test
access_log stdio:access.log squid
url_rewrite_program /bin/cat
url_rewrite_children 1
url_rewrite_extras %>ha{X-Number}
`

// TestScenarioOfACrowd has so many clients wait for a helper that their requests are given back and made again,
// and all of them get what they would have got alone, whatever came with the head, and are logged as that.
func TestScenarioOfACrowd(t *testing.T) {
	const fillers = 130
	var asks, answers strings.Builder
	client := func(n int, verb, text string) { fmt.Fprintf(&asks, "client c%d %s %s\n", n, verb, text) }
	then := func(format string, a ...any) { fmt.Fprintf(&answers, format+"\n", a...) }
	number := 0
	line := func(path string) string {
		return fmt.Sprintf("http://192.0.2.7/%s HTTP/1.1\r\nHost: 192.0.2.7\r\nX-Number: %d\r\n", path, number)
	}
	ask := func(head, behind string) { client(number, "says", fmt.Sprintf("%q", head+"\r\n"+behind)) }
	judged := func(path, answer string) {
		then("helper 1 reads http://192.0.2.7/%s %d", path, number)
		then("helper 1 writes %s", answer)
	}
	answered := func(path string) {
		then("origin 192.0.2.7:80 says \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\"")
		then("client c%d reads HTTP/1.1 200 OK\n  …\nclient c%d hears \"ok\"", number, number)
		then("log has … TCP_MISS/200 … http://192.0.2.7/%s - HIER_DIRECT/192.0.2.7 -", path)
	}
	passed := func(method, path string) {
		judged(path, "ERR")
		if method == "POST" {
			then("origin 192.0.2.7:80 accepts")
		}
		then("origin 192.0.2.7:80 reads %s /%s HTTP/1.1\n  …\n  X-Number: %d\n  …", method, path, number)
	}
	for ; number < fillers; number++ {
		path := fmt.Sprintf("filler%d", number)
		ask("GET "+line(path)+"Cookie: "+strings.Repeat("c", 20*number)+"\r\n", "")
		passed("GET", path)
		answered(path)
	}
	ask("POST "+line("post")+"Content-Length: 5\r\n", "hello")
	passed("POST", "post")
	then("origin 192.0.2.7:80 hears \"hello\"")
	answered("post")
	number++
	ask("POST "+line("cut")+"Content-Length: 10\r\n", "hello")
	passed("POST", "cut")
	then("client c%d says \"other\"\norigin 192.0.2.7:80 hears \"helloother\"", number)
	answered("cut")
	number++
	ask("GET "+line("first"), "POST "+line("second")+"Content-Length: 2\r\n\r\nhi")
	passed("GET", "first")
	answered("first")
	pipelined := number
	number++
	ask("GET "+line("%7eescaped?q=1"), "")
	judged("%7eescaped?q=1", "OK rewrite-url=http://192.0.2.7/new")
	then("origin 192.0.2.7:80 reads GET /new HTTP/1.1\n  …\n  X-Number: %d\n  …", number)
	answered("new")
	number++
	ask("GET "+line("elsewhere"), "")
	judged("elsewhere", "OK status=302 url=http://b.example/")
	then("client c%d reads HTTP/1.1 302 Found\n  …\n  Location: http://b.example/\n  …", number)
	then("log has … TCP_REDIRECT/302 … GET http://192.0.2.7/elsewhere - HIER_NONE/- …")
	number++
	asks.WriteString("names last 0s\nnames know judged.example 192.0.2.7\n")
	ask("GET "+strings.ReplaceAll(line("judged"), "192.0.2.7", "judged.example"), "")
	asks.WriteString("names know judged.example 198.51.100.9\n")
	then("helper 1 reads http://judged.example/judged %d\nhelper 1 writes ERR", number)
	then("origin 192.0.2.7:80 accepts\norigin 192.0.2.7:80 reads GET /judged HTTP/1.1\n  …")
	then("origin 192.0.2.7:80 says \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok\"")
	then("client c%d reads HTTP/1.1 200 OK\n  …\nclient c%d hears \"ok\"", number, number)
	then("log has … TCP_MISS/200 … http://judged.example/judged - HIER_DIRECT/192.0.2.7 -")
	number++
	ask("GET "+line("gone"), "")
	fmt.Fprintf(&asks, "client c%d resets\nlog has … NONE_NONE_ABORTED/000 0 GET http://192.0.2.7/gone - HIER_NONE/- -\n", number)
	number++
	left := number - 1
	number = pipelined
	passed("POST", "second")
	then("origin 192.0.2.7:80 hears \"hi\"")
	answered("second")
	held := fmt.Sprintf("held transactions=%d\n", left)
	script := "origin 192.0.2.7:80 listens\n" + asks.String() + held + answers.String()
	archive := &txtar.Archive{Files: []txtar.File{{Name: "squid.conf", Data: []byte(crowdConf)}, {Name: "script", Data: []byte(script)}}}
	for _, segment := range []int{0, 7} {
		t.Run(fmt.Sprintf("in pieces of %d", segment), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playScenario(t, archive, segment) })
		})
	}
}

// TestScenarioOfACrowdBeforeASite has a request that waits in a crowd go where it was judged to go: at a port of one site
// to that, whatever URL the client has written.
func TestScenarioOfACrowdBeforeASite(t *testing.T) {
	const conf = `http_port 127.0.0.1:3128 accel no-vhost defaultsite=site.test allow-direct
acl site dstdomain site.test
http_access allow site
http_access deny all
visible_hostname proxy.test
access_log none
url_rewrite_program /bin/cat
url_rewrite_children 1
`
	const fillers = 130
	var asks, answers strings.Builder
	for n := range fillers {
		fmt.Fprintf(&asks, "client c%d says %q\n", n, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", n))
		fmt.Fprintf(&answers, "helper 1 reads http://site.test/%d …\nhelper 1 writes OK status=302 url=http://b.example/\n", n)
	}
	fmt.Fprintf(&asks, "client evil says %q\n", "GET http://evil.test/secret HTTP/1.1\r\nHost: evil.test\r\n\r\n")
	answers.WriteString("helper 1 reads http://site.test/secret …\nhelper 1 writes ERR\n" +
		"origin 192.0.2.7:80 reads GET /secret HTTP/1.1\n  Host: site.test\n  …\n")
	script := "names know site.test 192.0.2.7\nnames know evil.test 192.0.2.8\norigin 192.0.2.7:80 listens\norigin 192.0.2.8:80 is alone\n" +
		asks.String() + answers.String() + "origin 192.0.2.8:80 is alone\n"
	archive := &txtar.Archive{Files: []txtar.File{{Name: "squid.conf", Data: []byte(conf)}, {Name: "script", Data: []byte(script)}}}
	synctest.Test(t, func(t *testing.T) { playScenario(t, archive, 0) })
}
