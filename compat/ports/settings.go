package ports

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are the ports that clients connect to, in the order of the configuration.
type Settings []engine.Port

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{"http_port": s.set, "https_port": s.set}
}

// set takes an http_port or https_port: [address:]port and its options.
func (s *Settings) set(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	word, err := args.String()
	if err != nil {
		return err
	}
	addr, err := parsePort(l.Name, word)
	if err != nil {
		return err
	}
	port, secure := engine.Port{Addr: addr, Name: word, Line: l.Pos.String()}, tlsOptions{directive: l.Name, port: word, at: l.Pos}
	for {
		option, ok := args.Word()
		if !ok {
			break
		}
		if err := setOption(c, &port, &secure, option.Text); err != nil {
			return err
		}
	}
	if err := secure.use(c, &port); err != nil {
		return err
	}
	s.add(c, port)
	return nil
}

// add adds the port of a line, or of an option of the command line, unless an earlier one has its address. Squid
// goes on without such a port, whose connections the earlier one has.
func (s *Settings) add(c *directive.Context, port engine.Port) {
	for _, earlier := range *s {
		if overlap(earlier.Addr, port.Addr) {
			c.Say(1, "ERROR: %s: %s is not opened: %s has its address", port.Line, called(&port), called(&earlier))
			if port.Bump && !earlier.Bump {
				c.Say(1, "WARNING: no tunnel through %s is looked into: the http_port that has ssl-bump is the one that is not opened", called(&earlier))
			}
			return
		}
	}
	*s = append(*s, port)
}

// called is what the configuration calls a port.
func called(p *engine.Port) string {
	if p.TLS != nil {
		return "https_port " + p.Name
	}
	return "http_port " + p.Name
}

// overlap reports whether the kernel could not open both addresses. All of IPv6 is all of IPv4, too.
func overlap(a, b netip.AddrPort) bool {
	if a.Port() != b.Port() || a.Port() == 0 {
		return false
	}
	return a == b || covers(a.Addr(), b.Addr()) || covers(b.Addr(), a.Addr())
}

func covers(all, addr netip.Addr) bool {
	return all.IsUnspecified() && (all.Is6() || addr.Is4())
}

// setOption takes one option of an http_port. What would make the port another kind of port is
// refused: a client that is served wrongly is worse off than one that is not served.
func setOption(c *directive.Context, port *engine.Port, secure *tlsOptions, option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "name":
		if value == "" {
			return conf.Invalid{"FATAL: " + secure.directive + " name= needs a value"}
		}
		port.Name = value
	case "worker-queues":
		port.WorkerQueues = true
	case "require-proxy-header":
		port.ProxyHeader = true
	case "no-connection-auth":
		port.NoConnectionAuth = true
	case "connection-auth":
		port.NoConnectionAuth = value == "off"
	case "disable-pmtu-discovery", "ignore-cc":
		// nothing here depends on them
	case "tcpkeepalive":
		c.Say(1, "NOTICE: http_port option 'tcpkeepalive' has no effect: dead clients end by client_idle_pconn_timeout and read_timeout")
	case "intercept", "transparent":
		return divert(c, port, engine.Intercept, secure, "Intercept mode", "interception")
	case "tproxy":
		return divert(c, port, engine.TPROXY, secure, "TPROXY option", "TPROXY")
	case "accel", "vhost", "no-vhost", "vport", "defaultsite", "act-as-origin", "allow-direct", "protocol":
		return setAccel(c, secure.directive, port, name, value, option)
	default:
		return secure.set(c, name, value, option)
	}
	return nil
}

// parsePort reads [address:]port. A port alone is all addresses of both families. Unlike Squid
// it takes port 0, any free one, which cache.log then names.
func parsePort(directive, word string) (netip.AddrPort, error) {
	host, digits := "", word
	if at := strings.LastIndexByte(word, ':'); at >= 0 {
		host, digits = word[:at], word[at+1:]
	} else if strings.IndexFunc(word, func(c rune) bool { return c < '0' || c > '9' }) >= 0 {
		return netip.AddrPort{}, conf.Invalid{fmt.Sprintf("FATAL: %s: missing Port: %s", directive, word)}
	}
	port, err := conf.ParsePort(digits)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := portAddress(host)
	if err != nil {
		return netip.AddrPort{}, conf.Invalid{fmt.Sprintf("FATAL: %s: %s", directive, err)}
	}
	return netip.AddrPortFrom(addr, port), nil
}

// portAddress reads the address of an http_port: a literal, with or without brackets if it is of
// IPv6, or the name of a host, whose first address is taken.
func portAddress(host string) (netip.Addr, error) {
	if host == "" || host == "*" {
		return netip.IPv6Unspecified(), nil
	}
	literal := host
	if inner, ok := strings.CutPrefix(host, "["); ok {
		literal = strings.TrimSuffix(inner, "]")
	}
	if addr, err := netip.ParseAddr(literal); err == nil {
		return addr, nil
	}
	found, err := net.LookupHost(host)
	if err != nil || len(found) == 0 {
		return netip.Addr{}, fmt.Errorf("'%s' is neither an address nor a host name that can be resolved", host)
	}
	return netip.ParseAddr(found[0])
}

// Finish adds the ports of the command line and sees to it that there are any. path is the
// configuration's, for the error.
func (s *Settings) Finish(c *directive.Context, commandLine []string, path string) error {
	for _, word := range commandLine {
		addr, err := parsePort("http_port", word)
		if err != nil {
			return fmt.Errorf("-a %s: %w", word, err)
		}
		s.add(c, engine.Port{Addr: addr, Name: word, Line: "-a " + word})
	}
	if len(*s) == 0 {
		c.Say(0, "ERROR: No forward-proxy ports configured.")
		return errors.New(path + " has no http_port line")
	}
	return nil
}

// First is the number of the first port, by which the proxy names itself.
func (s Settings) First() uint16 { return s[0].Addr.Port() }

// HasKeys says whether the ports have private keys.
func (s Settings) HasKeys() bool {
	return slices.ContainsFunc(s, func(p engine.Port) bool { return p.TLS != nil || p.Certificate != nil })
}
