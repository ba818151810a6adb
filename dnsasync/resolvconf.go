package dnsasync

import (
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// resolv.conf(5): what timeout and attempts are when only the other is given, and the
// largest values.
const (
	confTimeout     = 5
	confAttempts    = 2
	confMaxNdots    = 15
	confMaxTimeout  = 30
	confMaxAttempts = 5
)

// ReadResolvConf reads resolv.conf(5) into the fields that it speaks of: Servers,
// Search, Ndots, IPv4Only, Rotate, and, when its options name them, Retransmit (timeout) and
// Timeout (timeout × attempts × servers). The other fields are zero. Without a
// nameserver line the server is 127.0.0.1.
//
// Lines that cannot be understood, and options that are known but not followed, are
// left out; the error is then a *Skipped that lists them and the Config is good. After
// any other error, which is r's, the Config holds what was read before.
func ReadResolvConf(r io.Reader) (Config, error) {
	conf := resolvConf{skipped: &Skipped{what: "resolv.conf"}}
	err := eachLine(r, "#;", conf.line)
	conf.setTimeouts()
	conf.config.Servers = conf.config.servers()
	if err != nil {
		return conf.config, err
	}
	return conf.config, conf.skipped.err()
}

// resolvConf is a resolv.conf that is being read.
type resolvConf struct {
	config            Config
	timeout, attempts int // of the options; 0: not given
	number            int // of the line
	skipped           *Skipped
}

func (c *resolvConf) line(number int, fields []string) {
	c.number = number
	word, values := fields[0], fields[1:]
	switch {
	case len(values) == 0 && word != "search":
		c.skip("nothing behind this word", word)
	case word == "nameserver":
		c.nameserver(values[0])
	case word == "search":
		c.search(values)
	case word == "domain":
		c.search(values[:1]) // "if more than one instance of these keywords is present, the last wins"
	case word == "options":
		for _, option := range values {
			c.option(option)
		}
	default:
		c.skip("not supported", word)
	}
}

func (c *resolvConf) nameserver(word string) {
	addr, err := netip.ParseAddr(word)
	switch {
	case err != nil:
		c.skip("not an address", word)
	case len(c.config.Servers) == maxServers:
		c.skip("too many name servers", word)
	default:
		c.config.Servers = append(c.config.Servers, netip.AddrPortFrom(addr.Unmap(), defaultPort))
	}
}

func (c *resolvConf) search(words []string) {
	c.config.Search = nil
	for _, word := range words {
		if word == "." {
			continue // the root: names as they are, which are tried anyway
		}
		domain, ok := hostName(word)
		if !ok {
			c.skip("not a domain", word)
			continue
		}
		c.config.Search = append(c.config.Search, domain)
	}
}

func (c *resolvConf) option(option string) {
	name, value, _ := strings.Cut(option, ":")
	switch name {
	case "ndots":
		if n, ok := c.count(option, value, confMaxNdots); ok {
			c.config.Ndots = n
			if n == 0 {
				c.config.Ndots = -1
			}
		}
	case "timeout":
		if n, ok := c.count(option, value, confMaxTimeout); ok {
			c.timeout = max(n, 1)
		}
	case "attempts":
		if n, ok := c.count(option, value, confMaxAttempts); ok {
			c.attempts = max(n, 1)
		}
	case "no-aaaa":
		c.config.IPv4Only = true
	case "rotate":
		c.config.Rotate = true
	case "debug", "edns0", "trust-ad", "single-request", "single-request-reopen",
		"no-check-names", "no-reload", "no-tld-query", "inet6", "ip6-bytestring", "ip6-dotint", "no-ip6-dotint":
		// Without effect here: EDNS is always used, each query has its own identifier, and
		// signatures are left to the server.
	default:
		c.skip("option not supported", option)
	}
}

// count reads the value of an option; larger ones count as the largest, as in glibc.
func (c *resolvConf) count(option, value string, largest int) (int, bool) {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		c.skip("not a number", option)
		return 0, false
	}
	return min(int(n), largest), true
}

// setTimeouts turns timeout and attempts, once both are known, into Retransmit and Timeout.
func (c *resolvConf) setTimeouts() {
	if c.timeout == 0 && c.attempts == 0 {
		return
	}
	if c.timeout == 0 {
		c.timeout = confTimeout
	}
	if c.attempts == 0 {
		c.attempts = confAttempts
	}
	c.config.Retransmit = time.Duration(c.timeout) * time.Second
	c.config.Timeout = c.config.Retransmit * time.Duration(c.attempts*max(len(c.config.Servers), 1))
}

func (c *resolvConf) skip(why, word string) { c.skipped.add(c.number, why, word) }
