package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// bumpConf is what all ports have in common. Helper and log name the client's port and the proxy's, which is
// how their lines are told apart.
const bumpConf = `workers 1
logformat bump %>p:%>lp %Ss/%03>Hs %rm %ru %ssl::bump_mode %ssl::>sni %Sh/%<a %err_code %err_detail
access_log stdio:{dir}/bump.log bump
tls_outgoing_options cafile={dir}/sites.pem
request_start_timeout 12 seconds
request_timeout 24 seconds
connect_timeout 9 seconds
forward_timeout 30 seconds
read_timeout 15 seconds
dns_timeout 15 seconds
url_rewrite_program {helper} -record {dir}/lines -rules {dir}/rules
url_rewrite_children 3 startup=3
url_rewrite_extras "%>p:%>lp %>a/%>A %un %>rm myip=%la sni=%ssl::>sni"
#exaproxy connect_tls allow all
acl denied dstdomain .denied.test
acl sent dstdomain .sent.test
acl reset dstdomain .reset.test
acl refused ssl::server_name .refused.test
acl inside method GET
acl deniedpath urlpath_regex ^/denied
acl sentpath urlpath_regex ^/sent
acl resetpath urlpath_regex ^/reset
deny_info http://block.test/?%u sent
deny_info http://block.test/?%u sentpath
deny_info TCP_RESET reset
deny_info TCP_RESET resetpath
http_access deny denied
http_access deny sent
http_access deny reset
http_access deny refused
http_access deny inside deniedpath
http_access deny inside sentpath
http_access deny inside resetpath
http_access allow all
acl step1 at_step SslBump1
acl step2 at_step SslBump2
acl step3 at_step SslBump3
acl named ssl::server_name .good.test
acl pattern ssl::server_name_regex -i \.GOOD\.test$
acl connected dstdomain .good.test
acl requested ssl::server_name --client-requested .good.test
acl provided ssl::server_name --server-provided .good.test
acl agreed ssl::server_name --consensus .good.test
acl anyname ssl::server_name_regex .
acl nameless ssl::server_name none
acl fingered server_cert_fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33
acl lowport port 1-1023
`

// A bumpWorld is one proxy, with a port for each list of rules and a site for each case.
type bumpWorld struct {
	t     testing.TB
	x     *proxy
	cases []bumpCase
	ports map[string]string // by rules
	sites []*site
	other *site // where the helper leads
	plain *site // and this one speaks no TLS
	talks []*conversation
	used  map[string]bool // ports of clients, with that of the proxy
}

// newBumpWorld starts all that cases need.
func newBumpWorld(t *testing.T, p program, own string, g bumpGroup) *bumpWorld {
	t.Helper()
	w := &bumpWorld{t: t, cases: g.cases, ports: map[string]string{}, used: map[string]bool{}}
	ca, dir := newSiteCA(t), world(t)
	writeFile(t, dir, "sites.pem", ca.pem())
	writeFile(t, dir, "hosts", w.startSites(ca))
	w.makeCA(filepath.Join(dir, "ca"))
	w.writeRules(dir)
	conf := strings.Replace(base, "http_access allow all\n", "", 1) + bumpConf + own + g.conf + w.lists() + nameServer(t)
	w.x = start(t, p, dir, conf)
	return w
}

// writeRules writes what the helper answers: to requests inside by their path, to a CONNECT by its host.
func (w *bumpWorld) writeRules(dir string) {
	stranger := "stranger.test:" + w.other.port()
	writeRules(w.t, dir, "/helper302", `OK status=302 url="http://block.test/"\n`, "/helperhttps", `OK rewrite-url="https://`+stranger+`/there"\n`,
		"/helperhttp", `OK rewrite-url="http://plain.test:`+w.plain.port()+`/there"\n`, "/helperpath", `OK rewrite-url="{url}/there"\n`, "https://", `ERR\n`,
		".helper302.test", `OK status=302 url="http://block.test/"\n`, ".helperhttp.test", `OK rewrite-url="http://block.test/"\n`,
		".moved.test", `OK rewrite-url="`+stranger+`"\n`)
}

// startSites starts the sites, and returns their names as a hosts file has them.
func (w *bumpWorld) startSites(ca *siteCA) (hosts string) {
	w.other, w.plain = ca.newSite(w.t, "stranger.test", "127.9.9.9", "1.3"), ca.newSite(w.t, "plain.test", "127.9.9.8", "http")
	hosts = "127.9.9.9 stranger.test\n127.9.9.8 plain.test\n"
	for i, c := range w.cases {
		const each = 250
		host, name := fmt.Sprintf("127.9.%d.%d", 10+i/each, 1+i%each), fmt.Sprintf("c%d.%s", i, c.domain)
		w.sites = append(w.sites, ca.newSite(w.t, name, host, c.site))
		if !siteKinds[c.site].nameless {
			hosts += host + " " + name + "\n"
		}
	}
	return hosts
}

