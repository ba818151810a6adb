package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startServer starts a program that somebody else has written and that stays in the foreground, and waits until it listens at an
// address. It is ended with the test.
func startServer(t *testing.T, addr, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, said)
		}
	})
	if !poll(20*time.Second, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}) {
		t.Fatalf("%s does not listen at %s", program, addr)
	}
}

const haproxyConf = `defaults
	mode tcp
	timeout connect 20s
	timeout client 60s
	timeout server 60s
frontend clients
	bind 127.0.0.1:{front}
	default_backend proxies
backend proxies
	server one 127.0.0.1:{proxy} {header}
`

// TestBehindHAProxy has a client be judged, logged and told to the helper as himself, by us and by Squid.
func TestBehindHAProxy(t *testing.T) {
	haproxy := peer(t, "haproxy", "haproxy")
	for _, header := range []string{"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"} {
		t.Run(header, func(t *testing.T) {
			ports := freePorts(t, 2)
			conf := writeFile(t, world(t), "haproxy.cfg", strings.NewReplacer("{front}", ports[0], "{proxy}", ports[1], "{header}", header).Replace(haproxyConf))
			startServer(t, "127.0.0.1:"+ports[0], haproxy, "-db", "-q", "-f", conf)
			var lines, logs []string
			for _, p := range []program{exaproxy(), squid(t)} {
				line, log := behindHAProxy(t, p, ports[0], ports[1])
				lines, logs = append(lines, line), append(logs, log)
			}
			if want := "http://allowed.test/ 127.0.0.3 - GET myip=127.0.0.1 myport=" + ports[1] + "\n"; lines[0] != want || lines[0] != lines[1] {
				t.Errorf("the helper is asked %q, by Squid %q, want %q", lines[0], lines[1], want)
			}
			if want := "127.0.0.3 TCP_REDIRECT/302 http://allowed.test/ 127.0.0.3 TCP_DENIED/403 http://denied.test/ "; logs[0] != want || logs[0] != logs[1] {
				t.Errorf("it is logged as %q, by Squid as %q, want %q", logs[0], logs[1], want)
			}
		})
	}
}

// behindHAProxy asks for what is allowed and for what the client may not, through a balancer at port front.
func behindHAProxy(t *testing.T, p program, front, port string) (lines, log string) {
	t.Helper()
	x := start(t, p, world(t), nameServer(t)+`acl balancer src 127.0.0.1
acl client src 127.0.0.3
acl denied dstdomain denied.test
proxy_protocol_access allow balancer
http_access deny client denied
http_access deny !client
url_rewrite_extras "%>a %un %>rm myip=%la myport=%lp"
`+recorder("0")+base+"http_port 127.0.0.1:"+port+" require-proxy-header\n")
	defer x.end()
	for _, url := range []string{"http://allowed.test/", "http://denied.test/"} {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
		conn, err := d.Dial("tcp", "127.0.0.1:"+front)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		conn.Write([]byte(get(url)))
		if e := readExchange(conn, "GET", ""); !strings.HasPrefix(e.status, "HTTP/1.1 30") && !strings.HasPrefix(e.status, "HTTP/1.1 403") {
			t.Errorf("%s is answered %q", url, e.status)
		}
		conn.Close()
		x.eventually("logs "+url, 10*time.Second, func() bool { return strings.Contains(x.file("access.log"), url) })
	}
	for _, line := range x.accessLog() {
		if f := strings.Fields(line); !strings.Contains(line, "error:transaction-end") { // of those who looked whether it listens
			log += f[2] + " " + f[3] + " " + f[6] + " "
		}
	}
	return x.file("lines"), log
}

