package acceptance

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A network is three machines in a row, each a network namespace: clients, the proxy's, which is their router, and
// origins. It is deleted with the test.
type network struct {
	t                       testing.TB
	clients, proxy, origins string // names of the namespaces
}

// The addresses of a network. The origins' machine has two of each family, so that there is another to go to.
const (
	clientIPv4, clientIPv6 = "10.9.1.2", "fd09:1::2"
	routerIPv4, routerIPv6 = "10.9.1.1", "fd09:1::1"
	originIPv4, originIPv6 = "10.9.2.2", "fd09:2::2"
	otherIPv4, otherIPv6   = "10.9.2.3", "fd09:2::3"
)

// layout makes a network of the namespaces C, P and O.
const layout = `netns add C
netns add P
netns add O
-n C link set lo up
-n P link set lo up
-n O link set lo up
link add lan netns C type veth peer name lan netns P
link add wan netns O type veth peer name wan netns P
-n C addr add 10.9.1.2/24 dev lan
-n C addr add fd09:1::2/64 dev lan nodad
-n P addr add 10.9.1.1/24 dev lan
-n P addr add fd09:1::1/64 dev lan nodad
-n P addr add 10.9.2.1/24 dev wan
-n P addr add fd09:2::1/64 dev wan nodad
-n O addr add 10.9.2.2/24 dev wan
-n O addr add 10.9.2.3/24 dev wan
-n O addr add fd09:2::2/64 dev wan nodad
-n O addr add fd09:2::3/64 dev wan nodad
-n C link set lan up
-n P link set lan up
-n P link set wan up
-n O link set wan up
-n C route add default via 10.9.1.1
-n C -6 route add default via fd09:1::1
-n O route add default via 10.9.2.1
-n O -6 route add default via fd09:2::1
netns exec P sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
`

var networks atomic.Int32 // that were made

// newNetwork makes one. Where that is not allowed the test is skipped.
func newNetwork(t testing.TB) *network {
	t.Helper()
	ip := peer(t, "ip", "iproute2")
	name := fmt.Sprintf("exa%dn%d", os.Getpid(), networks.Add(1))
	n := &network{t, name + "c", name + "p", name + "o"}
	names := strings.NewReplacer(" C", " "+n.clients, " P", " "+n.proxy, " O", " "+n.origins)
	for i, line := range strings.Split(strings.TrimSpace(layout), "\n") {
		out, err := exec.Command(ip, strings.Fields(names.Replace(" "+line))...).CombinedOutput()
		if err != nil && i == 0 {
			t.Skipf("no network namespaces can be made here: %s", out)
		}
		if i == 0 {
			t.Cleanup(n.remove)
		}
		if err != nil {
			t.Fatalf("ip %s: %v\n%s", line, err, out)
		}
	}
	return n
}

func (n *network) remove() {
	for _, name := range []string{n.clients, n.proxy, n.origins} {
		exec.Command("ip", "netns", "del", name).Run()
	}
}

// divert loads a file of contrib/intercept on the proxy's machine.
func (n *network) divert(file string) {
	n.t.Helper()
	nft := peer(n.t, "nft", "nftables")
	text, err := os.ReadFile(filepath.Join("../../../contrib/intercept", file))
	if err != nil {
		n.t.Fatal(err)
	}
	load := exec.Command("ip", "netns", "exec", n.proxy, nft, "-f", "-")
	load.Stdin = strings.NewReader(strings.Replace(string(text), `"eth1"`, `"lan"`, 1))
	if out, err := load.CombinedOutput(); err != nil {
		n.t.Fatalf("nft -f %s: %v\n%s", file, err, out)
	}
}

// routes does what tproxy.nft needs beside.
func (n *network) routes() {
	n.t.Helper()
	if out, err := exec.Command("ip", "netns", "exec", n.proxy, "../../../contrib/intercept/routes", "up").CombinedOutput(); err != nil {
		n.t.Fatalf("routes up: %v\n%s", err, out)
	}
}

// on is a program as it is run on a machine.
func (n *network) on(machine string, p program) program {
	return within(machine, p)
}

// on has a function be done on a machine: sockets that it makes, on its own goroutine, are of that machine. The thread
// is not used for anything else.
func on(machine string, f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		ns, err := os.Open("/var/run/netns/" + machine)
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			ns.Close()
		}
		if err == nil {
			err = f()
		}
		result <- err
	}()
	return <-result
}

// dial connects a client to an address.
func (n *network) dial(to string) (conn net.Conn, err error) {
	err = on(n.clients, func() error {
		conn, err = net.Dial("tcp", to)
		return err
	})
	return conn, err
}

// serve has origins serve on all addresses of their machine: at port 80, and in TLS at 443. They answer with who asked
// for what.
func (n *network) serve(config *tls.Config) {
	n.t.Helper()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		w.Header()["Date"] = nil
		fmt.Fprintf(w, "%s at %s is asked by %s for %s %s\n", r.Host, local, host, r.Method, r.URL)
	})}
	for _, port := range []string{":80", ":443"} {
		var l net.Listener
		if err := on(n.origins, func() (err error) { l, err = net.Listen("tcp", port); return err }); err != nil {
			n.t.Fatal(err)
		}
		if l = (watchedListener{l, n.t}); port == ":443" {
			l = tls.NewListener(l, config)
		}
		go server.Serve(l)
	}
	n.t.Cleanup(func() { server.Close() })
}
