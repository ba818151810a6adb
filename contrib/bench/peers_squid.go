package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
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
	conf, err := at.write("squid.conf", squidConf(at, s)+only)
	return []string{at.program, "-N", "-f", conf}, nil, err
}

// squidConf is what exaproxy and Squid read alike.
func squidConf(at place, s settings) string {
	var conf strings.Builder
	line := func(format string, arguments ...any) { fmt.Fprintf(&conf, format+"\n", arguments...) }
	line("http_port %s", at.address())
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
	if s.host != "" {
		host, _, _ := net.SplitHostPort(at.origin)
		os.WriteFile(at.path("hosts"), fmt.Appendf(nil, "%s %s\n", host, s.host), 0o644)
		line("hosts_file %s", at.path("hosts"))
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