// TestTLSBehindHAProxy has the header come before the handshake with an https_port, where Squid knows of none.
func TestTLSBehindHAProxy(t *testing.T) {
	haproxy, curl := peer(t, "haproxy", "haproxy"), peer(t, "curl", "curl")
	dir, ports := world(t), freePorts(t, 2)
	options := newAuthority(t, dir, "proxy.test").pemFiles(t, dir)
	conf := writeFile(t, dir, "haproxy.cfg", strings.NewReplacer("{front}", ports[0], "{proxy}", ports[1], "{header}", "send-proxy-v2").Replace(haproxyConf))
	startServer(t, "127.0.0.1:"+ports[0], haproxy, "-db", "-q", "-f", conf)
	x := start(t, exaproxy(), world(t), "acl client src 127.0.0.3\nproxy_protocol_access allow all\nhttp_access deny client\n"+base+"https_port 127.0.0.1:"+ports[1]+" require-proxy-header "+options+"\n")
	out, err := exec.Command(curl, "-sS", "--max-time", "30", "--interface", "127.0.0.3", "--proxy-insecure", "--noproxy", "", "-o", "/dev/null", "-w", "%{http_code}", "-x", "https://127.0.0.1:"+ports[0], "http://x.test/").CombinedOutput()
	if string(out) != "403" || err != nil {
		t.Errorf("curl says %q, %v", out, err)
	}
	x.eventually("logs the client", 10*time.Second, func() bool {
		return strings.Contains(x.file("access.log"), " 127.0.0.3 TCP_DENIED/403 ")
	})
}

const nginxConf = `daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path {dir};
	proxy_temp_path {dir};
	fastcgi_temp_path {dir};
	uwsgi_temp_path {dir};
	scgi_temp_path {dir};
	server {
		listen 127.0.0.5:{plain} proxy_protocol;
		listen 127.0.0.5:{tls} ssl proxy_protocol;
		ssl_certificate {dir}/port.crt;
		ssl_certificate_key {dir}/port.key;
		return 200 "client $proxy_protocol_addr came to $proxy_protocol_server_addr:$proxy_protocol_server_port";
	}
}
`

// TestNginxIsToldOfTheClient by PROXY headers: over HTTP, over TLS, and in a tunnel.
func TestNginxIsToldOfTheClient(t *testing.T) {
	nginx := peer(t, "nginx", "nginx")
	dir := world(t)
	writeFile(t, dir, "hosts", "127.0.0.5 site.test\n")
	ca := newAuthority(t, dir, "site.test")
	ca.pemFiles(t, dir)
	ports := freePorts(t, 2)
	conf := writeFile(t, dir, "nginx.conf", strings.NewReplacer("{dir}", dir, "{plain}", ports[0], "{tls}", ports[1]).Replace(nginxConf))
	startServer(t, "127.0.0.5:"+ports[0], nginx, "-c", conf, "-p", dir)
	for _, version := range []string{"v1", "v2"} {
		x := start(t, exaproxy(), dir, "proxy_protocol_out "+version+"\nacl SSL_ports port "+ports[0]+"\ntls_outgoing_options cafile="+ca.file+"\n"+base+"http_port 127.0.0.1:0\nhttp_port [::1]:0\n")
		for _, a := range []asked{
			{name: "HTTP", raw: get("http://site.test:" + ports[0] + "/"), from: "127.0.0.3"},
			{name: "HTTP from IPv6", raw: get("http://site.test:" + ports[0] + "/"), from: "::1"},
			{name: "HTTPS", raw: get("https://site.test:" + ports[1] + "/"), from: "127.0.0.3"},
			{name: "a tunnel", raw: request("CONNECT", "site.test:"+ports[0]), then: "GET / HTTP/1.0\r\n\r\n", from: "127.0.0.3"},
		} {
			to, client, server := x.addrs[0], "127.0.0.3", "127.0.0.1"
			if a.from == "::1" {
				to, client, server = x.addrs[1], a.from, a.from
			}
			want := fmt.Sprintf("client %s came to %s:%d", client, server, to.Port())
			if got := x.exchange(a); !strings.HasSuffix(string(got.reply), want) {
				t.Errorf("%s, %s: the server says %q, want %q", version, a.name, got.reply, want)
			}
		}
		x.kill()
		os.Remove(x.pathIn("access.log"))
	}
}
