package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// managerConf has something to tell of on every page.
const managerConf = `url_rewrite_program {helper} echo
url_rewrite_children 1 startup=1 idle=1
url_rewrite_access deny manager
auth_param basic program {helper} echo
auth_param basic children 1 startup=1 idle=1
auth_param basic realm school
external_acl_type ask children-max=1 children-startup=1 children-idle=1 %SRC {helper} echo
acl asked external ask
acl bad url_regex bad
acl users proxy_auth REQUIRED
acl login url_regex login
http_access deny login !users
http_access deny bad
http_access deny !manager !asked bad
cachemgr_passwd secret client_list
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest no-netdb-exchange
cache_peer_access 127.0.0.1 deny all
client_db on
dns_nameservers 127.0.0.1
`

// numbers are what differs between two programs that tell the same; signs go with them.
var (
	numbers  = regexp.MustCompile(`(?:0x[0-9a-f]+|\(nil\)|-?\d+(?:\.\d+)?)`)
	blanks   = regexp.MustCompile(`[ \t]+`)
	dates    = regexp.MustCompile(`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} [\d:]{8} GMT`)
	ownWords = regexp.MustCompile(`(?m)^(Build Info: |Service Name: ).*$`)
	entries  = regexp.MustCompile(`(?m)^entry .*$`)
	ours     = regexp.MustCompile(`(?m)^exaproxy\..*\n`)                                                // counters that Squid has not
	varying  = regexp.MustCompile(`(?m)^(?:Name: | ?#(?: #){1,5} *\S*$| +(?:NONE|TCP)_|#\.# +N? ).*\n`) // as many as there are
)

// pageShape is a page without what may differ: the names of lines, their order and their units.
func pageShape(page string) string {
	page = ours.ReplaceAllString(entries.ReplaceAllString(page, "entry …"), "")
	page = ownWords.ReplaceAllString(dates.ReplaceAllString(page, "DATE"), "$1…")
	return blanks.ReplaceAllString(numbers.ReplaceAllString(page, "#"), " ")
}

// pageLines are the kinds of lines of a page that has as many as there are things to tell of.
func pageLines(page string) string {
	lines := strings.Split(pageShape(page), "\n")
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// managed is a page of a proxy's manager.
func (x *proxy) managed(page string) string {
	x.t.Helper()
	e := x.exchange(asked{raw: "GET cache_object://127.0.0.1/" + page + " HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"})
	head, body, _ := strings.Cut(string(e.reply), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") {
		x.t.Errorf("%s: %s", page, head)
	}
	return body
}

// lines finds the lines of a page that begin with words.
func startingWith(page string, words ...string) (found []string) {
	for line := range strings.Lines(page) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(line, w) }) {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	return found
}

// managerPages are the pages that are compared line by line.
var managerPages = []string{"info", "counters", "5min", "60min", "service_times", "redirector", "basicauthenticator", "external_acl", "client_list@secret",
	"idns", "fqdncache", "utilization", "server_list", "pconn"}

// asks have a proxy do something that its manager can tell of.
func manage(x *proxy, site string) map[string]string {
	x.t.Helper()
	for _, raw := range []string{
		get(site + "one"), get(site + "two"), get(site + "bad"), get("http://127.0.0.1:1/"), get(site + "login"), get("/path"),
		request("CONNECT", strings.TrimSuffix(strings.TrimPrefix(site, "http://"), "/")),
	} {
		x.exchange(asked{raw: raw, then: get("/tunnelled")})
	}
	x.eventually("has logged what was asked", 10*time.Second, func() bool { return len(x.accessLog()) >= 7 })
	pages := make(map[string]string)
	for _, page := range append([]string{"counters", "menu", "active_requests", "filedescriptors", "histograms", "ipcache"}, managerPages...) {
		if pages[page] == "" { // counters first: pages are requests too
			pages[page] = x.managed(page)
		}
	}
	return pages
}

