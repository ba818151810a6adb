package acceptance

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What stands in tunnels is decrypted or not by the name that a client asks for.
const (
	earlyName, staredName       = "early.test", "stared.test" // decrypted before, and after the server is known
	peekedName, splicedName     = "peeked.test", "spliced.test"
	terminatedName, deniedName  = "terminated.test", "denied.test"
	olderName                   = "older.test" // TLS 1.2, and no connection is kept
	expiredName, resettingName  = "expired.test", "resetting.test"
	silentServer, closingServer = "silent-server.test", "closing-server.test"
)

const (
	bumpedHost, secureHost = "127.0.0.2", "127.0.0.3" // where the proxy listens for them
	tunnelConf             = `workers 2
http_port ` + bumpedHost + `:0 ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key
https_port ` + secureHost + `:0 {port}
tls_outgoing_options cafile={dir}/sites.pem
acl SSL_ports port 1024-65535
connect_tls allow all
` + checksTunnels + `
url_rewrite_children 4 startup=4 idle=1
url_rewrite_program {storm}
acl step1 at_step SslBump1
acl early dstdomain ` + earlyName + `
acl stared ssl::server_name --client-requested ` + staredName + `
acl peeked ssl::server_name --client-requested ` + peekedName + `
acl spliced ssl::server_name --client-requested ` + splicedName + `
acl terminated ssl::server_name --client-requested ` + terminatedName + `
ssl_bump bump early
ssl_bump peek step1
ssl_bump terminate terminated
ssl_bump splice spliced
ssl_bump peek peeked
ssl_bump stare stared
ssl_bump bump all
` // the servers' certificates have all names
	checksTunnels, leavesTunnels = "tunnel_check on", "tunnel_check off" // reloads change one for the other

	tunnelAccess = `acl denied dstdomain .` + deniedName + `
acl deniedpath urlpath_regex ^/denied/
acl CONNECT method CONNECT
http_access deny denied
http_access deny deniedpath !CONNECT
`
)

// stormSecure are the servers of a storm that are reached in tunnels.
type stormSecure struct {
	trusted *x509.CertPool
	origins []*origin
	ports   map[string]string // by names
}

// makeSecure makes all certificates, and starts all servers.
func makeSecure(s *storm) {
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(s.dir, "ca")).CombinedOutput(); err != nil {
		s.t.Fatalf("make-ca: %v\n%s", err, out)
	}
	p := &stormSecure{trusted: x509.NewCertPool(), ports: map[string]string{}}
	s.people.secure = p
	good := []string{goodName, earlyName, staredName, peekedName, splicedName, terminatedName, olderName}
	a, odd := newAuthority(s.t, s.dir, good...), newSiteCA(s.t)
	s.conf = strings.ReplaceAll(s.conf, "{port}", a.pemFiles(s.t, s.dir))
	sites := readAll(a.file) + odd.pem()
	writeFile(s.t, s.dir, "sites.pem", sites)
	p.trusted.AppendCertsFromPEM([]byte(sites + readAll(filepath.Join(s.dir, "ca", "ca.crt"))))

	kept := a.newTLSOrigin(s.t, stormHost, stormPages())
	older := startOrigin(s.t, stormHost+":0", closingPages(), &tls.Config{Certificates: kept.TLS.Certificates, MaxVersion: tls.VersionTLS12})
	p.origins = []*origin{kept, older}
	for _, name := range append(good, forbiddenName, deniedName) {
		p.ports[name] = kept.port()
	}
	p.ports[forbiddenName], p.ports[olderName] = s.people.forbidden.port(), older.port()
	p.ports[resettingName] = resetting(s)
	for name, kind := range map[string]string{expiredName: "expired", silentServer: "silent", closingServer: "closes"} {
		p.ports[name] = odd.newSite(s.t, name, stormHost, kind).port()
	}
	hosts := readAll(filepath.Join(s.dir, "hosts"))
	for name := range p.ports {
		if !strings.Contains(hosts, " "+name+"\n") {
			hosts += stormHost + " " + name + "\n"
		}
	}
	writeFile(s.t, s.dir, "hosts", hosts)
}

// closingPages is stormPages, each on a connection of its own.
func closingPages() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		stormPages().ServeHTTP(w, r)
	})
}

// resetting is the port of a server that resets every connection: at once, when it has heard something, or when it
// has said the beginning of a ServerHello.
func resetting(s *storm) (port string) {
	l, err := net.Listen("tcp", stormHost+":0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				if n%3 > 0 {
					conn.SetDeadline(time.Now().Add(10 * time.Second))
					conn.Read(make([]byte, 100))
				}
				if n%3 > 1 {
					conn.Write([]byte{22, 3, 3, 0, 100, 2, 0, 0, 96, 3, 3})
				}
				reset(conn)
			}()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// reset closes a connection so that the other side sees it broken.
