package acceptance

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// securePeers are those who are in tunnels, or ask for TLS, and do harm there.
var securePeers = []badPeer{
	killedHelpers, checkReloads, rotations, brokenTunnels, brokenTLS, silentTunnels, strangeTunnels, otherNames,
	distrustful, terminated, slowHellos, oddServers, slowTunnels,
}

// tunnelsScene has as many handshakes as requests. It finds races only if the proxy is built to find them.
func tunnelsScene(t *testing.T) scene {
	c := scene{
		name: "tunnels", conf: tunnelConf, access: tunnelAccess, asks: secureAsks, peers: securePeers,
		prepare: makeSecure, says: "a client breaks off the TLS handshake in its tunnel",
	}
	if raceDetector {
		c.start = program{path: filepath.Join(t.TempDir(), "exaproxy")}
		if out, err := exec.Command("go", "build", "-race", "-o", c.start.path, "exaproxy/cmd/exaproxy").CombinedOutput(); err != nil {
			t.Fatalf("build exaproxy: %v\n%s", err, out)
		}
	}
	return c
}

// tunnelTo is a connection whose CONNECT was answered 200; nil if it was not.
func (s *storm) tunnelTo(name string) net.Conn {
	conn := s.dialTo(s.proxyAt(bumpedHost))
	if conn == nil {
		return nil
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, request("CONNECT", s.people.secure.hostPort(name)))
	if head, err := headOf(conn); err != nil || !strings.Contains(head, " 200 ") {
		conn.Close()
		return nil
	}
	return conn
}

// headOf reads a head, and nothing behind it.
func headOf(conn net.Conn) (string, error) {
	var head strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(head.String(), "\r\n\r\n"); head.Write(b) {
		if _, err := conn.Read(b); err != nil {
			return "", err
		}
	}
	return head.String(), nil
}

// getIn is a request for a path of a server, in a tunnel to it.
func (s *storm) getIn(name, path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + s.people.secure.hostPort(name) + "\r\n\r\n"
}

func (s *storm) trusting(name string) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: s.people.secure.trusted}
}

// A broken client is gone at one of the moments below. It speaks TLS to a server by its name, and begins URLs so.
type brokenClient struct {
	*storm
	conn     net.Conn
	to, urls string
}

var breaks = []struct {
	name string
	upTo func(c brokenClient)
}{
	{"after the 200", func(brokenClient) {}},
	{"in the ClientHello", func(c brokenClient) { c.conn.Write(hello(c.t, c.to)[:50]) }},
	{"after the ClientHello", func(c brokenClient) { c.conn.Write(hello(c.t, c.to)) }},
	{"in the ServerHello", func(c brokenClient) {
		c.conn.Write(hello(c.t, c.to))
		c.conn.Read(make([]byte, 60))
	}},
	{"after the handshake", func(c brokenClient) { c.handshake().Handshake() }},
	{"in a reply", func(c brokenClient) {
		inside := c.handshake()
		io.WriteString(inside, c.request("GET", "/bytes/3000000", ""))
		io.CopyN(io.Discard, inside, 200_000)
	}},
	{"in a request", func(c brokenClient) {
		io.WriteString(c.handshake(), c.request("POST", "/sum", "Content-Length: 1000000\r\n")+stormPattern())
	}},
}

func (c brokenClient) handshake() *tls.Conn { return tls.Client(c.conn, c.trusting(c.to)) }

func (c brokenClient) request(method, path, field string) string {
	return method + " " + c.urls + path + " HTTP/1.1\r\nHost: " + c.people.secure.hostPort(c.to) + "\r\n" + field + "\r\n"
}

// Clients in tunnels that are gone, in every moment.
var brokenTunnels = badPeer{"broken tunnels", 8, 20 * time.Millisecond, func(s *storm, number int) {
	names := []string{goodName, earlyName, staredName, peekedName, splicedName, olderName, silentServer, forbiddenName, deniedName}
	to := names[number%len(names)]
	if conn := s.tunnelTo(to); conn != nil {
		conn.SetDeadline(time.Now().Add(2 * time.Second)) // there are silent servers
		breaks[(number/len(names))%len(breaks)].upTo(brokenClient{s, conn, to, ""})
		reset(conn)
	}
}}

// The same on the https_port.
var brokenTLS = badPeer{"broken TLS", 2, 20 * time.Millisecond, func(s *storm, number int) {
	if conn := s.dialTo(s.proxyAt(secureHost)); conn != nil {
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		breaks[number%len(breaks)].upTo(brokenClient{s, conn, goodName, s.people.secure.at(goodName, "")})
		reset(conn)
	}
}}

var silentTunnels = badPeer{"silent tunnels", 2, 100 * time.Millisecond, func(s *storm, number int) {
	if conn := s.tunnelTo([]string{goodName, earlyName}[number%2]); conn != nil {
		s.pass(time.Second)
		conn.Close()
	}
}}

