package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// noNetDB has Squid choose by nothing that we do not have.
const noNetDB = "pinger_enable off\nnetdb_filename none\nminimum_direct_hops 0\nminimum_direct_rtt 0\n"

// A family is a proxy's parents in a comparison: {one}, {two}, {three} are their ports, {origin} is a server's.
type family struct {
	t      *testing.T
	conf   string
	tells  [3]int // to CONNECT; 0: as 200
	origin string
}

// raised is what came of one request with parents.
type raised struct {
	exchange
	heads string // at which parent, and what was there
}

// peerOptions are what keeps Squid from asking other questions.
const peerOptions = " no-query no-digest no-netdb-exchange "

// hold asks all requests of both proxies.
func (f family) hold(list []asked) (ours, theirs []raised) {
	f.t.Helper()
	squid := squid(f.t)
	var parents []*parent
	for _, tells := range f.tells {
		if tells == 0 {
			tells = 200
		}
		parents = append(parents, newParent(f.t, tells))
	}
	f.origin = newParent(f.t, 200).port()
	return f.under(exaproxy(), parents, list), f.under(squid, parents, list)
}

// under asks all requests of one proxy. Squid uses no parent before it has connected to it for the first time.
func (f family) under(p program, parents []*parent, list []asked) (all []raised) {
	f.t.Helper()
	conf := strings.NewReplacer("{one}", parents[0].port(), "{two}", parents[1].port(), "{three}", parents[2].port(),
		"{origin}", f.origin, "{options}", peerOptions).Replace(f.conf)
	before := make([]int, len(parents))
	for i, p := range parents {
		before[i] = p.connected()
		p.take()
	}
	x := start(f.t, p, world(f.t), "http_port 127.0.0.1:"+freePort(f.t)+"\n"+noNetDB+conf+base)
	defer x.end()
	defer func() { x.quiet = !x.hasEnded() }()
	if p.path != built.proxy {
		for i, name := range []string{"{one}", "{two}", "{three}"} {
			if strings.Contains(f.conf, name) {
				x.eventually("connects to its parent", 10*time.Second, func() bool { return parents[i].connected() > before[i] })
			}
		}
	}
	for _, a := range list {
		a.raw = strings.ReplaceAll(a.raw, "{origin}", f.origin)
		all = append(all, f.one(x, parents, a))
	}
	return all
}

func (f family) one(x *proxy, parents []*parent, a asked) raised {
	logged := len(x.accessLog())
	r := raised{exchange: x.exchange(a)}
	poll(2*time.Second, func() bool { return len(x.ownLines(logged)) > 0 })
	r.log = x.ownLines(logged)
	for i, p := range parents {
		for _, head := range p.take() {
			r.heads += fmt.Sprintf("[%d] %s\n", i+1, head)
		}
	}
	return r
}

// ask is a request that ends its connection, and says so to nobody but the proxy.
func ask(method, url, fields string) string {
	body := ""
	if strings.Contains(fields, "Content-Length: 3") {
		body = "abc"
	}
	host := strings.TrimPrefix(url, "http://")
	host, _, _ = strings.Cut(host, "/")
	return method + " " + url + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + fields + "\r\n" + body
}

// compareFamily holds a conversation and judges all that can be seen of it: what parents were asked, what the client was
// answered, and what was logged.
func compareFamily(t *testing.T, f family, list []asked) {
	t.Helper()
	f.t = t
	ours, theirs := f.hold(list)
	for i, a := range list {
		judge(t, a, aspect{"question to parents", ours[i].heads, theirs[i].heads},
			aspect{"head", withoutPort(ours[i].head()), withoutPort(theirs[i].head())},
			aspect{"log line", ours[i].logLine(), theirs[i].logLine()})
	}
}

// withoutPort is a reply's head without the proxy's own port, which is another for each.
func withoutPort(head string) string {
	lines := strings.Split(head, "\r\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "X-Cache-Lookup:") {
			lines[i] = line[:strings.LastIndex(line, ":")]
		}
	}
	return strings.Join(lines, "\r\n")
}

// kindsOfRequests are those that Squid sends different ways.
func kindsOfRequests() (list []asked) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "PROPFIND", "FOO"} {
		a := asked{name: method, raw: ask(method, "http://127.0.0.1:{origin}/"+method, "")}
		if method == "TRACE" {
			a.deliberate = "X-Cache-Lookup: whether anybody has looked into a cache that is not there"
		}
		list = append(list, a)
	}
	return append(list,
		asked{name: "POST", raw: ask("POST", "http://127.0.0.1:{origin}/post", "Content-Length: 3\r\n")},
		asked{name: "a query", raw: ask("GET", "http://127.0.0.1:{origin}/a?b", "")},
		asked{name: "credentials for the server", raw: ask("GET", "http://127.0.0.1:{origin}/a", "Authorization: Basic Zm9vOmJhcg==\r\n")},
		asked{name: "hop-by-hop fields", raw: ask("GET", "http://127.0.0.1:{origin}/a", "Proxy-Connection: close\r\nTE: trailers\r\nKeep-Alive: 3\r\nX-A: b\r\nUser-Agent: u\r\n")},
		asked{name: "CONNECT", raw: ask("CONNECT", "127.0.0.1:{origin}", "User-Agent: u\r\n")},
	)
}

