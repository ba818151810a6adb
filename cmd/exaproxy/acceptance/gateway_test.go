package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A lan is a network of the test's own: namespaces on one link, each a machine.
type lan struct {
	t      testing.TB
	prefix string // of the names of its namespaces
	n      int    // machines
}

func newLAN(t testing.TB) *lan {
	t.Helper()
	peer(t, "ip", "iproute2")
	if os.Getuid() != 0 {
		t.Skip("only root may make networks")
	}
	l := &lan{t: t, prefix: fmt.Sprintf("exalan%dn%d", os.Getpid(), services.Add(1))}
	hub := l.machine("hub")
	l.in(hub, "ip", "link", "add", "br0", "type", "bridge")
	l.in(hub, "ip", "link", "set", "br0", "up")
	return l
}

// machine adds one with addresses, which have prefix lengths. It forwards nothing.
func (l *lan) machine(name string, addrs ...string) (ns string) {
	l.t.Helper()
	ns = l.prefix + name
	l.run("ip", "netns", "add", ns)
	l.t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
	l.in(ns, "ip", "link", "set", "lo", "up")
	if name == "hub" {
		return ns
	}
	l.n++
	port := fmt.Sprintf("port%d", l.n)
	l.run("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", port, "netns", l.prefix+"hub")
	l.in(l.prefix+"hub", "ip", "link", "set", port, "master", "br0", "up")
	l.in(ns, "ip", "link", "set", "eth0", "up")
	for _, a := range addrs {
		args := []string{"ip", "addr", "add", a, "dev", "eth0"}
		if strings.Contains(a, ":") {
			args = append(args, "nodad")
		}
		l.in(ns, args...)
	}
	return ns
}

// run runs a command, which has to succeed.
func (l *lan) run(args ...string) string {
	l.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// in runs a command on a machine.
func (l *lan) in(ns string, args ...string) string {
	l.t.Helper()
	return l.run(append([]string{"ip", "netns", "exec", ns}, args...)...)
}

// within is a program that is started on a machine.
func within(ns string, p program) program {
	return program{path: "ip", args: append([]string{"netns", "exec", ns, p.path}, p.args...)}
}

// serve has a program run on a machine until the test is over, and waits until somebody accepts connections there.
func (l *lan) serve(ns, port string, args ...string) {
	l.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns}, args...)...)
	said := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if l.t.Failed() {
			l.t.Logf("%s says:\n%s", args[0], said)
		}
	})
	if !poll(20*time.Second, func() bool {
		ports, _ := tcpPorts(cmd.Process.Pid)
		return ports[uint16(atoi(l.t, port))]
	}) {
		l.t.Fatalf("%s does not listen on port %s", strings.Join(args, " "), port)
	}
}

