package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// origin is the web server that everything is fetched from: one nginx. It listens on the same port of an address
// for each contestant.
type origin struct {
	process    *process
	port       int
	securePort int
}

const (
	originHosts = 16        // 127.0.1.1 and what follows
	bulkBytes   = 256 << 20 // what /bulk has
)

// host is the origin's address for the contestant with a number.
func (o *origin) host(number int) string { return fmt.Sprintf("127.0.1.%d", number+1) }

// at is the host with its port.
func (o *origin) at(number int) string { return fmt.Sprintf("%s:%d", o.host(number), o.port) }

// secureAt is the host with its port for TLS.
func (o *origin) secureAt(number int) string {
	return fmt.Sprintf("%s:%d", o.host(number), o.securePort)
}

const originConf = `daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections %[2]d; }
http {
	access_log off;
	default_type application/octet-stream;
	keepalive_timeout 900s;
	keepalive_requests 1000000000;
	open_file_cache max=100;
	tcp_nopush on;
	root %[1]s/files;
	client_body_temp_path %[1]s/temp;
	proxy_temp_path %[1]s/temp;
	fastcgi_temp_path %[1]s/temp;
	uwsgi_temp_path %[1]s/temp;
	scgi_temp_path %[1]s/temp;
	upstream read { server unix:%[1]s/read.sock; keepalive 100; }
	server {
%[3]s		ssl_certificate %[4]s;
		ssl_certificate_key %[4]s;
		ssl_protocols TLSv1.3;
		ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
		location / { sendfile on; }
		# Head and body in one segment.
		location = /1k { sendfile off; }
		# Answers when it has the whole body, which return alone would not await.
		location = /upload {
			client_max_body_size 0;
			client_body_buffer_size 4m;
			proxy_pass_request_body off;
			proxy_set_header Content-Length "";
			proxy_set_header Connection "";
			proxy_http_version 1.1;
			proxy_pass http://read;
		}
	}
	server {
		listen unix:%[1]s/read.sock;
		return 204;
	}
}
`

// startOrigin writes the files that are fetched and starts nginx.
func startOrigin(dir string, c certificates) (*origin, error) {
	dir = filepath.Join(dir, "origin")
	files := filepath.Join(dir, "files")
	if err := makeOpen(files, filepath.Join(dir, "temp")); err != nil {
		return nil, err
	}
	for name, size := range map[string]int64{"1k": 1 << 10, "64k": 64 << 10, "64m": 64 << 20, "bulk": bulkBytes} {
		if err := writeZeros(filepath.Join(files, name), size); err != nil {
			return nil, err
		}
	}
	o := &origin{}
	var err error
	for _, port := range []*int{&o.port, &o.securePort} {
		if *port, err = freePort(o.host(0)); err != nil {
			return nil, err
		}
	}
	var listens strings.Builder
	for number := range originHosts {
		fmt.Fprintf(&listens, "\t\tlisten %s backlog=4096;\n\t\tlisten %s ssl backlog=4096;\n", o.at(number), o.secureAt(number))
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(originConf, dir, descriptors()-100, listens.String(), c.origin)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	program, err := nginx.find()
	if err != nil {
		return nil, fmt.Errorf("start the origin: %w", err)
	}
	if o.process, err = startProcess(dir, []string{program, "-c", conf, "-e", filepath.Join(dir, "error.log")}, nil); err != nil {
		return nil, fmt.Errorf("start the origin: %w", err)
	}
	if err := awaitAnswer(o.process, loadOptions{proxy: o.at(0), url: "http://" + o.at(0) + "/1k"}, 10*time.Second); err != nil {
		o.stop()
		return nil, fmt.Errorf("start the origin: %w", err)
	}
	return o, nil
}

func (o *origin) stop() { o.process.stop() }

// makeOpen makes directories that any user may write to.
func makeOpen(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o777); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

// writeZeros writes a file of zeros, a hole, and reads it into the kernel's memory.
func writeZeros(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := file.Truncate(size); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	_, err = os.ReadFile(path)
	return err
}

// freePort returns a port that is not listened on at an address.
func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitAnswer waits until a GET is answered 200.
func awaitAnswer(p *process, o loadOptions, limit time.Duration) error {
	d, err := newDialer(o)
	if err != nil {
		return err
	}
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(200 * time.Microsecond) {
		if p.hasExited() {
			return fmt.Errorf("%s has ended: %s", p.cmd.Path, p.lastOutput())
		}
		if err = d.getOnce(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s gives no answer for %v: %w; its output: %s", p.cmd.Path, limit, err, p.lastOutput())
}

// getOnce asks once, on a connection of its own.
func (d *dialer) getOnce() error {
	c, err := d.dial()
	if err != nil {
		return err
	}
	defer c.conn.Close()
	c.conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = c.get(d.options.url, hostOf(d.options.url, ""))
	return err
}
