package ports

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// setAccel takes an option about accelerators. of is the directive. As in Squid the order of options counts: accel
// comes first.
func setAccel(c *directive.Context, of string, port *engine.Port, name, value, option string) error {
	accel := port.Mode == engine.Accel
	switch name {
	case "accel", "vhost":
		if name == "vhost" && !accel {
			c.Say(1, "WARNING: %s: vhost option is deprecated. Use 'accel' mode flag instead.", of)
		}
		return accelerate(of, port)
	case "no-vhost", "act-as-origin":
		if !accel {
			c.Say(1, "ERROR: %s: %s option requires Acceleration mode flag.", of, name)
			return nil
		}
		if name == "no-vhost" {
			port.Site.ByHost = false
		} // act-as-origin changes what is given from a cache alone
		return nil
	}
	if !accel {
		return conf.Invalid{fmt.Sprintf("FATAL: %s: %s option requires Acceleration mode flag.", of, name)}
	}
	return setSite(of, port.Site, name, value, option)
}

// accelerate makes the port an accelerator's.
func accelerate(of string, port *engine.Port) error {
	switch port.Mode {
	case engine.Intercept, engine.TPROXY:
		return conf.Invalid{fmt.Sprintf("FATAL: %s: Accelerator mode requires its own port. It cannot be shared with other modes.", of)}
	case engine.Forward:
		port.Mode, port.Site = engine.Accel, &engine.Site{Scheme: schemeOf(of)}
	case engine.Accel:
	}
	port.Site.ByHost = true
	return nil
}

// schemeOf is the scheme of URLs that are asked for by a port.
func schemeOf(of string) string {
	if of == "https_port" {
		return "https"
	}
	return "http"
}

// setSite takes an option about the URLs of an accelerator's port.
func setSite(of string, site *engine.Site, name, value, option string) (err error) {
	switch name {
	case "defaultsite":
		return setDefault(of, site, value, option)
	case "vport":
		if site.LocalPort = option == "vport"; site.LocalPort {
			return nil
		}
		site.Port, err = conf.ParsePort(value)
		return err
	case "protocol":
		return checkProtocol(of, site, value, option)
	case "allow-direct":
		site.Direct = true
	}
	return nil
}

// setDefault takes defaultsite=. Squid takes anything, and then answers all requests that go there with an error.
func setDefault(of string, site *engine.Site, value, option string) error {
	if value == "" {
		site.Default = ""
		return nil
	}
	var probe engine.Request
	probe.Method, probe.Target = "GET", h1.Target{Path: []byte("/")}
	if err := probe.Locate(site.Scheme, []byte(value), h1.Deny); err != nil {
		return conf.Invalid{fmt.Sprintf("FATAL: %s option '%s' must be a host name or address, with or without a port", of, option)}
	}
	site.Default = value
	return nil
}

// checkProtocol takes protocol=, the scheme of URLs. Squid 5.7 speaks TLS on a port if that is HTTPS, and only then.
func checkProtocol(of string, site *engine.Site, value, option string) error {
	switch strings.ToUpper(value) {
	case "HTTP", "HTTP/1.1", "HTTPS", "HTTPS/1.1":
	case "FTP":
		return conf.Invalid{fmt.Sprintf("ERROR: %s option '%s' cannot be followed: there is no FTP", of, option)}
	default:
		return conf.Invalid{fmt.Sprintf("FATAL: %s directive does not support protocol=%s", of, strings.ToUpper(value))}
	}
	if scheme, _, _ := strings.Cut(strings.ToLower(value), "/"); scheme != site.Scheme {
		return conf.Invalid{fmt.Sprintf("ERROR: %s option '%s' cannot be followed: whether clients speak TLS on a port is said by its directive: write %s_port", of, option, scheme)}
	}
	return nil
}