// TestManagerPagesAreSquids has both programs asked the same, and compares what their managers tell of it.
func TestManagerPagesAreSquids(t *testing.T) {
	squid := squid(t)
	o := newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 3000)) }))
	site, port := "http://127.0.0.1:"+o.port()+"/", freePort(t)
	var pages [2]map[string]string
	for i, p := range []program{exaproxy(), squid} {
		x := start(t, p, world(t), strings.ReplaceAll(managerConf, "{origin}", o.port())+base+"http_port 127.0.0.1:"+port+"\n")
		pages[i] = manage(x, site)
		x.end()
	}
	ours, theirs := pages[0], pages[1]
	for _, page := range managerPages {
		differ(t, page, varying.ReplaceAllString(pageShape(ours[page]), ""), varying.ReplaceAllString(pageShape(theirs[page]), ""))
	}
	equalNumbers := []string{"client_http.requests", "client_http.hits", "client_http.errors", "client_http.kbytes_in", "client_http.hit_kbytes_out",
		"server.all.requests", "server.all.kbytes", "server.http", "server.ftp", "server.other.requests", "server.other.kbytes", "icp", "unlink", "swap"}
	differ(t, "counters", strings.Join(startingWith(ours["counters"], equalNumbers...), "\n"), strings.Join(startingWith(theirs["counters"], equalNumbers...), "\n"))
	counted := []string{"    HTTP Requests", "        NONE", "        TCP"}
	differ(t, "client_list", strings.Join(startingWith(ours["client_list@secret"], counted...), "\n"), strings.Join(startingWith(theirs["client_list@secret"], counted...), "\n"))
	partOf(t, "active_requests", pageLines(ours["active_requests"]), pageLines(theirs["active_requests"]))
	partOf(t, "menu", ours["menu"], theirs["menu"])
	for _, page := range []string{"filedescriptors", "histograms", "ipcache"} {
		ours, theirs := strings.Split(ours[page], "\n"), strings.Split(theirs[page], "\n")
		if pageShape(ours[0]) != pageShape(theirs[0]) || pageShape(ours[1]) != pageShape(theirs[1]) {
			t.Errorf("%s begins with %q, Squid's with %q", page, ours[:2], theirs[:2])
		}
	}
}

// differ complains about the first line that differs.
func differ(t *testing.T, page, ours, theirs string) {
	t.Helper()
	a, b := strings.Split(ours, "\n"), strings.Split(theirs, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			t.Errorf("%s, line %d:\n%s\n\nSquid's:\n%s", page, i+1, strings.Join(a[min(i, len(a)):], "\n"), strings.Join(b[min(i, len(b)):], "\n"))
			return
		}
	}
}

// partOf complains about lines of ours that Squid's page has not, or has in another order.
func partOf(t *testing.T, page, ours, theirs string) {
	t.Helper()
	rest := strings.Split(theirs, "\n")
	for _, line := range strings.Split(ours, "\n") {
		at := slices.Index(rest, line)
		if at < 0 {
			t.Errorf("%s: Squid has no line %q there", page, line)
			continue
		}
		rest = rest[at+1:]
	}
}

// TestManagerReaders has programs read the pages that others monitor Squid with.
func TestManagerReaders(t *testing.T) {
	x := start(t, exaproxy(), world(t), "cachemgr_passwd secret utilization\n"+base+openPort)
	o := newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 3000)) }))
	for range 3 {
		x.exchange(asked{raw: get("http://127.0.0.1:" + o.port() + "/")})
	}
	x.eventually("has logged what was asked", 10*time.Second, func() bool { return len(x.accessLog()) >= 3 })
	t.Run("squidclient", func(t *testing.T) { readBySquidclient(t, x) })
	t.Run("prometheus-squid-exporter", func(t *testing.T) { readByExporter(t, x) })
}

func readBySquidclient(t *testing.T, x *proxy) {
	client := peer(t, "squidclient", "squidclient")
	ask := func(args ...string) string {
		out, err := exec.Command(client, append([]string{"-h", "127.0.0.1", "-p", fmt.Sprint(x.addrs[0].Port())}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"mgr:info"}, "Number of HTTP requests received:"}, {[]string{"mgr:menu"}, "\tpublic"}, {[]string{"mgr:"}, "\tpublic"},
		{[]string{"mgr:counters"}, "client_http.requests = "}, {[]string{"mgr:utilization"}, "HTTP/1.1 401 Unauthorized"},
		{[]string{"mgr:utilization@secret"}, "Totals since cache startup:"},
		{[]string{"mgr:shutdown"}, "HTTP/1.1 404 Not Found"},
	} {
		if out := ask(row.args...); !strings.Contains(out, row.says) {
			t.Errorf("%v is answered\n%s", row.args, out)
		}
	}
}

// readByExporter scrapes it as Prometheus does.
func readByExporter(t *testing.T, x *proxy) {
	exporter := peer(t, "prometheus-squid-exporter", "prometheus-squid-exporter")
	listen := "127.0.0.1:" + freePort(t)
	cmd := exec.Command(exporter, "-squid-hostname", "127.0.0.1", "-squid-port", fmt.Sprint(x.addrs[0].Port()), "-listen", listen)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	var said string
	x.eventually("is scraped", 20*time.Second, func() bool {
		reply, err := http.Get("http://" + listen + "/metrics")
		if err != nil {
			return false
		}
		defer reply.Body.Close()
		body, _ := io.ReadAll(reply.Body)
		said = string(body)
		return strings.Contains(said, "squid_up")
	})
	for _, want := range []string{`squid_up{host="127.0.0.1"} 1`, "squid_client_http_requests_total ", "squid_client_http_kbytes_out_kbytes_total ",
		"squid_server_all_requests_total 3", "squid_server_http_kbytes_in_kbytes_total 9", "squid_HTTP_Requests_All_5 ", "squid_DNS_Lookups_95 "} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %s:\n%s", want, strings.Join(startingWith(said, "squid"), "\n"))
		}
	}
}
