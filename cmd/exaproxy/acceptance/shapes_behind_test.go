package acceptance

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// serversBehind are proxies that others have written, in front of the servers of shapes. Each tells in X-Understood how it has
// understood a request.
var serversBehind = []struct {
	name   string
	before serverBefore
	says   func(w wire) string // what is in X-Understood if it has understood it as it is
}{{"nginx", nginxBefore, methodHostTarget}, {"haproxy", haproxyBefore, methodHostTarget}, {"apache", apacheBefore, methodHostLine}}

// TestServersUnderstandWhatWasJudged has requests of all shapes go through us to servers of others: what they understand is what we
// have understood. They may refuse some.
func TestServersUnderstandWhatWasJudged(t *testing.T) {
	shapes, names := requestShapes(), nameServer(t)
	alone := tell(t, telling{program: exaproxy(), conf: names}, shapes)
	for _, s := range serversBehind {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			behind := tell(t, telling{program: exaproxy(), conf: names, before: s.before}, shapes)
			same, refused := 0, 0
			for _, name := range sortedKeys(alone) {
				if strings.Contains(alone[name].helper, "CONNECT ") {
					continue // a tunnel is not read
				}
				n, no := compareUnderstood(t, name, s.says, alone[name].requests, behind[name].requests)
				same, refused = same+n, refused+no
			}
			t.Logf("%d requests are understood as they were judged, %d are refused", same, refused)
			if refused > same/10 {
				t.Errorf("%s refuses too many: %d of %d", s.name, refused, same)
			}
		})
	}
}

// compareUnderstood finds each request that a server has passed on among those that it receives of us. Others it has refused.
func compareUnderstood(t *testing.T, name string, says func(wire) string, ours, theirs []wire) (same, refused int) {
	t.Helper()
	left := slices.Clone(ours)
	for _, w := range theirs {
		at := slices.IndexFunc(left, func(o wire) bool {
			return says(o) == strings.Join(w.values("X-Understood"), " and ") && len(o.body) == len(w.body)
		})
		if at < 0 {
			t.Errorf("%s: the server has understood %q with a body of %d bytes, and it is sent %v", name, w.values("X-Understood"), len(w.body), ours)
			continue
		}
		left = slices.Delete(left, at, at+1)
		same++
	}
	return same, len(left)
}

func methodHostTarget(w wire) string {
	_, target, _ := strings.Cut(w.start, " ")
	target, _, _ = strings.Cut(target, " ")
	return methodHost(w) + target
}

func methodHostLine(w wire) string { return methodHost(w) + w.start }

func methodHost(w wire) string {
	method, _, _ := strings.Cut(w.start, " ")
	host, _, _ := strings.Cut(strings.Join(w.values("Host"), ","), ":") // the port is another one
	return method + " " + host + " "
}

func nginxBefore(t *testing.T, port, to string) {
	dir := world(t)
	conf := writeFile(t, dir, "nginx.conf", strings.NewReplacer("{dir}", dir, "{port}", port, "{to}", to).Replace(`daemon off;
master_process off;
error_log {dir}/error.log;
pid {dir}/nginx.pid;
events { worker_connections 1000; }
http {
	access_log off;
	client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
	large_client_header_buffers 4 128k;
	client_max_body_size 0;
	ignore_invalid_headers off;
	server {
		listen {port};
		location / {
			proxy_http_version 1.1;
			proxy_set_header X-Understood "$request_method $host $request_uri";
			proxy_pass http://$server_addr:{to}$request_uri;
		}
	}
}
`))
	startServer(t, net.JoinHostPort("127.0.0.1", port), peer(t, "nginx", "nginx"), "-c", conf, "-e", dir+"/error.log")
}

func haproxyBefore(t *testing.T, port, to string) {
	conf := writeFile(t, world(t), "haproxy.cfg", fmt.Sprintf(`global
	tune.bufsize 131072
	tune.http.maxhdr 4000
defaults
	mode http
	option httpclose
	timeout connect 20s
	timeout client 60s
	timeout server 60s
frontend clients
	bind :%s
	http-request set-header X-Understood "%%[method] %%[req.hdr(host),field(1,:)] %%[pathq]"
	default_backend servers
backend servers
	server same 0.0.0.0:%s
`, port, to))
	startServer(t, net.JoinHostPort("127.0.0.1", port), peer(t, "haproxy", "haproxy"), "-db", "-q", "-f", conf)
}

func apacheBefore(t *testing.T, port, to string) {
	dir := world(t)
	conf := writeFile(t, dir, "apache.conf", strings.NewReplacer("{dir}", dir, "{port}", port, "{to}", to).Replace(`ServerRoot {dir}
ServerName apache.test
PidFile {dir}/apache.pid
DefaultRuntimeDir {dir}
ErrorLog {dir}/error.log
Listen 0.0.0.0:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule setenvif_module /usr/lib/apache2/modules/mod_setenvif.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
User www-data
Group www-data
Timeout 5
ServerLimit 1
ThreadLimit 200
ThreadsPerChild 200
MaxRequestWorkers 200
LimitRequestLine 100000
LimitRequestFieldSize 100000
LimitRequestFields 4000
TraceEnable extended
AllowEncodedSlashes NoDecode
SetEnvIf Server_Addr (.*) SITE=$1 proxy-nokeepalive
RequestHeader set X-Understood "expr=%{REQUEST_METHOD} %{SERVER_NAME} %{THE_REQUEST}"
UseCanonicalName Off
ProxyPreserveHost On
ProxyPassInterpolateEnv On
ProxyPass / http://${SITE}:{to}/ interpolate nocanon
`))
	startServer(t, net.JoinHostPort("127.0.0.1", port), peer(t, "apache2", "apache2-bin"), "-X", "-f", conf)
}