// What is no TLS.
var strangeTunnels = badPeer{"strange tunnels", 2, 50 * time.Millisecond, func(s *storm, number int) {
	words := []string{"SSH-2.0-OpenSSH_9.2\r\n", request("GET", "/"), "\x16\x03\x01\x00\x05\x01 all that follows is nonsense", "\x00\x0e8\x01\x02\x03"}
	if conn := s.tunnelTo([]string{goodName, splicedName, terminatedName}[number%3]); conn != nil {
		io.WriteString(conn, words[number%len(words)])
		io.Copy(io.Discard, conn)
		conn.Close()
	}
}}

// Clients that ask for another than their CONNECT.
var otherNames = badPeer{"other names", 2, 50 * time.Millisecond, func(s *storm, number int) {
	if conn := s.tunnelTo(goodName); conn != nil {
		names := []string{forbiddenName, "sub." + deniedName, terminatedName, olderName, ""}
		c := tls.Client(conn, &tls.Config{ServerName: names[number%len(names)], InsecureSkipVerify: true})
		io.WriteString(c, s.getIn(goodName, "/other"))
		io.CopyN(io.Discard, c, 100)
		conn.Close()
	}
}}

// Clients that do not know the proxy's authority.
var distrustful = badPeer{"distrustful", 2, 50 * time.Millisecond, func(s *storm, number int) {
	names := []string{goodName, earlyName, staredName, forbiddenName, deniedName}
	name := names[number%len(names)]
	if conn := s.tunnelTo(name); conn != nil {
		if err := tls.Client(conn, &tls.Config{ServerName: name, RootCAs: x509.NewCertPool()}).Handshake(); err == nil {
			s.t.Errorf("a client that trusts nobody trusts a certificate for %s", name)
		}
		conn.Close()
	}
}}

var terminated = badPeer{"terminated", 1, 50 * time.Millisecond, func(s *storm, number int) {
	if conn := s.tunnelTo(terminatedName); conn != nil {
		if err := tls.Client(conn, s.trusting(terminatedName)).Handshake(); err == nil {
			s.t.Errorf("a tunnel is not terminated")
		}
		conn.Close()
	}
}}

// A ClientHello that comes byte by byte.
var slowHellos = badPeer{"slow hellos", 2, 50 * time.Millisecond, func(s *storm, number int) {
	to := []string{goodName, earlyName, splicedName}[number%3]
	if conn := s.tunnelTo(to); conn != nil {
		for _, b := range hello(s.t, to)[:100] {
			if _, err := conn.Write([]byte{b}); err != nil || !s.pass(5*time.Millisecond) {
				break
			}
		}
		conn.Close()
	}
}}

// Servers that cannot be spoken to.
var oddServers = badPeer{"odd servers", 3, 50 * time.Millisecond, func(s *storm, number int) {
	names := []string{expiredName, resettingName, silentServer, closingServer}
	name := names[number%len(names)]
	if conn := s.tunnelTo(name); conn != nil {
		conn.SetDeadline(time.Now().Add(2 * time.Second))
		c := tls.Client(conn, s.trusting(name))
		io.WriteString(c, s.getIn(name, "/odd"))
		if b, _ := io.ReadAll(io.LimitReader(c, 12)); strings.HasSuffix(string(b), " 200") {
			s.t.Errorf("%s has answered", name)
		}
		conn.Close()
	}
}}

// Clients that ask for much in a tunnel, read a little and leave.
var slowTunnels = badPeer{"slow tunnels", 6, 20 * time.Millisecond, func(s *storm, number int) {
	names := []string{goodName, olderName, splicedName}
	name := names[number%len(names)]
	if conn := s.tunnelTo(name); conn != nil {
		c := tls.Client(conn, s.trusting(name))
		io.WriteString(c, s.getIn(name, "/bytes/3000000"))
		for range 10 {
			if _, err := io.CopyN(io.Discard, c, 16<<10); err != nil || !s.pass(100*time.Millisecond) {
				break
			}
		}
		conn.Close()
	}
}}

// Reloads that change whether tunnels are looked at.
var checkReloads = badPeer{"reloads", 1, 3 * time.Second, func(s *storm, number int) {
	path := filepath.Join(s.dir, "squid.conf")
	text := strings.Replace(readAll(path), checksTunnels, leavesTunnels, 1)
	if number%2 > 0 {
		text = strings.Replace(readAll(path), leavesTunnels, checksTunnels, 1)
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		s.t.Errorf("write the configuration: %v", err)
	}
	os.Rename(path+".new", path)
	s.x.cmd.Process.Signal(syscall.SIGHUP)
}}

// judgeStacks ends the proxy and looks at what its goroutines were doing: none may be in a handshake.
func (s *storm) judgeStacks() {
	s.x.signal(syscall.SIGQUIT)
	s.x.wait(backWithin)
	stacks := s.x.said()
	if !strings.Contains(stacks, "goroutine ") {
		s.t.Errorf("the proxy has not said what its goroutines do")
	}
	if n := strings.Count(stacks, "created by exaproxy/engine/tlsend"); n > 0 {
		s.t.Errorf("%d handshakes go on after the storm:\n%s", n, fmt.Sprintf("%.6000s", stacks[strings.Index(stacks, "goroutine "):]))
	}
}
