package acceptance

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// odd adds to pages the answers of origins that do not behave, and counts its connections that
// the other side has not closed yet.
func odd(open *atomic.Int32) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages())
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // so that nobody knows the length
		io.WriteString(w, "one two")
	})
	mux.HandleFunc("/notfound", http.NotFound)
	mux.HandleFunc("/nocontent", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/notmodified", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.test/", http.StatusMovedPermanently)
	})
	for path, reply := range map[string]string{
		"/closes":    "",
		"/untilend":  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
		"/truncated": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nshort",
		"/notype":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"/charset":   "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nContent-Length: 2\r\n\r\nok",
		"/reason":    "HTTP/1.1 299 Yay\r\nContent-Length: 2\r\n\r\nok",
		"/old":       "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
		"/bare":      "no head at all\n",
		"/icy":       "ICY 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: a\r\nVia: 1.0 other\r\n\r\nmusic",
		"/hops":      "HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 1\r\nX-Cache: HIT from other\r\nVia: 1.0 other\r\nAge: 7\r\nContent-Length: 2\r\n\r\nok",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				open.Add(1)
				defer open.Add(-1)
				end(conn.(halfCloser), reply)
			}
		})
	}
	return mux
}

// end says the last words of a connection and waits until the other side has closed it too.
func end(conn halfCloser, words string) {
	defer conn.Close()
	io.WriteString(conn, words)
	conn.CloseWrite()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.Copy(io.Discard, conn)
}

// logConf has rules for denials of all kinds and a helper for redirects of all kinds.
const logConf = `acl deniedpath urlpath_regex ^/denied
acl deniedhost dstdomain denied.test
acl info302 urlpath_regex ^/info302
acl info303 urlpath_regex ^/info303
acl inforeset urlpath_regex ^/inforeset
acl infopage urlpath_regex ^/infopage
acl infostatus urlpath_regex ^/infostatus
acl infohost dstdomain infohost.test
deny_info http://block.test/?u=%u&h=%H info302
deny_info 303:http://block.test/303 info303
deny_info TCP_RESET inforeset
deny_info ERR_READ_TIMEOUT infopage
deny_info 451:ERR_ACCESS_DENIED infostatus
deny_info http://block.test/host infohost
http_access deny deniedpath
http_access deny deniedhost
http_access deny info302
http_access deny info303
http_access deny inforeset
http_access deny infopage
http_access deny infostatus
http_access deny infohost
url_rewrite_program {helper} -rules {rules}
url_rewrite_children 1 startup=1 idle=1
`

// logRules are what the helper answers; {o} is the origin.
var logRules = []string{
	"/redir302 ", `OK status=302 url="http://block.test/302"\n`,
	"/redir301 ", `301:http://block.test/301\n`,
	"/redir303 ", `OK status=303 url=http://block.test/303\n`,
	"/redir307 ", `307:http://block.test/307\n`,
	"/redir308 ", `308:http://block.test/308\n`,
	"/urlonly ", `OK url=http://block.test/urlonly\n`,
	"/rewritten ", `OK rewrite-url=http://{o}/plain?new\n`,
	"/legacy ", `http://{o}/plain\n`,
	"/echoed ", `http://{o}/echoed 127.0.0.1/- - GET\n`,
	"/nonsense ", `nonsense\n`,
	"/broken ", `BH message=tired\n`,
	"/silly ", `OK status=200 url=http://block.test/\n`,
	"/rewdeny ", `OK rewrite-url=http://denied.test/\n`,
	"redirected.test:443 ", `OK status=302 url=http://block.test/c302\n`,
	"legacyurl.test:443 ", `http://block.test/connect\n`,
	"moved.test:443 ", `OK rewrite-url={o}\n`,
}

// Why ExaProxy differs from Squid 5.7.
const (
	dnsBug   = "bug 5294 of Squid 5.0 to 6.2: every other version answers 503 ERR_DNS_FAIL, and so does ExaProxy"
	pageKind = "a helper's verdict, connect_verdict auto: it is told inside the tunnel what Squid tells instead of one, and no browser shows"
	order    = "Transfer-Encoding stands elsewhere among the fields, which means nothing (RFC 9110 section 5.3)"
	strict   = "messages with two readings are refused"
)