// makeCA makes the proxy's authority, whose key the user that Squid becomes may read.
func (w *bumpWorld) makeCA(dir string) {
	w.t.Helper()
	if out, err := exec.Command(built.proxy, "make-ca", dir).CombinedOutput(); err != nil {
		w.t.Fatalf("make-ca: %v\n%s", err, out)
	}
	for _, name := range []string{dir, filepath.Join(dir, "ca.key")} {
		if err := os.Chmod(name, 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
}

// lists are ports, and the rules of each.
func (w *bumpWorld) lists() (conf string) {
	var lists []string
	for _, c := range w.cases {
		if !slices.Contains(lists, c.rules) {
			lists = append(lists, c.rules)
		}
	}
	for i, port := range freePorts(w.t, len(lists)) {
		conf += fmt.Sprintf("http_port 127.0.0.1:%s name=p%d ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key generate-host-certificates=on dynamic_cert_mem_cache_size=1MB\nacl p%d myportname p%d\n", port, i, i, i)
		for rule := range strings.SplitSeq(lists[i], ";") {
			if action, acls, ok := strings.Cut(strings.TrimSpace(rule), " "); ok {
				conf += fmt.Sprintf("ssl_bump %s p%d %s\n", action, i, acls)
			}
		}
		w.ports[lists[i]] = port
	}
	return conf
}

// holdAll has the conversations of all worlds, which have the same cases: those that wait for timeouts all at
// once, and beside the others.
func holdAll(worlds ...*bumpWorld) {
	var done sync.WaitGroup
	places := make(chan struct{}, 16)
	for i := range worlds[0].cases {
		for _, w := range worlds {
			talk, slow := w.dial(i)
			if !slow {
				places <- struct{}{}
			}
			done.Go(func() {
				talk.hold()
				if !slow {
					<-places
				}
			})
		}
	}
	done.Wait()
}

// dial begins the conversation of a case, and says whether it is likely to wait for a timeout.
func (w *bumpWorld) dial(i int) (talk *conversation, slow bool) {
	w.t.Helper()
	c := w.cases[i]
	kind, ok := clientKinds[c.client]
	if !ok {
		w.t.Fatalf("there is no client %q", c.client)
	}
	conn := w.connect(w.ports[c.rules])
	talk = &conversation{conn: watchConn(w.t, "a client", conn), kind: kind, site: w.sites[i], path: c.path}
	w.talks = append(w.talks, talk)
	return talk, kind.says != nil || siteKinds[c.site].greeting != nil || siteKinds[c.site].asksClient
}

// connect connects to a port, from one that no conversation with it was from: their lines are told apart by both.
func (w *bumpWorld) connect(port string) net.Conn {
	w.t.Helper()
	for {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			w.t.Fatal(err)
		}
		if between := conn.LocalAddr().String() + port; !w.used[between] {
			w.used[between] = true
			return conn
		}
		defer conn.Close() // only now, or the next had the same again
	}
}

// settled waits until the proxy has written what it has to say of conversations that are over: until nothing
// is added while it serves one more.
func (w *bumpWorld) settled() (log string) {
	w.t.Helper()
	for round := 0; ; round++ {
		conn, err := net.Dial("tcp", w.x.addr())
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET http://%s/marker%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", w.plain.addr, round)
		marker := fmt.Sprintf("/marker%d ", round)
		w.x.eventually("logs its last request", 20*time.Second, func() bool { return strings.Contains(w.x.file("bump.log"), marker) })
		conn.Close()
		before := log
		log = w.x.file("bump.log")
		if added := strings.TrimPrefix(log, before); round > 0 && strings.Count(added, "\n") == strings.Count(added, "/marker") {
			return log
		}
	}
}

// outcomes are what came of the cases.
func (w *bumpWorld) outcomes() []outcome {
	log, lines := w.settled(), w.x.file("lines")
	var all []outcome
	for i, talk := range w.talks {
		port, s := w.ports[w.cases[i].rules], w.sites[i]
		_, from, _ := net.SplitHostPort(talk.conn.LocalAddr().String())
		between := from + ":" + port
		plain := strings.NewReplacer(s.port(), "PORT", w.other.port(), "OTHERPORT", w.plain.port(), "PLAINPORT", "c"+strings.SplitN(s.name, ".", 2)[0][1:]+".", "c.", s.host(), "ADDRESS", between+" ", "")
		all = append(all, outcome{
			client: plain.Replace(strings.Join(talk.said, "; ")),
			site:   plain.Replace(s.seen()),
			helper: plain.Replace(linesWith(lines, " "+between+" ")),
			log:    plain.Replace(linesWith(log, "\n"+between+" ")),
		})
	}
	return all
}

// linesWith are the lines of a text that have a word, which may begin with the end of the line before.
func linesWith(text, word string) string {
	var all []string
	for line := range strings.Lines(text) {
		if strings.Contains("\n"+line, word) && !strings.Contains(line, "error:transaction-end-before-headers") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return strings.Join(all, "\n")
}