func reset(conn net.Conn) {
	conn.(interface{ SetLinger(int) error }).SetLinger(0)
	conn.Close()
}

// hangUp closes the origins' connections.
func (p *stormSecure) hangUp() {
	for _, o := range p.origins {
		o.CloseClientConnections()
	}
}

func (p *stormSecure) hostPort(name string) string { return net.JoinHostPort(name, p.ports[name]) }

// at is the URL of a path at a server by its name.
func (p *stormSecure) at(name, path string) string { return "https://" + p.hostPort(name) + path }

// proxyAt is where the proxy listens at one of its addresses.
func (s *storm) proxyAt(host string) string {
	for _, addr := range s.x.addrs {
		if addr.Addr().String() == host {
			return addr.String()
		}
	}
	s.t.Fatalf("the proxy does not listen at %s, but at %v", host, s.x.addrs)
	return ""
}

// by is a client that keeps its tunnels. Each third one knows TLS 1.2 only.
func (c *goodClient) by(kept **http.Client, proxy, serverName string) *http.Client {
	if *kept != nil {
		return *kept
	}
	conf := &tls.Config{RootCAs: c.people.secure.trusted, ServerName: serverName}
	if c.number%3 == 0 {
		conf.MaxVersion = tls.VersionTLS12
	}
	to := func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
	*kept = &http.Client{
		Transport:     &http.Transport{Proxy: to, TLSClientConfig: conf, DisableCompression: true},
		CheckRedirect: c.http.CheckRedirect,
		Timeout:       patience,
	}
	return *kept
}

// bumped is the client of the port with ssl-bump.
func (c *goodClient) bumped() *http.Client {
	return c.by(&c.inTunnels, "http://"+c.proxyAt(bumpedHost), "")
}

// secure is the client of the https_port. It asks for goodName there, and in tunnels.
func (c *goodClient) secure() *http.Client {
	return c.by(&c.overTLS, "https://"+c.proxyAt(secureHost), goodName)
}

var secureAsks = []question{
	askPage, askMarked, askBlocked,
	{"a page in a tunnel", func(c *goodClient, n int) error {
		names := []string{goodName, earlyName, staredName, peekedName, splicedName, olderName}
		path := c.path("page", n)
		return getBy(c.bumped(), c.people.secure.at(names[(n/len(c.asks))%len(names)], path), http.StatusOK, "", "origin answers GET "+path+"\n")
	}},
	{"a marked page in a tunnel", func(c *goodClient, n int) error {
		path := c.path("marked", n)
		return getBy(c.bumped(), c.people.secure.at(goodName, path), http.StatusOK, "", "marked "+path+"?mark\n")
	}},
	{"a denied page in a tunnel", func(c *goodClient, n int) error {
		return getBy(c.bumped(), c.people.secure.at(staredName, c.path("denied", n)), http.StatusForbidden, "", "")
	}},
	{"a large page in a tunnel", func(c *goodClient, n int) error {
		body := stormPattern()
		return getBy(c.bumped(), c.people.secure.at(olderName, fmt.Sprintf("/bytes/%d", len(body))), http.StatusOK, "", body)
	}},
	{"a form in a tunnel", func(c *goodClient, n int) error {
		return postBy(c.bumped(), c.people.secure.at(goodName, "/sum"), stormPattern()[:n%20_000])
	}},
	{"a tunnel that is blocked", func(c *goodClient, n int) error {
		to := c.people.secure.hostPort(forbiddenName)
		return getBy(c.bumped(), "https://"+to+c.path("blocked", n), http.StatusFound, blockPage+"?u="+to, "")
	}},
	{"a tunnel that is denied", func(c *goodClient, n int) error {
		return getBy(c.bumped(), c.people.secure.at(deniedName, c.path("page", n)), http.StatusForbidden, "", "")
	}},
	{"a page by TLS to the proxy", func(c *goodClient, n int) error {
		path := c.path("page", n)
		return getBy(c.secure(), c.people.good.at(goodName, path), http.StatusOK, "", "origin answers GET "+path+"\n")
	}},
	{"a tunnel by TLS to the proxy", func(c *goodClient, n int) error {
		path := c.path("page", n)
		return getBy(c.secure(), c.people.secure.at(goodName, path), http.StatusOK, "", "origin answers GET "+path+"\n")
	}},
}
