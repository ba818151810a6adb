package acceptance

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// accelPeersConf has accelerators before servers that cache_peer lines name, each with other options; {n} are the ports of
// the accelerators, {on} of the servers.
const accelPeersConf = `http_port 127.0.0.1:{0} accel defaultsite=site.test
http_port 127.0.0.1:{1} accel
http_port 127.0.0.1:{2} accel
http_port 127.0.0.1:{3} accel
http_port 127.0.0.1:{4} accel
http_port 127.0.0.1:{5} accel allow-direct
acl p0 localport {0}
acl p1 localport {1}
acl p2 localport {2}
acl p3 localport {3}
acl p4 localport {4}
acl p5 localport {5}
cache_peer 127.0.0.1 parent {o0} 0 no-query no-digest originserver name=n0
cache_peer 127.0.0.1 parent {o1} 0 no-query no-digest originserver name=n1 login=PASS
cache_peer 127.0.0.1 parent {o2} 0 no-query no-digest originserver name=n2 login=u:pw
cache_peer 127.0.0.1 parent {o3} 0 no-query no-digest originserver name=n3 login=*:pw
cache_peer 127.0.0.1 parent {o4} 0 no-query no-digest originserver name=n4 forceddomain=forced.test
cache_peer 127.0.0.1 parent {o5} 0 no-query no-digest originserver name=n5
cache_peer_access n0 allow p0
cache_peer_access n1 allow p1
cache_peer_access n2 allow p2
cache_peer_access n3 allow p3
cache_peer_access n4 allow p4
cache_peer_access n5 allow p5
auth_param basic program {dir}/users
auth_param basic children 1 startup=1
auth_param basic realm school
acl users proxy_auth REQUIRED
acl public urlpath_regex ^/public
acl outside urlpath_regex ^/public/outside
acl never urlpath_regex ^/public/never
always_direct allow outside
never_direct allow never
http_access allow public
http_access deny !users
url_rewrite_program {dir}/rewriter
url_rewrite_children 1 startup=1 idle=1
logformat seen %Ss/%03>Hs %rm %ru %un %Sh/%<a:%<p %mt
access_log stdio:{dir}/seen.log seen
`

// accelPeersAsked is asked of each of these ports.
var accelPeersAsked = []asked{
	{name: "what is public", raw: "GET /public?q HTTP/1.1\r\nHost: site.test\r\n\r\n"},
	{name: "with credentials that nobody asks for", raw: "GET /public HTTP/1.1\r\nHost: site.test\r\nAuthorization: Basic YTpi\r\n\r\n"},
	{name: "with credentials", raw: "GET /private HTTP/1.1\r\nHost: site.test\r\nAuthorization: Basic am9lOng=\r\n\r\n"},
	{name: "without credentials", raw: "GET /private HTTP/1.1\r\nHost: site.test\r\n\r\n"},
	{name: "POST", raw: "POST /public HTTP/1.1\r\nHost: site.test:{o5}\r\nContent-Length: 2\r\n\r\nhi"},
	{name: "rewritten", raw: "GET /public/rewritten HTTP/1.1\r\nHost: site.test\r\n\r\n"},
	{name: "always_direct", raw: "GET /public/outside HTTP/1.1\r\nHost: site.test:{o5}\r\n\r\n"},
	{name: "never_direct", raw: "GET /public/never HTTP/1.1\r\nHost: site.test:{o5}\r\n\r\n"},
	{name: "a server that asks for credentials", raw: "GET /public/who HTTP/1.1\r\nHost: site.test\r\n\r\n"},
}

// TestAcceleratorBeforeServers asks both proxies the same, and compares what the client, the server, the helper and the log
// see.
func TestAcceleratorBeforeServers(t *testing.T) {
	squid := squid(t)
	var origins []*recordingOrigin
	var places []string
	ports := freePorts(t, 6)
	for i, port := range ports {
		o := newRecordingOrigin(t)
		origins = append(origins, o)
		places = append(places, fmt.Sprintf("{%d}", i), port, fmt.Sprintf("{o%d}", i), o.port())
	}
	places = append(places, "{o}", origins[5].port())
	filled := strings.NewReplacer(places...).Replace
	under := func(p program) (all []accelSeen) {
		x := startAccelerator(t, p, accelPeersConf+noNetDB+base, "127.0.0.1 site.test other.test\n", filled)
		defer x.end()
		for _, port := range ports {
			for _, a := range accelPeersAsked {
				e := x.accelExchange("127.0.0.1:"+port, filled(a.raw))
				for i, o := range origins {
					if heads := o.taken(); heads != "" {
						e.origin += fmt.Sprintf("server %d: %s", i, heads)
					}
				}
				all = append(all, e)
			}
		}
		return all
	}
	ours, theirs := under(exaproxy()), under(squid)
	for i := range ours {
		port, a := i/len(accelPeersAsked), accelPeersAsked[i%len(accelPeersAsked)]
		if port == 1 && a.name == "a server that asks for credentials" {
			a.deliberate = "what a server says as a proxy is nothing to a client that knows of none"
		}
		a.name = fmt.Sprintf("port %d, %s", port, a.name)
		judgeAccelerator(t, a, ours[i], theirs[i])
	}
	t.Logf("%d comparisons in %s", len(ours), filepath.Base(squid.path))
}
