package acceptance

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// accelSite is nginx in the place of a school's server: plain, and in TLS. It says what it was asked, and has a file.
const accelSite = `daemon off;
error_log {dir}/error.log;
pid {dir}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path {dir}/t; proxy_temp_path {dir}/t; fastcgi_temp_path {dir}/t; uwsgi_temp_path {dir}/t; scgi_temp_path {dir}/t;
  client_max_body_size 8m;
  server {
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {cert}; ssl_certificate_key {key};
    root {dir}/htdocs;
    location /said { return 200 "$scheme $request_method $host:$server_port $request_uri $http_x_forwarded_for $http_surrogate_capability $http_authorization\n"; }
    location = /moved { return 302 /said?moved; }
    location /dav/ { dav_methods PUT; create_full_put_path on; }
  }
}
`

// newNginx starts it, and gives its ports.
func newNginx(t *testing.T, cert, key string) (plain, tls string) {
	t.Helper()
	nginx := peer(t, "nginx", "nginx")
	dir := world(t)
	for _, d := range []string{"t", "htdocs"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(dir, "htdocs"), "file", strings.Repeat("0123456789", 100_000))
	ports := freePorts(t, 2)
	conf := strings.NewReplacer("{dir}", dir, "{plain}", ports[0], "{tls}", ports[1], "{cert}", cert, "{key}", key).Replace(accelSite)
	cmd := exec.Command(nginx, "-c", writeFile(t, dir, "nginx.conf", conf))
	said := new(bytes.Buffer)
	cmd.Stderr, cmd.WaitDelay = said, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("nginx says:\n%s", said)
		}
	})
	if !poll(20*time.Second, func() bool {
		listening, _ := tcpPorts(cmd.Process.Pid)
		return len(listening) > 0 && answers(ports[0]) && answers(ports[1])
	}) {
		t.Fatalf("nginx does not listen:\n%s", said)
	}
	return ports[0], ports[1]
}

