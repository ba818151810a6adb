package acceptance

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

const adaptedRules = `url_rewrite_program REDIRECTOR
url_rewrite_children 1 startup=1
connect_verdict redirect
acl bad dstdomain bad.test
acl elsewhere dstdomain elsewhere.test
acl seven dst 127.0.0.7
acl gone dstdomain gone.test
acl moved dstdomain moved.test
http_access allow all
deny_info http://block.test/?%u elsewhere
deny_info 303:http://block.test/?%u moved
adapted_http_access deny bad
adapted_http_access deny elsewhere
adapted_http_access deny seven
adapted_http_access allow all
miss_access deny gone
miss_access deny moved
miss_access allow all
`

// redirectorToBad is a redirector in sh that sends one host to another that adapted_http_access denies, and one to one
// that miss_access denies.
const redirectorToBad = `#!/bin/sh
while read url rest; do
	case "$url" in
	http://tobad.test*) echo "OK rewrite-url=\"http://bad.test:${url##*:}\"";;
	http://togone.test*) echo "OK rewrite-url=\"http://gone.test:${url##*:}\"";;
	http://toelsewhere.test*) echo "OK rewrite-url=\"http://elsewhere.test:${url##*:}x\"";;
	http://tomoved.test*) echo "OK rewrite-url=\"http://moved.test:${url##*:}x\"";;
	http://togood.test*) echo "OK rewrite-url=\"http://good.test:${url##*:}\"";;
	*) echo ERR;;
	esac
done
`

// TestAdaptedAndMissAccessAreSquids has both proxies judge what a redirector has made of requests, and what goes on to servers.
func TestAdaptedAndMissAccessAreSquids(t *testing.T) {
	o := newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("page")) }))
	redirector := writeFile(t, world(t), "redirector", redirectorToBad)
	if err := os.Chmod(redirector, 0o755); err != nil {
		t.Fatal(err)
	}
	hosts := "127.0.0.1"
	for name := range strings.FieldsSeq("good bad elsewhere gone moved tobad togone toelsewhere tomoved togood") {
		hosts += " " + name + ".test"
	}
	var list []asked
	for name := range strings.FieldsSeq("good bad elsewhere gone moved tobad togone toelsewhere tomoved togood seven") {
		list = append(list, asked{name: name, raw: get("http://" + name + ".test:" + o.port() + "/")})
		if !strings.HasPrefix(name, "to") {
			list = append(list, asked{name: "CONNECT " + name, raw: request("CONNECT", name+".test:"+o.port()), then: get("/")})
		}
	}
	conf := strings.Replace(adaptedRules, "REDIRECTOR", redirector, 1)
	ours, theirs := comparison{t: t, conf: strings.Replace(conf, "connect_verdict", "#exaproxy connect_verdict", 1), hosts: hosts + "\n127.0.0.7 seven.test\n"}.hold(list)
	for i, a := range list {
		got, want := judgedReply(ours[i]), judgedReply(theirs[i])
		if strings.HasPrefix(a.raw, "CONNECT") { // Squid logs no type of a page that it shows when it would connect
			got, want = strings.ReplaceAll(got, " text/html", " -"), strings.ReplaceAll(want, " text/html", " -")
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", a.name, got, want)
		}
	}
}
