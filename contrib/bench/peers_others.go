package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

var haproxy = peer{name: "haproxy", program: "haproxy", version: []string{"-v"}, setUp: setUpHAProxy}

// setUpHAProxy forwards everything to the origin, as HAProxy cannot take its server from the URL without a resolver.
// It would close connections to the origin as soon as a quarter of its descriptors is in use, but for the tune settings.
func setUpHAProxy(at place, s settings) ([]string, []string, error) {
	bind, mode := at.address(), "mode http\n\toption http-keep-alive\n\thttp-reuse always"
	if s.tcp {
		mode = "mode tcp\n\toption splice-auto"
	}
	if s.secure {
		bind += " ssl crt " + at.front + " ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256"
	}
	conf, err := at.write("haproxy.cfg", fmt.Sprintf(`global
	nbthread 1
	maxconn %d
	no strict-limits
	tune.pool-low-fd-ratio 100
	tune.pool-high-fd-ratio 100
defaults
	%s
	timeout connect 10s
	timeout client 15m
	timeout server 15m
	timeout http-keep-alive 15m
frontend clients
	bind %s
	default_backend origin
backend origin
	server origin %s
`, (descriptors()-100)/2, mode, bind, at.origin))
	return []string{at.program, "-db", "-f", conf}, nil, err
}

var nginx = peer{name: "nginx", program: "nginx", version: []string{"-v"}, setUp: setUpNginx}

// setUpNginx gives it the origin's host by a map rather than by a resolver, so that it may keep connections.
func setUpNginx(at place, s settings) ([]string, []string, error) {
	host, _, err := net.SplitHostPort(at.origin)
	if err != nil {
		return nil, nil, err
	}
	if err := makeOpen(at.path("temp")); err != nil {
		return nil, nil, err
	}
	listen := at.address()
	if s.secure {
		listen += " ssl"
	}
	conf, err := at.write("nginx.conf", fmt.Sprintf(`daemon off;
worker_processes %[5]d;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections %[2]d; }
http {
	access_log off;
	keepalive_timeout 900s;
	keepalive_requests 1000000000;
	client_body_temp_path %[1]s/temp;
	proxy_temp_path %[1]s/temp;
	fastcgi_temp_path %[1]s/temp;
	uwsgi_temp_path %[1]s/temp;
	scgi_temp_path %[1]s/temp;
	upstream origin { server %[4]s; keepalive 256; keepalive_requests 1000000000; }
	map $host $known { %[6]s origin; }
	server {
		listen %[3]s backlog=4096;
		ssl_certificate %[7]s;
		ssl_certificate_key %[7]s;
		ssl_protocols TLSv1.3;
		ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
		location / {
			proxy_http_version 1.1;
			proxy_set_header Host $http_host;
			proxy_set_header Connection "";
			proxy_max_temp_file_size 0;
			client_max_body_size 0;
			proxy_request_buffering off;
			proxy_pass http://$known$request_uri;
		}
	}
}
`, at.dir, descriptors()-100, listen, at.origin, max(1, s.workers), host, at.front))
	return []string{at.program, "-c", conf, "-e", at.path("error.log")}, nil, err
}

var trafficserver = peer{name: "trafficserver", program: "traffic_server", version: []string{"-V"}, setUp: setUpTrafficServer}

// setUpTrafficServer gives it a tree of directories of its own: see "runroot" in its manual.
func setUpTrafficServer(at place, _ settings) ([]string, []string, error) {
	for _, dir := range []string{"etc", "log", "run", "cache", "share"} {
		if err := makeOpen(at.path(dir)); err != nil {
			return nil, nil, err
		}
	}
	root, err := at.write("runroot.yaml", fmt.Sprintf(`prefix: %[1]s
exec_prefix: %[1]s
bindir: %[2]s
sbindir: %[2]s
sysconfdir: %[1]s/etc
datadir: %[1]s/share
includedir: %[1]s/share
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: %[1]s/run
runtimedir: %[1]s/run
logdir: %[1]s/log
mandir: %[1]s/share
infodir: %[1]s/share
cachedir: %[1]s/cache
`, at.dir, filepath.Dir(at.program)))
	if err != nil {
		return nil, nil, err
	}
	for name, text := range map[string]string{
		"ip_allow.yaml":  "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n",
		"storage.config": "", "remap.config": "", "plugin.config": "",
		"records.config": fmt.Sprintf(recordsConfig, at.port, at.host, descriptors()*9/10),
	} {
		if err := os.WriteFile(filepath.Join(at.dir, "etc", name), []byte(text), 0o644); err != nil {
			return nil, nil, err
		}
	}
	return []string{at.program, "--run-root=" + root}, nil, nil
}

// recordsConfig: one thread for connections, which accepts too; one for tasks, of which it cannot have less.
const recordsConfig = `CONFIG proxy.config.http.server_ports STRING %[1]d:ip-in=%[2]s
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.reverse_proxy.enabled INT 0
CONFIG proxy.config.url_remap.remap_required INT 0
CONFIG proxy.config.http.connect_ports STRING *
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.http.wait_for_cache INT 0
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.diags.debug.enabled INT 0
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.net.connections_throttle INT %[3]d
CONFIG proxy.config.net.max_connections_in INT %[3]d
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 900
CONFIG proxy.config.http.keep_alive_no_activity_timeout_out INT 900
CONFIG proxy.config.http.transaction_no_activity_timeout_in INT 900
CONFIG proxy.config.http.transaction_no_activity_timeout_out INT 900
`

var tinyproxy = peer{name: "tinyproxy", program: "tinyproxy", version: []string{"-v"}, setUp: setUpTinyproxy,
	remark: "tinyproxy closes every connection, and does not say so, which wrk counts as an error of its next request"}

// setUpTinyproxy: a thread for each connection, of which it has 100 by default.
func setUpTinyproxy(at place, _ settings) ([]string, []string, error) {
	conf, err := at.write("tinyproxy.conf", fmt.Sprintf(`Listen %s
Port %d
Timeout 900
MaxClients 10000
LogLevel Critical
LogFile "%s"
`, at.host, at.port, at.path("tinyproxy.log")))
	return []string{at.program, "-d", "-c", conf}, nil, err
}