func TestWaysAreSquids(t *testing.T) {
	for name, conf := range map[string]string{
		"parent":                "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1\n",
		"nonhierarchical":       "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1\nnonhierarchical_direct off\n",
		"never_direct":          "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1\nnever_direct allow all\n",
		"prefer_direct":         "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1\nprefer_direct on\n",
		"always_direct":         "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1\nacl get method GET\nalways_direct allow get\nnever_direct allow all\n",
		"cache_peer_access":     "acl get method GET\ncache_peer 127.0.0.1 parent {one} 0 {options} name=p1\ncache_peer 127.0.0.1 parent {two} 0 {options} name=p2\ncache_peer_access p1 deny get\nnever_direct allow all\n",
		"sibling":               "cache_peer 127.0.0.1 sibling {one} 0 {options} name=p1\ncache_peer 127.0.0.1 parent {two} 0 {options} name=p2\nnever_direct allow all\n",
		"neighbor_type_domain":  "cache_peer 127.0.0.1 sibling {one} 0 {options} name=p1\nneighbor_type_domain p1 parent 127.0.0.1\nnever_direct allow all\n",
		"a server that has all": "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1 originserver forceddomain=forced.test\ncache_peer 127.0.0.1 parent {two} 0 {options} name=p2\nnever_direct allow all\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareFamily(t, family{conf: conf}, kindsOfRequests())
		})
	}
}

// Names that only the parent knows are the parent's affair.
func TestPeersAreChosenAsInSquid(t *testing.T) {
	var list []asked
	for i := range 12 {
		list = append(list, asked{name: fmt.Sprint(i), raw: ask("GET", fmt.Sprintf("http://h%d.test/p%d?q=%d", i, i*7, i), "")})
	}
	for _, options := range [][3]string{
		{"round-robin", "round-robin weight=2", "round-robin"},
		{"weighted-round-robin", "weighted-round-robin weight=2", "weighted-round-robin"},
		{"carp", "carp weight=2", "carp weight=3"},
		{"carp carp-key=host,path", "carp weight=2 carp-key=scheme,host,port,params", "carp weight=3 carp-key=host"},
		{"sourcehash", "sourcehash weight=2", "sourcehash weight=3"},
		{"", "default", ""},
		{"round-robin", "carp", "sourcehash"},
	} {
		t.Run(strings.Join(options[:], ", "), func(t *testing.T) {
			t.Parallel()
			conf := "never_direct allow all\n"
			for i, place := range []string{"{one}", "{two}", "{three}"} {
				conf += fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 {options} name=p%d %s\n", place, i+1, options[i])
			}
			compareFamily(t, family{conf: conf}, list)
		})
	}
}

func TestLoginIsSquids(t *testing.T) {
	var list []asked
	for _, credentials := range []string{"", "Proxy-Authorization: Basic Zm9vOmJhcg==\r\n", "Proxy-Authorization: Bearer x\r\nAuthorization: Bearer y\r\n"} {
		list = append(list,
			asked{name: "GET", raw: ask("GET", "http://nx.test/?answer=407", credentials)},
			asked{name: "CONNECT", raw: ask("CONNECT", "nx.test:443", credentials)})
	}
	for _, login := range []string{"", "login=PASS", "login=PASSTHRU", "login=u%20a:p", "login=*:p", "login=PROXYPASS"} {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			conf := "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1 " + login + "\nnever_direct allow all\n"
			all := slices.Clone(list)
			passProxys(login, all)
			compareFamily(t, family{conf: conf}, all)
		})
		t.Run("to a server, "+login, func(t *testing.T) {
			t.Parallel()
			of := slices.DeleteFunc(slices.Clone(list), func(a asked) bool {
				return a.name == "CONNECT"
			})
			passProxys(login, of)
			conf := "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1 originserver " + login + "\nnever_direct allow all\n"
			compareFamily(t, family{conf: conf}, of)
		})
	}
}

// passProxys marks those requests without the credentials that login=PROXYPASS passes.
func passProxys(login string, list []asked) {
	for i := range list {
		if login == "login=PROXYPASS" && !strings.Contains(list[i].raw, "Authorization") {
			list[i].deliberate = "where there is nothing to pass, Squid says to be a user called PROXYPASS"
		}
	}
}

func TestFailoverIsSquids(t *testing.T) {
	const two = "cache_peer 127.0.0.1 parent {one} 0 {options} name=p1\ncache_peer 127.0.0.1 parent {two} 0 {options} name=p2\nnever_direct allow all\n"
	t.Run("by what a parent answers", func(t *testing.T) {
		t.Parallel()
		var list []asked
		for _, status := range []string{"502", "504", "503", "500", "403", "404", "0"} {
			why := ""
			if status == "0" {
				why = "what was sent in vain once is sent over a new connection then, also to another parent"
			}
			list = append(list, asked{name: "GET " + status, raw: ask("GET", "http://nx.test/?answer="+status, ""), deliberate: why},
				asked{name: "POST " + status, raw: ask("POST", "http://nx.test/?answer="+status, "Content-Length: 3\r\n")})
		}
		compareFamily(t, family{conf: two}, list)
	})
	for _, tells := range []int{403, 407, 502, 503} {
		t.Run(fmt.Sprintf("by what a parent answers to a CONNECT: %d", tells), func(t *testing.T) {
			t.Parallel()
			compareFamily(t, family{conf: two, tells: [3]int{tells}}, []asked{{name: "CONNECT", raw: ask("CONNECT", "nx.test:443", "")}})
		})
	}
}