func answers(port string) bool {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// accelCurlConf has a site in TLS, one without, one whose TLS ends here, and one that a helper steers (in ExaProxy).
const accelCurlConf = `http_port 127.0.0.1:{0} accel no-vhost defaultsite=site.test:{plain} allow-direct
https_port 127.0.0.1:{1} accel no-vhost defaultsite=site.test:{tls} allow-direct tls-cert={cert} tls-key={key}
https_port 127.0.0.1:{2} accel vport=443 allow-direct tls-cert={cert} tls-key={key}
http_port 127.0.0.1:{3} accel
tls_outgoing_options cafile={ca}
url_rewrite_program {dir}/rewriter
url_rewrite_children 2 startup=1 idle=1
`

// accelCurlRewriter ends TLS: what comes to https://site.test/ is asked of the server without it.
const accelCurlRewriter = `#!/bin/sh
while read url rest; do
case $url in
https://site.test/*) echo "OK rewrite-url=http://site.test:{plain}/${url#https://site.test/}";;
http://steered.test/*) echo "intercept://127.0.0.1:{plain}";;
*) echo ERR;;
esac
done
`

// accelCurled are what curl asks for, by which port, and what it prints.
var accelCurled = []struct {
	name, want string
	port       int
	args       []string
	ours       bool // Squid cannot
}{
	{"a site without TLS", "http GET site.test:{plain} /said?q=1 127.0.0.1 proxy.test=\"Surrogate/1.0\" \n", 0, []string{"http://www.school.example:{0}/said?q=1"}, false},
	{"1.0", "http GET site.test:{plain} /said 127.0.0.1 proxy.test=\"Surrogate/1.0\" \n", 0, []string{"-0", "http://www.school.example:{0}/said"}, false},
	{"credentials for the server", "http GET site.test:{plain} /said 127.0.0.1 proxy.test=\"Surrogate/1.0\" Basic YTpi\n", 0, []string{"-u", "a:b", "http://www.school.example:{0}/said"}, false},
	{"two requests on one connection", "http GET site.test:{plain} /said?1 127.0.0.1 proxy.test=\"Surrogate/1.0\" \nhttp GET site.test:{plain} /said?2 127.0.0.1 proxy.test=\"Surrogate/1.0\" \n", 0,
		[]string{"http://www.school.example:{0}/said?1", "http://www.school.example:{0}/said?2"}, false},
	{"a file's end", "89", 0, []string{"-r", "999998-", "http://www.school.example:{0}/file"}, false},
	{"a large file", "1000000 200", 0, []string{"-o", "/dev/null", "-w", "%{size_download} %{http_code}", "http://www.school.example:{0}/file"}, false},
	{"a head", "200 1000000", 0, []string{"-I", "-o", "/dev/null", "-w", "%{http_code} %header{content-length}", "http://www.school.example:{0}/file"}, false},
	{"a redirect to where the server believes to be", "302 http://site.test:{plain}/said?moved", 0, []string{"-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "http://www.school.example:{0}/moved"}, false},
	{"an upload", "1000000", 0, []string{"-T", "{file}", "-o", "/dev/null", "-w", "%{size_upload}", "http://www.school.example:{0}/dav/known"}, false},
	{"what was uploaded", "1000000 200", 0, []string{"-o", "/dev/null", "-w", "%{size_download} %{http_code}", "http://www.school.example:{0}/dav/known"}, false},
	{"a site in TLS", "https GET site.test:{tls} /said 127.0.0.1 proxy.test=\"Surrogate/1.0\" \n", 1, []string{"https://site.test:{1}/said"}, false},
	{"a site whose TLS ends here", "http GET site.test:{plain} /said?x 127.0.0.1 proxy.test=\"Surrogate/1.0\" \n", 2, []string{"https://site.test:{2}/said?x"}, false},
	{"a site that a helper steers", "http GET steered.test:{plain} /said 127.0.0.1 proxy.test=\"Surrogate/1.0\" \n", 3, []string{"-H", "Host: steered.test", "http://steered.test:{3}/said"}, true},
	{"a site that nobody steers", "ERR_CANNOT_FORWARD 0", 3, []string{"-o", "/dev/null", "-w", "%header{x-squid-error}", "-H", "Host: other.test", "http://other.test:{3}/said"}, true},
}

// TestAcceleratorServesCurl has curl ask nginx through both proxies, in TLS and without.
func TestAcceleratorServesCurl(t *testing.T) {
	curl, squid := peer(t, "curl", "curl"), squid(t)
	keys := world(t)
	ca := newAuthority(t, keys, "site.test")
	ca.pemFiles(t, keys)
	cert, key := filepath.Join(keys, "port.crt"), filepath.Join(keys, "port.key")
	plain, tls := newNginx(t, cert, key)
	upload := writeFile(t, keys, "upload", strings.Repeat("abcdefghij", 100_000))
	ports := freePorts(t, 4)
	places := []string{"{plain}", plain, "{tls}", tls, "{cert}", cert, "{key}", key, "{ca}", ca.file, "{file}", upload}
	for i, port := range ports {
		places = append(places, fmt.Sprintf("{%d}", i), port)
	}
	filled := strings.NewReplacer(places...).Replace
	for _, p := range []program{exaproxy(), squid} {
		dir := world(t)
		writeFile(t, dir, "hosts", "127.0.0.1 site.test\n")
		if err := os.Chmod(writeFile(t, dir, "rewriter", filled(accelCurlRewriter)), 0o755); err != nil {
			t.Fatal(err)
		}
		x := start(t, p, dir, filled(accelCurlConf)+base)
		for _, a := range accelCurled {
			if a.ours && p.path != built.proxy {
				continue
			}
			args := []string{"-sS", "-m", "20", "--cacert", ca.file}
			for _, arg := range a.args {
				args = append(args, filled(arg))
			}
			for _, host := range []string{"www.school.example", "site.test", "steered.test", "other.test"} {
				args = append(args, "--resolve", host+":"+ports[a.port]+":127.0.0.1")
			}
			out, err := exec.Command(curl, args...).CombinedOutput()
			if err != nil || string(out) != filled(a.want) {
				t.Errorf("%s, through %s: curl prints %.300q (%v), want %q", a.name, filepath.Base(p.path), out, err, filled(a.want))
			}
		}
		x.end()
	}
}