// logRequests are the requests; {o} is the origin, {r} an address that refuses.
func logRequests() []asked {
	const origin = "http://{o}"
	return []asked{
		{name: "GET", raw: get(origin + "/plain")},
		{name: "HEAD", raw: request("HEAD", origin+"/plain")},
		{name: "POST", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "PUT", raw: "PUT " + origin + "/sum HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "chunked POST", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		{name: "query", raw: get(origin + "/plain?secret=1")},
		{name: "a name in upper case", raw: get("http://ORIGIN.test:{p}/plain")},
		{name: "404", raw: get(origin + "/notfound")},
		{name: "204", raw: get(origin + "/nocontent")},
		{name: "304", raw: get(origin + "/notmodified")},
		{name: "301 of the origin", raw: get(origin + "/moved")},
		{name: "chunked reply", raw: get(origin + "/chunked"), deliberate: order},
		{name: "reply until the end", raw: get(origin + "/untilend"), deliberate: order},
		{name: "no content type", raw: get(origin + "/notype")},
		{name: "content type with charset", raw: get(origin + "/charset")},
		{name: "reason of the origin's own", raw: get(origin + "/reason")},
		{name: "origin of HTTP/1.0", raw: get(origin + "/old")},
		{name: "hop-by-hop fields", raw: get(origin + "/hops")},
		{name: "20 kB", raw: get(origin + "/bytes/20000")},
		{name: "HTTP/1.0", raw: "GET " + origin + "/plain HTTP/1.0\r\n\r\n"},
		{name: "HTTP/1.0 keep-alive", raw: "GET " + origin + "/plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
		{name: "HTTP/1.0 and a chunked reply", raw: "GET " + origin + "/chunked HTTP/1.0\r\n\r\n"},
		{name: "HTTP/0.9", raw: "GET " + origin + "/plain\r\n"},
		{name: "connection close", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
		{name: "UTF-8 in the URL", raw: get(origin + "/caf\xc3\xa9")},
		{name: "escapes in the URL", raw: get(origin + "/caf%C3%A9%20")},
		{name: "space in the URL", raw: get(origin + "/pla in")},
		{name: "user in the URL", raw: get("http://joe:secret@{o}/plain")},
		{name: "unknown method", raw: request("FOOBAR", origin+"/plain")},
		{name: "a client at another address", raw: get(origin + "/plain"), from: "127.0.0.2"},

		{name: "origin closes", raw: get(origin + "/closes")},
		{name: "origin sends half", raw: get(origin + "/truncated")},
		{name: "origin sends no head", raw: get(origin + "/bare"), deliberate: order},
		{name: "origin sends no head to HTTP/1.0", raw: "GET " + origin + "/bare HTTP/1.0\r\n\r\n"},
		{name: "origin sends no head to HEAD", raw: request("HEAD", origin+"/bare")},
		{name: "origin is of Shoutcast", raw: get(origin + "/icy")},
		{name: "refused", raw: get("http://{r}/")},
		{name: "refused POST", raw: "POST http://{r}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "no such name", raw: get("http://nx.test/"), deliberate: dnsBug},
		{name: "forwarding loop", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost: a\r\nVia: 1.1 proxy.test (squid/5.7)\r\n\r\n"},

		{name: "denied", raw: get(origin + "/denied")},
		{name: "denied HEAD", raw: request("HEAD", origin+"/denied")},
		{name: "denied POST", raw: "POST " + origin + "/denied HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "denied CONNECT", raw: request("CONNECT", "denied.test:443")},
		{name: "deny_info URL", raw: get(origin + "/info302?x=1&y=2"), deliberate: "Squid escapes for HTML what it then escapes for a URL: & arrives as &amp;"},
		{name: "deny_info URL for POST", raw: "POST " + origin + "/info302 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "deny_info 303", raw: get(origin + "/info303")},
		{name: "deny_info TCP_RESET", raw: get(origin + "/inforeset")},
		{name: "deny_info page", raw: get(origin + "/infopage")},
		{name: "deny_info status", raw: get(origin + "/infostatus")},
		{name: "deny_info URL for CONNECT", raw: request("CONNECT", "infohost.test:443")},

		{name: "redirected 302", raw: get(origin + "/redir302")},
		{name: "redirected 301", raw: get(origin + "/redir301")},
		{name: "redirected 303", raw: get(origin + "/redir303")},
		{name: "redirected 307", raw: get(origin + "/redir307")},
		{name: "redirected 308", raw: get(origin + "/redir308")},
		{name: "redirected, url alone", raw: get(origin + "/urlonly")},
		{name: "redirected HEAD", raw: request("HEAD", origin+"/redir302")},
		{name: "redirected POST", raw: "POST " + origin + "/redir302 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		{name: "redirected 1.0", raw: "GET " + origin + "/redir302 HTTP/1.0\r\n\r\n"},
		{name: "rewritten", raw: get(origin + "/rewritten")},
		{name: "rewritten, old form", raw: get(origin + "/legacy")},
		{name: "helper's nonsense", raw: get(origin + "/nonsense")},
		{name: "helper is broken", raw: get(origin + "/broken")},
		{name: "helper's impossible status", raw: get(origin + "/silly"),
			deliberate: "target=deny: a verdict that cannot be carried out is no permission; Squid lets the request pass"},
		{name: "redirected CONNECT", raw: request("CONNECT", "redirected.test:443"), deliberate: pageKind},
		{name: "rewritten CONNECT", raw: request("CONNECT", "moved.test:443"), then: "GET /plain HTTP/1.0\r\n\r\n"},

		{name: "tunnel", raw: request("CONNECT", "{o}"), then: "GET /plain HTTP/1.0\r\n\r\n"},
		{name: "tunnel by name", raw: request("CONNECT", "Origin.test:{p}"), then: "GET /plain HTTP/1.0\r\n\r\n"},
		{name: "tunnel of HTTP/1.0", raw: "CONNECT {o} HTTP/1.0\r\n\r\n", then: "GET /plain HTTP/1.0\r\n\r\n"},
		{name: "refused tunnel", raw: request("CONNECT", "{r}"), deliberate: "the connection is closed, and the reply says so"},
		{name: "tunnel to no such name", raw: request("CONNECT", "nx.test:443"), deliberate: dnsBug},

		{name: "one word", raw: "BADLINE\r\n\r\n"},
		{name: "bytes of a TLS hello", raw: "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n"},
		{name: "SSH banner", raw: "SSH-2.0-OpenSSH_9.2p1\r\n"},
		{name: "origin form", raw: get("/origin-form")},
		{name: "unknown scheme", raw: get("foo://origin.test/x")},
		{name: "OPTIONS *", raw: request("OPTIONS", "*"), deliberate: "Squid makes a URL without a host of it"},
		{name: "HTTP/2.0", raw: "GET " + origin + "/plain HTTP/2.0\r\nHost: a\r\n\r\n"},
		{name: "HTTP/3.1", raw: "GET " + origin + "/plain HTTP/3.1\r\nHost: a\r\n\r\n"},
		{name: "version without a space", raw: "GET " + origin + "/plainHTTP/1.1\r\nHost: a\r\n\r\n"},
		{name: "HTTP/x", raw: "GET " + origin + "/plain HTTP/x\r\nHost: a\r\n\r\n", deliberate: strict},
		{name: "header line without colon", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n"},
		{name: "header line without name", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
		{name: "space before the colon", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost : a\r\n\r\n"},
		{name: "folded line", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", deliberate: strict},
		{name: "two lengths", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
		{name: "length and chunks", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", deliberate: "a connection on which one message had two lengths is closed after it, not kept"},
		{name: "negative length", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc"},
		{name: "unknown coding", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc"},
		{name: "POST without a length", raw: "POST " + origin + "/sum HTTP/1.1\r\nHost: a\r\n\r\n"},
		{name: "head of 70 kB", raw: "GET " + origin + "/plain HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 70000) + "\r\n\r\n"},
		{name: "URL of 9 kB", raw: get(origin + "/" + strings.Repeat("x", 9000)), deliberate: "Squid cuts what it logs of a long URL"},
		{name: "TRACE with no forwards left", raw: "TRACE " + origin + "/plain HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", deliberate: "Squid answers it and does not log it"},
		{name: "OPTIONS with no forwards left", raw: "OPTIONS " + origin + "/plain HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", deliberate: "it is answered, as RFC 9110 section 7.6.2 asks for; Squid knows only TRACE"},
	}
}

func TestRepliesAndLogLinesAreSquids(t *testing.T) {
	var open atomic.Int32
	o := newOrigin(t, "127.0.0.5", odd(&open))
	refusing := "127.0.0.5:" + freePort(t)
	places := strings.NewReplacer("{o}", o.addr(), "{p}", o.port(), "{r}", refusing)
	list := logRequests()
	for i := range list {
		list[i].raw = places.Replace(list[i].raw)
	}
	rules := make([]string, len(logRules))
	for i, r := range logRules {
		rules[i] = places.Replace(r)
	}
	shared := world(t)
	conf := nameServer(t) + strings.ReplaceAll(logConf, "{rules}", writeRules(t, shared, rules...))
	c := comparison{t: t, conf: conf, hosts: "127.0.0.5 origin.test\n"}
	// Squid fails a request that it sends over a connection whose end it has not noticed yet.
	c.settled = func() bool { return open.Load() == 0 }
	ours, theirs := c.hold(list)
	for i, a := range list {
		judge(t, a, aspect{"status line", ours[i].status, theirs[i].status},
			aspect{"X-Squid-Error", ours[i].fault, theirs[i].fault},
			aspect{"head of the reply", ours[i].head(), theirs[i].head()},
			aspect{"log line", ours[i].logLine(), theirs[i].logLine()})
	}
}
