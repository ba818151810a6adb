package compat

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"

	"exaproxy/dnsasync"
)

// resolvConf is where the system's name servers are named.
const resolvConf = "/etc/resolv.conf"

// finishNames completes what concerns names: our own, and who resolves others'.
func (r *reading) finishNames() error {
	s := r.settings
	if s.VisibleName == "" {
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "localhost"
		}
		s.VisibleName = strings.ToLower(name)
	}
	if !s.Via {
		r.say(1, "WARNING: HTTP requires the use of Via")
	}
	if s.UniqueName == "" {
		s.UniqueName = s.VisibleName
	}
	if err := r.finishServers(); err != nil {
		return err
	}
	return r.finishHosts()
}

// finishServers takes the system's resolv.conf, and in the place of its servers those of
// dns_nameservers if there are any.
func (r *reading) finishServers() error {
	names := &r.settings.Names
	system, err := readSystem(r, resolvConf, dnsasync.ReadResolvConf)
	if err != nil && !r.skipped(resolvConf, err) {
		r.say(1, "WARNING: cannot read %s: %s", resolvConf, err)
	}
	names.Servers, names.Search, names.Ndots, names.IPv4Only = system.Servers, system.Search, system.Ndots, system.IPv4Only
	if len(r.settings.nameServers) == 0 {
		return nil
	}
	names.Servers = nil
	for _, word := range r.settings.nameServers {
		at, ok := parseServer(word)
		if !ok {
			return r.fatal("dns_nameservers: '%s' is not an address", word)
		}
		names.Servers = append(names.Servers, at)
	}
	return nil
}

// parseServer reads an address with or without a port.
func parseServer(word string) (netip.AddrPort, bool) {
	if at, err := netip.ParseAddrPort(word); err == nil {
		return at, true
	}
	addr, err := netip.ParseAddr(strings.Trim(word, "[]"))
	return netip.AddrPortFrom(addr, 53), err == nil
}

func (r *reading) finishHosts() error {
	if r.settings.hostsFile == "none" {
		return nil
	}
	hosts, err := readSystem(r, r.settings.hostsFile, dnsasync.ReadHosts)
	if err != nil && !r.skipped(r.settings.hostsFile, err) {
		r.say(1, "WARNING: cannot read hosts_file %s: %s", r.settings.hostsFile, err)
		return nil
	}
	r.settings.Names.Hosts = hosts
	return nil
}

// skipped says whether err is about single lines only; they are told, and the rest is good.
func (r *reading) skipped(path string, err error) bool {
	var lines *dnsasync.Skipped
	if !errors.As(err, &lines) {
		return false
	}
	r.say(1, "WARNING: %s: %s", path, lines)
	return true
}

// readSystem reads one of the system's files.
func readSystem[T any](r *reading, path string, read func(io.Reader) (T, error)) (content T, err error) {
	open := r.o.Open
	if open == nil {
		open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
	}
	file, err := open(path)
	if err != nil {
		return content, err
	}
	defer file.Close()
	return read(file)
}