func atoi(t testing.TB, digits string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(digits, "%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// gatewayHosts are names of sites: with addresses of one family, or both; and some that nobody has.
const gatewayHosts = `192.0.2.7 four.test
2001:db8:77::6 six.test
192.0.2.7 both.test
2001:db8:77::6 both.test
198.51.100.1 dead.test
198.51.100.2 dead.test
198.51.100.3 dead.test
198.51.100.4 dead.test
192.0.2.7 dead.test
198.51.100.1 half.test
198.51.100.2 half.test
2001:db8:77::6 half.test
`

// gatewayDNS64 makes addresses of IPv6 where there are only those of IPv4 (RFC 6147).
const gatewayDNS64 = `server:
  interface: 192.0.2.64
  interface: 2001:db8:77::64
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  module-config: "dns64 iterator"
  dns64-prefix: 64:ff9b::/96
  local-zone: "test." nodefault
  num-threads: 1
forward-zone:
  name: "."
  forward-addr: 192.0.2.53
`

// gatewaySite is nginx: it says to whom a client has come, and from where.
const gatewaySite = `daemon off;
error_log {dir}/error.log;
pid {dir}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
  server { listen 80; listen [::]:80; location / { return 200 "$server_addr $host $uri\n"; } }
}
`

// A gateway is a LAN with clients, sites and name servers of both families.
type gateway struct {
	*lan
	client4, client6 string // machines
	both, only6      string // for a proxy: with both families, and with IPv6 alone, in a network with NAT64
}

// newGateway makes one. The site four.test has the address too that a NAT64 (RFC 6146) would have for it: to its clients that
// is the same.
func newGateway(t *testing.T) *gateway {
	t.Helper()
	nginx, dnsmasq, unbound := peer(t, "nginx", "nginx"), peer(t, "dnsmasq", "dnsmasq-base"), peer(t, "unbound", "unbound")
	g := &gateway{lan: newLAN(t)}
	g.client4, g.client6 = g.machine("c4", "192.0.2.4/24"), g.machine("c6", "2001:db8:77::4/64")
	g.both, g.only6 = g.machine("p", "192.0.2.10/24", "2001:db8:77::10/64"), g.machine("p6", "2001:db8:77::11/64")
	four, six := g.machine("o4", "192.0.2.7/24", "64:ff9b::c000:207/128"), g.machine("o6", "2001:db8:77::6/64")
	dns := g.machine("dns", "192.0.2.53/24", "2001:db8:77::53/64", "192.0.2.64/24", "2001:db8:77::64/64", "192.0.2.65/24", "2001:db8:77::65/64")
	nobody := g.machine("sink", "192.0.2.254/24") // what is sent to it to be passed on is lost
	g.in(nobody, "sysctl", "-qw", "net.ipv4.ip_forward=0")
	g.in(g.both, "ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.254")
	for _, ns := range []string{g.both, g.only6} {
		g.in(ns, "ip", "-6", "route", "add", "64:ff9b::/96", "dev", "eth0")
	}
	g.in(four, "ip", "-6", "route", "add", "2001:db8:77::/64", "dev", "eth0")
	for _, ns := range []string{four, six} {
		dir := world(t)
		g.serve(ns, "80", nginx, "-c", writeFile(t, dir, "nginx.conf", strings.ReplaceAll(gatewaySite, "{dir}", dir)))
	}
	dir := world(t)
	hosts := writeFile(t, dir, "names", gatewayHosts)
	common := []string{dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--no-round-robin", "--user=root", "--pid-file="}
	g.serve(dns, "53", append(common, "--listen-address=192.0.2.53,2001:db8:77::53", "--local=/test/", "--addn-hosts="+hosts)...)
	g.serve(dns, "53", unbound, "-d", "-c", writeFile(t, dir, "unbound.conf", gatewayDNS64))
	g.serve(dns, "53", append(common, "--listen-address=192.0.2.65,2001:db8:77::65", "--filter-A", "--server=192.0.2.64")...)
	return g
}

// gatewayAsked are what clients ask for, and what they get.
var gatewayAsked = []struct{ name, client, proxy, url, want string }{
	{"IPv6 to IPv4 by name", "6", "[2001:db8:77::10]", "http://four.test/a", "192.0.2.7 four.test /a"},
	{"IPv4 to IPv6 by name", "4", "192.0.2.10", "http://six.test/b", "2001:db8:77::6 six.test /b"},
	{"IPv6 to IPv4 by address", "6", "[2001:db8:77::10]", "http://192.0.2.7/c", "192.0.2.7 192.0.2.7 /c"},
	{"IPv4 to IPv6 by address", "4", "192.0.2.10", "http://[2001:db8:77::6]/d", "2001:db8:77::6 [2001:db8:77::6] /d"},
	{"IPv4 to an address of IPv6 that holds one of IPv4", "4", "192.0.2.10", "http://[::ffff:192.0.2.7]/e", "192.0.2.7 192.0.2.7 /e"},
	{"IPv6 to IPv4 in a tunnel", "6t", "[2001:db8:77::10]", "http://four.test/f", "192.0.2.7 four.test /f"},
	{"IPv4 to IPv6 in a tunnel", "4t", "192.0.2.10", "http://six.test/g", "2001:db8:77::6 six.test /g"},
	{"IPv4 to an address of IPv6 in a tunnel", "4t", "192.0.2.10", "http://[2001:db8:77::6]/h", "2001:db8:77::6 [2001:db8:77::6] /h"},
	{"IPv6 to an address of IPv4 in a tunnel", "6t", "[2001:db8:77::10]", "http://192.0.2.7/i", "192.0.2.7 192.0.2.7 /i"},
}

// ask has curl ask a proxy for a URL, from one of the clients; t has it use a tunnel.
func (g *gateway) ask(client, proxy, url string) string {
	ns := g.client4
	if client[0] == '6' {
		ns = g.client6
	}
	args := []string{"netns", "exec", ns, "curl", "-sS", "-g", "-m", "30", "-x", "http://" + proxy + ":3128", url}
	if strings.HasSuffix(client, "t") {
		args = append(args, "-p")
	}
	out, _ := exec.Command("ip", args...).CombinedOutput()
	return strings.TrimSpace(string(out))
}

// gatewayConf is that of a proxy with a name server.
func gatewayConf(server string) string {
	return base + "http_port 3128\ndns_nameservers " + server + "\n"
}

// TestGateway has clients of one family reach servers of the other through both proxies.
func TestGateway(t *testing.T) {
	g := newGateway(t)
	var logs [2][]string
	for i, p := range []program{exaproxy(), squid(t)} {
		x := start(t, within(g.both, p), world(t), gatewayConf("192.0.2.53"))
		for n, a := range gatewayAsked {
			if got := g.ask(a.client, a.proxy, a.url); got != a.want {
				t.Errorf("%s, through %s: curl gets %q, want %q", a.name, filepath.Base(p.path), got, a.want)
			}
			x.logged(n + 1)
		}
		for _, line := range x.accessLog() {
			logs[i] = append(logs[i], strings.Join(strings.Fields(line)[2:], " "))
		}
		x.end()
	}
	for n, a := range gatewayAsked {
		if logs[0][n] != logs[1][n] {
			t.Errorf("%s: the log is not Squid's\n  ours    %s\n  Squid's %s", a.name, logs[0][n], logs[1][n])
		}
	}
}

// TestGatewayPastDeadAddresses has sites be reached of whose addresses the first four are silent, or all of a family.
func TestGatewayPastDeadAddresses(t *testing.T) {
	g := newGateway(t)
	start(t, within(g.both, exaproxy()), world(t), gatewayConf("2001:db8:77::53"))
	for name, want := range map[string]string{"dead.test": "192.0.2.7 dead.test /", "half.test": "2001:db8:77::6 half.test /"} {
		began := time.Now()
		if got := g.ask("6", "[2001:db8:77::10]", "http://"+name+"/"); got != want {
			t.Errorf("%s: curl gets %q after %s, want %q", name, got, time.Since(began), want)
		}
		t.Logf("%s was reached after %s", name, time.Since(began).Round(10*time.Millisecond))
	}
}

// TestGatewayWithDNS64 has a proxy that has only IPv6 reach servers of IPv4 through a NAT64, by the addresses that a DNS64
// makes: beside those of IPv4, which lead nowhere, and alone, as one with both families does.
func TestGatewayWithDNS64(t *testing.T) {
	g := newGateway(t)
	for _, row := range []struct{ name, machine, proxy, server string }{
		{"IPv6 alone, addresses of both families", g.only6, "[2001:db8:77::11]", "2001:db8:77::64"},
		{"IPv6 alone, addresses of IPv6", g.only6, "[2001:db8:77::11]", "2001:db8:77::65"},
		{"both families, addresses of IPv6", g.both, "[2001:db8:77::10]", "192.0.2.65"},
	} {
		x := start(t, within(row.machine, exaproxy()), world(t), gatewayConf(row.server))
		if got := g.ask("6", row.proxy, "http://four.test/"); got != "64:ff9b::c000:207 four.test /" {
			t.Errorf("%s: curl gets %q of a site of IPv4", row.name, got)
		}
		if got := g.ask("6t", row.proxy, "http://four.test/"); got != "64:ff9b::c000:207 four.test /" {
			t.Errorf("%s: curl gets %q of a site of IPv4 in a tunnel", row.name, got)
		}
		if got := g.ask("6", row.proxy, "http://six.test/"); got != "2001:db8:77::6 six.test /" {
			t.Errorf("%s: curl gets %q of a site of IPv6", row.name, got)
		}
		x.end()
	}
}
