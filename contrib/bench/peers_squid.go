package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var exaproxy = peer{name: "exaproxy", program: "exaproxy", version: []string{"-v"}, setUp: setUpOurs}

var squid = peer{name: "squid", program: "squid", version: []string{"-v"}, setUp: setUpSquid}

// setUpOurs adds nothing to what both read but the trace of the garbage collector, which is counted.
func setUpOurs(at place, s settings) ([]string, []string, error) {
	conf, err := at.write("squid.conf", squidConf(at, s))
	return []string{at.program, "-N", "-f", conf}, []string{"GODEBUG=gctrace=1"}, err
}

// setUpSquid takes from Squid what only it has: caches and what measures their neighbours.
func setUpSquid(at place, s settings) ([]string, []string, error) {
	only := `cache deny all
memory_cache_mode disk
cache_mem 0
pinger_enable off
netdb_filename none
coredump_dir none
`
	if s.bump != "" {
		line, err := certificateHelper(at)
		if err != nil {
			return nil, nil, err
		}
		only += line
	}
	conf, err := at.write("squid.conf", squidConf(at, s)+only)
	return []string{at.program, "-N", "-f", conf}, nil, err
}

// certificateHelper is the line with the program that makes certificates for Squid, whose store is made before. Squid, which
// gives up root, must be able to write there.
func certificateHelper(at place) (line string, err error) {
	const program = "/usr/lib/squid/security_file_certgen"
	store := at.path("store")
	if out, err := exec.Command(program, "-c", "-s", store, "-M", "4MB").CombinedOutput(); err != nil {
		return "", fmt.Errorf("make a store of certificates: %w: %s", err, out)
	}
	err = filepath.WalkDir(store, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chmod(path, 0o777))
	})
	return fmt.Sprintf("sslcrtd_program %s -s %s -M 4MB\n", program, store), err
}

// squidConf is what exaproxy and Squid read alike.
func squidConf(at place, s settings) string {
	var conf strings.Builder
	line := func(format string, arguments ...any) { fmt.Fprintf(&conf, format+"\n", arguments...) }
	line("%s", portLine(at, s))
	line("workers %d", max(1, s.workers))
	line("visible_hostname bench")
	line("max_filedescriptors %d", descriptors())
	line("pid_filename %s", at.path("pid"))
	line("cache_log %s", at.path("cache.log"))
	line("shutdown_lifetime 1 second")
	line("client_idle_pconn_timeout 15 minutes")
	if s.silent {
		line("access_log none")
	} else {
		line("access_log stdio:%s", at.path("access.log"))
	}
	if s.named || s.https {
		host, _, _ := net.SplitHostPort(at.origin)
		os.WriteFile(at.path("hosts"), fmt.Appendf(nil, "%s %s\n", host, originName), 0o644)
		line("hosts_file %s", at.path("hosts"))
	}
	if s.bump != "" {
		line("tls_outgoing_options cafile=%s", at.authority)
		line("acl step1 at_step SslBump1")
		line("ssl_bump peek step1")
		line("ssl_bump %s all", s.bump)
	}
	if s.domains != "" {
		line("acl refused dstdomain %q", s.domains)
		line("http_access deny refused")
	}
	for i := range s.patterns {
		line("acl suspect url_regex ^http://.*[%c-z][0-9]+[%c-f]$", 'a'+i%20, 'a'+i/20)
	}
	if s.patterns > 0 {
		line("http_access deny suspect")
	}
	line("http_access allow all")
	if s.children > 0 {
		os.WriteFile(at.path("helper.py"), []byte(helperProgram), 0o644)
		first := s.children
		if s.lazy {
			first = 0
		}
		line("url_rewrite_program %s -I -S %s", pythonPath(), at.path("helper.py"))
		line("url_rewrite_children %d startup=%d idle=1 concurrency=%d", s.children, first, s.concurrency)
	}
	return conf.String()
}

// portLine is the port that clients speak to.
func portLine(at place, s settings) string {
	switch {
	case s.secure:
		return fmt.Sprintf("https_port %s tls-cert=%s", at.address(), at.front)
	case s.bump != "":
		return fmt.Sprintf("http_port %s ssl-bump tls-cert=%s generate-host-certificates=on dynamic_cert_mem_cache_size=4MB", at.address(), at.signer)
	}
	return "http_port " + at.address()
}

// helperProgram has no opinion about any URL, with concurrency or without.
const helperProgram = `import sys
for line in iter(sys.stdin.readline, ""):
    channel = line.split(" ", 1)[0]
    sys.stdout.write(channel + " ERR\n" if channel.isdigit() else "ERR\n")
    sys.stdout.flush()
`

// pythonPath is the system's Python rather than a wrapper of it.
func pythonPath() string {
	const system = "/usr/bin/python3"
	if _, err := os.Stat(system); err == nil {
		return system
	}
	if path, err := exec.LookPath("python3"); err == nil {
		return path
	}
	return system // whose absence the proxy reports
}
