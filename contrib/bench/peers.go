package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// peer is a proxy program: how it is found and how it is set up.
type peer struct {
	name    string
	program string   // its name in PATH or in /usr/sbin
	version []string // arguments that make it print its version
	// setUp writes the configuration and gives the command line and what to add to the environment.
	setUp  func(place, settings) (argv, environment []string, err error)
	remark string // what to know when there are errors
}

var peers = []*peer{&exaproxy, &haproxy, &squid, &nginx, &trafficserver, &tinyproxy}

func peerNames() []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

// find gives the path of the peer's program.
func (p *peer) find() (string, error) {
	if path, err := exec.LookPath(p.program); err == nil {
		return path, nil
	}
	path := filepath.Join("/usr/sbin", p.program) // not in everybody's PATH
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not installed", p.name)
	}
	return path, nil
}

var versionNumber = regexp.MustCompile(`\d+\.\d+[-+.~\w]*`)

// installedVersion is the first thing like a version number that the program prints.
func (p *peer) installedVersion() string {
	path, err := p.find()
	if err != nil {
		return "not installed"
	}
	text, _ := exec.Command(path, p.version...).CombinedOutput() // wrk -v ends with status 1
	if number := versionNumber.FindString(string(text)); number != "" {
		return number
	}
	return "installed"
}

// place is where a proxy runs.
type place struct {
	program      string
	dir          string // its own, writable for anybody
	host         string // to listen on
	port         int
	origin       string // host:port of the origin
	secureOrigin string // the same for TLS
	certificates
}

func (p place) address() string { return fmt.Sprintf("%s:%d", p.host, p.port) }

func (p place) path(name string) string { return filepath.Join(p.dir, name) }

// write writes a configuration file, and gives its path.
func (p place) write(name, text string) (string, error) {
	path := p.path(name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// settings are how a contestant differs from the ordinary: one worker, no helpers, whoever wants a log has one.
type settings struct {
	workers     int // 0 is 1
	silent      bool
	children    int // of the Python helper; 0 is none
	concurrency int
	lazy        bool   // helpers start when they are needed
	domains     string // a file with domains that are refused
	patterns    int    // how many regular expressions each URL is matched with
	tcp         bool   // forwards connections, whatever their bytes
	named       bool   // the origin is called by its name
	secure      bool   // clients speak TLS to it
	https       bool   // URLs of https are asked for, through tunnels; the origin is called by its name
	bump        string // what is done with TLS in tunnels when its ClientHello was read: "bump" or "splice"; nothing reads it if empty
}

// contestant is a peer set up in one way, as it appears in a table.
type contestant struct {
	name string
	peer *peer
	settings
	idle    int    // how many idle connections are open beside the load
	program string // instead of the peer's
}

// proxy is a contestant that runs.
type proxy struct {
	*process
	place
	contestant contestant
	started    time.Duration // from exec to the first answer
	keep       bool          // its files, when it has stopped
}

// proxyHost is the address of the contestant with a number.
func proxyHost(number int) string { return fmt.Sprintf("127.0.2.%d", number+1) }

// url is an absolute URL at the origin, of http or https.
func (p *proxy) url(path string) string {
	switch {
	case p.contestant.https:
		return "https://" + called(p.secureOrigin) + path
	case p.contestant.named:
		return "http://" + called(p.origin) + path
	}
	return "http://" + p.origin + path
}

// called puts the origin's name in the place of its address.
func called(hostport string) string {
	_, port, _ := strings.Cut(hostport, ":")
	return originName + ":" + port
}

// trusted is the authority under which clients expect TLS.
func (p *proxy) trusted() string {
	if p.contestant.bump == "bump" {
		return p.certificates.signer
	}
	return p.certificates.authority
}

// firstRequest is the first that it shall answer: by http, whatever is asked for later.
func (p *proxy) firstRequest() loadOptions {
	return loadOptions{proxy: p.address(), url: "http://" + p.origin + "/1k", secure: p.contestant.secure, trusted: p.trusted()}
}

// start runs a contestant, whose number gives it its addresses, and waits for its first answer.
func (b *bench) start(number int, c contestant) (*proxy, error) {
	var err error
	at := place{program: c.program, host: proxyHost(number), origin: b.origin.at(number),
		secureOrigin: b.origin.secureAt(number), certificates: b.certificates}
	if c.peer == &exaproxy && at.program == "" {
		at.program = b.exaproxy
	}
	if at.program == "" {
		if at.program, err = c.peer.find(); err != nil {
			return nil, err
		}
	}
	if at.dir, err = os.MkdirTemp(b.dir, c.peer.name+"-"); err != nil {
		return nil, err
	}
	if err := makeOpen(at.dir); err != nil {
		return nil, err
	}
	if at.port, err = freePort(at.host); err != nil {
		return nil, err
	}
	if c.domains == manyDomains {
		if c.domains, err = writeDomains(b.dir); err != nil {
			return nil, err
		}
	}
	argv, environment, err := c.peer.setUp(at, c.settings)
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", c.name, err)
	}
	if c.peer == &exaproxy {
		environment = append(environment, b.profiled()...)
	}
	p := &proxy{place: at, contestant: c, keep: b.options.keep}
	begin := time.Now()
	if p.process, err = startProcess(at.dir, argv, environment); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	if err := awaitAnswer(p.process, p.firstRequest(), 30*time.Second); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	p.started = time.Since(begin)
	return p, nil
}

// stop ends the proxy and removes its files, of which logs are large.
func (p *proxy) stop() {
	p.process.stop()
	if !p.keep {
		os.RemoveAll(p.dir)
	}
}

// writeDomains writes a million domains, once, and gives the path of the file.
func writeDomains(dir string) (string, error) {
	path := filepath.Join(dir, "domains")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	var text strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&text, ".d%d.example%d.com\n", i, i%977)
	}
	return path, os.WriteFile(path, []byte(text.String()), 0o644)
}
