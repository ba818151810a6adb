package names

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/dnsasync"
	"exaproxy/engine"
)

// resolvConf is where the system's name servers are named.
const resolvConf = "/etc/resolv.conf"

// section is that of debug_options, as Squid numbers it.
const section = 78

// Settings are what a configuration says of how names are resolved.
type Settings struct {
	dnsasync.Config

	ClientNames bool // client_names

	hostsFile string           // hosts_file; "none" for none
	hostsLine *conf.Line       // that line, while the configuration is read; nil: there is none
	servers   []netip.AddrPort // dns_nameservers
}

// Defaults are Squid's.
func Defaults() Settings { return Settings{ClientNames: true, hostsFile: "/etc/hosts"} }

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"dns_nameservers":         s.setServers,
		"dns_timeout":             directive.Duration(time.Millisecond, &s.Timeout),
		"dns_retransmit_interval": directive.Duration(time.Millisecond, &s.Retransmit),
		"dns_defnames":            directive.OnOff(&s.Defnames),
		"append_domain":           s.setAppendDomain,
		"hosts_file":              s.setHosts,
		"dns_packet_max":          s.setPacketMax,
		"positive_dns_ttl":        directive.Wait(&s.MaxTTL),
		"negative_dns_ttl":        directive.Wait(&s.NegativeTTL),
		"client_names":            directive.OnOff(&s.ClientNames),
		"prefer_family": directive.OneOf(&s.Prefer, map[string]dnsasync.Family{
			"any": dnsasync.AnyFamily, "ipv4": dnsasync.IPv4, "ipv6": dnsasync.IPv6,
		}, "prefer_family: '%s' is not any, ipv4 or ipv6"),
	}
}

// setServers takes a list; repeated lines append to it.
func (s *Settings) setServers(c *directive.Context, l *conf.Line) error {
	words, err := c.Strings(l)
	if err != nil {
		return err
	}
	for _, word := range words {
		at, ok := parseServer(word)
		if !ok {
			return conf.Invalid{fmt.Sprintf("FATAL: dns_nameservers: '%s' is not an address", word)}
		}
		s.servers = append(s.servers, at)
	}
	return nil
}

// setPacketMax has none, and no bytes at all, announce nothing.
func (s *Settings) setPacketMax(c *directive.Context, l *conf.Line) error {
	n, err := c.Args(l).Size("bytes")
	if s.PacketMax = int(min(n, 1<<16)); n <= 0 {
		s.PacketMax = -1
	}
	return err
}

func (s *Settings) setHosts(c *directive.Context, l *conf.Line) error {
	s.hostsLine = l
	return directive.Text(&s.hostsFile)(c, l)
}

func (s *Settings) setAppendDomain(c *directive.Context, l *conf.Line) error {
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(word, ".") {
		return conf.Invalid{fmt.Sprintf("FATAL: append_domain: '%s' must begin with a '.'", word)}
	}
	s.AppendDomain = strings.TrimRight(strings.ToLower(word), ".") // as hosts are compared
	return nil
}

// Configure gives the engine what its resolvers are made from.
func (s *Settings) Configure(c *engine.Config, log *slog.Logger) {
	c.Names = s.Config
	c.Names.Log = log.With("section", section)
}

// Finish reads the system's files. An error is of a hosts_file.
func (s *Settings) Finish(c *directive.Context) error {
	s.finishServers(c)
	line := s.hostsLine
	s.hostsLine = nil
	err := s.readHosts(c)
	if err != nil && line != nil {
		return line.Bungle(conf.Invalid{"FATAL: " + err.Error()})
	}
	return err
}

// finishServers takes the system's resolv.conf, and in the place of its servers those of
// dns_nameservers if there are any.
func (s *Settings) finishServers(c *directive.Context) {
	system, err := readSystem(c, resolvConf, dnsasync.ReadResolvConf)
	if err != nil && !skipped(c, resolvConf, err) {
		c.Say(1, "WARNING: cannot read %s: %s", resolvConf, err)
	}
	s.Servers, s.Search, s.Ndots, s.IPv4Only, s.Rotate = system.Servers, system.Search, system.Ndots, system.IPv4Only, system.Rotate
	if len(s.servers) > 0 {
		s.Servers = s.servers
	}
}

// parseServer reads an address with or without a port.
func parseServer(word string) (netip.AddrPort, bool) {
	if at, err := netip.ParseAddrPort(word); err == nil {
		return at, true
	}
	addr, err := netip.ParseAddr(strings.Trim(word, "[]"))
	return netip.AddrPortFrom(addr, 53), err == nil
}

// readHosts reads hosts_file. One that may not be read is an error: a reload would lose names that the
// start could read.
func (s *Settings) readHosts(c *directive.Context) error {
	if s.hostsFile == "none" {
		return nil
	}
	hosts, err := readSystem(c, s.hostsFile, dnsasync.ReadHosts)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("hosts_file %s: %w", s.hostsFile, err)
	}
	if err != nil && !skipped(c, s.hostsFile, err) {
		c.Say(1, "WARNING: cannot read hosts_file %s: %s", s.hostsFile, err)
		return nil
	}
	s.Hosts = hosts
	return nil
}

// skipped says whether err is about single lines only; these are logged, and the rest is good.
func skipped(c *directive.Context, path string, err error) bool {
	var lines *dnsasync.Skipped
	if !errors.As(err, &lines) {
		return false
	}
	c.Say(1, "WARNING: %s: %s", path, lines)
	return true
}

// readSystem reads one of the system's files.
func readSystem[T any](c *directive.Context, path string, read func(io.Reader) (T, error)) (content T, err error) {
	file, err := c.Open(path)
	if err != nil {
		return content, err
	}
	defer file.Close()
	return read(file)
}
